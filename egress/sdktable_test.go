package egress

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// sdkFunction is a function of the PHP SDK this project grew out of: what it is
// here, and how it is driven. The README's table has the same functions.
type sdkFunction struct {
	name   string // as the SDK spells it
	verb   string // ours
	method string // of wxapi.Client
	// given makes what must be there before, and returns the data and the answer
	// that WeChat documents, as like reads it.
	given func(s *sdkStory) (data, want string)
	// then looks at what has come of it, where the answer doesn't tell.
	then func(s *sdkStory, answer map[string]any)
}

const okAnswer = `{"errcode":0,"errmsg":"ok"}`

var sdkFunctions = []sdkFunction{
	{"upload_media", "upload_media", "UploadMedia", func(*sdkStory) (string, string) {
		return uploadOf("image", pixel), `{"type":"image","media_id":"*","created_at":"*"}`
	}, nil},
	{"get_media", "get_media", "GetMedia", func(s *sdkStory) (string, string) {
		id := s.uploaded("image", pixel)
		return fmt.Sprintf(`{"media_id":%q}`, id),
			fmt.Sprintf(`{"media":{"dataref":"*","content_type":"image/png","size":"*","sha256":"*","filename":%q}}`, id+".png")
	}, func(s *sdkStory, answer map[string]any) {
		if file := s.object(answer["media"].(map[string]any)["dataref"].(string)); !strings.HasPrefix(string(file), "\x89PNG") {
			s.t.Errorf("the object store has %q", file)
		}
	}},

	{"send_custom_text_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return text(s.alice, "hi"), okAnswer
	}, seen("text", "vertraulich: hi")},
	{"send_custom_image_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return s.message("image", fmt.Sprintf(`{"media_id":%q}`, s.uploaded("image", pixel))), okAnswer
	}, seen("image", "[image ")},
	{"send_custom_voice_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return s.message("voice", fmt.Sprintf(`{"media_id":%q}`, s.uploaded("voice", "IyFBTVIK"))), okAnswer
	}, seen("voice", "[voice ")},
	{"send_custom_video_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return s.message("video", fmt.Sprintf(`{"media_id":%q,"title":"A cat","description":"that moves"}`, s.uploaded("video", "AAAAGGZ0eXBtcDQy"))), okAnswer
	}, seen("video", "A cat [video ")},
	{"send_custom_music_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return s.message("music", fmt.Sprintf(`{"title":"Song","description":"of the day","musicurl":"https://shop.example.com/a.mp3","hqmusicurl":"https://shop.example.com/b.mp3","thumb_media_id":%q}`,
			s.uploaded("thumb", "/9j/2Q=="))), okAnswer
	}, seen("music", "Song [music https://shop.example.com/a.mp3]")},
	{"send_custom_news_message", "send_custom_message", "SendCustomMessage", func(s *sdkStory) (string, string) {
		return s.message("news", `{"articles":[{"title":"Sale","description":"today","url":"https://shop.example.com/sale","picurl":"https://shop.example.com/sale.jpg"}]}`), okAnswer
	}, seen("news", "Sale [news https://shop.example.com/sale]")},

	{"get_groups", "get_groups", "GetGroups", func(s *sdkStory) (string, string) {
		return `{}`, fmt.Sprintf(`{"groups":[{"id":0,"name":"未分组"},{"id":1,"name":"黑名单"},{"id":2,"name":"星标组"},{"id":%d,"name":"a group","count":0}]}`, s.group())
	}, nil},
	{"create_group", "create_group", "CreateGroup", func(*sdkStory) (string, string) {
		return `{"group":{"name":"friends"}}`, `{"group":{"id":"*","name":"friends"}}`
	}, nil},
	{"update_group", "update_group", "UpdateGroup", func(s *sdkStory) (string, string) {
		s.id = s.group()
		return fmt.Sprintf(`{"group":{"id":%d,"name":"renamed"}}`, s.id), okAnswer
	}, func(s *sdkStory, _ map[string]any) {
		s.now("get_groups", `{}`, fmt.Sprintf(`{"groups":[{"id":%d,"name":"renamed"}]}`, s.id))
	}},
	{"update_group_of_user", "update_group_of_user", "UpdateGroupOfUser", func(s *sdkStory) (string, string) {
		s.id = s.group()
		return fmt.Sprintf(`{"openid":%q,"to_groupid":%d}`, s.alice, s.id), okAnswer
	}, func(s *sdkStory, _ map[string]any) {
		s.now("get_user_info", userInfo(s.alice), fmt.Sprintf(`{"groupid":%d}`, s.id))
	}},

	{"get_user_info", "get_user_info", "GetUserInfo", func(s *sdkStory) (string, string) {
		return fmt.Sprintf(`{"openid":%q,"lang":"en"}`, s.alice), fmt.Sprintf(`{"subscribe":1,"openid":%q,"language":"en","subscribe_time":"*"}`, s.alice)
	}, nil},
	{"get_user_list", "get_user_list", "GetUserList", func(s *sdkStory) (string, string) {
		return fmt.Sprintf(`{"next_openid":%q}`, s.alice), fmt.Sprintf(`{"total":2,"count":1,"data":{"openid":[%q]},"next_openid":%[1]q}`, s.bob)
	}, nil},

	{"get_oauth_authorize_url", "get_oauth_authorize_url", "GetOAuthAuthorizeURL", func(*sdkStory) (string, string) {
		return `{"redirect_uri":"https://shop.example.com/back?a=1","scope":"snsapi_userinfo","state":"123"}`,
			`{"url":"https://open.weixin.qq.com/connect/oauth2/authorize?appid=` + testApp +
				`&redirect_uri=https%3A%2F%2Fshop.example.com%2Fback%3Fa%3D1&response_type=code&scope=snsapi_userinfo&state=123#wechat_redirect"}`
	}, nil},
	{"get_OAuth_access_token", "get_oauth_access_token", "GetOAuthAccessToken", func(s *sdkStory) (string, string) {
		return fmt.Sprintf(`{"code":%q}`, s.secret(s.code())), s.granted()
	}, nil},
	{"refresh_OAuth_access_token", "refresh_oauth_access_token", "RefreshOAuthAccessToken", func(s *sdkStory) (string, string) {
		return fmt.Sprintf(`{"refresh_token":%q}`, s.secret(s.token().RefreshToken)), s.granted()
	}, nil},
	{"get_snsapi_userinfo", "get_snsapi_userinfo", "GetSnsapiUserinfo", func(s *sdkStory) (string, string) {
		return fmt.Sprintf(`{"access_token":%q,"openid":%q}`, s.secret(s.token().AccessToken), s.alice), fmt.Sprintf(`{"openid":%q,"nickname":"微信用户"}`, s.alice)
	}, nil},

	{"create_menu", "create_menu", "CreateMenu", func(*sdkStory) (string, string) { return menu, okAnswer }, func(s *sdkStory, _ map[string]any) {
		s.now("get_menu", `{}`, `{"menu":`+menu+`}`)
	}},
	{"delete_menu", "delete_menu", "DeleteMenu", func(s *sdkStory) (string, string) {
		s.now("create_menu", menu, okAnswer)
		return `{}`, okAnswer
	}, func(s *sdkStory, _ map[string]any) {
		if left := s.now("get_menu", `{}`, `{}`); left["menu"] != nil {
			s.t.Errorf("the menu is still there: %v", left)
		}
	}},
	{"get_menu", "get_menu", "GetMenu", func(s *sdkStory) (string, string) {
		s.now("create_menu", menu, okAnswer)
		return `{}`, `{"menu":` + menu + `}`
	}, nil},

	{"get_qr_code_forever", "create_qr_code", "CreateQRCode", func(*sdkStory) (string, string) {
		return `{"action_name":"QR_LIMIT_SCENE","action_info":{"scene":{"scene_id":100000}}}`, `{"ticket":"*","url":"*"}`
	}, func(s *sdkStory, answer map[string]any) {
		if answer["expire_seconds"] != nil {
			s.t.Errorf("a code for ever ends: %v", answer)
		}
	}},
	{"get_qr_code_temporary", "create_qr_code", "CreateQRCode", func(*sdkStory) (string, string) {
		return `{"expire_seconds":2592000,"action_name":"QR_SCENE","action_info":{"scene":{"scene_id":4294967295}}}`, `{"ticket":"*","url":"*","expire_seconds":2592000}`
	}, nil},
	{"get_qr_code_url", "get_qr_code_url", "GetQRCodeURL", func(s *sdkStory) (string, string) {
		code := s.now("create_qr_code", `{"action_name":"QR_LIMIT_STR_SCENE","action_info":{"scene":{"scene_str":"door"}}}`, `{"ticket":"*"}`)
		return fmt.Sprintf(`{"ticket":%q}`, code["ticket"]), fmt.Sprintf(`{"url":%q}`, s.url+"/cgi-bin/showqrcode?ticket="+url.QueryEscape(code["ticket"].(string)))
	}, func(s *sdkStory, answer map[string]any) {
		resp, err := http.Get(answer["url"].(string))
		if err != nil {
			s.t.Fatal(err)
		}
		defer resp.Body.Close()
		if kind := resp.Header.Get("Content-Type"); !strings.HasPrefix(kind, "image/") {
			s.t.Errorf("behind the URL is %s %s", resp.Status, kind)
		}
	}},
}

