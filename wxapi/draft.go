package wxapi

import "fmt"

// AddDraft puts 1 to 8 articles into the draft box (新建草稿), from where
// [PublishDraft] or [SendMassMessage] takes them.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html
var AddDraft = define[AddDraftRequest, AddDraftResponse](Row{
	Name: "add_draft", Method: "POST", Path: "/cgi-bin/draft/add", Proof: []string{"media_id"},
	Classes: draftClasses, Doc: "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Add_draft.html",
	checks: checkNewDraft,
})

// draftClasses: 45110 is an author that is too long.
var draftClasses = map[int]Class{45110: ClassBug}

// AddDraftRequest has the articles, the one with the large picture first.
type AddDraftRequest struct {
	Articles []DraftArticle `json:"articles" wx:"required,items=8"`
}

// DraftArticle is one article. An article proper (news) needs its cover, a
// permanent image; a picture post (newspic) its pictures, and its content is
// plain text. From HTML WeChat removes scripts, and pictures that are not from
// [UploadArticleImage].
type DraftArticle struct {
	ArticleType        string     `json:"article_type,omitempty" wx:"one=news|newspic"` // "" is news
	Title              string     `json:"title" wx:"required,runes=32"`
	Author             string     `json:"author,omitempty" wx:"runes=16"`
	Digest             string     `json:"digest,omitempty" wx:"runes=128"`
	Content            string     `json:"content" wx:"required,runes=20000,max=1048575"`
	ContentSourceURL   string     `json:"content_source_url,omitempty"`
	ThumbMediaID       string     `json:"thumb_media_id,omitempty"`
	NeedOpenComment    int        `json:"need_open_comment,omitempty" wx:"one=0|1"`
	OnlyFansCanComment int        `json:"only_fans_can_comment,omitempty" wx:"one=0|1"`
	PicCrop235         string     `json:"pic_crop_235_1,omitempty"` // the cover's part, 2.35 to 1: X1_Y1_X2_Y2 from 0 to 1
	PicCrop1           string     `json:"pic_crop_1_1,omitempty"`   // likewise, 1 to 1
	ImageInfo          *ImageInfo `json:"image_info,omitempty"`
}

// ImageInfo is the pictures of a picture post, the first one the cover.
type ImageInfo struct {
	ImageList []ImageListItem `json:"image_list" wx:"required,items=20"`
}

// ImageListItem is one picture: permanent material.
type ImageListItem struct {
	ImageMediaID string `json:"image_media_id" wx:"required"`
}

// AddDraftResponse has the draft's id.
type AddDraftResponse struct {
	MediaID string `json:"media_id"`
}

func checkNewDraft(in *object) *RequestError {
	list, _ := in.get("articles")
	for i, article := range list.([]any) {
		if problem := checkArticle(fmt.Sprintf("articles[%d]", i), article.(*object)); problem != nil {
			return problem
		}
	}
	return nil
}

// checkArticle: each type of article has a picture of its own.
func checkArticle(at string, article *object) *RequestError {
	pictures, _ := article.get("image_info")
	switch newspic := article.text("article_type") == "newspic"; {
	case newspic && pictures == nil:
		return refuse(join(at, "image_info"), "is missing: a newspic needs it")
	case !newspic && article.text("thumb_media_id") == "":
		return refuse(join(at, "thumb_media_id"), "is missing: an article needs a cover, a permanent image")
	}
	return nil
}

// GetDraft gets a draft's articles.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft.html
var GetDraft = define[GetDraftRequest, GetDraftResponse](Row{
	Name: "get_draft", Method: "POST", Path: "/cgi-bin/draft/get", Retry: Read, Proof: []string{"news_item"},
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft.html",
})

// GetDraftRequest names the draft.
type GetDraftRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// GetDraftResponse has the articles; their URLs work for a while.
type GetDraftResponse struct {
	NewsItem   []NewsItem `json:"news_item"`
	CreateTime int64      `json:"create_time,omitempty"`
	UpdateTime int64      `json:"update_time,omitempty"`
}

