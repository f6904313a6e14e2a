package wxapi_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"path"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

const png = "\x89PNG\r\n\x1a\n and the rest"

func upload(filename, media string) string {
	return fmt.Sprintf(`{"type":"image","filename":%q,"media":%s}`, filename, media)
}

func inPlace(data string) string {
	return `{"base64":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}`
}

func TestUpload(t *testing.T) {
	store := &memoryMedia{files: map[string][]byte{"nats-object://WX_MEDIA/cat": []byte(png)}}
	tests := []struct{ name, data, filename string }{
		{"base64", upload("cat.png", inPlace(png)), "cat.png"},
		{"dataref", upload("cat.png", `{"dataref":"nats-object://WX_MEDIA/cat"}`), "cat.png"},
		{"no name", `{"type":"image","media":` + inPlace(png) + `}`, "media.png"},
		{"no extension", upload("cat", inPlace(png)), "cat.png"},
		{"nothing known", `{"type":"voice","media":` + inPlace("???") + `}`, "media.amr"},
		{"directories", upload(`../../etc\..\cat.png`, inPlace(png)), "cat.png"},
		{"header", upload("c\"\r\nX-Evil: 1\r\n.png", inPlace(png)), "c___X-Evil_ 1__.png"},
		{"long", upload(strings.Repeat("c", 300)+".png", inPlace(png)), strings.Repeat("c", 96) + ".png"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var query string
			p := newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				query = r.URL.Query().Get("type")
				fmt.Fprint(w, `{"type":"image","media_id":"MEDIA_ID","created_at":1672500000}`)
			})
			client := p.client(t, func(c *wxapi.Config) { c.Media = store })
			result, err := client.CallJSON(t.Context(), wxapi.UploadMedia.Row, []byte(test.data))
			if err != nil {
				t.Fatal(err)
			}
			wantType := "image"
			if test.name == "nothing known" { // only voices may be of no format that we know
				wantType = "voice"
			}
			if !strings.Contains(string(result.Response), `"media_id":"MEDIA_ID"`) || query != wantType {
				t.Errorf("%s, type=%s", result.Response, query)
			}
			calls, _ := p.seen()
			kind, params, _ := mime.ParseMediaType(calls[0].ContentType)
			if kind != "multipart/form-data" || calls[0].Length != int64(len(calls[0].Body)) {
				t.Errorf("%s with Content-Length %d", kind, calls[0].Length)
			}
			form := multipart.NewReader(bytes.NewReader(calls[0].Body), params["boundary"])
			part, err := form.NextPart()
			if err != nil {
				t.Fatal(err)
			}
			if part.FormName() != "media" || part.FileName() != test.filename || len(part.Header) != 2 {
				t.Errorf("%v", part.Header)
			}
			if data, _ := io.ReadAll(part); test.name != "nothing known" && string(data) != png {
				t.Errorf("%q arrived", data)
			}
			if _, err := form.NextPart(); !errors.Is(err, io.EOF) {
				t.Errorf("another part: %v", err)
			}
		})
	}
}

