package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// natsd is the embedded NATS.
type natsd struct{ *server.Server }

// startNATS starts a NATS with JetStream on file storage.
func startNATS(listen, dir string, logger *slog.Logger, more ...func(*server.Options)) (*natsd, error) {
	host, portText, err := net.SplitHostPort(listen)
	if err != nil {
		return nil, &configError{fmt.Errorf("WX_NATS_LISTEN: %w", err)}
	}
	port, err := strconv.Atoi(portText)
	if err != nil {
		return nil, &configError{fmt.Errorf("WX_NATS_LISTEN: port %q is no number", portText)}
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	options := &server.Options{
		ServerName: "wxbridge", Host: host, Port: port,
		JetStream: true, StoreDir: dir, NoSigs: true, NoLog: true,
		// A process that is killed loses nothing; a machine that loses power
		// must not either, and WeChat's traffic is far below what this costs.
		SyncAlways: true,
	}
	for _, change := range more {
		change(options)
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS: %w", err)
	}
	srv.SetLoggerV2(natsLog{logger}, false, false, false)
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		srv.Shutdown()
		return nil, errors.New("embedded NATS did not start: is its port taken, or its folder in use?")
	}
	return &natsd{srv}, nil
}

// stop ends the server and waits for its files to be written.
func (n *natsd) stop() {
	n.Shutdown()
	n.WaitForShutdown()
}

// natsLog passes on what an operator must know.
type natsLog struct{ logger *slog.Logger }

func (natsLog) Noticef(string, ...any) {}
func (natsLog) Debugf(string, ...any)  {}
func (natsLog) Tracef(string, ...any)  {}

func (l natsLog) Warnf(format string, v ...any) {
	l.logger.Warn("embedded NATS", "message", fmt.Sprintf(format, v...))
}

func (l natsLog) Errorf(format string, v ...any) {
	l.logger.Error("embedded NATS", "message", fmt.Sprintf(format, v...))
}

func (l natsLog) Fatalf(format string, v ...any) {
	l.logger.Error("embedded NATS", "message", fmt.Sprintf(format, v...))
}
