package ingress

import (
	"time"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// heard takes one message of the feed. It is called in stream order.
func (i *Ingress) heard(branch events.Branch, key string, m events.Message) {
	if kind, waiting := i.rooms.kind(key); waiting {
		i.rooms.add(key, i.read(branch, kind, key, m))
	}
}

// read reads one message of a log; an invalid one is also filed as a dead
// letter. Every process that sees it does so, and the stream keeps one.
func (i *Ingress) read(branch events.Branch, kind, key string, m events.Message) events.Entry {
	entry := events.ReadEntry(branch, m)
	if entry.Invalid != nil {
		i.logger.Warn("invalid reply is ignored", "event", key, "kind", kind, "sequence", m.Sequence, "reason", entry.Invalid)
		i.file(kind, key, m, entry.Invalid)
	}
	return entry
}

// file keeps a reply that can't be used as a dead letter.
func (i *Ingress) file(kind, key string, m events.Message, why error) {
	filed := i.work.Go(func() {
		err := i.fileWhole(kind, key, m, why.Error())
		if bus.TooLarge(err) {
			short, note := events.Beginning(m)
			err = i.fileWhole(kind, key, short, why.Error()+note)
		}
		if err != nil {
			i.logger.Error("invalid reply is not filed", "event", key, "sequence", m.Sequence, "error", err)
		}
	})
	if !filed {
		i.logger.Warn("invalid reply is not filed, the process stops", "event", key, "sequence", m.Sequence)
	}
}

func (i *Ingress) fileWhole(kind, key string, m events.Message, reason string) error {
	letter, err := events.NewReplyLetter(i.account.AppID(), kind, key, events.ClassReplyInvalid, reason, m, time.Now())
	if err != nil {
		return err
	}
	return i.deadLetter(i.ctx, kind, letter)
}
