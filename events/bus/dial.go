package bus

import (
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Dial connects once, for a tool that a person waits for: a NATS that does not
// answer is an error, and no stream is looked after. The caller closes the
// connection. Errors of the settings are *FieldError, possibly several joined.
func Dial(name string, c Config) (*nats.Conn, jetstream.JetStream, error) {
	options, err := c.options()
	if err != nil {
		return nil, nil, err
	}
	options = append(options, nats.Name(name), nats.Timeout(5*time.Second), nats.MaxReconnects(-1))
	nc, err := nats.Connect(c.URL, options...)
	if err != nil {
		var parsing *url.Error
		if errors.As(err, &parsing) {
			return nil, nil, urlError(err)
		}
		return nil, nil, fmt.Errorf("NATS does not let us in (WX_NATS_URL, WX_NATS_USER): %w", err)
	}
	var js jetstream.JetStream
	if c.Domain == "" {
		js, err = jetstream.New(nc)
	} else {
		js, err = jetstream.NewWithDomain(nc, c.Domain)
	}
	if err != nil {
		nc.Close()
		return nil, nil, fmt.Errorf("jetstream: %w", err)
	}
	return nc, js, nil
}
