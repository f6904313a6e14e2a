package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// Names of the streams, after the prefix.
const (
	StreamInbound = "INBOUND"
	StreamReply   = "REPLY"
	StreamOutcome = "OUTCOME"
	StreamCmd     = "CMD"
	StreamResult  = "RESULT"
	StreamDLQ     = "DLQ"
)

// Names of the buckets, after the prefix.
const (
	BucketClaim   = "CLAIM"
	BucketState   = "STATE"
	BucketSecret  = "SECRET"
	BucketRedrive = "REDRIVE"
	BucketMedia   = "MEDIA"
	BucketLetter  = "LETTER"
)

const (
	day = 24 * time.Hour
	// letters is how long dead letters are kept, with what belongs to them.
	letters = 30 * day
	dedupe  = 10 * time.Minute
	// replyDedupe is the shortest that the server allows: two services that
	// answer with the same id must both be heard.
	replyDedupe = 100 * time.Millisecond
	// MaxReplies is how many messages one key's log takes; the next is refused.
	MaxReplies = 64
)

// Remembered is how long the streams of outcomes, commands and dead letters know
// a Nats-Msg-Id again, at least, with a reply window (WX_REPLY_WINDOW).
func Remembered(replyWindow time.Duration) time.Duration { return max(dedupe, replyWindow) }

// Streams is every stream of a prefix with its full settings.
func (c StreamConfig) Streams(p events.Prefix) []jetstream.StreamConfig {
	storage, _ := c.storage() // Validate has looked
	stream := func(name, about string, age, window time.Duration, branches ...events.Branch) jetstream.StreamConfig {
		cfg := jetstream.StreamConfig{
			Name: p.Resource(name), Description: about,
			Retention: jetstream.LimitsPolicy, MaxAge: age, Duplicates: window,
			// Refusing is visible and tried again; dropping the oldest loses silently.
			Discard: jetstream.DiscardNew,
			Storage: storage, Replicas: c.Replicas, MaxBytes: c.MaxBytes,
			MaxMsgs: -1, MaxMsgsPerSubject: -1, MaxConsumers: -1, MaxMsgSize: -1,
		}
		for _, b := range branches {
			cfg.Subjects = append(cfg.Subjects, p.Subject(b, "*"))
		}
		return cfg
	}
	// What a late reply becomes is published by every egress, and again after a
	// restart, for as long as the reply is kept.
	again := Remembered(c.ReplyWindow)
	inbound := stream(StreamInbound, "follower messages and events", 7*day, dedupe, events.Inbound)
	// Replies and the bridge's own markers share one stream, so that they have one order.
	reply := stream(StreamReply, "answers and markers of held events", c.ReplyWindow, replyDedupe, events.Replies, events.Marks)
	reply.MaxMsgsPerSubject = MaxReplies
	reply.DiscardNewPerSubject = true
	cmd := stream(StreamCmd, "commands that wait for their turn", 0, again, events.Cmd)
	cmd.Retention = jetstream.WorkQueuePolicy
	return []jetstream.StreamConfig{
		inbound,
		reply,
		stream(StreamOutcome, "how each held event ended", day, again, events.Outcomes),
		cmd,
		stream(StreamResult, "the terminal result of each command", 7*day, dedupe, events.Results),
		stream(StreamDLQ, "what could not be processed, and why", letters, again, events.DLQ),
	}
}

// Buckets is every key-value bucket of a prefix.
func (c StreamConfig) Buckets(p events.Prefix) []jetstream.KeyValueConfig {
	storage, _ := c.storage()
	bucket := func(name, about string, ttl time.Duration) jetstream.KeyValueConfig {
		return jetstream.KeyValueConfig{
			Bucket: p.Resource(name), Description: about, TTL: ttl, History: 1,
			Storage: storage, Replicas: c.Replicas,
		}
	}
	return []jetstream.KeyValueConfig{
		bucket(BucketClaim, "what became of each command id, and of recent media", 7*day),
		bucket(BucketState, "owner, pauses, quotas", 0),
		bucket(BucketSecret, "the access token; egress alone", 0),
		bucket(BucketRedrive, "which dead letters were sent again", letters),
	}
}

// Objects is every object store of a prefix.
func (c StreamConfig) Objects(p events.Prefix) []jetstream.ObjectStoreConfig {
	storage, _ := c.storage()
	store := func(name, about string, ttl time.Duration) jetstream.ObjectStoreConfig {
		return jetstream.ObjectStoreConfig{
			Bucket: p.Resource(name), Description: about, TTL: ttl, Storage: storage, Replicas: c.Replicas,
		}
	}
	return []jetstream.ObjectStoreConfig{
		// WeChat keeps temporary media for 3 days too.
		store(BucketMedia, "media too large for an event", 3*day),
		store(BucketLetter, "originals too large for a dead letter", letters),
	}
}

