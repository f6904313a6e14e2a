package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"
)

// soak sends commands through several real egress processes to a WeChat that
// fails in every way it can, and kills one of the processes again and again.
// Then it counts: every command has one result, and WeChat has seen what the
// results say, in the order that is promised.
type soak struct {
	rig
	size      int
	seed      uint64
	replicas  int
	followers int
	rate      int // commands published a second, 0 for all at once
	every     time.Duration
	freeze    time.Duration
	restart   time.Duration
	within    time.Duration

	commands  []soakCommandSpec
	published chan struct{} // closed when all of them are
	calls     soakCalls
	troubles  soakTroubles
	kills     int
	freezes   int
	restarts  int
	faults    int
}

// frozen is how long a process is stopped: longer than the lease.
const frozen = 4 * time.Second

// run is the whole of it; the error names the first promises that were broken.
func (s *soak) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.within)
	defer cancel()
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

// start lets processes, sender and trouble loose. staff ends all, chaos the
// trouble alone.
func (s *soak) start(ctx context.Context) (staff, chaos func(), err error) {
	working, stopWork := context.WithCancel(ctx)
	trouble, stopTrouble := context.WithCancel(working)
	var all, some sync.WaitGroup
	processes := make([]*rigProcess, s.replicas)
	for i := range processes {
		if processes[i], err = s.process(fmt.Sprintf("egress-%d", i)); err != nil {
			stopWork()
			stopTrouble()
			return nil, nil, err
		}
	}
	s.invent()
	s.published = make(chan struct{})
	all.Go(func() {
		defer close(s.published)
		if err := s.publish(working); err != nil && working.Err() == nil {
			s.logger.Error("commands cannot be published", "error", err)
		}
	})
	all.Go(func() { every(working, 100*time.Millisecond, func() { s.calls.gather(s.sim) }) })
	all.Go(func() { every(working, 500*time.Millisecond, func() { s.unpause(working) }) })
	some.Go(func() { s.disturb(trouble) })
	victims := func(seed uint64) func() *rigProcess {
		random := rand.New(rand.NewPCG(s.seed, seed))
		return func() *rigProcess { return processes[random.IntN(len(processes))] }
	}
	killed, stopped := victims(2), victims(4)
	some.Go(func() {
		every(trouble, s.every, func() {
			s.troubles.note(func() {
				if err := killed().kill(); err != nil {
					s.logger.Error("a process cannot be started again", "error", err)
				}
			})
			s.kills++
		})
	})
	some.Go(func() {
		every(trouble, s.freeze, func() {
			s.troubles.note(func() { stopped().freeze(trouble) })
			s.freezes++
		})
	})
	some.Go(func() {
		every(trouble, s.restart, func() {
			s.troubles.note(func() {
				if err := s.restartNATS(working, s.restarts); err != nil {
					s.logger.Error("NATS cannot be started again", "error", err)
				}
				s.whole(trouble)
			})
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

// drained waits until nothing is left in the queue. When nearly all is done the
// trouble ends, so that the rest comes to its end too.
func (s *soak) drained(ctx context.Context, chaos func()) error {
	tick := time.NewTicker(200 * time.Millisecond)
	defer tick.Stop()
	var said time.Time
	for quiet, published := false, false; ; {
		select {
		case <-ctx.Done():
			return fmt.Errorf("the queue was not empty after %s: %w", s.within, ctx.Err())
		case <-tick.C:
		}
		select {
		case <-s.published:
			published = true
		default: // what is published again is yet to come
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
		if published && done >= s.size && left == 0 {
			return nil
		}
	}
}
