package wxapi

import (
	"slices"
	"time"
)

const massDoc = "https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html"

// massKeyLife is how long WeChat knows a clientmsgid.
const massKeyLife = 24 * time.Hour

// SendMassMessage sends a message to all followers, or to those with a tag
// (群发).
//
// A subscription account may do it once a day; of a service account's messages
// a follower gets 4 a month; more is 45028. A ClientMsgID makes a repetition
// within 24 hours harmless: WeChat answers 45065 and the first one's msg_id.
// What came of it is told by the event MASSSENDJOBFINISH.
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var SendMassMessage = define[SendMassMessageRequest, SendMassMessageResponse](Row{
	Name: "send_mass_message", Method: "POST", Path: "/cgi-bin/message/mass/sendall",
	Retry: Keyed, Key: "clientmsgid", KeyLife: massKeyLife,
	Proof: []string{"msg_id"}, Doc: massDoc, checks: checkMassMessage,
})

// SendMassMessageRequest says who gets what. MsgType names the one of the
// objects that is sent; the object of an image is images.
type SendMassMessageRequest struct {
	Filter            MassFilter  `json:"filter" wx:"required"`
	MsgType           string      `json:"msgtype" wx:"required,one=mpnews|text|voice|image|mpvideo|wxcard"`
	MPNews            *MediaID    `json:"mpnews,omitempty"`
	Text              *Text       `json:"text,omitempty"`
	Voice             *MediaID    `json:"voice,omitempty"`
	Images            *MassImages `json:"images,omitempty"`
	MPVideo           *MPVideo    `json:"mpvideo,omitempty"`
	WXCard            *WXCard     `json:"wxcard,omitempty"`
	SendIgnoreReprint int         `json:"send_ignore_reprint,omitempty" wx:"one=0|1"` // 1: also when WeChat takes an article for a reprint
	ClientMsgID       string      `json:"clientmsgid,omitempty" wx:"max=64"`
}

// MassFilter is everybody, or whoever has a tag.
type MassFilter struct {
	IsToAll bool  `json:"is_to_all"`
	TagID   int64 `json:"tag_id,omitempty"`
}

// MassImages are pictures with a recommendation.
type MassImages struct {
	MediaIDs           []string `json:"media_ids" wx:"required"`
	Recommend          string   `json:"recommend,omitempty"`
	NeedOpenComment    int      `json:"need_open_comment,omitempty" wx:"one=0|1"`
	OnlyFansCanComment int      `json:"only_fans_can_comment,omitempty" wx:"one=0|1"`
}

// MPVideo is a video from [UploadMassVideo] with its words.
type MPVideo struct {
	MediaID     string `json:"media_id" wx:"required"`
	Title       string `json:"title,omitempty"`
	Description string `json:"description,omitempty"`
}

// SendMassMessageResponse has the job's id, and the id by which comments and
// statistics name the articles.
type SendMassMessageResponse struct {
	MsgID     ID `json:"msg_id"`
	MsgDataID ID `json:"msg_data_id,omitempty"`
}

func checkMassMessage(in *object) *RequestError {
	v, _ := in.get("filter")
	filter := v.(*object)
	toAll, _ := filter.get("is_to_all")
	tag, tagged := filter.get("tag_id")
	switch tagged = tagged && tag != nil; {
	case toAll != true && !tagged:
		return refuse("filter.tag_id", "is missing: is_to_all is not true")
	case toAll == true && tagged:
		return refuse("filter.tag_id", "contradicts is_to_all")
	}
	return checkMassContent(in)
}

// massObjects are the objects that a msgtype may have, where that is not the
// one of its own name.
var massObjects = map[string][]string{"image": {"images", "image"}}

// checkMassContent: the object that belongs to msgtype is there.
func checkMassContent(in *object) *RequestError {
	kind := in.text("msgtype")
	names := massObjects[kind]
	if names == nil {
		names = []string{kind}
	}
	if !slices.ContainsFunc(names, func(name string) bool { v, _ := in.get(name); return v != nil }) {
		return refuse(names[0], "is missing: the type is %s", kind)
	}
	return nil
}

// SendMassMessageToUsers sends a message to 2 to 10,000 followers by their
// OpenIDs (根据OpenID列表群发).
//
// Everything else is as with [SendMassMessage].
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var SendMassMessageToUsers = define[SendMassMessageToUsersRequest, SendMassMessageResponse](Row{
	Name: "send_mass_message_to_users", Method: "POST", Path: "/cgi-bin/message/mass/send",
	Retry: Keyed, Key: "clientmsgid", KeyLife: massKeyLife,
	Proof: []string{"msg_id"}, Doc: massDoc, checks: checkMassUsers,
})

// SendMassMessageToUsersRequest says who gets what.
type SendMassMessageToUsersRequest struct {
	ToUser            []string    `json:"touser" wx:"required,openid,items=10000"`
	MsgType           string      `json:"msgtype" wx:"required,one=mpnews|text|voice|image|mpvideo|wxcard"`
	MPNews            *MediaID    `json:"mpnews,omitempty"`
	Text              *Text       `json:"text,omitempty"`
	Voice             *MediaID    `json:"voice,omitempty"`
	Images            *MassImages `json:"images,omitempty"`
	MPVideo           *MPVideo    `json:"mpvideo,omitempty"`
	WXCard            *WXCard     `json:"wxcard,omitempty"`
	SendIgnoreReprint int         `json:"send_ignore_reprint,omitempty" wx:"one=0|1"`
	ClientMsgID       string      `json:"clientmsgid,omitempty" wx:"max=64"`
}

// checkMassUsers: one OpenID is refused with 40130.
func checkMassUsers(in *object) *RequestError {
	if v, _ := in.get("touser"); len(v.([]any)) < 2 {
		return refuse("touser", "has 1 entry, at least 2 are needed")
	}
	return checkMassContent(in)
}

// PreviewMassMessage shows a mass message to one person, 100 times a day (群发预览).
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Batch_Sends_and_Originality_Checks.html
var PreviewMassMessage = define[PreviewMassMessageRequest, PreviewMassMessageResponse](Row{
	Name: "preview_mass_message", Method: "POST", Path: "/cgi-bin/message/mass/preview", Lane: "touser",
	Proof: []string{"msg_id"}, Doc: massDoc, checks: checkPreview,
})

// PreviewMassMessageRequest names somebody by OpenID or by WeChat id, and what
// they shall see. An image is a single one here.
type PreviewMassMessageRequest struct {
	ToUser   string   `json:"touser,omitempty" wx:"openid"`
	ToWXName string   `json:"towxname,omitempty"`
	MsgType  string   `json:"msgtype" wx:"required,one=mpnews|text|voice|image|mpvideo|wxcard"`
	MPNews   *MediaID `json:"mpnews,omitempty"`
	Text     *Text    `json:"text,omitempty"`
	Voice    *MediaID `json:"voice,omitempty"`
	Image    *MediaID `json:"image,omitempty"`
	MPVideo  *MediaID `json:"mpvideo,omitempty"`
	WXCard   *WXCard  `json:"wxcard,omitempty"`
}

// PreviewMassMessageResponse has an id that nothing else takes.
type PreviewMassMessageResponse struct {
	MsgID ID `json:"msg_id,omitempty"`
}

func checkPreview(in *object) *RequestError {
	if in.text("touser") == "" && in.text("towxname") == "" {
		return refuse("touser", "is missing; towxname, a WeChat id, would do as well")
	}
	return checkMassContent(in)
}
