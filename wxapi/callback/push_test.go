package callback_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestNewPush: what the sending side makes, the receiving side reads, in every mode.
func TestNewPush(t *testing.T) {
	for mode, c := range map[callback.Mode]callback.Config{
		callback.ModePlain: plainConfig, callback.ModeSafe: safeConfig, callback.ModeCompatible: safeConfig,
	} {
		a := newAccount(t, c)
		p, err := a.NewPush(mode, []byte(aText), "oQx7t0aBcDeFgHiJkLmNoPqRsTu0", testTime)
		if err != nil {
			t.Fatal(err)
		}
		if p.Query.Get("openid") != "oQx7t0aBcDeFgHiJkLmNoPqRsTu0" || p.Query.Get("timestamp") != "1714112445" || p.ContentType != "text/xml" {
			t.Errorf("%s: %+v", mode, p)
		}
		if readable := strings.Contains(string(p.Body), "<Content>"); readable == (mode == callback.ModeSafe) {
			t.Errorf("%s: the body is %s", mode, p.Body)
		}
		if !strings.Contains(string(p.Body), "<ToUserName><![CDATA[gh_0a1b2c3d4e5f]]></ToUserName>") {
			t.Errorf("%s: no ToUserName in %s", mode, p.Body)
		}
		e, err := a.Open(p.Query.Encode(), p.Body)
		if err != nil || string(e.Document) != aText {
			t.Errorf("%s: Open = %+v, %v", mode, e, err)
		}
		if strings.Contains(p.Query.Encode(), "oQx7t0aBcDeFgHiJkLmNoPqRsTu0") {
			p.Query.Set("openid", "somebody else") // signed by nothing, so read by nobody
			if _, err := a.Open(p.Query.Encode(), p.Body); err != nil {
				t.Errorf("%s: another openid: %v", mode, err)
			}
		}
	}
}

// TestNewPushAnything: a test may push what is no message at all.
func TestNewPushAnything(t *testing.T) {
	a := newAccount(t, safeConfig)
	for _, document := range []string{"", "junk", "{", "{}", "</xml>", `<xml><!DOCTYPE x></xml>`} {
		for _, mode := range []callback.Mode{callback.ModeSafe, callback.ModeCompatible} {
			p, err := a.NewPush(mode, []byte(document), "", testTime)
			if err != nil {
				t.Fatal(err)
			}
			e, err := a.Open(p.Query.Encode(), p.Body)
			if err != nil || string(e.Document) != document {
				t.Errorf("%s %q: %+v, %v in %s", mode, document, e, err, p.Body)
			}
		}
	}
}

func TestNewPushRefuses(t *testing.T) {
	for _, mode := range []callback.Mode{callback.ModeSafe, callback.ModeCompatible} {
		if _, err := newAccount(t, plainConfig).NewPush(mode, []byte(aText), "", testTime); !errors.Is(err, callback.ErrNoKey) {
			t.Errorf("%s without a key: %v, want ErrNoKey", mode, err)
		}
	}
	if _, err := newAccount(t, safeConfig).NewPush("loud", []byte(aText), "", testTime); err == nil {
		t.Error("no error for a mode that isn't one")
	}
}
