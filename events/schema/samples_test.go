package schema_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"path"
	"strings"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var at = time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)

// inboundSamples are the documents of package callback by file name.
func inboundSamples(t testing.TB) map[string]*callback.Message {
	t.Helper()
	all := map[string]*callback.Message{}
	for _, ending := range []string{".xml", ".in.json"} {
		files, err := fs.Glob(module, "wxapi/callback/testdata/samples/*"+ending)
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			m, err := callback.Parse(read(t, file))
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			all[strings.TrimSuffix(path.Base(file), ending)] = m
		}
	}
	return all
}

// The data of every inbound sample fit their kind's schema.
func TestInboundSamples(t *testing.T) {
	t.Parallel()
	r := compile(t)
	seen := map[string]bool{}
	for name, m := range inboundSamples(t) {
		seen[m.Kind] = true
		of := named(t, events.Schema(events.Inbound, m.Kind))
		r.holds(t, of, m.JSON())
		r.holds(t, of, bytes.TrimSpace(read(t, "wxapi/callback/testdata/samples/"+name+".json")))
	}
	for _, k := range callback.Kinds() {
		if !seen[k.Name] {
			t.Errorf("no sample of %s", k.Name)
		}
	}
	for name, data := range map[string]string{
		"no sender":       `{"ToUserName":"gh_1","CreateTime":1,"MsgType":"text"}`,
		"another kind":    `{"ToUserName":"gh_1","FromUserName":"o","CreateTime":1,"MsgType":"image"}`,
		"a rounded MsgId": `{"ToUserName":"gh_1","FromUserName":"o","CreateTime":1,"MsgType":"text","MsgId":23456789012345678}`,
	} {
		if r.check(t, "inbound.text", []byte(data)) == nil {
			t.Errorf("%s is taken for a text", name)
		}
	}
}

// The request and the answer of every verb's sample fit its schemas.
func TestVerbSamples(t *testing.T) {
	t.Parallel()
	r := compile(t)
	for _, row := range wxapi.Verbs() {
		folder := "wxapi/testdata/verbs/" + row.Name + "/"
		request := read(t, folder+"request.json")
		forms, err := fs.Glob(module, folder+"request*.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, form := range forms {
			r.holds(t, "cmd."+row.Name, read(t, form))
		}
		answer, err := fs.ReadFile(module, folder+"answer.json")
		if err != nil || row.Body == wxapi.Download || !json.Valid(answer) {
			continue // a file, or an answer that the client itself makes
		}
		result := events.Result{Outcome: events.ResultDone, ErrMsg: "ok", Attempts: 1, ElapsedMS: 41, Response: response(t, row, request, answer)}
		r.holds(t, "result."+row.Name, encode(t, result))
	}
}

// What the bridge publishes fits the schema that it names.
func TestPublishedEvents(t *testing.T) {
	t.Parallel()
	r := compile(t)
	for _, e := range published(t) {
		r.holds(t, named(t, e.DataSchema()), e.Data())
	}
	for name, data := range map[string]string{
		"outcome": `{"outcome":"late","try":1,"ms":1}`,
		"mark":    `{"mark":"open"}`,
		"dlq":     `{"class":"x","attempts":1,"subject":"wx.cmd.x"}`,
		"reply":   `{"msgtype":"txt"}`,

		"call.get_result":   `{"wait_ms":1}`,
		"call.redrive":      `{"sequence":"4711"}`,
		"answer.get_result": `{"outcome":"lost","errcode":0,"attempts":0,"elapsed_ms":0}`,
		"answer.redrive":    `{"outcome":"done","errcode":0,"attempts":0,"elapsed_ms":0,"response":{"did":{},"letters":[{"sequence":1,"name":"x","did":"lost"}],"to":1}}`,
	} {
		if r.check(t, name, []byte(data)) == nil {
			t.Errorf("%s fits the schema of %s", data, name)
		}
	}
}

// published is one event and more of each branch that the bridge publishes.
func published(t testing.TB) []cloudevents.Event {
	t.Helper()
	var all []cloudevents.Event
	add := func(e cloudevents.Event, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	for _, m := range inboundSamples(t) {
		if kind, _ := callback.LookupKind(m.Kind); kind.Held {
			add(events.NewInbound("wx", "wx01", m, at, events.Trace{Parent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"}))
		} else {
			add(events.NewInbound("wx", "wx01", m, time.Time{}, events.Trace{}))
		}
		if m.Value("MediaId") != "" {
			e := all[len(all)-1].Clone()
			err := events.AddFile(&e, events.File{DataRef: "nats-object://WX_MEDIA/x", ContentType: "image/png", Size: 69, SHA256: "00ff", Filename: "x.png"})
			add(e, err)
		}
	}
	for _, o := range []events.Outcome{
		{Outcome: events.OutcomeReplied, Try: 1, MS: 812, Source: "/shop", Sequence: 4711},
		{Outcome: events.OutcomeReleased, Try: 3},
		{Outcome: events.OutcomeFallback, Try: 1},
		{Outcome: events.OutcomeUnanswered, Try: 1},
	} {
		add(events.NewOutcome("wx01", "text", "e-1", "oAbc", "r-1", at, o))
	}
	for _, m := range []events.Mark{
		{Mark: events.MarkTry, Event: "e-1"},
		{Mark: events.MarkProbe},
		{Mark: events.MarkClosed, Outcome: events.OutcomeFallback, Event: "e-1", OpenID: "oAbc", Kind: "text", Try: 3},
	} {
		add(events.NewMark("m-1", events.Source("wx01"), at, m))
	}
	for _, original := range []string{"关注", "\xff", ""} {
		add(events.NewDeadLetter("text", "d-1", events.Source("wx01"), "r-1", at, events.DeadLetter{
			Reason: "broken", Class: events.ClassReplyInvalid, Subject: "wx.reply.e-1", Headers: events.Header{"ce-id": {"1"}},
		}, []byte(original)))
	}
	for _, row := range wxapi.Verbs() {
		command := events.Command{ID: "c-1", Verb: row.Name, PartitionKey: "oAbc"}
		for _, result := range []events.Result{
			{Outcome: events.ResultDone, Attempts: 1, Response: json.RawMessage(`{"errcode":0,"errmsg":"ok"}`)},
			{Outcome: events.ResultRejected, ErrCode: 40003, ErrMsg: "invalid openid", RID: "1-2-3", Class: "user", Attempts: 1, Response: json.RawMessage(`{"errcode":40003,"errmsg":"invalid openid rid: 1-2-3"}`)},
			{Outcome: events.ResultUnknown, Class: "backoff", Attempts: 1, Response: json.RawMessage(`{}`), Warnings: []string{"colour is not known"}},
			{Outcome: events.ResultDone, Attempts: 1, ResponseRef: "nats-object://WX_MEDIA/response-1"},
		} {
			add(events.NewResult("wx01", command, events.ResultID("c-1"), at, result))
		}
		add(events.NewCommand(row.Name, "c-1", "/shop", at, read(t, "wxapi/testdata/verbs/"+row.Name+"/request.json")))
	}
	return all
}
