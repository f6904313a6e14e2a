package gen

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// inbound is the schema of a kind's data, from its table of elements.
func (s *source) inbound(k callback.Kind) (object, error) {
	samples, err := s.shapes(k.Name)
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
	if slices.ContainsFunc(k.Fields, func(f callback.Field) bool { return f.Name == "MediaId" }) {
		file, err := types{docs: s.docs, purpose: published}.of(reflect.TypeFor[events.File]())
		if err != nil {
			return nil, err
		}
		about := "The file itself, if the bridge has fetched it before it stored the event (WX_MEDIA_FETCH); else get_media gets it by the MediaId. Of a voice with a MediaId16K it is that one."
		properties = append(properties, member{"media", obj("description", about).with(file)})
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

// unlisted is the schema of the kinds that have none of their own.
func (s *source) unlisted() (schema, error) {
	samples, err := s.sample("wxapi/callback/testdata/samples/event_invented_tomorrow~unknown.json")
	if err != nil {
		return schema{}, err
	}
	known, _ := callback.LookupKind("text")
	properties, err := elements(slices.DeleteFunc(slices.Clone(known.Fields), func(f callback.Field) bool {
		return !slices.Contains([]string{"ToUserName", "FromUserName", "CreateTime", "MsgType", "MsgId"}, f.Name)
	}), callback.Kind{Event: "any"})
	if err != nil {
		return schema{}, err
	}
	return schema{string(events.Inbound), obj(
		"description", "An inbound event of a kind that has no schema of its own, because WeChat invented it later or no page describes it. A message is held for a passive reply, an event is not.",
		"$comment", "WeChat's own elements, all of them: strings, objects of elements, and arrays of what is there several times.",
		"type", "object",
		"properties", append(properties, member{"Event", str("What happened, if MsgType is event.")}),
		"required", list("ToUserName", "FromUserName", "CreateTime", "MsgType"),
		"examples", samples,
	)}, nil
}

// shapes are a kind's samples: the plain one, and of the others those that have
// another shape than the ones before, a list of one for example.
func (s *source) shapes(kind string) ([]any, error) {
	const folder = "wxapi/callback/testdata/samples/"
	others, err := fs.Glob(s.root, folder+kind+"~*.json")
	if err != nil {
		return nil, err
	}
	var all []any
	seen := map[string]bool{}
	for _, file := range append([]string{folder + kind + ".json"}, others...) {
		if strings.HasSuffix(file, ".in.json") {
			continue
		}
		one, err := s.sample(file)
		if err != nil || len(one) == 0 {
			return nil, err
		}
		var value any
		if err := json.Unmarshal(one[0].(json.RawMessage), &value); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		if shape := shapeOf(value); !seen[shape] {
			seen[shape] = true
			all = append(all, one...)
		}
	}
	return all, nil
}

// shapeOf is what a JSON value looks like without its words and numbers.
func shapeOf(value any) string {
	switch v := value.(type) {
	case map[string]any:
		var b strings.Builder
		for _, name := range slices.Sorted(maps.Keys(v)) {
			b.WriteString(name + ":" + shapeOf(v[name]) + ",")
		}
		return "{" + b.String() + "}"
	case []any:
		return "[]"
	}
	return fmt.Sprintf("%T", value)
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
	case f.Name == "Event" && k.Event != "": // read in any case, so it is no const
		return obj("description", "WeChat writes "+k.Event+"; compare without case.").with(s), nil
	}
	if f.Repeated {
		s = obj("anyOf", []any{s, obj("type", "array", "items", s)})
	}
	return obj("description", f.Doc).with(s), nil
}
