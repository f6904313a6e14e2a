package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// MaxText is the most that the text of a reply may hold, in bytes of UTF-8;
// WeChat drops a longer passive text.
const MaxText = callback.MaxTextBytes

// MaxArticles is the most articles a news reply may hold. Which of them are
// shown depends on the kind that is answered, so the rest is cut when the
// reply is rendered, never refused here.
const MaxArticles = callback.MaxArticles

// The two words of the bridge's own among the msgtypes, and the hand-over to
// human agents.
const (
	// MsgRelease says that nobody will answer: let the follower go now.
	MsgRelease = "release"
	// MsgWait says that an answer is being worked on: use WeChat's next tries.
	MsgWait = "wait"
	// MsgTransfer hands the conversation to the customer-service console.
	MsgTransfer = "transfer_customer_service"
)

// Reply is an answer to a follower: a customer-service message without touser,
// in the one format that serves passive replies and custom messages.
//
// Source: 被动回复用户消息 and 发送客服消息 of WeChat's docs.
type Reply struct {
	MsgType         string           `json:"msgtype"`
	Text            *Text            `json:"text,omitempty"`
	Image           *Media           `json:"image,omitempty"`
	Voice           *Media           `json:"voice,omitempty"`
	Video           *Video           `json:"video,omitempty"`
	Music           *Music           `json:"music,omitempty"`
	News            *News            `json:"news,omitempty"`
	CustomerService *CustomerService `json:"customservice,omitempty"`

	// Source is what the sender's CloudEvent names as its source, "" for a bare reply.
	Source string `json:"-"`
	// ID is the id of the sender's CloudEvent, "" for a bare reply.
	ID string `json:"-"`
	// Data is the whole message as the sender wrote it, for the types that
	// only a custom message can carry.
	Data json.RawMessage `json:"-"`
}

// Text is the object of msgtype text.
type Text struct {
	// Content is the words: 1 to 2,048 bytes of UTF-8. A \n breaks the line, and
	// <a href="https://…">…</a> is a link.
	Content string `json:"content"`
}

// Media is the object of msgtype image and voice.
type Media struct {
	// MediaID is the one that upload_media answered, or permanent material's.
	MediaID string `json:"media_id"`
}

// Video is the object of msgtype video.
type Video struct {
	// MediaID is the one that upload_media answered, or permanent material's.
	MediaID string `json:"media_id"`
	// ThumbMediaID is the preview picture; only a custom message shows it.
	ThumbMediaID string `json:"thumb_media_id,omitempty"`
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
}

// Music is the object of msgtype music, with the lower-case names of custom messages.
type Music struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	// MusicURL is where the music is, http or https.
	MusicURL string `json:"musicurl,omitempty"`
	// HQMusicURL is the same in better quality, played on Wi-Fi.
	HQMusicURL string `json:"hqmusicurl,omitempty"`
	// ThumbMediaID is the picture, uploaded as a thumb.
	ThumbMediaID string `json:"thumb_media_id"`
}

// News is the object of msgtype news.
type News struct {
	// Articles are 1 to 8. In answer to a message WeChat shows one, in answer to an
	// event eight, and the rest is cut; a custom message has one.
	Articles []Article `json:"articles"`
}

// Article is one card of a news reply.
type Article struct {
	Title       string `json:"title"`
	Description string `json:"description,omitempty"`
	// URL is what a tap opens, http or https.
	URL string `json:"url,omitempty"`
	// PicURL is a JPG or PNG, 360 by 200 pixels for the first card and 200 by 200
	// for others.
	PicURL string `json:"picurl,omitempty"`
}

// CustomerService names the agent that speaks or takes over.
type CustomerService struct {
	// KfAccount is the agent's account, test1@test.
	KfAccount string `json:"kf_account"`
}

// ParseReply reads a message of wx.reply.<key>. The error says why it is no
// valid reply. The rule is version 1 of the contract: it looks at the bytes and
// headers alone, so that every process, now or at a replay, judges alike.
//
//   - A CloudEvent in either mode gives its data; a bare body is the data.
//   - Data that starts with { must parse, with a known msgtype and its fields.
//   - Other data is the text of the answer, if it is valid UTF-8 and not blank.
//   - A text is at most 2,048 bytes.
func ParseReply(header Header, body []byte) (Reply, error) {
	e, isEvent, err := Decode(header, body)
	if err != nil {
		return Reply{}, err
	}
	data, source, id := body, "", ""
	if isEvent {
		if err := checkType(Replies, "", e.Type()); err != nil {
			return Reply{}, err
		}
		data, source, id = e.Data(), e.Source(), e.ID()
		// Where the data is JSON, a text may also stand as a JSON string.
		var text string
		if len(data) > 0 && data[0] == '"' && isJSON(e) && json.Unmarshal(data, &text) == nil {
			data = []byte(text)
		}
	}
	r, err := parseReplyData(data)
	r.Source, r.ID = source, id
	return r, err
}

