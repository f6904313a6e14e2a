// Command wxbridge is the bridge between WeChat Official Accounts and NATS
// JetStream. Run it without arguments for what it can do.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	// Images built FROM scratch have no CA certificates; these are used where
	// the system has none.
	_ "golang.org/x/crypto/x509roots/fallback"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal asks to stop, a second one ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
