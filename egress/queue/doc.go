// Package queue gives the commands of a stream their turn and keeps what became
// of each. It knows no WeChat.
//
//	owner.go   which process owns the queue: a lease, a probe, an epoch
//	queue.go   one tenure: a consumer of its own, reader and workers
//	task.go    what a command is to the queue, and what comes of it
//	read.go    the stream, in its order
//	board.go   whose turn it is, of all commands that were read
//	lane.go    one lane per follower, in the stream's order
//	gate.go    what is paused, which others may pass
//	share.go   what hangs, which leaves half of the workers to others
//	clock.go   what comes due: waits, pauses, expiries
//	claim.go   what became of each command id, by compare-and-set
//	encode.go  a claim in JSON
//	page.go    the ends of several claims, in one write
//	bucket.go  how claims are written: as the client does, for many at once
//	acks.go    what is finished, off the queue
//
// One process owns the queue and the others stand by, because a consumer that
// is shared loses the order: a message that is put back lets later ones pass,
// and an ack is no fence. The owner reads the stream from its beginning through
// a consumer that is new with each takeover; the former owner's pulls and acks
// then go nowhere. What it learned by reading is in memory and comes again with
// the next takeover; what must not be lost is in the claims.
//
// A command that waits costs an entry of some 600 bytes and no goroutine, timer or
// payload: 200,000 took 121 MB of the process's memory, and did not delay those
// behind them (wxbridge bench backlog -size 200000). Reading stops when enough
// can run, but goes on behind an API that is paused or slow, so that others have
// their turn: up to a million commands are in memory then.
//
// A command that is finished (its claim is done, its result is stored) leaves its
// lane at once, and its ack goes out behind it. The server confirms each ack, and
// what is not confirmed within a second is acked again; a clean stop waits for
// that. If the process dies before, its heir gets the command again, finds the
// claim done, publishes the same result under the same id and acks it.
//
// A claim is an entry of the bucket under the SHA-256 of its id. It is created
// before the request is written, and while that is on its way the claim names a
// page; those that end at the same moment are written to it together, and the
// others under their own keys (page.go says what that does to the fence):
//
//	nats kv get WX_CLAIM $(printf %s order-42 | sha256sum | cut -d' ' -f1)
//
// shows one; wx.call.get_result looks at both places.
//
// Claims, acks and results that are published at the same moment go to the server
// in one write (Post, Store).
//
// What remains: a process that is frozen between its last look at the lease and
// the write of a request can send a command after its heir has sent a later one
// of the same lane. It can never send one twice: the claim is the fence for that.
package queue
