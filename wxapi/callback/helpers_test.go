package callback_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const (
	testAppID  = "wx0123456789abcdef"
	testToken  = "AAAAA"
	testKey    = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
	otherToken = "BBBBB"
	otherKey   = "AdiqDDDvUNCeE1ZW5XJmjf9fqNBJpGBs4vL4cHKmHBS"
)

var (
	safeConfig  = callback.Config{AppID: testAppID, Token: testToken, AESKey: testKey}
	plainConfig = callback.Config{AppID: testAppID, Token: testToken}
	testTime    = time.Unix(1714112445, 0)
)

func newAccount(t testing.TB, c callback.Config) *callback.Account {
	t.Helper()
	a, err := callback.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func read(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// wantRefusal fails unless err is a Refusal for that reason.
func wantRefusal(t testing.TB, err error, reason string) {
	t.Helper()
	var refusal *callback.Refusal
	if !errors.As(err, &refusal) {
		t.Fatalf("error %v, want a Refusal (%s)", err, reason)
	}
	if refusal.Reason != reason {
		t.Fatalf("refused for %q (%s), want %q", refusal.Reason, refusal.Detail, reason)
	}
}
