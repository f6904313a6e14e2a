package events

import (
	"errors"
	"strings"
	"testing"
	"time"
)

// A letter becomes one command, whoever sends it again and however often; the
// letter of that command becomes the next.
func TestRedriveID(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("i", 254)
	for _, c := range []struct {
		id      string
		redrive int // as the letter says
		want    string
	}{
		{"order", 0, "order~1"},
		{"order~1", 1, "order~2"},
		{"order~9", 9, "order~10"},
		{"a~1~1", 1, "a~1~2"},
		{"order-4711", 0, "order-4711~1"}, // an id_conflict's letter
		{"order~1-4711", 1, "order~1-4711~1"},
		// Ids of their sender's own, who may have all the others too.
		{"order~1", 0, "order~1~1"},
		{"order~5", 0, "order~5~1"},
		{"order~5", 1, "order~5~1"},
		{"order~01", 1, "order~01~1"},
		{"order~0", 0, "order~0~1"},
		{"order~x", 0, "order~x~1"},
		{"~1", 0, "~1~1"},
	} {
		l := Letter{ID: LetterID(ResultID(c.id)), Cause: "order", Redriven: c.redrive}
		if got := l.RedriveID("wx"); got != c.want {
			t.Errorf("%s, redrive %d, becomes %s, not %s", c.id, c.redrive, got, c.want)
		}
	}
	l := Letter{ID: LetterID(ResultID(long))}
	if got := l.RedriveID("wx"); len(got) > maxID || !strings.HasSuffix(got, "~1") || got != l.RedriveID("wx") {
		t.Errorf("%s", got)
	}
	reply := Letter{ID: "reply.7", Event: "e-1", DeadLetter: DeadLetter{Subject: "wx.reply.e-1"}}
	if got := reply.RedriveID("wx"); got != "e-1.late~1" {
		t.Errorf("%s", got)
	}
}

// What cannot be sent again is told with the reason, and what to do.
func TestRedriveRefuses(t *testing.T) {
	t.Parallel()
	command := func(change func(*Letter)) Letter {
		l := Letter{
			ID: "c-1.res.dlq", Name: "get_groups", Cause: "c-1", OpenID: "oAbc", Event: "e-1",
			DeadLetter: DeadLetter{Class: "quota", Subject: "wx.cmd.get_groups", Body: "{}"},
		}
		change(&l)
		return l
	}
	reply := func(class, body string) Letter {
		return command(func(l *Letter) { l.Class, l.Subject, l.Body = class, "wx.reply.e-1", body })
	}
	for says, l := range map[string]Letter{
		"callback that cannot be read":      command(func(l *Letter) { l.Class, l.Subject = ClassUnparsable, "" }),
		"published on \"\"":                 command(func(l *Letter) { l.Subject = "" }),
		"published on \"wx.inbound.text\"":  command(func(l *Letter) { l.Subject = "wx.inbound.text" }),
		"published on \"wx.news.cmd.x\"":    command(func(l *Letter) { l.Subject = "wx.news.cmd.x" }),
		"holds no original":                 command(func(l *Letter) { l.Body = "" }),
		"no valid command":                  command(func(l *Letter) { l.Body = "{" }),
		"invalid reply":                     reply(ClassReplyInvalid, `{"msgtype":"txt"}`),
		"nobody knows whom":                 reply(ClassReplyUnknown, "hi"),
		"another reply":                     reply(ClassReplyUsed, "hi"),
		"class tomorrow's cannot":           reply("tomorrow's", "hi"),
		"can only leave in the response":    reply(ClassLateDropped, `{"msgtype":"transfer_customer_service"}`),
		"no valid reply":                    reply(ClassLateDropped, `{"msgtype":"txt"}`),
		"does not say whom the reply was m": command(func(l *Letter) { l.Class, l.Subject, l.OpenID = ClassLateDropped, "wx.reply.e-1", "" }),
	} {
		_, err := l.Redrive("wx", "wx01", l.Headers, l.Original(), time.Now())
		var refused *RedriveError
		if !errors.As(err, &refused) || !strings.Contains(refused.Problem, says) {
			t.Errorf("%q: %v", says, err)
		}
	}
}

