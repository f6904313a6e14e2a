package wxapi

// GetCurrentAutoreply reads the automatic replies that are set on the console
// (获取公众号的自动回复规则).
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Getting_Rules_for_Auto_Replies.html
var GetCurrentAutoreply = define[GetCurrentAutoreplyRequest, GetCurrentAutoreplyResponse](Row{
	Name: "get_current_autoreply", Method: "GET", Path: "/cgi-bin/get_current_autoreply_info", Body: Query, Retry: Read,
	Proof: []string{"is_add_friend_reply_open", "is_autoreply_open"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Getting_Rules_for_Auto_Replies.html",
})

// GetCurrentAutoreplyRequest is empty.
type GetCurrentAutoreplyRequest struct{}

// GetCurrentAutoreplyResponse has the replies to a follow, to any message and
// to keywords; one that is not set is nil.
type GetCurrentAutoreplyResponse struct {
	IsAddFriendReplyOpen        int             `json:"is_add_friend_reply_open"` // 1 or 0
	IsAutoreplyOpen             int             `json:"is_autoreply_open"`        // 1 or 0
	AddFriendAutoreplyInfo      *AutoreplyInfo  `json:"add_friend_autoreply_info,omitempty"`
	MessageDefaultAutoreplyInfo *AutoreplyInfo  `json:"message_default_autoreply_info,omitempty"`
	KeywordAutoreplyInfo        *KeywordReplies `json:"keyword_autoreply_info,omitempty"`
}

// AutoreplyInfo is one reply: a text, or the media_id of something else.
type AutoreplyInfo struct {
	Type    string `json:"type"` // text, img, voice, video
	Content string `json:"content"`
}

// KeywordReplies are the rules for keywords.
type KeywordReplies struct {
	List []KeywordRule `json:"list"`
}

// KeywordRule says what is replied to which words.
type KeywordRule struct {
	RuleName        string         `json:"rule_name"`
	CreateTime      int64          `json:"create_time"`
	ReplyMode       string         `json:"reply_mode"` // reply_all or random_one
	KeywordListInfo []Keyword      `json:"keyword_list_info"`
	ReplyListInfo   []KeywordReply `json:"reply_list_info"`
}

// Keyword is a word that a message contains or equals.
type Keyword struct {
	Type      string `json:"type"`
	MatchMode string `json:"match_mode"` // contain or equal
	Content   string `json:"content"`
}

// KeywordReply is one of a rule's replies.
type KeywordReply struct {
	Type     string       `json:"type"` // text, img, voice, video, news
	Content  string       `json:"content,omitempty"`
	NewsInfo *CurrentNews `json:"news_info,omitempty"`
}
