package main_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// composition is compose.yaml, up.
type composition struct {
	program []string
	dir     string
	env     []string
}

// composeUp brings compose.yaml up, with free ports on this machine instead of its own, and takes all of it
// away at the end: containers, volume, images. The environment is the test's alone: no WX_ variable comes in from outside.
func composeUp(t *testing.T, env map[string]string, profiles ...string) *composition {
	t.Helper()
	set := buildImages(t)
	c := &composition{program: composeProgram(t), dir: set.folder}
	project := fmt.Sprintf("wxbridgetest%d-%s", os.Getpid(), strings.ToLower(t.Name()))
	c.program = append(c.program, "-p", strings.Map(composeName, project))
	for _, profile := range profiles {
		c.program = append(c.program, "--profile", profile)
	}
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "WX_") && !strings.HasPrefix(pair, "COMPOSE_") {
			c.env = append(c.env, pair)
		}
	}
	for _, port := range []string{"NATS_PORT", "INGRESS_1_PORT", "INGRESS_2_PORT", "SIM_PORT"} {
		c.env = append(c.env, port+"="+strconv.Itoa(bustest.FreePort(t)))
	}
	for name, value := range env {
		c.env = append(c.env, name+"="+value)
	}
	t.Cleanup(func() {
		if t.Failed() {
			out, err := c.try(context.Background(), "logs", "--no-color", "--tail", "100")
			t.Logf("compose logs (%v):\n%s", err, out)
		}
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
		defer cancel()
		if _, err := c.try(ctx, "down", "--volumes", "--rmi", "local", "--remove-orphans"); err != nil {
			t.Error(err)
		}
	})
	c.run(t, "up", "--detach", "--build")
	return c
}

// composeProgram is version 2 where it is there, else version 1.
func composeProgram(t *testing.T) []string {
	t.Helper()
	if exec.CommandContext(t.Context(), "docker", "compose", "version").Run() == nil {
		return []string{"docker", "compose"}
	}
	if _, err := exec.LookPath("docker-compose"); err != nil {
		unavailable(t, "neither docker compose nor docker-compose")
	}
	return []string{"docker-compose"}
}

func composeName(r rune) rune {
	if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
		return r
	}
	return '-'
}

// run runs a compose command, such as kill or start, on the project.
func (c *composition) run(t *testing.T, args ...string) string {
	t.Helper()
	out, err := c.try(t.Context(), args...)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

func (c *composition) try(ctx context.Context, args ...string) (string, error) {
	return command(ctx, c.dir, c.env, c.program[0], append(c.program[1:len(c.program):len(c.program)], args...)...)
}

// addr is where a service's port is published: host:port.
func (c *composition) addr(t *testing.T, service string, port int) string {
	t.Helper()
	return c.run(t, "port", service, strconv.Itoa(port))
}

// healthy waits until the health checks of the services say so.
func (c *composition) healthy(t *testing.T, services ...string) {
	t.Helper()
	for _, service := range services {
		id := c.run(t, "ps", "-q", service)
		eventually(t, time.Minute, service+" healthy", func() error {
			if state := docker(t, "inspect", "--format", "{{.State.Health.Status}}", id); state != "healthy" {
				return errors.New(state)
			}
			return nil
		})
	}
}
