package wxapi

// AddMaterial uploads a file that stays (新增永久素材).
//
// Images may have 10 MB (bmp, png, jpg, gif), voices 2 MB (mp3, wma, wav, amr)
// and 60 seconds, videos 10 MB (mp4), thumbs 64 KB (jpg). An account can have
// 100,000 images and 1,000 of each other type. A video needs its description;
// articles are drafts: [AddDraft].
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
var AddMaterial = define[AddMaterialRequest, AddMaterialResponse](Row{
	Name: "add_material", Method: "POST", Path: "/cgi-bin/material/add_material", Body: Upload,
	Query: []string{"type"}, Proof: []string{"media_id"},
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html",
	attach: permanentMedia, checks: checkMaterial,
})

// AddMaterialRequest has the file and what it is.
type AddMaterialRequest struct {
	Type        string            `json:"type" wx:"required,one=image|voice|video|thumb"`
	Filename    string            `json:"filename,omitempty"` // its extension must fit; directories are cut off
	Media       Media             `json:"media" wx:"required"`
	Description *VideoDescription `json:"description,omitempty"` // of a video, and only there
}

// VideoDescription is what stands below a video.
type VideoDescription struct {
	Title        string `json:"title" wx:"required"`
	Introduction string `json:"introduction,omitempty"`
}

// AddMaterialResponse names the file for other calls. URL is there for images
// alone, and works inside WeChat.
type AddMaterialResponse struct {
	MediaID string `json:"media_id"`
	URL     string `json:"url,omitempty"`
}

// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
//
// 图片（image）: 10M，支持bmp/png/jpeg/jpg/gif格式; 语音（voice）：2M，播放长度不超过60s，mp3/wma/wav/amr格式;
// 视频（video）：10MB，支持MP4格式; 缩略图（thumb）：64KB，支持JPG格式.
var permanentRules = map[string]mediaRule{
	"image": {"media", 10 << 20, []string{".jpg", ".png", ".gif", ".bmp"}},
	"voice": {"media", 2 << 20, []string{".mp3", ".amr", ".wav", ".wma"}},
	"video": {"media", 10 << 20, []string{".mp4"}},
	"thumb": {"media", 64 << 10, []string{".jpg"}},
}

func permanentMedia(in *object) mediaRule { return permanentRules[in.text("type")] }

// checkMaterial: 新增永久视频素材需特别注意: a video is posted with a second part,
// description.
func checkMaterial(in *object) *RequestError {
	v, _ := in.get("description")
	switch video := in.text("type") == "video"; {
	case video && v == nil:
		return refuse("description", "is missing: a video needs it")
	case !video && v != nil:
		return refuse("description", "is for videos; the type is %s", in.text("type"))
	}
	return nil
}

// GetMaterial gets permanent material (获取永久素材).
//
// A picture, voice or thumb is written to the [MediaStore], as [GetMedia] does
// it. Of a video WeChat gives a URL, from which it is then fetched, with its
// words. Articles come as they are, in news_item.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html
var GetMaterial = define[GetMaterialRequest, GetMaterialResponse](Row{
	Name: "get_material", Method: "POST", Path: "/cgi-bin/material/get_material", Body: Download, Retry: Read,
	Proof:    []string{"news_item", "down_url"},
	Doc:      "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Getting_Permanent_Assets.html",
	longJSON: true,
})

// GetMaterialRequest names the material.
type GetMaterialRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// GetMaterialResponse has a file, or articles.
type GetMaterialResponse struct {
	Media       *Media     `json:"media,omitempty"`
	Title       string     `json:"title,omitempty"`       // of a video
	Description string     `json:"description,omitempty"` // of a video
	NewsItem    []NewsItem `json:"news_item,omitempty"`
}

// NewsItem is an article as WeChat tells about it.
type NewsItem struct {
	ArticleType        string     `json:"article_type,omitempty"` // news or newspic
	Title              string     `json:"title"`
	Author             string     `json:"author,omitempty"`
	Digest             string     `json:"digest,omitempty"`
	Content            string     `json:"content,omitempty"` // HTML; not there with no_content
	ContentSourceURL   string     `json:"content_source_url,omitempty"`
	ThumbMediaID       string     `json:"thumb_media_id,omitempty"`
	ThumbURL           string     `json:"thumb_url,omitempty"`
	ShowCoverPic       int        `json:"show_cover_pic,omitempty"`
	NeedOpenComment    int        `json:"need_open_comment,omitempty"`
	OnlyFansCanComment int        `json:"only_fans_can_comment,omitempty"`
	ImageInfo          *ImageInfo `json:"image_info,omitempty"`
	URL                string     `json:"url,omitempty"` // of a draft: for a while
	IsDeleted          bool       `json:"is_deleted,omitempty"`
}

// DeleteMaterial deletes permanent material, drafts too. What a menu or an
// automatic reply of the console uses stays (48005).
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Deleting_Permanent_Assets.html
var DeleteMaterial = define[DeleteMaterialRequest, DeleteMaterialResponse](Row{
	Name: "delete_material", Method: "POST", Path: "/cgi-bin/material/del_material",
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Deleting_Permanent_Assets.html",
})

// DeleteMaterialRequest names the material.
type DeleteMaterialRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// DeleteMaterialResponse is empty.
type DeleteMaterialResponse struct{}

// GetMaterialCount tells how much permanent material of each type there is.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_the_total_of_all_materials.html
var GetMaterialCount = define[GetMaterialCountRequest, GetMaterialCountResponse](Row{
	Name: "get_material_count", Method: "GET", Path: "/cgi-bin/material/get_materialcount", Body: Query, Retry: Read,
	Proof: []string{"voice_count", "video_count", "image_count", "news_count"},
	Doc:   "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_the_total_of_all_materials.html",
})

// GetMaterialCountRequest is empty.
type GetMaterialCountRequest struct{}

// GetMaterialCountResponse has the numbers.
type GetMaterialCountResponse struct {
	VoiceCount int64 `json:"voice_count"`
	VideoCount int64 `json:"video_count"`
	ImageCount int64 `json:"image_count"`
	NewsCount  int64 `json:"news_count"`
}

// BatchGetMaterial lists permanent material of one type, the newest first, at
// most 20 at a time.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html
var BatchGetMaterial = define[BatchGetMaterialRequest, BatchGetMaterialResponse](Row{
	Name: "batch_get_material", Method: "POST", Path: "/cgi-bin/material/batchget_material", Retry: Read,
	Proof:  []string{"item", "total_count"},
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_materials_list.html",
	checks: page,
})

// BatchGetMaterialRequest says which page: Offset 0 is the first entry.
type BatchGetMaterialRequest struct {
	Type   string `json:"type" wx:"required,one=image|video|voice|news"`
	Offset int    `json:"offset"`
	Count  int    `json:"count" wx:"required"`
}

// BatchGetMaterialResponse has one page.
type BatchGetMaterialResponse struct {
	TotalCount int64          `json:"total_count"` // on all pages
	ItemCount  int64          `json:"item_count"`
	Item       []MaterialItem `json:"item"`
}

// MaterialItem is a file or, with Content, an article.
type MaterialItem struct {
	MediaID    string       `json:"media_id"`
	Name       string       `json:"name,omitempty"`
	UpdateTime int64        `json:"update_time"`
	URL        string       `json:"url,omitempty"`
	Content    *NewsContent `json:"content,omitempty"`
}

// NewsContent is the articles of one material, draft or publication.
type NewsContent struct {
	NewsItem   []NewsItem `json:"news_item"`
	CreateTime int64      `json:"create_time,omitempty"`
	UpdateTime int64      `json:"update_time,omitempty"`
}
