package wxapi

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"
)

// Client calls the API of one account. It is safe for concurrent use.
type Client struct { //nolint:recvcheck // a copied Client must not print its secrets either
	config    Config
	api, mp   *url.URL
	transport http.RoundTripper // adds the credentials below everything else
	tokens    *tokens
	// ownTransport says that nobody else's transport is used, or wraps ours.
	ownTransport bool
}

// Format prints the client without its secrets, whatever the verb.
func (c Client) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "wxapi.Client(%s)", c.config.AppID) }

// Result is what came of a call.
type Result struct {
	Response json.RawMessage // WeChat's answer in the form of the row's Response, always an object: {} when there was none
	ErrMsg   string          // WeChat's errmsg without its rid, masked
	RID      string          // WeChat's id of the request; mostly refusals have one
	Requests int             // API requests written for this call; fetching the token is not counted
	Warnings []string        // JSON paths of fields that the row does not know; what of the answer was left out
}

// CallJSON makes one call with data as WeChat documents it for the verb. It
// checks the data, gets the access token, and tries once; only when WeChat
// refuses the token does it try once more with another.
//
// The error is a [*RequestError], [*Error], [*TransportError] or
// [*AnswerError]; the result is meaningful with each of them.
func (c *Client) CallJSON(ctx context.Context, row *Row, data []byte) (Result, error) {
	checked, err := row.Prepare(data)
	if err != nil {
		return Result{Response: json.RawMessage("{}"), Warnings: checked.Warnings}, err
	}
	return c.Do(ctx, checked)
}

// Do is CallJSON with data that were checked before. They are good for one call.
func (c *Client) Do(ctx context.Context, checked *Checked) (Result, error) {
	k := &call{Client: c, row: checked.row, secrets: mask{}.with(c.config.AppSecret)}
	k.result.Response, k.result.Warnings = json.RawMessage("{}"), checked.Warnings
	err := k.run(ctx, checked.in)
	k.learn(ctx, err)
	return k.result, err
}

// call is one CallJSON on its way.
type call struct {
	*Client
	row     *Row
	secrets mask
	wanted  string // Download: the media_id, for the file's name
	upload  []byte // Upload: the file
	in      *object
	recent  string    // what the answer is remembered under, "" for not at all
	began   time.Time // with recent: before anything was sent
	result  Result
}

// run: request → token → once → when the token was refused, once more.
func (k *call) run(ctx context.Context, in *object) error {
	k.secrets = k.secrets.with(in.text(k.row.Lane))
	for _, name := range k.row.secretFields() {
		k.secrets = k.secrets.with(in.text(name))
	}
	k.wanted = in.text("media_id")
	if k.row.Body == Local {
		return k.answerLocally(in)
	}
	if k.row.amend != nil {
		k.row.amend(k.Client, in)
	}
	if k.row.aim != nil {
		row, data, problem := k.row.aim(k.Client, k.row, in)
		if problem != nil {
			problem.Verb = k.row.Name
			return problem
		}
		k.row, in = row, data
	}
	if k.in = in; k.row.Body == Upload {
		var err error
		if k.upload, err = k.file(ctx, in, k.row.attach(in)); err != nil {
			return err
		}
	}
	if k.again(ctx, in) {
		return nil
	}
	req, err := k.request(in)
	if err != nil {
		return err
	}
	if k.row.Auth != AccountToken {
		return k.once(ctx, req, k.credential(in, ""))
	}
	token, err := k.tokens.get(ctx)
	if err != nil {
		return err
	}
	err = k.once(ctx, req, k.credential(in, token.Value))
	if refused, ok := errors.AsType[*Error](err); !ok || refused.Class != ClassToken {
		return err
	}
	// WeChat looks at the token first, so nothing has been executed: calling
	// again can't do anything twice. Only once: a loop burns the day's quota.
	token, err = k.tokens.replace(ctx, token)
	if err != nil {
		return err
	}
	return k.once(ctx, req, k.credential(in, token.Value))
}

func (k *call) answerLocally(in *object) error {
	answer, problem := k.row.local(k.Client, in)
	if problem != nil {
		problem.Verb = k.row.Name
		return problem
	}
	k.result.Response = encode(answer)
	return nil
}

// credential is the part of the query that nobody may see.
func (k *call) credential(in *object, token string) secret {
	query := url.Values{}
	for _, name := range k.row.secretFields() {
		query.Set(name, in.text(name))
	}
	switch k.row.Auth {
	case AccountToken:
		k.secrets = k.secrets.with(token)
		if len(query) == 0 { // of nearly all rows
			return secret("access_token=" + url.QueryEscape(token))
		}
		query.Set("access_token", token)
	case CallerToken: // it is one of the fields
	case AppSecret:
		query.Set("appid", k.config.AppID)
		query.Set(cmp.Or(k.row.secretName, "secret"), k.config.AppSecret)
	case AppID:
		query.Set("appid", k.config.AppID)
	}
	return secret(query.Encode())
}

// once makes one exchange and says what its answer means.
func (k *call) once(ctx context.Context, req *request, query secret) error {
	req.verb, req.secret, req.secrets = k.row.Name, query, k.secrets
	ctx, cancel := withTimeout(ctx, req.timeout)
	defer cancel()
	resp, err := k.attempt(ctx, req)
	if lost, ok := errors.AsType[*TransportError](err); !ok || lost.Written {
		k.result.Requests++
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := k.receive(ctx, resp)
	if answer != nil {
		k.keep(answer)
	}
	return err
}

// receive reads the answer in the way of its kind of body. The answer is also
// returned with WeChat's refusal.
func (k *call) receive(ctx context.Context, resp *http.Response) (*object, error) {
	if k.row.Body == Download {
		return k.download(ctx, resp)
	}
	body, err := k.readAll(ctx, resp)
	if err != nil {
		return nil, err
	}
	return k.judge(resp.StatusCode, body)
}

// judge is [judge] for this call. What had no place in the answer's form is told.
func (k *call) judge(status int, body []byte) (*object, error) {
	answer, lost, err := judge(k.row, status, body, k.secrets)
	for _, path := range lost[:min(len(lost), maxWarnings)] {
		k.result.Warnings = append(k.result.Warnings, join("response", path)+" is not what WeChat documents, and is left out")
	}
	return answer, err
}

// keep puts the answer into the result.
func (k *call) keep(answer *object) {
	k.result.ErrMsg, k.result.RID = splitRID(k.secrets.text(answer.text("errmsg"), maxErrMsg))
	if k.row.improve != nil {
		k.row.improve(answer)
	}
	k.result.Response = encode(answer)
}

// withTimeout ends a context with an error that says how long it has waited.
func withTimeout(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, noAnswer(d))
}

// noAnswer is the error of a call that has waited for so long.
type noAnswer time.Duration

func (d noAnswer) Error() string {
	return fmt.Sprintf("no answer within %s: %v", time.Duration(d), context.DeadlineExceeded)
}

func (noAnswer) Unwrap() error { return context.DeadlineExceeded }
