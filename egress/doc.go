// Package egress executes the commands of the bus against WeChat.
//
// The file names in order are the path of a command:
//
//	queue/       one owner, a lane per follower, and what became of each command id
//	execute.go   command → row → call
//	decide.go    what an attempt means: a result, or again later
//	result.go    the last step: claim, dead letter, result, ack
//	fit.go       what a result may repeat: all of it must fit into a message
//	call.go      wx.call.<verb>: the same verbs, answered at once
//	media.go     files in the object store, by reference
//	token.go     the one access token of all replicas
//	pause.go     what WeChat does not take for a while, and why
//	late.go      late replies → commands; latestory.go is their rule
//
// What it promises is §5 of the contract: each accepted command has exactly one
// terminal result; what may have been executed is never sent again unless its
// sender asked for that or WeChat knows the repetition; what could not be known
// is called unknown. Commands for one follower are executed in the order stored.
// The late worker is its part of §4.
package egress
