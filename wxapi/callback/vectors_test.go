package callback_test

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"net/url"
	"path/filepath"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// vector is one file of testdata/vectors: values published by WeChat or by a peer's test, each
// naming its source. A new one needs no code, only a file.
type vector struct {
	ID, Kind, Source, Note           string
	Token, Timestamp, Nonce, Echostr string
	Signature, Encrypt, Plaintext    string
	EncodingAESKey                   string `json:"encoding_aes_key"`
	ReceiveID                        string `json:"receive_id"`
	MsgSignature                     string `json:"msg_signature"`
	Random16, Body                   string
	Noncestr, URL                    string
	JSAPITicket                      string `json:"jsapi_ticket"`
	Parts                            []string
}

func TestVectors(t *testing.T) {
	files, err := filepath.Glob("testdata/vectors/*.json")
	if err != nil || len(files) != 23 {
		t.Fatalf("%d vectors, want the 23 published ones (%v)", len(files), err)
	}
	run := map[string]func(*testing.T, vector){
		"get-signature":         getSignature,
		"plain-post-signature":  plainPost,
		"decrypt":               decrypt,
		"encrypt-deterministic": encryptDeterministic,
		"msg-signature-only":    msgSignature,
		"negative":              negative,
		"sha1-sorted":           sha1Sorted,
		// The next two are signed otherwise, elsewhere: here only their files are checked.
		"jsapi-signature":                     jsapiSignature,
		"sha1-joined-with-ampersand-unsorted": joined,
	}
	for _, file := range files {
		decoder := json.NewDecoder(bytes.NewReader(read(t, file)))
		decoder.DisallowUnknownFields()
		var v vector
		if err := decoder.Decode(&v); err != nil {
			t.Fatal(file, err)
		}
		t.Run(v.ID, func(t *testing.T) {
			if run[v.Kind] == nil {
				t.Fatalf("no test for kind %q", v.Kind)
			}
			run[v.Kind](t, v)
		})
	}
}

func (v vector) account(t *testing.T) *callback.Account {
	t.Helper()
	return newAccount(t, callback.Config{AppID: v.ReceiveID, Token: v.Token, AESKey: v.EncodingAESKey})
}

func (v vector) query() string {
	return url.Values{
		"signature": {callback.Sign(v.Token, v.Timestamp, v.Nonce)}, "timestamp": {v.Timestamp}, "nonce": {v.Nonce},
		"encrypt_type": {"aes"}, "msg_signature": {v.MsgSignature},
	}.Encode()
}

func (v vector) body() []byte {
	if strings.HasPrefix(v.Plaintext, "{") {
		return []byte(`{"ToUserName":"gh_97417a04a28d","Encrypt":"` + v.Encrypt + `"}`)
	}
	return []byte("<xml>\n    <ToUserName><![CDATA[gh_x]]></ToUserName>\n    <Encrypt><![CDATA[ " + v.Encrypt + " ]]></Encrypt>\n</xml>\n")
}

func getSignature(t *testing.T, v vector) {
	t.Helper()
	if got := callback.Sign(v.Token, v.Timestamp, v.Nonce); got != v.Signature {
		t.Errorf("signature %s, want %s", got, v.Signature)
	}
	a := newAccount(t, callback.Config{AppID: testAppID, Token: v.Token})
	query := url.Values{"signature": {v.Signature}, "timestamp": {v.Timestamp}, "nonce": {v.Nonce}, "echostr": {v.Echostr}}
	if echo, err := a.VerifyURL(query.Encode()); err != nil || echo != v.Echostr {
		t.Errorf("VerifyURL = %q, %v, want %q", echo, err, v.Echostr)
	}
}

func plainPost(t *testing.T, v vector) {
	t.Helper()
	a := newAccount(t, callback.Config{AppID: testAppID, Token: v.Token})
	query := url.Values{"signature": {v.Signature}, "timestamp": {v.Timestamp}, "nonce": {v.Nonce}}
	e, err := a.Open(query.Encode(), []byte(v.Body))
	if err != nil || string(e.Document) != v.Body {
		t.Fatalf("Open = %+v, %v", e, err)
	}
	m, err := callback.Parse(e.Document)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(m.JSON()); got != v.Body {
		t.Errorf("JSON = %s, want the document itself: %s", got, v.Body)
	}
}

func encryptDeterministic(t *testing.T, v vector) {
	t.Helper()
	key, err := callback.ParseKey(v.EncodingAESKey)
	if err != nil {
		t.Fatal(err)
	}
	if got := key.Encrypt(v.ReceiveID, []byte(v.Plaintext), [16]byte([]byte(v.Random16))); got != v.Encrypt {
		t.Errorf("Encrypt = %s, want %s", got, v.Encrypt)
	}
	if got, err := key.Decrypt(v.ReceiveID, v.Encrypt); err != nil || string(got) != v.Plaintext {
		t.Errorf("Decrypt = %q, %v, want %q", got, err, v.Plaintext)
	}
	if v.MsgSignature != "" {
		msgSignature(t, v)
	}
}

func decrypt(t *testing.T, v vector) {
	t.Helper()
	encryptDeterministic(t, v)
	if v.Signature != "" && callback.Sign(v.Token, v.Timestamp, v.Nonce) != v.Signature {
		t.Error("signature isn't the one of token, timestamp and nonce")
	}
	e, err := v.account(t).Open(v.query(), v.body())
	if err != nil || string(e.Document) != v.Plaintext {
		t.Fatalf("Open = %+v, %v, want %s", e, err, v.Plaintext)
	}
	// A receiver with another AppID must refuse (a peer's own test doesn't: see E14).
	other := newAccount(t, callback.Config{AppID: "1000005", Token: v.Token, AESKey: v.EncodingAESKey})
	_, err = other.Open(v.query(), v.body())
	wantRefusal(t, err, callback.ReasonAppID)
}

func msgSignature(t *testing.T, v vector) {
	t.Helper()
	if got := callback.Sign(v.Token, v.Timestamp, v.Nonce, v.Encrypt); got != v.MsgSignature {
		t.Errorf("msg_signature %s, want %s", got, v.MsgSignature)
	}
}

func negative(t *testing.T, v vector) {
	t.Helper()
	_, err := v.account(t).Open(v.query(), v.body())
	wantRefusal(t, err, callback.ReasonSignature)
	v.MsgSignature = callback.Sign(v.Token, v.Timestamp, v.Nonce, v.Encrypt)
	_, err = v.account(t).Open(v.query(), v.body())
	wantRefusal(t, err, callback.ReasonEnvelope)
}

func sha1Sorted(t *testing.T, v vector) {
	t.Helper()
	for _, order := range [][]string{{v.Parts[0], v.Parts[1]}, {v.Parts[1], v.Parts[0]}} {
		if got := callback.Sign(order[0], order[1]); got != v.Signature {
			t.Errorf("Sign(%q) = %s, want %s", order, got, v.Signature)
		}
	}
}

func jsapiSignature(t *testing.T, v vector) {
	t.Helper()
	v.Parts = []string{"jsapi_ticket=" + v.JSAPITicket, "noncestr=" + v.Noncestr, "timestamp=" + v.Timestamp, "url=" + v.URL}
	joined(t, v)
}

func joined(t *testing.T, v vector) {
	t.Helper()
	sum := sha1.Sum([]byte(strings.Join(v.Parts, "&")))
	if got := hex.EncodeToString(sum[:]); got != v.Signature {
		t.Errorf("signature %s, want %s", got, v.Signature)
	}
}
