// Package queue brings the commands of a stream to workers and keeps what
// became of each. It knows no WeChat.
//
//	queue.go   the consumer: messages in, workers, acks
//	claim.go   what became of each command id, by compare-and-set
//
// Today every egress process shares one durable consumer, and the claim is the
// fence that keeps two of them from sending one command. Commands for one
// follower are therefore not in order yet: the single owner of the queue and
// its lanes, which give the order, will live here too.
package queue
