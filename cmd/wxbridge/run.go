package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"

	"github.com/wxbridge/wxbridge/events/bus"
)

// Exit codes of the contract.
const (
	exitDone   = 0
	exitFailed = 1
	exitConfig = 78
)

// program is what a command runs with.
type program struct {
	args   []string
	in     io.Reader
	out    io.Writer
	logger *slog.Logger
}

type command struct {
	name, about string
	run         func(context.Context, *program) error
}

// commands in the order of the help.
func commands() []command {
	return []command{
		{"demo", "everything in one process, with a pretend WeChat; --once sends one message and exits", demo},
		{"run", "ingress and egress in one process; NATS embedded when WX_NATS_URL is empty", alone(runBoth)},
		{"ingress", "WeChat's callbacks to the bus", alone(runIngress)},
		{"egress", "the bus's commands to WeChat", alone(runEgress)},
		{"sim", "the pretend WeChat alone", alone(runSim)},
		{"tail", "follows what passes over the bus, a line each; --json prints the events whole", tailCommand},
		{"send", "sends a command and waits for its result: send <verb> '<json>'", sendCommand},
		{"reply", "answers a follower's message: reply <key> <text>, or reply last <text>", replyCommand},
		{"trigger", "lets a follower of the simulator say or do something: trigger <text>", triggerCommand},
		{"dlq", "dead letters: dlq list, dlq show <number>, dlq redrive <number> or by filter", dlqCommand},
		{"bench", "proves and measures, against the simulator: bench soak, bench backlog", bench},
		{"schema", "prints the contract: JSON Schemas, asyncapi, streams, permissions; without a name the names", schema},
		{"healthz", "exit 0 if the process behind WX_ADMIN_LISTEN answers; for container health checks", alone(healthz)},
		{"help", "this text, and every variable with its default", help},
	}
}

// alone is a command without arguments: a flag that is meant to change something
// must not be left unread by a process that then takes callbacks.
func alone(run func(context.Context, *program) error) func(context.Context, *program) error {
	return func(ctx context.Context, p *program) error {
		if len(p.args) > 0 {
			return usage("%q: it takes no arguments, all settings come from the environment: `wxbridge help` lists them", p.args[0])
		}
		return run(ctx, p)
	}
}

// run is the whole program; main only adds signals and the exit.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) int {
	p := &program{in: in, out: out, logger: slog.New(slog.NewTextHandler(errs, nil))}
	name := "help"
	if len(args) > 0 {
		name, p.args = args[0], args[1:]
	}
	if name == "-h" || name == "--help" {
		name = "help"
	}
	for _, c := range commands() {
		if c.name != name {
			continue
		}
		err := c.run(ctx, p)
		if err != nil {
			fmt.Fprintf(errs, "wxbridge %s: %v\n", name, err)
		}
		return exitCode(err)
	}
	fmt.Fprintf(errs, "wxbridge: %q is not a command; `wxbridge help` lists them\n", name)
	return exitConfig
}

// exitCode tells what an operator must mend from what failed while running.
func exitCode(err error) int {
	var config *configError
	var promise *bus.PromiseError
	var missing *bus.MissingError
	switch {
	case err == nil:
		return exitDone
	case errors.As(err, &config), errors.As(err, &promise), errors.As(err, &missing):
		return exitConfig
	}
	return exitFailed
}
