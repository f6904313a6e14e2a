package wxapi

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"
)

// recentFor is how long the answer about a temporary file is given again.
// WeChat keeps the file for 3 days (媒体文件在微信后台保存时间为3天，即3天后media_id失效),
// and who is given a media_id must have time to use it: 12 hours are left.
const recentFor = 60 * time.Hour

// invalidMediaID is WeChat's errcode for a media_id that is none, or no longer.
const invalidMediaID = 40007

// freshField is the field of an upload that WeChat does not see.
const freshField = "fresh"

// Answered is WeChat's answer about a temporary file, as it was given.
type Answered struct {
	MediaID string          `json:"media_id,omitempty"` // of an upload: what was given out
	Answer  json.RawMessage `json:"answer"`             // of a download with the dataref
	At      time.Time       `json:"at"`                 // before the request was sent
}

// Recent remembers answers about temporary media: which media_id a file got,
// and where a media_id's file was stored. It is only ever asked to save a call,
// so whatever it fails to remember is uploaded or downloaded once more.
type Recent interface {
	// Find returns what was kept last under a key, found is false for nothing,
	// for a media_id that was forgotten, and for a file that has left the store.
	Find(ctx context.Context, key string) (a Answered, found bool, err error)
	Keep(ctx context.Context, key string, a Answered) error
	// Forget makes Find find nothing with this media_id, under whatever key and
	// whenever it was kept: WeChat says that it is invalid.
	Forget(ctx context.Context, mediaID string) error
}

// again gives the answer that the same call got lately, if there is one.
func (k *call) again(ctx context.Context, in *object) bool {
	if k.config.Recent == nil || !k.row.temporary || k.row.Body == Download && k.config.Media == nil {
		return false
	}
	k.recent, k.began = k.recentKey(in), k.config.Now()
	if fresh, _ := in.get(freshField); k.row.Body == Upload && fresh == true {
		return false
	}
	last, found, err := k.config.Recent.Find(ctx, k.recent)
	if err != nil {
		k.config.Logger.Warn("recent media cannot be looked up, the file travels once more", "verb", k.row.Name, "error", err)
	}
	if err != nil || !found || !k.began.Before(last.At.Add(recentFor)) {
		return false
	}
	answer, err := parse(last.Answer, keep, func(string) {})
	if err != nil {
		return false
	}
	answer.set("reused", true)
	k.recent = ""
	k.keep(answer)
	return true
}

// recentKey is equal for calls that get the same answer: the same bytes as the
// same type, or the same media_id, of one account.
func (k *call) recentKey(in *object) string {
	hash := sha256.New()
	what := k.upload
	if k.row.Body == Download {
		what = []byte(in.text("media_id"))
	}
	for _, part := range []string{k.config.AppID, k.row.Name, in.text("type")} {
		hash.Write(append([]byte(part), 0))
	}
	hash.Write(what)
	return hex.EncodeToString(hash.Sum(nil))
}

// learn remembers an answer, and forgets what WeChat doesn't know any more.
func (k *call) learn(ctx context.Context, err error) {
	if k.config.Recent == nil {
		return
	}
	if err == nil && k.recent != "" {
		k.remember(ctx)
		return
	}
	refused, ok := errors.AsType[*Error](err)
	if !ok || refused.Code != invalidMediaID || k.in == nil {
		return
	}
	for _, id := range mediaIDs(k.in, nil) {
		if err := k.config.Recent.Forget(ctx, id); err != nil {
			k.config.Logger.Warn("an invalid media_id cannot be forgotten and may be given again", "verb", k.row.Name, "error", err)
		}
	}
}

func (k *call) remember(ctx context.Context) {
	a := Answered{Answer: k.result.Response, At: k.began}
	if k.row.Body == Upload {
		answer, err := parse(k.result.Response, keep, func(string) {})
		if err != nil {
			return
		}
		a.MediaID = answer.text("media_id")
	}
	if err := k.config.Recent.Keep(ctx, k.recent, a); err != nil {
		k.config.Logger.Warn("recent media cannot be remembered, the file will travel once more", "verb", k.row.Name, "error", err)
	}
}

// mediaIDs are the media ids in the data of a call, wherever they are; a mass
// message has the longest list, 20 pictures.
func mediaIDs(v any, ids []string) []string {
	const most = 32
	add := func(v any) {
		if id, ok := v.(string); ok && id != "" && len(ids) < most {
			ids = append(ids, id)
		}
	}
	switch v := v.(type) {
	case *object:
		for _, m := range v.members {
			switch m.key {
			case "media_id", "thumb_media_id":
				add(m.value)
			case "media_ids":
				list, _ := m.value.([]any)
				for _, id := range list {
					add(id)
				}
			default:
				ids = mediaIDs(m.value, ids)
			}
		}
	case []any:
		for _, one := range v {
			ids = mediaIDs(one, ids)
		}
	}
	return ids
}
