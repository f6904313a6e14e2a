package wxapi

import (
	"context"
	"io"
)

// UploadMedia uploads a file for three days of use (新增临时素材).
//
// Images may have 10 MB (png, jpg, gif), voices 2 MB (amr, mp3) and 60
// seconds, videos 10 MB (mp4), thumbs 64 KB (jpg). The answer has a media_id
// for thumbs too, for which WeChat itself calls it thumb_media_id.
//
// The same bytes uploaded again as the same type within two and a half days get
// the same media_id, and WeChat is not called: the answer says reused. It is
// good for 12 hours at least. Ask for a fresh one if that is not enough.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
var UploadMedia = define[UploadMediaRequest, UploadMediaResponse](Row{
	Name: "upload_media", Method: "POST", Path: "/cgi-bin/media/upload", Body: Upload,
	Query: []string{"type"}, Proof: []string{"media_id", "thumb_media_id"}, temporary: true,
	Doc:    "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html",
	attach: temporaryMedia, improve: nameMediaID,
})

// UploadMediaRequest has the file and what it is.
type UploadMediaRequest struct {
	Type     string `json:"type" wx:"required,one=image|voice|video|thumb"`
	Filename string `json:"filename,omitempty"` // its extension must fit; directories are cut off
	Media    Media  `json:"media" wx:"required"`
	Fresh    bool   `json:"fresh,omitempty"` // upload it even if the same file was uploaded lately; WeChat does not see this
}

// UploadMediaResponse names the file for other calls.
type UploadMediaResponse struct {
	Type         string `json:"type"`
	MediaID      string `json:"media_id"`
	ThumbMediaID string `json:"thumb_media_id,omitempty"`
	CreatedAt    int64  `json:"created_at"`
	Reused       bool   `json:"reused,omitempty"` // the same file was uploaded lately, WeChat was not called; created_at is of then
}

// GetMedia downloads a file that was uploaded or sent by a follower within the
// last three days (获取临时素材). It is written to the [MediaStore]; of a video
// WeChat gives a URL, from which it is then fetched.
//
// A file that was downloaded lately and is still in the store is not downloaded
// again: the answer says reused. It stays for 12 hours at least.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
var GetMedia = define[GetMediaRequest, GetMediaResponse](Row{
	Name: "get_media", Method: "GET", Path: "/cgi-bin/media/get", Body: Download, Retry: Read,
	Proof: []string{"video_url"}, temporary: true,
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html",
})

// GetMediaRequest names the file.
type GetMediaRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// GetMediaResponse says where the file is now.
type GetMediaResponse struct {
	Media  Media `json:"media"`
	Reused bool  `json:"reused,omitempty"` // it was downloaded lately, WeChat was not called
}

// GetJSSDKVoice downloads a voice that was recorded in a web page with the
// JS-SDK's uploadVoice, in high quality: speex with 16 kHz (高清语音素材).
//
// Like all temporary media it is there for three days. Anything else, and an
// ordinary voice too, is refused with 40007.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html
var GetJSSDKVoice = define[GetJSSDKVoiceRequest, GetJSSDKVoiceResponse](Row{
	Name: "get_jssdk_voice", Method: "GET", Path: "/cgi-bin/media/get/jssdk", Body: Download, Retry: Read,
	Proof: []string{"video_url"}, temporary: true,
	Doc: "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Get_temporary_materials.html",
})

// GetJSSDKVoiceRequest names the voice by the serverId of uploadVoice.
type GetJSSDKVoiceRequest struct {
	MediaID string `json:"media_id" wx:"required"`
}

// GetJSSDKVoiceResponse says where the voice is now.
type GetJSSDKVoiceResponse struct {
	Media  Media `json:"media"`
	Reused bool  `json:"reused,omitempty"` // it was downloaded lately, WeChat was not called
}

// UploadArticleImage uploads a picture for the text of an article, and answers
// its URL (上传图文消息内的图片).
//
// It may be a jpg or png below 1 MB. It does not expire, and does not count as
// permanent material. In the text of an article WeChat shows no other pictures.
//
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html
var UploadArticleImage = define[UploadArticleImageRequest, UploadArticleImageResponse](Row{
	Name: "upload_article_image", Method: "POST", Path: "/cgi-bin/media/uploadimg", Body: Upload,
	Proof: []string{"url"}, Doc: "https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/Adding_Permanent_Assets.html",
	attach: func(*object) mediaRule { return mediaRule{"media", 1<<20 - 1, []string{".jpg", ".png"}} },
})

// UploadArticleImageRequest has the picture.
type UploadArticleImageRequest struct {
	Filename string `json:"filename,omitempty"` // its extension must fit; directories are cut off
	Media    Media  `json:"media" wx:"required"`
}

// UploadArticleImageResponse has the picture's URL, for src of an img.
type UploadArticleImageResponse struct {
	URL string `json:"url"`
}

// Media is a file, either in place or by its place in the [MediaStore].
type Media struct {
	Base64  []byte `json:"base64,omitempty"`
	DataRef string `json:"dataref,omitempty"`

	// What is known about the file; given for one that was downloaded.
	ContentType string `json:"content_type,omitempty"`
	Size        int64  `json:"size,omitempty"`   // bytes
	SHA256      string `json:"sha256,omitempty"` // hexadecimal; an upload that differs is refused
	Filename    string `json:"filename,omitempty"`
}

// MediaInfo is what is known about a file beside its bytes.
type MediaInfo struct {
	ContentType string
	Size        int64  // bytes, -1 when it is not known
	SHA256      string // hexadecimal, "" when it is not known
	Filename    string // one name without directories, safe to use
}

// MediaStore keeps files outside of messages.
type MediaStore interface {
	// Open finds a file by its dataref. When there is none, the error is one for
	// which errors.Is(err, fs.ErrNotExist) holds.
	Open(ctx context.Context, ref string) (io.ReadCloser, MediaInfo, error)
	// Create stores all that can be read from r, or nothing if reading fails,
	// and returns the new file's dataref.
	Create(ctx context.Context, info MediaInfo, r io.Reader) (ref string, stored MediaInfo, err error)
}

// nameMediaID gives the id of a thumb the name that all other ids have.
func nameMediaID(answer *object) {
	if id := answer.text("thumb_media_id"); id != "" && answer.text("media_id") == "" {
		answer.set("media_id", id)
	}
}
