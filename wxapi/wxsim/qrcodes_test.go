package wxsim

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

func codeFor(action string, id int64, text string) *wxapi.CreateQRCodeRequest {
	return &wxapi.CreateQRCodeRequest{ActionName: action, ActionInfo: wxapi.ActionInfo{Scene: wxapi.Scene{SceneID: id, SceneStr: text}}}
}

func TestQRCodes(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	picture := func(ticket string) int {
		t.Helper()
		at, err := client.GetQRCodeURL(ctx, &wxapi.GetQRCodeURLRequest{Ticket: ticket})
		if err != nil || !strings.HasPrefix(at.URL, w.url) {
			t.Fatalf("%v, %v", at, err)
		}
		status, body := w.do("GET", strings.TrimPrefix(at.URL, w.url), "")
		if (status == http.StatusOK) != strings.HasPrefix(body, "\x89PNG") {
			t.Errorf("%d with %q", status, body)
		}
		return status
	}
	short, err := client.CreateQRCode(ctx, codeFor("QR_SCENE", 7, ""))
	if err != nil || short.ExpireSeconds != 60 || !strings.HasPrefix(short.URL, "http://weixin.qq.com/q/") {
		t.Fatalf("%+v, %v", short, err)
	}
	for _, letter := range "+/=" {
		if !strings.ContainsRune(short.Ticket, letter) {
			t.Errorf("the ticket %s has no %c", short.Ticket, letter)
		}
	}
	forever, err := client.CreateQRCode(ctx, codeFor("QR_LIMIT_STR_SCENE", 0, "shop"))
	if err != nil || forever.ExpireSeconds != 0 {
		t.Fatalf("%+v, %v", forever, err)
	}
	if again, err := client.CreateQRCode(ctx, codeFor("QR_LIMIT_STR_SCENE", 0, "shop")); err != nil || again.Ticket != forever.Ticket {
		t.Errorf("the same scene has another ticket: %v", err)
	}
	if a, b := picture(short.Ticket), picture(forever.Ticket); a != 200 || b != 200 {
		t.Errorf("pictures: %d, %d", a, b)
	}
	if got, _ := w.do("GET", "/cgi-bin/showqrcode?ticket="+short.Ticket, ""); got != 404 {
		t.Errorf("a ticket that is not escaped: %d", got) // its + is a space
	}
	w.hand.forward(time.Minute)
	if a, b, c := picture(short.Ticket), picture(forever.Ticket), picture("nonsense"); a != 404 || b != 200 || c != 404 {
		t.Errorf("a minute later: %d, %d, %d", a, b, c)
	}
	for body, want := range map[string]int{
		`{"action_name":"QR","action_info":{"scene":{"scene_id":1}}}`:                                  40052,
		`{"action_name":"QR_SCENE","action_info":{"scene":{}}}`:                                        40053,
		`{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100001}}}`:                 40053,
		`{"action_name":"QR_STR_SCENE","action_info":{"scene":{"scene_str":""}}}`:                      40053,
		`{"action_name":"QR_SCENE","expire_seconds":2592001,"action_info":{"scene":{"scene_id":1}}}`:   40097,
		`{"action_name":"QR_SCENE","expire_seconds":2592000,"action_info":{"scene":{"scene_id":1}}}`:   0,
		`{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100000,"scene_str":"x"}}}`: 0,
	} {
		if got := w.post("qrcode/create", body); got != want {
			t.Errorf("%s: errcode %d, want %d", body, got, want)
		}
	}
}

// TestScan: a code brings a stranger in and makes a follower known, with its scene.
func TestScan(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	client, ctx := w.client(), t.Context()
	made, err := client.CreateQRCode(ctx, codeFor("QR_LIMIT_SCENE", 7, ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Scan(ctx, alice, made.Ticket); err != nil {
		t.Fatal(err)
	}
	status, body := w.do("POST", "/_sim/followers/o_alice/scan", string(encode(map[string]string{"ticket": made.Ticket})))
	if status != 200 || !strings.Contains(body, `"fault":false`) {
		t.Errorf("%d %s", status, body)
	}
	got := ""
	for _, r := range rec.all() {
		got += fmt.Sprintf("%s %s %t; ", r.message.Event, r.message.Value("EventKey"), r.message.Value("Ticket") == made.Ticket)
	}
	if got != "subscribe qrscene_7 true; SCAN 7 true; " {
		t.Errorf("pushed %s", got)
	}
	if info, err := client.GetUserInfo(ctx, &wxapi.GetUserInfoRequest{OpenID: alice}); err != nil || info.QRScene != 7 {
		t.Errorf("%+v, %v", info, err)
	}
	var input *InputError
	if _, err := w.Scan(ctx, alice, "nonsense"); !errors.As(err, &input) {
		t.Errorf("a wrong ticket: %v", err)
	}
	if status, _ := w.do("POST", "/_sim/followers/o_alice/scan", `{"ticket":"nonsense"}`); status != 400 {
		t.Errorf("a wrong ticket: %d", status)
	}
	if status, _ := w.do("POST", "/_sim/followers/o_alice/scan", `{"tickets":"x"}`); status != 400 {
		t.Errorf("a wrong body: %d", status)
	}
}

func TestShortKeys(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	made, err := client.CreateShortKey(ctx, &wxapi.CreateShortKeyRequest{LongData: "a=1&b=<好>", ExpireSeconds: 100})
	if err != nil || len(made.ShortKey) != 15 {
		t.Fatalf("%+v, %v", made, err)
	}
	w.hand.forward(99 * time.Second)
	got, err := client.ResolveShortKey(ctx, &wxapi.ResolveShortKeyRequest{ShortKey: made.ShortKey})
	if err != nil || got.LongData != "a=1&b=<好>" || got.ExpireSeconds != 1 || got.CreateTime != w.hand.now().Unix()-99 {
		t.Errorf("%+v, %v", got, err)
	}
	w.hand.forward(time.Second)
	codes := fmt.Sprint(
		w.post("shorten/fetch", `{"short_key":"`+made.ShortKey+`"}`), w.post("shorten/fetch", `{}`), w.post("shorten/gen", `{}`),
		w.post("shorten/gen", `{"long_data":"`+strings.Repeat("x", 4097)+`"}`), w.post("shorten/gen", `{"long_data":"x","expire_seconds":2592001}`),
		w.post("shorten/gen", `{"long_data":"x"}`),
	)
	if codes != "40097 40097 44004 45002 40097 0" {
		t.Errorf("errcodes %s", codes)
	}
}

func TestNetwork(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	if list, err := client.GetCallbackIP(ctx, nil); err != nil || len(list.IPList) == 0 {
		t.Errorf("%+v, %v", list, err)
	}
	if list, err := client.GetAPIDomainIP(ctx, nil); err != nil || len(list.IPList) == 0 {
		t.Errorf("%+v, %v", list, err)
	}
	all := `{"action":"all","check_operator":"DEFAULT"}`
	codes := []int{w.post("callback/check", all)}
	w.SetCallback("http://127.0.0.1:8080/wx")
	codes = append(codes, w.post("callback/check", all), w.post("callback/check", `{"action":"x","check_operator":"CAP"}`), w.post("callback/check", `{"action":"dns"}`))
	if fmt.Sprint(codes) != "[40201 0 40202 40203]" {
		t.Errorf("errcodes %v", codes)
	}
	got, err := client.CheckCallback(ctx, &wxapi.CheckCallbackRequest{Action: "ping", CheckOperator: "UNICOM"})
	if err != nil || got.DNS != nil || got.Ping[0].FromOperator != "UNICOM" {
		t.Errorf("%+v, %v", got, err)
	}
}
