package callback

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Success is the answer that means: received, no reply. It is sent as it is in every mode.
//
// 1、直接回复success（推荐方式） 2、直接回复空串: success is recommended, nothing at all means the same.
const Success = "success"

// WeChat's limits on passive replies.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
const (
	MaxTextBytes = 2048 // of Text.Content, UTF-8
	MaxArticles  = 8    // of News; see Kind.NewsLimit for less
)

// Reply is a passive reply: [Text], [Image], [Voice], [Video], [Music], [News] or [TransferCustomerService].
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
type Reply interface {
	// MsgType returns the reply's MsgType, as WeChat writes it.
	MsgType() string

	// Check returns a *ReplyError if WeChat would not deliver the reply.
	Check() error

	write(x *xmlWriter)
}

// ReplyError says why WeChat would not deliver a reply.
type ReplyError struct {
	MsgType string
	Field   string // a field of the reply's Go type
	Problem string // names the limit, e.g. "is 2049 bytes long, the limit is 2048"
}

func (e *ReplyError) Error() string {
	return "callback: " + e.MsgType + " reply: " + e.Field + " " + e.Problem
}

// FormatReply returns the document that answers a message: to is its FromUserName (the OpenID),
// from its ToUserName (gh_…). The document is well-formed whatever the reply's strings hold: what
// XML can't carry is left out. Its error is a [*ReplyError].
func FormatReply(to, from string, at time.Time, r Reply) ([]byte, error) {
	if r == nil {
		return nil, &ReplyError{"", "Reply", "is missing"}
	}
	for _, name := range []struct{ field, value string }{{"ToUserName", to}, {"FromUserName", from}} {
		if name.value == "" {
			return nil, &ReplyError{r.MsgType(), name.field, "is missing"}
		}
	}
	if err := r.Check(); err != nil {
		return nil, err
	}
	var x xmlWriter
	x.Grow(512) // what a text needs
	x.open("xml")
	x.text("ToUserName", to)
	x.text("FromUserName", from)
	x.bare("CreateTime", strconv.FormatInt(at.Unix(), 10))
	x.text("MsgType", r.MsgType())
	r.write(&x)
	x.close("xml")
	return x.Bytes(), nil
}

// needed checks the fields that WeChat's page marks 必须 (是).
func needed(msgType string, fields ...[2]string) error {
	for _, f := range fields {
		if strings.TrimSpace(cleanText(f[1])) == "" {
			return &ReplyError{msgType, f[0], "is missing"}
		}
	}
	return nil
}

// links checks addresses that may be empty. The follower's phone opens them.
func links(msgType string, fields ...[2]string) error {
	for _, f := range fields {
		address := strings.ToLower(f[1])
		if address != "" && !strings.HasPrefix(address, "http://") && !strings.HasPrefix(address, "https://") {
			return &ReplyError{msgType, f[0], "must begin with http:// or https://"}
		}
	}
	return nil
}

// Text answers with words; \n breaks lines.
type Text struct{ Content string }

// MsgType returns text.
func (Text) MsgType() string { return "text" }

// Check wants a Content of 1 to MaxTextBytes bytes: over an empty one the follower is told that the service is broken.
func (r Text) Check() error {
	if n := len(cleanText(r.Content)); n > MaxTextBytes {
		return &ReplyError{"text", "Content", fmt.Sprintf("is %d bytes long, the limit is %d", n, MaxTextBytes)}
	}
	return needed("text", [2]string{"Content", r.Content})
}

func (r Text) write(x *xmlWriter) { x.text("Content", r.Content) }

// Image answers with a picture.
type Image struct{ MediaID string }

// MsgType returns image.
func (Image) MsgType() string { return "image" }

// Check wants a MediaID.
func (r Image) Check() error { return needed("image", [2]string{"MediaID", r.MediaID}) }

func (r Image) write(x *xmlWriter) {
	x.open("Image")
	x.text("MediaId", r.MediaID)
	x.close("Image")
}

// Voice answers with a voice message.
type Voice struct{ MediaID string }

// MsgType returns voice.
func (Voice) MsgType() string { return "voice" }

// Check wants a MediaID.
func (r Voice) Check() error { return needed("voice", [2]string{"MediaID", r.MediaID}) }

func (r Voice) write(x *xmlWriter) {
	x.open("Voice")
	x.text("MediaId", r.MediaID)
	x.close("Voice")
}

// TransferCustomerService hands the conversation to a human agent: to KfAccount, or to whoever is free.
type TransferCustomerService struct{ KfAccount string }

// MsgType returns transfer_customer_service.
func (TransferCustomerService) MsgType() string { return "transfer_customer_service" }

// Check finds nothing wrong.
func (TransferCustomerService) Check() error { return nil }

func (r TransferCustomerService) write(x *xmlWriter) {
	if cleanText(r.KfAccount) == "" {
		return
	}
	x.open("TransInfo")
	x.text("KfAccount", r.KfAccount)
	x.close("TransInfo")
}
