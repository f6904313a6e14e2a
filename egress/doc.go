// Package egress executes the commands of the bus against WeChat.
//
// The file names in order are the path of a command:
//
//	queue/       messages in, workers, and what became of each command id
//	execute.go   command → row → call
//	decide.go    what an attempt means: a result, or again later
//	result.go    the last step: claim, dead letter, result, ack
//	fit.go       what a result may repeat: all of it must fit into a message
//	call.go      wx.call.<verb>: the same verbs, answered at once
//	media.go     files in the object store, by reference
//	token.go     the one access token of all replicas
//	pause.go     what rests, and until when
//	rate.go      how often commands may call WeChat
//	ledger.go    how many custom messages each follower may still get
//
// What it promises is §5 of the contract: each accepted command has exactly one
// terminal result; what may have been executed is never sent again unless its
// sender asked for that or WeChat knows the repetition; what could not be known
// is called unknown.
//
// One replica at a time asks for the access token, five minutes before the old
// one ends; both work meanwhile. A token that WeChat refuses is compared with the
// one in use before another is asked for, and none is ever forced. When WeChat
// gives none, what it says pauses the account, stands in the readiness of every
// replica, and is tried again each minute.
//
// WX_RATE limits the commands of one verb, or of all together. A command without
// room waits for its place in time as one does that WeChat asked to come later:
// in its lane, so that its follower's later commands wait with it, and beside all
// others. wx.call is not limited, and a new owner of the queue begins with no debt.
//
// wx.call.get_quota tells what a follower's windows still allow. It reads what
// followers did in the last 48 hours and what became of the messages to them:
// from the first question on, some 95 bytes for each of those followers
// (go test ./egress -run '^$' -bench Ledger). It cannot know what people send on
// the console or other programs with the account's token, until WeChat refuses a
// message; a window's end is by the time at which the bridge stored the deed,
// some seconds after WeChat's.
package egress
