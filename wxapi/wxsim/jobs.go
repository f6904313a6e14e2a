package wxsim

import (
	"context"
	"encoding/json"
	"time"
)

// announcement is an event that WeChat pushes once a job is done: a template message delivered, a draft published.
type announcement struct {
	openID string // FromUserName
	data   json.RawMessage
}

// announce has the result of a job pushed after the call that began it is answered. fields is a struct with the
// event's elements.
func (x *exchange) announce(openID string, fields any) {
	x.after = append(x.after, announcement{openID, encode(fields)})
}

// announce pushes jobs' results, one after the other, in a goroutine: nobody waits for them. While nobody listens
// there is nothing to push.
func (p *Platform) announce(ctx context.Context, events []announcement) {
	if len(events) == 0 || p.callbackURL() == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-p.closed:
		return
	default:
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // the call that began the job is over
	p.jobs.Go(func() {
		defer cancel()
		for _, e := range events {
			if _, err := p.Push(ctx, e.openID, e.data); err != nil {
				p.cfg.Logger.Info("a job's result was not pushed", "error", err)
			}
		}
	})
	p.jobs.Go(func() {
		select {
		case <-p.closed:
			cancel()
		case <-ctx.Done():
		}
	})
}

// newJobID is an id for a message or job of the account's. Like WeChat's, it is past 2^53. The caller holds the lock.
func (p *Platform) newJobID() int64 {
	p.lastMsgID++
	return p.lastMsgID
}

// once remembers what calls were answered, by the id with which an account marks repetitions.
type once[T any] map[string]remembered[T]

type remembered[T any] struct {
	value T
	until time.Time
}

// get finds what the first call with this id was answered; "" is no id.
func (o once[T]) get(id string, now time.Time) (value T, known bool) {
	first, known := o[id]
	return first.value, id != "" && known && now.Before(first.until)
}

// put remembers a call, and forgets those whose time is over.
func (o once[T]) put(id string, value T, now time.Time, life time.Duration) {
	for old, first := range o {
		if !now.Before(first.until) {
			delete(o, old)
		}
	}
	if id != "" {
		o[id] = remembered[T]{value, now.Add(life)}
	}
}
