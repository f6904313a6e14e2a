package main_test

import (
	"strings"
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
	soak(t, []string{"kills"}, "-size", "2000", "-rate", "400", "-seed", "20261128", "-kill", "700ms")
}

// The same with processes that are stopped for longer than the lease, and a NATS
// that is restarted under them.
func TestSoakFrozen(t *testing.T) {
	t.Parallel()
	soak(t, []string{"freezes", "restarts"}, "-size", "3000", "-rate", "300", "-seed", "20261129", "-kill", "0", "-freeze", "1s", "-nats", "3s")
}

// On a cluster, one server of which is killed or stopped, each in turn, and started again.
func TestSoakCluster(t *testing.T) {
	t.Parallel()
	soak(t, []string{"kills", "restarts"}, "-size", "1200", "-rate", "300", "-seed", "20261130", "-kill", "3s", "-nodes", "3", "-nats", "2s")
}

// soak soaks, with troubles that must have come.
func soak(t *testing.T, troubles []string, args ...string) {
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
	said := p.out.String()
	t.Log(said)
	end := said[strings.LastIndex(said, " commands in ")+1:]
	for _, trouble := range troubles {
		containsNot(t, "the end of the soak", end, " 0 "+trouble)
	}
}
