package main_test

import (
	"bytes"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/testcontainers/testcontainers-go"
	tcnetwork "github.com/testcontainers/testcontainers-go/network"
	"github.com/testcontainers/testcontainers-go/wait"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
	"github.com/wxbridge/wxbridge/events/bus/permissions"
)

func TestMain(m *testing.M) {
	// The janitor of testcontainers is a published image; here t.Cleanup cleans, and needs no registry.
	os.Setenv("TESTCONTAINERS_RYUK_DISABLED", "true")
	// Inside a build container testcontainers would look for published ports at the gateway; they are here.
	os.Setenv("TESTCONTAINERS_HOST_OVERRIDE", "127.0.0.1")
	code := m.Run()
	images.remove()
	_ = os.RemoveAll(theProgram.folder)
	os.Exit(code)
}

// requireDocker skips a test where no engine answers. With CI=true it fails: green must mean that it ran.
func requireDocker(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: needs Docker")
	}
	if out, err := exec.CommandContext(t.Context(), "docker", "info", "--format", "{{.ServerVersion}}").CombinedOutput(); err != nil {
		unavailable(t, "no Docker engine: %v: %s", err, bytes.TrimSpace(out))
	}
}

func unavailable(t *testing.T, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format, args...)
	}
	t.Skipf(format, args...)
}

// images is what the docker-backed tests share: a build context made once per test binary.
var images imageSet

type imageSet struct {
	once   sync.Once
	folder string
	nats   string
	err    error
}

// buildImages returns a folder with compose.yaml and all that its images are
// made of, and the name of the NATS image built from there.
// It is not the work tree: a test leaves no files and no tags of a user's there.
func buildImages(t *testing.T) *imageSet {
	t.Helper()
	requireDocker(t)
	images.once.Do(func() { images.err = images.build() })
	if images.err != nil {
		t.Fatal(images.err)
	}
	return &images
}