// PromiseError is a setting of an existing stream that breaks a promise.
type PromiseError struct{ Stream, Field, Problem, Promise string }

func (e *PromiseError) Error() string {
	return fmt.Sprintf("stream %s: %s %s, which breaks the promise that %s: change the stream or delete it and let the bridge create it", e.Stream, e.Field, e.Problem, e.Promise)
}

// MissingError names what WX_STREAMS=check did not find.
type MissingError struct{ Names []string }

func (e *MissingError) Error() string {
	return "missing: " + strings.Join(e.Names, ", ") + " (WX_STREAMS=check creates none: create them, or set WX_STREAMS=create)"
}

// Ensure creates every missing stream and bucket, in mode check only looks, and
// then checks all of them. Any number of processes may call it at once.
// Errors: *PromiseError and *MissingError, possibly several joined, which no
// retry mends; anything else is the connection's.
func Ensure(ctx context.Context, js jetstream.JetStream, p events.Prefix, c StreamConfig) error {
	var missing []string
	var found []jetstream.StreamConfig
	var broken []error
	for _, want := range c.Streams(p) {
		have, err := ensureStream(ctx, js, want, c.Mode == "create")
		if errors.Is(err, jetstream.ErrStreamNotFound) {
			missing = append(missing, want.Name)
			continue
		}
		if err != nil {
			return fmt.Errorf("stream %s: %w", want.Name, err)
		}
		found = append(found, have)
		broken = append(broken, brokenPromises(want, have)...)
	}
	for _, want := range c.Buckets(p) {
		_, err := look(ctx, js.KeyValue, want.Bucket)
		if errors.Is(err, jetstream.ErrBucketNotFound) && c.Mode == "create" {
			_, err = js.CreateKeyValue(ctx, want)
		}
		switch {
		case errors.Is(err, jetstream.ErrBucketNotFound):
			missing = append(missing, want.Bucket)
			continue
		case err != nil && !errors.Is(err, jetstream.ErrBucketExists):
			return fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
		backing, err := look(ctx, js.Stream, "KV_"+want.Bucket)
		if err != nil {
			return fmt.Errorf("bucket %s: %w", want.Bucket, err)
		}
		found = append(found, backing.CachedInfo().Config)
		broken = append(broken, shortLived(want, backing.CachedInfo().Config)...)
	}
	for _, want := range c.Objects(p) {
		_, err := look(ctx, js.ObjectStore, want.Bucket)
		if errors.Is(err, jetstream.ErrBucketNotFound) && c.Mode == "create" {
			_, err = js.CreateObjectStore(ctx, want)
		}
		switch {
		case errors.Is(err, jetstream.ErrBucketNotFound):
			missing = append(missing, want.Bucket)
		case err != nil && !errors.Is(err, jetstream.ErrBucketExists):
			return fmt.Errorf("object store %s: %w", want.Bucket, err)
		}
	}
	if len(missing) > 0 {
		broken = append(broken, &MissingError{missing})
	}
	broken = append(broken, lessDurable(p, found)...)
	return errors.Join(broken...)
}

// look asks for something by its name until somebody answers or ctx ends. While a stream has no leader its cluster is silent, and who leads it a
// moment later has not heard the question.
func look[T any](ctx context.Context, ask func(context.Context, string) (T, error), name string) (T, error) {
	const silence = time.Second
	for {
		one, cancel := context.WithTimeout(ctx, silence)
		found, err := ask(one, name)
		cancel()
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			return found, err
		}
	}
}

func ensureStream(ctx context.Context, js jetstream.JetStream, want jetstream.StreamConfig, create bool) (jetstream.StreamConfig, error) {
	s, err := look(ctx, js.Stream, want.Name)
	if errors.Is(err, jetstream.ErrStreamNotFound) && create {
		s, err = js.CreateStream(ctx, want)
		if errors.Is(err, jetstream.ErrStreamNameAlreadyInUse) {
			// Another process was first, with other settings; they are checked like any.
			s, err = look(ctx, js.Stream, want.Name)
		}
	}
	if err != nil {
		return jetstream.StreamConfig{}, err
	}
	return s.CachedInfo().Config, nil
}

