package bus

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
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

// A replica that lags does not know a file that was just stored, or has what it
// replaced, and tells a client so that reads it there. The leader knows.
func TestFileWhereAReplicaLags(t *testing.T) {
	t.Parallel()
	s := bustest.StartLaggingCluster(t, 3)
	streams := testStreams()
	streams.Replicas = 3
	waitSettled(t, connect(t, s.URL(), streams))
	store := func(js jetstream.JetStream, err error) jetstream.ObjectStore {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		store, err := js.ObjectStore(within(t), "WX_MEDIA")
		if err != nil {
			t.Fatal(err)
		}
		return store
	}
	put := func(store jetstream.ObjectStore, name string, content []byte) {
		t.Helper()
		if _, err := store.PutBytes(within(t), name, content); err != nil {
			t.Fatal(err)
		}
	}
	writer := store(s.JetStream(), nil)
	put(writer, "cat.png", []byte("an old cat"))
	lags := s.Follower(t, "OBJ_WX_MEDIA")
	js, err := jetstream.New(s.ConnTo(lags))
	reader := store(js, err)

	cat := bytes.Repeat([]byte("a cat"), 100_000)
	for ctx := within(t); ; { // a replica begins to answer reads when it likes
		s.Lag(lags)
		put(writer, "new.png", cat)
		if _, err := reader.GetInfo(ctx, "new.png"); errors.Is(err, jetstream.ErrObjectNotFound) {
			break
		}
		s.CatchUp(lags)
		if err := writer.Delete(ctx, "new.png"); err != nil {
			t.Fatalf("no replica lags: %v", err)
		}
	}
	put(writer, "cat.png", cat)
	for _, name := range []string{"cat.png", "new.png"} {
		got, err := App{JetStream: js}.File(within(t), "nats-object://WX_MEDIA/"+name)
		if err != nil || !bytes.Equal(got, cat) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	s.CatchUp(lags)
}
