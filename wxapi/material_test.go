package wxapi_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

func getMaterial(t *testing.T, p *platform, store *memoryMedia) (*wxapi.GetMaterialResponse, error) {
	t.Helper()
	return p.client(t, func(c *wxapi.Config) { c.Media = store }).GetMaterial(t.Context(), &wxapi.GetMaterialRequest{MediaID: "MEDIA"})
}

// Material is a file, a video somewhere else, or articles, and says so in its
// bytes alone.
func TestGetMaterialFile(t *testing.T) {
	store := &memoryMedia{}
	p := newPlatform(t, sendFile("text/plain", "", png)) // the type is often wrong
	got, err := getMaterial(t, p, store)
	if err != nil || got.Media == nil || got.Media.Filename != "MEDIA.png" || string(store.files[got.Media.DataRef]) != png {
		t.Errorf("%+v, %v", got, err)
	}
	if calls, _ := p.seen(); string(calls[0].Body) != `{"media_id":"MEDIA"}` || calls[0].Method != http.MethodPost {
		t.Errorf("sent %+v", calls[0])
	}
}

func TestGetMaterialVideo(t *testing.T) {
	const mp4 = "\x00\x00\x00\x18ftypmp42 video"
	var p *platform
	p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/the/video" {
			fmt.Fprint(w, mp4)
			return
		}
		fmt.Fprintf(w, `{"title":"T","description":"D","down_url":%q}`, p.URL+"/the/video?sign=1")
	})
	store := &memoryMedia{}
	got, err := getMaterial(t, p, store)
	if err != nil || got.Title != "T" || got.Description != "D" || got.Media == nil || string(store.files[got.Media.DataRef]) != mp4 {
		t.Errorf("%+v, %v", got, err)
	}
	if calls, _ := p.seen(); len(calls) != 2 || calls[1].Token != "" {
		t.Errorf("%+v", calls)
	}
}

func TestGetMaterialArticles(t *testing.T) {
	for _, size := range []int{10, 64 << 10, 200 << 10} {
		content := strings.Repeat("好", size/3)
		p := newPlatform(t, sendFile("text/plain", "", `{"news_item":[{"title":"T","content":"`+content+`"}]}`))
		got, err := getMaterial(t, p, &memoryMedia{})
		if err != nil || got.Media != nil || len(got.NewsItem) != 1 || got.NewsItem[0].Content != content {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
}

func TestGetMaterialThatIsNone(t *testing.T) {
	for answer, code := range map[string]int{
		`{"errcode":40007,"errmsg":"invalid media_id"}`: 40007,
		`{"errcode":0}`: 0,
		`{}`:            0,
		`{"news_item":[{"content":"` + strings.Repeat("x", 200<<10):  0,
		`{"news_item":[{"content":"` + strings.Repeat("x", 5<<20):    0,
		`{"title":"T","down_url":"http://127.0.0.1:1/nobody/there"}`: 0, // an address that is not WeChat's either
		`{"title":"T","down_url":"http://HERE/breaks/off"}`:          -1,
	} {
		store := &memoryMedia{}
		_, err := getMaterial(t, newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/breaks/off" {
				panic(http.ErrAbortHandler)
			}
			fmt.Fprint(w, strings.Replace(answer, "HERE", r.Host, 1))
		}), store)
		refused, isRefusal := errors.AsType[*wxapi.Error](err)
		_, isDoubtful := errors.AsType[*wxapi.AnswerError](err)
		_, isLost := errors.AsType[*wxapi.TransportError](err)
		if isRefusal != (code > 0) || isRefusal && refused.Code != code || isDoubtful != (code == 0) || isLost != (code < 0) {
			t.Errorf("%.60s: %v", answer, err)
		}
		if len(store.files) != 0 {
			t.Error("something was stored")
		}
	}
}

// A link in an answer to get_media does not bring other fields along.
func TestGetMediaAnswersTheFileAlone(t *testing.T) {
	var p *platform
	p = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/video" {
			fmt.Fprint(w, "\x00\x00\x00\x18ftypmp42 video")
			return
		}
		fmt.Fprintf(w, `{"video_url":%q}`, p.URL+"/video")
	})
	result, err := getMedia(t, p)
	var got map[string]any
	if err != nil || json.Unmarshal(result.Response, &got) != nil || len(got) != 1 {
		t.Errorf("%s, %v", result.Response, err)
	}
}

// The words of a video travel as a part of the form of their own.
func TestAddMaterialVideo(t *testing.T) {
	p := newPlatform(t, says(200, `{"media_id":"M"}`))
	got, err := p.client(t).AddMaterial(t.Context(), &wxapi.AddMaterialRequest{
		Type: "video", Media: wxapi.Media{Base64: []byte("\x00\x00\x00\x18ftypmp42")},
		Description: &wxapi.VideoDescription{Title: "a \"title\" & more", Introduction: "好"},
	})
	if err != nil || got.MediaID != "M" {
		t.Fatalf("%+v, %v", got, err)
	}
	calls, _ := p.seen()
	if body := string(calls[0].Body); !strings.Contains(body, "name=\"description\"\r\n\r\n{\"title\":\"a \\\"title\\\" & more\",\"introduction\":\"好\"}\r\n") {
		t.Errorf("sent %s", body)
	}
}

// The AppSecret travels in the query, and nowhere else.
func TestClearQuota(t *testing.T) {
	p := newPlatform(t, ok)
	client := p.client(t)
	if _, err := client.ClearQuota(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := client.ClearQuotaBySecret(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	calls, tokens := p.seen()
	if string(calls[0].Body) != `{"appid":"`+appID+`"}` || len(calls[1].Body) != 0 || calls[1].Token != "" || tokens != 1 {
		t.Errorf("%+v, %d tokens", calls, tokens)
	}
	p = newPlatform(t, says(200, `{"errcode":40125,"errmsg":"invalid appsecret `+appSecret+`"}`))
	if _, err := p.client(t).ClearQuotaBySecret(t.Context(), nil); err == nil || strings.Contains(err.Error(), appSecret) {
		t.Errorf("%v", err)
	}
}
