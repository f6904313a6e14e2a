package callback_test

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// rawEncrypt encrypts bytes as they are, padding and all, with testKey: what Key.Encrypt never makes.
func rawEncrypt(t *testing.T, plain []byte) string {
	t.Helper()
	key, err := base64.RawStdEncoding.DecodeString(testKey)
	if err != nil {
		t.Fatal(err)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	out := make([]byte, len(plain))
	cipher.NewCBCEncrypter(block, key[:16]).CryptBlocks(out, plain)
	return base64.StdEncoding.EncodeToString(out)
}

// safeQuery signs an Encrypt text, whatever it is.
func safeQuery(encrypt string) string {
	return url.Values{
		"timestamp": {"1714112445"}, "nonce": {"415670741"}, "encrypt_type": {"aes"},
		"signature":     {callback.Sign(testToken, "1714112445", "415670741")},
		"msg_signature": {callback.Sign(testToken, "1714112445", "415670741", encrypt)},
	}.Encode()
}

// TestDecryptRefuses: whatever is wrong with an Encrypt text, the error is the same, and nothing panics.
func TestDecryptRefuses(t *testing.T) {
	key, err := callback.ParseKey(testKey)
	if err != nil {
		t.Fatal(err)
	}
	random, length := strings.Repeat("r", 16), func(n uint32) string {
		return string([]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)})
	}
	padded := func(s string) string {
		n := 32 - len(s)%32
		return s + strings.Repeat(string(rune(n)), n)
	}
	good := key.Encrypt(testAppID, []byte("<xml></xml>"), [16]byte([]byte(random)))
	bad := map[string]string{
		"not base64": "!!!!", "URL-safe alphabet": strings.Map(func(r rune) rune {
			if r == '+' || r == '/' {
				return '-'
			}
			return r
		}, key.Encrypt(testAppID, []byte(strings.Repeat("<xml></xml>", 20)), [16]byte{})),
		"a newline in it": good[:8] + "\n" + good[8:], "a blank in it": good[:8] + " " + good[8:],
		"no base64 padding": strings.TrimRight(good, "="), "half": good[:len(good)/2+1], "cut by a block": good[:43] + "=",
		"empty": "", "16 bytes": rawEncrypt(t, make([]byte, 16)), "10 MB": strings.Repeat("A", 10<<20),
		"not blocks":             base64.StdEncoding.EncodeToString(make([]byte, 33)),
		"padding 0":              rawEncrypt(t, []byte(strings.Repeat("\x00", 64))),
		"padding 33":             rawEncrypt(t, []byte(strings.Repeat("\x21", 64))),
		"padding 255":            rawEncrypt(t, []byte(strings.Repeat("\xff", 64))),
		"padding uneven":         rawEncrypt(t, []byte(random+length(6)+"<xml/>"+testAppID+"\x04\x05"+strings.Repeat("\x04", 2))),
		"all of it padding":      rawEncrypt(t, []byte(strings.Repeat("\x20", 32))),
		"no room for a length":   rawEncrypt(t, []byte(strings.Repeat("a", 19)+strings.Repeat("\x0d", 13))),
		"length 1 too many":      rawEncrypt(t, []byte(padded(random+length(uint32(len(testAppID)+3+1))+"abc"+testAppID))),
		"length 0xFFFFFFFF":      rawEncrypt(t, []byte(padded(random+length(0xFFFFFFFF)+"abc"+testAppID))),
		"length 0x80000000":      rawEncrypt(t, []byte(padded(random+length(0x80000000)+"abc"+testAppID))),
		"another key":            mustKey(t, otherKey).Encrypt(testAppID, []byte("<xml></xml>"), [16]byte{}),
		"only random and length": rawEncrypt(t, []byte(padded(random+length(9)))),
	}
	for name, encrypt := range bad {
		t.Run(name, func(t *testing.T) {
			if _, err := key.Decrypt(testAppID, encrypt); !errors.Is(err, callback.ErrEnvelope) {
				t.Errorf("Decrypt: %v, want ErrEnvelope", err)
			}
			a := newAccount(t, safeConfig)
			_, err := a.Open(safeQuery(strings.TrimSpace(encrypt)), []byte("<xml><Encrypt><![CDATA["+encrypt+"]]></Encrypt></xml>"))
			want := callback.ReasonEnvelope
			if encrypt == "" {
				want = callback.ReasonEncryptMissing
			}
			wantRefusal(t, err, want)
		})
	}
	for name, tail := range map[string]string{"another": "wxffffffffffffffff", "none": "", "its beginning": testAppID[:17], "more": testAppID + "0"} {
		encrypt := key.Encrypt(tail, []byte("<xml></xml>"), [16]byte{})
		if _, err := key.Decrypt(testAppID, encrypt); !errors.Is(err, callback.ErrAppID) {
			t.Errorf("AppID: %s: %v, want ErrAppID", name, err)
		}
	}
	// A length one short leaves a byte of the message before the AppID.
	encrypt := rawEncrypt(t, []byte(padded(random+length(2)+"abc"+testAppID)))
	if _, err := key.Decrypt(testAppID, encrypt); !errors.Is(err, callback.ErrAppID) {
		t.Errorf("length one short: %v, want ErrAppID", err)
	}
}

