package wxapi_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// memory is a Recent of maps.
type memory struct {
	kept    map[string]wxapi.Answered
	invalid map[string]bool
	err     error
}

func (m *memory) Find(_ context.Context, key string) (wxapi.Answered, bool, error) {
	a, found := m.kept[key]
	return a, found && !m.invalid[a.MediaID], m.err
}

func (m *memory) Keep(_ context.Context, key string, a wxapi.Answered) error {
	if m.err == nil {
		m.kept[key] = a
	}
	return m.err
}

func (m *memory) Forget(_ context.Context, mediaID string) error {
	m.invalid[mediaID] = true
	return m.err
}

// lately is an account with a memory, and a clock.
type lately struct {
	*platform
	memory *memory
	client *wxapi.Client
	now    time.Time
}

func newLately(t *testing.T) *lately {
	t.Helper()
	l := &lately{memory: &memory{kept: map[string]wxapi.Answered{}, invalid: map[string]bool{}}, now: time.Now()}
	l.platform = newPlatform(t, func(w http.ResponseWriter, r *http.Request) {
		calls, _ := l.seen()
		switch path.Base(r.URL.Path) {
		case "upload":
			fmt.Fprintf(w, `{"type":"image","media_id":"MEDIA_%d","created_at":1672500000}`, len(calls))
		case "get":
			sendFile("image/png", "", png)(w, r)
		default:
			fmt.Fprint(w, `{"errcode":40007,"errmsg":"invalid media_id"}`)
		}
	})
	l.client = l.platform.client(t, func(c *wxapi.Config) {
		c.Media, c.Recent, c.Now = &memoryMedia{}, l.memory, func() time.Time { return l.now }
		c.Tokens = &slowStore{token: wxapi.Token{Value: "82_token_in_the_store_in_the_store", Expires: l.now.Add(1000 * time.Hour)}}
	})
	return l
}

