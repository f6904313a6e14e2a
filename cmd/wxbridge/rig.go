package main

import (
	"context"
	"io"
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

	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// rig is what benches run on: NATS, one server or a cluster, and a pretend WeChat
// in this process, and real egress processes beside it.
type rig struct {
	*program
	dir string // of NATS and of the processes' logs; "" for a temporary one

	nodes   int // servers of NATS, and replicas of every stream; 0 is 1
	nats    []*natsNode
	held    []net.PacketConn // what keeps their ports for them
	natsURL string
	js      jetstream.JetStream
	sim     *wxsim.Platform
	url     string // of the pretend WeChat
}

// open starts NATS and the pretend WeChat.
func (r *rig) open(ctx context.Context) (stop func(), err error) {
	clean := func() {}
	if r.dir == "" {
		if r.dir, err = os.MkdirTemp("", "wxbridge-bench-"); err != nil {
			return nil, err
		}
		clean = func() { _ = os.RemoveAll(r.dir) }
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return nil, err
	}
	if err := r.openNATS(ctx); err != nil {
		return nil, err
	}
	r.sim, err = wxsim.New(wxsim.Config{
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
	server := &http.Server{Handler: r.sim.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() { _ = server.Serve(listener) }()
	r.url = "http://" + listener.Addr().String()
	connection, err := nats.Connect(r.natsURL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	if r.js, err = jetstream.New(connection, jetstream.WithPublishAsyncMaxPending(256)); err != nil {
		return nil, err
	}
	if err := r.ensure(ctx); err != nil {
		return nil, err
	}
	return func() {
		connection.Close()
		_ = r.sim.Close()
		_ = server.Close()
		r.closeNATS()
		clean()
	}, nil
}

// deaf is where the pretend WeChat pushes to: it says success to everything.
type deaf struct{}

func (deaf) RoundTrip(r *http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("success")), Request: r}, nil
}

func (r *rig) count(ctx context.Context, stream string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	info, err := r.js.Stream(ctx, stream)
	if err != nil {
		return 0, err
	}
	return int(info.CachedInfo().State.Msgs), nil
}

// every calls f again and again until ctx ends, with d between a call's end and the
// next; never if d is 0.
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
			tick.Reset(d)
		}
	}
}

// rigProcess is one egress process.
type rigProcess struct {
	*rig
	mu  sync.Mutex
	cmd *exec.Cmd
	log *os.File
}

// process starts an egress process.
func (r *rig) process(name string) (*rigProcess, error) {
	log, err := os.Create(filepath.Join(r.dir, name+".log"))
	if err != nil {
		return nil, err
	}
	p := &rigProcess{rig: r, log: log}
	if err := p.start(); err != nil {
		return nil, err
	}
	return p, nil
}

func (p *rigProcess) start() error {
	self, err := os.Executable()
	if err != nil {
		return err
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
func (p *rigProcess) kill() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.end()
	return p.start()
}

// freeze stops the process as it stands, and lets it go on after its lease.
func (p *rigProcess) freeze(ctx context.Context) {
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

func (p *rigProcess) end() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait() // it was killed, and says so
}
