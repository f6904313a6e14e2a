package callback

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"
)

// sealedReply is the body of an encrypted answer, as JSON. TimeStamp is a number and Nonce a string.
type sealedReply struct {
	Encrypt      string
	MsgSignature string
	TimeStamp    json.Number
	Nonce        string
}

// seal encrypts reply and wraps it as WeChat reads it, in XML or JSON.
func seal(key Key, appID, token, nonce string, reply []byte, asJSON bool, now time.Time) ([]byte, error) {
	encrypt := key.Encrypt(appID, reply, random16())
	timestamp := strconv.FormatInt(now.Unix(), 10)
	// 可以自己生成，也可以用URL参数的: both may be ours or the request's. The time is ours, the
	// nonce the request's, and it is these that are signed.
	signature := Sign(token, timestamp, nonce, encrypt)
	if asJSON {
		return json.Marshal(sealedReply{encrypt, signature, json.Number(timestamp), nonce})
	}
	var x xmlWriter
	x.Grow(len(encrypt) + 256) // the rest of it
	x.open("xml")
	x.raw("Encrypt", encrypt) // base64, and hex digits
	x.raw("MsgSignature", signature)
	x.bare("TimeStamp", timestamp)
	x.text("Nonce", nonce)
	x.close("xml")
	return x.Bytes(), nil
}

// OpenReply does what WeChat does with an encrypted answer: it verifies MsgSignature with the
// current token, decrypts with the current key and checks the AppID. In plaintext mode it returns
// body as it is. Its errors are [*Refusal].
func (a *Account) OpenReply(body []byte) ([]byte, error) {
	if !a.Encrypted() {
		return body, nil
	}
	body = bytes.TrimSpace(body)
	reply, ok := readSealed(body)
	if !ok || reply.Encrypt == "" {
		return nil, refuse(ReasonEncryptMissing, "the answer is not an encrypted one")
	}
	if signer(a.tokens[:1], reply.MsgSignature, string(reply.TimeStamp), reply.Nonce, reply.Encrypt) < 0 {
		return nil, refuse(ReasonSignature, "the answer's MsgSignature is wrong")
	}
	document, err := a.keys[0].Decrypt(a.appID, reply.Encrypt)
	switch {
	case err == nil:
		return document, nil
	case errors.Is(err, ErrAppID):
		return nil, refuse(ReasonAppID, "the answer is for another AppID")
	default:
		return nil, refuse(ReasonEnvelope, "the answer doesn't open with the AES key")
	}
}

// readSealed reads the outside of an encrypted answer.
func readSealed(body []byte) (sealedReply, bool) {
	var reply sealedReply
	if len(body) > 0 && body[0] == '{' {
		return reply, json.Unmarshal(body, &reply) == nil
	}
	root, err := readStrict(string(body)) // nobody has cleaned it
	if err != nil {
		return reply, false
	}
	for _, part := range root.kids {
		value := strings.TrimSpace(part.text)
		switch part.name {
		case "Encrypt":
			reply.Encrypt = value
		case "MsgSignature":
			reply.MsgSignature = value
		case "TimeStamp":
			reply.TimeStamp = json.Number(value)
		case "Nonce":
			reply.Nonce = value
		}
	}
	return reply, true
}

// maxTexts bounds how many texts one body can make us hash.
const maxTexts = 16

// encryptTexts returns what could be the Encrypt of a request's body, white space around it
// removed. The body is searched, not parsed: in compatible mode it holds the follower's words
// unescaped, which may look like any markup, also like an Encrypt. The signature tells which is
// WeChat's.
func encryptTexts(body []byte) []string {
	if body[0] == '{' {
		var object map[string]json.RawMessage
		var text string
		if json.Unmarshal(body, &object) != nil || json.Unmarshal(object["Encrypt"], &text) != nil {
			return nil
		}
		return []string{strings.TrimSpace(text)}
	}
	var texts []string
	rest := string(body)
	for len(texts) < maxTexts {
		_, after, ok := strings.Cut(rest, "<Encrypt>")
		if !ok {
			break
		}
		rest = after
		inner := strings.TrimPrefix(strings.TrimLeft(after, " \t\r\n"), "<![CDATA[")
		end := strings.IndexAny(inner, "<]")
		if end < 0 {
			break
		}
		tail := strings.TrimLeft(strings.TrimPrefix(inner[end:], "]]>"), " \t\r\n")
		if text := strings.TrimSpace(inner[:end]); text != "" && strings.HasPrefix(tail, "</Encrypt>") {
			texts = append(texts, text)
		}
	}
	return texts
}

// random16 returns the bytes that make two ciphertexts of one message differ.
func random16() (random [randomSize]byte) {
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	return random
}
