package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

const simListen = "127.0.0.1:8090"

// Made-up settings of the account that demo and sim pretend to be, unless set.
const (
	demoAppID     = "wx0123456789abcdef"
	demoAppSecret = "0123456789abcdef0123456789abcdef"
	demoToken     = "wxbridgedemo"
	demoAESKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	demoOpenID    = "oDemoFollower000000000000001"
)

// runSim is the pretend WeChat alone.
func runSim(ctx context.Context, p *program) error {
	s, faults := loadSettings()
	if err := errors.Join(faults...); err != nil {
		return &configError{err}
	}
	if s.AppID == "" && s.Token == "" {
		s.pretend()
		fmt.Fprintf(p.out, "No account is set, so this is a made-up one. Give the bridge the same:\n\n"+
			"  export WX_APP_ID=%s WX_APP_SECRET=%s WX_TOKEN=%s WX_AES_KEY=%s\n\n", s.AppID, s.AppSecret, s.Token, s.AESKey)
	}
	sim, err := startSim(ctx, &s, cmp.Or(s.Sim.Listen, simListen), s.Sim.Callback, p)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "WeChat is pretended at %s (WX_API_URL), and pushes to %s\n"+
		"A follower says something:\n\n  curl -d '{\"MsgType\":\"text\",\"Content\":\"hi\"}' %s/_sim/followers/%s/push\n", sim.url, s.Sim.Callback, sim.url, demoOpenID)
	<-ctx.Done()
	return sim.stop()
}

// pretend fills in the made-up account.
func (s *settings) pretend() {
	s.AppID, s.AppSecret, s.Token, s.AESKey = demoAppID, demoAppSecret, demoToken, demoAESKey
}

// simulator is a running pretend WeChat.
type simulator struct {
	*wxsim.Platform
	url    string
	server *http.Server
	served chan error
}

func startSim(ctx context.Context, s *settings, listen, callbackURL string, p *program) (*simulator, error) {
	platform, err := wxsim.New(wxsim.Config{
		AppID: s.AppID, AppSecret: s.AppSecret, Token: s.Token, AESKey: s.AESKey,
		Callback: callbackURL, Logger: p.logger,
	})
	if err != nil {
		return nil, &configError{err}
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", listen)
	if err != nil {
		return nil, fmt.Errorf("WX_SIM_LISTEN: %w", errors.Join(err, platform.Close()))
	}
	sim := &simulator{
		Platform: platform, url: "http://" + listener.Addr().String(), served: make(chan error, 1),
		server: &http.Server{Handler: platform.Handler(), ReadHeaderTimeout: 10 * time.Second},
	}
	go func() { sim.served <- sim.server.Serve(listener) }()
	return sim, nil
}

func (s *simulator) stop() error {
	err := errors.Join(s.Close(), s.server.Close())
	<-s.served //nolint:errcheck // ErrServerClosed
	return err
}
