package callback

import (
	"bytes"
	"errors"
	"strings"
	"time"
)

// VerifyURL answers the check that WeChat makes when the server configuration is saved: a GET with
// echostr, signed, in clear text in every mode. It returns what to answer as text/plain. Its errors
// are [*Refusal] and [ErrNoEcho].
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
func (a *Account) VerifyURL(rawQuery string) (echostr string, err error) {
	q, err := readQuery(rawQuery)
	if err != nil {
		return "", err
	}
	if signer(a.tokens, q.signature, q.timestamp, q.nonce) < 0 {
		return "", refuse(ReasonSignature, "signature is wrong: is the token the console's?")
	}
	// 若确认此次GET请求来自微信服务器，请原样返回echostr参数内容. It isn't signed, and it is sent
	// back to whoever asks; so only what looks like WeChat's (19 digits) is.
	if values := q.values["echostr"]; len(values) == 0 || len(values) == 1 && values[0] == "" {
		return "", ErrNoEcho
	}
	return q.one("echostr", isEcho)
}

func isEcho(s string) bool {
	return len(s) <= 128 && only(s, func(c byte) bool { return isWord(c) || strings.IndexByte("+/=.~", c) >= 0 })
}

// Envelope is one authentic request, opened, and what is needed to answer it.
type Envelope struct {
	Document      []byte // WeChat's document: decrypted, or the body itself in plaintext mode
	JSON          bool   // the request was JSON; so is a sealed answer
	PreviousKey   bool   // it was opened with Config.AESKeyPrevious
	PreviousToken bool   // it was signed with Config.TokenPrevious

	appID, token, nonce string
	key                 *Key // nil in plaintext mode
}

// Open verifies a POST and decrypts it. The configuration alone says which mode is right; the
// request can't choose. Nothing of body is read before the signature has been checked. Its errors
// are [*Refusal] and [ErrEmptyBody].
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
func (a *Account) Open(rawQuery string, body []byte) (*Envelope, error) {
	q, err := readQuery(rawQuery)
	if err != nil {
		return nil, err
	}
	if err := a.checkMode(q); err != nil {
		return nil, err
	}
	by := signer(a.tokens, q.signature, q.timestamp, q.nonce)
	if by < 0 {
		return nil, refuse(ReasonSignature, "signature is wrong: is the token the console's?")
	}
	body = bytes.TrimSpace(bytes.TrimPrefix(body, utf8BOM))
	if len(body) == 0 {
		return nil, ErrEmptyBody
	}
	e := &Envelope{
		Document: body, JSON: body[0] == '{', PreviousToken: by > 0,
		appID: a.appID, token: a.tokens[by], nonce: q.nonce,
	}
	if !a.Encrypted() {
		return e, nil
	}
	if err := a.decrypt(e, q); err != nil {
		return nil, err
	}
	return e, nil
}

// checkMode refuses a plaintext request to an account with a key (anybody who has seen one
// signature could forge bodies), and the reverse.
func (a *Account) checkMode(q signedQuery) error {
	types := q.values["encrypt_type"]
	if a.Encrypted() {
		// encrypt_type：加密类型，为aes; absent or raw is plaintext.
		if len(types) != 1 || types[0] != "aes" {
			return refuse(ReasonMode, "the account has an AES key and the request isn't encrypt_type=aes: set 安全模式 on the console")
		}
		return nil
	}
	if len(types) > 1 || len(types) == 1 && types[0] != "raw" {
		return refuse(ReasonMode, "the request is encrypted and the account has no AES key")
	}
	return nil
}

// decrypt finds the text that msg_signature covers in e.Document and puts what it holds in its place.
func (a *Account) decrypt(e *Envelope, q signedQuery) error {
	msgSignature, err := q.one("msg_signature", isSignature)
	if err != nil {
		return err
	}
	texts := encryptTexts(e.Document)
	if len(texts) == 0 {
		return refuse(ReasonEncryptMissing, "the body has no Encrypt")
	}
	// msg_signature=sha1(sort(token、timestamp、nonce, msg_encrypt)): it covers the Encrypt text,
	// and nothing else of the body is believed. In compatible mode that also holds the message in
	// clear, the follower's words and all.
	signed := ""
	for _, text := range texts {
		if signer([]string{e.token}, msgSignature, q.timestamp, q.nonce, text) == 0 {
			signed = text
			break
		}
	}
	if signed == "" {
		return refuse(ReasonSignature, "msg_signature is wrong: was the body changed on its way?")
	}
	otherAccount := false
	for i := range a.keys {
		document, err := a.keys[i].Decrypt(a.appID, signed)
		if err == nil {
			e.Document, e.key, e.PreviousKey = document, &a.keys[i], i > 0
			return nil
		}
		otherAccount = otherAccount || errors.Is(err, ErrAppID)
	}
	if otherAccount {
		return refuse(ReasonAppID, "the message is for another AppID")
	}
	return refuse(ReasonEnvelope, "Encrypt doesn't open: is the AES key the console's?")
}

// Seal encrypts and signs a reply document with the key and the token that opened the request, and
// returns what to answer. In plaintext mode it returns reply as it is. [Success] is answered as it
// is in every mode; don't seal it.
func (e *Envelope) Seal(reply []byte, now time.Time) ([]byte, error) {
	if e.key == nil {
		return reply, nil
	}
	return seal(*e.key, e.appID, e.token, e.nonce, reply, e.JSON, now)
}

// ContentType returns the media type of what [Envelope.Seal] returns.
func (e *Envelope) ContentType() string {
	if e.JSON && e.key != nil {
		return "application/json"
	}
	return "application/xml; charset=utf-8"
}
