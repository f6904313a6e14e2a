package wxsim

import (
	"maps"
	"time"
)

// ExpireTokens makes every access token expire now, of both endpoints: calls with one are answered 42001.
func (p *Platform) ExpireTokens() {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.clock.now()
	p.stable.expireAll(now)
	p.legacy.expireAll(now)
}

// Advance sets the clock of tokens, windows, quotas and media forward. Pushes, calls and inboxes stay on the real
// time. A negative d is taken for 0.
func (p *Platform) Advance(d time.Duration) { p.clock.advance(max(0, d)) }

// Limits are the calls allowed per minute and day, by verb.
func (p *Platform) Limits() map[string]Limit {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.quotas.limits)
}

// SetLimits sets the limits of the verbs named; the others keep theirs. What was called before counts.
func (p *Platform) SetLimits(limits map[string]Limit) error {
	if err := checkLimits(limits); err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.Copy(p.quotas.limits, limits)
	return nil
}