func TestUploadOfAThumbHasAMediaID(t *testing.T) {
	p := newPlatform(t, says(200, `{"type":"thumb","thumb_media_id":"THUMB","created_at":"1672500000"}`))
	got, err := p.client(t).UploadMedia(t.Context(), &wxapi.UploadMediaRequest{Type: "thumb", Media: wxapi.Media{Base64: []byte("\xff\xd8\xff")}})
	if err != nil || got.MediaID != "THUMB" || got.CreatedAt != 1672500000 {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestUploadRefused(t *testing.T) {
	store := &memoryMedia{files: map[string][]byte{"ref:big": make([]byte, 10<<20+5), "ref:empty": {}, "ref:amr": []byte("#!AMR\n")}}
	for _, test := range []struct{ data, path, problem string }{
		{`{"type":"picture","media":` + inPlace(png) + `}`, "type", "known are"},
		{`{"type":"image"}`, "media", "is missing"},
		{upload("cat.png", `{}`), "media", "either"},
		{upload("cat.png", `{"base64":"AA==","dataref":"x"}`), "media", "either"},
		{upload("cat.png", `{"base64":"!"}`), "media.base64", "not base64"},
		{upload("cat.png", inPlace("")), "media.base64", "is empty"},
		{upload("cat.exe", inPlace(png)), "filename", "ends in .exe"},
		{upload("cat.png", inPlace("#!AMR\n")), "media.base64", "is a .amr file"},
		{upload("cat.png", inPlace("MZ\x90\x00")), "media.base64", "is a .exe file"},
		{`{"type":"thumb","media":` + inPlace("\xff\xd8\xff"+strings.Repeat("x", 64<<10)) + `}`, "media.base64", "at most 65536"},
		{upload("cat.png", `{"dataref":"ref:none"}`), "media.dataref", "no such file"},
		{upload("cat.png", `{"dataref":"ref:big"}`), "media.dataref", "has 10485765 bytes, at most 10485760"},
		{upload("cat.png", `{"dataref":"ref:empty"}`), "media.dataref", "is empty"},
		{upload("cat.png", `{"dataref":"ref:amr"}`), "media.dataref", "is a .amr file"},
		{upload("cat.png", `{"base64":"iVBORw0KGgo=","sha256":"00"}`), "media.sha256", "not that of the file"},
	} {
		p := newPlatform(t, ok)
		client := p.client(t, func(c *wxapi.Config) { c.Media = store })
		_, err := client.CallJSON(t.Context(), wxapi.UploadMedia.Row, []byte(test.data))
		refused, isRequest := errors.AsType[*wxapi.RequestError](err)
		if !isRequest || refused.Path != test.path || !strings.Contains(refused.Problem, test.problem) || refused.Verb != "upload_media" {
			t.Errorf("%.80s: %v", test.data, err)
		}
		if calls, _ := p.seen(); len(calls) != 0 {
			t.Errorf("%.80s was sent", test.data)
		}
	}
}

func TestUploadIsRepeatedWithANewToken(t *testing.T) {
	var p *platform
	p = newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
		if calls, _ := p.seen(); len(calls) == 1 {
			p.turn("83_the_new_token_the_new_token_the")
			fmt.Fprint(w, `{"errcode":40001}`)
			return
		}
		fmt.Fprint(w, `{"media_id":"M"}`)
	})
	if _, err := p.client(t).CallJSON(t.Context(), wxapi.UploadMedia.Row, []byte(upload("cat.png", inPlace(png)))); err != nil {
		t.Fatal(err)
	}
	if calls, _ := p.seen(); !bytes.Equal(calls[0].Body, calls[1].Body) || calls[0].Token == calls[1].Token {
		t.Error("the second try is not the first with another token")
	}
}

func getMedia(t *testing.T, p *platform, change ...func(*wxapi.Config)) (wxapi.Result, error) {
	t.Helper()
	return p.client(t, change...).CallJSON(t.Context(), wxapi.GetMedia.Row, []byte(`{"media_id":"../MEDIA/ID"}`))
}

func sendFile(contentType, disposition, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if disposition != "" {
			w.Header().Set("Content-Disposition", disposition)
		}
		fmt.Fprint(w, body)
	}
}

func TestGetMediaBytes(t *testing.T) {
	for _, test := range []struct{ contentType, disposition, body, wantType, wantName string }{
		{"image/jpeg", `attachment; filename="x.jpg"`, png, "image/png", "ID.png"},
		{"audio/amr", "", "#!AMR\nvoice", "audio/amr", "ID.amr"},
		{"text/plain", "", png, "image/png", "ID.png"},
		{"audio/speex", `attachment; filename="../../evil.speex"`, "unknown bytes", "audio/speex", "ID.speex"},
		{"text/plain", `attachment; filename="x"`, "unknown bytes", "application/octet-stream", "ID"},
	} {
		store := &memoryMedia{}
		p := newPlatform(t, sendFile(test.contentType, test.disposition, test.body))
		result, err := getMedia(t, p, func(c *wxapi.Config) { c.Media = store })
		if err != nil {
			t.Errorf("%s: %v", test.body, err)
			continue
		}
		sum := sha256.Sum256([]byte(test.body))
		want := fmt.Sprintf(`{"media":{"dataref":"nats-object://WX_MEDIA/1","content_type":%q,"size":%d,"sha256":%q,"filename":%q}}`,
			test.wantType, len(test.body), hex.EncodeToString(sum[:]), test.wantName)
		if string(result.Response) != want || string(store.files["nats-object://WX_MEDIA/1"]) != test.body {
			t.Errorf("got  %s\nwant %s", result.Response, want)
		}
		if store.info.Size != int64(len(test.body)) {
			t.Errorf("the store was told %+v", store.info)
		}
	}
}

