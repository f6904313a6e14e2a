// Package wxapi calls the API of WeChat Official Accounts (微信公众平台).
//
// Everything WeChat offers is a [Row]: its name, path, types, kind of
// authentication, and what may be done after a failure, as one value. A row
// defined once gives a method of [Client] for Go programs and an entry of
// [Verbs] for programs that learn the verb at run time:
//
//	client, err := wxapi.New(wxapi.Config{AppID: "wx…", AppSecret: "…"})
//	…
//	_, err = client.SendCustomMessage(ctx, &wxapi.SendCustomMessageRequest{
//		ToUser: openID, MsgType: "text", Text: &wxapi.Text{Content: "hi"},
//	})
//
//	row, ok := wxapi.Lookup("send_custom_message")
//	result, err := client.CallJSON(ctx, row, []byte(`{"touser":"o…","msgtype":"text","text":{"content":"hi"}}`))
//
// # Errors
//
// Four types, told apart with [errors.As], say how far a call came:
//
//   - [*RequestError]: our own checks refused the data, nothing was sent.
//   - [*Error]: WeChat answered no. Code, Class and RID say what and why.
//   - [*TransportError]: the network failed. Written says whether WeChat may
//     have got the request all the same.
//   - [*AnswerError]: something answered, but it proves neither yes nor no.
//
// So the question "may I send it again?" has an answer:
//
//	var wrong *wxapi.RequestError
//	var refused *wxapi.Error
//	var lost *wxapi.TransportError
//	switch {
//	case errors.As(err, &wrong): // not executed; the data must change
//	case errors.As(err, &refused): // not executed; refused.Class says what helps
//	case errors.As(err, &lost) && !lost.Written: // not executed
//	default: // nobody can know
//	}
//
// No error, and nothing this package logs, contains the AppSecret, a token, an
// OpenID or a URL.
//
// # Answers
//
// A call that ends without an error was executed: WeChat said so with errcode 0,
// or gave what only success gives. Its answer has the form of the row's Response,
// in Go as in [Result].Response: WeChat writes some numbers as strings and back
// again. What WeChat adds stays, and an [ID], which has up to 64 bits, is text.
//
// # The access token
//
// The client fetches it (stable_token, never forced), renews it five minutes
// before it ends, and when WeChat refuses it compares it with the stored one
// before it fetches another; then the call is tried once more, not again.
// Replicas share one token through a [TokenStore].
package wxapi

//go:generate go run ./internal/gen/methods
