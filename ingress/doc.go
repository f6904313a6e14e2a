// Package ingress moves WeChat's callbacks to the bus and holds each HTTP
// response open until somebody on the bus has answered.
//
// The file names in order are the path of a message:
//
//	handler.go   GET check, POST, the exact HTTP answers
//	receive.go   verify → open → parse → event
//	gate.go      room for one more?
//	fetch.go     with WX_MEDIA_FETCH: the message's file, through egress
//	store.go     publish; stored by us, or before us?
//	hold.go      wait for the decision, try by try
//	room.go      the waiters of one event and its log
//	answer.go    outcome first, then the bytes
//	render.go    a decision as the body of a response
//	doubt.go     an outcome whose ack was lost: did the follower get it?
//	respond.go   msg.respond of plain subscribers → the event's log
//	invalid.go   replies that are none → dead letters
//
// What it promises is §4 of the contract: a callback is answered only after its
// event is stored; the first deciding message in the stream's order decides;
// the outcome is stored before the bytes are written.
package ingress
