package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"reflect"
	"strings"

	"github.com/kelseyhightower/envconfig"

	"github.com/wxbridge/wxbridge/egress"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/ingress"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// accountConfig is the account and its place on the bus.
type accountConfig struct {
	AppID          string        `envconfig:"WX_APP_ID" desc:"AppID of the account"`
	AppSecret      string        `envconfig:"WX_APP_SECRET" secret:"true" desc:"AppSecret, for egress"`
	Token          string        `envconfig:"WX_TOKEN" secret:"true" desc:"Token of the callback settings"`
	TokenPrevious  string        `envconfig:"WX_TOKEN_PREVIOUS" secret:"true" desc:"the Token before, while it is being changed"`
	AESKey         string        `envconfig:"WX_AES_KEY" secret:"true" desc:"EncodingAESKey; when set, only encrypted callbacks are accepted"`
	AESKeyPrevious string        `envconfig:"WX_AES_KEY_PREVIOUS" secret:"true" desc:"the EncodingAESKey before, while it is being changed"`
	Prefix         events.Prefix `envconfig:"WX_PREFIX" default:"wx" desc:"prefix of all subjects, streams and buckets"`
}

// processConfig is what belongs to the process and to no package below.
type processConfig struct {
	AdminListen string `envconfig:"WX_ADMIN_LISTEN" desc:"address of /healthz, /readyz, /metrics (127.0.0.1:8081, egress alone 127.0.0.1:8082)"`
	NatsListen  string `envconfig:"WX_NATS_LISTEN" desc:"address of the embedded NATS (127.0.0.1:4222)"`
	DataDir     string `envconfig:"WX_DATA_DIR" desc:"folder of the embedded NATS (./data)"`
}

// simConfig is the simulator's.
type simConfig struct {
	Listen   string `envconfig:"WX_SIM_LISTEN" desc:"address of the simulator (127.0.0.1:8090)"`
	Callback string `envconfig:"WX_SIM_CALLBACK" default:"http://127.0.0.1:8080/wx" desc:"where the simulator pushes to"`
}

// settings is the whole environment.
type settings struct {
	accountConfig
	processConfig
	Nats    bus.Config
	Streams bus.StreamConfig
	Ingress ingress.Config
	Egress  egress.Config
	Sim     simConfig
}

// parts lists the settings' structs; their tags hold whole variable names.
func (s *settings) parts() []any {
	return []any{&s.accountConfig, &s.processConfig, &s.Nats, &s.Streams, &s.Ingress, &s.Egress, &s.Sim}
}

// configError is a configuration that no retry mends: exit 78.
type configError struct{ err error }

func (e *configError) Error() string { return "configuration:\n" + indent(e.err.Error()) }
func (e *configError) Unwrap() error { return e.err }

func indent(s string) string { return "  " + strings.ReplaceAll(s, "\n", "\n  ") }

// loadSettings reads the environment. Faults are collected, not thrown: they
// are all told at once, by check.
func loadSettings() (s settings, faults []error) {
	for _, part := range s.parts() {
		faults = append(faults, readSecretFiles(part)...)
		for {
			err := envconfig.Process("", part)
			var parse *envconfig.ParseError
			if !errors.As(err, &parse) {
				if err != nil {
					faults = append(faults, err)
				}
				break
			}
			faults = append(faults, &bus.FieldError{Field: parse.KeyName, Problem: fmt.Sprintf("%q is not a %s", parse.Value, parse.TypeName)})
			// envconfig stops at the first fault; without the variable it finds
			// the next. The process ends with these faults anyway.
			if err := os.Unsetenv(parse.KeyName); err != nil {
				return s, append(faults, err)
			}
		}
	}
	return s, faults
}

// readSecretFiles puts what <NAME>_FILE points to in the place of each secret,
// and takes an empty variable for one that is not set.
func readSecretFiles(part any) (faults []error) {
	t := reflect.TypeOf(part).Elem()
	for i := range t.NumField() {
		tag := t.Field(i).Tag
		name := tag.Get("envconfig")
		if os.Getenv(name) == "" {
			_ = os.Unsetenv(name) // a name from our own tags cannot be refused
		}
		path := os.Getenv(name + "_FILE")
		if tag.Get("secret") == "" || path == "" {
			continue
		}
		if os.Getenv(name) != "" {
			faults = append(faults, &bus.FieldError{Field: name, Problem: "is set, and so is " + name + "_FILE: set one of them"})
			continue
		}
		content, err := os.ReadFile(path)
		if err != nil {
			faults = append(faults, &bus.FieldError{Field: name + "_FILE", Problem: err.Error()})
			continue
		}
		content = bytes.TrimPrefix(content, []byte("\xef\xbb\xbf"))
		if err := os.Setenv(name, strings.TrimRight(string(content), "\r\n")); err != nil {
			faults = append(faults, &bus.FieldError{Field: name + "_FILE", Problem: err.Error()})
		}
	}
	return faults
}

// roles is which halves of the bridge a process is.
type roles struct{ ingress, egress bool }

// check returns every fault of what the roles need, nil for none.
func (s *settings) check(r roles, faults []error) error {
	faults = append(faults,
		bus.ValidatePrefix(s.Prefix), s.Nats.Validate(), s.Streams.Validate())
	missing := func(value, name string) {
		if value == "" {
			faults = append(faults, &bus.FieldError{Field: name, Problem: "is missing"})
		}
	}
	address := func(value, name string) {
		if _, err := net.ResolveTCPAddr("tcp", numeric(value)); err != nil && value != "" {
			faults = append(faults, &bus.FieldError{Field: name, Problem: fmt.Sprintf("%q is no address to listen on, like :8080 or 127.0.0.1:8080", value)})
		}
	}
	address(s.AdminListen, "WX_ADMIN_LISTEN")
	address(s.NatsListen, "WX_NATS_LISTEN")
	if r.ingress {
		_, err := callback.New(s.callback()) // names WX_APP_ID too
		faults = append(faults, s.Ingress.Validate(), namedFaults(err))
		address(s.Ingress.Listen, "WX_LISTEN")
	} else {
		missing(s.AppID, "WX_APP_ID")
	}
	if r.egress {
		missing(s.AppSecret, "WX_APP_SECRET")
		faults = append(faults, s.Egress.Validate())
	}
	if err := errors.Join(faults...); err != nil {
		return &configError{err}
	}
	return nil
}

// numeric is an address without its host's name: names are for the resolver, which
// may be away for a while.
func numeric(address string) string {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return address // the fault is found again
	}
	return ":" + port
}

func (s *settings) callback() callback.Config {
	return callback.Config{
		AppID: s.AppID, Token: s.Token, TokenPrevious: s.TokenPrevious,
		AESKey: s.AESKey, AESKeyPrevious: s.AESKeyPrevious,
	}
}

// namedFaults gives the faults of the callback settings their variables' names.
func namedFaults(err error) error {
	variables := map[string]string{ //nolint:gosec // names, no values
		"AppID": "WX_APP_ID", "Token": "WX_TOKEN", "TokenPrevious": "WX_TOKEN_PREVIOUS",
		"AESKey": "WX_AES_KEY", "AESKeyPrevious": "WX_AES_KEY_PREVIOUS",
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return err
	}
	var faults []error
	for _, one := range joined.Unwrap() {
		var fault *callback.ConfigError
		if errors.As(one, &fault) {
			one = &bus.FieldError{Field: variables[fault.Field], Problem: fault.Problem}
		}
		faults = append(faults, one)
	}
	return errors.Join(faults...)
}
