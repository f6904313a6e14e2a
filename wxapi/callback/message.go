package callback

import (
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Message is one document that WeChat pushed: a follower's message or an event.
type Message struct {
	Kind         string    // see [KindName]
	ToUserName   string    // the account's original id, gh_…
	FromUserName string    // the follower's OpenID
	MsgType      string    // as WeChat writes it
	Event        string    // likewise; empty for messages
	MsgID        string    // the element MsgId; empty for events
	CreateTime   time.Time // UTC, whole seconds
	Repaired     bool      // the document was not well-formed, see the package page

	root node
	id   string
}

// Parse reads an authentic document, XML or JSON. Its error is a [*ParseError].
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
func Parse(document []byte) (*Message, error) {
	root, repaired, bad := readDocument(document)
	if bad != nil {
		return nil, bad
	}
	if root.kid("InfoType").name != "" && root.kid("MsgType").name == "" {
		return nil, unreadable("platform", "an <InfoType> and no <MsgType>: a push for a third-party platform (第三方平台), which has a URL of its own")
	}
	m := &Message{Repaired: repaired, root: root}
	for _, v := range []struct {
		name string
		need bool
		ok   func(string) bool
		into *string
	}{
		{"ToUserName", true, isUserName, &m.ToUserName},
		{"FromUserName", true, isUserName, &m.FromUserName},
		{"MsgType", true, isShort, &m.MsgType},
		{"Event", false, isShort, &m.Event},
		{"MsgId", false, isShort, &m.MsgID},
	} {
		if bad := m.scalar(v.name, v.need, v.ok, v.into); bad != nil {
			return nil, bad
		}
	}
	var seconds string
	if bad := m.scalar("CreateTime", true, isSeconds, &seconds); bad != nil {
		return nil, bad
	}
	switch isEvent := strings.EqualFold(m.MsgType, "event"); {
	case !isEvent:
		m.Event = ""
	case m.Event == "":
		return nil, unreadable("missing", "no <Event> in an event")
	default:
		m.MsgID = ""
	}
	unix, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil {
		return nil, unreadable("value", "<CreateTime> is no Unix time")
	}
	m.CreateTime = time.Unix(unix, 0).UTC()
	m.Kind = KindName(m.MsgType, m.Event)
	m.root = wrapList(m.root, m.Kind)
	m.id = m.makeID(document)
	return m, nil
}

// wrapList puts the List of a notice's event where it is in XML: JSON pushes leave out the object
// around it, SubscribeMsgPopupEvent and the like.
func wrapList(root node, kind string) node {
	k, _ := LookupKind(kind)
	for _, f := range k.Fields {
		if len(f.Fields) != 1 || f.Fields[0].Name != "List" || root.kid(f.Name).name != "" {
			continue
		}
		wrapper, others := node{name: f.Name, kind: branch}, []node(nil)
		for _, kid := range root.kids {
			if kid.name == "List" {
				wrapper.kids = append(wrapper.kids, kid)
			} else {
				others = append(others, kid)
			}
		}
		if len(wrapper.kids) > 0 {
			root.kids = others
			root.kids = append(root.kids, wrapper)
		}
	}
	return root
}

// scalar reads a top-level element into a string.
func (m *Message) scalar(name string, need bool, ok func(string) bool, into *string) *ParseError {
	n := m.root.kid(name)
	value := strings.TrimSpace(n.text)
	switch {
	case n.kind == branch || n.kind == list || n.kind == literal && !isDigit(value[0]):
		return unreadable("value", "<%s> is no text", name)
	case value == "" && need:
		return unreadable("missing", "no <%s>", name)
	case value != "" && !ok(value):
		return unreadable("value", "<%s> doesn't have WeChat's form", name)
	}
	*into = value
	return nil
}

// isUserName takes OpenIDs and original ids, and what else is harmless in a header or a log.
func isUserName(s string) bool {
	return len(s) <= 128 && only(s, func(c byte) bool { return isWord(c) || c == '@' || c == '=' })
}

func isShort(s string) bool { return len(s) <= 1024 }

// isSeconds takes times up to the year 5138, written as JSON writes numbers.
func isSeconds(s string) bool { return len(s) <= 11 && isInteger(s) && s[0] != '-' }

// ID returns the message's id, made from its dedupe key alone, so that WeChat's retries have the
// same: 1 to 64 characters of [A-Za-z0-9_-], which also serve as a token of a NATS subject.
//
// 关于重试的消息排重，有msgid的消息推荐使用msgid排重: messages by MsgId (and sender).
// 事件类型消息推荐使用FromUserName + CreateTime 排重: too coarse, as events of one second and
// sender do occur (LOCATION, cards); so the whole document, whose bytes retries repeat.
func (m *Message) ID() string { return m.id }

func (m *Message) makeID(document []byte) string {
	if strings.Trim(m.MsgID, "0") == "" {
		sum := sha256.Sum256(document)
		return "e-" + hex.EncodeToString(sum[:16])
	}
	sender := sha256.Sum256([]byte(m.FromUserName))
	if len(m.MsgID) <= 20 && only(m.MsgID, isDigit) {
		return m.MsgID + "-" + hex.EncodeToString(sender[:6])
	}
	both := sha256.Sum256([]byte(m.MsgID + "\x00" + m.FromUserName))
	return "m-" + hex.EncodeToString(both[:16])
}

// Value returns the text of an element, for example Value("Content") or Value("ScanCodeInfo",
// "ScanResult"); of several of one name the first. It is empty for what isn't there or holds
// elements.
func (m *Message) Value(path ...string) string {
	n := m.root
	for _, name := range path {
		n = n.kid(name).first()
	}
	return n.text
}
