package wxsim

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// TestQuotaAPIs: the quota that is told is the one that is kept, and it can be cleared, so many times a month.
func TestQuotaAPIs(t *testing.T) {
	const groups = "/cgi-bin/groups/get"
	w := newWorld(t, func(c *Config) { c.Limits = map[string]Limit{"get_groups": {PerDay: 2, PerMinute: 2}} })
	client, ctx := w.client(), t.Context()
	get := func() int { code, _ := w.api("GET", groups, ""); return code }
	quota := func() wxapi.GetAPIQuotaResponse {
		got, err := client.GetAPIQuota(ctx, &wxapi.GetAPIQuotaRequest{CGIPath: groups})
		if err != nil {
			t.Fatal(err)
		}
		return *got
	}
	if got := quota(); got.Quota != (wxapi.Quota{DailyLimit: 2, Remain: 2}) || *got.RateLimit != (wxapi.RateLimit{CallCount: 2, RefreshSecond: 60}) {
		t.Errorf("%+v", got)
	}
	if a, b, c := get(), get(), get(); a != 0 || b != 0 || c != 45009 {
		t.Errorf("%d %d %d", a, b, c)
	}
	if got := quota(); got.Quota != (wxapi.Quota{DailyLimit: 2, Used: 2}) {
		t.Errorf("%+v", got)
	}
	if _, err := client.ClearAPIQuota(ctx, &wxapi.ClearAPIQuotaRequest{CGIPath: groups}); err != nil || get() != 0 {
		t.Errorf("after clearing one: %v", err)
	}
	get()
	for i := range 5 {
		if _, err := client.ClearQuota(ctx, nil); err != nil {
			t.Errorf("%d: %v", i, err)
		}
		if _, err := client.ClearQuotaBySecret(ctx, nil); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
	if get() != 0 {
		t.Error("nothing was cleared")
	}
	_, err := client.ClearQuotaBySecret(ctx, nil)
	if refused, ok := errors.AsType[*wxapi.Error](err); !ok || refused.Code != 48006 || refused.Class != wxapi.ClassPermanent {
		t.Errorf("the 11th time: %v", err)
	}
	for body, want := range map[string]int{`{}`: 41002, `{"appid":"wx1"}`: 40013, `{"appid":"` + testAppID + `"}`: 48006} {
		if code := w.post("clear_quota", body); code != want {
			t.Errorf("%s: %d, want %d", body, code, want)
		}
	}
	w.Advance(31 * 24 * time.Hour)
	if code := w.post("clear_quota", `{"appid":"`+testAppID+`"}`); code != 0 {
		t.Errorf("next month: %d", code)
	}
	if code, _ := w.raw("POST", "/cgi-bin/clear_quota/v2?appid="+testAppID+"&appsecret=wrong", ""); code != 40125 {
		t.Errorf("wrong secret: %d", code)
	}
	if code := w.post("openapi/quota/get", `{"cgi_path":"/cgi-bin/nothing"}`); code != 76021 {
		t.Errorf("unknown path: %d", code)
	}
	if _, all := w.api("POST", "/cgi-bin/openapi/quota/get", `{"cgi_path":"/cgi-bin/user/info"}`); all["quota"].(map[string]any)["remain"] == 0.0 {
		t.Errorf("no limit reads as none left: %v", all)
	}
}

// TestRID: what failed can be looked up by its rid for a week, without its credentials.
func TestRID(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	_, err := client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{ToUser: "o_nobody", MsgType: "text", Text: &wxapi.Text{Content: "hi"}})
	refused, ok := errors.AsType[*wxapi.Error](err)
	if !ok || refused.RID == "" {
		t.Fatalf("%v", err)
	}
	token := w.token()
	got, err := client.GetRID(ctx, &wxapi.GetRIDRequest{RID: refused.RID})
	if err != nil {
		t.Fatal(err)
	}
	r := got.Request
	if !strings.Contains(r.RequestBody, "o_nobody") || !strings.Contains(r.ResponseBody, "40003") || r.InvokeTime != w.hand.now().Unix() || r.ClientIP != "127.0.0.1" {
		t.Errorf("%+v", r)
	}
	if strings.Contains(r.RequestURL, token) || !strings.HasPrefix(r.RequestURL, "access_token=") {
		t.Errorf("request_url is %s", r.RequestURL)
	}
	for _, rid := range []string{"61725984-6126f6f9-040f19c4", ""} {
		if code := w.post("openapi/rid/get", `{"rid":"`+rid+`"}`); code != 76001 {
			t.Errorf("%q: %d", rid, code)
		}
	}
	w.Advance(7*24*time.Hour + time.Second)
	if code := w.post("openapi/rid/get", `{"rid":"`+refused.RID+`"}`); code != 76001 {
		t.Errorf("after a week: %d", code)
	}
}

// TestRIDsAreBounded: a simulator may run for weeks.
func TestRIDsAreBounded(t *testing.T) {
	var r rids
	for range 3 * ridsKept {
		r.add(&exchange{}, Call{}, failure(40003))
	}
	if len(r.byRID) > ridsKept || len(r.byRID) != len(r.order) {
		t.Errorf("%d are kept, %d in order", len(r.byRID), len(r.order))
	}
}
