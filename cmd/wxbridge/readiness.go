package main

import (
	"slices"
	"sync/atomic"
)

// readiness is what /readyz says of a process.
type readiness struct {
	// work says why the process cannot do what it is sent work for: callbacks where
	// it takes them, else commands. Only that makes it not ready.
	work func() []string
	// besides says what else is in trouble, nil where nothing else is done. In `run`
	// these are the commands: no callback gets better by finding the port closed
	// because WeChat refuses the account, or the dead letters are full.
	besides  func() []string
	stopping atomic.Bool
}

// egress adds what egress says, to what ingress does where both are one process.
func (r *readiness) egress(reasons func() []string) {
	if r.work == nil {
		r.work = reasons
		return
	}
	r.besides = reasons
}

// state is why the process is not ready, none when it is, and what is in trouble
// all the same.
func (r *readiness) state() (reasons, troubles []string) {
	if r.stopping.Load() {
		return []string{"the process is stopping"}, nil
	}
	reasons = r.work()
	if r.besides == nil {
		return reasons, nil
	}
	for _, trouble := range r.besides() {
		if !slices.Contains(reasons, trouble) {
			troubles = append(troubles, trouble)
		}
	}
	return reasons, troubles
}
