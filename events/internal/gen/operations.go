package gen

import (
	"reflect"

	"github.com/wxbridge/wxbridge/events"
)

// verbMessages are the commands or the results; a verb that is answered on
// wx.call alone has neither.
func (s *source) verbMessages(b events.Branch) object {
	var all object
	for _, row := range s.verbs {
		if row.CallOnly {
			continue
		}
		summary := firstSentence(s.about(row))
		if b == events.Results {
			summary = "The result of " + row.Name + "."
		}
		all = append(all, member{row.Name, s.event(b, name(b, row.Name), summary, row.Doc)})
	}
	return all
}

// callMessages are the requests of every verb: the data alone.
func (s *source) callMessages() object {
	var all object
	for _, row := range s.verbs {
		all = append(all, member{row.Name, obj(
			"name", name(events.Call, row.Name), "title", name(events.Call, row.Name), "summary", firstSentence(s.about(row)),
			"contentType", contentTypeJSON, "payload", ref("#/components/schemas/"+name(events.Cmd, row.Name)),
			"externalDocs", page(row.Doc),
		)})
	}
	for _, call := range events.OwnCalls() {
		all = append(all, member{call.Name, obj(
			"name", name(events.Call, call.Name), "title", name(events.Call, call.Name), "summary", firstSentence(s.aboutOwn(call)),
			"contentType", contentTypeJSON, "payload", ref("#/components/schemas/"+name(events.Call, call.Name)),
		)})
	}
	return all
}

// aboutOwn is what one of the bridge's own calls does.
func (s *source) aboutOwn(call events.OwnCall) string {
	return s.docs.text["events."+reflect.TypeOf(call.Request).Name()]
}

// answerMessages are the answers of every verb: the result alone.
func (s *source) answerMessages() object {
	headers := obj("type", "object", "properties", obj(
		"Nats-Service-Error", str("What went wrong, in one line."),
		"Nats-Service-Error-Code", str("WeChat's errcode, else the class or the outcome."),
	))
	var all object
	for _, row := range s.verbs {
		all = append(all, member{row.Name, obj(
			"name", "answer."+row.Name, "title", "answer."+row.Name, "summary", "The result of "+row.Name+".",
			"contentType", contentTypeJSON, "headers", headers,
			"payload", ref("#/components/schemas/"+name(events.Results, row.Name)),
		)})
	}
	for _, call := range events.OwnCalls() {
		all = append(all, member{call.Name, obj(
			"name", name(answers, call.Name), "title", name(answers, call.Name), "summary", "The result of "+call.Name+".",
			"contentType", contentTypeJSON, "headers", headers,
			"payload", ref("#/components/schemas/"+name(answers, call.Name)),
		)})
	}
	return all
}

// verbOperations are the commands and calls of every verb, and the results.
func (s *source) verbOperations() object {
	var commands, calls object
	for _, row := range s.verbs {
		operation := func(b events.Branch, answers string) object {
			summary, about := firstSentence(s.about(row)), s.about(row)
			o := obj("action", "receive", "channel", ref("#/channels/"+string(b)), "summary", summary)
			if about != summary {
				o = o.plus("description", about)
			}
			o = o.plus("externalDocs", page(row.Doc))
			if b == events.Call {
				o = o.plus("bindings", ref("#/components/operationBindings/call"))
			}
			o = o.plus("messages", refs(string(b), []string{row.Name}))
			o = o.plus("reply", obj("channel", ref("#/channels/"+answers), "messages", refs(answers, []string{row.Name})))
			return o
		}
		calls = append(calls, member{name(events.Call, row.Name), operation(events.Call, "answer")})
		if !row.CallOnly {
			commands = append(commands, member{name(events.Cmd, row.Name), operation(events.Cmd, string(events.Results))})
		}
	}
	for _, call := range events.OwnCalls() {
		about := s.aboutOwn(call)
		o := obj("action", "receive", "channel", ref("#/channels/"+string(events.Call)), "summary", firstSentence(about), "description", about)
		o = o.plus("bindings", ref("#/components/operationBindings/call"))
		o = o.plus("messages", refs(string(events.Call), []string{call.Name}))
		o = o.plus("reply", obj("channel", ref("#/channels/answer"), "messages", refs("answer", []string{call.Name})))
		calls = append(calls, member{name(events.Call, call.Name), o})
	}
	return append(commands, calls...)
}
