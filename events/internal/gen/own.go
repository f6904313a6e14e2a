package gen

import (
	"reflect"

	"github.com/wxbridge/wxbridge/events"
)

// oneOf describes a field that has one of some constants as its value.
func (s *source) oneOf(values ...string) object {
	return obj("type", "string", "enum", list(values...))
}

// published is the schema of a type that the bridge itself publishes.
func (s *source) published(name string, t reflect.Type, instead map[string]object) (schema, error) {
	body, err := types{docs: s.docs, purpose: published, instead: instead}.described(t)
	return schema{name, body}, err
}

func (s *source) mark() (schema, error) {
	marks := []string{events.MarkTry, events.MarkClosed, events.MarkProbe}
	return s.published("mark", reflect.TypeFor[events.Mark](), map[string]object{
		"Mark.mark":    obj("description", s.docs.choices(marks...)).with(s.oneOf(marks...)),
		"Mark.outcome": s.oneOf(events.OutcomeFallback, events.OutcomeUnanswered),
	})
}

func (s *source) outcome() (schema, error) {
	outcomes := []string{events.OutcomeReplied, events.OutcomeReleased, events.OutcomeFallback, events.OutcomeUnanswered}
	return s.published("outcome", reflect.TypeFor[events.Outcome](), map[string]object{
		"Outcome.outcome": obj("description", s.docs.choices(outcomes...)).with(s.oneOf(outcomes...)),
	})
}

func (s *source) deadLetter() (schema, error) {
	return s.published("dlq", reflect.TypeFor[events.DeadLetter](), nil)
}