// brokenPromises compares what a stream is with what it must be. More is
// always allowed: more replicas, a longer age, a longer window.
func brokenPromises(want, have jetstream.StreamConfig) []error {
	var broken []error
	breaks := func(bad bool, field, problem, promise string) {
		if bad {
			broken = append(broken, &PromiseError{have.Name, field, problem, promise})
		}
	}
	breaks(have.Discard != jetstream.DiscardNew, "discard", "is "+have.Discard.String(), "nothing stored is dropped to make room")
	breaks(have.Retention != want.Retention, "retention", "is "+have.Retention.String()+" instead of "+want.Retention.String(), "every message stays until it was worked on")
	for _, subject := range want.Subjects {
		carried := false
		for _, s := range have.Subjects {
			carried = carried || s == subject
		}
		breaks(!carried, "subjects", "do not hold "+subject, "what is published there is stored")
	}
	breaks(have.Duplicates < want.Duplicates, "duplicate_window",
		fmt.Sprintf("is %s, less than %s", have.Duplicates, want.Duplicates), "a repeated publish is stored once")
	breaks(have.MaxAge != 0 && (want.MaxAge == 0 || have.MaxAge < want.MaxAge), "max_age",
		fmt.Sprintf("is %s, less than %s", have.MaxAge, ageText(want.MaxAge)), "what is stored can be read that long")
	breaks(want.MaxMsgsPerSubject > 0 && have.MaxMsgsPerSubject != want.MaxMsgsPerSubject, "max_msgs_per_subject",
		fmt.Sprintf("is %d instead of %d", have.MaxMsgsPerSubject, want.MaxMsgsPerSubject), "one key's log can be read whole")
	breaks(have.MaxMsgsPerSubject > 0 && !have.DiscardNewPerSubject, "discard_new_per_subject",
		"is off, so the oldest message of a subject makes room for a new one", "nothing stored is dropped to make room")
	breaks(have.AllowDirect && have.Replicas > 1, "allow_direct",
		"is on, so that any replica answers reads", "all processes read the same log")
	breaks(have.NoAck, "no_ack", "is on", "nothing counts as stored that the stream did not acknowledge")
	return broken
}

// shortLived finds a bucket that forgets sooner than it must: a command id that
// is forgotten can be executed twice.
func shortLived(want jetstream.KeyValueConfig, have jetstream.StreamConfig) []error {
	if have.MaxAge == 0 || want.TTL != 0 && have.MaxAge >= want.TTL {
		return nil
	}
	return []error{&PromiseError{
		have.Name, "max_age",
		fmt.Sprintf("is %s, less than %s", have.MaxAge, ageText(want.TTL)), "what is kept in the bucket is known that long",
	}}
}

func ageText(age time.Duration) string {
	if age == 0 {
		return "no limit"
	}
	return age.String()
}

// kept is what must outlive something else, or a promise is broken when NATS
// comes back with the one and without the other.
type kept struct {
	what, beside string // streams; of a bucket the one that holds it
	ages         bool   // also in age
	promise      string
}

func keptBeside(p events.Prefix) []kept {
	bucket := func(name string) string { return "KV_" + p.Resource(name) }
	return []kept{
		// An outcome is the claim to an answer and must outlive the log that decided it.
		{p.Resource(StreamOutcome), p.Resource(StreamReply), true, "a follower gets one answer, never two different ones"},
		// A command comes again until its ack is stored, and its claim alone says what became of it.
		{bucket(BucketClaim), p.Resource(StreamCmd), false, "a command is executed once, also when NATS was restarted or has lost a server"},
		// The ack that takes a command out of its stream says that the result is stored.
		{p.Resource(StreamResult), p.Resource(StreamCmd), false, "each command leaves one result, also when NATS was restarted or has lost a server"},
		{bucket(BucketRedrive), p.Resource(StreamDLQ), false, "a dead letter is sent again once, however often it is asked for"},
	}
}

// lessDurable finds what is weaker than that beside which it must be kept. To be
// stronger is always allowed.
func lessDurable(p events.Prefix, found []jetstream.StreamConfig) []error {
	byName := map[string]jetstream.StreamConfig{}
	for _, s := range found {
		byName[s.Name] = s
	}
	var broken []error
	for _, k := range keptBeside(p) {
		have, ok1 := byName[k.what]
		other, ok2 := byName[k.beside]
		if !ok1 || !ok2 {
			continue // it is missing, which is told already
		}
		if have.Storage == jetstream.MemoryStorage && other.Storage == jetstream.FileStorage {
			broken = append(broken, &PromiseError{have.Name, "storage", "is memory while " + other.Name + " is on file", k.promise})
		}
		if have.Replicas < other.Replicas {
			broken = append(broken, &PromiseError{have.Name, "replicas", fmt.Sprintf("is %d, less than the %d of %s", have.Replicas, other.Replicas, other.Name), k.promise})
		}
		if k.ages && have.MaxAge != 0 && (other.MaxAge == 0 || have.MaxAge < other.MaxAge) {
			broken = append(broken, &PromiseError{have.Name, "max_age", "is less than that of " + other.Name, k.promise})
		}
	}
	return broken
}
