package callback_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const aText = "<xml><ToUserName><![CDATA[gh_0a1b2c3d4e5f]]></ToUserName>\n" +
	"<FromUserName><![CDATA[oQx7t0aBcDeFgHiJkLmNoPqRsTu0]]></FromUserName>\n" +
	"<CreateTime>1714112445</CreateTime>\n<MsgType><![CDATA[text]]></MsgType>\n" +
	"<Content><![CDATA[hi]]></Content>\n<MsgId>24512345678901234</MsgId>\n</xml>"

// signAgain makes the signatures right for what a case has changed, so that the case fails for its own reason.
func signAgain(p *callback.Push, token string) {
	timestamp, nonce := p.Query.Get("timestamp"), p.Query.Get("nonce")
	p.Query.Set("signature", callback.Sign(token, timestamp, nonce))
	if _, rest, ok := strings.Cut(string(p.Body), "<Encrypt><![CDATA["); ok {
		encrypt, _, _ := strings.Cut(rest, "]]>")
		p.Query.Set("msg_signature", callback.Sign(token, timestamp, nonce, encrypt))
	}
}

// TestOpenRefuses changes one thing in a push that is right, in each mode.
func TestOpenRefuses(t *testing.T) {
	type change = func(p *callback.Push)
	set := func(name, value string) change { return func(p *callback.Push) { p.Query.Set(name, value) } }
	drop := func(name string) change { return func(p *callback.Push) { p.Query.Del(name) } }
	again := func(name, value string) change { return func(p *callback.Push) { p.Query.Add(name, value) } }
	resigned := func(name, value string) change {
		return func(p *callback.Push) { p.Query.Set(name, value); signAgain(p, testToken) }
	}
	type refusal struct {
		name   string
		change change
		want   string
	}
	var inEveryMode []refusal
	add := func(name string, c change, want string) { inEveryMode = append(inEveryMode, refusal{name, c, want}) }

	for _, name := range []string{"signature", "timestamp", "nonce"} {
		add(name+" missing", drop(name), callback.ReasonQueryMissing)
		add(name+" empty", set(name, ""), callback.ReasonQueryMissing)
		add(name+" twice", again(name, "1714112445"), callback.ReasonQueryRepeated)
		add(name+" as a PHP array", func(p *callback.Push) { p.Query.Set(name+"[]", p.Query.Get(name)); p.Query.Del(name) }, callback.ReasonQueryMissing)
	}
	right := callback.Sign(testToken, "1714112445", "415670741")
	for name, signature := range map[string]string{
		"upper case": strings.ToUpper(right), "39 characters": right[:39], "41 characters": right + "0", "not hex": "g" + right[1:],
		"10,000 characters": strings.Repeat("a", 10_000), "with NUL": right[:39] + "\x00", "blank before": " " + right, "blanks": strings.Repeat(" ", 40),
	} {
		add("signature "+name, set("signature", signature), callback.ReasonQueryMalformed)
	}
	add("signature of zeros", set("signature", strings.Repeat("0", 40)), callback.ReasonSignature)
	add("signature of another token", func(p *callback.Push) { signAgain(p, otherToken) }, callback.ReasonSignature)
	for name, timestamp := range map[string]string{
		"word": "abc", "negative": "-171411244", "exponent": "1e9", "2^63": "9223372036854775808", "20 digits": "17141124451714112445",
		"plus sign": "+171411244", "blank": " 171411244", "nine digits": "171411244", "hexadecimal": "0x12345678", "wide digits": "１７１４",
	} {
		add("timestamp "+name, resigned("timestamp", timestamp), callback.ReasonQueryMalformed)
	}
	// Joined without a separator, these sign alike: "1714112445"+"415670741" and "171411244"+"5415670741".
	add("timestamp and nonce split elsewhere", func(p *callback.Push) {
		nonce := p.Query.Get("nonce")
		p.Query.Set("timestamp", "171411244")
		p.Query.Set("nonce", "5"+nonce)
	}, callback.ReasonQueryMalformed)
	add("nonce of 10,000 characters", resigned("nonce", strings.Repeat("1", 10_000)), callback.ReasonQueryMalformed)
	add("nonce with a newline", resigned("nonce", "1\n2"), callback.ReasonQueryMalformed)

	inPlain := append([]refusal{
		{"aes", set("encrypt_type", "aes"), callback.ReasonMode},
		{"AES", set("encrypt_type", "AES"), callback.ReasonMode},
		{"empty encrypt_type", set("encrypt_type", ""), callback.ReasonMode},
		{"raw twice", func(p *callback.Push) { p.Query["encrypt_type"] = []string{"raw", "raw"} }, callback.ReasonMode},
	}, inEveryMode...)

	inSafe := append([]refusal{
		{"no encrypt_type", drop("encrypt_type"), callback.ReasonMode},
		{"raw", set("encrypt_type", "raw"), callback.ReasonMode},
		{"AES", set("encrypt_type", "AES"), callback.ReasonMode},
		{"aes and a blank", set("encrypt_type", "aes "), callback.ReasonMode},
		{"aes and raw", again("encrypt_type", "raw"), callback.ReasonMode},
		{"aes twice", again("encrypt_type", "aes"), callback.ReasonMode},
		{"no msg_signature", drop("msg_signature"), callback.ReasonQueryMissing},
		{"empty msg_signature", set("msg_signature", ""), callback.ReasonQueryMissing},
		{"msg_signature twice", again("msg_signature", right), callback.ReasonQueryRepeated},
		{"msg_signature too short", set("msg_signature", right[:39]), callback.ReasonQueryMalformed},
		{"msg_signature is signature", func(p *callback.Push) { p.Query.Set("msg_signature", p.Query.Get("signature")) }, callback.ReasonSignature},
		{"signature is msg_signature", func(p *callback.Push) { p.Query.Set("signature", p.Query.Get("msg_signature")) }, callback.ReasonSignature},
		{"msg_signature of another text", set("msg_signature", callback.Sign(testToken, "1714112445", "1", "x")), callback.ReasonSignature},
		{"plaintext body", func(p *callback.Push) { p.Body = []byte(aText) }, callback.ReasonEncryptMissing},
		{"Encrypt empty", body("<xml><Encrypt><![CDATA[]]></Encrypt></xml>"), callback.ReasonEncryptMissing},
		{"Encrypt in attributes", body(`<xml Encrypt="x"><Encrypt a="b">x</Encrypt></xml>`), callback.ReasonEncryptMissing},
		{"not XML", body("neither XML nor JSON"), callback.ReasonEncryptMissing},
		{"JSON without Encrypt", body(`{"ToUserName":"gh"}`), callback.ReasonEncryptMissing},
		{"JSON with a number", body(`{"Encrypt":1}`), callback.ReasonEncryptMissing},
		{"half of JSON", body(`{"Encrypt":"a`), callback.ReasonEncryptMissing},
	}, inEveryMode...)

	for mode, c := range map[callback.Mode]callback.Config{
		callback.ModePlain: plainConfig, callback.ModeSafe: safeConfig, callback.ModeCompatible: safeConfig,
	} {
		a := newAccount(t, c)
		refusals := inSafe
		if mode == callback.ModePlain {
			refusals = inPlain
		}
		for _, r := range refusals {
			t.Run(string(mode)+"/"+r.name, func(t *testing.T) {
				p, err := a.NewPush(mode, []byte(aText), "oQx7t0aBcDeFgHiJkLmNoPqRsTu0", testTime)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := a.Open(p.Query.Encode(), p.Body); err != nil {
					t.Fatalf("unchanged: %v", err)
				}
				r.change(&p)
				_, err = a.Open(p.Query.Encode(), p.Body)
				wantRefusal(t, err, r.want)
				for _, secret := range []string{testToken, testKey, string(p.Body)} {
					if strings.Contains(err.Error(), secret) {
						t.Errorf("the error holds a secret or the body: %v", err)
					}
				}
			})
		}
	}
}

