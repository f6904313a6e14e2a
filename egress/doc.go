// Package egress executes the commands of the bus against WeChat.
//
// The file names in order are the path of a command:
//
//	queue/        whose turn it is, in which process, and what became of each command id
//	read.go       message → command: its row, its lane, its API
//	execute.go    claim → call → what came of it
//	decide.go     what an attempt means: a result, or again later
//	pause.go      APIs, or the account, that are not called for a while
//	rate.go       how often commands may call WeChat
//	result.go     the last step: claim, dead letter, result, ack
//	ends.go       results that the bus does not take yet
//	fit.go        what a result may repeat: all of it must fit into a message
//	call.go       wx.call.<verb>: the same verbs, answered at once
//	callonce.go   a call with an id, which is made once
//	getresult.go  wx.call.get_result: what became of a command
//	ledger.go     wx.call.get_quota: how many custom messages each follower may still get
//	redrive.go    wx.call.redrive: dead letters become commands again
//	media.go      files in the object store, by reference
//	token.go      the one access token of all replicas
//
// Beside the commands works the late worker, a file for each of its ideas:
//
//	late.go       the fold over events, logs and outcomes, and when it acts
//	latestory.go  what is done next about one event: the rule, pure
//	lateact.go    doing it; all of it may be done twice
//	lateclock.go  when a holder is taken for dead
//
// It turns replies that no callback could carry into commands, ends holds whose
// holders died, and keeps replies that count for nothing as dead letters (§4.5
// and §4.6 of the contract). If every egress is away for longer than
// WX_REPLY_WINDOW, late replies of that time are lost.
//
// What it promises is §5 of the contract: each accepted command has exactly one
// terminal result; a follower's commands are executed in the order stored; what
// is paused or stuck delays nobody else; what may have been executed is never sent again unless its
// sender asked for that or WeChat knows the repetition; what could not be known
// is called unknown. Of the workers that others do not have an API that hangs keeps half.
//
// The stream of commands takes a second message with the same Nats-Msg-Id for a
// copy, for ten minutes and whatever is in it; its ack says duplicate. Only after
// that is other data with a bare command's id an id_conflict. The helpers for Go
// and the CLI name verb and data in the Nats-Msg-Id too, so theirs always is.
//
// One replica at a time asks for the access token, five minutes before the old
// one ends; both work meanwhile. A token that WeChat refuses is compared with the
// one in use before another is asked for, and none is ever forced. When WeChat
// gives none, what it says pauses the account, stands in /readyz of every replica,
// and is tried again each minute.
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
