package wxsim

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"mime"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"
)

func init() {
	stateful(endpoint{name: "upload_media", method: "POST", path: "/cgi-bin/media/upload", body: bodyFile, run: uploadMedia})
	stateful(endpoint{name: "get_media", method: "GET", path: "/cgi-bin/media/get", run: getMedia})
}

// mediaType is what media/upload takes as one type.
// https://developers.weixin.qq.com/doc/offiaccount/Asset_Management/New_temporary_materials.html
type mediaType struct {
	max        int      // bytes
	tooLarge   int      // the errcode above that
	extensions []string // of the file's name
	contents   []string // of its bytes, as sniff names them
}

var mediaTypes = map[string]mediaType{
	"image": {10 << 20, 40009, []string{".png", ".jpg", ".jpeg", ".gif"}, []string{"image/png", "image/jpeg", "image/gif"}},
	"voice": {2 << 20, 40010, []string{".amr", ".mp3"}, []string{"audio/amr", "audio/mp3"}},
	"video": {10 << 20, 40011, []string{".mp4"}, []string{"video/mp4"}},
	"thumb": {64 << 10, 40012, []string{".jpg", ".jpeg"}, []string{"image/jpeg"}},
}

// sniffs tells file types by their first bytes, as WeChat goes by the real type and not by what the upload says.
var sniffs = []struct {
	at                     int
	magic, name, extension string
}{
	{0, "\x89PNG", "image/png", ".png"},
	{0, "\xff\xd8", "image/jpeg", ".jpg"},
	{0, "GIF8", "image/gif", ".gif"},
	{0, "#!AMR", "audio/amr", ".amr"},
	{0, "ID3", "audio/mp3", ".mp3"},
	{0, "\xff\xfb", "audio/mp3", ".mp3"},
	{0, "\xff\xf3", "audio/mp3", ".mp3"},
	{0, "\xff\xf2", "audio/mp3", ".mp3"},
	{4, "ftyp", "video/mp4", ".mp4"},
	{0, "BM", "image/bmp", ".bmp"},
	{8, "WAVE", "audio/wav", ".wav"},
	{0, "\x30\x26\xb2\x75", "audio/wma", ".wma"},
}

func sniff(data []byte) (name, extension string) {
	for _, s := range sniffs {
		if len(data) > s.at && bytes.HasPrefix(data[s.at:], []byte(s.magic)) {
			return s.name, s.extension
		}
	}
	return "application/octet-stream", ""
}

// medium is one file.
type medium struct {
	typ     string // image, voice, video or thumb; mpvideo: a video for mass messages
	data    []byte
	expires time.Time // zero for permanent material
}

func (m *medium) alive(now time.Time) bool { return m.expires.IsZero() || now.Before(m.expires) }

// mediaStore is all files by media_id, temporary and permanent. The platform's lock guards it.
type mediaStore map[string]*medium

// get returns the file of a media_id that is still alive, else nil.
func (s mediaStore) get(id string, now time.Time) *medium {
	m := s[id]
	if m == nil || !m.alive(now) {
		return nil
	}
	return m
}

// has tells whether id is a living file of one of the types.
func (s mediaStore) has(id string, now time.Time, types ...string) bool {
	m := s.get(id, now)
	return m != nil && slices.Contains(types, m.typ)
}

// put keeps a file, and lets go of those whose time is over.
func (s mediaStore) put(id string, m *medium, now time.Time) {
	for old, m := range s {
		if !m.alive(now) {
			delete(s, old)
		}
	}
	s[id] = m
}

// uploadMedia is media/upload: one multipart part called media, with a file name. A thumb's id has a key of its own.
func uploadMedia(p *Platform, x *exchange) answer {
	typ := x.query.Get("type")
	kind, ok := mediaTypes[typ]
	if !ok {
		return failure(40004)
	}
	file, err := x.file()
	if err != nil {
		return failure(41005)
	}
	content, _ := sniff(file.data)
	switch {
	case len(file.data) == 0:
		return failure(44001)
	case len(file.data) > kind.max:
		return failure(kind.tooLarge)
	case !slices.Contains(kind.extensions, strings.ToLower(path.Ext(file.name))), !slices.Contains(kind.contents, content):
		return failure(40005)
	}
	id := newMediaID()
	p.media.put(id, &medium{typ: typ, data: file.data, expires: x.now.Add(p.cfg.MediaLife)}, x.now)
	key := "media_id"
	if typ == "thumb" {
		key = "thumb_media_id"
	}
	return object(map[string]any{"type": typ, key: id, "created_at": x.wall.Unix()})
}

// getMedia is media/get: the bytes, but for a video a link to them, and for a mistake JSON that says it is text.
func getMedia(p *Platform, x *exchange) answer {
	id := x.query.Get("media_id")
	code := 40007
	if id == "" {
		code = 41006
	}
	m := p.media.get(id, x.now)
	switch {
	case m == nil || m.expires.IsZero(): // permanent material has an API of its own
		a := failure(code)
		a.contentType = "text/plain"
		return a
	case m.typ == "video":
		return object(map[string]any{"video_url": x.base + "/_sim/files/" + url.PathEscape(id)})
	}
	return fileAnswer(id, m)
}

func fileAnswer(id string, m *medium) answer {
	content, extension := sniff(m.data)
	return answer{contentType: content, disposition: mime.FormatMediaType("attachment", map[string]string{"filename": id + extension}), body: m.data}
}

func newMediaID() string {
	var b [48]byte
	rand.Read(b[:])
	return base64.RawURLEncoding.EncodeToString(b[:])
}
