package events

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
)

// Decode reads a message as a CloudEvent. isEvent is false for a bare message,
// which is no event at all; err is set when it says that it is one and is not.
//
// A JSON object with specversion is an event whatever its Content-Type says:
// few clients set the header that the binding asks for.
func Decode(header Header, body []byte) (e cloudevents.Event, isEvent bool, err error) {
	contentType := strings.ToLower(lookup(header, contentTypeHeader))
	switch {
	case strings.HasPrefix(contentType, contentTypeEvents):
		e, err = decodeStructured(contentType, body)
		return e, true, err
	case isBinary(header):
		e, err = decodeBinary(header, body)
		return e, true, err
	case hasSpecVersion(body):
		e, err = decodeStructured(contentType, body)
		return e, true, err
	default:
		return cloudevents.Event{}, false, nil
	}
}

// hasSpecVersion takes the name in this case alone, as a struct would not.
func hasSpecVersion(body []byte) bool {
	// Most bare messages show at a glance that they have no such member.
	if !bytes.Contains(body, []byte("specversion")) && !bytes.Contains(body, []byte(`\u`)) {
		return false
	}
	if !json.Valid(body) {
		return false
	}
	return !isNull(memberOf(bytes.TrimSpace(body), "specversion"))
}

func decodeStructured(contentType string, body []byte) (cloudevents.Event, error) {
	if strings.HasPrefix(contentType, contentTypeEvents+"-batch") {
		return cloudevents.Event{}, errors.New("batch mode is not defined for NATS: publish one event a message")
	}
	if !utf8.Valid(body) { // encoding/json lets it pass
		return cloudevents.Event{}, errors.New("not a structured CloudEvent: not valid UTF-8")
	}
	if e, ok := decodePlain(body); ok {
		return e, nil
	}
	return decodeAny(body)
}

// decodeAny reads a structured event, and says what is wrong with what is none.
func decodeAny(body []byte) (cloudevents.Event, error) {
	var members map[string]json.RawMessage
	if err := json.Unmarshal(body, &members); err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a structured CloudEvent: %w", err)
	}
	data, base64Data := members["data"], members["data_base64"]
	delete(members, "data")
	delete(members, "data_base64")
	e, err := readAttributes(members)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a structured CloudEvent: %w", err)
	}
	if err := setData(&e, data, base64Data); err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a structured CloudEvent: %w", err)
	}
	return e, nil
}

// setData reads the data of the JSON format (§3.1): base64, a JSON value, or a
// string where the content type is another. A null is no data.
func setData(e *cloudevents.Event, data, base64Data json.RawMessage) error {
	var text string
	switch {
	case !isNull(data) && !isNull(base64Data):
		return errors.New("data and data_base64 exclude each other")
	case !isNull(base64Data):
		if err := json.Unmarshal(base64Data, &text); err != nil {
			return errors.New("data_base64 is not a string")
		}
		decoded, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return fmt.Errorf("data_base64: %w", err)
		}
		e.DataEncoded, e.DataBase64 = decoded, true
	case isNull(data):
	case isJSON(*e):
		e.DataEncoded = data
	default:
		if err := json.Unmarshal(data, &text); err != nil {
			return fmt.Errorf("data of type %s is not a string", e.DataMediaType())
		}
		e.DataEncoded = []byte(text)
	}
	return nil
}

