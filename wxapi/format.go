package wxapi

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// format is a kind of file that WeChat takes or gives.
type format struct {
	ext, mime string
	magic     string // how its bytes begin
	at        int    // or not quite at the beginning
}

var formats = []format{
	{".jpg", "image/jpeg", "\xff\xd8\xff", 0},
	{".png", "image/png", "\x89PNG\r\n\x1a\n", 0},
	{".gif", "image/gif", "GIF8", 0},
	{".bmp", "image/bmp", "BM", 0},
	{".webp", "image/webp", "WEBP", 8},
	{".heic", "image/heic", "ftypheic", 4}, // what iPhones make; it would look like a video
	{".heic", "image/heic", "ftypheix", 4},
	{".heic", "image/heic", "ftypmif1", 4},
	{".avif", "image/avif", "ftypavif", 4},
	{".amr", "audio/amr", "#!AMR", 0},
	{".mp3", "audio/mpeg", "ID3", 0},
	{".mp3", "audio/mpeg", "\xff\xfb", 0},
	{".mp3", "audio/mpeg", "\xff\xf3", 0},
	{".mp3", "audio/mpeg", "\xff\xf2", 0},
	{".mp3", "audio/mpeg", "\xff\xfa", 0},
	{".mp3", "audio/mpeg", "\xff\xe3", 0}, // MPEG 2.5
	{".mp3", "audio/mpeg", "\xff\xe2", 0},
	{".wav", "audio/wav", "WAVE", 8},
	{".wma", "audio/x-ms-wma", "\x30\x26\xb2\x75\x8e\x66\xcf\x11", 0},
	{".m4a", "audio/mp4", "ftypM4A", 4},
	{".mov", "video/quicktime", "ftypqt", 4},
	{".mp4", "video/mp4", "ftyp", 4},
	{".pdf", "application/pdf", "%PDF-", 0},
	{".zip", "application/zip", "PK\x03\x04", 0},
	{".exe", "application/octet-stream", "MZ\x90", 0},
}

// magicLength is how much an error shows of the beginning of a file that is of no
// format: enough to tell what it is, too little to tell what is in it.
const magicLength = 4

// formatOf recognises a file by its first bytes, whatever its name says.
func formatOf(head []byte) (format, bool) {
	for _, f := range formats {
		if len(head) >= f.at && bytes.HasPrefix(head[f.at:], []byte(f.magic)) {
			return f, true
		}
	}
	return format{}, false
}

// mediaRule is what a file may be.
type mediaRule struct {
	part    string   // name of its part of the form
	bytes   int64    // at most
	formats []string // extensions
}

// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
//
// 图片（image）: 10M，支持PNG\JPEG\JPG\GIF格式; 语音（voice）：2M，播放长度不超过60s，支持AMR\MP3格式;
// 视频（video）：10MB，支持MP4格式; 缩略图（thumb）：64KB，支持JPG格式.
var temporaryRules = map[string]mediaRule{
	"image": {"media", 10 << 20, []string{".jpg", ".png", ".gif"}},
	"voice": {"media", 2 << 20, []string{".amr", ".mp3"}},
	"video": {"media", 10 << 20, []string{".mp4"}},
	"thumb": {"media", 64 << 10, []string{".jpg"}},
}

func temporaryMedia(in *object) mediaRule { return temporaryRules[in.text("type")] }

// takes says whether a file with this extension is allowed.
func (m mediaRule) takes(ext string) bool {
	ext = strings.ToLower(ext)
	return slices.Contains(m.formats, ext) || ext == ".jpeg" && slices.Contains(m.formats, ".jpg")
}

// takesStrange says whether bytes that are of no format we know pass. Pictures
// and videos all begin with their magic; an mp3 may begin with anything that a
// player would skip.
func (m mediaRule) takesStrange() bool { return m.takes(".mp3") }

// maxFilename leaves room for the extension within what file systems take.
const maxFilename = 100

// safeFilename is one name out of what a stranger gave: no directories, no
// control characters or quotes that could end a header, nothing hidden.
func safeFilename(name string) string {
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("._- ", r):
			return r
		}
		return '_'
	}, name)
	name = strings.Trim(name, ". ")
	if len(name) > maxFilename {
		ext := path.Ext(name)
		if len(ext) > 10 {
			ext = ""
		}
		name = name[:maxFilename-len(ext)] + ext
	}
	return name
}
