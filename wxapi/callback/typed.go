package callback

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Common is what the data of every kind begins with.
type Common struct {
	ToUserName   string `json:"ToUserName"`   // the account's original id, gh_…
	FromUserName string `json:"FromUserName"` // the follower's OpenID
	CreateTime   int64  `json:"CreateTime"`   // when WeChat made the message, Unix seconds
	MsgType      string `json:"MsgType"`      // the kind of message, or event
}

// Time returns CreateTime, in UTC.
func (c Common) Time() time.Time { return time.Unix(c.CreateTime, 0).UTC() }

// Unknown is the data of a kind without a row in the table.
type Unknown struct {
	Common
	Event    string                     `json:"Event,omitzero"` // empty for messages
	MsgID    string                     `json:"MsgId,omitzero"` // empty for events
	Elements map[string]json.RawMessage `json:"-"`              // all there are, those above included
}

// UnmarshalJSON reads the data of an event.
func (d *Unknown) UnmarshalJSON(data []byte) error {
	if err := unmarshal(data, d); err != nil {
		return err
	}
	return json.Unmarshal(data, &d.Elements)
}

// New returns a pointer to a new struct for the data of the kind, *[TextMessage] for text; for a
// kind without a row an *[Unknown].
func (k Kind) New() any {
	if fresh, ok := typed[k.Name]; ok {
		return fresh()
	}
	return new(Unknown)
}

// Decode reads the data of an event, which is what [Message.JSON] returned, into the struct of its
// kind. It returns the pointer that [Kind.New] makes. Whatever [Parse] took can be decoded.
func Decode(kind string, data []byte) (any, error) {
	into := Kind{Name: kind}.New()
	if err := json.Unmarshal(data, into); err != nil {
		return nil, fmt.Errorf("callback: data of kind %s: %w", kind, err)
	}
	return into, nil
}

// fresh is what the generated table holds for each kind.
func fresh[T any]() any { return new(T) }

// unmarshal reads a JSON object into the struct that into points to. It is all that the UnmarshalJSON
// methods do, and differs from the standard library's reading in two ways.
//
// Names are matched exactly. The standard library takes <fromusername> for FromUserName, and so might
// believe an element that a follower's words only look like (see the package page).
//
// A value of another form than its row says is no error: it is read like [Message.Value] would where
// that makes sense (a number as a string and the reverse, of several the first), and otherwise the
// field stays zero.
func unmarshal(data []byte, into any) error {
	return readObject(data, reflect.ValueOf(into).Elem())
}

func readObject(data []byte, into reflect.Value) error {
	var elements map[string]json.RawMessage
	if err := json.Unmarshal(data, &elements); err != nil {
		return err
	}
	for _, field := range reflect.VisibleFields(into.Type()) {
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		if raw, ok := elements[name]; ok && !field.Anonymous {
			readField(raw, into.FieldByIndex(field.Index))
		}
	}
	return nil
}

// readField takes the types that the generator writes: string, int64, float64, structs and slices.
func readField(raw json.RawMessage, into reflect.Value) {
	several := items(raw)
	if len(several) == 0 {
		return
	}
	if into.Kind() == reflect.Slice {
		into.Set(reflect.MakeSlice(into.Type(), len(several), len(several)))
		for i, item := range several {
			readField(item, into.Index(i))
		}
		return
	}
	switch value := scalar(several[0]); into.Kind() {
	case reflect.Struct:
		_ = readObject(several[0], into) // what is no object leaves it zero
	case reflect.String:
		into.SetString(value)
	case reflect.Int64:
		if n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64); err == nil {
			into.SetInt(n)
		}
	case reflect.Float64:
		if x, err := strconv.ParseFloat(strings.TrimSpace(value), 64); err == nil && !math.IsInf(x, 0) && !math.IsNaN(x) {
			into.SetFloat(x)
		}
	}
}

// items returns the values of an array, or the one value that stands alone; of null and "" none.
func items(raw json.RawMessage) []json.RawMessage {
	switch raw = bytes.TrimSpace(raw); {
	case raw[0] == '[':
		var several []json.RawMessage
		_ = json.Unmarshal(raw, &several) // a part of what was read already
		return several
	case string(raw) == "null", string(raw) == `""`:
		return nil
	}
	return []json.RawMessage{raw}
}

// scalar returns the text of a string, a number, true or false.
func scalar(raw json.RawMessage) string {
	var s string
	switch raw[0] {
	case '"':
		_ = json.Unmarshal(raw, &s) // likewise
	case '{', '[', 'n':
	default:
		s = string(raw)
	}
	return s
}
