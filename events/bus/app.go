package bus

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
)

// App is a service's side of the bus, over a connection of its own. It holds
// nothing that must be closed, and may be copied and used from many goroutines.
type App struct {
	// JetStream is the service's, of nats.go's package jetstream.
	JetStream jetstream.JetStream
	// Source names the service in its events, as a URI reference: "/orders".
	// Outcomes repeat it. Default "/" and the name of the connection.
	Source string
	// Prefix is the account's place on the bus. Default "wx".
	Prefix events.Prefix
	// Logger hears what went wrong, without what followers wrote. Default: nobody does.
	Logger *slog.Logger
}

func (a App) prefix() events.Prefix {
	if a.Prefix == "" {
		return "wx"
	}
	return a.Prefix
}

func (a App) source() string {
	if a.Source != "" {
		return a.Source
	}
	return "/" + a.JetStream.Conn().Opts.Name
}

func (a App) logger() *slog.Logger {
	if a.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return a.Logger
}

// Reply answers an inbound event. It returns when the reply is stored, and
// tries again until ctx ends. The first reply in the stream's order counts; a
// later one is no error here, nor one that is late: outcomes tell what became of it.
// Errors: what the bridge would refuse, *RefusedError, or why it was not stored.
func (a App) Reply(ctx context.Context, in events.InboundEvent, r events.Reply) error {
	e, err := events.NewReply(in, a.source(), time.Now(), r)
	if err != nil {
		return err
	}
	// Without a Nats-Msg-Id: a second copy of a reply decides nothing.
	_, err = a.publish(ctx, in.ReplyTo, e, "")
	return err
}

// Send stores a command, and tries again until ctx ends. data is WeChat's own
// request body: a struct of package wxapi, a map, or a json.RawMessage. id is
// the idempotency key, which makes it safe to send again after any fault; ""
// for a new one. Send returns the id, of which the result's is <id>.res.
func (a App) Send(ctx context.Context, verb, id string, data any) (string, error) {
	if id == "" {
		id = nextID()
	}
	_, err := a.send(ctx, verb, id, data)
	return id, err
}

func (a App) send(ctx context.Context, verb, id string, data any) (Ack, error) {
	body, err := json.Marshal(data)
	if err != nil {
		return Ack{}, fmt.Errorf("command %s: %w", id, err)
	}
	e, err := events.NewCommand(verb, id, a.source(), time.Now(), body)
	if err != nil {
		return Ack{}, err
	}
	return a.publish(ctx, a.prefix().Subject(events.Cmd, verb), e, copyID(verb, id, body))
}

// copyID is the same for copies of a command only: of another command with its id
// the stream would say that it is stored, and nobody would hear of an id_conflict.
func copyID(verb, id string, data []byte) string {
	sum := sha256.Sum256(append([]byte(verb+" "), data...))
	return id + "." + hex.EncodeToString(sum[:8])
}

func nextID() string { return nuid.Next() }
