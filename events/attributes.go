package events

import (
	"bytes"
	"maps"
	"slices"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// attributesJSON writes the attributes of an event as a JSON object, each in its
// canonical form, and leaves room for more bytes after them.
func attributesJSON(e cloudevents.Event, more int) ([]byte, error) {
	const usual = 640 // bytes, of the attributes
	if c, ok := e.Context.(*cloudevents.EventContextV1); ok && onlyTexts(c.Extensions) {
		return textsJSON(make([]byte, 0, usual+more), c), nil
	}
	e.DataEncoded = nil
	var body bytes.Buffer
	err := cloudevents.WriteJson(&e, &body)
	return bytes.ToValidUTF8(body.Bytes(), []byte("\uFFFD")), err
}

// onlyTexts says whether the extensions are strings, which they are in all events
// of the bridge's own; what other types are in JSON the SDK knows.
func onlyTexts(extensions map[string]any) bool {
	for _, value := range extensions {
		if _, ok := value.(string); !ok {
			return false
		}
	}
	return true
}

// textsJSON does the SDK's work, in the SDK's order, without its stream and reflection.
func textsJSON(out []byte, c *cloudevents.EventContextV1) []byte {
	out = append(out, `{"specversion":"1.0"`...)
	member := func(name, value string) {
		out = append(append(append(out, `,"`...), name...), `":`...)
		out = appendString(out, value)
	}
	member("id", c.ID)
	member("source", c.Source.String())
	member("type", c.Type)
	if c.Subject != nil {
		member("subject", *c.Subject)
	}
	if c.DataContentType != nil {
		member("datacontenttype", *c.DataContentType)
	}
	if c.DataSchema != nil {
		member("dataschema", c.DataSchema.String())
	}
	if c.Time != nil {
		member("time", c.Time.String())
	}
	for _, name := range slices.Sorted(maps.Keys(c.Extensions)) {
		member(name, c.Extensions[name].(string))
	}
	return append(out, '}')
}

// appendString appends a JSON string.
func appendString(out []byte, s string) []byte {
	if isPlain(s) {
		return append(append(append(out, '"'), s...), '"')
	}
	quoted, _ := marshal(s) // a string always encodes
	return append(out, quoted...)
}
