package ingress

import "time"

const (
	// earlyFor is for how long a key is remembered at least: WeChat's tries are over
	// by then. maxEarly bounds what a flood of replies may take of the memory.
	earlyFor = 30 * time.Second
	maxEarly = 1 << 16
	// firstWithin is how long after its CreateTime a message's first try comes at the
	// latest, that time being cut to seconds; the second comes 5 s after the first.
	firstWithin = 3 * time.Second
)

// early remembers keys whose logs may hold something before their event is
// stored: a plain subscriber hears also what the stream does not take, and
// answers. They are those that could not be stored here, and those of which the
// feed brought a reply that nobody here waited for.
type early struct {
	keys, before map[string]struct{}
	since        time.Time
}

func (e *early) add(key string, now time.Time) {
	if e.keys == nil || now.Sub(e.since) >= earlyFor || len(e.keys) >= maxEarly {
		e.keys, e.before, e.since = map[string]struct{}{}, e.keys, now
	}
	e.keys[key] = struct{}{}
}

func (e *early) has(key string) bool {
	_, now := e.keys[key]
	_, before := e.before[key]
	return now || before
}

// mayBeAnswered says whether a try that stored its event may find an answer in
// the log. For a process that began after that answer WeChat's clock must do.
func (t *try) mayBeAnswered(r *room) bool {
	return r.early || t.arrived.Sub(t.message.CreateTime) > firstWithin
}