func (s *imageSet) build() error {
	// Not the first test's context: later tests want the images too.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	root, err := filepath.Abs("../..")
	if err != nil {
		return err
	}
	if s.folder, err = os.MkdirTemp("", "wxbridge-image-"); err != nil {
		return err
	}
	for _, name := range []string{".dockerignore", "compose.yaml", "cmd/wxbridge/Dockerfile"} {
		content, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			return err
		}
		if err := os.MkdirAll(filepath.Dir(filepath.Join(s.folder, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(s.folder, name), content, 0o644); err != nil {
			return err
		}
	}
	if _, err := command(ctx, root, nil, "go", "run", "./cmd/wxbridge/image", filepath.Join(s.folder, ".build")); err != nil {
		return err
	}
	name := fmt.Sprintf("wxbridge-test-nats:%d", os.Getpid())
	if _, err := command(ctx, s.folder, nil, "docker", "build", "-q", "-t", name, "-f", "cmd/wxbridge/Dockerfile", "--target", "nats", "."); err != nil {
		return err
	}
	s.nats = name
	return nil
}

func (s *imageSet) remove() {
	if s.nats != "" {
		_, _ = command(context.Background(), "", nil, "docker", "rmi", "-f", s.nats)
	}
	if s.folder != "" {
		_ = os.RemoveAll(s.folder)
	}
}

// natsContainer is a NATS server with JetStream on files, in a container on a
// network of its own. Its address stays the same over Kill and Start: a random
// published port would be another one afterwards.
type natsContainer struct {
	login     []nats.Option // of whoever looks whether it is ready
	URL       string        // from this machine
	InsideURL string        // from containers on Network
	Network   string
	id        string
}

func startNATS(t *testing.T) *natsContainer { t.Helper(); return startNATSWith(t, nil) }

// startGuardedNATS is startNATS with the permission files: every client is one of
// their users, and this test is the operator.
func startGuardedNATS(t *testing.T) *natsContainer {
	t.Helper()
	passwords := map[string]string{}
	for _, role := range []string{"INGRESS", "EGRESS", "APPLICATION", "UPLOADER", "OPERATOR"} {
		passwords["WX_"+role+"_PASSWORD"] = strconv.Quote(bustest.Password) // the server reads a variable as it reads its file
	}
	return startNATSWith(t, []nats.Option{nats.UserInfo("wx.operator", bustest.Password), nats.CustomInboxPrefix("_INBOX_WX_OPERATOR")},
		testcontainers.WithFiles(testcontainers.ContainerFile{
			Reader: bytes.NewReader(permissions.Conf("wx", true)), ContainerFilePath: "/nats.conf", FileMode: 0o644,
		}),
		testcontainers.WithEnv(passwords),
		testcontainers.WithCmd("--jetstream", "--store_dir", "/data", "--config", "/nats.conf"),
	)
}

func startNATSWith(t *testing.T, login []nats.Option, more ...testcontainers.ContainerCustomizer) *natsContainer {
	t.Helper()
	set := buildImages(t)
	nw, err := tcnetwork.New(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	testcontainers.CleanupNetwork(t, nw)
	port := bustest.FreePort(t)
	c, err := testcontainers.Run(t.Context(), set.nats, append([]testcontainers.ContainerCustomizer{
		tcnetwork.WithNetwork([]string{"nats"}, nw),
		testcontainers.WithExposedPorts("4222/tcp"),
		testcontainers.WithHostConfigModifier(func(host *container.HostConfig) {
			host.PortBindings = network.PortMap{network.MustParsePort("4222/tcp"): {{
				HostIP: netip.MustParseAddr("127.0.0.1"), HostPort: strconv.Itoa(port),
			}}}
		}),
		testcontainers.WithWaitStrategy(wait.ForLog("Server is ready")),
	}, more...)...)
	testcontainers.CleanupContainer(t, c)
	if err != nil {
		t.Fatal(err)
	}
	n := &natsContainer{
		URL:       fmt.Sprintf("nats://127.0.0.1:%d", port),
		InsideURL: "nats://nats:4222",
		Network:   nw.Name,
		login:     login,
		id:        c.GetContainerID(),
	}
	n.ready(t)
	return n
}

// Kill ends the server as kill -9 does; what it had acknowledged is in the container's volume.
func (n *natsContainer) Kill(t *testing.T) { t.Helper(); docker(t, "kill", n.id) }

// Start starts a killed server again and returns when it takes connections.
func (n *natsContainer) Start(t *testing.T) { t.Helper(); docker(t, "start", n.id); n.ready(t) }

// Pause freezes the server: connections stay open and nobody answers.
func (n *natsContainer) Pause(t *testing.T) { t.Helper(); docker(t, "pause", n.id) }

// Unpause lets it go on.
func (n *natsContainer) Unpause(t *testing.T) { t.Helper(); docker(t, "unpause", n.id) }

func (n *natsContainer) ready(t *testing.T) {
	t.Helper()
	eventually(t, time.Minute, "NATS at "+n.URL, func() error {
		nc, err := nats.Connect(n.URL, append([]nats.Option{nats.Timeout(time.Second)}, n.login...)...)
		if err != nil {
			return err
		}
		defer nc.Close()
		js, err := jetstream.New(nc)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = js.AccountInfo(ctx) // JetStream comes up after the port
		return err
	})
}

func docker(t *testing.T, args ...string) string {
	t.Helper()
	out, err := command(t.Context(), "", nil, "docker", args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// command returns what a program printed; its error tells what it said.
func command(ctx context.Context, dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return stdout.String(), fmt.Errorf("%s %s: %w\n%s%s", name, strings.Join(args, " "), err, stdout.String(), stderr.String())
	}
	return stdout.String(), nil
}

// eventually asks until the answer is nil.
func eventually(t testing.TB, within time.Duration, what string, ask func() error) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ask()
		if err == nil {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("%s: not within %s: %v", what, within, err)
		case <-tick.C:
		}
	}
}