const menu = `{"button":[{"type":"click","name":"今日歌曲","key":"SONG"},{"name":"菜单","sub_button":[{"type":"view","name":"搜索","url":"https://shop.example.com/?a=1&b=2"}]}]}`

// Every function of the original SDK does its work as a command and as a call;
// those that carry credentials are refused as a command, and leave no trace of
// them.
func TestEveryFunctionOfTheSDK(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	s := &sdkStory{world: w, alice: w.follower("alice"), bob: w.follower("bob")}
	for _, f := range sdkFunctions {
		row, known := wxapi.Lookup(f.verb)
		if !known {
			t.Errorf("%s: no verb %s", f.name, f.verb)
			continue
		}
		s.road = "wx.cmd." + f.verb + " for " + f.name
		data, want := f.given(s)
		before := w.calls(f.verb)
		w.bare(f.verb, f.name, data)
		if row.CallOnly {
			s.refused(f, before)
		} else {
			s.done(f, row, w.ends(f.name, events.ResultDone), want, before)
		}

		s.road = "wx.call." + f.verb + " for " + f.name
		data, want = f.given(s)
		before = w.calls(f.verb)
		r, _ := w.ask(f.verb, data)
		s.done(f, row, r, want, before)
	}
}

// sdkStory is a world in which the functions are driven one after the other.
type sdkStory struct {
	*world
	alice, bob string   // followers who have written, in this order
	road       string   // what is driven just now, for errors
	id         int64    // of the group it is about
	secrets    []string // credentials that were given out
}

