package wxsim

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Delivery is what became of one push.
type Delivery struct {
	Tries []Try `json:"tries"`
	// Reply is the passive reply, WeChat's XML as JSON ({"MsgType":"text","Content":"…",…}); null for none,
	// and for a push to which WeChat delivers none (unsubscribe, a job's result).
	Reply json.RawMessage `json:"reply"`
	// Fault is true when every try failed and the follower saw [FaultLine].
	Fault bool `json:"fault"`
}

// Try is one request to the callback.
type Try struct {
	Status int     `json:"status"` // of HTTP; 0 when there was no answer
	MS     float64 `json:"ms"`     // from connect to the answer's last byte, milliseconds
	Body   string  `json:"body"`   // as it was answered, so encrypted in safe mode
	// Error says why WeChat took the try for a failure; empty for one that ended the delivery.
	Error string `json:"error,omitempty"`
}

// maxAnswer bounds what is read of an answer; the longest valid one is far shorter.
const maxAnswer = 1 << 20

// ErrNoCallback is the error of a push or a URL check while there is nowhere to send it.
var ErrNoCallback = errors.New("wxsim: no callback URL is set: use Config.Callback, SetCallback or PUT /_sim/callback")

// Push lets the follower openID do what data says ({"MsgType":"text","Content":"hi"}), and delivers it as WeChat
// does: up to Config.Tries tries, each with a fresh signature and the same MsgId and CreateTime. Failing to get
// through is no error but a Delivery with Fault. Errors are an [*InputError], [ErrNoCallback], and ctx's when it
// ends first.
func (p *Platform) Push(ctx context.Context, openID string, data json.RawMessage) (Delivery, error) {
	return p.PushMode(ctx, p.cfg.Mode, openID, data)
}

// PushMode is Push in another mode than the account's, as an attacker would, or a console set wrongly.
func (p *Platform) PushMode(ctx context.Context, mode callback.Mode, openID string, data json.RawMessage) (Delivery, error) {
	return p.push(ctx, mode, openID, data, "")
}

func (p *Platform) push(ctx context.Context, mode callback.Mode, openID string, data json.RawMessage, base string) (Delivery, error) {
	none := Delivery{Tries: []Try{}}
	if p.callbackURL() == "" {
		return none, ErrNoCallback
	}
	if mode != callback.ModePlain && p.cfg.AESKey == "" {
		return none, wrong("mode %s needs an account with an AES key", mode)
	}
	in, err := p.compose(openID, data, base)
	if err != nil {
		return none, err
	}
	p.act(in)
	d, reply, err := p.deliverPush(ctx, mode, in)
	if err != nil {
		return d, err
	}
	p.conclude(in, &d, reply)
	p.cfg.Logger.Info("pushed", "kind", in.Kind, "mode", string(mode), "tries", len(d.Tries),
		"replied", d.Reply != nil, "fault", d.Fault)
	return d, nil
}

// deliverPush tries until one try ends the delivery. 微信服务器在五秒内收不到响应会断掉连接，并且重新发起请求，
// 总共重试三次: without an answer in five seconds WeChat hangs up and asks again, three times in all.
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Receiving_standard_messages.html
func (p *Platform) deliverPush(ctx context.Context, mode callback.Mode, in *inbound) (Delivery, *callback.Message, error) {
	d := Delivery{Tries: []Try{}}
	for len(d.Tries) < p.cfg.Tries {
		started := time.Now() // how long a try takes is real time, whatever the account's clock says
		push, err := p.account.NewPush(mode, in.document, in.FromUserName, p.clock.wall())
		if err != nil {
			return d, nil, wrong("%v", err)
		}
		try, reply := p.try(ctx, push, mode, in.Message)
		d.Tries = append(d.Tries, try)
		if ctx.Err() != nil {
			return d, nil, context.Cause(ctx)
		}
		if try.Error == "" {
			return d, reply, nil
		}
		if len(d.Tries) == p.cfg.Tries {
			break
		}
		if err := p.cfg.Wait(ctx, max(0, p.cfg.RetryEvery-time.Since(started))); err != nil {
			return d, nil, err
		}
	}
	return d, nil, nil
}

// try makes one request and judges the answer.
func (p *Platform) try(ctx context.Context, push callback.Push, mode callback.Mode, in *callback.Message) (Try, *callback.Message) {
	started := time.Now()
	status, body, err := p.post(ctx, push)
	t := Try{Status: status, MS: milliseconds(time.Since(started)), Body: strings.ToValidUTF8(string(body), "\uFFFD")}
	var reply *callback.Message
	switch {
	case err != nil:
		t.Error = err.Error()
	case status != http.StatusOK:
		t.Error = fmt.Sprintf("HTTP status %d is not 200", status)
	default:
		if reply, err = p.openAnswer(body, mode, in); err != nil {
			t.Error, reply = err.Error(), nil
		}
	}
	return t, reply
}

// post sends one push and reads the whole answer within the time that WeChat gives a try.
func (p *Platform) post(ctx context.Context, push callback.Push) (status int, body []byte, err error) {
	ctx, cancel := context.WithTimeoutCause(ctx, p.cfg.Timeout, fmt.Errorf("no answer within %v", p.cfg.Timeout))
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, withQuery(p.callbackURL(), push.Query), bytes.NewReader(push.Body))
	if err != nil {
		return 0, nil, cause(ctx, err)
	}
	// One try is one request: without this, Go might send it again on another connection.
	req.GetBody = nil
	req.Header.Set("Content-Type", push.ContentType)
	req.Header.Set("User-Agent", "Mozilla/4.0") // what WeChat says it is
	resp, err := p.client.Do(req)
	if err != nil {
		return 0, nil, cause(ctx, err)
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return resp.StatusCode, body, cause(ctx, err)
	}
	return resp.StatusCode, body, nil
}

// conclude tells the follower how it ended, and completes d.
func (p *Platform) conclude(in *inbound, d *Delivery, reply *callback.Message) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.followers.all[in.FromUserName]
	if !in.kind.Held || f == nil || !f.following {
		return
	}
	if reply != nil {
		d.Reply = reply.JSON()
		if reply.MsgType == "transfer_customer_service" {
			p.desk.handOver(f.openID, reply.Value("TransInfo", "KfAccount"), p.clock.wall())
		}
		if text, seen := shown(reply, in.kind.NewsLimit); seen {
			p.deliver(f, Seen{Kind: SeenReply, Text: text, Message: d.Reply})
		}
		return
	}
	// The line is shown for what the follower did on purpose, not for what the phone reports by itself.
	if last := d.Tries[len(d.Tries)-1]; last.Error != "" && !strings.EqualFold(in.Event, "LOCATION") {
		d.Fault = true
		p.deliver(f, Seen{Kind: SeenFault, Text: FaultLine})
	}
}

// withQuery adds the signature to the callback URL, which may have a query of its own.
func withQuery(to string, query url.Values) string {
	separator := "?"
	if strings.Contains(to, "?") {
		separator = "&"
	}
	return to + separator + query.Encode()
}

// cause is why a request failed, without its URL, in which there is a signature and an OpenID.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var inURL *url.Error
	if errors.As(err, &inURL) {
		return inURL.Err
	}
	return err
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
