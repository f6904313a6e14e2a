package bus

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// everything reads back all streams, those of the buckets too.
func everything(t *testing.T, js jetstream.JetStream) map[string]jetstream.StreamConfig {
	t.Helper()
	all := map[string]jetstream.StreamConfig{}
	list := js.ListStreams(within(t))
	for info := range list.Info() {
		all[info.Config.Name] = info.Config
	}
	if list.Err() != nil {
		t.Fatal(list.Err())
	}
	return all
}

func TestEnsureCreatesAll(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	for _, c := range []StreamConfig{
		testStreams(),
		{Mode: "create", Replicas: 1, Storage: "memory", MaxBytes: 1 << 20, ReplyWindow: time.Hour},
	} {
		prefix := map[string]string{"file": "wx", "memory": "wx.shop"}[c.Storage]
		p := prefixOf(prefix)
		if err := Ensure(within(t), js, p, c); err != nil {
			t.Fatal(err)
		}
		first := everything(t, js)
		for _, want := range c.Streams(p) {
			have := first[want.Name]
			// What the server adds is no setting of ours.
			have.Metadata, have.ConsumerLimits, have.Compression = nil, want.ConsumerLimits, want.Compression
			if !reflect.DeepEqual(have, want) {
				t.Errorf("%s is\n%+v instead of\n%+v", want.Name, have, want)
			}
		}
		for _, want := range c.Buckets(p) {
			have := first["KV_"+want.Bucket]
			if have.MaxAge != want.TTL || have.Storage != want.Storage || have.MaxMsgsPerSubject != 1 || have.Description != want.Description {
				t.Errorf("bucket %s is %+v", want.Bucket, have)
			}
		}
		for name, age := range map[string]time.Duration{"MEDIA": 3 * day, "LETTER": 30 * day} {
			if have := first["OBJ_"+p.Resource(name)]; have.MaxAge != age || have.Storage != c.Objects(p)[0].Storage {
				t.Errorf("object store is %+v", have)
			}
		}
		if err := Ensure(within(t), js, p, c); err != nil {
			t.Fatal(err)
		}
		if second := everything(t, js); !reflect.DeepEqual(first, second) {
			t.Error("the second run changed something")
		}
		check := c
		check.Mode = "check"
		if err := Ensure(within(t), js, p, check); err != nil {
			t.Errorf("check of what create made: %v", err)
		}
	}
	if n := len(everything(t, js)); n != 24 {
		t.Errorf("%d streams of two prefixes", n)
	}
}

// mute is a cluster in which some streams have no leader at first: the first
// question about each is never answered.
type mute struct {
	jetstream.JetStream
	silent map[string]bool
}

func (m mute) hears(ctx context.Context, name string) error {
	if m.silent[name] {
		delete(m.silent, name)
		<-ctx.Done()
	}
	return ctx.Err()
}

func (m mute) Stream(ctx context.Context, name string) (jetstream.Stream, error) {
	if err := m.hears(ctx, name); err != nil {
		return nil, err
	}
	return m.JetStream.Stream(ctx, name)
}

func (m mute) KeyValue(ctx context.Context, name string) (jetstream.KeyValue, error) {
	if err := m.hears(ctx, name); err != nil {
		return nil, err
	}
	return m.JetStream.KeyValue(ctx, name)
}

func (m mute) ObjectStore(ctx context.Context, name string) (jetstream.ObjectStore, error) {
	if err := m.hears(ctx, name); err != nil {
		return nil, err
	}
	return m.JetStream.ObjectStore(ctx, name)
}

// A question that nobody heard is asked again, and does not take the time of all.
func TestEnsureAsksAgain(t *testing.T) {
	t.Parallel()
	js := mute{bustest.Start(t).JetStream(), map[string]bool{"WX_INBOUND": true, "WX_STATE": true, "WX_MEDIA": true}}
	began := time.Now()
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); len(js.silent) > 0 || took > generous/2 {
		t.Errorf("it took %s, not asked about: %v", took, js.silent)
	}
}

func TestEnsureEightAtOnce(t *testing.T) {
	t.Parallel()
	s := bustest.Start(t)
	ctx := within(t)
	var all sync.WaitGroup
	start := make(chan struct{})
	for range 8 {
		js := s.JetStream()
		all.Go(func() {
			<-start
			if err := Ensure(ctx, js, "wx", testStreams()); err != nil {
				t.Error(err)
			}
		})
	}
	close(start)
	all.Wait()
	if n := len(everything(t, s.JetStream())); n != 12 {
		t.Errorf("%d streams", n)
	}
}

