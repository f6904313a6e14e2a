package main_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// theProgram is the real binary, built once per test binary.
var theProgram struct {
	once   sync.Once
	folder string
	path   string
	err    error
}

func program(t testing.TB) string {
	t.Helper()
	theProgram.once.Do(func() {
		if theProgram.folder, theProgram.err = os.MkdirTemp("", "wxbridge-program-"); theProgram.err != nil { //nolint:usetesting // outlives the test that builds it
			return
		}
		theProgram.path = filepath.Join(theProgram.folder, "wxbridge")
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		defer cancel()
		_, theProgram.err = command(ctx, "", nil, "go", "build", "-o", theProgram.path, ".")
	})
	if theProgram.err != nil {
		t.Fatal(theProgram.err)
	}
	return theProgram.path
}

// process is a running wxbridge.
type process struct {
	cmd  *exec.Cmd
	name string
	out  output
	done chan struct{} // closed when it has ended
}

// output is what a process printed so far.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

// env is an environment without the caller's WX_ variables, with those given.
func env(vars map[string]string) []string {
	var all []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "WX_") {
			all = append(all, pair)
		}
	}
	for name, value := range vars {
		all = append(all, name+"="+value)
	}
	return all
}

// start runs wxbridge until the test ends, or somebody ends it before.
func start(t testing.TB, vars map[string]string, stdin io.Reader, args ...string) *process {
	t.Helper()
	p := &process{name: strings.Join(args, " "), done: make(chan struct{})}
	p.cmd = exec.Command(program(t), args...)
	p.cmd.Env, p.cmd.Dir = env(vars), t.TempDir()
	p.cmd.Stdin, p.cmd.Stdout, p.cmd.Stderr = stdin, &p.out, &p.out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.done)
		_ = p.cmd.Wait() // its code is in ProcessState
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("wxbridge %s printed:\n%s", p.name, p.out.String())
		}
	})
	return p
}

// kill ends the process as kill -9 does.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// interrupt asks the process to stop.
func (p *process) interrupt(t *testing.T) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
}

// code waits for the end of the process and is its exit code.
func (p *process) code(t *testing.T) int {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(time.Minute):
		t.Fatalf("wxbridge %s has not ended", p.name)
	}
	return p.cmd.ProcessState.ExitCode()
}

var errNotYet = errors.New("not yet")

// says waits until the process has printed some words.
func (p *process) says(t *testing.T, words string) {
	t.Helper()
	eventually(t, time.Minute, fmt.Sprintf("wxbridge %s says %q", p.name, words), func() error {
		if !strings.Contains(p.out.String(), words) {
			return errNotYet
		}
		return nil
	})
}

// ready waits until /readyz on an admin listener is green.
func ready(t testing.TB, admin string) {
	t.Helper()
	eventually(t, time.Minute, admin+" is ready", func() error { return readyz(t, admin) })
}

// readyz is nil when /readyz is green, otherwise what it says.
func readyz(t testing.TB, admin string) error {
	t.Helper()
	status, body, err := get(t, "http://"+admin+"/readyz")
	if err == nil && status != http.StatusOK {
		err = errors.New(body)
	}
	return err
}

func get(t testing.TB, url string) (status int, body string, err error) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	return response.StatusCode, string(content), err
}