func TestGetMediaWithoutAStore(t *testing.T) {
	p := newPlatform(t, sendFile("image/png", "", png))
	got, err := p.client(t).GetMedia(t.Context(), &wxapi.GetMediaRequest{MediaID: "M"})
	if err != nil || string(got.Media.Base64) != png || got.Media.Filename != "M.png" {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestGetMediaThatIsNone(t *testing.T) {
	for _, test := range []struct {
		answer http.HandlerFunc
		code   int
		doubt  string
	}{
		{sendFile("text/plain", "", `{"errcode":40007,"errmsg":"invalid media_id"}`), 40007, ""},
		{sendFile("image/jpeg", `attachment; filename="x.jpg"`, `{"errcode":40007,"errmsg":"invalid media_id"}`), 40007, ""},
		{sendFile("text/html", "", "<html>busy</html>"), 0, "no file"},
		{sendFile("text/plain", "", "try again"), 0, "no file"},
		{sendFile("text/plain", "", ""), 0, "no file"},
		{sendFile("text/plain", "", `{"errcode":0}`), 0, "neither a file"},
		{sendFile("text/plain", "", `{}`), 0, "neither"},
		{sendFile("image/png", "", png+strings.Repeat("x", 5000)), 0, "more than 4000 bytes"},
		{says(502, png), 0, "no file"},
	} {
		store := &memoryMedia{}
		p := newPlatform(t, test.answer)
		_, err := getMedia(t, p, func(c *wxapi.Config) { c.Media, c.MaxDownload = store, 4000 })
		refused, _ := errors.AsType[*wxapi.Error](err)
		doubtful, _ := errors.AsType[*wxapi.AnswerError](err)
		if test.code != 0 && (refused == nil || refused.Code != test.code) ||
			test.doubt != "" && (doubtful == nil || !strings.Contains(doubtful.Reason, test.doubt)) {
			t.Errorf("want %d %s, got %v", test.code, test.doubt, err)
		}
		if len(store.files) != 0 {
			t.Error("something was stored")
		}
	}
}

func TestGetMediaThatBreaksOff(t *testing.T) {
	store := &memoryMedia{}
	p := newPlatform(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "200000")
		fmt.Fprint(w, png+strings.Repeat("x", 100000))
	})
	_, err := getMedia(t, p, func(c *wxapi.Config) { c.Media = store })
	lost, isLost := errors.AsType[*wxapi.TransportError](err)
	if !isLost || !lost.Written || !errors.Is(err, io.ErrUnexpectedEOF) || len(store.files) != 0 {
		t.Errorf("%v", err)
	}
}

func TestGetMediaVideo(t *testing.T) {
	const mp4 = "\x00\x00\x00\x18ftypmp42 video"
	var p *platform
	p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		switch path.Base(r.URL.Path) {
		case "get":
			fmt.Fprintf(w, `{"video_url":%q}`, p.URL+"/video?sign=1")
		case "video":
			fmt.Fprint(w, mp4)
		}
	})
	store := &memoryMedia{}
	result, err := getMedia(t, p, func(c *wxapi.Config) { c.Media = store })
	if err != nil || string(store.files["nats-object://WX_MEDIA/1"]) != mp4 {
		t.Fatalf("%v", err)
	}
	var got wxapi.GetMediaResponse
	if err := json.Unmarshal(result.Response, &got); err != nil || got.Media.Filename != "ID.mp4" || got.Media.ContentType != "video/mp4" {
		t.Errorf("%s, %v", result.Response, err)
	}
	if calls, _ := p.seen(); len(calls) != 2 || calls[1].Token != "" || result.Requests != 1 {
		t.Errorf("%+v, %d requests", calls, result.Requests)
	}
}