func TestCheckNamesTheMissing(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	check := testStreams()
	check.Mode = "check"
	var missing *MissingError
	all := []string{
		"WX_INBOUND", "WX_REPLY", "WX_OUTCOME", "WX_CMD", "WX_RESULT", "WX_DLQ",
		"WX_CLAIM", "WX_STATE", "WX_SECRET", "WX_REDRIVE", "WX_MEDIA", "WX_LETTER",
	}
	if err := Ensure(within(t), js, "wx", check); !errors.As(err, &missing) || !slices.Equal(missing.Names, all) {
		t.Errorf("%v", err)
	}
	if n := len(everything(t, js)); n != 0 {
		t.Errorf("check created %d streams", n)
	}
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Fatal(err)
	}
	for _, gone := range []string{"WX_CMD", "KV_WX_STATE", "OBJ_WX_MEDIA", "OBJ_WX_LETTER"} {
		if err := js.DeleteStream(within(t), gone); err != nil {
			t.Fatal(err)
		}
	}
	err := Ensure(within(t), js, "wx", check)
	if !errors.As(err, &missing) || !slices.Equal(missing.Names, []string{"WX_CMD", "WX_STATE", "WX_MEDIA", "WX_LETTER"}) {
		t.Errorf("%v", err)
	}
	if err := Ensure(within(t), js, "wx", testStreams()); err != nil {
		t.Errorf("create does not bring them back: %v", err)
	}
}

func TestBrokenPromises(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	for name, c := range map[string]struct {
		stream, field string
		spoil         func(*jetstream.StreamConfig)
	}{
		"discard old":           {"INBOUND", "discard", func(c *jetstream.StreamConfig) { c.Discard = jetstream.DiscardOld }},
		"work queue":            {"INBOUND", "retention", func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy }},
		"no work queue":         {"CMD", "retention", func(c *jetstream.StreamConfig) { c.Retention = jetstream.LimitsPolicy }},
		"subject missing":       {"REPLY", "subjects", func(c *jetstream.StreamConfig) { c.Subjects = c.Subjects[:1] }},
		"short dedupe":          {"CMD", "duplicate_window", func(c *jetstream.StreamConfig) { c.Duplicates = time.Minute }},
		"short max_age":         {"RESULT", "max_age", func(c *jetstream.StreamConfig) { c.MaxAge = day }},
		"commands that age":     {"CMD", "max_age", func(c *jetstream.StreamConfig) { c.MaxAge = 30 * day }},
		"old replies dropped":   {"REPLY", "discard_new_per_subject", func(c *jetstream.StreamConfig) { c.DiscardNewPerSubject = false }},
		"replies without limit": {"REPLY", "max_msgs_per_subject", func(c *jetstream.StreamConfig) { c.MaxMsgsPerSubject, c.DiscardNewPerSubject = -1, false }},
		"no ack":                {"OUTCOME", "no_ack", func(c *jetstream.StreamConfig) { c.NoAck = true }},
		"outcomes in memory":    {"OUTCOME", "storage", func(c *jetstream.StreamConfig) { c.Storage = jetstream.MemoryStorage }},
	} {
		p := prefixOf("p_" + strings.ReplaceAll(name, " ", "_"))
		for _, cfg := range testStreams().Streams(p) {
			if cfg.Name == p.Resource(c.stream) {
				c.spoil(&cfg)
				if _, err := js.CreateStream(within(t), cfg); err != nil {
					t.Fatalf("%s: %v", name, err)
				}
			}
		}
		err := Ensure(within(t), js, p, testStreams())
		var broken *PromiseError
		if !errors.As(err, &broken) || broken.Stream != p.Resource(c.stream) || broken.Field != c.field ||
			!strings.Contains(err.Error(), c.field) || !strings.Contains(err.Error(), broken.Stream) {
			t.Errorf("%s: %v", name, err)
		}
		if !unmendable(err) {
			t.Errorf("%s: a retry would mend it?", name)
		}
	}
}

func TestPromisesOfMoreThanOneServer(t *testing.T) {
	t.Parallel()
	three := testStreams()
	three.Replicas = 3
	found := three.Streams("wx")
	if err := errors.Join(lessDurable("wx", found)...); err != nil {
		t.Error(err)
	}
	for i := range found {
		if found[i].Name == "WX_OUTCOME" {
			found[i].Replicas, found[i].MaxAge = 1, time.Minute
		}
	}
	fields := []string{}
	for _, err := range lessDurable("wx", found) {
		var broken *PromiseError
		if errors.As(err, &broken) {
			fields = append(fields, broken.Field)
		}
	}
	if !slices.Equal(fields, []string{"replicas", "max_age"}) {
		t.Errorf("broken: %q", fields)
	}
	have := three.Streams("wx")[1]
	have.AllowDirect = true
	if broken := brokenPromises(three.Streams("wx")[1], have); len(broken) != 1 || !strings.Contains(broken[0].Error(), "allow_direct") {
		t.Errorf("%v", broken)
	}
	more := three.Streams("wx")[0]
	more.MaxAge, more.Duplicates, more.Subjects = 0, time.Hour, append(more.Subjects, "more.*")
	if broken := brokenPromises(three.Streams("wx")[0], more); len(broken) > 0 {
		t.Errorf("more is allowed: %v", broken)
	}
}

