package egress

import (
	"container/heap"
	"context"
	"time"
)

// timer is when a story is to be looked at again.
type timer struct {
	at    time.Time
	story *story
	ripes bool // from then on no try of the story's can be held
}

// timers is a heap of them, the next on top.
type timers []timer //nolint:recvcheck // container/heap wants it so

func (t timers) Len() int           { return len(t) }
func (t timers) Less(i, j int) bool { return t[i].at.Before(t[j].at) }
func (t timers) Swap(i, j int)      { t[i], t[j] = t[j], t[i] }
func (t *timers) Push(x any)        { *t = append(*t, x.(timer)) } //nolint:forcetypeassert // heap gives back what it got
func (t *timers) Pop() any {
	last := (*t)[len(*t)-1]
	*t = (*t)[:len(*t)-1]
	return last
}

// after has a story looked at later. The caller holds mu.
func (l *Late) after(d time.Duration, s *story) {
	heap.Push(&l.timers, timer{at: time.Now().Add(d), story: s})
}

// ripensFromNow begins the time after which a story is ripe. The caller holds mu.
func (l *Late) ripensFromNow(s *story) {
	s.ripe, s.ripens = false, time.Now().Add(l.ripe)
	heap.Push(&l.timers, timer{at: s.ripens, story: s, ripes: true})
}

// ripen looks at the stories whose time has come. Nothing here needs to be
// quicker than its tick.
func (l *Late) ripen(ctx context.Context) {
	const every = 250 * time.Millisecond
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-tick.C:
			l.ripenUntil(now)
		}
	}
}

func (l *Late) ripenUntil(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.timers) > 0 && !l.timers[0].at.After(now) {
		due := heap.Pop(&l.timers).(timer) //nolint:forcetypeassert // all are
		if due.ripes && !due.at.Before(due.story.ripens) {
			due.story.ripe = true
		}
		l.look(due.story)
	}
}
