package egress

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/wxapi"
)

// The store gives back what it was given, with what was known about it.
func TestMediaStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	media := NewMedia(w.connect())
	want := strings.Repeat("0123456789", 50_000)
	ref, info, err := media.Create(w.within(), wxapi.MediaInfo{ContentType: "image/png", Filename: "cat.png", Size: -1}, strings.NewReader(want))
	if err != nil || info.Size != int64(len(want)) {
		t.Fatalf("%+v, %v", info, err)
	}
	other, _, err := media.Create(w.within(), wxapi.MediaInfo{}, strings.NewReader(""))
	if err != nil || other == ref {
		t.Fatalf("%s and %s, %v", ref, other, err)
	}
	r, info, err := media.Open(w.within(), ref)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want || info.ContentType != "image/png" || info.Filename != "cat.png" || info.Size != int64(len(want)) {
		t.Errorf("%d bytes, %+v, %v", len(got), info, err)
	}
}

// A reference to somewhere else, or to nothing, leads to no file; and that is
// final, not a trouble of the network.
func TestMediaReferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	media := NewMedia(w.connect())
	for ref, says := range map[string]string{
		"":                                "reads nats-object://",
		"/etc/passwd":                     "reads nats-object://",
		"http://169.254.169.254/latest":   "reads nats-object://",
		"nats-object://":                  "reads nats-object://",
		"nats-object://WX_MEDIA":          "reads nats-object://",
		"nats-object://WX_MEDIA/":         "reads nats-object://",
		"NATS-OBJECT://WX_MEDIA/x":        "reads nats-object://",
		"nats-object://WX_SECRET/token":   "only files of the bucket WX_MEDIA",
		"nats-object://wx_media/x":        "only files of the bucket WX_MEDIA",
		"nats-object:///x":                "only files of the bucket WX_MEDIA",
		"nats-object://../WX_MEDIA/x":     "only files of the bucket WX_MEDIA",
		"nats-object://WX_MEDIA/never":    "3 days",
		"nats-object://WX_MEDIA/a/b/../c": "3 days",
	} {
		_, _, err := media.Open(w.within(), ref)
		if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v", ref, err)
		}
	}
	w.nats.Stop()
	ctx, cancel := context.WithTimeout(w.within(), time.Second) // it waits as long as it may
	defer cancel()
	if _, _, err := media.Open(ctx, "nats-object://WX_MEDIA/x"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("without NATS nobody knows what is there: %v", err)
	}
}

// Of a file that breaks off nothing stays.
func TestMediaBreaksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	media := NewMedia(w.connect())
	lost := errors.New("the connection is gone")
	broken := io.MultiReader(strings.NewReader(strings.Repeat("x", 300_000)), iotest.ErrReader(lost))
	if _, _, err := media.Create(w.within(), wxapi.MediaInfo{}, broken); err == nil {
		t.Fatal("stored")
	}
	if list, err := w.objects().List(w.within()); err == nil && len(list) != 0 {
		t.Errorf("%d objects", len(list))
	}
	w.eventually("its bytes are gone too", func() bool {
		s, err := w.js.Stream(w.within(), "OBJ_WX_MEDIA")
		return err == nil && s.CachedInfo().State.Msgs == 0
	})
}

// What is known about a file comes with it, its sha256 too.
func TestMediaKnowsItsDigest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	media := NewMedia(w.connect())
	sum := sha256.Sum256([]byte("a file"))
	ref, info, err := media.Create(w.within(), wxapi.MediaInfo{}, strings.NewReader("a file"))
	if err != nil || info.SHA256 != hex.EncodeToString(sum[:]) {
		t.Fatalf("%+v, %v", info, err)
	}
	r, info, err := media.Open(w.within(), ref)
	if err != nil || info.SHA256 != hex.EncodeToString(sum[:]) {
		t.Fatalf("%+v, %v", info, err)
	}
	_ = r.Close()
}

