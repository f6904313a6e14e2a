package wxapi_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// Data of these verbs that WeChat would refuse is refused before it is sent,
// with the path and the limit.
func TestLimitsOfPublishing(t *testing.T) {
	article := func(more string) string { return `{"title":"T","content":"C","thumb_media_id":"M"` + more + `}` }
	long := strings.Repeat("好", 33)
	for _, test := range []struct{ verb, data, path, problem string }{
		{"send_typing", `{"touser":"o","command":"typing"}`, "command", `did you mean "Typing"?`},
		{"send_template_message", `{"touser":"o","template_id":"T","data":[]}`, "data", "is empty"},
		{"send_template_message", `{"touser":"o","template_id":"T","data":"x"}`, "data", "must be an object"},
		{"send_template_message", `{"touser":"o","template_id":"T","data":{"first":"hi"}}`, "data.first", `such as {"value":"…"}`},
		{"send_template_message", `{"touser":"o","template_id":"T","data":{"first":{"color":"#fff"}}}`, "data.first.value", "must be a string"},
		{"send_template_message", `{"touser":"o","template_id":"T","data":{"first":{"value":[]}}}`, "data.first.value", "must be a string"},
		{"send_template_message", `{"touser":"o","template_id":"T","data":{"first.DATA}}":{"value":"x"}}}`, "data.first.DATA}}", "the name alone"},
		{"send_template_message", `{"touser":"o","template_id":"T","data":{},"miniprogram":{}}`, "miniprogram.appid", "is missing"},
		{"send_subscribe_message", `{"touser":"o","template_id":"T","data":{"thing1":"hi"}}`, "data.thing1", "must be an object"},
		{"add_subscribe_template", `{"tid":"401","kidList":[1]}`, "kidList", "at least 2"},
		{"add_subscribe_template", `{"tid":"401","kidList":[1,2,3,4,5,6]}`, "kidList", "at most 5"},
		{"add_subscribe_template", `{"tid":"401","kidList":[1,2],"sceneDesc":"` + long + `"}`, "sceneDesc", "at most 15"},
		{"get_subscribe_template_titles", `{"ids":"2","limit":31}`, "limit", "1 to 30"},
		{"send_one_time_message", `{"touser":"o","template_id":"T","scene":"1","title":"` + long + `","data":{"content":{"value":"v"}}}`, "title", "at most 15"},
		{"add_material", `{"type":"video","media":{"base64":"AAAADGZ0eXBtcDQy"}}`, "description", "a video needs it"},
		{"add_material", `{"type":"image","media":{"base64":"/9j/2Q=="},"description":{"title":"T"}}`, "description", "is for videos"},
		{"add_material", `{"type":"video","media":{"base64":"AAAADGZ0eXBtcDQy"},"description":{}}`, "description.title", "is missing"},
		{"add_material", `{"type":"voice","filename":"a.flac","media":{"base64":"AAAA"}}`, "filename", ".wma"},
		{"upload_article_image", `{"media":{"base64":"R0lGODlh"}}`, "media.base64", "is a .gif file"},
		{"upload_kf_headimg", `{"kf_account":"a","media":{"base64":"/9j/2Q=="}}`, "kf_account", "such as test1@test"},
		{"batch_get_material", `{"type":"image","offset":0,"count":21}`, "count", "is 21, it must be 1 to 20"},
		{"batch_get_draft", `{"offset":-1,"count":20}`, "offset", "is -1"},
		{"batch_get_published_article", `{"offset":0}`, "count", "is missing"},
		{"add_draft", `{"articles":[` + strings.Repeat(article("")+",", 8) + article("") + `]}`, "articles", "at most 8"},
		{"add_draft", `{"articles":[{"title":"T","content":"C"}]}`, "articles[0].thumb_media_id", "needs a cover"},
		{"add_draft", `{"articles":[` + article("") + `,{"article_type":"newspic","title":"T","content":"C"}]}`, "articles[1].image_info", "a newspic needs it"},
		{"add_draft", `{"articles":[{"title":"` + long + `"}]}`, "articles[0].title", "33 characters, at most 32"},
		{"add_draft", `{"articles":[` + article(`,"author":"`+long+`"`) + `]}`, "articles[0].author", "at most 16"},
		{"add_draft", `{"articles":[` + article(`,"digest":"`+strings.Repeat("x", 129)+`"`) + `]}`, "articles[0].digest", "at most 128"},
		{"add_draft", `{"articles":[{"title":"T","content":"` + strings.Repeat("好", 20001) + `"}]}`, "articles[0].content", "at most 20000"},
		{"update_draft", `{"media_id":"M","index":8,"articles":` + article("") + `}`, "index", "0 to 7"},
		{"update_draft", `{"media_id":"M","index":0,"articles":{"title":"T","content":"C"}}`, "articles.thumb_media_id", "is missing"},
		{"send_mass_message", `{"filter":{},"msgtype":"text","text":{"content":"hi"}}`, "filter.tag_id", "is missing"},
		{"send_mass_message", `{"filter":{"is_to_all":true,"tag_id":2},"msgtype":"text","text":{"content":"hi"}}`, "filter.tag_id", "contradicts"},
		{"send_mass_message", `{"filter":{"is_to_all":true},"msgtype":"image"}`, "images", "is missing: the type is image"},
		{"send_mass_message", `{"filter":{"is_to_all":true},"msgtype":"news"}`, "msgtype", "known are mpnews, text"},
		{"send_mass_message", `{"filter":{"is_to_all":true},"clientmsgid":"` + strings.Repeat("x", 65) + `"}`, "clientmsgid", "at most 64"},
		{"send_mass_message_to_users", `{"touser":["o"],"msgtype":"text","text":{"content":"hi"}}`, "touser", "at least 2"},
		{"send_mass_message_to_users", `{"touser":["o","a b"],"msgtype":"text","text":{"content":"hi"}}`, "touser[1]", "not an OpenID"},
		{"send_mass_message_to_users", `{"touser":["o"` + strings.Repeat(`,"o"`, 10_000) + `]}`, "touser", "at most 10000"},
		{"preview_mass_message", `{"msgtype":"text","text":{"content":"hi"}}`, "touser", "towxname"},
		{"preview_mass_message", `{"towxname":"w","msgtype":"voice"}`, "voice", "is missing"},
		{"delete_mass_message", `{"article_idx":1}`, "msg_id", "is missing"},
		{"set_mass_speed", `{"speed":5}`, "speed", "known are 0, 1, 2, 3, 4"},
		{"add_kf_account", `{"kf_account":"averylongname@test","nickname":"n"}`, "kf_account", "1 to 10 letters"},
		{"add_kf_account", `{"kf_account":"a@test","nickname":"` + long + `"}`, "nickname", "at most 16"},
		{"get_kf_messages", `{"starttime":1,"endtime":86402,"msgid":1,"number":1}`, "endtime", "at most 86400"},
		{"get_kf_messages", `{"starttime":2,"endtime":1,"msgid":1,"number":1}`, "endtime", "before"},
		{"get_kf_messages", `{"starttime":1,"endtime":2,"msgid":1,"number":10001}`, "number", "1 to 10000"},
		{"get_api_quota", `{"cgi_path":"https://api.weixin.qq.com/cgi-bin/user/get"}`, "cgi_path", "a path alone"},
		{"clear_api_quota", `{"cgi_path":"/cgi-bin/user/get?a=b"}`, "cgi_path", "a path alone"},
		{"clear_quota", `{"appid":"wx1"}`, "appid", "configuration"},
		{"get_comments", `{"msg_data_id":1,"count":50}`, "count", "1 to 49"},
		{"get_comments", `{"msg_data_id":1,"count":49,"begin":-1}`, "begin", "is -1"},
		{"get_comments", `{"msg_data_id":1,"count":49,"type":3}`, "type", "known are 0, 1, 2"},
		{"get_comments", `{"msg_data_id":1,"count":49,"index":8}`, "index", "0 to 7"},
		{"reply_comment", `{"msg_data_id":1,"index":-1,"user_comment_id":1,"content":"c"}`, "index", "0 to 7"},
		{"delete_published_article", `{"article_id":"A","index":9}`, "index", "0 to 8"},
		{"delete_mass_message", `{"msg_id":1,"article_idx":9}`, "article_idx", "0 to 8"},
		{"batch_get_draft", `{"offset":0,"count":20,"no_content":2}`, "no_content", "known are 0, 1"},
		{"get_subscribe_template_titles", `{"ids":"2","start":-1,"limit":30}`, "start", "is -1"},
		{"send_one_time_message", `{"touser":"o","template_id":"T","scene":"10001","title":"t","data":{"content":{"value":"v"}}}`, "scene", "0 to 10000"},
		{"get_comments", `{"msg_data_id":1.5,"count":49}`, "msg_data_id", "whole number"},
		{"get_mass_message_status", `{"msg_id":"12x"}`, "msg_id", "must be a number"},
		{"get_mass_message_status", `{"msg_id":true}`, "msg_id", "must be a number"},
		{"get_publish_status", `{"publish_id":{}}`, "publish_id", "must be a string"},
	} {
		row, there := wxapi.Lookup(test.verb)
		if !there {
			t.Errorf("no verb %s", test.verb)
			continue
		}
		_, err := row.Check([]byte(test.data))
		refused, isRequest := errors.AsType[*wxapi.RequestError](err)
		if !isRequest || refused.Path != test.path || !strings.Contains(refused.Problem, test.problem) {
			t.Errorf("%s %.100s: %v", test.verb, test.data, err)
		}
	}
}

