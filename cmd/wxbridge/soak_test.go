package main_test

import (
	"testing"
	"time"
)

// Commands through three processes, one killed every half second, to a WeChat
// that fails in every way: each has one result, none was sent twice that must
// not be, and everybody's came in order. The big one:
//
//	go run ./cmd/wxbridge bench soak -size 100000 -followers 2000
func TestSoak(t *testing.T) {
	t.Parallel()
	soak(t, "-size", "800", "-seed", "20261128", "-kill", "700ms")
}

// The same with processes that are stopped for longer than the lease, and a NATS
// that is restarted under them.
func TestSoakFrozen(t *testing.T) {
	t.Parallel()
	soak(t, "-size", "800", "-seed", "20261129", "-kill", "0", "-freeze", "2s", "-nats", "4s")
}

// On a cluster, one server of which is killed or stopped, each in turn, and started again.
func TestSoakCluster(t *testing.T) {
	t.Parallel()
	soak(t, "-size", "2000", "-seed", "20261130", "-kill", "2s", "-nodes", "3", "-nats", "2s")
}

func soak(t *testing.T, args ...string) {
	t.Helper()
	p := start(t, nil, nil, append([]string{"bench", "soak", "-within", "3m"}, args...)...)
	select {
	case <-p.done:
	case <-time.After(4 * time.Minute):
		t.Fatal("the soak has not ended")
	}
	if code := p.code(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	t.Log(p.out.String())
}