// A video_url leads nowhere but to the public internet: WeChat is public here,
// only the transport knows that it is really the test server.
func TestVideoURLIsGuarded(t *testing.T) {
	inner := newPlatform(t, says(200, "\x00\x00\x00\x18ftypmp42 secrets of the house"))
	_, port, _ := strings.Cut(strings.TrimPrefix(inner.URL, "http://"), ":")
	for _, url := range []string{
		inner.URL, "http://localhost:" + port, "http://[::1]:" + port, "http://[::ffff:127.0.0.1]:" + port, "http://0.0.0.0:" + port,
		"http://169.254.169.254/latest/meta-data", "file:///etc/passwd", "gopher://127.0.0.1/", "//127.0.0.1", "http://u:p@127.0.0.1", "", " ",
	} {
		answer := roundTripper(func(*http.Request) (*http.Response, error) {
			return newRecorder(200, fmt.Sprintf(`{"video_url":%q}`, url)).Result(), nil
		})
		_, err := getMedia(t, inner, func(c *wxapi.Config) {
			c.APIURL, c.Transport, c.Tokens = "https://203.0.113.7", answer, &slowStore{token: freshToken()}
			c.Media = &memoryMedia{}
		})
		if _, isDoubtful := errors.AsType[*wxapi.AnswerError](err); !isDoubtful {
			t.Errorf("%q: %v", url, err)
		}
	}
	if calls, _ := inner.seen(); len(calls) != 0 {
		t.Errorf("%d requests came through", len(calls))
	}
}

// B80: a redirect is followed nowhere, be it from the API or from where a video is.
func TestMediaRedirectsAreNotFollowed(t *testing.T) {
	inner := newPlatform(t, says(200, "\x00\x00\x00\x18ftypmp42 secrets of the house"))
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, from := range []string{"get", "video"} {
			var p *platform
			p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
				if path.Base(r.URL.Path) == from {
					w.Header().Set("Content-Disposition", `attachment; filename="x.mp4"`)
					http.Redirect(w, r, inner.URL, status)
					return
				}
				fmt.Fprintf(w, `{"video_url":%q}`, p.URL+"/video")
			})
			store := &memoryMedia{}
			_, err := getMedia(t, p, func(c *wxapi.Config) { c.Media = store })
			if doubtful, ok := errors.AsType[*wxapi.AnswerError](err); !ok || doubtful.Status != status || len(store.files) != 0 {
				t.Errorf("%d of %s: %v", status, from, err)
			}
		}
	}
	if calls, _ := inner.seen(); len(calls) != 0 {
		t.Errorf("%d requests came through", len(calls))
	}
}

// longFile gives out a file as it is asked for it.
type longFile struct{ size, given int64 }

func (e *longFile) Read(p []byte) (int, error) {
	n := min(int64(len(p)), e.size-e.given)
	if n == 0 {
		return 0, io.EOF
	}
	for i := range p[:n] {
		p[i] = 'x'
	}
	if e.given == 0 {
		copy(p, "\x00\x00\x00\x18ftypmp42")
	}
	e.given += n
	return int(n), nil
}

func (e *longFile) Close() error { return nil }

// counting is a MediaStore that keeps nothing and notes how far the file was
// ahead of it at most.
type counting struct {
	file            *longFile
	taken, furthest int64
}

func (c *counting) Open(context.Context, string) (io.ReadCloser, wxapi.MediaInfo, error) {
	return nil, wxapi.MediaInfo{}, errNotExist
}

func (c *counting) Create(_ context.Context, info wxapi.MediaInfo, r io.Reader) (string, wxapi.MediaInfo, error) {
	part := make([]byte, 8<<10)
	for {
		n, err := r.Read(part)
		c.taken += int64(n)
		c.furthest = max(c.furthest, c.file.given-c.taken)
		if errors.Is(err, io.EOF) {
			return "nats-object://WX_MEDIA/1", info, nil
		}
		if err != nil {
			return "", info, err
		}
	}
}

// B82: a file goes through in small pieces: never is much of it read and not stored.
func TestDownloadHoldsLittle(t *testing.T) {
	const size = 48 << 20
	file := &longFile{size: size}
	store := &counting{file: file}
	answer := roundTripper(func(*http.Request) (*http.Response, error) {
		resp := newRecorder(200, "").Result()
		resp.Header.Set("Content-Disposition", `attachment; filename="x.mp4"`)
		resp.Body, resp.ContentLength = file, size
		return resp, nil
	})
	result, err := getMedia(t, newPlatform(t, ok), func(c *wxapi.Config) {
		c.Transport, c.Tokens, c.Media = answer, &slowStore{token: freshToken()}, store
	})
	if err != nil || store.taken != size || !strings.Contains(string(result.Response), `"size":50331648`) {
		t.Fatalf("%d bytes, %s, %v", store.taken, result.Response, err)
	}
	if store.furthest > 128<<10 {
		t.Errorf("%d bytes were read and not stored yet", store.furthest)
	}
}
