package wxapi

// SendCustomMessage sends a follower a message that is no passive reply
// (客服消息).
//
// WeChat allows it for 48 hours after the follower has written (5 messages),
// and for a minute after a tap on the menu, a scan or a follow (3 messages);
// outside of that it answers 45015 or 45047. There is no delivery report and
// no idempotency key: a call whose answer got lost may have arrived.
//
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
var SendCustomMessage = define[SendCustomMessageRequest, SendCustomMessageResponse](Row{
	Name: "send_custom_message", Method: "POST", Path: "/cgi-bin/message/custom/send", Lane: "touser",
	Doc:    "https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage",
	checks: checkCustomMessage,
})

// SendCustomMessageRequest is a message for one follower. MsgType names the
// one of the objects that is sent.
type SendCustomMessageRequest struct {
	ToUser  string `json:"touser" wx:"required,openid"`
	MsgType string `json:"msgtype" wx:"required,switch"`

	Text            *Text            `json:"text,omitempty" wx:"case"`
	Image           *MediaID         `json:"image,omitempty" wx:"case"`
	Voice           *MediaID         `json:"voice,omitempty" wx:"case"`
	Video           *Video           `json:"video,omitempty" wx:"case"`
	Music           *Music           `json:"music,omitempty" wx:"case"`
	News            *News            `json:"news,omitempty" wx:"case"`
	MPNews          *MediaID         `json:"mpnews,omitempty" wx:"case"`
	MPNewsArticle   *MPNewsArticle   `json:"mpnewsarticle,omitempty" wx:"case"`
	MsgMenu         *MsgMenu         `json:"msgmenu,omitempty" wx:"case"`
	WXCard          *WXCard          `json:"wxcard,omitempty" wx:"case"`
	MiniProgramPage *MiniProgramPage `json:"miniprogrampage,omitempty" wx:"case"`
	Link            *Link            `json:"link,omitempty" wx:"case"` // from mini programs only

	CustomService *CustomService `json:"customservice,omitempty"`
	AIMsgContext  *AIMsgContext  `json:"aimsgcontext,omitempty"`
	BusinessID    string         `json:"businessid,omitempty"`
}

// SendCustomMessageResponse is empty: WeChat gives no message id.
type SendCustomMessageResponse struct{}

// Text may contain links, also to mini programs
// (<a href="…" data-miniprogram-appid="…" data-miniprogram-path="…">…</a>).
type Text struct {
	Content string `json:"content" wx:"required,max=2048"`
}

// MediaID names an uploaded file, or permanent material.
type MediaID struct {
	MediaID string `json:"media_id" wx:"required"`
}

// Video is an uploaded video with its words and preview picture.
type Video struct {
	MediaID      string `json:"media_id" wx:"required"`
	ThumbMediaID string `json:"thumb_media_id,omitempty"`
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
}

// Music is played from its URL, from HQMusicURL on a good connection.
type Music struct {
	Title        string `json:"title,omitempty"`
	Description  string `json:"description,omitempty"`
	MusicURL     string `json:"musicurl" wx:"required"`
	HQMusicURL   string `json:"hqmusicurl,omitempty"`
	ThumbMediaID string `json:"thumb_media_id" wx:"required"`
}

// News is a link with a picture. It must have exactly one article.
type News struct {
	Articles []Article `json:"articles" wx:"required"`
}

// Article is one link of a News.
type Article struct {
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url,omitempty"`
	PicURL      string `json:"picurl,omitempty"`
}

// MPNewsArticle is an article published with the account (发布).
type MPNewsArticle struct {
	ArticleID string `json:"article_id" wx:"required"`
}

// MsgMenu asks a question. A tap on an entry sends the account a text message
// with the entry's id in bizmsgmenuid.
type MsgMenu struct {
	HeadContent string        `json:"head_content,omitempty"`
	List        []MsgMenuItem `json:"list" wx:"required"`
	TailContent string        `json:"tail_content,omitempty"`
}

// MsgMenuItem is one answer of a MsgMenu.
type MsgMenuItem struct {
	ID      string `json:"id" wx:"required"`
	Content string `json:"content" wx:"required"`
}

// WXCard is a card or coupon (卡券).
type WXCard struct {
	CardID string `json:"card_id" wx:"required"`
}

// MiniProgramPage opens a mini program that is linked with the account.
type MiniProgramPage struct {
	Title        string `json:"title,omitempty"`
	AppID        string `json:"appid" wx:"required"`
	PagePath     string `json:"pagepath" wx:"required"`
	ThumbMediaID string `json:"thumb_media_id" wx:"required"`
}

// Link is a link card, for mini programs.
type Link struct {
	Title       string `json:"title" wx:"required"`
	Description string `json:"description,omitempty"`
	URL         string `json:"url" wx:"required"`
	ThumbURL    string `json:"thumb_url,omitempty"`
}

// CustomService makes the message come from an agent (test1@kftest), with the
// agent's name and picture.
type CustomService struct {
	KFAccount string `json:"kf_account" wx:"required"`
}

// AIMsgContext marks a message as made by an AI; WeChat then says so below it.
type AIMsgContext struct {
	IsAIMsg int `json:"is_ai_msg" wx:"one=0|1"`
}

// SendTyping shows a follower that somebody is typing, or stops it (客服输入状态).
//
// The sign goes after 15 seconds or with the next message. WeChat shows it only
// when a message went either way in the last 30 seconds (45080), and it does not
// count as one; that it is shown already (45081) is as good as success.
//
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_typing
var SendTyping = define[SendTypingRequest, SendTypingResponse](Row{
	Name: "send_typing", Method: "POST", Path: "/cgi-bin/message/custom/typing", Lane: "touser",
	Retry: Read, Classes: map[int]Class{45081: ClassOK},
	Doc: "https://developers.weixin.qq.com/doc/service/api/customer/message/api_typing",
})

// SendTypingRequest names the follower and what to show.
type SendTypingRequest struct {
	ToUser  string `json:"touser" wx:"required,openid"`
	Command string `json:"command" wx:"required,one=Typing|CancelTyping"`
}

// SendTypingResponse is empty.
type SendTypingResponse struct{}

// checkCustomMessage: since 2018-10-12 news carries exactly one article; more
// are refused with 45008.
func checkCustomMessage(in *object) *RequestError {
	if in.text("msgtype") != "news" {
		return nil
	}
	news, _ := in.get("news")
	articles, _ := news.(*object).get("articles")
	if n := len(articles.([]any)); n != 1 {
		return refuse("news.articles", "has %d entries, a custom message carries exactly 1", n)
	}
	return nil
}
