package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// tool is a command that a person uses over the bus of a running bridge: dlq,
// tail, send, reply.
type tool struct {
	*program
	bus.App
	nc       *nats.Conn
	settings settings
}

// openTool connects to the bus that the environment names; without WX_NATS_URL
// to where `wxbridge run` has its own.
func openTool(p *program) (*tool, error) {
	s, err := toolSettings()
	if err != nil {
		return nil, err
	}
	nc, js, err := bus.Dial("wxbridge tool", s.Nats)
	if wrong := (*bus.FieldError)(nil); errors.As(err, &wrong) {
		return nil, &configError{err}
	}
	if err != nil {
		return nil, err
	}
	return &tool{program: p, nc: nc, settings: s, App: bus.App{
		JetStream: js, Prefix: s.Prefix, Source: "/wxbridge/tool", Logger: p.logger,
	}}, nil
}

// toolSettings is the part of the environment that tools need.
func toolSettings() (settings, error) {
	s, faults := loadSettings()
	if err := errors.Join(append(faults, bus.ValidatePrefix(s.Prefix), s.Nats.Validate())...); err != nil {
		return s, &configError{err}
	}
	s.Nats.URL = cmp.Or(s.Nats.URL, "nats://"+cmp.Or(s.NatsListen, natsListen))
	return s, nil
}

func (t *tool) close() { t.nc.Close() }

// print writes a line for a person.
func (t *tool) print(format string, args ...any) { fmt.Fprintf(t.out, format+"\n", args...) }

// stream is the full name of a stream.
func (t *tool) stream(name string) string { return t.Prefix.Resource(name) }

// subject is a subject of the prefix.
func (t *tool) subject(b events.Branch, name string) string { return t.Prefix.Subject(b, name) }

// parseFlags reads flags wherever they stand, and returns the rest.
func parseFlags(flags *flag.FlagSet, p *program) (rest []string, err error) {
	flags.SetOutput(p.out)
	for args := p.args; ; args = args[1:] {
		if err := flags.Parse(args); err != nil {
			return nil, usageError(err)
		}
		if args = flags.Args(); len(args) == 0 {
			return rest, nil
		}
		rest = append(rest, args[0])
	}
}

// errHelped ends a tool whose flags somebody only asked for.
var errHelped = errors.New("help was asked for")

func usageError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return errHelped
	}
	return &configError{err}
}

// helped makes the end of a tool whose help was asked for a success.
func helped(err error) error {
	if errors.Is(err, errHelped) {
		return nil
	}
	return err
}

// usage is a mistake in how a tool was called.
func usage(format string, args ...any) error { return &configError{fmt.Errorf(format, args...)} }

// moment is a flag that names a time: RFC 3339, or how long ago, "24h".
type moment struct{ time.Time }

func (m *moment) String() string {
	if m == nil || m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

// Set implements flag.Value.
func (m *moment) Set(text string) (err error) {
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		m.Time = time.Now().Add(-ago)
		return nil
	}
	if m.Time, err = time.Parse(time.RFC3339, text); err != nil {
		return errors.New(`a time such as 2026-11-23T08:00:00Z, or how long ago, such as 24h`)
	}
	return nil
}

// within bounds one request to the bus.
func within(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, 10*time.Second)
}
