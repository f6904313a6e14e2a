package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// soak sends commands through several real egress processes to a WeChat that
// fails in every way it can, and kills one of the processes again and again.
// Then it counts: every command has one result, and WeChat has seen what the
// results say, in the order that is promised.
type soak struct {
	*program
	size      int
	seed      uint64
	replicas  int
	followers int
	every     time.Duration
	freeze    time.Duration
	restart   time.Duration
	within    time.Duration
	dir       string

	nats     *natsd
	js       jetstream.JetStream
	sim      *wxsim.Platform
	url      string
	natsURL  string
	commands []soakCommandSpec
	calls    soakCalls
	kills    int
	freezes  int
	restarts int
	faults   int
}

// frozen is how long a process is stopped: longer than the lease.
const frozen = 4 * time.Second

// run is the whole of it; the error names the first promises that were broken.
func (s *soak) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
	if s.dir == "" {
		dir, err := os.MkdirTemp("", "wxbridge-soak-")
		if err != nil {
			return err
		}
		s.dir = dir
		defer os.RemoveAll(dir)
	}
	fmt.Fprintf(s.out, "soak: %d commands for %d followers through %d processes, one killed every %s; seed %d\n", s.size, s.followers, s.replicas, s.every, s.seed)
	stop, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	began := time.Now()
	staff, chaos, err := s.start(ctx)
	if err != nil {
		return err
	}
	err = s.drained(ctx, chaos)
	took := time.Since(began)
	staff()
	if err != nil {
		return fmt.Errorf("%w; seed %d", err, s.seed)
	}
	s.calls.gather(s.sim)
	return s.audit(ctx, took)
}

// open starts NATS and the pretend WeChat.
func (s *soak) open(ctx context.Context) (stop func(), err error) {
	if s.nats, err = startNATS(anyPort, filepath.Join(s.dir, "nats"), s.logger); err != nil {
		return nil, err
	}
	s.natsURL = s.nats.ClientURL()
	s.sim, err = wxsim.New(wxsim.Config{
		AppID: demoAppID, AppSecret: demoAppSecret, Token: demoToken, Callback: "http://callback.invalid/", Transport: deaf{},
		MessageWindow: wxsim.Window{Count: 1 << 30, For: 48 * time.Hour}, MaxGroups: 1 << 30, Templates: []string{soakTemplate},
	})
	if err != nil {
		return nil, err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", anyPort)
	if err != nil {
		return nil, err
	}
	server := &http.Server{Handler: s.sim.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	s.url = "http://" + listener.Addr().String()
	connection, err := nats.Connect(s.natsURL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	if s.js, err = jetstream.New(connection, jetstream.WithPublishAsyncMaxPending(256)); err != nil {
		return nil, err
	}
	config := bus.StreamConfig{Mode: "create", Replicas: 1, Storage: "file", MaxBytes: -1, ReplyWindow: 10 * time.Minute}
	if err := bus.Ensure(ctx, s.js, "wx", config); err != nil {
		return nil, err
	}
	return func() {
		connection.Close()
		_ = s.sim.Close()
		_ = server.Close()
		s.nats.stop()
	}, nil
}

// deaf is where the pretend WeChat pushes to: it says success to everything.
type deaf struct{}

func (deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("success")), Request: r}, nil
}

// start lets processes, sender and trouble loose. staff ends all, chaos the
// trouble alone.
func (s *soak) start(ctx context.Context) (staff, chaos func(), err error) {
	working, stopWork := context.WithCancel(ctx)
	trouble, stopTrouble := context.WithCancel(working)
	var all, some sync.WaitGroup
	processes := make([]*soakProcess, s.replicas)
	for i := range processes {
		processes[i] = &soakProcess{soak: s, name: fmt.Sprintf("egress-%d", i)}
		if err := processes[i].start(); err != nil {
			stopWork()
			stopTrouble()
			return nil, nil, err
		}
	}
	s.invent()
	all.Go(func() {
		if err := s.publish(working); err != nil && working.Err() == nil {
			s.logger.Error("commands cannot be published", "error", err)
		}
	})
	all.Go(func() { every(working, 100*time.Millisecond, func() { s.calls.gather(s.sim) }) })
	all.Go(func() { every(working, 500*time.Millisecond, func() { s.unpause(working) }) })
	some.Go(func() { s.disturb(trouble) })
	victims := func(seed uint64) func() *soakProcess {
		random := rand.New(rand.NewPCG(s.seed, seed))
		return func() *soakProcess { return processes[random.IntN(len(processes))] }
	}
	killed, stopped := victims(2), victims(4)
	some.Go(func() {
		every(trouble, s.every, func() {
			if err := killed().kill(); err != nil {
				s.logger.Error("a process cannot be started again", "error", err)
			}
			s.kills++
		})
	})
	some.Go(func() {
		every(trouble, s.freeze, func() {
			stopped().freeze(trouble)
			s.freezes++
		})
	})
	some.Go(func() {
		every(trouble, s.restart, func() {
			if err := s.restartNATS(); err != nil {
				s.logger.Error("NATS cannot be started again", "error", err)
			}
			s.restarts++
		})
	})
	chaos = func() {
		stopTrouble()
		some.Wait()
		s.sim.ClearFaults()
	}
	return func() {
		chaos()
		stopWork()
		all.Wait()
		for _, p := range processes {
			p.end()
		}
	}, chaos, nil
}

// restartNATS stops NATS and starts it where it was.
func (s *soak) restartNATS() error {
	address := s.nats.Addr().String()
	s.nats.stop()
	fresh, err := startNATS(address, filepath.Join(s.dir, "nats"), s.logger)
	if err == nil {
		s.nats = fresh
	}
	return err
}

// every calls f again and again until ctx ends; never if d is 0.
func every(ctx context.Context, d time.Duration, f func()) {
	if d <= 0 {
		return
	}
	tick := time.NewTicker(d)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			f()
		}
	}
}

