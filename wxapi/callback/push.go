package callback

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"time"
)

// Mode is the 消息加解密方式 (message encryption) chosen on the console.
type Mode string

// The three modes.
const (
	ModePlain      Mode = "plain"      // 明文模式: the body is the document
	ModeCompatible Mode = "compatible" // 兼容模式: the document and, beside it, its encrypted form
	ModeSafe       Mode = "safe"       // 安全模式: the encrypted form alone
)

// Push is one request as WeChat makes it, for simulators and tests.
type Push struct {
	Query       url.Values
	Body        []byte
	ContentType string
}

// NewPush returns what WeChat POSTs for document, signed with the account's current token. The
// openid parameter is left out when openID is empty. An account with an AES key can make plaintext
// pushes too, which it would itself refuse; without a key the encrypted modes are [ErrNoKey].
//
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
func (a *Account) NewPush(mode Mode, document []byte, openID string, now time.Time) (Push, error) {
	push := Push{Query: a.signedNow(now), Body: document, ContentType: "text/xml"}
	asJSON := startsAsJSON(document)
	if asJSON {
		push.ContentType = "application/json"
	}
	if openID != "" {
		push.Query.Set("openid", openID)
	}
	switch mode {
	case ModePlain:
		return push, nil
	case ModeCompatible, ModeSafe:
	default:
		return Push{}, fmt.Errorf("callback: no mode %q", string(mode))
	}
	if !a.Encrypted() {
		return Push{}, ErrNoKey
	}
	encrypt := a.keys[0].Encrypt(a.appID, document, random16())
	push.Query.Set("encrypt_type", "aes")
	push.Query.Set("msg_signature", Sign(a.tokens[0], push.Query.Get("timestamp"), push.Query.Get("nonce"), encrypt))
	push.Body = outside(mode, document, encrypt, asJSON)
	return push, nil
}

// NewURLCheck returns the query of WeChat's GET when the server configuration is saved.
func (a *Account) NewURLCheck(echostr string, now time.Time) url.Values {
	query := a.signedNow(now)
	query.Set("echostr", echostr)
	return query
}

func (a *Account) signedNow(now time.Time) url.Values {
	random := random16()
	timestamp := strconv.FormatInt(now.Unix(), 10)
	nonce := strconv.FormatUint(uint64(binary.BigEndian.Uint32(random[:])), 10)
	return url.Values{
		"signature": {Sign(a.tokens[0], timestamp, nonce)},
		"timestamp": {timestamp},
		"nonce":     {nonce},
	}
}

// outside wraps an Encrypt text as the mode says. A document that can't be read (a test may push
// anything) is wrapped without what would be copied from it.
func outside(mode Mode, document []byte, encrypt string, asJSON bool) []byte {
	var toUser string
	if m, err := Parse(document); err == nil {
		toUser = m.ToUserName
	}
	if asJSON {
		object := map[string]any{"ToUserName": toUser}
		if mode == ModeCompatible {
			var whole map[string]json.RawMessage
			if json.Unmarshal(document, &whole) == nil {
				for name, value := range whole {
					object[name] = value
				}
			}
		}
		object["Encrypt"] = encrypt
		body, err := json.Marshal(object)
		if err != nil {
			return nil // strings and checked raw messages always marshal
		}
		return body
	}
	var x xmlWriter
	end := bytes.LastIndex(document, []byte("</xml>"))
	if mode == ModeCompatible && end >= 0 {
		x.Write(document[:end])
		x.text("Encrypt", encrypt)
	} else {
		x.open("xml")
		x.text("ToUserName", toUser)
		x.text("Encrypt", encrypt)
	}
	x.close("xml")
	return x.Bytes()
}
