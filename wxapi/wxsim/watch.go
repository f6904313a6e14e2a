package wxsim

import (
	"context"
	"slices"
	"strings"
	"time"
)

// Inbox lists what the follower has seen, oldest first; empty for somebody unknown.
func (p *Platform) Inbox(openID string) []Seen {
	seen, _ := p.inboxAfter(openID, 0)
	return seen
}

// WaitInbox lists what the follower has seen after the one numbered after, and waits until there is something or
// ctx ends; then the list may be empty. So a test need neither sleep nor ask again and again.
func (p *Platform) WaitInbox(ctx context.Context, openID string, after int) []Seen {
	for {
		seen, news := p.inboxAfter(openID, after)
		if len(seen) > 0 {
			return seen
		}
		select {
		case <-news:
		case <-ctx.Done():
			return seen
		}
	}
}

// inboxAfter also returns a channel that is closed when any inbox grows.
func (p *Platform) inboxAfter(openID string, after int) ([]Seen, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := []Seen{}
	if f := p.followers.all[openID]; f != nil {
		for _, s := range f.inbox {
			if s.N > after {
				seen = append(seen, s)
			}
		}
	}
	return seen, p.news
}

// Follower is one person as GET /_sim/followers shows them.
type Follower struct {
	OpenID    string    `json:"openid"`
	Following bool      `json:"following"`
	Since     time.Time `json:"since"` // of the last time they began to follow
	Group     int64     `json:"group"`
	Tags      []int64   `json:"tags"`
	Blocked   bool      `json:"blocked"`
	Seen      int       `json:"seen"` // how many things they have seen
	// Windows are the custom messages that may still be sent, by what the follower did: message, menu, follow, scan.
	Windows map[string]Allowance `json:"windows"`
}

// Followers lists everybody who follows the account or once did, by OpenID.
func (p *Platform) Followers() []Follower {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	list := []Follower{}
	for _, f := range p.followers.all {
		one := Follower{OpenID: f.openID, Following: f.following, Since: f.since, Group: f.group(), Tags: append([]int64{}, f.tags...), Blocked: f.blocked, Seen: f.seen, Windows: map[string]Allowance{}}
		for a, w := range f.windows {
			if now.Before(w.Until) {
				one.Windows[string(a)] = *w
			}
		}
		list = append(list, one)
	}
	slices.SortFunc(list, func(a, b Follower) int { return strings.Compare(a.OpenID, b.OpenID) })
	return list
}
