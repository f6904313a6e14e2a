package egress

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi"
)

const cat = `{"type":"image","media":{"base64":"/9j/2Q=="}}`

// uploadAs sends an upload as a command and returns its media_id.
func (w *world) uploadAs(id, data string) (mediaID string, reused bool) {
	w.t.Helper()
	w.bare("upload_media", id, data)
	r := w.ends(id, "done")
	var answer wxapi.UploadMediaResponse
	decodeInto(w.t, r.Response, &answer)
	if answer.Reused != (r.Attempts == 0) {
		w.t.Errorf("%s: reused %t after %d requests", id, answer.Reused, r.Attempts)
	}
	return answer.MediaID, answer.Reused
}

// The same file, sent by whom and how ever, reaches WeChat once; by command, by
// request, by reference and at another replica.
func TestTheSameFileIsUploadedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	first := w.start().ready()
	id, reused := w.uploadAs("one", cat)
	if reused {
		t.Error("reused out of nothing")
	}
	if again, reused := w.uploadAs("two", cat); again != id || !reused {
		t.Errorf("%s, then %s", id, again)
	}
	if _, err := w.objects().PutBytes(w.within(), "cat.jpg", []byte("\xff\xd8\xff\xd9")); err != nil {
		t.Fatal(err)
	}
	if again, reused := w.uploadAs("three", `{"type":"image","filename":"cat.jpg","media":{"dataref":"nats-object://WX_MEDIA/cat.jpg"}}`); again != id || !reused {
		t.Errorf("%s, by reference %s", id, again)
	}
	first.stop()
	w.start().ready()
	r, _ := w.ask("upload_media", cat)
	if again := field(r.Response, "media_id"); again != id || r.Attempts != 0 {
		t.Errorf("%s, at another process %+v", id, r)
	}
	if n := w.calls("upload_media"); n != 1 {
		t.Errorf("%d uploads", n)
	}
	// Opting out.
	fresh := strings.Replace(cat, `{"type"`, `{"fresh":true,"type"`, 1)
	if another, reused := w.uploadAs("four", fresh); another == id || reused || w.calls("upload_media") != 2 {
		t.Errorf("%s is not fresh", another)
	}
}

// A media_id that WeChat does not know any more is not given out again.
func TestAnExpiredMediaIDIsForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	id, _ := w.uploadAs("one", cat)
	w.sim.Advance(73 * time.Hour) // WeChat's clock, not ours
	to := w.follower("reader")
	w.bare("send_custom_message", "send", fmt.Sprintf(`{"touser":%q,"msgtype":"image","image":{"media_id":%q}}`, to, id))
	if r := w.ends("send", "rejected"); r.ErrCode != 40007 {
		t.Fatalf("%+v", r)
	}
	again, reused := w.uploadAs("two", cat)
	if again == id || reused {
		t.Errorf("%s is given again", again)
	}
	if last, reused := w.uploadAs("three", cat); last != again || !reused {
		t.Errorf("%s, then %s", again, last)
	}
	w.bare("send_custom_message", "send again", fmt.Sprintf(`{"touser":%q,"msgtype":"image","image":{"media_id":%q}}`, to, again))
	w.ends("send again", "done")
}

// A file is downloaded once, as long as it is in the store.
func TestTheSameMediaIDIsDownloadedOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	id, _ := w.uploadAs("up", cat)
	get := func() (got wxapi.GetMediaResponse) {
		r, _ := w.ask("get_media", fmt.Sprintf(`{"media_id":%q}`, id))
		decodeInto(t, r.Response, &got)
		return got
	}
	first, again := get(), get()
	if first.Reused || !again.Reused || again.Media.DataRef != first.Media.DataRef || w.calls("get_media") != 1 {
		t.Errorf("%+v, then %+v", first, again)
	}
	if err := w.objects().Delete(w.within(), strings.TrimPrefix(first.Media.DataRef, "nats-object://WX_MEDIA/")); err != nil {
		t.Fatal(err)
	}
	if last := get(); last.Reused || last.Media.DataRef == first.Media.DataRef || string(w.object(last.Media.DataRef)) != "\xff\xd8\xff\xd9" {
		t.Errorf("%+v after its file was deleted", last)
	}
}

// Whatever lies in the bucket, the worst that comes of it is one more upload.
func TestRecentMediaThatMakeNoSense(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.connect()
	recent := NewRecent(b, NewMedia(b))
	kv, err := w.js.KeyValue(w.within(), "WX_CLAIM")
	if err != nil {
		t.Fatal(err)
	}
	for n, value := range []string{"", "null", "{}", "busy", `{"answer":[]}`, `{"answer":{"media":{"dataref":"nats-object://WX_SECRET/x"}}}`, `{"answer":{"media":{"dataref":7}}}`} {
		key := fmt.Sprint(n)
		if _, err := kv.Put(w.within(), "media."+key, []byte(value)); err != nil {
			t.Fatal(err)
		}
		if a, found, err := recent.Find(w.within(), key); found || err != nil {
			t.Errorf("%q: %+v, %v", value, a, err)
		}
	}
	if err := recent.Keep(w.within(), "k", wxapi.Answered{MediaID: "a/b c>*", Answer: json.RawMessage(`{"media_id":"a/b c>*"}`), At: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if a, found, err := recent.Find(w.within(), "k"); !found || err != nil || a.MediaID != "a/b c>*" {
		t.Errorf("%+v, %t, %v", a, found, err)
	}
	if err := recent.Forget(w.within(), "a/b c>*"); err != nil {
		t.Fatal(err)
	}
	if _, found, err := recent.Find(w.within(), "k"); found || err != nil {
		t.Errorf("it is not forgotten: %v", err)
	}
}
