package wxapi_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

// The secrets below are seeded: no error and no log may ever contain one.
const (
	appID     = "wx0123456789abcdef"
	appSecret = "5ecre75ecre75ecre75ecre75ecre7aa"
	openID    = "oFollowerFollowerFollower_01"
)

// platform is an HTTP server that gives out tokens and answers everything else
// with what the test wants, be it nothing that WeChat would ever say.
type platform struct {
	*httptest.Server
	mu      sync.Mutex
	answer  http.HandlerFunc
	calls   []received
	tokens  int    // fetches
	token   string // the one that is good now
	refusal string // when set, the answer of the token endpoint
	life    string // JSON of expires_in
}

// received is one API request as it arrived.
type received struct {
	Method, Path, Token, ContentType string
	Length                           int64
	Body                             []byte
}

func newPlatform(t *testing.T, answer http.HandlerFunc) *platform {
	t.Helper()
	p := &platform{answer: answer, token: "82_token_number_1_token_number_1_x", life: "7200"}
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

func (p *platform) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	if r.URL.Path == "/cgi-bin/stable_token" {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.tokens++
		if p.refusal != "" {
			fmt.Fprint(w, p.refusal)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q,"expires_in":%s}`, p.token, p.life)
		return
	}
	p.mu.Lock()
	p.calls = append(p.calls, received{
		r.Method, r.URL.Path, r.URL.Query().Get("access_token"),
		r.Header.Get("Content-Type"), r.ContentLength, body,
	})
	p.mu.Unlock()
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.answer(w, r)
}

// turn makes another token the good one.
func (p *platform) turn(token string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.token = token
}

func (p *platform) good(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return r.URL.Query().Get("access_token") == p.token
}

func (p *platform) seen() (calls []received, tokens int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append(calls, p.calls...), p.tokens
}

// client makes a client of the platform; change, if any, has the last word.
func (p *platform) client(t *testing.T, change ...func(*wxapi.Config)) *wxapi.Client {
	t.Helper()
	config := wxapi.Config{AppID: appID, AppSecret: appSecret, APIURL: p.URL, Timeout: 10 * time.Second}
	for _, f := range change {
		f(&config)
	}
	client, err := wxapi.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// says is a handler that always answers the same.
func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	}
}

func ok(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"errcode":0,"errmsg":"ok"}`) }

func hello() []byte {
	return []byte(`{"touser":"` + openID + `","msgtype":"text","text":{"content":"hello"}}`)
}

func send(t *testing.T, c *wxapi.Client) (wxapi.Result, error) {
	t.Helper()
	return c.CallJSON(t.Context(), wxapi.SendCustomMessage.Row, hello())
}

// memoryMedia is a MediaStore of a map.
type memoryMedia struct {
	mu    sync.Mutex
	files map[string][]byte
	info  wxapi.MediaInfo
}

func (m *memoryMedia) Open(_ context.Context, ref string) (io.ReadCloser, wxapi.MediaInfo, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, found := m.files[ref]
	if !found {
		return nil, wxapi.MediaInfo{}, fmt.Errorf("object %w", errNotExist)
	}
	return io.NopCloser(bytes.NewReader(data)), wxapi.MediaInfo{Size: int64(len(data))}, nil
}

func (m *memoryMedia) Create(_ context.Context, info wxapi.MediaInfo, r io.Reader) (string, wxapi.MediaInfo, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return "", wxapi.MediaInfo{}, fmt.Errorf("object store: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	ref := fmt.Sprintf("nats-object://WX_MEDIA/%d", len(m.files)+1)
	if m.files == nil {
		m.files = map[string][]byte{}
	}
	m.files[ref], m.info = data, info
	return ref, info, nil
}
