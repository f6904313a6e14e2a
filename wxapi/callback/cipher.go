package callback

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
)

// WeChat's own numbers, from 消息加解密说明:
// https://developers.weixin.qq.com/doc/offiaccount/Message_Management/Message_encryption_and_decryption_instructions.html
const (
	keyLength   = 43 // characters of an EncodingAESKey
	randomSize  = 16 // random bytes before the message
	lengthSize  = 4  // its length, big endian
	padTo       = 32 // PKCS#7 unit; the cipher's own block is 16
	headerBytes = randomSize + lengthSize
)

// Errors of [Key.Decrypt].
var (
	// ErrEnvelope says that the text doesn't open, whatever the cause: one error, so that nothing can be asked of it.
	ErrEnvelope = errors.New("callback: the encrypted text doesn't open with this key")

	// ErrAppID says that the text opens and ends with another AppID.
	ErrAppID = errors.New("callback: the encrypted text is for another AppID")
)

// Key is an EncodingAESKey, decoded by [ParseKey]. It prints as "[redacted]".
type Key struct {
	raw    [32]byte
	cipher cipher.Block // of raw; made once, for a cipher costs more than a message
}

// ParseKey decodes an EncodingAESKey: 43 characters of base64 without padding. Its errors never
// hold the key.
func ParseKey(encodingAESKey string) (Key, error) {
	if n := len(encodingAESKey); n != keyLength {
		return Key{}, fmt.Errorf("must be %d characters, has %d", keyLength, n)
	}
	// AESKey=Base64_Decode(EncodingAESKey + "="): 43 characters carry 258 bits, and the last two
	// are dropped, set or not; so a strict decoder refuses three of four keys.
	raw, err := base64.RawStdEncoding.DecodeString(encodingAESKey)
	if err != nil || len(raw) != len(Key{}.raw) {
		return Key{}, errors.New("must be letters and digits only")
	}
	k := Key{raw: [32]byte(raw)}
	k.cipher, err = aes.NewCipher(k.raw[:])
	return k, err
}

// String hides the key.
func (Key) String() string { return "[redacted]" }

// GoString hides the key from %#v as well.
func (Key) GoString() string { return "callback.Key{[redacted]}" }

// iv is fixed, not random. 取AESKey前16字节: the key's first half.
func (k Key) iv() []byte { return k.raw[:aes.BlockSize] }

// Encrypt returns document as an Encrypt text for appID. The 16 random bytes come from the caller,
// so that published vectors can be repeated; take them from crypto/rand.
func (k Key) Encrypt(appID string, document []byte, random [16]byte) string {
	plain := make([]byte, 0, headerBytes+len(document)+len(appID)+padTo)
	plain = append(plain, random[:]...)
	plain = binary.BigEndian.AppendUint32(plain, uint32(len(document)))
	plain = append(plain, document...)
	plain = append(plain, appID...)
	// K为秘钥字节数（采用32）, Buf需要被填充为K的整数倍: to a multiple of 32, and by a whole 32
	// when nothing is missing.
	pad := padTo - len(plain)%padTo
	for range pad {
		plain = append(plain, byte(pad))
	}
	cipher.NewCBCEncrypter(k.cipher, k.iv()).CryptBlocks(plain, plain)
	return base64.StdEncoding.EncodeToString(plain)
}

// Decrypt opens an Encrypt text made for appID. Its errors are [ErrEnvelope] and [ErrAppID]. Check
// msg_signature first: CBC alone doesn't say who made the text.
func (k Key) Decrypt(appID, encrypt string) ([]byte, error) {
	// Go's decoder skips newlines; WeChat writes none.
	if !only(encrypt, isGraphic) {
		return nil, ErrEnvelope
	}
	plain, err := base64.StdEncoding.DecodeString(encrypt)
	if err != nil || len(plain) < padTo || len(plain)%aes.BlockSize != 0 {
		return nil, ErrEnvelope
	}
	cipher.NewCBCDecrypter(k.cipher, k.iv()).CryptBlocks(plain, plain)

	pad := int(plain[len(plain)-1])
	if pad < 1 || pad > padTo {
		return nil, ErrEnvelope
	}
	plain, padding := plain[:len(plain)-pad], plain[len(plain)-pad:]
	for _, b := range padding {
		if int(b) != pad {
			return nil, ErrEnvelope
		}
	}
	if len(plain) < headerBytes {
		return nil, ErrEnvelope
	}
	// Compared in 64 bits: the length field is an outsider's, up to 4 GiB.
	length, rest := uint64(binary.BigEndian.Uint32(plain[randomSize:])), plain[headerBytes:]
	if length > uint64(len(rest)) {
		return nil, ErrEnvelope
	}
	// random(16B)+ msg_len(4B) + msg + $AppId: what follows the message is the receiver's AppID.
	// The right key alone doesn't tell two accounts of one company apart.
	if string(rest[length:]) != appID {
		return nil, ErrAppID
	}
	return rest[:length:length], nil
}
