package egress

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
)

// What a result repeats of a command must fit into a message and a claim, both
// of which NATS limits to 1 MiB unless it is told otherwise. What cannot be
// stored would keep its worker for ever.
const (
	// maxResponse is the largest answer that a result carries itself.
	maxResponse = 256 << 10

	maxAttribute = 255     // bytes of an id, a partition key
	maxTrace     = 1 << 10 // bytes of a trace context
	maxText      = 2 << 10 // bytes of a reason
	maxWarning   = 200     // bytes of a warning
	storeTries   = 3
)

// fit makes a command's attributes such that a result can repeat them. What had
// to be changed for that is the reason to reject the command.
func fit(c *events.Command, bareID string) (err error) {
	if len(c.ID) > maxAttribute || !plain(c.ID) {
		// Ids become headers, in which line breaks and outer blanks are lost: two ids would be one.
		c.ID, err = bareID, &events.CommandError{Problem: fmt.Sprintf("id: at most %d bytes, no control characters, no blanks around it", maxAttribute)}
	}
	if len(c.PartitionKey) > maxAttribute || !utf8.ValidString(c.PartitionKey) {
		c.PartitionKey, err = "", &events.CommandError{Problem: fmt.Sprintf("partitionkey: at most %d bytes of UTF-8", maxAttribute)}
	}
	if len(c.Trace.Parent) > maxTrace || len(c.Trace.State) > maxTrace {
		c.Trace = events.Trace{}
	}
	c.Verb = token(c.Verb)
	return err
}

func plain(id string) bool {
	return id == strings.TrimSpace(id) && utf8.ValidString(id) && !strings.ContainsFunc(id, unicode.IsControl)
}

// token is a verb as the subject had it. A stranger's may have characters that
// an event's type or schema cannot carry.
func token(verb string) string {
	verb = strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r < utf8.RuneSelf && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
			return r
		}
		return '_'
	}, verb)
	if verb == "" {
		return "_"
	}
	return verb[:min(len(verb), maxAttribute)]
}

// fitResult makes a result fit into a message: what is too long is cut, and an
// answer that is too large moves into the object store, named after owner.
func (e *Egress) fitResult(ctx context.Context, owner string, r *events.Result) {
	r.ErrMsg = cut(r.ErrMsg, maxText)
	for i, warning := range r.Warnings {
		r.Warnings[i] = cut(warning, maxWarning)
	}
	switch {
	case len(r.Response) == 0:
		r.Response = json.RawMessage("{}")
	case len(r.Response) > e.bus.Room(maxResponse):
		ref, err := e.keep(ctx, objectName("response-", owner), "application/json", r.Response)
		if err != nil {
			r.Warnings = append(r.Warnings, cut(fmt.Sprintf("the answer of %d bytes is too large for a message and is lost: %v", len(r.Response), err), maxWarning))
		}
		r.Response, r.ResponseRef = nil, ref
	}
}

// keep stores what is too large for a message. It gives up in the end: a result
// must not wait for ever for a store that is full.
func (e *Egress) keep(ctx context.Context, name, contentType string, body []byte) (ref string, err error) {
	err = e.persist(ctx, name, func() error {
		ref, err = e.media.putBytes(ctx, name, contentType, body)
		return err
	})
	return ref, err
}

// persist tries a few times to put something into an object store.
func (e *Egress) persist(ctx context.Context, name string, put func() error) (err error) {
	for range storeTries {
		if err = put(); err == nil {
			return nil
		}
		e.logger.Warn("the object store does not take what is too large for a message", "name", name, "error", err)
		if !sleep(ctx, soon) {
			break
		}
	}
	return err
}

// fitLetter makes a dead letter fit into a message, in the end without its original.
func (e *Egress) fitLetter(ctx context.Context, letter cloudevents.Event) (cloudevents.Event, error) {
	fitted := letter
	err := e.persist(ctx, letter.ID(), func() (err error) {
		fitted, err = e.bus.FitLetter(ctx, letter)
		return err
	})
	if err != nil {
		return events.WithoutOriginal(letter, "", err.Error())
	}
	return fitted, nil
}

// objectName is a name that follows from what the object belongs to, so that
// storing it again replaces it.
func objectName(kind, id string) string {
	sum := sha256.Sum256([]byte(id))
	return kind + hex.EncodeToString(sum[:])
}

// cut is s, at most limit bytes of it, and valid UTF-8.
func cut(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}
