package ingress

import (
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// heard takes one message of the feed. It is called in stream order.
func (i *Ingress) heard(branch events.Branch, key string, m events.Message) {
	if event, waiting := i.rooms.hear(branch, key); waiting {
		i.rooms.add(key, i.read(branch, event, m))
	}
}

// read reads one message of a log; an invalid one is also filed as a dead
// letter. Every process that sees it does so, and the stream keeps one.
func (i *Ingress) read(branch events.Branch, event about, m events.Message) events.Entry {
	entry := events.ReadEntry(branch, m)
	if entry.Invalid != nil {
		i.logger.Warn("invalid reply is ignored", "event", event.key, "kind", event.kind, "sequence", m.Sequence, "reason", entry.Invalid)
		i.file(event, m, entry.Invalid)
	}
	return entry
}

// file keeps a reply that can't be used as a dead letter.
func (i *Ingress) file(event about, m events.Message, why error) {
	filed := i.work.Go(func() {
		letter, err := events.NewReplyLetter(i.account.AppID(), event.kind, event.key, event.openID, events.ClassReplyInvalid, why.Error(), m, time.Now())
		if err == nil {
			err = i.deadLetter(i.ctx, event.kind, letter)
		}
		if err != nil {
			i.logger.Error("invalid reply is not filed", "event", event.key, "sequence", m.Sequence, "error", err)
		}
	})
	if !filed {
		i.logger.Warn("invalid reply is not filed, the process stops", "event", event.key, "sequence", m.Sequence)
	}
}
