package wxsim

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// TestGroups: names, ids and counts agree with who is where.
func TestGroups(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.MaxGroups = 2 })
	w.listen(testAESKey, success)
	client, ctx := w.client(), t.Context()
	for _, openID := range []string{alice, "o_bob", "o_carol"} {
		w.push(openID, `{"MsgType":"event","Event":"subscribe"}`)
	}
	made, err := client.CreateGroup(ctx, &wxapi.CreateGroupRequest{Group: wxapi.NewGroup{Name: "friends"}})
	if err != nil || made.Group.ID < 100 || made.Group.Name != "friends" {
		t.Fatalf("created %+v, %v", made, err)
	}
	id := made.Group.ID
	post := func(path, body string) int {
		code, _ := w.api("POST", "/cgi-bin/groups/"+path, body)
		return code
	}
	update := func(id int64, name string) int {
		return post("update", fmt.Sprintf(`{"group":{"id":%d,"name":%q}}`, id, name))
	}
	move := func(openID string, id int64) int {
		return post("members/update", fmt.Sprintf(`{"openid":%q,"to_groupid":%d}`, openID, id))
	}
	codes := []int{
		post("create", `{"group":{"name":"second"}}`), post("create", `{"group":{"name":"third"}}`), post("create", `{"group":{}}`),
		post("create", `{"group":{"name":"`+strings.Repeat("友", 31)+`"}}`), update(id, strings.Repeat("友", 30)), update(0, "mine"),
		update(999, "x"), update(id, ""), post("update", `{"group":{"name":"x"}}`),
		move(alice, id), move("o_bob", id), move("o_bob", 2), move("o_nobody", id), move(alice, 999), post("members/update", `{"openid":"o_bob"}`),
	}
	if want := []int{0, 45018, 40051, 45017, 0, 45016, 40050, 40051, 40050, 0, 0, 0, 40003, 40050, 40050}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v,\nwant     %v", codes, want)
	}
	counts := func() string {
		got, err := client.GetGroups(ctx, nil)
		if err != nil {
			t.Fatal(err)
		}
		var s []string
		for _, g := range got.Groups {
			s = append(s, fmt.Sprintf("%d:%d", g.ID, g.Count))
		}
		return strings.Join(s, " ")
	}
	if got := counts(); got != "0:1 1:0 2:1 100:1 101:0" {
		t.Errorf("counts %s", got)
	}
	if info, err := client.GetUserInfo(ctx, &wxapi.GetUserInfoRequest{OpenID: alice}); err != nil || info.GroupID != id {
		t.Errorf("user info %+v, %v", info, err)
	}
	w.push(alice, `{"MsgType":"event","Event":"unsubscribe"}`)
	w.push(alice, `{"MsgType":"event","Event":"subscribe"}`)
	if got := counts(); got != "0:2 1:0 2:1 100:0 101:0" {
		t.Errorf("after leaving and coming back: counts %s", got)
	}
}

// TestUserInfo: what is told of a follower, of one who left and of a stranger.
func TestUserInfo(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"event","Event":"subscribe","EventKey":"qrscene_98765","Ticket":"T"}`)
	w.push("o_bob", `{"MsgType":"event","Event":"subscribe","EventKey":"qrscene_shop"}`)
	info, err := w.client().GetUserInfo(t.Context(), &wxapi.GetUserInfoRequest{OpenID: alice})
	if err != nil || info.Subscribe != 1 || info.QRScene != 98765 || info.QRSceneStr != "" ||
		info.SubscribeTime != w.hand.now().Unix() || info.SubscribeScene != "ADD_SCENE_QR_CODE" || info.Language != "zh_CN" {
		t.Errorf("alice: %+v, %v", info, err)
	}
	if _, bob := w.api("GET", "/cgi-bin/user/info?openid=o_bob&lang=en", ""); bob["qr_scene_str"] != "shop" || bob["language"] != "en" {
		t.Errorf("bob: %v", bob)
	}
	w.push("o_bob", `{"MsgType":"event","Event":"unsubscribe"}`)
	if _, bob := w.api("GET", "/cgi-bin/user/info?openid=o_bob", ""); bob["subscribe"] != 0.0 || len(bob) != 2 {
		t.Errorf("bob has left: %v", bob)
	}
	for query, want := range map[string]int{"openid=o_nobody": 40003, "": 41009, "openid=" + alice + "&lang=tlh": 40035} {
		if code, _ := w.api("GET", "/cgi-bin/user/info?"+query, ""); code != want {
			t.Errorf("%q: errcode %d, want %d", query, code, want)
		}
	}
}

// TestUserList: pages in the order in which people came; the last one is empty.
func TestUserList(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.PageSize = 2 })
	w.listen(testAESKey, success)
	for _, openID := range []string{"o_c", "o_a", "o_b"} {
		w.push(openID, `{"MsgType":"event","Event":"subscribe"}`)
	}
	w.push("o_z", `{"MsgType":"event","Event":"TEMPLATESENDJOBFINISH","MsgID":"1"}`) // nobody comes by a job's result
	var got []string
	next := ""
	for range 3 {
		code, answer := w.api("GET", "/cgi-bin/user/get?next_openid="+next, "")
		if code != 0 || answer["total"] != 3.0 {
			t.Fatalf("answer %v", answer)
		}
		next, _ = answer["next_openid"].(string)
		data, ok := answer["data"].(map[string]any)
		if !ok {
			if answer["count"] != 0.0 || next != "" {
				t.Errorf("last page %v", answer)
			}
			break
		}
		got = append(got, fmt.Sprint(data["openid"]))
	}
	if want := []string{"[o_c o_a]", "[o_b]"}; !slices.Equal(got, want) {
		t.Errorf("pages %v, want %v", got, want)
	}
	if code, _ := w.api("GET", "/cgi-bin/user/get?next_openid=o_nobody", ""); code != 40003 {
		t.Errorf("unknown next_openid: %d", code)
	}
}
