package events

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// EncodeResult writes the result event of a command in structured mode: what
// [EncodeStructured] writes of [NewResult]. Of nearly all of them every text is
// plain, and they are written in one go (TestEncodeResult).
func EncodeResult(appID string, c Command, id string, at time.Time, r Result) ([]byte, error) {
	if plainResult(appID, c, id, at, r) {
		return writeResult(appID, c, id, at, r), nil
	}
	event, err := NewResult(appID, c, id, at, r)
	if err != nil {
		return nil, err
	}
	_, body, err := EncodeStructured(event)
	return body, err
}

// plainResult says whether all is written as it stands. What an event may not
// be is for the long way to say.
func plainResult(appID string, c Command, id string, at time.Time, r Result) bool {
	for _, text := range []string{
		appID, c.Verb, id, c.ID, c.PartitionKey, c.Trace.Parent, c.Trace.State,
		r.Outcome, r.ErrMsg, r.RID, r.Class, r.ResponseRef,
	} {
		if !isPlain(text) {
			return false
		}
	}
	// Blanks around these two are lost on the long way.
	if id != strings.TrimSpace(id) || c.PartitionKey != strings.TrimSpace(c.PartitionKey) {
		return false
	}
	return c.Verb != "" && id != "" && c.ID != "" && len(r.Warnings) == 0 && isName(appID) && isName(c.Verb) &&
		at.Year() >= 1 && at.Year() <= 9999 && (len(r.Response) == 0 || isCompact(r.Response))
}

// isPlain says whether a text stands in JSON as it is, whoever writes it.
func isPlain(text string) bool {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			return false
		}
	}
	return true
}

// isName says whether a text may stand in a URI or URN.
func isName(text string) bool {
	for i := range len(text) {
		if c := text[i]; (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// isCompact says whether JSON has no blanks between its values.
func isCompact(data json.RawMessage) bool {
	if !json.Valid(data) || !utf8.Valid(data) {
		return false
	}
	for at := 0; at < len(data); at++ {
		switch data[at] {
		case '"':
			at = skipString(data, at) - 1
		case ' ', '\t', '\n', '\r':
			return false
		}
	}
	return true
}

func writeResult(appID string, c Command, id string, at time.Time, r Result) []byte {
	b := make([]byte, 0, 640+len(r.Response))
	text := func(before, text string) { b = append(append(append(b, before...), text...), '"') }
	text(`{"specversion":"1.0","id":"`, id)
	text(`,"source":"`, Source(appID))
	text(`,"type":"`, Type(Results, c.Verb))
	if c.PartitionKey != "" {
		text(`,"subject":"`, c.PartitionKey)
	}
	text(`,"datacontenttype":"application/json","dataschema":"`, Schema(Results, c.Verb))
	b = append(at.UTC().AppendFormat(append(b, `,"time":"`...), time.RFC3339Nano), '"')
	text(`,"causationid":"`, c.ID)
	if c.PartitionKey != "" {
		text(`,"partitionkey":"`, c.PartitionKey)
	}
	if c.Trace.Parent != "" {
		text(`,"traceparent":"`, c.Trace.Parent)
		if c.Trace.State != "" {
			text(`,"tracestate":"`, c.Trace.State)
		}
	}
	text(`,"data":{"outcome":"`, r.Outcome)
	b = strconv.AppendInt(append(b, `,"errcode":`...), int64(r.ErrCode), 10)
	optional := func(before, value string) {
		if value != "" {
			text(before, value)
		}
	}
	optional(`,"errmsg":"`, r.ErrMsg)
	optional(`,"rid":"`, r.RID)
	optional(`,"class":"`, r.Class)
	b = strconv.AppendInt(append(b, `,"attempts":`...), int64(r.Attempts), 10)
	b = strconv.AppendInt(append(b, `,"elapsed_ms":`...), r.ElapsedMS, 10)
	if len(r.Response) > 0 {
		b = append(append(b, `,"response":`...), r.Response...)
	}
	optional(`,"response_ref":"`, r.ResponseRef)
	return append(b, '}', '}')
}

// TextMember is the text under a name in a JSON object, "" if there is none.
func TextMember(object []byte, name string) string {
	if !isObject(object) {
		return ""
	}
	value := memberOf(object, name)
	if len(value) == 0 || value[0] != '"' {
		return ""
	}
	return textOf(value)
}