func parseReplyData(data []byte) (Reply, error) {
	trimmed := bytes.TrimSpace(data)
	if len(trimmed) == 0 {
		return Reply{}, errors.New("empty: to let the follower go without an answer reply {\"msgtype\":\"release\"}")
	}
	if trimmed[0] != '{' {
		return bareText(data)
	}
	var r Reply
	if err := json.Unmarshal(trimmed, &r); err != nil {
		return Reply{}, fmt.Errorf("starts with { and is not a JSON reply: %w", err)
	}
	// encoding/json repairs bad UTF-8, and takes names in any case and twice; a
	// reader of the same bytes elsewhere would then see another reply.
	if !utf8.Valid(trimmed) {
		return Reply{}, errors.New("starts with { and is not valid UTF-8")
	}
	if err := uniqueNames(trimmed); err != nil {
		return Reply{}, err
	}
	r.Data = bytes.Clone(trimmed)
	return r, r.validate()
}

func bareText(data []byte) (Reply, error) {
	if !utf8.Valid(data) {
		return Reply{}, errors.New("bare text that is not valid UTF-8")
	}
	r := Reply{MsgType: "text", Text: &Text{Content: string(data)}}
	whole, err := marshal(r)
	if err != nil {
		return Reply{}, err
	}
	r.Data = whole
	return r, r.deliverable()
}

// required names the fields that each msgtype must have, as object.field.
// Types with a passive form also have a field of Reply, for the renderer.
var required = map[string][]string{
	"text":            {"text.content"},
	"image":           {"image.media_id"},
	"voice":           {"voice.media_id"},
	"video":           {"video.media_id"},
	"music":           {"music.thumb_media_id"},
	"news":            {"news.articles"},
	"mpnews":          {"mpnews.media_id"},
	"mpnewsarticle":   {"mpnewsarticle.article_id"},
	"msgmenu":         {"msgmenu.list"},
	"wxcard":          {"wxcard.card_id"},
	"miniprogrampage": {"miniprogrampage.appid", "miniprogrampage.pagepath", "miniprogrampage.thumb_media_id"},
	MsgTransfer:       {},
	MsgRelease:        {},
	MsgWait:           {},
}

func (r Reply) validate() error {
	fields, known := required[r.MsgType]
	switch {
	case r.MsgType == "" || memberOf(r.Data, "msgtype") == nil:
		return errors.New("msgtype is missing")
	case !known:
		return fmt.Errorf("msgtype %s is unknown", shown([]byte(r.MsgType)))
	}
	if len(fields) > 0 {
		object := memberOf(r.Data, r.MsgType)
		if !isNull(object) && object[0] != '{' || object == nil {
			return fmt.Errorf("%s must be an object", r.MsgType)
		}
		for _, path := range fields {
			_, field, _ := strings.Cut(path, ".")
			if blank(memberOf(object, field)) {
				return fmt.Errorf("%s is missing or empty", path)
			}
		}
	}
	return r.deliverable()
}

// deliverable says what WeChat would not deliver of a reply with all its fields.
func (r Reply) deliverable() error {
	if r.MsgType == "text" && len(r.Text.Content) > MaxText {
		return fmt.Errorf("text.content is %d bytes, at most %d are possible", len(r.Text.Content), MaxText)
	}
	if form := r.Form(MaxArticles + 1); form != nil {
		// What decides a hold must also be fit to be delivered.
		return asSent(form.Check())
	}
	return nil
}

// asSent names the field of a fault as the sender wrote it: news.articles[0].url.
func asSent(err error) error {
	var bad *callback.ReplyError
	if !errors.As(err, &bad) {
		return err
	}
	path := goField.ReplaceAllStringFunc(bad.Field, func(name string) string { return sentAs[name] })
	return fmt.Errorf("%s.%s %s", bad.MsgType, path, bad.Problem)
}

var goField = regexp.MustCompile(`[A-Za-z]+`)

// sentAs are the names in JSON of what the checks of package callback look at.
var sentAs = map[string]string{
	"Content": "content", "MediaID": "media_id", "ThumbMediaID": "thumb_media_id",
	"MusicURL": "musicurl", "HQMusicURL": "hqmusicurl",
	"Articles": "articles", "Title": "title", "URL": "url", "PicURL": "picurl",
}

// blank tells a field that is missing, null, an empty string, list or object.
func blank(field json.RawMessage) bool {
	switch string(bytes.TrimSpace(field)) {
	case "", "null", `""`, "[]", "{}":
		return true
	}
	return false
}
