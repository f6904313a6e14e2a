package wxapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// heads is how files of each format begin.
var heads = map[string]string{
	".jpg": "\xff\xd8\xff\xe0", ".png": "\x89PNG\r\n\x1a\n", ".gif": "GIF89a", ".bmp": "BM6\x00", ".webp": "RIFF\x00\x00\x00\x00WEBPVP8 ",
	".heic": "\x00\x00\x00\x18ftypheic", ".amr": "#!AMR\n", ".amr of 16 kHz": "#!AMR-WB\n", ".mp3 with tags": "ID3\x03", ".mp3": "\xff\xfb\x90\x00",
	".mp3 of MPEG 2": "\xff\xf3\x40\xc0", ".wav": "RIFF\x00\x00\x00\x00WAVEfmt ", ".wma": "\x30\x26\xb2\x75\x8e\x66\xcf\x11", ".mp4": "\x00\x00\x00\x18ftypmp42",
	".mov": "\x00\x00\x00\x14ftypqt  ", ".pdf": "%PDF-1.7", ".exe": "MZ\x90\x00", "strange": "hello", "html": "<html>", "short": "\xff",
}

// B81, B82: what WeChat's pages say each upload takes, and no other format or size.
func TestUploadLimitsOfEveryRow(t *testing.T) {
	type limit struct {
		verb, data string // data with %s for the media
		bytes      int
		formats    []string
	}
	image, voice := []string{".jpg", ".png", ".gif"}, []string{".amr", ".mp3", "strange"}
	limits := []limit{
		{"upload_media", `{"type":"image","media":%s}`, 10 << 20, image},
		{"upload_media", `{"type":"voice","media":%s}`, 2 << 20, voice},
		{"upload_media", `{"type":"video","media":%s}`, 10 << 20, []string{".mp4"}},
		{"upload_media", `{"type":"thumb","media":%s}`, 64 << 10, []string{".jpg"}},
		{"add_material", `{"type":"image","media":%s}`, 10 << 20, append(image, ".bmp")},
		{"add_material", `{"type":"voice","media":%s}`, 2 << 20, append(voice, ".wma", ".wav")},
		{"add_material", `{"type":"video","media":%s,"description":{"title":"t"}}`, 10 << 20, []string{".mp4"}},
		{"add_material", `{"type":"thumb","media":%s}`, 64 << 10, []string{".jpg"}},
		{"upload_article_image", `{"media":%s}`, 1<<20 - 1, []string{".jpg", ".png"}},
		{"upload_kf_headimg", `{"kf_account":"a@b","media":%s}`, 10 << 20, []string{".jpg"}},
		{"add_voice_for_text", `{"voice_id":"v","media":%s}`, 1 << 20, []string{".mp3", "strange"}},
	}
	store := &memoryMedia{files: map[string][]byte{}}
	p := newPlatform(t, ok)
	client := p.client(t, func(c *wxapi.Config) { c.Media = store })
	upload := func(l limit, file string) error {
		row, _ := wxapi.Lookup(l.verb)
		store.files["ref:file"] = []byte(file)
		_, err := client.CallJSON(t.Context(), row, fmt.Appendf(nil, l.data, `{"dataref":"ref:file"}`))
		if len(file) < 1<<10 { // in place it is checked before anybody waits for it
			_, inPlaceErr := row.Check(fmt.Appendf(nil, l.data, inPlace(file)))
			if refused(err) != refused(inPlaceErr) {
				t.Errorf("%s %q: %v by reference, %v in place", l.verb, file, err, inPlaceErr)
			}
		}
		return err
	}
	covered := map[string]bool{}
	for _, l := range limits {
		covered[l.verb] = true
		for name, head := range heads {
			format, _, _ := strings.Cut(name, " ")
			takes := slices.Contains(l.formats, format) || !strings.HasPrefix(format, ".") && slices.Contains(l.formats, "strange")
			err := upload(l, head)
			switch {
			case refused(err) == takes:
				t.Errorf("%s of %s: takes it is %t, %v", l.data, name, takes, err)
			case !takes && !strings.Contains(err.Error(), l.formats[0]): // it names what would do
				t.Errorf("%s of %s: %v", l.data, name, err)
			case !takes && strings.HasPrefix(format, ".") && !strings.Contains(err.Error(), "is a "+format+" file"):
				t.Errorf("%s of %s: %v", l.data, name, err)
			}
		}
		whole := heads[l.formats[0]] + strings.Repeat("x", l.bytes-len(heads[l.formats[0]]))
		if err := upload(l, whole); refused(err) {
			t.Errorf("%s with %d bytes: %v", l.data, l.bytes, err)
		}
		err := upload(l, whole+"x")
		if !refused(err) || !strings.Contains(err.Error(), strconv.Itoa(l.bytes+1)) || !strings.Contains(err.Error(), "at most "+strconv.Itoa(l.bytes)) {
			t.Errorf("%s with a byte too many: %v", l.data, err)
		}
	}
	for _, row := range wxapi.Verbs() {
		if row.Body == wxapi.Upload && !covered[row.Name] {
			t.Errorf("%s has no limits here", row.Name)
		}
	}
}

// refused says whether our own checks have refused a file.
func refused(err error) bool {
	request, ok := errors.AsType[*wxapi.RequestError](err)
	return ok && strings.HasPrefix(request.Path, "media.")
}

// An error shows the beginning of a file, not what is in it.
func TestAnUnknownFileIsNotShown(t *testing.T) {
	data, err := json.Marshal(wxapi.UploadMediaRequest{Type: "image", Media: wxapi.Media{Base64: []byte("the PIN is 1234")}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = wxapi.UploadMedia.Check(data)
	if err == nil || !strings.Contains(err.Error(), "begins with 74 68 65 20,") {
		t.Error(err)
	}
}
