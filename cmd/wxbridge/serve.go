package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"github.com/wxbridge/wxbridge/egress"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/ingress"
	"github.com/wxbridge/wxbridge/wxapi"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// Defaults that depend on the command.
const (
	adminIngress = "127.0.0.1:8081"
	adminEgress  = "127.0.0.1:8082"
	natsListen   = "127.0.0.1:4222"
	dataDir      = "./data"
)

// lastRequests is how long held tries may go on after the signal; the longest
// is one that is left silent, 7 s.
const lastRequests = 10 * time.Second

func runIngress(ctx context.Context, p *program) error {
	return runRoles(ctx, p, roles{ingress: true}, adminIngress)
}

func runEgress(ctx context.Context, p *program) error {
	return runRoles(ctx, p, roles{egress: true}, adminEgress)
}

func runBoth(ctx context.Context, p *program) error {
	return runRoles(ctx, p, roles{ingress: true, egress: true}, adminIngress)
}

// runRoles reads the environment and serves.
func runRoles(ctx context.Context, p *program, r roles, adminListen string) error {
	s, faults := loadSettings()
	both := r.ingress && r.egress
	if !both && s.Nats.URL == "" {
		faults = append(faults, &bus.FieldError{Field: "WX_NATS_URL", Problem: "is missing: ingress and egress alone meet on a NATS of yours (`wxbridge run` brings its own)"})
	}
	if err := s.check(r, faults); err != nil {
		return err
	}
	if s.Nats.URL == "" {
		listen, dir := cmp.Or(s.NatsListen, natsListen), cmp.Or(s.DataDir, dataDir)
		nats, err := startNATS(listen, dir, p.logger)
		if err != nil {
			return err
		}
		defer nats.stop()
		s.Nats.URL = nats.ClientURL()
		p.logger.Info("NATS is embedded in this process", "url", s.Nats.URL, "folder", dir)
	}
	s.AdminListen = cmp.Or(s.AdminListen, adminListen)
	return (&bridge{settings: s, roles: r, logger: p.logger}).serve(ctx)
}

// bridge is one process of the bridge.
type bridge struct {
	settings settings
	roles    roles
	logger   *slog.Logger
	// listening is told where the callback listener is, once it is; nil for nobody.
	listening func(net.Addr)
	// ingressTape and egressTape hear what the metrics hear; nil for nobody.
	ingressTape ingress.Observer
	egressTape  egress.Observer
}

// serve runs until ctx ends, then stops in this order: not ready → no new
// callbacks, held ones to their end, commands in mid-send to theirs → the feed
// that they stood on → the connection. The first part that fails stops all.
func (b *bridge) serve(ctx context.Context) error {
	s := &b.settings
	connection, err := bus.Connect("wxbridge "+s.AppID, s.Nats, s.Prefix, s.Streams, b.logger)
	if err != nil {
		return &configError{err}
	}
	defer connection.Close()

	state := &readiness{}
	registry := prometheus.NewRegistry()
	observer := newMetrics(registry, state)
	var in *ingress.Ingress
	var out *egress.Egress
	if b.roles.ingress {
		if in, err = b.newIngress(connection, observer); err != nil {
			return err
		}
		state.work = in.Reasons
		watchHolds(registry, in.Held)
	}
	if b.roles.egress {
		if out, err = b.newEgress(connection, observer); err != nil {
			return err
		}
		state.egress(out.Reasons)
	}
	operators, err := startAdmin(ctx, s.AdminListen, registry, state)
	if err != nil {
		return err
	}
	defer operators.stop()

	front, ctx := errgroup.WithContext(ctx)
	base, release := context.WithCancel(context.WithoutCancel(ctx))
	defer release()
	var under sync.WaitGroup // what the front stands on
	broken := make(chan error, 1)
	under.Go(func() { broken <- connection.Run(base) })
	front.Go(func() error {
		select {
		case err := <-broken:
			return err
		case <-ctx.Done():
			return nil
		}
	})
	if in != nil {
		under.Go(func() { in.Run(base) })
		front.Go(func() error { return b.serveCallbacks(ctx, in) })
	}
	if out != nil {
		front.Go(func() error { return out.Run(ctx) })
	}
	context.AfterFunc(ctx, func() {
		state.stopping.Store(true)
		b.logger.Info("stopping: no new callbacks; what is held or being sent runs to its end")
	})
	err = front.Wait()
	release()
	under.Wait()
	return err
}

func (b *bridge) newIngress(connection *bus.Bus, observer ingress.Observer) (*ingress.Ingress, error) {
	account, err := callback.New(b.settings.callback())
	if err != nil {
		return nil, &configError{namedFaults(err)}
	}
	if !account.Encrypted() {
		b.logger.Warn("PLAINTEXT MODE: WX_AES_KEY is not set. The signature does not cover the body: whoever has seen one callback URL can forge messages. Set 安全模式 on the console and WX_AES_KEY here")
	}
	if b.ingressTape != nil {
		observer = ingress.Observers{observer, b.ingressTape}
	}
	return ingress.New(b.settings.Ingress, account, connection, observer, b.logger), nil
}

func (b *bridge) newEgress(connection *bus.Bus, observer egress.Observer) (*egress.Egress, error) {
	s := &b.settings
	media := egress.NewMedia(connection)
	client, err := wxapi.New(wxapi.Config{
		AppID: s.AppID, AppSecret: s.AppSecret, APIURL: s.Egress.APIURL, MPURL: s.Egress.MPURL,
		CallAPIAllow: s.Egress.CallAPIAllow,
		Tokens:       egress.NewTokens(connection), Media: media, Recent: egress.NewRecent(connection, media), Logger: b.logger,
	})
	if err != nil {
		return nil, &configError{err}
	}
	if b.egressTape != nil {
		observer = egress.Observers{observer, b.egressTape}
	}
	late := egress.NewLate(s.Egress, s.AppID, s.Streams.ReplyWindow, connection, observer, b.logger)
	return egress.New(s.Egress, s.AppID, connection, client, media, late, observer, b.logger), nil
}

// serveCallbacks opens the callback port once the feed runs, and closes it at
// the end of ctx after every held try has come to its own end.
func (b *bridge) serveCallbacks(ctx context.Context, in *ingress.Ingress) error {
	if err := in.WaitReady(ctx); err != nil {
		return nil //nolint:nilerr // the process was stopped before NATS came
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", b.settings.Ingress.Listen)
	if err != nil {
		return fmt.Errorf("WX_LISTEN: %w", err)
	}
	b.logger.Info("callbacks are accepted", "address", listener.Addr().String(), "path", b.settings.Ingress.Path)
	if b.listening != nil {
		b.listening(listener.Addr())
	}
	server := in.Server()
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastRequests)
		defer cancel()
		stopped <- server.Shutdown(last)
	})
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		stop()
		return fmt.Errorf("callback listener: %w", err)
	}
	return <-stopped
}