// done checks what became of a function that must do its work.
func (s *sdkStory) done(f sdkFunction, row *wxapi.Row, r events.Result, want string, before int) {
	s.t.Helper()
	requests := 1
	if row.Body == wxapi.Local {
		requests = 0
	}
	if r.Outcome != events.ResultDone || r.ErrCode != 0 || r.Class != "" || r.Attempts != requests || s.calls(f.verb) != before+requests {
		s.t.Errorf("%s: %+v %s", s.road, r, r.Response)
		return
	}
	answer := s.like(r.Response, want)
	if f.then != nil && !s.t.Failed() {
		f.then(s, answer)
	}
}

// refused checks what became of a command that carries credentials.
func (s *sdkStory) refused(f sdkFunction, before int) {
	s.t.Helper()
	r, result := s.result(f.name + ".res")
	letter, dead := s.letter(f.name + ".res")
	if r.Outcome != events.ResultRejected || r.Class != "call_only" || r.Attempts != 0 || !strings.Contains(r.ErrMsg, "wx.call") {
		s.t.Errorf("%s: %+v", s.road, r)
	}
	if letter.Class != "call_only" || letter.Body != "" || letter.BodyBase64 != nil || letter.Subject == "" {
		s.t.Errorf("%s: dead letter %+v", s.road, letter)
	}
	if n := s.calls(f.verb) - before; n != 0 {
		s.t.Errorf("%s: %d calls", s.road, n)
	}
	for _, p := range []published{result, dead} {
		for _, secret := range s.secrets {
			if whole := p.Event.String() + fmt.Sprint(p.Header); strings.Contains(whole, secret) {
				s.t.Errorf("%s: a credential rests in %s: %s", s.road, p.Subject, whole)
			}
		}
	}
}