func body(s string) func(*callback.Push) {
	return func(p *callback.Push) { p.Body = []byte(s) }
}

// TestOpenMode: the configuration alone says which mode is right, however well a request is signed.
func TestOpenMode(t *testing.T) {
	safe, plain := newAccount(t, safeConfig), newAccount(t, plainConfig)
	p, err := safe.NewPush(callback.ModePlain, []byte(aText), "", testTime)
	if err != nil {
		t.Fatal(err)
	}
	_, err = safe.Open(p.Query.Encode(), p.Body)
	wantRefusal(t, err, callback.ReasonMode)
	if _, err := plain.Open(p.Query.Encode(), p.Body); err != nil {
		t.Errorf("the same push to a plaintext account: %v", err)
	}
	p.Query.Set("encrypt_type", "raw")
	if _, err := plain.Open(p.Query.Encode(), p.Body); err != nil {
		t.Errorf("encrypt_type=raw to a plaintext account: %v", err)
	}
	for _, mode := range []callback.Mode{callback.ModeSafe, callback.ModeCompatible} {
		p, err := safe.NewPush(mode, []byte(aText), "", testTime)
		if err != nil {
			t.Fatal(err)
		}
		_, err = plain.Open(p.Query.Encode(), p.Body)
		wantRefusal(t, err, callback.ReasonMode)
	}
}

