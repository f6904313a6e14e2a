package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
)

// anyPort lets the system choose; the demo prints what it chose.
const anyPort = "127.0.0.1:0"

// onceWithin bounds `demo --once`.
const onceWithin = 30 * time.Second

// demo runs everything in one process: NATS, a pretend WeChat, both halves of
// the bridge, and a service that answers.
func demo(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(p.out)
	once := flags.Bool("once", false, "send one message through, print the tape, exit")
	if err := flags.Parse(p.args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil
		}
		return &configError{err}
	}
	// The tape is what a person reads; of the log only trouble is shown.
	p.logger = slog.New(slog.NewTextHandler(p.out, &slog.HandlerOptions{Level: slog.LevelWarn}))
	s, faults := loadSettings()
	if s.AppID == "" && s.Token == "" && s.AppSecret == "" {
		s.pretend()
	}
	if err := s.check(roles{ingress: true, egress: true}, faults); err != nil {
		return err
	}
	dir, removeDir, err := demoDir(s.DataDir)
	if err != nil {
		return err
	}
	defer removeDir()
	nats, err := startNATS(cmp.Or(s.NatsListen, anyPort), filepath.Join(dir, "nats"), p.logger)
	if err != nil {
		return err
	}
	defer nats.stop()
	sim, err := startSim(ctx, &s, cmp.Or(s.Sim.Listen, anyPort), "", p)
	if err != nil {
		return err
	}
	defer func() { _ = sim.stop() }() // its requests end with it
	s.Nats.URL, s.Egress.APIURL, s.Egress.MPURL = nats.ClientURL(), sim.url, sim.url
	s.AdminListen = cmp.Or(s.AdminListen, anyPort)
	if os.Getenv("WX_LISTEN") == "" {
		s.Ingress.Listen = anyPort
	}
	return stage(ctx, p, &s, sim, *once)
}

// demoDir is where the embedded NATS stores, for the time of the demo unless named.
func demoDir(named string) (dir string, remove func(), err error) {
	if named != "" {
		return named, func() {}, nil
	}
	dir, err = os.MkdirTemp("", "wxbridge-demo-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// stage starts the bridge between the two and lets the follower speak.
func stage(ctx context.Context, p *program, s *settings, sim *simulator, once bool) error {
	tape := newTape(p.out)
	opened := make(chan net.Addr, 1)
	b := &bridge{
		settings: *s, roles: roles{ingress: true, egress: true}, logger: p.logger,
		listening:   func(a net.Addr) { opened <- a },
		ingressTape: tape, egressTape: tape,
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error { return b.serve(ctx) })
	group.Go(func() error {
		defer stop() // the play is over: the bridge may stop
		select {
		case <-ctx.Done():
			return nil
		case address := <-opened:
			sim.SetCallback("http://" + address.String() + s.Ingress.Path)
			return play(ctx, p, s, sim, tape, once)
		}
	})
	return group.Wait()
}

// play is what happens on the stage.
func play(ctx context.Context, p *program, s *settings, sim *simulator, tape *tape, once bool) error {
	if once {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, onceWithin)
		defer cancel()
	}
	service, err := startResponder(s, once)
	if err != nil {
		return err
	}
	defer service.stop()
	if err := sim.CheckURL(ctx); err != nil {
		return fmt.Errorf("the console's check of the callback URL: %w", err)
	}
	fmt.Fprintf(p.out, "NATS listens at   %s\nWeChat (pretend)  %s, control under /_sim/\n\n", s.Nats.URL, sim.url)
	if err := say(ctx, sim, tape, "你好"); err != nil {
		return err
	}
	select {
	case <-tape.finished: // the command that the service sent has its result
	case <-ctx.Done():
		return fmt.Errorf("the command has no result: %w", ctx.Err())
	}
	if once {
		return nil
	}
	fmt.Fprintf(p.out, `
The demo goes on until Ctrl-C. Answer in the place of the sample service, which now waits a second:

  nats --server %s reply 'wx.inbound.text' 'hello'

Type a line, and the follower says it; or from any program:

  curl -d '{"MsgType":"text","Content":"hi"}' %s/_sim/followers/%s/push

`, s.Nats.URL, sim.url, demoOpenID)
	return speak(ctx, p.in, sim, tape)
}

// speak lets the follower say what is typed, until the demo ends. The reader of
// the terminal cannot be interrupted; it ends with the process.
func speak(ctx context.Context, in io.Reader, sim *simulator, tape *tape) error {
	lines := make(chan string)
	go func() {
		for scanner := bufio.NewScanner(in); scanner.Scan(); {
			select {
			case lines <- strings.TrimSpace(scanner.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	for {
		select {
		case <-ctx.Done():
			return nil
		case line := <-lines:
			if line == "" {
				continue
			}
			if err := say(ctx, sim, tape, line); err != nil && ctx.Err() == nil {
				tape.print("! %v", err)
			}
		}
	}
}

// say is the follower's message and what the follower sees of the answer.
func say(ctx context.Context, sim *simulator, tape *tape, text string) error {
	tape.print("  %s says %q", demoOpenID, text)
	data, err := json.Marshal(map[string]string{"MsgType": "text", "Content": text})
	if err != nil {
		return err
	}
	delivery, err := sim.Push(ctx, demoOpenID, data)
	if err != nil {
		return err
	}
	switch {
	case delivery.Fault:
		return errors.New("the follower saw the line that the service is out of order")
	case string(delivery.Reply) == "null" || len(delivery.Reply) == 0:
		tape.print("  the follower was let go without an answer")
	}
	return nil
}
