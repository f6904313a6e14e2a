package callback

import (
	"cmp"
	"slices"
	"strings"
)

// Kind is a row of the table of what WeChat pushes.
type Kind struct {
	Name      string  // the last token of the subject: see [KindName]
	MsgType   string  // as WeChat writes it
	Event     string  // likewise; empty for messages
	Held      bool    // WeChat delivers a passive reply to it
	NewsLimit int     // how many articles a passive news reply may have
	Summary   string  // when WeChat pushes it, one sentence
	Doc       string  // WeChat's page about it
	Fields    []Field // all elements, the common ones included, in WeChat's order
}

// KindName returns the name of the kind of a MsgType and, where that is event, an Event: `text`,
// `event_subscribe`, `event_templatesendjobfinish`. It is total: what WeChat invents tomorrow has a
// name today. The name is one token of a NATS subject, 1 to 64 characters of [A-Za-z0-9_-]; any
// other character becomes `_`.
func KindName(msgType, event string) string {
	name := msgType
	if strings.EqualFold(msgType, "event") {
		// Event is of mixed case (subscribe, SCAN, scancode_push): the name is in lower case.
		name = "event_" + strings.Map(lower, event)
	}
	name = strings.Map(token, name)
	const longest = 64
	if name == "" {
		return "_"
	}
	return name[:min(len(name), longest)]
}

// lower is ASCII only: unicode.ToLower turns U+212A (the Kelvin sign) into a k.
func lower(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		return r + 'a' - 'A'
	}
	return r
}

func token(r rune) rune {
	if r < 0x80 && isWord(byte(r)) {
		return r
	}
	return '_'
}

// Kinds returns the table, sorted by name.
func Kinds() []Kind {
	all := slices.Clone(kinds)
	slices.SortFunc(all, func(a, b Kind) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

// kindAt is where in the table a name is.
var kindAt = func() map[string]int {
	at := make(map[string]int, len(kinds))
	for i, k := range kinds {
		at[k.Name] = i
	}
	return at
}()

// LookupKind returns the row of a name. For a name without a row it returns what holds for any such
// kind, and false: a message is held and an event is not.
func LookupKind(name string) (Kind, bool) {
	if at, ok := kindAt[name]; ok {
		return kinds[at], true
	}
	if strings.HasPrefix(name, "event_") {
		return event("", pageEvents, "An event without a row in this table.").named(name), false
	}
	return message("", pageMessages, "A message without a row in this table.").named(name), false
}

func (k Kind) named(name string) Kind {
	k.Name = name
	return k
}

// message makes the row of a MsgType. Follower messages are held, all of them.
func message(msgType, doc, summary string, fields ...Field) Kind {
	return Kind{
		Name: KindName(msgType, ""), MsgType: msgType, Held: true,
		// 当用户发送文本、图片、视频、图文、地理位置这五种消息时，开发者只能回复1条图文消息;
		// 其余场景最多可回复8条图文消息: one article in answer to those five, eight elsewhere. The
		// page doesn't name voice and shortvideo, where one is safe.
		NewsLimit: 1,
		Summary:   summary, Doc: doc,
		Fields: slices.Concat(common, fields, messageFields),
	}
}

// event makes the row of an Event that is not held.
func event(name, doc, summary string, fields ...Field) Kind {
	return Kind{
		Name: KindName("event", name), MsgType: "event", Event: name, NewsLimit: 8,
		Summary: summary, Doc: doc,
		Fields: slices.Concat(common, []Field{word("Event", "the kind of event, mixed case")}, fields),
	}
}

// held makes the row of an Event that a passive reply can answer.
func held(k Kind) Kind {
	k.Held = true
	return k
}
