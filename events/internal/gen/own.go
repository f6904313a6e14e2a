package gen

import (
	"reflect"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

// published is the schema of a type that the bridge itself publishes, with examples.
func (s *source) published(name string, t reflect.Type, instead map[string]object, examples ...any) (schema, error) {
	body, err := types{docs: s.docs, purpose: published, instead: instead}.described(t)
	if err != nil {
		return schema{}, err
	}
	shown, err := encoded(examples...)
	return schema{name, body.plus("examples", shown)}, err
}

func (s *source) mark() (schema, error) {
	return s.published("mark", reflect.TypeFor[events.Mark](), map[string]object{
		"Mark.mark":    s.docs.oneOf("Mark"),
		"Mark.outcome": {{"type", "string"}, {"enum", list(events.OutcomeFallback, events.OutcomeUnanswered)}},
		"Mark.event":   str("The inbound event's id."),
		"Mark.openid":  str("The follower's OpenID."),
		"Mark.kind":    str("The inbound event's kind."),
		"Mark.try":     {{"description", "WeChat's try, from 1."}, {"type", "integer"}},
	},
		events.Mark{Mark: events.MarkTry, Event: "245171410000000001-5a1d09c2b7e4"},
		events.Mark{Mark: events.MarkClosed, Outcome: events.OutcomeUnanswered, Event: "245171410000000001-5a1d09c2b7e4", OpenID: "oQx7t0aBcDeFgHiJkLmNoPqRsTu0", Kind: "text", Try: 1},
	)
}

func (s *source) outcome() (schema, error) {
	return s.published("outcome", reflect.TypeFor[events.Outcome](), map[string]object{
		"Outcome.outcome": s.docs.oneOf("Outcome"),
	},
		events.Outcome{Outcome: events.OutcomeReplied, Try: 1, MS: 812, Source: "/shop", Sequence: 4711},
		events.Outcome{Outcome: events.OutcomeUnanswered, Try: 1, MS: 4500, Sequence: 4712},
	)
}

func (s *source) deadLetter() (schema, error) {
	_, own := s.docs.choices("events", "Class")
	return s.published("dlq", reflect.TypeFor[events.DeadLetter](), map[string]object{
		"DeadLetter.class": {{"description", paragraphs(own, s.actions())}, {"type", "string"}},
		"DeadLetter.outcome": {
			{"description", "That of the command's result, left out for what was no command. Of an unknown one WeChat may have executed the original."},
			{"type", "string"},
			{"enum", list(events.ResultRejected, events.ResultFailed, events.ResultExpired, events.ResultUnknown)},
		},
	}, events.DeadLetter{
		Reason: "msgtype \"txt\" is unknown", Class: events.ClassReplyInvalid,
		Subject: "wx.reply.245171410000000001-5a1d09c2b7e4", Body: `{"msgtype":"txt"}`,
	})
}

// actions describes the classes of what WeChat refuses.
func (s *source) actions() string {
	_, about := s.docs.choices("wxapi", "Class", string(wxapi.ClassOK))
	return about
}