// What is just within the limits passes, also an id in the other spelling.
func TestWithinLimitsOfPublishing(t *testing.T) {
	for verb, data := range map[string]string{
		"send_template_message":      `{"touser":"o","template_id":"T","data":{"n":{"value":1}}}`,
		"add_draft":                  `{"articles":[{"title":"` + strings.Repeat("好", 32) + `","content":"` + strings.Repeat("好", 20000) + `","thumb_media_id":"M"}]}`,
		"update_draft":               `{"media_id":"M","index":0,"articles":{"article_type":"newspic","title":"T","content":"C","image_info":{"image_list":[{"image_media_id":"M"}]}}}`,
		"get_mass_message_status":    `{"msg_id":"9007199254740993"}`,
		"delete_mass_message":        `{"msg_id":"9007199254740993"}`,
		"get_publish_status":         `{"publish_id":9007199254740993}`,
		"open_comment":               `{"msg_data_id":"9007199254740993"}`,
		"set_mass_speed":             `{"speed":0}`,
		"send_mass_message":          `{"filter":{"is_to_all":true},"msgtype":"image","images":{"media_ids":["M"]}}`,
		"send_mass_message_to_users": `{"touser":["o","p"],"msgtype":"text","text":{"content":"hi"}}`,
		"preview_mass_message":       `{"towxname":"w","msgtype":"image","image":{"media_id":"M"}}`,
		"delete_published_article":   `{"article_id":"A"}`,
		"get_kf_messages":            `{"starttime":1,"endtime":86401,"msgid":"1","number":10000}`,
		"set_industry":               `{"industry_id1":1,"industry_id2":"4"}`,
	} {
		row, there := wxapi.Lookup(verb)
		if !there {
			t.Errorf("no verb %s", verb)
			continue
		}
		if warnings, err := row.Check([]byte(data)); err != nil || len(warnings) > 0 {
			t.Errorf("%s: %v, unknown: %v", verb, err, warnings)
		}
	}
}

