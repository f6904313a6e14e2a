// Command image makes what cmd/wxbridge/Dockerfile packs: static Linux binaries
// of wxbridge and of nats-server, the latter at the version in go.mod, so that
// building the images pulls nothing. They go to .build, or to the folder named:
//
//	go run ./cmd/wxbridge/image [folder]
package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

var programs = map[string]string{
	"wxbridge":    "github.com/wxbridge/wxbridge/cmd/wxbridge",
	"nats-server": "github.com/nats-io/nats-server/v2",
}

func main() {
	ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt)
	if err := build(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1)
	}
}

func build(ctx context.Context, args []string) error {
	folder := ".build"
	switch len(args) {
	case 0:
	case 1:
		folder = args[0]
	default:
		return fmt.Errorf("want one folder, not %q", args)
	}
	// NATS's volume takes its owner from this empty folder of the image.
	if err := os.MkdirAll(filepath.Join(folder, "data"), 0o750); err != nil {
		return err
	}
	for name, pkg := range programs {
		// Neither paths nor symbols: the same source gives the same image anywhere.
		cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", filepath.Join(folder, name), pkg)
		// The engine runs Linux on this machine's architecture, also under macOS and Windows.
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
		if err := cmd.Run(); err != nil {
			return fmt.Errorf("go build %s: %w", pkg, err)
		}
	}
	return nil
}
