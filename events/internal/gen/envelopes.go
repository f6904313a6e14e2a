package gen

import (
	"github.com/wxbridge/wxbridge/events"
)

func str(about string) object { return obj("description", about, "type", "string") }

func when3339(about string) object { return str(about).with(obj("format", "date-time")) }

// envelopes are the CloudEvents around the data, one schema for each branch.
func envelopes() object {
	base := obj(
		"description", "What every CloudEvent of the bridge has. Further attributes are allowed; their names are [a-z0-9].",
		"type", "object",
		"properties", obj(
			"specversion", obj("const", "1.0"),
			"id", str("Unique within the source."),
			"source", str("Who says it: //mp.weixin.qq.com/<appid> for the bridge, any URI reference for your service."),
			"type", str("com.qq.weixin.mp. and the subject after the prefix."),
			"subject", str("The follower's OpenID, where there is one."),
			"time", when3339("When it happened."),
			"datacontenttype", str("application/json"),
			"dataschema", str("The $id of the schema of the data."),
			"partitionkey", str("The follower's OpenID: what has the same is in order."),
			"traceparent", str("W3C trace context, carried from HTTP to bus to HTTP."),
			"tracestate", str("Likewise."),
		),
		"required", list("specversion", "id", "source", "type"),
	)
	envelope := func(b events.Branch, about string, required []any, attributes object) member {
		return member{"event." + string(b), obj("allOf", []any{
			ref("#/components/schemas/event"),
			obj("description", about, "type", "object", "properties", attributes, "required", required),
		})}
	}
	correlation := str("The inbound event's id.")
	causation := str("The id of the reply or command that caused it.")
	redrive := str("How many times the command was sent again from a dead letter, in digits; the bridge sets it.")
	return object{
		{"event", base},
		envelope(events.Inbound, "Of an inbound event. The id is made from the message alone, so WeChat's retries have the same.", list("time", "subject", "wxreplyto"), obj(
			"wxreplyto", str("The subject to publish the reply on."),
			"wxdeadline", when3339("Until when a passive reply can still go out; only of held events."),
		)),
		envelope(events.Replies, "Of a reply, from your service.", nil, obj("correlationid", str("The inbound event's id; welcome, but the subject alone decides."))),
		envelope(events.Marks, "Of a marker.", list("time"), obj("correlationid", correlation)),
		envelope(events.Outcomes, "Of an outcome; the id is the inbound event's and .out.", list("time", "correlationid"), obj("correlationid", correlation, "causationid", causation)),
		envelope(events.Cmd, "Of a command, from your service. The id is the idempotency key: unique within the prefix for 7 days, at most 255 bytes.", nil, obj(
			"expirytime", when3339("When the command's life ends, at most 6 days ahead; without it after 3 days."),
			"wxonunknown", str("What to do when nobody can know whether WeChat executed it; report without.").with(obj("enum", list(events.OnUnknownReport, events.OnUnknownResend))),
			"wxredrive", redrive,
		)),
		envelope(events.Results, "Of a result; the id is the command's and .res.", list("time", "causationid"), obj("causationid", causation)),
		envelope(events.DLQ, "Of a dead letter.", list("time"), obj("causationid", causation, "wxredrive", redrive)),
	}
}

// event is a message: a CloudEvent in structured mode with data of one schema.
func (s *source) event(b events.Branch, data, summary, doc string) object {
	eventType := obj("type", obj("const", "com.qq.weixin.mp."+data), "dataschema", obj("const", "urn:wxbridge:"+data+":1"))
	correlation := "$message.payload#/id"
	if data == string(events.Inbound) { // the type has the kind as its end
		eventType = obj("dataschema", obj("const", "urn:wxbridge:"+data+":1"))
	}
	switch b {
	case events.Replies, events.Cmd:
		// Only what names another of our types is refused; the rest is the sender's own.
		eventType = nil
		if b == events.Replies {
			correlation = ""
		}
	case events.Outcomes, events.DLQ:
		eventType = nil // the type has the kind or verb as its end
		correlation = "$message.payload#/causationid"
		if b == events.Outcomes {
			correlation = "$message.payload#/correlationid"
		}
	case events.Results:
		correlation = "$message.payload#/causationid"
	case events.Marks:
		correlation = "$message.payload#/correlationid"
	}
	m := obj("name", data, "title", data, "summary", summary)
	if correlation != "" {
		m = m.plus("correlationId", obj("location", correlation))
	}
	m = m.plus("payload", obj("allOf", []any{
		ref("#/components/schemas/event." + string(b)),
		obj(
			"type", "object",
			"properties", eventType.with(obj("data", ref("#/components/schemas/"+data))),
			"required", list("data"),
		),
	}))
	m = m.plus("externalDocs", page(doc))
	return m
}

// page links to WeChat's documentation.
func page(url string) object {
	if url == "" {
		return nil
	}
	return obj("description", "WeChat's page", "url", url)
}