func mustKey(t testing.TB, s string) callback.Key {
	t.Helper()
	key, err := callback.ParseKey(s)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestEveryLength: padding is 1 to 32 bytes, 32 when the rest fills its blocks.
func TestEveryLength(t *testing.T) {
	key := mustKey(t, testKey)
	for n := range 200 {
		document := strings.Repeat("x", n)
		got, err := key.Decrypt(testAppID, key.Encrypt(testAppID, []byte(document), [16]byte{}))
		if err != nil || string(got) != document {
			t.Fatalf("%d bytes came back as %q, %v", n, got, err)
		}
	}
}

// TestEncryptIsFound: what msg_signature covers is found wherever it stands, and nothing else is believed.
func TestEncryptIsFound(t *testing.T) {
	a := newAccount(t, safeConfig)
	encrypt := mustKey(t, testKey).Encrypt(testAppID, []byte(aText), [16]byte{})
	fake := mustKey(t, testKey).Encrypt(testAppID, []byte("<xml>fake</xml>"), [16]byte{})
	element := "<Encrypt><![CDATA[" + encrypt + "]]></Encrypt>"
	quoted, err := json.Marshal(encrypt)
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"alone":           "<xml>" + element + "</xml>",
		"bare":            "<xml><Encrypt>" + encrypt + "</Encrypt></xml>",
		"blanks":          "<xml><Encrypt>\n<![CDATA[ " + encrypt + "\n ]]> </Encrypt></xml>",
		"after a BOM":     "\uFEFF <xml>" + element + "</xml>",
		"declaration":     `<?xml version="1.0"?><xml>` + element + "</xml>",
		"compatible":      strings.Replace(aText, "</xml>", element+"</xml>", 1),
		"Encrypt in text": "<xml><Content><![CDATA[<Encrypt><![CDATA[" + fake + "]]></Encrypt>]]></Content>" + element + "</xml>",
		"open in text":    "<xml><Content><![CDATA[<Encrypt>]]></Content>" + element + "<Content>]]></Encrypt></xml>",
		"control chars":   "<xml><Content><![CDATA[\x02\x10<x]]>\xff</Content>" + element + "</xml>",
		"JSON":            `{"ToUserName":"gh_x","Encrypt":` + string(quoted) + `}`,
		"JSON twice":      `{"Encrypt":"x","Encrypt":` + string(quoted) + `}`,
	} {
		e, err := a.Open(safeQuery(encrypt), []byte(body))
		if err != nil || string(e.Document) != aText {
			t.Errorf("%s: %+v, %v", name, e, err)
		}
	}
	many := "<xml>" + strings.Repeat("<Encrypt>x</Encrypt>", 1000) + element + "</xml>"
	_, err = a.Open(safeQuery(encrypt), []byte(many))
	wantRefusal(t, err, callback.ReasonSignature)
}

