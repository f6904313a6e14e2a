package ingress

import (
	"context"
	"net/http"
	"time"

	cloudevents "github.com/cloudevents/sdk-go/v2/event"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// store publishes an inbound event. If it is not in the stream within 1.5 s the
// answer is 503, so that WeChat tries again; ok is then false and w is written.
func (i *Ingress) store(w http.ResponseWriter, r *http.Request, t *try, e cloudevents.Event, held bool) (ack bus.Ack, ok bool) {
	ctx, cancel := context.WithTimeout(r.Context(), storeWithin)
	defer cancel()
	began := time.Now()
	ack, err := i.bus.PublishEvent(ctx, i.names.Subject(events.Inbound, t.kind), e, i.msgID(t.id), t.id)
	if err != nil && r.Context().Err() != nil {
		abort() // the peer is gone, and asks again
	}
	if err != nil {
		i.observe.Refused(http.StatusServiceUnavailable, "not_stored")
		i.logger.Error("event is not stored, WeChat is asked to try again", "event", t.id, "kind", t.kind, "error", err)
		http.Error(w, http.StatusText(http.StatusServiceUnavailable), http.StatusServiceUnavailable)
		return ack, false
	}
	i.observe.Stored(Stored{
		ID: t.id, Kind: t.kind, OpenID: t.message.FromUserName, Data: e.Data(),
		Duplicate: ack.Duplicate, Held: held, Took: time.Since(began),
	})
	return ack, true
}

// msgID is the Nats-Msg-Id of something: the stream's dedupe knows no subject,
// and several accounts may share one stream.
func (i *Ingress) msgID(id string) string { return i.account.AppID() + "." + id }

// deadLetter stores what could not be processed.
func (i *Ingress) deadLetter(ctx context.Context, name string, e cloudevents.Event) error {
	ctx, cancel := context.WithTimeout(ctx, storeWithin)
	defer cancel()
	_, err := i.bus.PublishLetter(ctx, name, e, i.msgID(e.ID()))
	return err
}
