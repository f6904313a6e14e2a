package events

import "time"

// OwnCall is a verb that no row of package wxapi has: the bridge answers it
// itself, on wx.call alone.
type OwnCall struct {
	Name string
	// Request is what a caller sends, and Response what the result's response is,
	// as zero values. Without a Response the result is another command's.
	Request, Response any
}

// The names of the bridge's own calls.
const (
	CallGetResult      = "get_result"
	CallGetQuota       = "get_quota"
	CallRedrive        = "redrive"
	CallGetAccessToken = "get_access_token"
)

// OwnCalls are the bridge's own calls, in the order of their names.
func OwnCalls() []OwnCall {
	return []OwnCall{
		{CallGetAccessToken, TokenQuery{}, Token{}},
		{CallGetQuota, QuotaQuery{}, Quota{}},
		{CallGetResult, ResultQuery{}, nil},
		{CallRedrive, RedriveRequest{}, Redriven{}},
	}
}

// What stands in the place of an outcome.
const (
	// Pending: there is no result yet, which get_result alone answers; class says
	// whether the command is being sent (sending), waits for its next try (wait) or has
	// not had its turn (not_found).
	Pending = "pending"
)

// ResultQuery asks get_result what became of a command: for 7 days it answers the
// command's result. Whoever publishes a command and wants its result asks for it,
// and need not read the results of everybody.
type ResultQuery struct {
	// ID is the command's.
	ID string `json:"id"`
	// WaitMS is how long to wait for the result if there is none yet, in
	// milliseconds, at most a minute.
	WaitMS int64 `json:"wait_ms,omitempty"`
}

// QuotaQuery asks get_quota how many custom messages a follower may still get, and
// what rests or is limited. Nobody else is asked; what WeChat counts itself is
// get_api_quota.
type QuotaQuery struct {
	// OpenID is the follower's; without it nothing is said of windows.
	OpenID string `json:"openid,omitempty"`
	// Verb is the one that pauses and rates are wanted of, for call_api with the path
	// (call_api/cgi-bin/…); without it those of all.
	Verb string `json:"verb,omitempty"`
}

// Quota is the response of get_quota.
type Quota struct {
	OpenID string `json:"openid,omitempty"`
	// Left is how many custom messages the follower's windows still allow, as far
	// as the bridge knows.
	Left    *int          `json:"left,omitempty"`
	Windows []QuotaWindow `json:"windows,omitempty"`
	Verb    string        `json:"verb,omitempty"`
	// CGIPath is what get_api_quota and clear_api_quota call the verb.
	CGIPath string `json:"cgi_path,omitempty"`
	// Rates are the limits of WX_RATE, by verb.
	Rates map[string]string `json:"rates,omitempty"`
	// Pauses are what rests now: of the verb, without one all.
	Pauses []QuotaPause `json:"pauses"`
}

// QuotaWindow is what is left of what one of the follower's deeds allowed.
type QuotaWindow struct {
	// After is the deed: message, menu, follow or scan.
	After string `json:"after"`
	// Left is how many custom messages it still allows.
	Left int `json:"left"`
	// Until is when the window closes.
	Until time.Time `json:"until"`
}

// QuotaPause says why an API, or the whole account, is not called for a while.
type QuotaPause struct {
	// API is the verb, for call_api with the path; left out it is the whole account.
	API string `json:"api,omitempty"`
	// Class is the action class of what WeChat said.
	Class string `json:"class"`
	// ErrCode is WeChat's errcode.
	ErrCode int       `json:"errcode,omitempty"`
	Reason  string    `json:"reason"`
	Since   time.Time `json:"since"`
	// Until is when one command tries whether it is over.
	Until time.Time `json:"until"`
}

// RedriveRequest asks redrive to send dead letters again, each as a new command
// that names the old one: the one with a sequence, or all that match everything
// that is named here. A letter is sent again once, however often it is asked for.
type RedriveRequest struct {
	// Sequence is one letter's in WX_DLQ.
	Sequence uint64 `json:"sequence,omitempty"`
	// Name is the verb or kind of the subject.
	Name string `json:"name,omitempty"`
	// Class is the dead letters'.
	Class string `json:"class,omitempty"`
	// Since bounds when the letters were stored, from this time on.
	Since time.Time `json:"since,omitzero"`
	// Until bounds when the letters were stored, up to this time.
	Until time.Time `json:"until,omitzero"`
	// All selects every letter.
	All bool `json:"all,omitempty"`
	// Unknown takes also those that WeChat may have executed already.
	Unknown bool `json:"unknown,omitempty"`
	// Rate is how many are sent again in a second: 1 to 1000, 10 if it is left out.
	Rate int `json:"rate,omitempty"`
	// Limit is how many are sent again at most, 0 for no limit.
	Limit int `json:"limit,omitempty"`
	// DryRun only tells what would be done.
	DryRun bool `json:"dry_run,omitempty"`
	// From is the first sequence to look at, 0 for the oldest.
	From uint64 `json:"from,omitempty"`
	// To is the last sequence to look at, 0 for the newest as the request comes.
	// Letters that come meanwhile are not looked at: what is sent again and fails
	// again would never end.
	To uint64 `json:"to,omitempty"`
}

// What became of a letter.
const (
	// LetterRedriven: it is a command again.
	LetterRedriven = "redriven"
	// LetterWouldBe: the same, if this was no dry run.
	LetterWouldBe = "would_be"
	// LetterAlready: it was sent again before.
	LetterAlready = "already"
	// LetterRefused: it cannot be, or shall not without being told so.
	LetterRefused = "refused"
)

// RedrivenLetter is what became of one letter.
type RedrivenLetter struct {
	Sequence uint64 `json:"sequence"`
	// Name is the verb or kind of its subject.
	Name string `json:"name"`
	// Command is the id of what it is about.
	Command string `json:"command,omitempty"`
	Did     string `json:"did"`
	// ID is the new command's.
	ID     string `json:"id,omitempty"`
	Reason string `json:"reason,omitempty"`
	// Notes say what of the original is not in the new command.
	Notes []string `json:"notes,omitempty"`
}

// Redriven is the response of redrive, which comes within some seconds. Where
// there is more to do it holds next: ask the same again with from = next and to =
// to, until it doesn't.
type Redriven struct {
	// Did counts the letters by what became of them.
	Did     map[string]int   `json:"did"`
	Letters []RedrivenLetter `json:"letters"`
	// Next is where to go on, left out when all is done.
	Next uint64 `json:"next,omitempty"`
	// To is the last sequence that is looked at.
	To uint64 `json:"to"`
}

// TokenQuery asks get_access_token for the account's token, for colleagues who
// call WeChat without the bridge. It is there only with WX_TOKEN_CALL: whoever may
// ask it has the account.
type TokenQuery struct {
	// Refused is a token that WeChat has refused: another one is wanted, if there is one.
	Refused string `json:"refused,omitempty"`
}

// Token is the response of get_access_token.
type Token struct {
	AccessToken string `json:"access_token"`
	// ExpiresIn is how long the token is valid, in seconds.
	ExpiresIn int `json:"expires_in"`
}
