package main

import (
	"context"
	"flag"
	"io"
	"net"
	"strconv"

	"github.com/nats-io/nats-server/v2/server"
)

// natsCommand is one server of a rig's NATS, a process of its own that can be killed.
// Its input is what holds it: it ends with whoever started it, however that ends.
func natsCommand(ctx context.Context, p *program) error {
	flags := flag.NewFlagSet("bench nats", flag.ContinueOnError)
	flags.SetOutput(p.out)
	name := flags.String("name", "", "of the server")
	dir := flags.String("dir", "", "its folder")
	listen := flags.String("listen", "", "its address for clients")
	routes := flags.String("routes", "", "its address for the other servers")
	others := flags.String("others", "", "where those listen for it; none for a server alone")
	if err := flags.Parse(p.args); err != nil {
		return flagError(err)
	}
	host, portText, err := net.SplitHostPort(*routes)
	if err != nil {
		return &configError{err}
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return &configError{err}
	}
	d, err := startNATS(*listen, *dir, p.logger, func(options *server.Options) {
		if *others == "" {
			return
		}
		options.ServerName = *name
		options.Cluster = server.ClusterOpts{Name: "wxbridge", Host: host, Port: port}
		options.Routes = server.RoutesFromStr(*others)
	})
	if err != nil {
		return err
	}
	defer d.stop()
	alone := make(chan struct{})
	go func() { // until the process ends, if nothing else ends it
		defer close(alone)
		_, _ = io.Copy(io.Discard, p.in)
	}()
	select {
	case <-ctx.Done():
	case <-alone:
	}
	return nil
}
