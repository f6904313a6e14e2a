package bus

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

func TestFile(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	store, err := s.nats.JetStream().ObjectStore(within(t), "WX_MEDIA")
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": {}, "small": []byte("cat"), "图.png": bytes.Repeat([]byte("0123456789"), 50_000),
	} {
		for range 2 { // the second replaces the first
			if _, err := store.PutBytes(within(t), name, content); err != nil {
				t.Fatal(err)
			}
		}
		got, err := s.app.File(within(t), "nats-object://WX_MEDIA/"+name)
		if err != nil || !bytes.Equal(got, content) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if err := store.Delete(within(t), "small"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.File(within(t), "nats-object://WX_MEDIA/small"); !errors.Is(err, jetstream.ErrObjectNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := s.app.File(within(t), "nats-object://WX_MEDIA/none"); !errors.Is(err, jetstream.ErrObjectNotFound) {
		t.Errorf("%v", err)
	}
	if _, err := s.app.File(within(t), "nats-object://OTHER/small"); err == nil || !strings.Contains(err.Error(), "must begin with nats-object://WX_MEDIA/") {
		t.Errorf("%v", err)
	}
	if _, err := s.nats.JetStream().Publish(within(t), "$O.WX_MEDIA.M.Y3V0", []byte(`{"name":"cut","nuid":"n","chunks":0,"digest":"SHA-256=x"}`)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.app.File(within(t), "nats-object://WX_MEDIA/cut"); !errors.Is(err, jetstream.ErrDigestMismatch) {
		t.Errorf("%v", err)
	}
}
