package ingress

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var lastMsgID atomic.Int64

// document is a text message as WeChat writes it, with a MsgId of its own.
func document(openID, content string, created time.Time) []byte {
	return fmt.Appendf(nil, "<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName>"+
		"<CreateTime>%d</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[%s]]></Content><MsgId>%d</MsgId></xml>",
		toUser, openID, created.Unix(), content, 23_000_000_000_000_000+lastMsgID.Add(1))
}

func text(openID, content string) []byte { return document(openID, content, time.Now()) }

// answer is what came back over HTTP.
type answer struct {
	status int
	header http.Header
	body   string
	err    error
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}

// request is one try of WeChat's, signed and encrypted as the world's mode says.
func (w *world) request(ctx context.Context, url string, document []byte) *http.Request {
	w.t.Helper()
	push, err := w.account.NewPush(w.mode, document, "", time.Now())
	noError(w.t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"?"+push.Query.Encode(), bytes.NewReader(push.Body))
	noError(w.t, err)
	req.Header.Set("Content-Type", push.ContentType)
	return req
}

// do makes one request.
func do(req *http.Request) (a answer) {
	resp, err := client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return answer{resp.StatusCode, resp.Header, string(body), err}
}

// try sends a document to a replica once.
func (w *world) try(r *replica, document []byte) <-chan answer {
	return w.tryUntil(context.Background(), r, document)
}

func (w *world) tryUntil(ctx context.Context, r *replica, document []byte) <-chan answer {
	w.t.Helper()
	req := w.request(ctx, r.url, document)
	ended := make(chan answer, 1)
	go func() { ended <- do(req) }()
	return ended
}

// says opens an answer: "success", or the text of a passive reply. It may be
// called in any goroutine.
func (w *world) says(a answer) string {
	w.t.Helper()
	if a.err != nil || a.status != http.StatusOK {
		w.t.Errorf("answered %d %q, %v", a.status, a.body, a.err)
		return ""
	}
	if a.body == callback.Success {
		return a.body
	}
	plain, err := w.account.OpenReply([]byte(a.body))
	if err != nil {
		w.t.Errorf("answer: %v", err)
		return ""
	}
	m, err := callback.Parse(plain)
	if err != nil {
		w.t.Errorf("answer: %v", err)
		return ""
	}
	return m.Value("Content")
}
