package wxsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// upload posts one file by hand, as programs in other languages do.
func (w *world) upload(typ, field, filename string, data []byte) (int, map[string]any) {
	w.t.Helper()
	var form bytes.Buffer
	m := multipart.NewWriter(&form)
	var part io.Writer
	var err error
	if filename == "" {
		part, err = m.CreateFormField(field)
	} else {
		part, err = m.CreateFormFile(field, filename)
	}
	if err != nil {
		w.t.Fatal(err)
	}
	part.Write(data)
	m.Close()
	resp, err := http.Post(w.url+"/cgi-bin/media/upload?type="+typ+"&access_token="+w.token(), m.FormDataContentType(), &form)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		w.t.Fatal(err)
	}
	code, _ := answer["errcode"].(float64)
	return int(code), answer
}

// TestUploads: types, sizes and forms that WeChat refuses, and those it takes.
func TestUploads(t *testing.T) {
	w := newWorld(t, nil)
	sized := func(magic string, n int) []byte { return append([]byte(magic), make([]byte, n-len(magic))...) }
	for _, test := range []struct {
		typ, field, name string
		data             []byte
		code             int
	}{
		{"image", "media", "a.png", pixel, 0},
		{"voice", "media", "a.mp3", sized("ID3", 100), 0},
		{"voice", "media", "a.amr", samples["voice"], 0},
		{"video", "media", "a.mp4", samples["video"], 0},
		{"thumb", "media", "a.jpg", sized("\xff\xd8", 64<<10), 0},
		{"hologram", "media", "a.png", pixel, 40004},
		{"", "media", "a.png", pixel, 40004},
		{"image", "file", "a.png", pixel, 41005},
		{"image", "media", "", pixel, 41005},
		{"image", "media", "a.png", nil, 44001},
		{"image", "media", "a.txt", pixel, 40005},
		{"image", "media", "a.png", []byte("not a picture"), 40005},
		{"voice", "media", "a.mp3", pixel, 40005},
		{"thumb", "media", "a.png", pixel, 40005},
		{"voice", "media", "a.mp3", sized("ID3", 2<<20+1), 40010},
		{"thumb", "media", "a.jpg", sized("\xff\xd8", 64<<10+1), 40012},
	} {
		code, answer := w.upload(test.typ, test.field, test.name, test.data)
		if code != test.code {
			t.Errorf("%s %s %d bytes: errcode %d, want %d", test.typ, test.name, len(test.data), code, test.code)
		}
		key := "media_id"
		if test.typ == "thumb" {
			key = "thumb_media_id"
		}
		if id, _ := answer[key].(string); (code == 0) != (id != "") || code == 0 && answer["type"] != test.typ {
			t.Errorf("%s: answer %v", test.typ, answer)
		}
	}
	// Ten megabytes take long under the race detector, so what is as it is above is only looked up.
	if image, video := mediaTypes["image"], mediaTypes["video"]; image.max != 10<<20 || image.tooLarge != 40009 || video.max != 10<<20 || video.tooLarge != 40011 {
		t.Errorf("limits: image %+v, video %+v", image, video)
	}
	if code, _ := w.api("POST", "/cgi-bin/media/upload?type=image", "no form"); code != 41005 {
		t.Errorf("no form: %d", code)
	}
	calls := w.Calls()
	var shown struct {
		Filename string
		Size     int
	}
	if err := json.Unmarshal(calls[1].Body, &shown); err != nil || shown.Filename != "a.png" || shown.Size != len(pixel) {
		t.Errorf("the call log shows %s", calls[1].Body)
	}
}

// TestMediaComeBack: what was uploaded can be fetched for three days, a video by a link.
func TestMediaComeBack(t *testing.T) {
	w := newWorld(t, nil)
	_, image := w.upload("image", "media", "a.png", pixel)
	_, video := w.upload("video", "media", "a.mp4", samples["video"])
	get := func(id any) (*http.Response, string) {
		resp, err := http.Get(fmt.Sprintf("%s/cgi-bin/media/get?media_id=%v&access_token=%s", w.url, id, w.token()))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	resp, body := get(image["media_id"])
	if body != string(pixel) || resp.Header.Get("Content-Type") != "image/png" ||
		!strings.HasPrefix(resp.Header.Get("Content-Disposition"), "attachment; filename=") {
		t.Errorf("image: %v, %d bytes", resp.Header, len(body))
	}
	_, body = get(video["media_id"])
	var link struct {
		URL string `json:"video_url"`
	}
	if err := json.Unmarshal([]byte(body), &link); err != nil || !strings.HasPrefix(link.URL, w.url) {
		t.Fatalf("video: %s", body)
	}
	if status, file := w.do("GET", strings.TrimPrefix(link.URL, w.url), ""); status != 200 || file != string(samples["video"]) {
		t.Errorf("video_url: %d, %q", status, file)
	}
	w.Advance(3 * 24 * time.Hour)
	resp, body = get(image["media_id"])
	if resp.Header.Get("Content-Type") != "text/plain" || !strings.Contains(body, `"errcode":40007`) {
		t.Errorf("after three days: %v %s", resp.Header, body)
	}
	if status, _ := w.do("GET", strings.TrimPrefix(link.URL, w.url), ""); status != 404 {
		t.Errorf("video_url after three days: %d", status)
	}
}

// TestFollowersMedia: what a follower sends can be fetched, with a real client.
func TestFollowersMedia(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"image"}`)
	w.push(alice, `{"MsgType":"shortvideo"}`)
	for i, size := range []int{len(pixel), len(samples["video"])} {
		id := rec.all()[i].message.Value("MediaId")
		got, err := w.client().GetMedia(t.Context(), &wxapi.GetMediaRequest{MediaID: id})
		if err != nil || got.Media.Size != int64(size) {
			t.Errorf("media %q: %+v, %v", id, got, err)
		}
	}
}
