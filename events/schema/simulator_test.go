package schema_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

const appID, secret = "wx0123456789abcdef", "0123456789abcdef0123456789abcdef"

// The followers of the story.
const (
	alice = "oAliceAliceAliceAliceAliceAl"
	bob   = "oBobBobBobBobBobBobBobBobBob"
)

// story is an account at the simulator that is driven by the typed client, over
// HTTP. Each request and each result are held against their schemas.
type story struct {
	*testing.T
	sim    *wxsim.Platform
	client *wxapi.Client
	rules  rules
	done   map[string]bool // verbs to which the simulator has said yes
}

func newStory(t *testing.T) *story {
	t.Helper()
	quiet := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("success")) }))
	t.Cleanup(quiet.Close)
	sim, err := wxsim.New(wxsim.Config{AppID: appID, AppSecret: secret, Token: "token", Callback: quiet.URL, PageSize: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sim.Close() })
	server := httptest.NewServer(sim.Handler())
	t.Cleanup(server.Close)
	client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: secret, APIURL: server.URL, MPURL: server.URL})
	if err != nil {
		t.Fatal(err)
	}
	return &story{T: t, sim: sim, client: client, rules: compile(t), done: map[string]bool{}}
}

// says pushes what a follower says or does.
func (s *story) says(openID, data string) {
	s.Helper()
	if _, err := s.sim.Push(s.Context(), openID, json.RawMessage(data)); err != nil {
		s.Fatal(err)
	}
}

// did makes a call that must be done.
func did[Req, Res any](s *story, verb wxapi.Verb[Req, Res], req *Req) *Res {
	s.Helper()
	data := []byte("{}")
	if req != nil {
		data = encode(s, req)
	}
	s.rules.holds(s, "cmd."+verb.Name, data)
	answer, err := s.client.CallJSON(s.Context(), verb.Row, data)
	if err != nil {
		s.Fatalf("%s %s: %v", verb.Name, data, err)
	}
	s.holds(verb.Row, answer, nil)
	s.done[verb.Name] = true
	res := new(Res)
	if err := json.Unmarshal(answer.Response, res); err != nil {
		s.Fatalf("%s: %v in %s", verb.Name, err, answer.Response)
	}
	return res
}

// holds makes the result of a call and holds it against its schema.
func (s *story) holds(row *wxapi.Row, answer wxapi.Result, err error) {
	s.Helper()
	r := events.Result{
		Outcome: events.ResultDone, ErrMsg: answer.ErrMsg, RID: answer.RID, Attempts: answer.Requests,
		Response: answer.Response, Warnings: answer.Warnings,
	}
	if refused, no := errors.AsType[*wxapi.Error](err); no {
		r.Outcome, r.ErrCode, r.Class = events.ResultRejected, refused.Code, string(refused.Class)
	}
	if len(answer.Warnings) > 0 {
		s.Errorf("%s: %v", row.Name, answer.Warnings)
	}
	s.rules.holds(s, "result."+row.Name, encode(s, r))
}

// A story in which the simulator says yes to every verb there is, and then no to
// every one. What it answers fits the schemas. A verb that needs nothing to be
// there first need not be in the story: its sample is enough.
func TestTheSimulatorKnowsEveryVerb(t *testing.T) {
	t.Parallel()
	s := newStory(t)
	for _, chapter := range []func(*story){
		followers, tagsAndGroups, menus, webPages, codes, messages, library, comments, massMessages, agents, account, dataCube,
	} {
		chapter(s)
	}
	for _, row := range wxapi.Verbs() {
		if !s.done[row.Name] {
			s.does(row)
		}
		s.refuses(row)
	}
}

// does makes the call of a verb's sample.
func (s *story) does(row *wxapi.Row) {
	s.Helper()
	answer, err := s.client.CallJSON(s.Context(), row, read(s, "wxapi/testdata/verbs/"+row.Name+"/request.json"))
	if err != nil {
		s.Errorf("the story has no %s, and its sample is not enough: %v", row.Name, err)
	}
	s.holds(row, answer, err)
}

// refuses has the simulator say no to a verb.
func (s *story) refuses(row *wxapi.Row) {
	s.Helper()
	if row.Body == wxapi.Local {
		return
	}
	request := read(s, "wxapi/testdata/verbs/"+row.Name+"/request.json")
	fault := wxsim.Fault{Verb: row.Name, Times: 1, ErrCode: 45009}
	if row.Path == "" {
		fault.Verb = "*"
	}
	if err := s.sim.Fault(fault); err != nil {
		s.Fatal(err)
	}
	answer, err := s.client.CallJSON(s.Context(), row, request)
	if refused, no := errors.AsType[*wxapi.Error](err); !no || refused.Code != 45009 || refused.RID == "" {
		s.Errorf("%s: %v, not 45009 with a rid", row.Name, err)
	}
	s.holds(row, answer, err)
}
