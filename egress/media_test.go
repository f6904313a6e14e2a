package egress

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
	"time"

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