// drained waits until nothing is left in the queue. When nearly all is done the
// trouble ends, so that the rest comes to its end too.
func (s *soak) drained(ctx context.Context, chaos func()) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var said time.Time
	for quiet := false; ; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the queue was not empty after %s: %w", s.within, ctx.Err())
		case <-tick.C:
		}
		done, err1 := s.count(ctx, "WX_RESULT")
		left, err2 := s.count(ctx, "WX_CMD")
		if errors.Join(err1, err2) != nil {
			continue // NATS is away for a moment
		}
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(s.out, "  %d results, %d commands in the queue, %d kills\n", done, left, s.kills)
		}
		if !quiet && done >= s.size-max(s.size/50, 20) {
			quiet = true
			chaos()
		}
		if done >= s.size && left == 0 {
			return nil
		}
	}
}

func (s *soak) count(ctx context.Context, stream string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	info, err := s.js.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	return int(info.CachedInfo().State.Msgs), nil
}

// soakProcess is one egress process.
type soakProcess struct {
	*soak
	name string
	mu   sync.Mutex
	cmd  *exec.Cmd
	log  *os.File
}

func (p *soakProcess) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if p.log == nil {
		if p.log, err = os.Create(filepath.Join(p.dir, p.name+".log")); err != nil {
			return err
		}
	}
	p.cmd = exec.Command(self, "egress") //nolint:noctx,gosec // it ends by kill, and by nothing else; and it is this very program
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.Env = []string{
		"WX_NATS_URL=" + p.natsURL, "WX_APP_ID=" + demoAppID, "WX_APP_SECRET=" + demoAppSecret,
		"WX_API_URL=" + p.url, "WX_MP_URL=" + p.url, "WX_ADMIN_LISTEN=" + anyPort,
	}
	return p.cmd.Start()
}

// kill is kill -9, and a new process in its place.
func (p *soakProcess) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
	return p.start()
}

// freeze stops the process as it stands, and lets it go on after its lease.
func (p *soakProcess) freeze(ctx context.Context) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd.Process.Signal(syscall.SIGSTOP) != nil {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(frozen):
	}
	_ = p.cmd.Process.Signal(syscall.SIGCONT) // it lives, nobody else has the lock
}

func (p *soakProcess) end() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed, and says so
}
