package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"
)

// benches are what `wxbridge bench` can do.
var benches = map[string]func(context.Context, *program) error{"soak": soakCommand, "backlog": backlogCommand, "nats": natsCommand}

// bench proves promises, and measures, against the simulator.
func bench(ctx context.Context, p *program) error {
	if len(p.args) > 0 {
		if run := benches[p.args[0]]; run != nil {
			p.args = p.args[1:]
			return run(ctx, p)
		}
	}
	return &configError{errors.New("say what: wxbridge bench soak, or wxbridge bench backlog")}
}

// soakCommand reads the flags of a soak.
func soakCommand(ctx context.Context, p *program) error {
	s := soak{rig: rig{program: p}}
	flags := flag.NewFlagSet("bench soak", flag.ContinueOnError)
	flags.SetOutput(p.out)
	flags.IntVar(&s.size, "size", 2000, "commands")
	flags.Uint64Var(&s.seed, "seed", uint64(time.Now().UnixNano()), "of commands, faults and kills; the machine's timing adds its own")
	flags.IntVar(&s.replicas, "replicas", 3, "egress processes")
	flags.IntVar(&s.followers, "followers", 200, "who get the commands")
	flags.DurationVar(&s.every, "kill", time.Second, "how often one of them is killed; 0 never")
	flags.IntVar(&s.rate, "rate", 0, "commands that are published a second; 0 for all at once")
	flags.DurationVar(&s.freeze, "freeze", 0, "how often one of them is stopped for longer than the lease, and goes on; 0 never")
	flags.DurationVar(&s.restart, "nats", 0, "how often NATS, of a cluster one server, is killed or stopped in turn, and started again; 0 never")
	flags.IntVar(&s.nodes, "nodes", 1, "servers of NATS, and replicas of every stream: 1, 3 or 5")
	flags.DurationVar(&s.within, "within", time.Hour, "give up after")
	flags.StringVar(&s.dir, "dir", "", "folder of NATS and of the processes' logs (a temporary one)")
	if err := flags.Parse(p.args); err != nil {
		return flagError(err)
	}
	if s.size < 1 || s.replicas < 1 || s.followers < 1 {
		return &configError{fmt.Errorf("size %d, replicas %d, followers %d: each must be at least 1", s.size, s.replicas, s.followers)}
	}
	if s.nodes != 1 && s.nodes != 3 && s.nodes != 5 {
		return &configError{fmt.Errorf("nodes %d: 1, 3 or 5", s.nodes)}
	}
	return s.run(ctx)
}

// backlogCommand reads the flags of a backlog.
func backlogCommand(ctx context.Context, p *program) error {
	b := backlog{rig: rig{program: p}}
	flags := flag.NewFlagSet("bench backlog", flag.ContinueOnError)
	flags.SetOutput(p.out)
	flags.IntVar(&b.size, "size", 5000, "commands of an API that is paused")
	flags.IntVar(&b.others, "others", 1000, "commands of others behind them")
	flags.DurationVar(&b.within, "within", time.Hour, "give up after")
	flags.StringVar(&b.dir, "dir", "", "folder of NATS and of the process's log (a temporary one)")
	if err := flags.Parse(p.args); err != nil {
		return flagError(err)
	}
	if b.size < 1 || b.others < 1 {
		return &configError{fmt.Errorf("size %d, others %d: each must be at least 1", b.size, b.others)}
	}
	return b.run(ctx)
}

// flagError is nil for who only asked what flags there are.
func flagError(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return nil
	}
	return &configError{err}
}
