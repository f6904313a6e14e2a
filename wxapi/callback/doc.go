// Package callback reads what WeChat posts to an Official Account's server, and writes the answer.
// It is the protocol only: no HTTP, no state, the standard library alone.
//
// The path of a message, and the files it passes:
//
//	query, body ──► Account.Open ──► Envelope.Document ──► Parse ──► Message.JSON, ID, Kind
//	                signature.go     sealed.go,            document.go, xml.go,
//	                envelope.go      cipher.go             tolerant.go, json.go, message.go
//
//	Reply ──► FormatReply ──► Envelope.Seal ──► the body of the HTTP answer
//	          reply.go        sealed.go
//
// An [Account] is made from the settings of the console's 服务器配置 page. The settings alone fix
// the mode: with an AES key only encrypted requests are accepted, without one only plaintext, and
// no parameter of a request changes that. A token and a key can each have a predecessor, which is
// accepted too while the console is being changed; the answer to such a request is signed and
// sealed with what opened it.
//
//	envelope, err := account.Open(r.URL.RawQuery, body)
//	// *Refusal: answer 403, always the same. ErrEmptyBody: answer 400.
//	message, err := callback.Parse(envelope.Document)
//	// *ParseError: authentic and unreadable. Keep the bytes, answer callback.Success: a retry can't help.
//	publish(message.Kind, message.ID(), message.JSON())
//	reply, err := callback.FormatReply(message.FromUserName, message.ToUserName, now, callback.Text{Content: "hello"})
//	body, err = envelope.Seal(reply, now)
//
// # What is believed
//
// Open checks `signature`, and for an encrypted request also `msg_signature`, with one token for
// both. The second covers the Encrypt text, so of an encrypted body that text is all that is read;
// what compatible mode repeats in clear is not. In plaintext mode no signature covers the body:
// whoever has seen one request can write others. The query's openid is covered by nothing and
// ignored.
//
// A follower's words stand in WeChat's documents unescaped. [Parse] is strict about all that WeChat
// doesn't send (DOCTYPE, instructions, comments, attributes, namespaces, other roots, a second
// sender), and where words with "]]>" in them break or seem to change a document, it reads them as
// words: see tolerant.go for the rule. They never become the sender, the time, the kind or the id
// of a message. [Message.Repaired] says that it happened. Two things are not promised: words in an
// element that the table of kinds doesn't know may look like further unknown elements; and words
// that are split by "]]><![CDATA[" lose these twelve characters, since that is also how XML is
// written properly.
//
// # Kinds
//
// [Kinds] is the table of all that WeChat pushes, one row each: whether a passive reply is
// delivered, which elements there are, and WeChat's page. To add one, add a row to one of the
// kindtable files and samples that show each of its elements to testdata/samples, and run go
// generate. What isn't in the table is carried all the same.
//
// Each row has a struct for the data of its events, in types.go: [TextMessage], [LocationMessage],
// [ScanEvent], and [Unknown] for what has no row. Its fields are strings (ids too), int64, float64,
// structs, and slices of what may be there several times, which WeChat sends alone when there is one.
// A service that reads wx.inbound.<kind> writes one of
//
//	var text callback.TextMessage
//	err := json.Unmarshal(in.Data, &text)
//
//	data, err := callback.Decode(in.Kind, in.Data) // and a type switch
//
// Both fail only for what is no JSON object. A value that isn't as its row says (WeChat does send a
// count as "") leaves its field zero, and elements that the row doesn't know have none: the data has
// them still. The structs are for reading; written as JSON, they leave out what is zero.
//
// # The other side
//
// [Account.NewPush], [Account.NewURLCheck], [Account.OpenReply] and [FormatXML] are what WeChat
// does, for simulators and tests.
package callback

//go:generate go run ../internal/gen/kinds
