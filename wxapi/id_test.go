package wxapi_test

import (
	"encoding/json"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// An ID is text in Go, and a number to WeChat.
func TestID(t *testing.T) {
	for in, want := range map[string]string{
		`9007199254740993`: `9007199254740993`, `"9007199254740993"`: `9007199254740993`,
		`-1`: `-1`, `""`: `null`, `null`: `null`, `"007"`: `7`, `"x"`: `"x"`,
	} {
		var id wxapi.ID
		if err := json.Unmarshal([]byte(in), &id); err != nil {
			t.Errorf("%s: %v", in, err)
		}
		if got, err := json.Marshal(id); err != nil || string(got) != want {
			t.Errorf("%s became %s, not %s: %v", in, got, want, err)
		}
	}
	if err := json.Unmarshal([]byte(`{}`), new(wxapi.ID)); err == nil {
		t.Error("an object is an ID")
	}
}

// An id is sent in the form that WeChat documents, whichever it came in, and
// one that is no number is refused as any other number is.
func TestIDsAreSentAsDocumented(t *testing.T) {
	for _, test := range []struct {
		row        *wxapi.Row
		data, want string
	}{
		{wxapi.GetMassMessageStatus.Row, `{"msg_id":"9007199254740993"}`, `{"msg_id":9007199254740993}`},
		{wxapi.GetPublishStatus.Row, `{"publish_id":9007199254740993}`, `{"publish_id":"9007199254740993"}`},
		{wxapi.DeleteConditionalMenu.Row, `{"menuid":208379533}`, `{"menuid":"208379533"}`},
		{wxapi.CreateConditionalMenu.Row, `{"button":[` + click + `],"matchrule":{"tag_id":2}}`, `{"button":[` + click + `],"matchrule":{"tag_id":"2"}}`},
		{wxapi.MarkComment.Row, `{"msg_data_id":"1","index":0,"user_comment_id":"+2"}`, `{"msg_data_id":1,"index":0,"user_comment_id":2}`},
	} {
		p := newPlatform(t, says(200, `{"errcode":0}`))
		_, err := p.client(t).CallJSON(t.Context(), test.row, []byte(test.data))
		if calls, _ := p.seen(); err != nil || string(calls[0].Body) != test.want {
			t.Errorf("%s: %v, sent %s", test.row.Name, err, calls[0].Body)
		}
	}
	p := newPlatform(t, ok)
	if _, err := p.client(t).GetMassMessageStatus(t.Context(), &wxapi.GetMassMessageStatusRequest{MsgID: "x"}); err == nil {
		t.Error("x is an id")
	}
}