func TestOpenQueryMalformed(t *testing.T) {
	a := newAccount(t, plainConfig)
	query := a.NewURLCheck("1", testTime).Encode()
	for _, broken := range []string{query + "&%zz=1", query + "&a;b", "%"} {
		_, err := a.Open(broken, []byte(aText))
		wantRefusal(t, err, callback.ReasonQueryMalformed)
	}
}

func TestOpenEmptyBody(t *testing.T) {
	for _, c := range []callback.Config{plainConfig, safeConfig} {
		a := newAccount(t, c)
		query := a.NewURLCheck("1", testTime)
		query.Set("encrypt_type", map[bool]string{true: "aes", false: "raw"}[a.Encrypted()])
		for _, empty := range []string{"", " \r\n", "\uFEFF", "\uFEFF\n"} {
			if _, err := a.Open(query.Encode(), []byte(empty)); !errors.Is(err, callback.ErrEmptyBody) {
				t.Errorf("body %q: %v, want ErrEmptyBody", empty, err)
			}
		}
		query.Set("signature", strings.Repeat("0", 40))
		_, err := a.Open(query.Encode(), nil)
		wantRefusal(t, err, callback.ReasonSignature)
	}
}

func TestVerifyURL(t *testing.T) {
	for _, c := range []callback.Config{plainConfig, safeConfig} {
		a := newAccount(t, c)
		if echo, err := a.VerifyURL(a.NewURLCheck("4375120948345356249", testTime).Encode()); err != nil || echo != "4375120948345356249" {
			t.Errorf("VerifyURL = %q, %v", echo, err)
		}
		query := a.NewURLCheck("1", testTime)
		query.Del("echostr")
		for _, q := range []string{query.Encode(), query.Encode() + "&echostr="} {
			if _, err := a.VerifyURL(q); !errors.Is(err, callback.ErrNoEcho) {
				t.Errorf("without echostr: %v, want ErrNoEcho", err)
			}
		}
		for echo, reason := range map[string]string{
			"<script>": callback.ReasonQueryMalformed, "1\r\n2": callback.ReasonQueryMalformed, "\xff": callback.ReasonQueryMalformed,
			strings.Repeat("1", 1<<20): callback.ReasonQueryMalformed, "1\x00": callback.ReasonQueryMalformed,
		} {
			_, err := a.VerifyURL(a.NewURLCheck(echo, testTime).Encode())
			wantRefusal(t, err, reason)
		}
		_, err := a.VerifyURL(a.NewURLCheck("1", testTime).Encode() + "&echostr=2")
		wantRefusal(t, err, callback.ReasonQueryRepeated)
		// A bad signature is refused before echostr is looked at.
		for _, echo := range []string{"1", "<script>", ""} {
			bad := a.NewURLCheck(echo, testTime)
			bad.Set("signature", strings.Repeat("0", 40))
			_, err = a.VerifyURL(bad.Encode())
			wantRefusal(t, err, callback.ReasonSignature)
		}
		_, err = a.VerifyURL(url.Values{"echostr": {"1"}}.Encode())
		wantRefusal(t, err, callback.ReasonQueryMissing)
	}
}
