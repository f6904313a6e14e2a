package wxapi_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// list is a JSON list of n OpenIDs.
func list(n int) string {
	return `["` + strings.Join(strings.Split(strings.Repeat("o ", n-1)+"o", " "), `","`) + `"]`
}

func menu(buttons ...string) string { return `{"button":[` + strings.Join(buttons, ",") + `]}` }

func scene(action, scene string) string {
	return `{"action_name":"` + action + `","action_info":{"scene":{` + scene + `}}}`
}

const click = `{"type":"click","name":"n","key":"k"}`

// What is wrong is named by its path, and a number by its limit.
func TestLimits(t *testing.T) {
	for _, test := range []struct{ verb, data, path, problem string }{
		{"get_user_list", `{"next_openid":"a b"}`, "next_openid", "not an OpenID"},
		{"batch_get_user_info", `{"user_list":[]}`, "user_list", "is empty"},
		{"batch_get_user_info", `{"user_list":[{"openid":"o"},{}]}`, "user_list[1].openid", "is missing"},
		{"batch_get_user_info", `{"user_list":[` + strings.Repeat(`{"openid":"o"},`, 100) + `{"openid":"o"}]}`, "user_list", "at most 100"},
		{"update_user_remark", `{"openid":"o"}`, "remark", "is missing"},
		{"update_user_remark", `{"openid":"o","remark":null}`, "remark", "is missing"},
		{"update_user_remark", `{"openid":"o","remark":"` + strings.Repeat("好", 30) + `"}`, "remark", "at most 29"},
		{"create_tag", `{"tag":{}}`, "tag.name", "is missing"},
		{"create_tag", `{"tag":{"name":"` + strings.Repeat("好", 31) + `"}}`, "tag.name", "at most 30"},
		{"update_tag", `{"tag":{"name":"n"}}`, "tag.id", "is missing"},
		{"delete_tag", `{}`, "tag", "is missing"},
		{"update_tag", `{"tag":{"id":2,"name":"n"}}`, "tag.id", "3 or more"},
		{"delete_tag", `{"tag":{"id":0}}`, "tag.id", "3 or more"},
		{"update_group", `{"group":{"id":1,"name":"n"}}`, "group.id", "0 to 2 are WeChat's own"},
		{"delete_group", `{"group":{"id":-1}}`, "group.id", "3 or more"},
		{"get_tag_users", `{}`, "tagid", "is missing"},
		{"tag_users", `{"openid_list":` + list(51) + `,"tagid":1}`, "openid_list", "at most 50"},
		{"tag_users", `{"openid_list":["o","a b"],"tagid":1}`, "openid_list[1]", "not an OpenID"},
		{"tag_users", `{"openid_list":["o",""],"tagid":1}`, "openid_list[1]", "is empty"},
		{"tag_users", `{"openid_list":["o"]}`, "tagid", "is missing"},
		{"untag_users", `{"openid_list":` + list(51) + `,"tagid":1}`, "openid_list", "at most 50"},
		{"get_user_tags", `{}`, "openid", "is missing"},
		{"get_blacklist", `{"begin_openid":7}`, "begin_openid", "must be a string"},
		{"block_users", `{"openid_list":` + list(21) + `}`, "openid_list", "at most 20"},
		{"unblock_users", `{"openid_list":` + list(21) + `}`, "openid_list", "at most 20"},
		{"get_group_of_user", `{}`, "openid", "is missing"},
		{"update_group_of_users", `{"openid_list":` + list(51) + `,"to_groupid":1}`, "openid_list", "at most 50"},
		{"delete_group", `{"group":{}}`, "group.id", "is missing"},

		{"create_menu", `{}`, "button", "is missing"},
		{"create_menu", menu(), "button", "is empty"},
		{"create_menu", menu(click, click, click, click), "button", "at most 3"},
		{"create_menu", menu(`{"type":"click","key":"k"}`), "button[0].name", "is missing"},
		{"create_menu", menu(`{"type":"click","name":"` + strings.Repeat("n", 17) + `","key":"k"}`), "button[0].name", "at most 16"},
		{"create_menu", menu(click, `{"name":"n"}`), "button[1].type", "is missing"},
		{"create_menu", menu(`{"type":"clik","name":"n","key":"k"}`), "button[0].type", `did you mean "click"?`},
		{"create_menu", menu(`{"type":"click","name":"n"}`), "button[0].key", "is missing: the type is click"},
		{"create_menu", menu(`{"type":"click","name":"n","key":"` + strings.Repeat("k", 129) + `"}`), "button[0].key", "at most 128"},
		{"create_menu", menu(`{"type":"view","name":"n","key":"k"}`), "button[0].url", "is missing"},
		{"create_menu", menu(`{"type":"view","name":"n","url":"` + strings.Repeat("u", 1025) + `"}`), "button[0].url", "at most 1024"},
		{"create_menu", menu(`{"type":"miniprogram","name":"n","url":"u","appid":"a"}`), "button[0].pagepath", "is missing"},
		{"create_menu", menu(`{"type":"media_id","name":"n"}`), "button[0].media_id", "is missing"},
		{"create_menu", menu(`{"type":"article_view_limited","name":"n"}`), "button[0].article_id", "is missing"},
		{"create_menu", menu(`{"type":"click","name":"n","key":"k","sub_button":[` + click + `]}`), "button[0].type", "does nothing of its own"},
		{"create_menu", menu(`{"name":"n","sub_button":[` + strings.Repeat(click+",", 5) + click + `]}`), "button[0].sub_button", "at most 5"},
		{"create_menu", menu(`{"name":"n","sub_button":[` + click + `,{"type":"view","name":"n"}]}`), "button[0].sub_button[1].url", "is missing"},
		{"create_menu", menu(`{"name":"n","sub_button":[{"type":"click","name":"` + strings.Repeat("n", 61) + `","key":"k"}]}`), "button[0].sub_button[0].name", "at most 60"},
		{"create_menu", menu(`{"name":"n","sub_button":[{"type":"click","name":"n","key":"k","sub_button":[` + click + `]}]}`), "button[0].sub_button[0].sub_button", "third level"},
		{"create_conditional_menu", `{"button":[` + click + `]}`, "matchrule", "is missing"},
		{"create_conditional_menu", `{"button":[` + click + `],"matchrule":{"sex":"1"}}`, "matchrule", "needs a tag_id"},
		{"create_conditional_menu", `{"button":[` + click + `],"matchrule":{"client_platform_type":"4"}}`, "matchrule.client_platform_type", "known are 1, 2, 3"},
		{"create_conditional_menu", `{"button":[{"name":"n"}],"matchrule":{"tag_id":"2"}}`, "button[0].type", "is missing"},
		{"delete_conditional_menu", `{"menuid":1.5}`, "menuid", "must be a string"},
		{"match_menu", `{}`, "user_id", "is missing"},

		{"create_qr_code", scene("QR", `"scene_id":1`), "action_name", "is not known"},
		{"create_qr_code", scene("QR_SCENE", `"scene_str":"s"`), "action_info.scene.scene_id", "must be 1 to 4294967295"},
		{"create_qr_code", scene("QR_SCENE", `"scene_id":4294967296`), "action_info.scene.scene_id", "must be 1 to 4294967295"},
		{"create_qr_code", scene("QR_LIMIT_SCENE", `"scene_id":100001`), "action_info.scene.scene_id", "must be 1 to 100000"},
		{"create_qr_code", scene("QR_LIMIT_SCENE", `"scene_id":-1`), "action_info.scene.scene_id", "must be 1 to 100000"},
		{"create_qr_code", scene("QR_STR_SCENE", `"scene_id":1`), "action_info.scene.scene_str", "1 to 64 characters"},
		{"create_qr_code", scene("QR_LIMIT_STR_SCENE", `"scene_str":"`+strings.Repeat("s", 65)+`"`), "action_info.scene.scene_str", "at most 64"},
		{"create_qr_code", `{"expire_seconds":2592001,` + scene("QR_SCENE", `"scene_id":1`)[1:], "expire_seconds", "must be 1 to 2592000"},
		{"create_qr_code", `{"expire_seconds":-1,` + scene("QR_SCENE", `"scene_id":1`)[1:], "expire_seconds", "must be 1 to 2592000"},
		{"create_qr_code", `{"expire_seconds":60,` + scene("QR_LIMIT_SCENE", `"scene_id":1`)[1:], "expire_seconds", "is permanent"},
		{"create_qr_code", `{"action_name":"QR_SCENE"}`, "action_info", "is missing"},
		{"get_qr_code_url", `{"ticket":""}`, "ticket", "is empty"},
		{"create_short_key", `{"long_data":"` + strings.Repeat("x", 4097) + `"}`, "long_data", "at most 4096"},
		{"create_short_key", `{"long_data":"x","expire_seconds":2592001}`, "expire_seconds", "must be 1 to 2592000"},
		{"create_short_key", `{"long_data":"x","expire_seconds":0}`, "expire_seconds", "must be 1 to 2592000"},
		{"resolve_short_key", `{}`, "short_key", "is missing"},

		{"get_oauth_authorize_url", `{"redirect_uri":"shop.example.com","scope":"snsapi_base"}`, "redirect_uri", "whole address"},
		{"get_oauth_authorize_url", `{"redirect_uri":"javascript:alert(1)","scope":"snsapi_base"}`, "redirect_uri", "whole address"},
		{"get_oauth_authorize_url", `{"redirect_uri":"https://a.example","scope":"snsapi"}`, "scope", "is not known"},
		{"get_oauth_authorize_url", `{"redirect_uri":"https://a.example","scope":"snsapi_base","state":"a&b=c"}`, "state", "letters and digits"},
		{"get_oauth_authorize_url", `{"redirect_uri":"https://a.example","scope":"snsapi_base","state":"` + strings.Repeat("s", 129) + `"}`, "state", "at most 128"},
		{"get_oauth_access_token", `{}`, "code", "is missing"},
		{"get_oauth_access_token", `{"code":"c","secret":"s"}`, "secret", "from the configuration"},
		{"refresh_oauth_access_token", `{"refresh_token":""}`, "refresh_token", "is empty"},
		{"get_snsapi_userinfo", `{"openid":"o"}`, "access_token", "is missing"},
		{"check_oauth_access_token", `{"access_token":"t"}`, "openid", "is missing"},
		{"get_jsapi_ticket", `{"type":"card"}`, "type", "is not known"},
		{"check_callback", `{"action":"all"}`, "check_operator", "is missing"},
	} {
		row, known := wxapi.Lookup(test.verb)
		if !known {
			t.Fatal(test.verb)
		}
		_, err := row.Check([]byte(test.data))
		refused, isRequest := errors.AsType[*wxapi.RequestError](err)
		if !isRequest || refused.Path != test.path || !strings.Contains(refused.Problem, test.problem) {
			t.Errorf("%s %.80s: %v, want %s: %s", test.verb, test.data, err, test.path, test.problem)
		}
	}
}

