package wxsim

import (
	"strings"
	"testing"
	"time"
)

// fetch gets a token and what is left of it.
func (w *world) fetch(force bool) (string, int) {
	w.t.Helper()
	body := credentialsBody
	if force {
		body = strings.Replace(body, "{", `{"force_refresh":true,`, 1)
	}
	code, answer := w.raw("POST", "/cgi-bin/stable_token", body)
	if code != 0 {
		w.t.Fatalf("stable_token answered %v", answer)
	}
	return answer["access_token"].(string), int(answer["expires_in"].(float64))
}

// with makes a call with a token and returns the errcode.
func (w *world) with(token string) int {
	w.t.Helper()
	code, _ := w.raw("GET", "/cgi-bin/groups/get?access_token="+token, "")
	return code
}

// TestStableTokenStays: everybody gets the same token until five minutes before its end; then both work.
func TestStableTokenStays(t *testing.T) {
	w := newWorld(t, nil)
	first, left := w.fetch(false)
	if left != 7200 || w.with(first) != 0 {
		t.Fatalf("a new token has %d s and answers %d", left, w.with(first))
	}
	w.hand.forward(6855 * time.Second)
	if same, left := w.fetch(false); same != first || left != 345 {
		t.Errorf("345 s before its end: another token %v, %d s left", same != first, left)
	}
	w.hand.forward(50 * time.Second)
	second, left := w.fetch(false)
	if second == first || left != 7200 {
		t.Errorf("295 s before its end: the same token, %d s left", left)
	}
	if w.with(first) != 0 || w.with(second) != 0 {
		t.Errorf("in the overlap: old %d, new %d", w.with(first), w.with(second))
	}
	w.hand.forward(6 * time.Minute)
	if w.with(first) == 0 || w.with(second) != 0 {
		t.Errorf("after the overlap: old %d, new %d", w.with(first), w.with(second))
	}
	w.hand.forward(2 * time.Hour)
	if code := w.with(second); code != 42001 {
		t.Errorf("an expired token is answered %d, want 42001", code)
	}
}

// TestForcedRefresh: the old token is dead at once, but not more often than every 30 s and 20 times a day.
func TestForcedRefresh(t *testing.T) {
	w := newWorld(t, nil)
	first, _ := w.fetch(false)
	second, _ := w.fetch(true)
	if second == first || w.with(first) != 40001 || w.with(second) != 0 {
		t.Fatalf("after a forced refresh: old %d, new %d", w.with(first), w.with(second))
	}
	if same, _ := w.fetch(true); same != second {
		t.Error("a second forced refresh within 30 s made a new token")
	}
	tokens := map[string]bool{}
	for range 25 {
		w.hand.forward(31 * time.Second)
		token, _ := w.fetch(true)
		tokens[token] = true
	}
	if len(tokens) != 19 {
		t.Errorf("%d more forced refreshes in a day, want 19", len(tokens))
	}
}

// TestTokenSpacesAreIsolated: /cgi-bin/token replaces its own tokens and leaves the stable ones alone.
func TestTokenSpacesAreIsolated(t *testing.T) {
	w := newWorld(t, nil)
	stable, _ := w.fetch(false)
	legacy := func() string {
		code, answer := w.raw("GET", "/cgi-bin/token?grant_type=client_credential&appid="+testAppID+"&secret="+testSecret, "")
		if code != 0 {
			t.Fatalf("token answered %v", answer)
		}
		return answer["access_token"].(string)
	}
	one := legacy()
	two := legacy()
	if one == two || w.with(stable) != 0 || w.with(one) != 0 || w.with(two) != 0 {
		t.Errorf("stable %d, old %d, new %d", w.with(stable), w.with(one), w.with(two))
	}
	w.hand.forward(5 * time.Minute)
	if w.with(one) != 40001 || w.with(two) != 0 || w.with(stable) != 0 {
		t.Errorf("5 min later: stable %d, old %d, new %d", w.with(stable), w.with(one), w.with(two))
	}
	w.ExpireTokens()
	if w.with(two) != 42001 || w.with(stable) != 42001 {
		t.Errorf("after expiry: stable %d, new %d", w.with(stable), w.with(two))
	}
	if again, _ := w.fetch(false); again == stable {
		t.Error("an expired token was given out again")
	}
}

// TestTokenLimits: /cgi-bin/token has 2000 calls a day by default, and other APIs what a test sets.
func TestTokenLimits(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Limits = map[string]Limit{"get_groups": {PerMinute: 2, PerDay: 3}} })
	var codes []int
	for range 3 {
		code, _ := w.api("GET", "/cgi-bin/groups/get", "")
		codes = append(codes, code)
	}
	w.hand.forward(time.Minute)
	for range 2 {
		code, _ := w.api("GET", "/cgi-bin/groups/get", "")
		codes = append(codes, code)
	}
	w.hand.forward(24 * time.Hour)
	code, _ := w.api("GET", "/cgi-bin/groups/get", "")
	codes = append(codes, code)
	want := []int{0, 0, 45011, 0, 45009, 0}
	for i := range want {
		if codes[i] != want[i] {
			t.Fatalf("errcodes %v, want %v", codes, want)
		}
	}
	if limit := w.Limits()[nameLegacyToken]; limit.PerDay != 2000 {
		t.Errorf("limits = %+v", w.Limits())
	}
}