func (l *lately) upload(t *testing.T, req wxapi.UploadMediaRequest) *wxapi.UploadMediaResponse {
	t.Helper()
	got, err := l.client.UploadMedia(t.Context(), &req)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func (l *lately) expectCalls(t *testing.T, what string, n int) {
	t.Helper()
	if calls, _ := l.seen(); len(calls) != n {
		t.Errorf("%s: %d calls, not %d", what, len(calls), n)
	}
}

var cat = wxapi.UploadMediaRequest{Type: "image", Media: wxapi.Media{Base64: []byte("\xff\xd8\xff cat")}}

func TestTheSameFileTravelsOnce(t *testing.T) {
	l := newLately(t)
	first := l.upload(t, cat)
	renamed := cat
	renamed.Filename = "cat.jpg"
	again := l.upload(t, renamed)
	l.expectCalls(t, "again", 1)
	if first.Reused || !again.Reused || again.MediaID != first.MediaID || again.CreatedAt != first.CreatedAt {
		t.Errorf("%+v, then %+v", first, again)
	}
	other, thumb, fresh := cat, cat, cat
	other.Media.Base64 = []byte("\xff\xd8\xff dog")
	thumb.Type = "thumb"
	fresh.Fresh = true
	for n, req := range []wxapi.UploadMediaRequest{other, thumb, fresh} {
		if got := l.upload(t, req); got.Reused || got.MediaID == first.MediaID {
			t.Errorf("%+v is %+v", req, got)
		}
		l.expectCalls(t, "something else", n+2)
	}
	// What is fresh is the recent one from now on.
	if got := l.upload(t, cat); !got.Reused || got.MediaID != "MEDIA_4" {
		t.Errorf("%+v", got)
	}
	calls, _ := l.seen()
	if strings.Contains(string(calls[3].Body), "fresh") {
		t.Errorf("WeChat was told of fresh: %q", calls[3].Body)
	}
}

// A media_id is given again only while it has half a day to live.
func TestARecentUploadGetsOld(t *testing.T) {
	l := newLately(t)
	l.upload(t, cat)
	l.now = l.now.Add(60*time.Hour - time.Second)
	if got := l.upload(t, cat); !got.Reused {
		t.Errorf("two and a half days: %+v", got)
	}
	l.now = l.now.Add(time.Second)
	if got := l.upload(t, cat); got.Reused {
		t.Errorf("after that: %+v", got)
	}
	l.expectCalls(t, "after three days", 2)
}

// WeChat's 40007, wherever the media_id was in the data, is the end of it.
func TestAnInvalidMediaIDIsNotGivenAgain(t *testing.T) {
	l := newLately(t)
	id := l.upload(t, cat).MediaID
	for verb, data := range map[string]string{
		"send_custom_message": `{"touser":"` + openID + `","msgtype":"image","image":{"media_id":"` + id + `"}}`,
		"send_mass_message":   `{"filter":{"is_to_all":true},"msgtype":"image","images":{"media_ids":["x","` + id + `"]}}`,
		"add_draft":           `{"articles":[{"title":"t","content":"c","thumb_media_id":"` + id + `"}]}`,
	} {
		clear(l.memory.invalid)
		row, _ := wxapi.Lookup(verb)
		_, err := l.client.CallJSON(t.Context(), row, []byte(data))
		if refused, ok := errors.AsType[*wxapi.Error](err); !ok || refused.Code != 40007 {
			t.Fatalf("%s: %v", verb, err)
		}
		if !l.memory.invalid[id] {
			t.Errorf("%s: %v", verb, slices.Collect(maps.Keys(l.memory.invalid)))
		}
	}
	if got := l.upload(t, cat); got.Reused || got.MediaID == id {
		t.Errorf("%+v", got)
	}
	if got := l.upload(t, cat); !got.Reused {
		t.Errorf("the new one: %+v", got)
	}
}

func TestTheSameMediaIDIsDownloadedOnce(t *testing.T) {
	l := newLately(t)
	get := func(id string) *wxapi.GetMediaResponse {
		got, err := l.client.GetMedia(t.Context(), &wxapi.GetMediaRequest{MediaID: id})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	first, again := get("ONE"), get("ONE")
	l.expectCalls(t, "again", 1)
	if first.Reused || !again.Reused || again.Media.DataRef != first.Media.DataRef || again.Media.SHA256 != first.Media.SHA256 {
		t.Errorf("%+v, then %+v", first, again)
	}
	if other := get("TWO"); other.Reused {
		t.Errorf("%+v", other)
	}
	// Without a store the answer has the file itself: nothing to remember.
	bare := l.platform.client(t, func(c *wxapi.Config) { c.Recent = l.memory })
	if got, err := bare.GetMedia(t.Context(), &wxapi.GetMediaRequest{MediaID: "ONE"}); err != nil || got.Reused || len(got.Media.Base64) == 0 {
		t.Errorf("%+v, %v", got, err)
	}
}

// A memory that fails costs a call and no more.
func TestAMemoryThatFails(t *testing.T) {
	l := newLately(t)
	l.memory.err = errors.New("the store is away")
	if first, again := l.upload(t, cat), l.upload(t, cat); first.Reused || again.Reused || first.MediaID == again.MediaID {
		t.Errorf("%+v, %+v", first, again)
	}
}

// What WeChat refused, or what nobody knows the end of, is not remembered.
func TestOnlyWhatIsUploadedIsRemembered(t *testing.T) {
	for _, answer := range []http.HandlerFunc{says(200, `{"errcode":-1}`), says(502, "busy"), says(200, "{}")} {
		m := &memory{kept: map[string]wxapi.Answered{}, invalid: map[string]bool{}}
		c := newPlatform(t, answer).client(t, func(c *wxapi.Config) { c.Recent = m })
		if _, err := c.UploadMedia(t.Context(), &cat); err == nil || len(m.kept) != 0 {
			t.Errorf("%v, %v", err, m.kept)
		}
	}
}