func TestSeal(t *testing.T) {
	a := newAccount(t, safeConfig)
	p, err := a.NewPush(callback.ModeSafe, []byte(aText), "", testTime)
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.Open(p.Query.Encode(), p.Body)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1714112446, 999)
	sealed, err := e.Seal([]byte("<xml>一</xml>"), now)
	if err != nil {
		t.Fatal(err)
	}
	var body struct {
		XMLName      xml.Name `xml:"xml"`
		Encrypt      string
		MsgSignature string
		TimeStamp    int64
		Nonce        string
	}
	if err := xml.Unmarshal(sealed, &body); err != nil {
		t.Fatal(err)
	}
	if body.TimeStamp != now.Unix() || body.Nonce != p.Query.Get("nonce") {
		t.Errorf("TimeStamp %d, Nonce %s, want the clock's and the request's", body.TimeStamp, body.Nonce)
	}
	if body.MsgSignature != callback.Sign(testToken, "1714112446", body.Nonce, body.Encrypt) {
		t.Error("MsgSignature isn't over the answer's own values")
	}
	for name, change := range map[string]func(string) string{
		callback.ReasonSignature:      func(s string) string { return strings.Replace(s, "<TimeStamp>17", "<TimeStamp>18", 1) },
		callback.ReasonEncryptMissing: func(string) string { return callback.Success },
	} {
		_, err := a.OpenReply([]byte(change(string(sealed))))
		wantRefusal(t, err, name)
	}
	other := newAccount(t, callback.Config{AppID: "wxffffffffffffffff", Token: testToken, AESKey: testKey})
	_, err = other.OpenReply(sealed)
	wantRefusal(t, err, callback.ReasonAppID)
	other = newAccount(t, callback.Config{AppID: testAppID, Token: testToken, AESKey: otherKey})
	_, err = other.OpenReply(sealed)
	wantRefusal(t, err, callback.ReasonEnvelope)
}

func TestSealPlain(t *testing.T) {
	a := newAccount(t, plainConfig)
	p, err := a.NewPush(callback.ModePlain, []byte(aText), "", testTime)
	if err != nil {
		t.Fatal(err)
	}
	e, err := a.Open(p.Query.Encode(), p.Body)
	if err != nil {
		t.Fatal(err)
	}
	if sealed, err := e.Seal([]byte("<xml/>"), testTime); err != nil || string(sealed) != "<xml/>" {
		t.Errorf("Seal = %s, %v", sealed, err)
	}
	if reply, err := a.OpenReply([]byte("<xml/>")); err != nil || string(reply) != "<xml/>" {
		t.Errorf("OpenReply = %s, %v", reply, err)
	}
}

// TestSealJSON: a JSON request has a JSON answer, TimeStamp a number and Nonce a string (E2).
func TestSealJSON(t *testing.T) {
	a := newAccount(t, safeConfig)
	document := `{"ToUserName":"gh_x","FromUserName":"oX","CreateTime":1714112445,"MsgType":"text","Content":"hi","MsgId":1}`
	for _, mode := range []callback.Mode{callback.ModeSafe, callback.ModeCompatible} {
		p, err := a.NewPush(mode, []byte(document), "oX", testTime)
		if err != nil {
			t.Fatal(err)
		}
		e, err := a.Open(p.Query.Encode(), p.Body)
		if err != nil || string(e.Document) != document || !e.JSON || e.ContentType() != "application/json" {
			t.Fatalf("Open = %+v, %v", e, err)
		}
		sealed, err := e.Seal([]byte(`{"demo_resp":"good luck"}`), testTime)
		if err != nil {
			t.Fatal(err)
		}
		var body struct {
			Encrypt, MsgSignature, Nonce string
			TimeStamp                    int64
		}
		if err := json.Unmarshal(sealed, &body); err != nil || body.TimeStamp != testTime.Unix() {
			t.Errorf("%s: %v", sealed, err)
		}
		if reply, err := a.OpenReply(sealed); err != nil || string(reply) != `{"demo_resp":"good luck"}` {
			t.Errorf("OpenReply = %s, %v", reply, err)
		}
	}
}
