package wxapi

// PublishDraft publishes a draft, so that its articles have lasting URLs
// (发布). Followers are not told: that is [SendMassMessage].
//
// A good answer only means that WeChat has taken it. What became of it is told
// by [GetPublishStatus], and by the event PUBLISHJOBFINISH. 53503 to 53505 are
// drafts that must be put right on the console.
//
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Publish.html
var PublishDraft = define[PublishDraftRequest, PublishDraftResponse](Row{
	Name: "publish_draft", Method: "POST", Path: "/cgi-bin/freepublish/submit", Proof: []string{"publish_id"},
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Publish/Publish.html",
})

// PublishDraftRequest names the draft.
type PublishDraftRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// PublishDraftResponse has the job's id, and the id by which comments and
// statistics name the articles.
type PublishDraftResponse struct {
	PublishID string `json:"publish_id"`
	MsgDataID ID     `json:"msg_data_id,omitempty"`
}

// GetPublishStatus tells what became of publishing a draft.
//
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_status.html
var GetPublishStatus = define[GetPublishStatusRequest, GetPublishStatusResponse](Row{
	Name: "get_publish_status", Method: "POST", Path: "/cgi-bin/freepublish/get", Retry: Read,
	Proof: []string{"publish_status"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_status.html",
})

// GetPublishStatusRequest names the job.
type GetPublishStatusRequest struct {
	PublishID string `json:"publish_id" wx:"required,id"`
}

// GetPublishStatusResponse has the state of the job: 0 done, 1 running, 2 not
// original, 3 failed, 4 refused by audit, 5 deleted since, 6 banned since.
type GetPublishStatusResponse struct {
	PublishID     string         `json:"publish_id"`
	PublishStatus int            `json:"publish_status"`
	ArticleID     string         `json:"article_id,omitempty"` // for an mpnewsarticle
	ArticleDetail *ArticleDetail `json:"article_detail,omitempty"`
	FailIdx       []int          `json:"fail_idx"` // refused articles, from 1
}

// ArticleDetail has the articles' URLs.
type ArticleDetail struct {
	Count int64              `json:"count"`
	Item  []PublishedArticle `json:"item"`
}

// PublishedArticle is one article, numbered from 1.
type PublishedArticle struct {
	Idx        int    `json:"idx"`
	ArticleURL string `json:"article_url"`
}

// DeletePublishedArticle takes published articles back, for good.
//
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Delete_posts.html
var DeletePublishedArticle = define[DeletePublishedArticleRequest, DeletePublishedArticleResponse](Row{
	Name: "delete_published_article", Method: "POST", Path: "/cgi-bin/freepublish/delete", checks: within("index", 0, 8),
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Publish/Delete_posts.html",
})

// DeletePublishedArticleRequest names a publication and one of its articles,
// from 1; without an Index all are deleted.
type DeletePublishedArticleRequest struct {
	ArticleID string `json:"article_id" wx:"required"`
	Index     int    `json:"index,omitempty"`
}

// DeletePublishedArticleResponse is empty.
type DeletePublishedArticleResponse struct{}

// GetPublishedArticle gets the articles of a publication.
//
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_article_from_id.html
var GetPublishedArticle = define[GetPublishedArticleRequest, GetPublishedArticleResponse](Row{
	Name: "get_published_article", Method: "POST", Path: "/cgi-bin/freepublish/getarticle", Retry: Read,
	Proof: []string{"news_item"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_article_from_id.html",
})

// GetPublishedArticleRequest names the publication.
type GetPublishedArticleRequest struct {
	ArticleID string `json:"article_id" wx:"required"`
}

// GetPublishedArticleResponse has the articles, the deleted ones among them.
type GetPublishedArticleResponse struct {
	NewsItem   []NewsItem `json:"news_item"`
	CreateTime int64      `json:"create_time,omitempty"`
	UpdateTime int64      `json:"update_time,omitempty"`
}

// BatchGetPublishedArticle lists what has been published, the newest first, at
// most 20 at a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_publication_records.html
var BatchGetPublishedArticle = define[BatchGetPublishedArticleRequest, BatchGetPublishedArticleResponse](Row{
	Name: "batch_get_published_article", Method: "POST", Path: "/cgi-bin/freepublish/batchget", Retry: Read,
	Proof:  []string{"item", "total_count"},
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Publish/Get_publication_records.html",
	checks: page,
})

// BatchGetPublishedArticleRequest says which page: Offset 0 is the first entry.
// NoContent 1 leaves the articles' texts out.
type BatchGetPublishedArticleRequest struct {
	Offset    int `json:"offset"`
	Count     int `json:"count" wx:"required"`
	NoContent int `json:"no_content,omitempty" wx:"one=0|1"`
}

// BatchGetPublishedArticleResponse has one page.
type BatchGetPublishedArticleResponse struct {
	TotalCount int64             `json:"total_count"` // on all pages
	ItemCount  int64             `json:"item_count"`
	Item       []PublicationItem `json:"item"`
}

// PublicationItem is one publication.
type PublicationItem struct {
	ArticleID  string      `json:"article_id"`
	Content    NewsContent `json:"content"`
	UpdateTime int64       `json:"update_time"`
}
