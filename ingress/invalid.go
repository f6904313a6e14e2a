package ingress

import (
	"strconv"

	"github.com/wxbridge/wxbridge/events"
)

// heard takes one message of the feed. It is called in stream order.
func (i *Ingress) heard(branch events.Branch, key string, m events.Message) {
	if _, waiting := i.rooms.kind(key); waiting {
		i.rooms.add(key, i.read(branch, key, m))
	}
}

// read reads one message of a log; an invalid one is also filed as a dead
// letter. Every process that sees it does so, and the stream keeps one.
func (i *Ingress) read(branch events.Branch, key string, m events.Message) events.Entry {
	entry := events.ReadEntry(branch, m)
	if entry.Invalid == nil {
		return entry
	}
	kind, ok := i.rooms.kind(key)
	if !ok {
		return entry
	}
	i.logger.Warn("invalid reply is ignored", "event", key, "kind", kind, "sequence", m.Sequence, "reason", entry.Invalid)
	i.work.Go(func() {
		id := "reply." + strconv.FormatUint(m.Sequence, 10)
		err := i.deadLetter(i.ctx, kind, id, key, events.DeadLetter{
			Reason: entry.Invalid.Error(), Class: events.ClassReplyInvalid,
			Subject: m.Subject, Headers: m.Header,
		}, m.Body)
		if err != nil {
			i.logger.Error("invalid reply is not filed", "event", key, "sequence", m.Sequence, "error", err)
		}
	})
	return entry
}
