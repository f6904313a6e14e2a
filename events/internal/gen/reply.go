package gen

import (
	"reflect"
	"strings"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// A text that is not blank, and a link or nothing.
var (
	notBlank = obj("type", "string", "pattern", `\S`)
	link     = obj("type", list("string", "null"), "pattern", `^$|^[hH][tT][tT][pP][sS]?://`)
)

// fit is what a passive reply needs beyond the fields that are there; see the
// Check methods of package callback. A test holds it against events.ParseReply.
var fit = map[string]object{
	"text":  {{"content", notBlank.with(obj("maxLength", events.MaxText))}},
	"image": {{"media_id", notBlank}},
	"voice": {{"media_id", notBlank}},
	"video": {{"media_id", notBlank}},
	"music": {{"thumb_media_id", notBlank}, {"musicurl", link}, {"hqmusicurl", link}},
	"news": {{"articles", obj(
		"type", "array", "minItems", 1, "maxItems", callback.MaxArticles,
		"items", obj("type", "object", "required", list("title"), "properties", object{{"title", notBlank}, {"url", link}, {"picurl", link}}),
	)}},
}

// replies are examples.
var replies = []any{
	obj("msgtype", "text", "text", obj("content", "hello")),
	obj("msgtype", "image", "image", obj("media_id", "k9_MediaIdImage0001")),
	obj("msgtype", "news", "news", obj("articles", []any{obj(
		"title", "Opening hours", "description", "Also on Sundays", "url", "https://example.com/hours", "picurl", "https://example.com/shop.jpg",
	)})),
	obj("msgtype", "msgmenu", "msgmenu", obj("head_content", "Did that help?", "list", []any{obj("id", "101", "content", "Yes"), obj("id", "102", "content", "No")})),
	obj("msgtype", events.MsgTransfer, "customservice", obj("kf_account", "test1@test")),
	obj("msgtype", events.MsgWait),
	obj("msgtype", events.MsgRelease),
}

// reply is the schema of a reply: the rule of events.ParseReply, as far as a
// schema can say it.
func (s *source) reply() (schema, error) {
	own := types{docs: s.docs, purpose: lenient}
	whole, err := own.of(reflect.TypeFor[events.Reply]())
	if err != nil {
		return schema{}, err
	}
	_, words := s.docs.choices("events", "Msg")
	properties, _ := whole.get("properties").(object)
	properties[0].value = obj(
		"description", paragraphs("What the reply is; the object of the same name holds it.", words),
		"type", "string", "enum", list(events.ReplyTypes()...),
	)
	// The types that only a custom message has are described where that is.
	custom, err := types{docs: s.docs, purpose: answered}.of(reflect.TypeFor[wxapi.SendCustomMessageRequest]())
	if err != nil {
		return schema{}, err
	}
	var branches []any
	for _, msgtype := range events.ReplyTypes() {
		described, _ := custom.get("properties").(object)
		about, ok := described.get(msgtype).(object)
		if ok && properties.get(msgtype) == nil {
			properties = append(properties, member{msgtype, obj("description", about.get("description"))})
		}
		if fields := events.ReplyFields(msgtype); len(fields) > 0 {
			branches = append(branches, when("msgtype", msgtype, obj(
				"properties", object{{msgtype, needs(msgtype, fields)}}, "required", list(msgtype))))
		}
	}
	return schema{"reply", obj(
		"description", paragraphs(s.docs.text["events.Reply"], "The text is at most 2,048 bytes of UTF-8; maxLength counts characters. What is no JSON object counts as bare text."),
		"oneOf", []any{
			obj(
				"title", "message", "type", "object", "properties", properties,
				"required", list("msgtype"), "allOf", branches,
				"examples", replies,
			),
			obj(
				"title", "bare text", "description", "The text of the answer; one that starts with { is read as JSON.",
				"type", "string", "maxLength", events.MaxText, "pattern", `\S`,
				"examples", list("hello"),
			),
		},
	)}, nil
}

// needs is the schema of a type's object with its required fields. A field
// that the passive form does not check may be anything but empty.
func needs(msgtype string, fields []string) object {
	var properties object
	var required []any
	for _, path := range fields {
		_, field, _ := strings.Cut(path, ".")
		required = append(required, field)
		if fit[msgtype].get(field) == nil {
			properties = append(properties, member{field, obj("not", obj("enum", []any{nil, "", []any{}, object{}}))})
		}
	}
	return obj("type", "object", "properties", fit[msgtype].with(properties), "required", required)
}