// WeChat's 64-bit ids stay exact, whichever way they are spelled: they are text in
// the typed answer and in the JSON, and go out as the number that WeChat documents.
func TestIDsStayExact(t *testing.T) {
	const id = "9007199254740993" // 2^53 + 1, which no float64 holds
	for _, spelled := range []string{id, `"` + id + `"`} {
		p := newPlatform(t, says(200, fmt.Sprintf(`{"errcode":0,"msg_id":%[1]s,"msg_data_id":%[1]s,"publish_id":%[1]s,"msgid":%[1]s}`, spelled)))
		client := p.client(t)
		sent, err := client.SendMassMessage(t.Context(), &wxapi.SendMassMessageRequest{
			Filter: wxapi.MassFilter{IsToAll: true}, MsgType: "text", Text: &wxapi.Text{Content: "hi"},
		})
		if err != nil || sent.MsgID != id || sent.MsgDataID != id {
			t.Errorf("%+v, %v", sent, err)
		}
		published, err := client.PublishDraft(t.Context(), &wxapi.PublishDraftRequest{MediaID: "M"})
		if err != nil || published.PublishID != id || published.MsgDataID != id {
			t.Errorf("%+v, %v", published, err)
		}
		message, err := client.SendTemplateMessage(t.Context(), &wxapi.SendTemplateMessageRequest{ToUser: "o", TemplateID: "T", Data: map[string]wxapi.TemplateValue{}})
		if err != nil || message.MsgID != id {
			t.Errorf("%+v, %v", message, err)
		}
		result, err := client.CallJSON(t.Context(), wxapi.GetMassMessageStatus.Row, []byte(`{"msg_id":`+spelled+`}`))
		if err != nil || !strings.Contains(string(result.Response), `"msg_id":"`+id+`"`) {
			t.Errorf("%s, %v", result.Response, err)
		}
		if calls, _ := p.seen(); string(calls[3].Body) != `{"msg_id":`+id+`}` {
			t.Errorf("sent %s", calls[3].Body)
		}
	}
}