// A link would lead from the one bucket that commands may read to any other.
func TestMediaFollowsNoLinks(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	private, err := w.js.CreateObjectStore(w.within(), jetstream.ObjectStoreConfig{Bucket: "PRIVATE"})
	if err != nil {
		t.Fatal(err)
	}
	secret, err := private.PutString(w.within(), "secret", "\xff\xd8\xff not for WeChat")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.objects().AddLink(w.within(), "cat.jpg", secret); err != nil {
		t.Fatal(err)
	}
	w.bare("upload_media", "link", `{"type":"image","media":{"dataref":"nats-object://WX_MEDIA/cat.jpg"}}`)
	if r := w.ends("link", "rejected"); !strings.Contains(r.ErrMsg, "links are not followed") || w.calls("upload_media") != 0 {
		t.Errorf("%+v", r)
	}
}

// B83: bytes that are not those that were stored reach nobody, and the command ends:
// no repetition mends them.
func TestMediaThatIsBroken(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	info, err := w.objects().PutString(w.within(), "cat.jpg", "\xff\xd8\xff a cat")
	if err != nil {
		t.Fatal(err)
	}
	info.Digest = "SHA-256=" + base64.URLEncoding.EncodeToString(make([]byte, 32))
	meta, err := json.Marshal(info)
	if err != nil {
		t.Fatal(err)
	}
	m := nats.NewMsg("$O.WX_MEDIA.M." + base64.URLEncoding.EncodeToString([]byte("cat.jpg")))
	m.Header.Set(nats.MsgRollup, nats.MsgRollupSubject)
	m.Data = meta
	if _, err := w.js.PublishMsg(w.within(), m); err != nil {
		t.Fatal(err)
	}
	w.bare("upload_media", "broken", `{"type":"image","media":{"dataref":"nats-object://WX_MEDIA/cat.jpg"}}`)
	if r := w.ends("broken", "rejected"); !strings.Contains(r.ErrMsg, "its bytes are not those that were stored") || w.calls("upload_media") != 0 {
		t.Errorf("%+v", r)
	}
}

// A file larger than its type may be is refused by what the store knows of it,
// with its true size, and not a byte of it is read.
func TestMediaThatIsTooLarge(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	zeros := io.LimitReader(zeroes{}, 12<<20)
	if _, err := w.objects().Put(w.within(), jetstream.ObjectMeta{Name: "film"}, zeros); err != nil {
		t.Fatal(err)
	}
	w.bare("upload_media", "film", `{"type":"video","media":{"dataref":"nats-object://WX_MEDIA/film"}}`)
	if r := w.ends("film", "rejected"); !strings.Contains(r.ErrMsg, "has 12582912 bytes, at most 10485760") || w.calls("upload_media") != 0 {
		t.Errorf("%+v", r)
	}
}

type zeroes struct{}

func (zeroes) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// A large file goes from WeChat to the object store and back, unchanged.
func TestLargeMedia(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start().ready()
	film := append([]byte("\x00\x00\x00\x18ftypmp42"), make([]byte, 9<<20)...)
	for i := range film[12:] {
		film[12+i] = byte(i * 7)
	}
	if _, err := w.objects().PutBytes(w.within(), "film", film); err != nil {
		t.Fatal(err)
	}
	w.bare("upload_media", "up", `{"type":"video","media":{"dataref":"nats-object://WX_MEDIA/film"}}`)
	id := field(w.ends("up", "done").Response, "media_id")
	// A video is answered with a link to it, which is followed.
	w.bare("get_media", "down", `{"media_id":"`+id+`"}`)
	var got wxapi.GetMediaResponse
	decodeInto(t, w.ends("down", "done").Response, &got)
	sum := sha256.Sum256(film)
	if !bytes.Equal(w.object(got.Media.DataRef), film) || got.Media.SHA256 != hex.EncodeToString(sum[:]) || got.Media.Size != int64(len(film)) ||
		got.Media.ContentType != "video/mp4" || got.Media.Filename != id+".mp4" {
		t.Errorf("%+v", got)
	}
}
