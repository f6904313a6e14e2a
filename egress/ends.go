package egress

import (
	"fmt"
	"sync"
	"time"
)

// endsTold is how long a result that waits is told of after it was tried, which is
// every few seconds: its command may have been taken from the queue by hand.
const endsTold = time.Minute

// ends are the results that the bus does not take, or their dead letters: the
// commands stay in the queue until it does. That is said once, and stands in the
// readiness as long as one of them waits.
type ends struct {
	mu      sync.Mutex
	waiting map[string]time.Time // when it was tried, by the result's id
	cleaned time.Time
	says    string // what the bus said last
}

// wait puts down that a result waits; first is true if no other does.
func (s *ends) wait(id string, err error) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean()
	first = len(s.waiting) == 0
	if first {
		s.waiting = map[string]time.Time{}
	}
	s.waiting[id] = time.Now()
	s.says = err.Error()
	return first
}

// taken puts down that the bus has a result; last is true if it was the last that waited.
func (s *ends) taken(id string) (last bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, waited := s.waiting[id]; !waited {
		return false
	}
	delete(s.waiting, id)
	s.clean()
	return len(s.waiting) == 0
}

// forget: whoever owns the queue next begins anew.
func (s *ends) forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	clear(s.waiting)
}

// clean forgets what nobody tries any more, once a second: very many may wait. The
// caller holds mu.
func (s *ends) clean() {
	if time.Since(s.cleaned) < time.Second {
		return
	}
	s.cleaned = time.Now()
	for id, tried := range s.waiting {
		if time.Since(tried) > endsTold {
			delete(s.waiting, id)
		}
	}
}

// reason is what people are told, "" while none waits.
func (s *ends) reason() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.clean()
	if len(s.waiting) == 0 {
		return ""
	}
	return fmt.Sprintf("results of %d commands wait for the bus: %s", len(s.waiting), s.says)
}
