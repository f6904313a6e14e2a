package callback_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func TestNewNamesEveryWrongField(t *testing.T) {
	for _, c := range []struct {
		config callback.Config
		fields string
	}{
		{callback.Config{}, "AppID Token"},
		{
			callback.Config{AppID: "wx 1", Token: "tok\n", TokenPrevious: "s3 cret", AESKey: testKey[1:], AESKeyPrevious: testKey + "0"},
			"AppID Token TokenPrevious AESKey AESKeyPrevious",
		},
		{callback.Config{AppID: testAppID, Token: testToken, AESKey: testKey + "\n"}, "AESKey"},
		{callback.Config{AppID: testAppID, Token: testToken, AESKey: "\r\n" + testKey[2:]}, "AESKey"},
		{callback.Config{AppID: testAppID, Token: testToken, AESKey: strings.Repeat("!", 43)}, "AESKey"},
		{callback.Config{AppID: testAppID, Token: testToken, AESKey: testKey[:42] + "="}, "AESKey"},
		{callback.Config{AppID: testAppID, Token: testToken, AESKeyPrevious: testKey}, "AESKeyPrevious"},
		{callback.Config{AppID: testAppID, Token: strings.Repeat("t", 129)}, "Token"},
	} {
		_, err := callback.New(c.config)
		joined, ok := err.(interface{ Unwrap() []error })
		if !ok {
			t.Fatalf("New(%v) = %v, want joined errors", c.config, err)
		}
		var fields []string
		for _, e := range joined.Unwrap() {
			var wrong *callback.ConfigError
			if !errors.As(e, &wrong) {
				t.Fatalf("%v is no ConfigError", e)
			}
			fields = append(fields, wrong.Field)
		}
		if got := strings.Join(fields, " "); got != c.fields {
			t.Errorf("wrong fields %s, want %s", got, c.fields)
		}
		for _, secret := range []string{testKey[:10], "tok\n", "s3"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("the error holds a secret: %v", err)
			}
		}
	}
}

func TestSecretsDontPrint(t *testing.T) {
	c := callback.Config{AppID: testAppID, Token: "SeCrEt1", TokenPrevious: "SeCrEt2", AESKey: testKey, AESKeyPrevious: otherKey}
	a := newAccount(t, c)
	key, err := callback.ParseKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	printed := fmt.Sprintf("%v %+v %#v %s %v %+v %#v %s %v %+v %#v %s", c, c, c, c, a, a, a, a, key, key, key, key)
	for _, secret := range []string{"SeCrEt", testKey, otherKey, "105 183 29", "0x69, 0xb7"} {
		if strings.Contains(printed, secret) {
			t.Errorf("%q is in %s", secret, printed)
		}
	}
	if a.AppID() != testAppID || !a.Encrypted() || newAccount(t, plainConfig).Encrypted() {
		t.Error("AppID or Encrypted is wrong")
	}
}

// TestRotation: while the console is being changed, requests of both tokens and both keys are
// right, and each is answered with its own.
func TestRotation(t *testing.T) {
	receiver := newAccount(t, callback.Config{
		AppID: testAppID, Token: testToken, TokenPrevious: otherToken, AESKey: testKey, AESKeyPrevious: otherKey,
	})
	for _, c := range []struct {
		token, key             string
		previousToken, prevKey bool
	}{
		{testToken, testKey, false, false},
		{otherToken, testKey, true, false},
		{testToken, otherKey, false, true},
		{otherToken, otherKey, true, true},
	} {
		wechat := newAccount(t, callback.Config{AppID: testAppID, Token: c.token, AESKey: c.key})
		p, err := wechat.NewPush(callback.ModeSafe, []byte(aText), "", testTime)
		if err != nil {
			t.Fatal(err)
		}
		e, err := receiver.Open(p.Query.Encode(), p.Body)
		if err != nil {
			t.Fatal(err)
		}
		if e.PreviousToken != c.previousToken || e.PreviousKey != c.prevKey {
			t.Errorf("PreviousToken %v, PreviousKey %v, want %v, %v", e.PreviousToken, e.PreviousKey, c.previousToken, c.prevKey)
		}
		sealed, err := e.Seal([]byte("<xml></xml>"), testTime)
		if err != nil {
			t.Fatal(err)
		}
		if reply, err := wechat.OpenReply(sealed); err != nil || string(reply) != "<xml></xml>" {
			t.Errorf("WeChat reads %q, %v", reply, err)
		}
	}
	stranger := newAccount(t, callback.Config{AppID: testAppID, Token: "CCCCC", AESKey: testKey})
	p, err := stranger.NewPush(callback.ModeSafe, []byte(aText), "", testTime)
	if err != nil {
		t.Fatal(err)
	}
	_, err = receiver.Open(p.Query.Encode(), p.Body)
	wantRefusal(t, err, callback.ReasonSignature)
	// One token for both signatures: a mixture is nobody's.
	p.Query.Set("signature", callback.Sign(testToken, p.Query.Get("timestamp"), p.Query.Get("nonce")))
	_, err = receiver.Open(p.Query.Encode(), p.Body)
	wantRefusal(t, err, callback.ReasonSignature)
}
