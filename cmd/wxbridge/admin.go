package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// admin is the listener for operators: /healthz, /readyz, /metrics.
type admin struct {
	server *http.Server
	served chan error
}

// startAdmin listens.
func startAdmin(ctx context.Context, listen string, metrics *prometheus.Registry, ready *readiness) (*admin, error) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		reasons, troubles := ready.state()
		w.Header().Set("Content-Type", "application/json")
		if len(reasons) > 0 {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_ = json.NewEncoder(w).Encode(map[string]any{
			"ready": len(reasons) == 0, "reasons": append([]string{}, reasons...), "troubles": append([]string{}, troubles...),
		})
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(metrics, promhttp.HandlerOpts{}))
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("WX_ADMIN_LISTEN: %w", err)
	}
	a := &admin{
		server: &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 5 * time.Second, WriteTimeout: 10 * time.Second},
		served: make(chan error, 1),
	}
	go func() { a.served <- a.server.Serve(listener) }()
	return a, nil
}

func (a *admin) stop() {
	_ = a.server.Close()
	<-a.served //nolint:errcheck // ErrServerClosed
}

// healthz asks a running process whether it lives; images without a shell have
// no other way to.
func healthz(ctx context.Context, _ *program) error {
	s, faults := loadSettings()
	if err := errors.Join(faults...); err != nil {
		return &configError{err}
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if s.AdminListen != "" {
		return askHealth(ctx, s.AdminListen)
	}
	// Which role it is that runs here, this process does not know.
	err := askHealth(ctx, adminIngress)
	if err != nil && askHealth(ctx, adminEgress) == nil {
		return nil
	}
	return err
}

func askHealth(ctx context.Context, listen string) error {
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		return &configError{fmt.Errorf("WX_ADMIN_LISTEN: %w", err)}
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1" // listening everywhere includes here
	}
	url := "http://" + net.JoinHostPort(host, port) + "/healthz"
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", url, response.Status)
	}
	return nil
}
