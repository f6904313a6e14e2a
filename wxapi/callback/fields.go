package callback

// FieldType says what an element holds and how it is written in JSON.
type FieldType string

// The types. The difference between a text and a word matters when a document is ambiguous: only a
// text can hold what a stranger wrote (see tolerant.go).
const (
	TypeText    FieldType = "text"    // words of a follower or of another outsider: a string
	TypeWord    FieldType = "word"    // words of WeChat or of the account: a string
	TypeID      FieldType = "id"      // a number past 2^53, that JavaScript would round: a string
	TypeInteger FieldType = "integer" // a number; a string where WeChat sends something else
	TypeNumber  FieldType = "number"  // likewise, with a fraction
	TypeObject  FieldType = "object"  // elements of its own
)

// Field is one element of a kind's document.
type Field struct {
	Name     string
	Type     FieldType
	Repeated bool    // it may be there several times: then an array, like in WeChat's own JSON; an object alone
	Fields   []Field // what an Object holds
	Doc      string  // what it means, half a line; empty where the name says it
}

func text(name, doc string) Field    { return Field{Name: name, Type: TypeText, Doc: doc} }
func word(name, doc string) Field    { return Field{Name: name, Type: TypeWord, Doc: doc} }
func id(name, doc string) Field      { return Field{Name: name, Type: TypeID, Doc: doc} }
func integer(name, doc string) Field { return Field{Name: name, Type: TypeInteger, Doc: doc} }
func number(name, doc string) Field  { return Field{Name: name, Type: TypeNumber, Doc: doc} }
func object(name string, fields ...Field) Field {
	return Field{Name: name, Type: TypeObject, Fields: fields}
}
func repeated(f Field) Field { f.Repeated = true; return f }

// What every document begins with.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
var common = []Field{
	word("ToUserName", "the account's original id, gh_…"),
	word("FromUserName", "the follower's OpenID"),
	integer("CreateTime", "when WeChat made the message, Unix seconds"),
	word("MsgType", "the kind of message, or event"),
}

// What every message has after its own elements.
var messageFields = []Field{
	id("MsgId", "the message's id; the same in WeChat's retries"),
	word("MsgDataId", "of the article the message was sent from"),
	integer("Idx", "which article of a post with several, from 1"),
}

// isRouting reports whether an element says who sent what, when. Each may be there once; see tolerant.go.
func isRouting(name string) bool {
	switch name {
	case "ToUserName", "FromUserName", "CreateTime", "MsgType", "Event", "EventKey", "MsgId":
		return true
	}
	return false
}

// known is every field of every kind by name. A name means the same in all kinds (a test holds
// that), so that elements are read alike wherever WeChat puts them.
var known = func() map[string]Field {
	byName := map[string]Field{}
	var add func(fields []Field)
	add = func(fields []Field) {
		for _, f := range fields {
			byName[f.Name] = f
			add(f.Fields)
		}
	}
	for _, k := range kinds {
		add(k.Fields)
	}
	return byName
}()

// free reports whether the field can hold what a stranger wrote.
func (f Field) free() bool {
	if f.Type == TypeText {
		return true
	}
	for _, inner := range f.Fields {
		if inner.free() {
			return true
		}
	}
	return false
}
