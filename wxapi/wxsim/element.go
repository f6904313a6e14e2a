package wxsim

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// element is one element of a document that is to be pushed.
type element struct {
	name  string
	value json.RawMessage
}

// elementList is a document in its order.
type elementList []element

// readElements reads a JSON object in its order.
func readElements(data json.RawMessage) (elementList, error) {
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, wrong("the body is empty: send what the follower does, for example %s", pushExample)
	}
	if err := json.Unmarshal(data, new(map[string]json.RawMessage)); err != nil {
		return nil, wrong("the body is no JSON object such as %s: %v", pushExample, err)
	}
	var list elementList
	decoder := json.NewDecoder(bytes.NewReader(data))
	if _, err := decoder.Token(); err != nil {
		return nil, wrong("the body is no JSON object such as %s: %v", pushExample, err)
	}
	for decoder.More() {
		name, err := decoder.Token()
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return nil, wrong("the body is no JSON object such as %s: %v", pushExample, err)
		}
		text, _ := name.(string)
		if _, twice := list.get(text); twice {
			return nil, wrong("%q stands there twice", text)
		}
		list = append(list, element{text, value})
	}
	return list, nil
}

// check refuses slips that would make another event than the one that was meant.
func (l elementList) check(openID, msgType, event string, kind callback.Kind, known bool) error {
	switch {
	case msgType == "":
		for _, e := range l {
			if strings.EqualFold(e.name, "MsgType") && e.name != "MsgType" {
				return wrong("%q is written %q", e.name, "MsgType")
			}
		}
		return wrong("MsgType is missing: send what the follower does, for example %s", pushExample)
	case msgType == "event" && event == "":
		return wrong(`an event needs its Event, for example {"MsgType":"event","Event":"subscribe"}`)
	case known && msgType == "event" && event != kind.Event:
		return wrong("Event %q is written %q", event, kind.Event)
	}
	if row, ok := callback.LookupKind(strings.ToLower(msgType)); !known && ok && msgType != row.MsgType {
		return wrong("MsgType %q is written %q", msgType, row.MsgType)
	}
	if from, given := l.get("FromUserName"); given && string(from) != string(encode(openID)) {
		return wrong("FromUserName is somebody else than the follower who pushes: leave it out")
	}
	for _, e := range l {
		for _, field := range kind.Fields {
			if e.name != field.Name && strings.EqualFold(e.name, field.Name) {
				return wrong("%q is written %q", e.name, field.Name)
			}
		}
	}
	return nil
}

func (l elementList) get(name string) (json.RawMessage, bool) {
	i := slices.IndexFunc(l, func(e element) bool { return e.name == name })
	if i < 0 {
		return nil, false
	}
	return l[i].value, true
}

func (l elementList) text(name string) string {
	var s string
	value, _ := l.get(name)
	_ = json.Unmarshal(value, &s) // what is no string is as good as missing
	return s
}

func (l elementList) or(name string, value any) json.RawMessage {
	if given, ok := l.get(name); ok {
		return given
	}
	return encode(value)
}

func (l elementList) without(those elementList) elementList {
	return slices.DeleteFunc(slices.Clone(l), func(e element) bool {
		_, there := those.get(e.name)
		return there
	})
}

func (l elementList) object() []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range l {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(encode(e.name))
		b.WriteByte(':')
		b.Write(e.value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