func decodeBinary(header Header, body []byte) (cloudevents.Event, error) {
	members := map[string]json.RawMessage{}
	// In order, so that of two faults every process names the same.
	for _, name := range slices.Sorted(maps.Keys(header)) {
		values := header[name]
		attr, ok := strings.CutPrefix(strings.ToLower(name), attributeHeader)
		if !ok || len(values) == 0 {
			continue
		}
		if _, twice := members[attr]; twice || len(values) > 1 {
			return cloudevents.Event{}, fmt.Errorf("header ce-%s stands twice", attr)
		}
		if attr == "data" {
			return cloudevents.Event{}, errors.New("header ce-data: in binary mode the data is the body")
		}
		value, err := json.Marshal(percentDecode(values[0]))
		if err != nil {
			return cloudevents.Event{}, fmt.Errorf("not a binary CloudEvent: %w", err)
		}
		members[attr] = value
	}
	if _, set := members["datacontenttype"]; !set {
		// The binding says ce-datacontenttype; several SDKs send the other.
		if plain := lookup(header, contentTypeHeader); plain != "" {
			value, err := json.Marshal(plain)
			if err != nil {
				return cloudevents.Event{}, fmt.Errorf("not a binary CloudEvent: %w", err)
			}
			members["datacontenttype"] = value
		}
	}
	e, err := readAttributes(members)
	if err != nil {
		return cloudevents.Event{}, fmt.Errorf("not a binary CloudEvent: %w", err)
	}
	if len(body) > 0 {
		e.DataEncoded = body
	}
	return e, nil
}

// readAttributes reads the attributes of either mode, without data. The JSON
// reader of the SDK knows each attribute's type, but it may only see version
// 1.0 and no data: it panics at some data_base64 and at some events of version 0.3.
func readAttributes(members map[string]json.RawMessage) (cloudevents.Event, error) {
	var version string
	if json.Unmarshal(members["specversion"], &version) != nil || version != cloudevents.CloudEventsVersionV1 {
		return cloudevents.Event{}, fmt.Errorf("specversion %s: only \"1.0\" is understood", shown(members["specversion"]))
	}
	// The version first, then the names in order: of those before the version the
	// SDK makes a map, and with two faults, or one name in two cases, takes either.
	whole := []byte(`{"specversion":"1.0"`)
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !isAttributeName(name) {
			return cloudevents.Event{}, fmt.Errorf("attribute name %s: only a-z and 0-9 are allowed", shown([]byte(name)))
		}
		if name != "specversion" {
			whole = append(append(append(append(whole, `,"`...), name...), `":`...), members[name]...)
		}
	}
	whole = append(whole, '}')
	var e cloudevents.Event
	// Not by json.Unmarshal, which would look once more whether all of it is JSON.
	if err := e.UnmarshalJSON(whole); err != nil {
		return cloudevents.Event{}, err
	}
	if err := e.Validate(); err != nil {
		return cloudevents.Event{}, errors.New(faults(err))
	}
	return e, nil
}

func isAttributeName(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789") == ""
}

// faults names what is wrong with the attributes in a fixed order; the SDK's
// own text has them in a random one, and a verdict is the same everywhere.
func faults(err error) string {
	var byName cloudevents.ValidationError
	if !errors.As(err, &byName) {
		return err.Error()
	}
	var all []string
	for _, name := range slices.Sorted(maps.Keys(byName)) {
		all = append(all, name+": "+byName[name].Error())
	}
	return strings.Join(all, "; ")
}

// shown bounds what an error repeats of a stranger's message.
func shown(raw json.RawMessage) string {
	if len(raw) > 20 {
		raw = raw[:20]
	}
	return strconv.QuoteToASCII(string(raw))
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

// isJSON says whether the data is a JSON value; no type means it is.
func isJSON(e cloudevents.Event) bool {
	if e.DataContentType() == cloudevents.ApplicationJSON {
		return true // as it is of nearly all; to take a media type apart costs more
	}
	media := e.DataMediaType()
	return media == "" || media == "application/json" || media == "text/json" || strings.HasSuffix(media, "+json")
}

// isBinary says whether a message is an event in binary mode.
func isBinary(header Header) bool {
	for name, values := range header {
		if strings.EqualFold(name, attributeHeader+"specversion") && len(values) > 0 && values[0] != "" {
			return true
		}
	}
	return false
}

// lookup finds a header in any case: NATS header names are case-sensitive, but
// clients canonicalise them in different ways. Of several the first in order
// counts, so that every process takes the same.
func lookup(header Header, name string) string {
	found := ""
	for h, values := range header {
		if strings.EqualFold(h, name) && len(values) > 0 && (found == "" || h < found) {
			found = h
		}
	}
	return header.Get(found)
}
