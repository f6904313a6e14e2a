package egress

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
)

// shelf keeps what a stream holds, by event id.
type shelf struct {
	t    *testing.T
	mu   sync.Mutex
	by   map[string]published
	news chan struct{}
}

// published is one event of the bridge.
type published struct {
	Subject string
	Header  nats.Header
	Event   cloudevents.Event
}

// read follows a stream from its beginning.
func (w *world) read(stream string) *shelf {
	w.t.Helper()
	s := &shelf{t: w.t, by: map[string]published{}, news: make(chan struct{})}
	consumer, err := w.js.OrderedConsumer(w.within(), stream, jetstream.OrderedConsumerConfig{})
	if err != nil {
		w.t.Fatal(err)
	}
	reading, err := consumer.Consume(func(m jetstream.Msg) {
		var e cloudevents.Event
		if err := json.Unmarshal(m.Data(), &e); err != nil {
			w.t.Errorf("%s: %v in %s", m.Subject(), err, m.Data())
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.by[e.ID()] = published{m.Subject(), m.Headers(), e}
		close(s.news)
		s.news = make(chan struct{})
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(reading.Stop)
	return s
}

func (s *shelf) ids() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Sorted(maps.Keys(s.by))
}

func (s *shelf) get(id string) (published, bool, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.by[id]
	return p, ok, s.news
}

// wait waits for the event id.
func (s *shelf) wait(ctx context.Context, id string) published {
	s.t.Helper()
	for {
		p, ok, news := s.get(id)
		if ok {
			return p
		}
		select {
		case <-news:
		case <-ctx.Done():
			s.t.Fatalf("no event %q; there are %v", id, s.ids())
		}
	}
}

// result waits for the result event id and reads it.
func (w *world) result(id string) (events.Result, published) {
	w.t.Helper()
	p := w.results.wait(w.within(), id)
	var r events.Result
	if err := json.Unmarshal(p.Event.Data(), &r); err != nil {
		w.t.Fatal(err)
	}
	return r, p
}

// ends waits for the result of a command and compares its outcome.
func (w *world) ends(command, outcome string) events.Result {
	w.t.Helper()
	r, _ := w.result(command + ".res")
	if r.Outcome != outcome {
		w.t.Fatalf("%s: %+v, not %s", command, r, outcome)
	}
	return r
}

// letter waits for the dead letter of a command's result.
func (w *world) letter(resultID string) (events.DeadLetter, published) {
	w.t.Helper()
	p := w.letters.wait(w.within(), resultID+".dlq")
	var l events.DeadLetter
	if err := json.Unmarshal(p.Event.Data(), &l); err != nil {
		w.t.Fatal(err)
	}
	return l, p
}

// calls counts what the pretend WeChat got of an API.
func (w *world) calls(verb string) (n int) {
	for _, c := range w.sim.Calls() {
		if c.Verb == verb {
			n++
		}
	}
	return n
}

// stored counts the messages of a stream.
func (w *world) stored(stream string) int {
	w.t.Helper()
	return int(w.stream(stream).CachedInfo().State.Msgs)
}

// stream looks at a stream, again if nobody answers: of a cluster whose stream has
// no leader at the moment nobody does.
func (w *world) stream(name string) jetstream.Stream {
	w.t.Helper()
	for ctx := w.within(); ; {
		one, cancel := context.WithTimeout(ctx, time.Second)
		s, err := w.js.Stream(one, name)
		cancel()
		if err == nil {
			return s
		}
		if ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded) {
			w.t.Fatalf("stream %s: %v", name, err)
		}
	}
}

// emptied waits until every command is taken off the queue.
func (w *world) emptied() {
	w.t.Helper()
	w.eventually("the queue is empty", func() bool { return w.stored("WX_CMD") == 0 })
}

// eventually is for what nobody announces.
func (w *world) eventually(what string, is func() bool) {
	w.t.Helper()
	ctx, look := w.within(), time.NewTicker(20*time.Millisecond)
	defer look.Stop()
	for !is() {
		select {
		case <-look.C:
		case <-ctx.Done():
			w.t.Fatalf("never: %s", what)
		}
	}
}
