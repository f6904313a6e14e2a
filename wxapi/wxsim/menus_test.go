package wxsim

import (
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

const clickButton = `{"type":"click","name":"n","key":"k"}`

func buttons(list ...string) string { return `{"button":[` + strings.Join(list, ",") + `]}` }

// TestMenuMistakes: each earns WeChat's own errcode.
func TestMenuMistakes(t *testing.T) {
	w := newWorld(t, nil)
	sub := func(b string) string { return buttons(`{"name":"n","sub_button":[` + b + `]}`) }
	five := strings.Repeat(clickButton+",", 5)
	for body, want := range map[string]int{
		buttons(): 40016,
		buttons(clickButton, clickButton, clickButton, clickButton):                            40016,
		buttons(`{"type":"click","key":"k"}`):                                                  40018,
		buttons(`{"type":"click","name":"四个汉字多了","key":"k"}`):                                  40018,
		buttons(`{"name":"","sub_button":[` + clickButton + `]}`):                              40018,
		buttons(`{"type":"dance","name":"n"}`):                                                 40017,
		buttons(`{"name":"n"}`):                                                                40017,
		buttons(`{"type":"click","name":"n"}`):                                                 40019,
		buttons(`{"type":"pic_weixin","name":"n","key":"` + strings.Repeat("k", 129) + `"}`):   40019,
		buttons(`{"type":"view","name":"n"}`):                                                  40020,
		buttons(`{"type":"view","name":"n","url":"ftp://a"}`):                                  40055,
		buttons(`{"type":"miniprogram","name":"n","url":"http://a","pagepath":"p"}`):           40013,
		buttons(`{"type":"miniprogram","name":"n","url":"http://a","appid":"a"}`):              40165,
		buttons(`{"type":"miniprogram","name":"n"}`):                                           40020,
		buttons(`{"type":"media_id","name":"n"}`):                                              40117,
		buttons(`{"type":"article_id","name":"n"}`):                                            47003,
		sub(five + clickButton):                                                                40023,
		sub(`{"type":"dance","name":"n"}`):                                                     40024,
		sub(`{"type":"click","name":"` + strings.Repeat("n", 61) + `","key":"k"}`):             40025,
		sub(`{"type":"click","name":"n"}`):                                                     40026,
		sub(`{"type":"view","name":"n","url":"http://` + strings.Repeat("u", 1024) + `"}`):     40027,
		sub(`{"type":"view","name":"n","url":"nowhere"}`):                                      40054,
		sub(`{"type":"view_limited","name":"n"}`):                                              40118,
		sub(`{"name":"n","sub_button":[` + clickButton + `]}`):                                 40022,
		buttons(`{"type":"view","name":"n","url":"http://a/?a=1\u0026b=2"}`):                   40033,
		buttons(`{"type":"click","name":"n","key":"a\\\u0041"}`):                               40033,
		buttons(`{"type":"click","name":"n","key":"a\\u0041"}`):                                0,
		buttons(clickButton, `{"name":"n","sub_button":[`+strings.TrimSuffix(five, ",")+`]}`):  0,
		buttons(`{"type":"article_view_limited","name":"n","article_id":"a","sub_button":[]}`): 0,
		buttons(`{"type":1}`):                                                                  47001,
	} {
		if got := w.post("menu/create", body); got != want {
			t.Errorf("%.100s: errcode %d, want %d", body, got, want)
		}
	}
}

// TestMenus: what is made is read back, in both shapes.
func TestMenus(t *testing.T) {
	w := newWorld(t, nil)
	client, ctx := w.client(), t.Context()
	if code, _ := w.api("GET", "/cgi-bin/menu/get", ""); code != 46003 {
		t.Errorf("no menu: %d", code)
	}
	if none, err := client.GetMenu(ctx, nil); err != nil || none.Menu != nil {
		t.Errorf("no menu: %+v, %v", none, err)
	}
	if closed, err := client.GetCurrentMenu(ctx, nil); err != nil || closed.IsMenuOpen != 0 || closed.SelfMenuInfo.Button != nil {
		t.Errorf("no menu: %+v, %v", closed, err)
	}
	made := &wxapi.CreateMenuRequest{Button: []wxapi.Button{
		{Type: "click", Name: "今日歌曲", Key: "V1001"},
		{Name: "菜单", SubButton: []wxapi.SubButton{
			{Type: "view", Name: "搜索", URL: "http://www.example.com/?a=1&b=2"},
			{Type: "miniprogram", Name: "wxa", URL: "http://mp.weixin.qq.com", AppID: "wx286b93c14bbf93aa", PagePath: "pages/lunar/index"},
		}},
	}}
	if _, err := client.CreateMenu(ctx, made); err != nil {
		t.Fatal(err)
	}
	_, text := w.do("GET", "/cgi-bin/menu/get?access_token="+w.token(), "")
	want := `{"menu":{"button":[{"type":"click","name":"今日歌曲","key":"V1001","sub_button":[]},{"name":"菜单","sub_button":[` +
		`{"type":"view","name":"搜索","url":"http://www.example.com/?a=1&b=2","sub_button":[]},` +
		`{"type":"miniprogram","name":"wxa","url":"http://mp.weixin.qq.com","appid":"wx286b93c14bbf93aa","pagepath":"pages/lunar/index","sub_button":[]}]}]}}`
	if strings.TrimSpace(text) != want {
		t.Errorf("read back\n%s\nwant\n%s", text, want)
	}
	read, err := client.GetMenu(ctx, nil)
	if err != nil || read.Menu == nil {
		t.Fatalf("%+v, %v", read, err)
	}
	if _, err := client.CreateMenu(ctx, &wxapi.CreateMenuRequest{Button: read.Menu.Button}); err != nil {
		t.Errorf("what was read can't be made: %v", err)
	}
	current, err := client.GetCurrentMenu(ctx, nil)
	if err != nil || current.IsMenuOpen != 1 || current.SelfMenuInfo.Button[0].Key != "V1001" || current.SelfMenuInfo.Button[0].SubButton != nil ||
		len(current.SelfMenuInfo.Button[1].SubButton.List) != 2 {
		t.Errorf("%+v, %v", current, err)
	}
	if _, err := client.DeleteMenu(ctx, nil); err != nil {
		t.Error(err)
	}
	if code, _ := w.api("GET", "/cgi-bin/menu/get", ""); code != 46003 {
		t.Errorf("after delete: %d", code)
	}
}

// TestConditionalMenus: the newest that fits is shown.
func TestConditionalMenus(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.follow(alice, "o_bob")
	client, ctx := w.client(), t.Context()
	entry := func(name string) []wxapi.Button { return []wxapi.Button{{Type: "click", Name: name, Key: name}} }
	add := func(body string) int { return w.post("menu/addconditional", body) }
	rule := func(rule string) string { return `{"button":[` + clickButton + `],"matchrule":` + rule + `}` }
	if code := add(rule(`{"tag_id":"2"}`)); code != 65303 {
		t.Errorf("no default menu: %d", code)
	}
	if _, err := client.CreateMenu(ctx, &wxapi.CreateMenuRequest{Button: entry("all")}); err != nil {
		t.Fatal(err)
	}
	if _, err := client.TagUsers(ctx, &wxapi.TagUsersRequest{OpenIDList: []string{alice}, TagID: 2}); err != nil {
		t.Fatal(err)
	}
	shown := func(openID string) string {
		got, err := client.MatchMenu(ctx, &wxapi.MatchMenuRequest{UserID: openID})
		if err != nil {
			t.Fatal(err)
		}
		return got.Button[0].Name
	}
	ids := []string{}
	for name, rule := range map[string]wxapi.MatchRule{"android": {ClientPlatformType: "2"}, "star": {TagID: "2", Language: "zh_CN"}} {
		made, err := client.CreateConditionalMenu(ctx, &wxapi.CreateConditionalMenuRequest{Button: entry(name), MatchRule: rule})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, made.MenuID)
	}
	if a, b := shown(alice), shown("o_bob"); a != "star" || b != "all" {
		t.Errorf("alice sees %s, bob %s", a, b)
	}
	newest, err := client.CreateConditionalMenu(ctx, &wxapi.CreateConditionalMenuRequest{Button: entry("newest"), MatchRule: wxapi.MatchRule{TagID: "2"}})
	if err != nil || shown(alice) != "newest" {
		t.Errorf("alice sees %s, %v", shown(alice), err)
	}
	read, err := client.GetMenu(ctx, nil)
	if err != nil || len(read.ConditionalMenu) != 3 || read.Menu.MenuID == 0 || fmt.Sprint(read.ConditionalMenu[0].MenuID) != newest.MenuID ||
		read.ConditionalMenu[0].MatchRule.GroupID != 2 {
		t.Errorf("%+v, %v", read, err)
	}
	view := func(host string) string {
		return `{"button":[{"type":"view","name":"n","url":"http://` + host + `/"}],"matchrule":{"client_platform_type":3}}`
	}
	for body, want := range map[string]int{
		rule(`{}`): 65304, rule(`{"tag_id":""}`): 65304, rule(`{"tag_id":"two"}`): 47001, `{"button":[],"matchrule":{"tag_id":"2"}}`: 40016,
		strings.ReplaceAll(rule(`{"tag_id":"2"}`), "n\"", "\\u006e\""): 40033,
	} {
		if got := add(body); got != want {
			t.Errorf("%s: errcode %d, want %d", body, got, want)
		}
	}
	for i, want := range []int{0, 0, 0, 65316} {
		if got := add(view(fmt.Sprint(i, ".example"))); got != want {
			t.Errorf("host %d: errcode %d, want %d", i, got, want)
		}
	}
	if _, err := client.DeleteConditionalMenu(ctx, &wxapi.DeleteConditionalMenuRequest{MenuID: newest.MenuID}); err != nil || shown(alice) != "star" {
		t.Errorf("alice sees %s, %v", shown(alice), err)
	}
	for _, body := range []string{`{"menuid":"` + newest.MenuID + `"}`, `{"menuid":"x"}`, `{}`} {
		if got := w.post("menu/delconditional", body); got != 65301 {
			t.Errorf("delete %s: errcode %d", body, got)
		}
	}
	if got := w.post("menu/trymatch", `{"user_id":"o_nobody"}`); got != 65302 {
		t.Errorf("unknown user: %d", got)
	}
	if _, err := client.DeleteMenu(ctx, nil); err != nil {
		t.Error(err)
	}
	if got := w.post("menu/delconditional", `{"menuid":"`+ids[0]+`"}`); got != 65301 {
		t.Errorf("delete_menu left personalised ones: %d", got)
	}
	if got := w.post("menu/trymatch", `{"user_id":"o_alice"}`); got != 46003 {
		t.Errorf("no menu: %d", got)
	}
	w.post("menu/create", buttons(clickButton))
	for i := range 101 {
		if got := add(rule(`{"tag_id":2}`)); (got != 0) != (i == 100) || got != 0 && got != 65305 {
			t.Errorf("menu %d: errcode %d", i, got)
		}
	}
}
