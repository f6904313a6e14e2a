package gen

import (
	"encoding/json"
	"reflect"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// answers begins the names of the schemas of what the bridge's own calls answer.
const answers events.Branch = "answer"

// ownExamples are a request and an answer of each of the bridge's own calls.
var ownExamples = map[string][2]any{
	events.CallGetResult: {
		events.ResultQuery{ID: "order-42", WaitMS: 5000},
		events.Result{Outcome: events.Pending, Class: "wait", Attempts: 1, ErrMsg: "no result yet: the command waits for its next try"},
	},
	events.CallGetQuota: {
		events.QuotaQuery{OpenID: "oQx7t0aBcDeFgHiJkLmNoPqRsTu0"},
		done(events.Quota{
			OpenID: "oQx7t0aBcDeFgHiJkLmNoPqRsTu0", Left: new(4), Windows: []events.QuotaWindow{{After: "message", Left: 4, Until: someday}}, Pauses: []events.QuotaPause{},
		}),
	},
	events.CallRedrive: {
		events.RedriveRequest{Class: "quota", Since: someday, DryRun: true},
		done(events.Redriven{
			Did:     map[string]int{events.LetterWouldBe: 1},
			Letters: []events.RedrivenLetter{{Sequence: 4711, Name: "send_custom_message", Command: "order-42", Did: events.LetterWouldBe, ID: "order-42~1"}}, To: 4711,
		}),
	},
	events.CallGetAccessToken: {
		events.TokenQuery{},
		done(events.Token{AccessToken: "82_token", ExpiresIn: 7140}),
	},
}

var someday = time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)

// done is a result with a response.
func done(response any) events.Result {
	encoded, _ := json.Marshal(response) // our own types always encode
	return events.Result{Outcome: events.ResultDone, ErrMsg: "ok", ElapsedMS: 3, Response: encoded}
}

// ownCall is what is sent to one of the bridge's own calls, and what it answers.
func (s *source) ownCall(call events.OwnCall) (request, answer schema, err error) {
	request, err = s.published(name(events.Call, call.Name), reflect.TypeOf(call.Request), nil, ownExamples[call.Name][0])
	if err != nil {
		return request, answer, err
	}
	answer, err = s.published(name(answers, call.Name), reflect.TypeFor[events.Result](), map[string]object{
		"Result.outcome": s.docs.oneOf("Result"),
		"Result.class":   {{"description", s.actions()}, {"type", "string"}},
	}, ownExamples[call.Name][1])
	if err != nil {
		return request, answer, err
	}
	properties := answer.body.get("properties").(object)
	if call.Response == nil { // another command's result, or none yet
		outcome := properties.get("outcome").(object)
		outcome = outcome.replace("enum", append(outcome.get("enum").([]any), events.Pending))
		about := outcome.get("description").(string) + "\n- " + events.Pending + ": " + s.docs.text["events.Pending"]
		properties = properties.replace("outcome", outcome.replace("description", about))
		properties = properties.replace("response", object{{"description", "That of the command."}, {"type", "object"}})
	} else {
		response, err := types{docs: s.docs, purpose: published, instead: map[string]object{
			"RedrivenLetter.did": s.docs.oneOf("Letter"),
		}}.described(reflect.TypeOf(call.Response))
		if err != nil {
			return request, answer, err
		}
		properties = properties.replace("response", response)
	}
	answer.body = answer.body.replace("properties", properties).replace("description", "What wx.call."+call.Name+" answers.")
	return request, answer, nil
}