// UpdateDraft replaces one article of a draft.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Update_draft.html
var UpdateDraft = define[UpdateDraftRequest, UpdateDraftResponse](Row{
	Name: "update_draft", Method: "POST", Path: "/cgi-bin/draft/update", Classes: draftClasses,
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Update_draft.html",
	checks: checkDraftUpdate,
})

// UpdateDraftRequest has the article and its place: Index 0 is the first one.
// For all that WeChat calls it, Articles is one.
type UpdateDraftRequest struct {
	MediaID  string       `json:"media_id" wx:"required"`
	Index    int          `json:"index" wx:"required"`
	Articles DraftArticle `json:"articles" wx:"required"`
}

// UpdateDraftResponse is empty.
type UpdateDraftResponse struct{}

func checkDraftUpdate(in *object) *RequestError {
	if problem := articlePlace(in); problem != nil {
		return problem
	}
	article, _ := in.get("articles")
	return checkArticle("articles", article.(*object))
}

// DeleteDraft deletes a draft. It can't be brought back.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Delete_draft.html
var DeleteDraft = define[DeleteDraftRequest, DeleteDraftResponse](Row{
	Name: "delete_draft", Method: "POST", Path: "/cgi-bin/draft/delete",
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Delete_draft.html",
})

// DeleteDraftRequest names the draft.
type DeleteDraftRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// DeleteDraftResponse is empty.
type DeleteDraftResponse struct{}

// GetDraftCount tells how many drafts there are.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Count_drafts.html
var GetDraftCount = define[GetDraftCountRequest, GetDraftCountResponse](Row{
	Name: "get_draft_count", Method: "GET", Path: "/cgi-bin/draft/count", Body: Query, Retry: Read,
	Proof: []string{"total_count"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Count_drafts.html",
})

// GetDraftCountRequest is empty.
type GetDraftCountRequest struct{}

// GetDraftCountResponse has the number.
type GetDraftCountResponse struct {
	TotalCount int64 `json:"total_count"`
}

// BatchGetDraft lists the drafts, the newest first, at most 20 at a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft_list.html
var BatchGetDraft = define[BatchGetDraftRequest, BatchGetDraftResponse](Row{
	Name: "batch_get_draft", Method: "POST", Path: "/cgi-bin/draft/batchget", Retry: Read,
	Proof:  []string{"item", "total_count"},
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Get_draft_list.html",
	checks: page,
})

// BatchGetDraftRequest says which page: Offset 0 is the first draft. NoContent
// 1 leaves the articles' texts out.
type BatchGetDraftRequest struct {
	Offset    int `json:"offset"`
	Count     int `json:"count" wx:"required"`
	NoContent int `json:"no_content,omitempty" wx:"one=0|1"`
}

// BatchGetDraftResponse has one page.
type BatchGetDraftResponse struct {
	TotalCount int64       `json:"total_count"` // on all pages
	ItemCount  int64       `json:"item_count"`
	Item       []DraftItem `json:"item"`
}

// DraftItem is one draft.
type DraftItem struct {
	MediaID    string      `json:"media_id"`
	Content    NewsContent `json:"content"`
	UpdateTime int64       `json:"update_time"`
}

// SwitchDraftBox turns the draft box and publishing on, for good; with CheckOnly
// 1 it only tells whether they are on (草稿箱开关设置).
//
// https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Temporary_MP_Switch.html
var SwitchDraftBox = define[SwitchDraftBoxRequest, SwitchDraftBoxResponse](Row{
	Name: "switch_draft_box", Method: "POST", Path: "/cgi-bin/draft/switch", Retry: Read,
	Query: []string{"checkonly"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Draft_Box/Temporary_MP_Switch.html",
})

// SwitchDraftBoxRequest says whether only to look.
type SwitchDraftBoxRequest struct {
	CheckOnly int `json:"checkonly,omitempty" wx:"one=0|1"`
}

// SwitchDraftBoxResponse says whether the draft box is on: 1, or 0.
type SwitchDraftBoxResponse struct {
	IsOpen int `json:"is_open"`
}
