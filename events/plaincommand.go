package events

import (
	"bytes"
	"encoding/json"
	"strings"
	"time"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// envelope is what a command has of its event.
type envelope struct {
	id, source, eventType string
	extensions            map[string]any
	data                  json.RawMessage // an object, in valid UTF-8
}

// openPlain reads the envelope of a structured event as nearly all commands are,
// without an event around it: attributes that are plain at a glance, the data a
// JSON object. What it takes, [Decode] reads alike (FuzzOpenPlain); it says nothing
// about what it doesn't take.
func openPlain(header Header, body []byte) (e envelope, ok bool) {
	if len(header[contentTypeHeader]) == 0 || header[contentTypeHeader][0] != contentTypeEvent || !utf8.Valid(body) || !json.Valid(body) {
		return e, false
	}
	if body = bytes.TrimSpace(body); body[0] != '{' {
		return e, false
	}
	version, seen := "", 0
	once := func(bit int, good bool) bool {
		fresh := seen&bit == 0
		seen |= bit
		return fresh && good
	}
	ok = eachMember(body, func(name string, value json.RawMessage) bool {
		if name == "data" {
			e.data = value
			return once(1, value[0] == '{')
		}
		text, plain := plainText(value)
		if !plain {
			return false
		}
		switch name {
		case "specversion":
			version = text
			return once(2, true)
		case "id":
			e.id = text
			return once(4, strings.TrimSpace(text) != "")
		case "source":
			e.source = text
			return once(8, isPlainPath(text))
		case "type":
			e.eventType = text
			return once(16, strings.TrimSpace(text) != "")
		case "datacontenttype":
			return once(32, text == cloudevents.ApplicationJSON)
		case "dataschema":
			urn, isURN := strings.CutPrefix(text, "urn:wxbridge:")
			return once(64, isURN && isPlainPath(strings.ReplaceAll(urn, ":", "")))
		case "time":
			_, err := time.Parse(time.RFC3339Nano, text)
			return once(128, err == nil)
		case extPartitionKey, extTraceParent, extTraceState, extOnUnknown, extExpiry:
			if e.extensions[name] != nil {
				return false
			}
			if e.extensions == nil {
				e.extensions = map[string]any{}
			}
			e.extensions[name] = text
			return true
		}
		return false
	})
	const needed = 1 | 2 | 4 | 8 | 16
	return e, ok && seen&needed == needed && version == cloudevents.CloudEventsVersionV1
}

// isPlainPath says whether a text is a URI reference that is written as it is read:
// letters, digits and the marks that mean nothing to a URI but / and its like.
func isPlainPath(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '/', c == '-', c == '_', c == '.':
		default:
			return false
		}
	}
	return s != "" && s != "//" && !strings.HasPrefix(s, "///")
}
