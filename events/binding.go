package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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
	body, err := attributesJSON(e, len(e.DataEncoded))
	if err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	// The SDK would write data that are no JSON as they are, and data of a type
	// …+json as a string; so the data are written here.
	data, name := json.RawMessage(e.DataEncoded), "data"
	switch {
	case e.DataEncoded == nil:
		return Structured(), body, nil
	case e.DataBase64 || !isJSON(e) && !utf8.Valid(data):
		name = "data_base64"
		data, err = marshal(e.DataEncoded)
	case !isJSON(e):
		data, err = marshal(string(data))
	case !json.Valid(data) || !utf8.Valid(data):
		err = errors.New("the data is not JSON in UTF-8, and its datacontenttype says that it is")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	body = append(body[:len(body)-1], `,"`+name+`":`...)
	body = append(append(body, data...), '}')
	return Structured(), body, nil
}

// Structured is the header of an event in structured mode.
func Structured() Header { return Header{contentTypeHeader: {contentTypeEvent}} }

// EncodeBinary writes an event in binary mode: attributes as percent-encoded
// ce- headers, the data as the body.
func EncodeBinary(e cloudevents.Event) (Header, []byte, error) {
	if err := e.Validate(); err != nil {
		return nil, nil, fmt.Errorf("event %q: %w", e.ID(), err)
	}
	// The JSON form already holds every attribute in its canonical string form.
	whole, err := attributesJSON(e, 0)
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
