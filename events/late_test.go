package events_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// A late reply is the same message to the follower, in the form of a custom
// message, and the same bytes whoever makes it.
func TestLateCommand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, reply, data, cut string }{
		{
			"bare text", `hello <you> & me`,
			`{"msgtype":"text","text":{"content":"hello <you> & me"},"touser":"oAlice"}`, "",
		},
		{
			"an address in the reply is not the follower's", `{"touser":"oMallory","msgtype":"text","text":{"content":"hi"}}`,
			`{"msgtype":"text","text":{"content":"hi"},"touser":"oAlice"}`, "",
		},
		{
			"fields that we do not know stay", `{"msgtype":"image","image":{"media_id":"M","new":1},"customservice":{"kf_account":"a@b"}}`,
			`{"customservice":{"kf_account":"a@b"},"image":{"media_id":"M","new":1},"msgtype":"image","touser":"oAlice"}`, "",
		},
		{
			"one article is whole", `{"msgtype":"news","news":{"articles":[{"title":"a"}]}}`,
			`{"msgtype":"news","news":{"articles":[{"title":"a"}]},"touser":"oAlice"}`, "",
		},
		{
			"more articles than one are cut", `{"msgtype":"news","news":{"articles":[{"title":"a"},{"title":"b"}]}}`,
			`{"msgtype":"news","news":{"articles":[{"title":"a"}]},"touser":"oAlice"}`, "news.articles: 1 of 2, a custom message carries one",
		},
		{
			"what has no passive form", `{"msgtype":"msgmenu","msgmenu":{"head_content":"?","list":[{"id":"1","content":"yes"}]}}`,
			`{"msgmenu":{"head_content":"?","list":[{"id":"1","content":"yes"}]},"msgtype":"msgmenu","touser":"oAlice"}`, "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			reply, err := events.ParseReply(nil, []byte(c.reply))
			if err != nil {
				t.Fatal(err)
			}
			reply.ID = "answer-1"
			e, cut, err := events.NewLateCommand("wx01", "m-1", "oAlice", reply, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if got := string(e.Data()); got != c.data || cut != c.cut {
				t.Errorf("data %s, cut %q", got, cut)
			}
			extensions, err := json.Marshal(e.Extensions())
			if err != nil {
				t.Fatal(err)
			}
			want := `{"causationid":"answer-1","correlationid":"m-1","partitionkey":"oAlice"}`
			if e.ID() != "m-1.late" || e.Subject() != "oAlice" || string(extensions) != want {
				t.Errorf("id %q, subject %q, %s", e.ID(), e.Subject(), extensions)
			}
		})
	}
}

func TestHandOverCannotBeLate(t *testing.T) {
	t.Parallel()
	reply, err := events.ParseReply(nil, []byte(`{"msgtype":"transfer_customer_service"}`))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := events.NewLateCommand("wx01", "m-1", "oAlice", reply, time.Now()); !errors.Is(err, events.ErrOnlyPassive) {
		t.Errorf("error %v", err)
	}
}

// The outcome of a late reply is an event of its own beside the hold's, and names
// the inbound event as that one does.
func TestLateOutcome(t *testing.T) {
	t.Parallel()
	ids := map[string]bool{}
	for _, word := range []string{events.OutcomeUnanswered, events.OutcomeLateSent} {
		e, err := events.NewOutcome("wx01", "text", "m-1", "oAlice", "", time.Now(), events.Outcome{Outcome: word})
		if err != nil {
			t.Fatal(err)
		}
		header, body, err := events.EncodeStructured(e)
		if err != nil {
			t.Fatal(err)
		}
		o, err := events.ParseOutcome(header, body)
		if err != nil || o.Event != "m-1" || o.Outcome != word || o.Late() != strings.HasPrefix(word, "late") {
			t.Errorf("%+v, %v", o, err)
		}
		ids[e.ID()] = true
		ids[events.OutcomeMsgID("wx01", "m-1", o.Late())] = true
	}
	if len(ids) != 4 {
		t.Errorf("ids are not distinct: %v", ids)
	}
}
