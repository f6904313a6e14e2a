package wxsim

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func init() {
	stateful(endpoint{name: "create_qr_code", method: "POST", path: "/cgi-bin/qrcode/create", body: bodyJSON, run: createQRCode})
	stateful(endpoint{name: "show_qr_code", method: "GET", path: "/cgi-bin/showqrcode", auth: authNone, run: showQRCode})
}

// What WeChat documents about QR codes with a scene.
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/Generating_a_Parametric_QR_Code.html
const (
	qrLife            = 60 * time.Second // of a temporary code that says nothing else
	maxQRLife         = 30 * 24 * time.Hour
	maxSceneStr       = 64
	maxScene          = 1<<32 - 1
	maxPermanentScene = 100_000
	maxPermanent      = 100_000
)

// qrCode is one code. A permanent one never expires.
type qrCode struct {
	scene   string
	url     string
	expires time.Time // zero for a permanent one
}

// qrCodes are the account's codes by ticket. The platform's lock guards them.
type qrCodes struct {
	byTicket  map[string]*qrCode
	permanent map[string]string // the ticket by action and scene: the same scene has the same code
}

// get finds a code that can still be scanned.
func (q *qrCodes) get(ticket string, now time.Time) *qrCode {
	c := q.byTicket[ticket]
	if c == nil || !c.expires.IsZero() && !now.Before(c.expires) {
		return nil
	}
	return c
}

// put keeps a code, and lets go of those that are over.
func (q *qrCodes) put(c *qrCode, now time.Time) (ticket string) {
	if q.byTicket == nil {
		q.byTicket, q.permanent = map[string]*qrCode{}, map[string]string{}
	}
	for old := range q.byTicket {
		if q.get(old, now) == nil {
			delete(q.byTicket, old)
		}
	}
	ticket = newTicket()
	q.byTicket[ticket] = c
	return ticket
}

// newTicket looks like WeChat's, and always has what must be escaped in a URL: + / and =.
func newTicket() string {
	b := make([]byte, 40)
	rand.Read(b)
	copy(b, "\x81\x01\xf8\xfb\xff\xbf") // gQH4+/+/
	return base64.StdEncoding.EncodeToString(b)
}

func createQRCode(p *Platform, x *exchange) answer {
	var req struct {
		ExpireSeconds int64  `json:"expire_seconds"`
		ActionName    string `json:"action_name"`
		ActionInfo    struct {
			Scene struct {
				SceneID  int64  `json:"scene_id"`
				SceneStr string `json:"scene_str"`
			} `json:"scene"`
		} `json:"action_info"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	scene, code := readScene(req.ActionName, req.ActionInfo.Scene.SceneID, req.ActionInfo.Scene.SceneStr)
	if code != 0 {
		return failure(code)
	}
	if req.ActionName == "QR_LIMIT_SCENE" || req.ActionName == "QR_LIMIT_STR_SCENE" {
		return p.permanentCode(req.ActionName+" "+scene, scene, x.now)
	}
	life := time.Duration(req.ExpireSeconds) * time.Second
	switch {
	case req.ExpireSeconds < 0 || req.ExpireSeconds > int64(maxQRLife/time.Second):
		return failure(40097)
	case life == 0:
		life = qrLife
	}
	made := &qrCode{scene, newCodeURL(), x.now.Add(life)}
	ticket := p.qrCodes.put(made, x.now)
	return object(map[string]any{"ticket": ticket, "expire_seconds": int64(life / time.Second), "url": made.url})
}

func (p *Platform) permanentCode(key, scene string, now time.Time) answer {
	ticket := p.qrCodes.permanent[key]
	if ticket == "" {
		if len(p.qrCodes.permanent) >= maxPermanent {
			return failure(45029)
		}
		ticket = p.qrCodes.put(&qrCode{scene: scene, url: newCodeURL()}, now)
		p.qrCodes.permanent[key] = ticket
	}
	return object(map[string]any{"ticket": ticket, "url": p.qrCodes.byTicket[ticket].url})
}

// readScene returns the scene as events carry it, or the errcode.
func readScene(action string, id int64, text string) (scene string, code int) {
	switch action {
	case "QR_SCENE":
		if id < 1 || id > maxScene {
			return "", 40053
		}
	case "QR_LIMIT_SCENE":
		if id < 1 || id > maxPermanentScene {
			return "", 40053
		}
	case "QR_STR_SCENE", "QR_LIMIT_STR_SCENE":
		if n := utf8.RuneCountInString(text); n < 1 || n > maxSceneStr {
			return "", 40053
		}
		return text, 0
	default:
		return "", 40052
	}
	return strconv.FormatInt(id, 10), 0
}

func newCodeURL() string {
	var b [15]byte
	rand.Read(b[:])
	return "http://weixin.qq.com/q/" + base64.RawURLEncoding.EncodeToString(b[:])
}

// showQRCode is the picture of a code, which anybody may see: the page of mp.weixin.qq.com, whose answer to a
// ticket that is wrong or over is a plain 404.
func showQRCode(p *Platform, x *exchange) answer {
	if p.qrCodes.get(x.query.Get("ticket"), x.now) == nil {
		return answer{status: http.StatusNotFound, contentType: "text/html"}
	}
	return answer{contentType: "image/png", body: pixel}
}

// Scan lets openID scan the code of a ticket: the event is SCAN for a follower, and subscribe for somebody who
// becomes one by it. Errors are those of [Platform.Push], and an [*InputError] for a ticket that is wrong or over.
func (p *Platform) Scan(ctx context.Context, openID, ticket string) (Delivery, error) {
	return p.scan(ctx, p.cfg.Mode, openID, ticket, "")
}

func (p *Platform) scan(ctx context.Context, mode callback.Mode, openID, ticket, base string) (Delivery, error) {
	p.mu.Lock()
	code := p.qrCodes.get(ticket, p.clock.now())
	f := p.followers.all[openID]
	p.mu.Unlock()
	if code == nil {
		return Delivery{Tries: []Try{}}, wrong("there is no QR code with this ticket, or it is over: create_qr_code makes one")
	}
	event := map[string]string{"MsgType": "event", "Event": "subscribe", "EventKey": qrScenePrefix + code.scene, "Ticket": ticket}
	if f != nil && f.following {
		event["Event"], event["EventKey"] = "SCAN", code.scene
	}
	return p.push(ctx, mode, openID, encode(event), base)
}
