package wxapi

const articleDataDoc = "https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html"

// GetArticleSummary tells how often the articles of one day were read and shared
// on that day (图文群发每日数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetArticleSummary = define[DateRange, ArticleDataResponse](Row{
	Name: "get_article_summary", Method: "POST", Path: "/datacube/getarticlesummary", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(1),
})

// GetUserRead tells how often articles were read on up to 3 days (图文统计数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetUserRead = define[DateRange, ArticleDataResponse](Row{
	Name: "get_user_read", Method: "POST", Path: "/datacube/getuserread", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(3),
})

// GetUserReadHour is [GetUserRead] of one day, by its hours.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetUserReadHour = define[DateRange, ArticleDataResponse](Row{
	Name: "get_user_read_hour", Method: "POST", Path: "/datacube/getuserreadhour", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(1),
})

// ArticleDataResponse has articles, days or hours.
type ArticleDataResponse struct {
	List []ArticleData `json:"list"`
}

// ArticleData is how an article did on a day, or all of them on a day or in an
// hour. Users are counted once, counts every time.
type ArticleData struct {
	RefDate          string `json:"ref_date"`
	RefHour          int    `json:"ref_hour,omitempty"`    // 0, 100 to 2300
	UserSource       int    `json:"user_source,omitempty"` // 0 chat, 1 friends, 2 moments, 4 history, 5 others, 99999999 all
	MsgID            string `json:"msgid,omitempty"`       // msg_data_id, _ and the article's place from 1
	Title            string `json:"title,omitempty"`
	IntPageReadUser  int64  `json:"int_page_read_user"` // of the article
	IntPageReadCount int64  `json:"int_page_read_count"`
	OriPageReadUser  int64  `json:"ori_page_read_user"` // of the page behind it
	OriPageReadCount int64  `json:"ori_page_read_count"`
	ShareUser        int64  `json:"share_user"`
	ShareCount       int64  `json:"share_count"`
	AddToFavUser     int64  `json:"add_to_fav_user"`
	AddToFavCount    int64  `json:"add_to_fav_count"`
}

// GetArticleTotal tells how often the articles of one day were read and shared
// since, up to 7 days (图文群发总数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetArticleTotal = define[DateRange, GetArticleTotalResponse](Row{
	Name: "get_article_total", Method: "POST", Path: "/datacube/getarticletotal", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(1),
})

// GetArticleTotalResponse has the articles.
type GetArticleTotalResponse struct {
	List []ArticleTotal `json:"list"`
}

// ArticleTotal is an article, named as in [ArticleData], and its days.
type ArticleTotal struct {
	RefDate    string               `json:"ref_date"`
	MsgID      string               `json:"msgid"`
	Title      string               `json:"title"`
	UserSource int                  `json:"user_source,omitempty"`
	Details    []ArticleTotalDetail `json:"details"`
}

// ArticleTotalDetail is what has come together until the end of a day. What
// begins with int_page_from says where readers came from, with feed_share_from
// where it was shared to moments from.
type ArticleTotalDetail struct {
	StatDate                    string `json:"stat_date"`
	TargetUser                  int64  `json:"target_user"` // who got it
	IntPageReadUser             int64  `json:"int_page_read_user"`
	IntPageReadCount            int64  `json:"int_page_read_count"`
	OriPageReadUser             int64  `json:"ori_page_read_user"`
	OriPageReadCount            int64  `json:"ori_page_read_count"`
	ShareUser                   int64  `json:"share_user"`
	ShareCount                  int64  `json:"share_count"`
	AddToFavUser                int64  `json:"add_to_fav_user"`
	AddToFavCount               int64  `json:"add_to_fav_count"`
	IntPageFromSessionReadUser  int64  `json:"int_page_from_session_read_user"`
	IntPageFromSessionReadCount int64  `json:"int_page_from_session_read_count"`
	IntPageFromHistMsgReadUser  int64  `json:"int_page_from_hist_msg_read_user"`
	IntPageFromHistMsgReadCount int64  `json:"int_page_from_hist_msg_read_count"`
	IntPageFromFeedReadUser     int64  `json:"int_page_from_feed_read_user"`
	IntPageFromFeedReadCount    int64  `json:"int_page_from_feed_read_count"`
	IntPageFromFriendsReadUser  int64  `json:"int_page_from_friends_read_user"`
	IntPageFromFriendsReadCount int64  `json:"int_page_from_friends_read_count"`
	IntPageFromOtherReadUser    int64  `json:"int_page_from_other_read_user"`
	IntPageFromOtherReadCount   int64  `json:"int_page_from_other_read_count"`
	FeedShareFromSessionUser    int64  `json:"feed_share_from_session_user"`
	FeedShareFromSessionCnt     int64  `json:"feed_share_from_session_cnt"`
	FeedShareFromFeedUser       int64  `json:"feed_share_from_feed_user"`
	FeedShareFromFeedCnt        int64  `json:"feed_share_from_feed_cnt"`
	FeedShareFromOtherUser      int64  `json:"feed_share_from_other_user"`
	FeedShareFromOtherCnt       int64  `json:"feed_share_from_other_cnt"`
}

// GetUserShare tells how often articles were shared on up to 7 days, and where to
// (图文分享转发数据).
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetUserShare = define[DateRange, UserShareResponse](Row{
	Name: "get_user_share", Method: "POST", Path: "/datacube/getusershare", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(7),
})

// GetUserShareHour is [GetUserShare] of one day, by its hours.
//
// https://developers.weixin.qq.com/doc/offiaccount/Analytics/Graphic_Analysis_Data_Interface.html
var GetUserShareHour = define[DateRange, UserShareResponse](Row{
	Name: "get_user_share_hour", Method: "POST", Path: "/datacube/getusersharehour", Retry: Read,
	Proof: []string{"list"}, Doc: articleDataDoc, checks: days(1),
})

// UserShareResponse has days or hours.
type UserShareResponse struct {
	List []UserShare `json:"list"`
}

// UserShare is one day, or an hour of it, and one place: 1 friends, 2 moments,
// 255 others.
type UserShare struct {
	RefDate    string `json:"ref_date"`
	RefHour    int    `json:"ref_hour,omitempty"` // 0, 100 to 2300
	ShareScene int    `json:"share_scene"`
	ShareCount int64  `json:"share_count"`
	ShareUser  int64  `json:"share_user"`
}
