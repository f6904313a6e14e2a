package wxsim

import (
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// InputError says what is wrong with what a test wants a follower to send. Nothing was pushed.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return "wxsim: " + e.Problem }

func wrong(format string, args ...any) error { return &InputError{fmt.Sprintf(format, args...)} }

const pushExample = `{"MsgType":"text","Content":"hi"}`

// inbound is one message or event on its way.
type inbound struct {
	*callback.Message
	document []byte
	kind     callback.Kind
}

// compose makes WeChat's document out of a test's data: it fills in what a person with a phone doesn't choose,
// in WeChat's order. Elements that the kind doesn't have are passed on, since WeChat invents some as well; but
// one that differs from a known one in its case alone is a slip.
func (p *Platform) compose(openID string, data json.RawMessage, base string) (*inbound, error) {
	if !validOpenID(openID) {
		return nil, wrong("the OpenID must be 1 to 64 letters, digits, _ or -, for example o_alice")
	}
	elements, err := readElements(data)
	if err != nil {
		return nil, err
	}
	msgType, event := elements.text("MsgType"), elements.text("Event")
	if msgType == "" && event != "" {
		msgType = "event"
	}
	kind, known := callback.LookupKind(callback.KindName(msgType, event))
	if err := elements.check(openID, msgType, event, kind, known); err != nil {
		return nil, err
	}
	whole := elementList{
		{"ToUserName", elements.or("ToUserName", p.cfg.OriginalID)},
		{"FromUserName", encode(openID)},
		{"CreateTime", elements.or("CreateTime", p.clock.wall().Unix())},
		{"MsgType", encode(msgType)},
	}
	whole = append(whole, elements.without(whole)...)
	if msgType != "event" {
		whole = p.addMedia(whole, kind.Name, base)
		if _, given := whole.get("MsgId"); !given {
			whole = append(whole, element{"MsgId", encode(p.nextMsgID())})
		}
	}
	document, err := callback.FormatXML(whole.object())
	if err != nil {
		return nil, wrong("this can't be written as WeChat's XML: %v", err)
	}
	message, err := callback.Parse(document)
	if err != nil {
		return nil, wrong("WeChat would never push this: %v", err)
	}
	return &inbound{message, document, kind}, nil
}

// firstMsgID begins somewhere else each time, so that the messages of a simulator that was started again are not
// taken for retries of old ones. Like WeChat's, the ids are past 2^53.
func firstMsgID() int64 {
	var b [8]byte
	rand.Read(b[:])
	return 24_000_000_000_000_000 + int64(binary.BigEndian.Uint64(b[:])%1_000_000_000_000_000)
}

func (p *Platform) nextMsgID() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lastMsgID++
	return strconv.FormatInt(p.lastMsgID, 10)
}
