package wxsim

import (
	"time"
)

func init() {
	stateful(endpoint{name: "create_short_key", method: "POST", path: "/cgi-bin/shorten/gen", body: bodyJSON, run: createShortKey})
	stateful(endpoint{name: "resolve_short_key", method: "POST", path: "/cgi-bin/shorten/fetch", body: bodyJSON, run: resolveShortKey})
}

// What WeChat documents about short keys.
// https://developers.weixin.qq.com/doc/offiaccount/Account_Management/KEY_Shortener.html
const (
	maxLongData  = 4 << 10 // bytes
	shortKeySize = 15
	maxKeyLife   = 30 * 24 * time.Hour // also without expire_seconds
)

type shortKey struct {
	data          string
	made, expires time.Time
}

func createShortKey(p *Platform, x *exchange) answer {
	var req struct {
		LongData      string `json:"long_data"`
		ExpireSeconds int64  `json:"expire_seconds"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	life := time.Duration(req.ExpireSeconds) * time.Second
	switch {
	case req.LongData == "":
		return failure(44004)
	case len(req.LongData) > maxLongData:
		return failure(45002)
	case req.ExpireSeconds < 0 || req.ExpireSeconds > int64(maxKeyLife/time.Second):
		return failure(40097)
	case life == 0:
		life = maxKeyLife
	}
	if p.shortKeys == nil {
		p.shortKeys = map[string]shortKey{}
	}
	for old, k := range p.shortKeys {
		if !x.now.Before(k.expires) {
			delete(p.shortKeys, old)
		}
	}
	key := newSecret(shortKeySize)[:shortKeySize]
	p.shortKeys[key] = shortKey{req.LongData, x.now, x.now.Add(life)}
	return object(map[string]any{"errcode": 0, "errmsg": "ok", "short_key": key})
}

// resolveShortKey is shorten/fetch. Which errcode WeChat has for a key that is wrong or over isn't documented.
func resolveShortKey(p *Platform, x *exchange) answer {
	var req struct {
		ShortKey string `json:"short_key"`
	}
	if a, ok := x.decode(&req); !ok {
		return a
	}
	k, known := p.shortKeys[req.ShortKey]
	if !known || !x.now.Before(k.expires) {
		return failure(40097)
	}
	return object(map[string]any{
		"errcode": 0, "errmsg": "ok", "long_data": k.data, "create_time": k.made.Unix(),
		"expire_seconds": int64(k.expires.Sub(x.now) / time.Second),
	})
}
