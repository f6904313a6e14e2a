package gen

import (
	"fmt"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// inbound is the schema of a kind's data, from its table of elements.
func (s *source) inbound(k callback.Kind) (object, error) {
	samples, err := s.sample("wxapi/callback/testdata/samples/" + k.Name + ".json")
	if err != nil {
		return nil, err
	}
	answer := "WeChat delivers no passive reply to it."
	if k.Held {
		answer = fmt.Sprintf("A passive reply is delivered; articles of a news reply: at most %d.", k.NewsLimit)
	}
	properties, err := elements(k.Fields, k)
	if err != nil {
		return nil, err
	}
	required := list("ToUserName", "FromUserName", "CreateTime", "MsgType")
	if k.Event != "" {
		required = append(required, "Event")
	}
	return obj(
		"description", k.Summary+" "+answer+"\n\n"+k.Doc,
		"$comment", "WeChat's own elements; those that are not listed are kept.",
		"type", "object",
		"properties", properties,
		"required", required,
		"examples", samples,
	), nil
}

func elements(fields []callback.Field, k callback.Kind) (object, error) {
	var properties object
	for _, f := range fields {
		one, err := element(f, k)
		if err != nil {
			return nil, err
		}
		properties = append(properties, member{f.Name, one})
	}
	return properties, nil
}

func element(f callback.Field, k callback.Kind) (object, error) {
	var s object
	switch f.Type {
	case callback.TypeText, callback.TypeWord, callback.TypeID:
		s = obj("type", "string")
	case callback.TypeInteger:
		s = obj("type", list("integer", "string"))
	case callback.TypeNumber:
		s = obj("type", list("number", "string"))
	case callback.TypeObject:
		inner, err := elements(f.Fields, k)
		if err != nil {
			return nil, err
		}
		s = obj("type", "object", "properties", inner)
	default:
		return nil, fmt.Errorf("%s: no schema for type %q", f.Name, f.Type)
	}
	switch {
	case f.Name == "CreateTime": // the one number that a message is not read without
		s = obj("type", "integer")
	case f.Name == "MsgType" && k.Event == "":
		s = append(s, member{"const", k.MsgType})
	}
	if f.Repeated {
		s = obj("anyOf", []any{s, obj("type", "array", "items", s)})
	}
	return obj("description", f.Doc).with(s), nil
}
