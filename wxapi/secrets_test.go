package wxapi_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi"
)

// Everything that can go wrong goes wrong, and none of what is then printed
// has a secret in it.
func TestNothingPrintsASecret(t *testing.T) {
	const token = "82_token_in_the_store_in_the_store"
	leak := fmt.Sprintf("token %s secret %s openid %s\nforged line \x1b[31m", token, appSecret, openID)
	refusal := fmt.Sprintf(`{"errcode":40003,"errmsg":%q}`, leak)
	var contexts string // as a layer around the transport may print them
	transports := map[string]http.RoundTripper{
		"chatty error": roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("while calling %s: %w", r.URL, errors.New(leak))
		}),
		"url error": roundTripper(func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("outer %s: %w", r.URL, &url.Error{Op: "Post", URL: r.URL.String(), Err: context.DeadlineExceeded})
		}),
		"refusal": roundTripper(func(*http.Request) (*http.Response, error) { return newRecorder(200, refusal).Result(), nil }),
		"page":    roundTripper(func(*http.Request) (*http.Response, error) { return newRecorder(502, leak).Result(), nil }),
		"nothing": roundTripper(func(r *http.Request) (*http.Response, error) {
			contexts += fmt.Sprintf("%v %+v", r.Context(), r.Context())
			return newRecorder(200, `{"x":"`+token+`"}`).Result(), nil
		}),
	}
	for name, transport := range transports {
		for _, store := range []*slowStore{{token: freshToken()}, {}, {err: errors.New("store down")}} {
			var log bytes.Buffer
			logger := slog.New(slog.NewJSONHandler(&log, nil))
			config := wxapi.Config{AppID: appID, AppSecret: appSecret, Transport: transport, Tokens: store, Logger: logger}
			client, err := wxapi.New(config)
			if err != nil {
				t.Fatal(err)
			}
			result, err := send(t, client)
			if err == nil {
				t.Fatalf("%s: no error", name)
			}
			logger.Error("call", "error", err, "config", config, "client", client, "token", freshToken())
			printed := log.String() + fmt.Sprintf("%v %+v %#v %q %s %x", err, err, err, err, result.Response, result.ErrMsg)
			printed += contexts + fmt.Sprintf("%v %+v %#v %v %+v %#v", config, &config, config, client, *client, client)
			printed += fmt.Sprintf("%v %+v %#v %x", freshToken(), freshToken(), freshToken(), freshToken())
			for cause := err; cause != nil; cause = errors.Unwrap(cause) {
				printed += fmt.Sprintf("%v %+v", cause, cause)
			}
			for _, secret := range []string{token, appSecret, openID, "access_token="} {
				if strings.Contains(printed, secret) || strings.Contains(printed, fmt.Sprintf("%x", secret)) {
					t.Errorf("%s: %s is in %s", name, secret, printed)
				}
			}
			if strings.ContainsAny(err.Error(), "\n\x1b") {
				t.Errorf("%s: control characters in %q", name, err)
			}
		}
	}
}

func TestURLErrorsKeepTheirCause(t *testing.T) {
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		return nil, &url.Error{Op: "Post", URL: r.URL.String(), Err: http.ErrServerClosed}
	})
	client, err := wxapi.New(wxapi.Config{AppID: appID, AppSecret: appSecret, Transport: transport, Tokens: &slowStore{token: freshToken()}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := send(t, client); !errors.Is(err, http.ErrServerClosed) {
		t.Errorf("%v", err)
	}
}

func TestNewNamesEveryMistake(t *testing.T) {
	_, err := wxapi.New(wxapi.Config{AppSecret: "", APIURL: "ftp://x", MPURL: "https://u:hunter2hunter2@x", MaxAnswer: -1})
	for _, part := range []string{"AppID is missing", "AppSecret is missing", "APIURL must be http", "MPURL must be a host", "negative"} {
		if err == nil || !strings.Contains(err.Error(), part) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q is not in %v", part, err)
		}
	}
}