// That WeChat has done it before is as good as done, and the first answer's
// id comes along.
func TestDoneBefore(t *testing.T) {
	p := newPlatform(t, says(200, `{"errcode":45065,"errmsg":"clientmsgid exist rid: 61725984-6126f6f9-040f19c4","msg_id":3147483649,"msg_data_id":2247483655}`))
	sent, err := p.client(t).SendMassMessageToUsers(t.Context(), &wxapi.SendMassMessageToUsersRequest{
		ToUser: []string{"o", "p"}, MsgType: "text", Text: &wxapi.Text{Content: "hi"}, ClientMsgID: "twice",
	})
	if err != nil || sent.MsgID != "3147483649" || sent.MsgDataID != "2247483655" {
		t.Errorf("%+v, %v", sent, err)
	}
	p = newPlatform(t, says(200, `{"errcode":45081,"errmsg":"you are already typing"}`))
	if _, err := p.client(t).SendTyping(t.Context(), &wxapi.SendTypingRequest{ToUser: "o", Command: "Typing"}); err != nil {
		t.Error(err)
	}
}

func TestClassesOfVerbs(t *testing.T) {
	for _, test := range []struct {
		row  *wxapi.Row
		code int
		want wxapi.Class
	}{
		{wxapi.ClearQuota.Row, 48006, wxapi.ClassPermanent},
		{wxapi.ClearQuotaBySecret.Row, 48006, wxapi.ClassPermanent},
		{wxapi.ClearQuotaBySecret.Row, 40125, wxapi.ClassConfig},
		{wxapi.SendSubscribeMessage.Row, 43107, wxapi.ClassRight},
		{wxapi.SendSubscribeMessage.Row, 43101, wxapi.ClassUser},
		{wxapi.AddDraft.Row, 45110, wxapi.ClassBug},
		{wxapi.PublishDraft.Row, 53503, wxapi.ClassPermanent},
		{wxapi.AddTemplate.Row, 45026, wxapi.ClassPermanent},
		{wxapi.SendMassMessage.Row, 45066, wxapi.ClassMinute},
		{wxapi.SendTyping.Row, 45080, wxapi.ClassPermanent},
	} {
		if got := wxapi.Classify(test.row, test.code); got != test.want {
			t.Errorf("%s, %d: %s, want %s", test.row.Name, test.code, got, test.want)
		}
	}
	if !wxapi.GetRID.CallOnly || wxapi.SendTemplateMessage.KeyLife.Minutes() != 10 || wxapi.SendMassMessage.KeyLife.Hours() != 24 {
		t.Error("a row has changed")
	}
}
