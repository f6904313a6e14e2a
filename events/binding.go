package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// Names that the CloudEvents NATS protocol binding (v1.0.2) fixes.
const (
	contentTypeHeader = "Content-Type"
	contentTypeEvent  = "application/cloudevents+json"
	contentTypeEvents = "application/cloudevents"
	attributeHeader   = "ce-"
)

// EncodeStructured writes an event in structured mode, the only mode in which
// the bridge publishes: a reader without a CloudEvents library sees plain JSON.
func EncodeStructured(e cloudevents.Event) (Header, []byte, error) {
	if err := e.Validate(); err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	body, err := e.MarshalJSON()
	if err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	return Header{contentTypeHeader: {contentTypeEvent}}, body, nil
}

// EncodeBinary writes an event in binary mode: attributes as percent-encoded
// ce- headers, the data as the body.
func EncodeBinary(e cloudevents.Event) (Header, []byte, error) {
	if err := e.Validate(); err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	// The JSON form already holds every attribute in its canonical string form.
	clone := e.Clone()
	clone.DataEncoded = nil
	whole, err := clone.MarshalJSON()
	if err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	attributes := map[string]any{}
	decoder := json.NewDecoder(bytes.NewReader(whole))
	decoder.UseNumber()
	if err := decoder.Decode(&attributes); err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	header := Header{}
	for name, value := range attributes {
		header[attributeHeader+name] = []string{percentEncode(fmt.Sprint(value))}
	}
	return header, e.Data(), nil
}

// Decode reads a message as a CloudEvent. isEvent is false for a bare message,
// which is no event at all; err is set when it says that it is one and is not.
//
// A JSON object with specversion is an event whatever its Content-Type says:
// few clients set the header that the binding asks for.
func Decode(header Header, body []byte) (e cloudevents.Event, isEvent bool, err error) {
	contentType := strings.ToLower(header.Get(contentTypeHeader))
	switch {
	case strings.HasPrefix(contentType, contentTypeEvents):
		e, err = decodeStructured(contentType, body)
		return e, true, err
	case attribute(header, "specversion") != "":
		e, err = decodeBinary(header, body)
		return e, true, err
	case hasSpecVersion(body):
		e, err = decodeStructured(contentType, body)
		return e, true, err
	default:
		return cloudevents.Event{}, false, nil
	}
}

func hasSpecVersion(body []byte) bool {
	var probe struct {
		SpecVersion *json.RawMessage `json:"specversion"`
	}
	return json.Unmarshal(body, &probe) == nil && probe.SpecVersion != nil
}

func decodeStructured(contentType string, body []byte) (cloudevents.Event, error) {
	if strings.HasPrefix(contentType, contentTypeEvents+"-batch") {
		return cloudevents.Event{}, errors.New("batch mode is not defined for NATS: publish one event a message")
	}
	var e cloudevents.Event
	if err := json.Unmarshal(body, &e); err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a structured CloudEvent: %w", err)
	}
	return e, validate(e)
}

func decodeBinary(header Header, body []byte) (cloudevents.Event, error) {
	e := cloudevents.New()
	attributes := map[string]string{}
	for name, values := range header {
		attr, ok := strings.CutPrefix(strings.ToLower(name), attributeHeader)
		if !ok || len(values) == 0 {
			continue
		}
		if _, twice := attributes[attr]; twice || len(values) > 1 {
			return cloudevents.Event{}, fmt.Errorf("header ce-%s stands twice", attr)
		}
		attributes[attr] = percentDecode(values[0])
	}
	// The JSON reader of the SDK knows every attribute's type; so binary mode
	// goes through it, and both modes obey one set of rules.
	whole, err := json.Marshal(attributes)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a binary CloudEvent: %w", err)
	}
	if err := json.Unmarshal(whole, &e); err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a binary CloudEvent: %w", err)
	}
	if e.DataContentType() == "" {
		if plain := header.Get(contentTypeHeader); plain != "" {
			e.SetDataContentType(plain)
		}
	}
	e.DataEncoded = body
	return e, validate(e)
}

// attribute finds a ce- header; NATS header names are case-sensitive, but
// clients canonicalise them in different ways.
func attribute(header Header, name string) string {
	for h, values := range header {
		if strings.EqualFold(h, attributeHeader+name) && len(values) > 0 {
			return values[0]
		}
	}
	return ""
}

func validate(e cloudevents.Event) error {
	if e.SpecVersion() != cloudevents.CloudEventsVersionV1 {
		return fmt.Errorf("specversion %q: only 1.0 is understood", e.SpecVersion())
	}
	if err := e.Validate(); err != nil {
		return fmt.Errorf("not a valid CloudEvent: %s", strings.Join(strings.Fields(err.Error()), " "))
	}
	return nil
}

const upperHex = "0123456789ABCDEF"

// percentEncode writes a header value: "U+0020, U+0022, U+0025 and everything
// outside U+0021–U+007E MUST be percent-encoded" as UTF-8 (binding §3.1.3.2).
func percentEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		switch c := s[i]; {
		case c <= ' ', c >= 0x7F, c == '"', c == '%':
			b.WriteByte('%')
			b.WriteByte(upperHex[c>>4])
			b.WriteByte(upperHex[c&15])
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// percentDecode is lenient: a value that some SDK sent raw is kept as it is,
// so is an escape that would not give UTF-8.
func percentDecode(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && i+2 < len(s) {
			hi, lo := unhex(s[i+1]), unhex(s[i+2])
			if hi >= 0 && lo >= 0 {
				b = append(b, byte(hi<<4|lo))
				i += 2
				continue
			}
		}
		b = append(b, s[i])
	}
	if !utf8.Valid(b) {
		return s
	}
	return string(b)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}
