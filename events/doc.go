// Package events is the vocabulary of the bus: the subjects, the CloudEvents
// on them, and the one rule that decides a held callback. It knows no NATS
// client and opens no connection, so a service may import it to build or read
// the events of a bridge without linking anything else.
//
// [ParseInbound] reads what a follower sent and [InboundEvent.Decode] gives the
// struct of its kind; [NewReply] answers it. [NewCommand] makes a command,
// [ParseResult] reads its result, [ParseOutcome] how a held event ended. They
// take and give a subject, headers and a body; any NATS client carries those, and
// [Header] has the form of nats.Header. The examples are whole programs but for
// the connection.
//
// # Subjects
//
// After the account's prefix there are always exactly two tokens:
//
//	wx.inbound.<kind>    a follower's message or event        (ingress publishes)
//	wx.reply.<key>       answers to one inbound event         (your service publishes)
//	wx.mark.<key>        the bridge's own markers             (the bridge only)
//	wx.outcome.<kind>    how a held event ended               (the bridge publishes)
//	wx.cmd.<verb>        a command                            (your service publishes)
//	wx.result.<verb>     the terminal result of a command     (egress publishes)
//	wx.dlq.<name>        what could not be processed, and why (the bridge publishes)
//	wx.call.<verb>       the same verbs as a NATS request     (egress answers)
//
// # Answering a follower
//
// An inbound event carries the subject to answer on in its extension
// wxreplyto. A plain NATS subscriber may respond to the message instead:
//
//	nats reply 'wx.inbound.text' 'hello'
//
// A reply is a customer-service message without touser, bare or in a
// CloudEvent, or bare text:
//
//	{"msgtype":"text","text":{"content":"hello"}}
//
// # Sending a command
//
// A command's data is WeChat's own request body for that API. Publish it on
// wx.cmd.<verb>; its one result arrives on wx.result.<verb>:
//
//	nats pub wx.cmd.send_custom_message '{"touser":"o…","msgtype":"text","text":{"content":"hi"}}' -H Nats-Msg-Id:order-42
//
// # Files
//
// A file is an object named media: {"base64":"…"} if it is small, or
// {"dataref":"nats-object://WX_MEDIA/<name>"} for one that lies in the object
// store, where it stays for 3 days. upload_media takes either and get_media
// answers the latter. With WX_MEDIA_FETCH an inbound image, voice or video has
// its file there already: see [InboundEvent.File]. When it could not be had in
// time the event has its MediaId alone, for get_media.
//
// Package bus moves these events over JetStream.
package events

//go:generate go generate ../wxapi
//go:generate go run ./internal/gen/contract
