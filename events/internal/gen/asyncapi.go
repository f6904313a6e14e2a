package gen

import (
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const (
	contentTypeEvent = "application/cloudevents+json"
	contentTypeJSON  = "application/json"
)

// asyncAPI is the AsyncAPI 3.0 document of the bridge as an application: it
// sends what it publishes and receives what services publish.
func (s *source) asyncAPI(schemas []schema) object {
	return obj(
		"asyncapi", "3.0.0",
		"info", obj(
			"title", "wxbridge",
			"version", "1.0.0",
			"description", "The bridge between WeChat Official Accounts and NATS JetStream, seen from the bridge: it sends what it publishes and receives what your services publish.\n\n"+s.docs.markdown("events"),
		),
		"defaultContentType", contentTypeEvent,
		"servers", obj("nats", obj(
			"host", "{host}", "protocol", "nats",
			"description", "The company's NATS server with JetStream (WX_NATS_URL), or the one inside `wxbridge run`.",
			"variables", obj("host", obj("default", "127.0.0.1:4222")),
		)),
		"channels", s.channels(),
		"operations", s.operations(),
		"components", obj(
			"schemas", s.components(schemas),
			"parameters", obj("prefix", obj(
				"description", "The account's place on the bus, WX_PREFIX: tokens of [a-z0-9_] with dots between them. Streams and buckets are named from it in upper case.",
				"default", "wx", "examples", list("wx", "wx.shop"),
			)),
			"operationBindings", obj("call", obj("nats", obj("queue", "q", "bindingVersion", "0.1.0"))),
		),
	)
}

func ref(path string) object { return object{{"$ref", path}} }

// refs points at messages of a channel.
func refs(channel string, messages []string) []any {
	var all []any
	for _, m := range messages {
		all = append(all, ref("#/channels/"+channel+"/messages/"+m))
	}
	return all
}

// components are the data schemas and the CloudEvents around them.
func (s *source) components(schemas []schema) object {
	all := envelopes()
	for _, one := range schemas {
		all = append(all, member{one.name, ref("./" + one.name + ".json")})
	}
	return all
}

// channel makes one of the branches of the subject tree; parameter is what its
// last token is called.
func channel(b events.Branch, parameter, about, means string, messages object) member {
	return member{string(b), obj(
		"address", "{prefix}."+string(b)+".{"+parameter+"}",
		"description", about,
		"messages", messages,
		"parameters", obj("prefix", ref("#/components/parameters/prefix"), parameter, obj("description", means)),
	)}
}

func (s *source) channels() object {
	const kind = "The name of a kind: MsgType, or event_ and the Event in lower case."
	const key = "The inbound event's id."
	const verb = "The name of a verb, for example send_custom_message."
	return object{
		channel(events.Inbound, "kind", "Follower messages and events, one message each. Stream <PREFIX>_INBOUND, 7 days.", kind, s.inboundMessages()),
		channel(events.Replies, "key", "Answers to one inbound event; its wxreplyto names this subject. The first valid one decides. Stream <PREFIX>_REPLY, 10 minutes.", key, s.replyMessages()),
		{"respond", obj(
			"title", "wxreplyto",
			"address", nil,
			"description", "Where an inbound event wants its answer: the subject in wxreplyto, or for a plain NATS subscriber the reply subject of the message.",
			"messages", s.replyMessages(),
		)},
		channel(events.Marks, "key", "The bridge's own words in the log of an event, in one order with the replies. Nobody else may publish here. Stream <PREFIX>_REPLY.", key, obj("mark", s.event(events.Marks, "mark", "", ""))),
		channel(events.Outcomes, "kind", "How each held event ended. Stream <PREFIX>_OUTCOME, 24 hours.", kind, obj("outcome", s.event(events.Outcomes, "outcome", "", ""))),
		channel(events.Cmd, "verb", "Commands: WeChat's own request bodies, in a CloudEvent or bare. The id, or of a bare body the header Nats-Msg-Id, makes a repeated command do nothing. Fields that a verb does not know are passed on and named in the result's warnings. Stream <PREFIX>_CMD, a work queue.", verb, s.verbMessages(events.Cmd)),
		channel(events.Results, "verb", "The one terminal result of each command. Stream <PREFIX>_RESULT, 7 days.", verb, s.verbMessages(events.Results)),
		channel(events.DLQ, "name", "What could not be processed, with the reason and the original. Stream <PREFIX>_DLQ, 30 days.", "A verb's name or a kind's.", obj("dlq", s.event(events.DLQ, "dlq", "", ""))),
		channel(events.Call, "verb", "The same verbs as a NATS request, answered at once: for reads, for what carries credentials. In no stream. What changes something and carries an id (the event's, or Nats-Msg-Id) is done once in 7 days: asked again it answers the same.", verb, s.callMessages()),
		{"answer", obj(
			"title", "the caller's inbox",
			"address", nil,
			"description", "The reply subject of a NATS request. An outcome other than done also stands in the headers Nats-Service-Error and Nats-Service-Error-Code.",
			"messages", s.answerMessages(),
		)},
	}
}

// heldKinds are the names of the kinds that are held, or of those that are not;
// there are some of either among those that have no message.
func (s *source) heldKinds(held bool) []string {
	names := []string{unlistedMessage}
	for _, k := range s.kinds {
		if k.Held == held {
			names = append(names, k.Name)
		}
	}
	return names
}

func (s *source) operations() object {
	sends := func(name string, b events.Branch, about string, messages []string) member {
		return member{name, obj(
			"action", "send", "channel", ref("#/channels/"+string(b)), "summary", about, "messages", refs(string(b), messages),
		)}
	}
	held := sends("inbound.held", events.Inbound, "A follower's message or event that a passive reply can answer, until wxdeadline.", s.heldKinds(true))
	respond := object{
		{"address", obj("location", "$message.payload#/wxreplyto")},
		{"channel", ref("#/channels/respond")},
	}
	held.value = append(held.value.(object), member{"reply", respond})
	all := object{
		held,
		sends("inbound.unheld", events.Inbound, "An event to which WeChat delivers no passive reply; an answer becomes a custom message.", s.heldKinds(false)),
		{"reply", obj(
			"action", "receive", "channel", ref("#/channels/reply"), "summary", "An answer of your service to an inbound event.",
			"messages", refs("reply", []string{"reply", "reply.bare", "reply.text"}),
		)},
		sends("mark", events.Marks, "The bridge's own markers.", []string{"mark"}),
		sends("outcome", events.Outcomes, "The outcome of a held event, once; a second one if a reply came late.", []string{"outcome"}),
		sends("dlq", events.DLQ, "A dead letter.", []string{"dlq"}),
	}
	return append(all, s.verbOperations()...)
}

// unlistedMessage is of the kinds that have no message of their own.
const unlistedMessage = "unlisted"

// inboundMessages are those of every kind.
func (s *source) inboundMessages() object {
	var all object
	unlisted := s.event(events.Inbound, string(events.Inbound), "A kind that has no message here: WeChat's elements all the same.", "")
	unlisted = unlisted.replace("title", "inbound, other kinds")
	for _, k := range s.kinds {
		all = append(all, member{k.Name, s.event(events.Inbound, name(events.Inbound, k.Name), firstSentence(k.Summary), k.Doc)})
	}
	return append(all, member{unlistedMessage, unlisted})
}

// replyMessages are the forms that a reply may have.
func (s *source) replyMessages() object {
	return object{
		{"reply", s.event(events.Replies, "reply", "", "")},
		{"reply.bare", obj(
			"name", "reply.bare", "title", "reply, bare", "summary", "The data alone, without a CloudEvent.", "contentType", contentTypeJSON,
			"payload", obj("allOf", []any{ref("#/components/schemas/reply"), obj("type", "object", "not", obj("required", list("specversion")))}),
		)},
		{"reply.text", obj(
			"name", "reply.text", "title", "reply, bare text", "summary", "Any other bytes of UTF-8 are the text of the answer, at most 2,048 of them.", "contentType", "text/plain",
			"payload", obj("type", "string", "maxLength", callback.MaxTextBytes),
		)},
	}
}
