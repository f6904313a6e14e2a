package wxsim

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const (
	testAppID  = "wx0123456789abcdef"
	testSecret = "0123456789abcdef0123456789abcdef"
	testToken  = "sometoken"
	testAESKey = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	alice      = "o_alice"
)

// hand is a clock that only a test moves.
type hand struct {
	mu sync.Mutex
	t  time.Time
}

func newHand() *hand { return &hand{t: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)} }

func (h *hand) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.t
}

func (h *hand) forward(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.t = h.t.Add(d)
}

// waits is a Config.Wait that only notes what it was asked for.
type waits struct {
	mu   sync.Mutex
	all  []time.Duration
	call func()
}

// then has f called in every wait.
func (w *waits) then(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.call = f
}

func (w *waits) wait(ctx context.Context, d time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, d)
	if w.call != nil {
		w.call()
	}
	return ctx.Err()
}

func testConfig() Config {
	return Config{AppID: testAppID, AppSecret: testSecret, Token: testToken, AESKey: testAESKey}
}

// world is a simulator that is served over HTTP.
type world struct {
	*Platform
	t    *testing.T
	url  string
	hand *hand
}

func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	cfg, h := testConfig(), newHand()
	cfg.Now = h.now
	if change != nil {
		change(&cfg)
	}
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(p.Handler())
	t.Cleanup(func() {
		p.Close()
		server.Close()
	})
	return &world{Platform: p, t: t, url: server.URL, hand: h}
}

// client is a real client of the API.
func (w *world) client() *wxapi.Client {
	w.t.Helper()
	c, err := wxapi.New(wxapi.Config{AppID: testAppID, AppSecret: testSecret, APIURL: w.url, MPURL: w.url, Now: w.hand.now})
	if err != nil {
		w.t.Fatal(err)
	}
	return c
}

// do makes one request and returns the status and the body.
func (w *world) do(method, path, body string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), method, w.url+path, strings.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	return resp.StatusCode, string(answer)
}

// api makes one API call with a good token and returns the errcode and the answer.
func (w *world) api(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	separator := "?"
	if strings.Contains(path, "?") {
		separator = "&"
	}
	return w.raw(method, path+separator+"access_token="+w.token(), body)
}

// raw makes one API call as it is.
func (w *world) raw(method, path, body string) (int, map[string]any) {
	w.t.Helper()
	status, text := w.do(method, path, body)
	if status != http.StatusOK {
		w.t.Fatalf("%s %s: HTTP status %d: %s", method, path, status, text)
	}
	var answer map[string]any
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		w.t.Fatalf("%s %s: %v in %q", method, path, err, text)
	}
	code, _ := answer["errcode"].(float64)
	return int(code), answer
}

const credentialsBody = `{"grant_type":"client_credential","appid":"` + testAppID + `","secret":"` + testSecret + `"}`

func (w *world) token() string {
	w.t.Helper()
	code, answer := w.raw("POST", "/cgi-bin/stable_token", credentialsBody)
	token, _ := answer["access_token"].(string)
	if code != 0 || token == "" {
		w.t.Fatalf("stable_token answered %v", answer)
	}
	return token
}

// push lets a follower do something, and fails the test when that isn't possible.
func (w *world) push(openID, data string) Delivery {
	w.t.Helper()
	d, err := w.Push(w.t.Context(), openID, json.RawMessage(data))
	if err != nil {
		w.t.Fatal(err)
	}
	return d
}

func (w *world) sendText(openID, text string) int {
	w.t.Helper()
	code, _ := w.api("POST", "/cgi-bin/message/custom/send",
		string(encode(map[string]any{"touser": openID, "msgtype": "text", "text": map[string]any{"content": text}})))
	return code
}

// received is one push as a receiver saw it.
type received struct {
	query   string
	message *callback.Message
	body    []byte
}

// receiver is a callback with a real callback.Account. answer gets the n-th request, from 1.
type receiver struct {
	account *callback.Account
	answer  func(n int, w http.ResponseWriter, r *http.Request, e *callback.Envelope, m *callback.Message)

	mu  sync.Mutex
	got []received
}

// listen starts a receiver for an account with aesKey and tells w where it is.
func (w *world) listen(aesKey string, answer func(n int, w http.ResponseWriter, r *http.Request, e *callback.Envelope, m *callback.Message)) *receiver {
	w.t.Helper()
	account, err := callback.New(callback.Config{AppID: testAppID, Token: testToken, AESKey: aesKey})
	if err != nil {
		w.t.Fatal(err)
	}
	rec := &receiver{account: account, answer: answer}
	server := httptest.NewServer(rec)
	w.t.Cleanup(server.Close)
	w.SetCallback(server.URL + "/wx?shop=1")
	return rec
}

func (rec *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	query := strings.ReplaceAll(r.URL.RawQuery, "shop=1&", "")
	if r.Method == http.MethodGet {
		echo, err := rec.account.VerifyURL(query)
		if err != nil {
			http.Error(w, "no", http.StatusForbidden)
			return
		}
		io.WriteString(w, echo)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	e, err := rec.account.Open(query, body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	}
	m, err := callback.Parse(e.Document)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	rec.mu.Lock()
	rec.got = append(rec.got, received{r.URL.RawQuery, m, bytes.Clone(body)})
	n := len(rec.got)
	rec.mu.Unlock()
	rec.answer(n, w, r, e, m)
}

func (rec *receiver) all() []received {
	rec.mu.Lock()
	defer rec.mu.Unlock()
	return append([]received{}, rec.got...)
}

// success answers that there is no reply.
func success(_ int, w http.ResponseWriter, _ *http.Request, _ *callback.Envelope, _ *callback.Message) {
	io.WriteString(w, callback.Success)
}

// replyWith answers a passive reply.
func replyWith(reply callback.Reply) func(int, http.ResponseWriter, *http.Request, *callback.Envelope, *callback.Message) {
	return func(_ int, w http.ResponseWriter, _ *http.Request, e *callback.Envelope, m *callback.Message) {
		doc, err := callback.FormatReply(m.FromUserName, m.ToUserName, time.Now(), reply)
		if err == nil {
			doc, err = e.Seal(doc, time.Now())
		}
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", e.ContentType())
		w.Write(doc)
	}
}
