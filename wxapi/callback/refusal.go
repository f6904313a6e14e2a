package callback

import "errors"

// The reasons of a [Refusal]: stable codes for logs and metrics.
const (
	ReasonQueryMalformed = "query_malformed" // the query can't be parsed, or a signed value has another form than WeChat's
	ReasonQueryMissing   = "query_missing"   // a signed value is missing or empty
	ReasonQueryRepeated  = "query_repeated"  // a signed value is there twice
	ReasonMode           = "mode"            // plaintext to an account with an AES key, or the reverse
	ReasonSignature      = "signature"       // signature or msg_signature is wrong
	ReasonEncryptMissing = "encrypt_missing" // no Encrypt in the body of an encrypted request
	ReasonEnvelope       = "envelope"        // Encrypt doesn't open: another key, or not what WeChat makes
	ReasonAppID          = "appid"           // Encrypt opens, and was made for another account
)

// Refusal is the error for a request that isn't WeChat's: answer 403, the same body whatever the
// reason. Reason and Detail are for the log; neither holds a secret nor anything the caller sent.
type Refusal struct {
	Reason string // one of the Reason constants
	Detail string // one sentence for people
}

func (r *Refusal) Error() string { return "callback: refused (" + r.Reason + "): " + r.Detail }

func refuse(reason, detail string) *Refusal { return &Refusal{Reason: reason, Detail: detail} }

var (
	// ErrNoEcho is returned for an authentic URL check without echostr: answer 400.
	ErrNoEcho = errors.New("callback: the URL check has no echostr")

	// ErrEmptyBody is returned for an authentic POST without a body: answer 400.
	ErrEmptyBody = errors.New("callback: the body is empty")

	// ErrNoKey is returned when something is to be encrypted for an account without an AES key.
	ErrNoKey = errors.New("callback: the account has no AES key")
)
