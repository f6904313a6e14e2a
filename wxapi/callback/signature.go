package callback

import (
	"crypto/sha1"
	"crypto/subtle"
	"encoding/hex"
	"net/url"
	"slices"
)

// Sign returns WeChat's signature over token and parts: 40 lower-case hex digits. With timestamp
// and nonce it is `signature`, with the Encrypt text as well it is `msg_signature`.
//
// https://developers.weixin.qq.com/doc/offiaccount/Basic_Information/Access_Overview.html
func Sign(token string, parts ...string) string {
	sum := digest(token, parts...)
	return hex.EncodeToString(sum[:])
}

func digest(token string, parts ...string) [sha1.Size]byte {
	// 将token、timestamp、nonce三个参数进行字典序排序，拼接成一个字符串进行sha1加密: sort byte by
	// byte, join without a separator, SHA-1.
	all := append(append(make([]string, 0, 4), token), parts...)
	slices.Sort(all)
	joined := make([]byte, 0, 1024) // most have room in it, and it costs nothing
	for _, s := range all {
		joined = append(joined, s...)
	}
	return sha1.Sum(joined)
}

// signer returns which of tokens made signature over parts, or -1. Its time depends on the number
// of tokens only: the digests compared are of one length, and no comparison is left out once one
// has matched.
func signer(tokens []string, signature string, parts ...string) int {
	if !isSignature(signature) {
		return -1
	}
	got, err := hex.DecodeString(signature)
	if err != nil {
		return -1
	}
	found := -1
	for i := len(tokens) - 1; i >= 0; i-- {
		want := digest(tokens[i], parts...)
		found = subtle.ConstantTimeSelect(subtle.ConstantTimeCompare(got, want[:]), i, found)
	}
	return found
}

// signedQuery holds the values of a request's query that signatures cover or are. The query's
// openid is covered by none, so nobody here looks at it.
type signedQuery struct {
	signature, timestamp, nonce string
	values                      url.Values
}

// readQuery parses a query and checks the form of what every request must carry.
func readQuery(rawQuery string) (signedQuery, error) {
	values, err := url.ParseQuery(rawQuery)
	if err != nil {
		return signedQuery{}, refuse(ReasonQueryMalformed, "the query can't be parsed")
	}
	q := signedQuery{values: values}
	for _, v := range []struct {
		name string
		ok   func(string) bool
		into *string
	}{
		{"signature", isSignature, &q.signature},
		{"timestamp", isTimestamp, &q.timestamp},
		{"nonce", isNonce, &q.nonce},
	} {
		if *v.into, err = q.one(v.name, v.ok); err != nil {
			return signedQuery{}, err
		}
	}
	return q, nil
}

// one returns the value of a parameter that must be there exactly once. Of a repeated one no two
// readers need take the same.
func (q signedQuery) one(name string, ok func(string) bool) (string, error) {
	all := q.values[name]
	switch {
	case len(all) == 0 || len(all) == 1 && all[0] == "":
		return "", refuse(ReasonQueryMissing, name+" is missing from the query")
	case len(all) > 1:
		return "", refuse(ReasonQueryRepeated, name+" is in the query more than once")
	case !ok(all[0]):
		return "", refuse(ReasonQueryMalformed, name+" doesn't have WeChat's form")
	}
	return all[0], nil
}

func isSignature(s string) bool {
	return len(s) == 2*sha1.Size && only(s, func(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' })
}

// isTimestamp wants exactly ten digits: timestamp and nonce are signed without a separator, so
// "1714037059"+"486452656" and "171403705"+"9486452656" have one signature.
func isTimestamp(s string) bool { return len(s) == 10 && only(s, isDigit) }

// isNonce is wider than the decimal digits that WeChat sends, for simulators.
func isNonce(s string) bool { return len(s) <= 128 && only(s, isGraphic) }
