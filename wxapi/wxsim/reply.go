package wxsim

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// openAnswer does to the body of a 200 what WeChat does. It returns nil for `success` and for an empty body, the
// passive reply for one that is valid, and an error for anything else: WeChat then tries again.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Passive_user_reply_message.html
func (p *Platform) openAnswer(body []byte, mode callback.Mode, inbound *callback.Message) (*callback.Message, error) {
	if len(body) == 0 || string(body) == callback.Success {
		return nil, nil
	}
	document, err := p.unseal(body, mode)
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(strings.TrimSpace(string(document)), "<") {
		return nil, errors.New("the body is neither success, nor empty, nor XML")
	}
	reply, err := callback.Parse(document)
	switch {
	case err != nil:
		return nil, fmt.Errorf("the reply can't be read: %w", err)
	case reply.Repaired:
		return nil, errors.New("the reply is no well-formed XML")
	case reply.ToUserName != inbound.FromUserName:
		return nil, errors.New("the reply's ToUserName is not the follower who wrote: were the two names swapped?")
	case reply.FromUserName != inbound.ToUserName:
		return nil, errors.New("the reply's FromUserName is not the account that was written to")
	}
	return reply, complete(reply)
}

// unseal opens an encrypted answer: in safe mode nothing else will do, in compatible mode either is fine.
func (p *Platform) unseal(body []byte, mode callback.Mode) ([]byte, error) {
	if mode == callback.ModePlain {
		return body, nil
	}
	document, err := p.account.OpenReply(body)
	var refusal *callback.Refusal
	if mode == callback.ModeCompatible && errors.As(err, &refusal) && refusal.Reason == callback.ReasonEncryptMissing {
		return body, nil
	}
	return document, err
}

// complete checks that a reply has what its MsgType needs. A text without content shows the follower the fault
// line, and so, for want of a better source, does one that is too long.
func complete(reply *callback.Message) error {
	switch reply.MsgType {
	case "text":
		switch n := len(reply.Value("Content")); {
		case n == 0:
			return errors.New("the text reply has no Content")
		case n > callback.MaxTextBytes:
			return fmt.Errorf("the text reply has %d bytes, more than %d", n, callback.MaxTextBytes)
		}
	case "image":
		return needs(reply, "Image", "MediaId")
	case "voice":
		return needs(reply, "Voice", "MediaId")
	case "video":
		return needs(reply, "Video", "MediaId")
	case "music":
		return needs(reply, "Music", "ThumbMediaId")
	case "news":
		n := len(articles(reply))
		if n == 0 {
			return errors.New("the news reply has no Articles")
		}
		if reply.Value("ArticleCount") != strconv.Itoa(n) {
			return fmt.Errorf("the news reply has %d articles, and its ArticleCount says otherwise", n)
		}
	case "transfer_customer_service":
	default:
		return errors.New("the reply's MsgType is none that WeChat takes")
	}
	return nil
}

func needs(reply *callback.Message, path ...string) error {
	if reply.Value(path...) == "" {
		return fmt.Errorf("the %s reply has no %s", reply.MsgType, path[len(path)-1])
	}
	return nil
}

// article is one item of a news reply.
type article struct{ Title, Url string }

// articles reads the items of a news reply; JSON has an object for one and an array for several.
func articles(reply *callback.Message) []article {
	var data struct {
		Articles struct {
			Items json.RawMessage `json:"item"`
		}
	}
	if json.Unmarshal(reply.JSON(), &data) != nil {
		return nil
	}
	var many []article
	if json.Unmarshal(data.Articles.Items, &many) == nil {
		return many
	}
	var one article
	if json.Unmarshal(data.Articles.Items, &one) != nil {
		return nil
	}
	return []article{one}
}

// shown is what the follower's screen shows of a reply to a push that takes up to limit articles; false for a
// hand-over to human agents, of which nothing is seen.
func shown(reply *callback.Message, limit int) (text string, seen bool) {
	switch reply.MsgType {
	case "text":
		return reply.Value("Content"), true
	case "image":
		return standIn("image", reply.Value("Image", "MediaId")), true
	case "voice":
		return standIn("voice", reply.Value("Voice", "MediaId")), true
	case "video":
		return standIn("video", reply.Value("Video", "MediaId"), reply.Value("Video", "Title")), true
	case "music":
		return standIn("music", reply.Value("Music", "MusicUrl"), reply.Value("Music", "Title")), true
	case "news":
		list := articles(reply)
		// With more than allowed, only the first one arrives.
		if len(list) > limit {
			list = list[:1]
		}
		lines := make([]string, len(list))
		for i, a := range list {
			lines[i] = standIn("news", a.Url, a.Title)
		}
		return strings.Join(lines, "\n"), true
	}
	return "", false
}