// now is a call beside the one that is driven; it must be answered as wanted.
func (s *sdkStory) now(verb, data, want string) map[string]any {
	s.t.Helper()
	r, m := s.ask(verb, data)
	if r.Outcome != events.ResultDone {
		s.t.Fatalf("%s: beside it, %s: %s", s.road, verb, m.Data)
	}
	return s.like(r.Response, want)
}

// like compares an answer with what is wanted of it: "*" is anything but
// nothing, objects may have more keys, lists more elements.
func (s *sdkStory) like(answer []byte, want string) map[string]any {
	s.t.Helper()
	var got, wanted map[string]any
	decodeInto(s.t, answer, &got)
	decodeInto(s.t, []byte(want), &wanted)
	if !resembles(got, wanted) {
		s.t.Errorf("%s: answered %s, not %s", s.road, answer, want)
	}
	return got
}

func resembles(got, want any) bool {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		for key := range want {
			ok = ok && resembles(object[key], want[key])
		}
		return ok
	case []any:
		list, ok := got.([]any)
		for _, one := range want {
			ok = ok && slices.ContainsFunc(list, func(element any) bool { return resembles(element, one) })
		}
		return ok
	case string:
		if want == "*" {
			return got != nil && !reflect.ValueOf(got).IsZero()
		}
	}
	return reflect.DeepEqual(got, want)
}

// uploadOf is a file that travels although it did so before.
func uploadOf(typ, base64 string) string {
	return fmt.Sprintf(`{"type":%q,"media":{"base64":%q},"fresh":true}`, typ, base64)
}

func (s *sdkStory) uploaded(typ, base64 string) (mediaID string) {
	s.t.Helper()
	return s.now("upload_media", uploadOf(typ, base64), `{"media_id":"*"}`)["media_id"].(string)
}

func (s *sdkStory) message(typ, object string) string {
	return fmt.Sprintf(`{"touser":%q,"msgtype":%q,%[2]q:%s}`, s.alice, typ, object)
}

// seen looks at what Alice was sent last.
func seen(msgtype, begins string) func(*sdkStory, map[string]any) {
	return func(s *sdkStory, _ map[string]any) {
		inbox := s.sim.Inbox(s.alice)
		last := inbox[len(inbox)-1]
		var message struct {
			MsgType string `json:"msgtype"`
		}
		if err := json.Unmarshal(last.Message, &message); err != nil || message.MsgType != msgtype || !strings.HasPrefix(last.Text, begins) {
			s.t.Errorf("%s: Alice has seen %s %s", s.road, last.Text, last.Message)
		}
	}
}

func (s *sdkStory) group() int64 {
	s.t.Helper()
	made := s.now("create_group", `{"group":{"name":"a group"}}`, `{"group":{"id":"*"}}`)
	return int64(made["group"].(map[string]any)["id"].(float64))
}

// code is what WeChat sends Alice's browser back with.
func (s *sdkStory) code() string {
	s.t.Helper()
	code, err := s.sim.Authorize(s.alice, "snsapi_userinfo")
	if err != nil {
		s.t.Fatal(err)
	}
	return code
}

func (s *sdkStory) token() (token wxapi.OAuthToken) {
	s.t.Helper()
	r, _ := s.ask("get_oauth_access_token", fmt.Sprintf(`{"code":%q}`, s.code()))
	decodeInto(s.t, r.Response, &token)
	return token
}

func (s *sdkStory) granted() string {
	return fmt.Sprintf(`{"access_token":"*","expires_in":"*","refresh_token":"*","openid":%q,"scope":"snsapi_userinfo"}`, s.alice)
}