// What is at a limit passes.
func TestLimitsPass(t *testing.T) {
	for _, test := range []struct{ verb, data string }{
		{"update_user_remark", `{"openid":"o","remark":""}`},
		{"tag_users", `{"openid_list":` + list(50) + `,"tagid":0}`},
		{"block_users", `{"openid_list":` + list(20) + `}`},
		{"create_menu", menu(click, click, click)},
		{"create_menu", menu(`{"type":"","name":"n","sub_button":[` + strings.Repeat(click+",", 4) + click + `]}`)},
		{"create_menu", menu(`{"type":"click","name":"n","key":"k","sub_button":[]}`)},
		{"create_menu", menu(`{"name":"n","sub_button":[{"type":"click","name":"n","key":"k","sub_button":[]}]}`)},
		{"create_qr_code", scene("QR_SCENE", `"scene_id":4294967295`)},
		{"create_qr_code", `{"expire_seconds":2592000,` + scene("QR_STR_SCENE", `"scene_str":"`+strings.Repeat("好", 64)+`"`)[1:]},
		{"create_qr_code", scene("QR_LIMIT_SCENE", `"scene_id":100000`)},
		{"create_short_key", `{"long_data":"` + strings.Repeat("x", 4096) + `","expire_seconds":2592000}`},
	} {
		row, _ := wxapi.Lookup(test.verb)
		if warnings, err := row.Check([]byte(test.data)); err != nil || len(warnings) > 0 {
			t.Errorf("%s %.80s: %v %v", test.verb, test.data, warnings, err)
		}
	}
}

// The rules by sex and place are gone: they are named, and decide nothing.
func TestWithdrawnRules(t *testing.T) {
	warnings, err := wxapi.CreateConditionalMenu.Check([]byte(`{"button":[` + click + `],"matchrule":{"tag_id":"2","sex":"1"}}`))
	if err != nil || fmt.Sprint(warnings) != "[matchrule.sex]" {
		t.Errorf("%v, %v", warnings, err)
	}
}