// A bare command becomes an event of the bridge's, and an expirytime stays as long
// as it is not over.
func TestRedriveKeeps(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	l := Letter{ID: "c-1.res.dlq", Cause: "c-1", DeadLetter: DeadLetter{
		Class: "quota", Subject: "wx.cmd.get_groups", Headers: Header{"X-Mine": {"1"}, "Content-Type": {"application/json"}}, Body: `{"a":1}`,
	}}
	r, err := l.Redrive("wx", "wx01", l.Headers, l.Original(), now)
	if err != nil || r.Verb != "get_groups" || r.Event.ID() != "c-1~1" || r.Event.Source() != Source("wx01") ||
		string(r.Event.Data()) != `{"a":1}` || r.Event.Extensions()["causationid"] != "c-1" || len(r.Header) != 1 || len(r.Notes) != 0 {
		t.Errorf("%+v, %v", r, err)
	}
	for expiry, kept := range map[string]bool{"2026-11-23T09:00:00Z": true, "2026-11-23T08:00:00Z": false} {
		l.Headers, l.Body = nil, `{"specversion":"1.0","id":"c-1","source":"/shop","type":"mine","expirytime":"`+expiry+`","data":{}}`
		r, err := l.Redrive("wx", "wx01", l.Headers, l.Original(), now)
		_, has := r.Event.Extensions()["expirytime"]
		if err != nil || has != kept || (len(r.Notes) == 0) != kept || r.Event.Type() != "mine" || r.Event.Source() != "/shop" {
			t.Errorf("%s: %+v, %v", expiry, r, err)
		}
	}
}

// A letter says whether its command was a redrive, whatever became of the original.
func TestRedriveIsCounted(t *testing.T) {
	t.Parallel()
	for said, want := range map[any]int{nil: 0, "1": 1, "12": 12, int32(3): 3, "": 0, "0": 0, "-1": 0, "x": 0} {
		e, err := NewCommand("get_groups", "order~1", "//test/shop", stored, []byte(`{}`))
		if said != nil {
			e.SetExtension(extRedrive, said)
		}
		header, body := onTheWire(t, e, err)
		m := Message{Subject: "wx.cmd.get_groups", Header: header, Body: body}
		c, err := ParseCommand("wx", m, "bare")
		if err != nil || c.Redriven != want {
			t.Errorf("%v: %+v, %v", said, c, err)
		}
		letter, err := NewCommandLetter("wx01", c, ResultID(c.ID), stored, Result{Outcome: ResultFailed}, m)
		if err == nil {
			letter, err = WithoutOriginal(letter, "nats-object://WX_LETTER/x", "")
		}
		header, body = onTheWire(t, letter, err)
		if l, err := ParseLetter("wx", Message{Subject: "wx.dlq.get_groups", Header: header, Body: body}); err != nil || l.Redriven != want {
			t.Errorf("%v: %+v, %v", said, l, err)
		}
	}
}

// What stands in WX_DLQ and is no letter of the bridge's is told from those that are.
func TestParseLetter(t *testing.T) {
	t.Parallel()
	m := Message{Subject: "wx.cmd.get_groups", Header: Header{"X": {"1"}}, Body: []byte("{}"), Sequence: 7}
	e, err := NewCommandLetter("wx01", Command{ID: "c-1", Verb: "get_groups", PartitionKey: "oAbc"}, "c-1.res", stored,
		Result{Outcome: ResultFailed, Class: "backoff", Attempts: 6, ErrMsg: "busy"}, m)
	header, body := onTheWire(t, e, err)
	l, err := ParseLetter("wx", Message{Subject: "wx.dlq.get_groups", Header: header, Body: body, Sequence: 3, Time: stored})
	if err != nil || l.Name != "get_groups" || l.Cause != "c-1" || l.OpenID != "oAbc" || l.Outcome != ResultFailed || l.Attempts != 6 ||
		l.Sequence != 3 || !l.Time.Equal(stored) || string(l.Original()) != "{}" || l.Headers.Get("X") != "1" {
		t.Errorf("%+v, %v", l, err)
	}
	gone, err := WithoutOriginal(e, "nats-object://WX_LETTER/x", "")
	header, body = onTheWire(t, gone, err)
	if l, err = ParseLetter("wx", Message{Subject: "wx.dlq.get_groups", Header: header, Body: body}); err != nil || l.BodyRef == "" || len(l.Original()) != 0 || l.Reason != "busy" {
		t.Errorf("%+v, %v", l, err)
	}
	for subject, body := range map[string]string{
		"wx.cmd.get_groups": string(body), "wx.dlq.a": "bare", "wx.dlq.b": `{"specversion":"1.0"}`,
		"wx.dlq.c": string(body), "wx.dlq.d": `{"specversion":"1.0","id":"i","source":"s","type":"t","data":[]}`,
	} {
		if l, err := ParseLetter("wx", Message{Subject: subject, Body: []byte(body)}); err == nil {
			t.Errorf("%s: %+v", subject, l)
		}
	}
}