// secret remembers what must not be found in any stream.
func (s *sdkStory) secret(credential string) string {
	s.secrets = append(s.secrets, credential)
	return credential
}

// callbacks are the SDK's functions that call no API: here the ingress checks,
// and passive replies are replies on the bus.
var callbacks = []string{
	"new WxSDK", "valid_token", "send_callback_text_message", "send_callback_image_message", "send_callback_voice_message",
	"send_callback_video_message", "send_callback_music_message", "send_callback_news_message",
}

// The README's table has each function of the SDK once, with its verb and its Go
// call, and each Go call has an example.
func TestSDKTableOfTheREADME(t *testing.T) {
	t.Parallel()
	told := readmeTable(t)
	examples := examplesOf(t)
	for _, f := range sdkFunctions {
		cells, found := told[f.name]
		if !found {
			t.Errorf("the README lacks %s", f.name)
			continue
		}
		delete(told, f.name)
		if cells[0] != "`"+f.verb+"`" || !strings.HasPrefix(cells[1], "`client."+f.method+"`") {
			t.Errorf("the README says that %s is %s and %s, not %s and client.%s", f.name, cells[0], cells[1], f.verb, f.method)
		}
		for _, call := range goCalls.FindAllStringSubmatch(cells[1], -1) {
			if _, known := clientType.MethodByName(call[1]); !known {
				t.Errorf("%s: the README says client.%s, which there is not", f.name, call[1])
			}
			if !slices.Contains(examples, call[1]) {
				t.Errorf("%s: no example of client.%s", f.name, call[1])
			}
		}
		row, _ := wxapi.Lookup(f.verb)
		if m, known := clientType.MethodByName(f.method); !known || row == nil || m.Type.In(2) != reflect.PointerTo(row.Request) {
			t.Errorf("client.%s is not the verb %s", f.method, f.verb)
		}
		if meant := wxapi.Nearest(f.name); meant != f.verb {
			t.Errorf("who asks for %s is pointed to %q", f.name, meant)
		}
	}
	for _, name := range callbacks {
		if cells, found := told[name]; !found || strings.Contains(cells[1], "`client.") {
			t.Errorf("the README about %s: %q", name, cells)
		}
		delete(told, name)
	}
	for name := range told {
		t.Errorf("the README has %s, which no test drives", name)
	}
}

var (
	clientType = reflect.TypeFor[*wxapi.Client]()
	goCalls    = regexp.MustCompile("`client\\.(\\w+)`")
	quoted     = regexp.MustCompile("`([^`]+)`")
	example    = regexp.MustCompile(`(?m)^func ExampleClient_([A-Z]\w*?)(_[a-z]\w*)?\(\)`)
)

// readmeTable reads the table of functions: the cells after the first, by the
// functions that the first names. a_{b,c} is two functions.
func readmeTable(t *testing.T) map[string][]string {
	t.Helper()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, found := strings.Cut(string(readme), "\n| their function | our verb | Go call | what differs |\n|---|---|---|---|\n")
	if !found {
		t.Fatal("the README has no table of the SDK's functions")
	}
	table, _, _ = strings.Cut(table, "\n\n")
	told := map[string][]string{}
	for line := range strings.Lines(table) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		if len(cells) != 4 {
			t.Fatalf("%d cells: %s", len(cells), line)
		}
		for _, function := range quoted.FindAllStringSubmatch(cells[0], -1) {
			before, choice, _ := strings.Cut(function[1], "{")
			choice, after, _ := strings.Cut(choice, "}")
			for _, one := range strings.Split(choice, ",") {
				name := before + one + after
				if told[name] != nil {
					t.Errorf("the README has %s twice", name)
				}
				told[name] = cells[1:]
			}
		}
	}
	return told
}

// examplesOf lists the methods of wxapi.Client that have an example.
func examplesOf(t *testing.T) (methods []string) {
	t.Helper()
	source, err := os.ReadFile("../wxapi/example_sdk_test.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, found := range example.FindAllSubmatch(source, -1) {
		methods = append(methods, string(found[1]))
	}
	return methods
}
