package ingress

import (
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// The first valid reply decides. Those before it are ignored and each becomes
// one dead letter that says why, though two replicas see it; those after it mean nothing.
func TestFirstValidReplyDecides(t *testing.T) {
	t.Parallel()
	header := func(contentType string) events.Header { return events.Header{"Content-Type": {contentType}} }
	invalid := []struct {
		header       events.Header
		body, reason string
	}{
		{nil, "", "empty"},
		{nil, " \n", "empty"},
		{nil, "\xff\xfe", "UTF-8"},
		{nil, strings.Repeat("x", 2049), "2049 bytes"},
		{nil, `{"msgtype":"text"`, "not a JSON reply"},
		{nil, `{}`, "msgtype is missing"},
		{nil, `{"msgtype":"hologram"}`, `"hologram" is unknown`},
		{nil, `{"msgtype":"text","text":{"content":" "}}`, "ontent is "},
		{nil, `{"msgtype":"text","text":"hi"}`, "not a JSON reply"},
		{nil, `{"msgtype":"image","image":{}}`, "image.media_id"},
		{nil, `{"msgtype":"news","news":{"articles":[]}}`, "news.articles"},
		{nil, articles(9), "9 articles"},
		{nil, `{"specversion":"0.3","id":"1","source":"s","type":"t","data":{"msgtype":"release"}}`, "CloudEvent"},
		{nil, `{"specversion":"1.0","id":"1","source":"s","data":{"msgtype":"release"}}`, "CloudEvent"},
		{header("application/cloudevents+json"), `{"msgtype":"release"}`, "CloudEvent"},
		{header("application/cloudevents-batch+json"), `[]`, "batch"},
		{nil, `{"specversion":"1.0","id":"1","source":"s","type":"com.qq.weixin.mp.cmd.create_menu","data":{"msgtype":"release"}}`, "does not belong"},
	}
	w := newWorld(t, callback.ModeSafe)
	replicas := []*replica{w.replica(), w.replica()}
	doc := text(alice, private)
	var tries []<-chan answer
	for _, r := range replicas {
		tries = append(tries, w.try(r, doc))
	}
	for _, r := range replicas {
		next(t, r.stored)
	}
	id := w.inboundID()
	for _, reply := range invalid { // one connection: they arrive in this order
		noError(t, w.conn.PublishMsg(&nats.Msg{Subject: "wx.reply." + id, Header: nats.Header(reply.header), Data: []byte(reply.body)}))
	}
	sequence := w.reply("wx.reply."+id, nil, private+" first")
	w.reply("wx.reply."+id, nil, private+" second")
	for _, try := range tries {
		if got := w.says(next(t, try)); got != private+" first" {
			t.Errorf("answered %q", got)
		}
	}
	if o := w.outcome(id); o.Sequence != sequence {
		t.Errorf("sequence %d decided, not %d", o.Sequence, sequence)
	}
	for _, r := range replicas {
		r.stop() // what they do beside requests is done then
	}
	letters := w.deadLetters("*")
	if len(letters) != len(invalid) {
		t.Errorf("%d dead letters for %d invalid replies", len(letters), len(invalid))
	}
	for _, reply := range invalid {
		i := slices.IndexFunc(letters, func(l events.DeadLetter) bool {
			return l.Body+string(l.BodyBase64) == reply.body
		})
		switch {
		case i < 0:
			t.Errorf("no dead letter for %.80q", reply.body)
		case !strings.Contains(letters[i].Reason, reply.reason) || letters[i].Class != "reply_invalid" || letters[i].Subject != "wx.reply."+id:
			t.Errorf("dead letter for %.80q: %+v", reply.body, letters[i])
		}
	}
	for _, m := range w.stored(bus.StreamDLQ, "wx.dlq.*") {
		e := eventOf(t, m)
		of, _ := e.Extensions()["correlationid"].(string)
		cause, _ := e.Extensions()["causationid"].(string)
		if m.Subject != "wx.dlq.text" || of != id || cause != "" && cause != "1" {
			t.Errorf("%s, correlationid %q, causationid %q", m.Subject, of, cause)
		}
	}
}

// A message of NATS's whole size does not fit into a dead letter: the letter has its beginning.
func TestInvalidReplyThatFillsAMessage(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	r, heard := w.replica(), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	huge := strings.Repeat("x", 1<<20-200)
	w.reply(in.ReplyTo, nil, huge)
	w.reply(in.ReplyTo, nil, private)
	if got := w.says(next(t, delivery)); got != private {
		t.Errorf("answered %q", got)
	}
	r.stop()
	letters := w.deadLetters("text")
	if len(letters) != 1 || letters[0].Body != "" || !strings.HasPrefix(letters[0].BodyRef, "nats-object://WX_LETTER/") {
		t.Errorf("%d dead letters: %.200v", len(letters), letters)
	}
}

// inboundID is the id of the one event that is stored.
func (w *world) inboundID() string {
	w.t.Helper()
	all := w.stored(bus.StreamInbound, "wx.inbound.*")
	if len(all) != 1 {
		w.t.Fatalf("%d events are stored", len(all))
	}
	return eventOf(w.t, all[0]).ID()
}

// Only the bridge writes markers; what else stands on a marker's subject counts for nothing.
func TestMarkerThatIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModePlain)
	r, heard := w.replica(), w.service()
	delivery := w.try(r, text(alice, private))
	in := next(t, heard)
	for _, body := range []string{"closed", `{"mark":"closed"}`, `{"specversion":"1.0","id":"1","source":"s","type":"t","data":{"mark":"opened"}}`} {
		w.reply("wx.mark."+in.ID, nil, body)
	}
	w.reply(in.ReplyTo, nil, private)
	if got := w.says(next(t, delivery)); got != private {
		t.Errorf("answered %q", got)
	}
	r.stop()
	if n := len(w.deadLetters("text")); n != 3 {
		t.Errorf("%d dead letters", n)
	}
}