// What keeps a promise after NATS came back must come back itself: Ensure refuses
// it in memory, or on fewer servers, beside what comes back; more is allowed.
func TestKeptBesideWhatComesBack(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	memory := testStreams()
	memory.Storage = "memory"
	for i, c := range []struct {
		spoiled string // of the one in memory
		says    string
	}{
		{"KV_CLAIM", "a command is executed once"},
		{"KV_REDRIVE", "a dead letter is sent again once"},
		{"RESULT", "each command leaves one result"},
		{"KV_STATE", ""}, // who owns the queue and what rests is found out anew
		{"CMD", ""},      // weaker than all that is kept of it
	} {
		p := prefixOf(fmt.Sprint("p", i))
		for _, want := range memory.Streams(p) {
			if want.Name == p.Resource(c.spoiled) {
				if _, err := js.CreateStream(within(t), want); err != nil {
					t.Fatal(err)
				}
			}
		}
		for _, want := range memory.Buckets(p) {
			if name, isBucket := strings.CutPrefix(c.spoiled, "KV_"); isBucket && want.Bucket == p.Resource(name) {
				if _, err := js.CreateKeyValue(within(t), want); err != nil {
					t.Fatal(err)
				}
			}
		}
		err := Ensure(within(t), js, p, testStreams())
		if c.says == "" {
			if err != nil {
				t.Errorf("%s in memory: %v", c.spoiled, err)
			}
			continue
		}
		var broken *PromiseError
		if !errors.As(err, &broken) || broken.Field != "storage" || !strings.Contains(broken.Promise, c.says) || !unmendable(err) ||
			!strings.HasSuffix(broken.Stream, strings.TrimPrefix(c.spoiled, "KV_")) {
			t.Errorf("%s in memory: %v", c.spoiled, err)
		}
	}

	// Of replicas, with what servers would say.
	three := testStreams()
	three.Replicas = 3
	found := func(weak string) (all []jetstream.StreamConfig) {
		all = three.Streams("wx")
		for _, b := range three.Buckets("wx") {
			all = append(all, jetstream.StreamConfig{Name: "KV_" + b.Bucket, Storage: b.Storage, Replicas: b.Replicas, MaxAge: b.TTL})
		}
		for i := range all {
			if all[i].Name == weak {
				all[i].Replicas = 1
			}
		}
		return all
	}
	for weak, n := range map[string]int{
		"": 0, "KV_WX_CLAIM": 1, "KV_WX_REDRIVE": 1, "WX_RESULT": 1, "WX_OUTCOME": 1,
		"WX_CMD": 0, "WX_DLQ": 0, "WX_REPLY": 0, "KV_WX_STATE": 0,
	} {
		err := errors.Join(lessDurable("wx", found(weak))...)
		var broken *PromiseError
		if errors.As(err, &broken) != (n > 0) || n > 0 && (broken.Stream != weak || broken.Field != "replicas") {
			t.Errorf("%q on one server: %v", weak, err)
		}
	}
}

func TestForgetfulBucket(t *testing.T) {
	t.Parallel()
	js := bustest.Start(t).JetStream()
	_, err := js.CreateKeyValue(within(t), jetstream.KeyValueConfig{Bucket: "WX_CLAIM", TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	var broken *PromiseError
	if err := Ensure(within(t), js, "wx", testStreams()); !errors.As(err, &broken) || broken.Stream != "KV_WX_CLAIM" || broken.Field != "max_age" {
		t.Errorf("%v", err)
	}
}

// What a late reply becomes is deduplicated for as long as the reply is kept.
func TestDedupeCoversTheReplyWindow(t *testing.T) {
	t.Parallel()
	for _, window := range []time.Duration{time.Minute, 10 * time.Minute, time.Hour} {
		c := StreamConfig{Mode: "create", Replicas: 1, Storage: "file", MaxBytes: -1, ReplyWindow: window}
		for _, s := range c.Streams("wx") {
			switch s.Name {
			case "WX_REPLY":
				if s.MaxAge != window {
					t.Errorf("window %s: %s keeps replies %s", window, s.Name, s.MaxAge)
				}
			case "WX_CMD", "WX_OUTCOME", "WX_DLQ":
				if s.Duplicates < window || s.Duplicates < 10*time.Minute {
					t.Errorf("window %s: %s remembers ids %s", window, s.Name, s.Duplicates)
				}
			}
		}
	}
}
