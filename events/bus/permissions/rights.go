package permissions

import (
	"slices"
	"strings"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
)

// right is some subjects and what they are needed for.
type right struct {
	why      string
	subjects []string
}

// names makes the subjects of one prefix.
type names struct{ events.Prefix }

// branches are the filters of whole branches: wx.inbound.*.
func (n names) branches(all ...events.Branch) []string {
	var subjects []string
	for _, b := range all {
		subjects = append(subjects, n.Subject(b, "*"))
	}
	return subjects
}

// streams are the full names of streams.
func (n names) streams(all ...string) []string {
	var full []string
	for _, s := range all {
		full = append(full, n.Resource(s))
	}
	return full
}

func (n names) bucket(name string) string { return "KV_" + n.Resource(name) }
func (n names) objects() string           { return "OBJ_" + n.Resource(bus.BucketMedia) }
func (n names) originals() string         { return "OBJ_" + n.Resource(bus.BucketLetter) }

// all is every stream of the prefix, buckets as the streams that they are.
func (n names) all() []string {
	full := n.streams(bus.StreamInbound, bus.StreamReply, bus.StreamOutcome, bus.StreamCmd, bus.StreamResult, bus.StreamDLQ)
	for _, bucket := range []string{bus.BucketClaim, bus.BucketState, bus.BucketSecret, bus.BucketRedrive} {
		full = append(full, n.bucket(bucket))
	}
	return append(full, n.objects(), n.originals())
}

// api are the subjects of JetStream's API for a request about streams, such as
// STREAM.INFO; after is what follows the stream's name.
func api(request string, streams []string, after string) []string {
	var subjects []string
	for _, s := range streams {
		subjects = append(subjects, "$JS.API."+request+"."+s+after)
	}
	return subjects
}

// acks are the subjects on which messages of streams are acknowledged. The
// second form, with domain and account, is the one that newer servers announce;
// without it their acks would be refused, and every message come again for ever.
func acks(streams []string) []string {
	var subjects []string
	for _, s := range streams {
		subjects = append(subjects, "$JS.ACK."+s+".>", "$JS.ACK.*.*."+s+".>")
	}
	return subjects
}

// values are the subjects on which the values of a bucket or the files of the
// object store are written.
func (n names) values(bucket string) string { return "$KV." + n.Resource(bucket) + ".>" }
func (n names) files(bucket string) string  { return "$O." + n.Resource(bucket) + ".>" }

// consumers is all that reading a stream through consumers of one's own takes.
func consumers(streams []string) []string {
	var subjects []string
	for _, request := range []string{"CONSUMER.CREATE", "CONSUMER.INFO", "CONSUMER.MSG.NEXT", "CONSUMER.DELETE"} {
		subjects = append(subjects, api(request, streams, ".>")...)
	}
	return subjects
}

// ensure is what looking after the streams takes; creating them only with create.
func (n names) ensure(create bool) []right {
	rights := []right{{"the streams are looked at when it starts and after each connection", api("STREAM.INFO", n.all(), "")}}
	if create {
		rights = append(rights, right{
			"WX_STREAMS=create: what is missing is created, what is there cannot be changed so",
			append(api("STREAM.CREATE", n.all(), ""), "$JS.API.INFO"), // nats.go asks for limits before it makes a bucket
		})
	}
	return rights
}

// direct is reading a bucket's stream by key.
func direct(streams ...string) []string {
	return append(api("DIRECT.GET", streams, ""), api("DIRECT.GET", streams, ".>")...)
}

func (n names) ingress(create bool) role {
	return role{
		user: "ingress",
		publish: append([]right{
			{
				"follower messages; markers; answers of plain subscribers; how a hold ended; what cannot be read",
				n.branches(events.Inbound, events.Marks, events.Replies, events.Outcomes, events.DLQ),
			},
			n.keeps(),
			{"a reply that only a custom message can carry", []string{n.Subject(events.Cmd, "send_custom_message")}},
			{"WX_MEDIA_FETCH: the file of a follower's message", []string{n.Subject(events.Call, events.FetchVerb)}},
			{"the feed of replies", consumers(n.streams(bus.StreamReply))},
			{
				"the log of one key, the outcome that was first, the event that was stored",
				api("STREAM.MSG.GET", n.streams(bus.StreamReply, bus.StreamOutcome, bus.StreamInbound), ""),
			},
		}, n.ensure(create)...),
		subscribe: []right{{"acks, and answers of plain subscribers", []string{n.inbox("INGRESS") + ".>"}}},
	}
}

func (n names) egress(create bool) role {
	followed := n.streams(bus.StreamInbound, bus.StreamReply, bus.StreamOutcome)
	state := []string{n.bucket(bus.BucketClaim), n.bucket(bus.BucketState), n.bucket(bus.BucketSecret), n.bucket(bus.BucketRedrive)}
	return role{
		user: "egress", responds: true,
		publish: append([]right{
			{
				"results, what was refused, late replies; dead letters that are sent again",
				n.branches(events.Results, events.DLQ, events.Marks, events.Outcomes, events.Cmd),
			},
			n.keeps(),
			{"the queue of commands", slices.Concat(consumers(n.streams(bus.StreamCmd)), api("CONSUMER.NAMES", n.streams(bus.StreamCmd), ""), acks(n.streams(bus.StreamCmd)))},
			{"late replies follow what came, what was answered, and how it ended", consumers(followed)},
			{"the ledger of custom messages follows what came of them", consumers(n.streams(bus.StreamResult))},
			{"single messages by their number", api("STREAM.MSG.GET", append(followed, n.streams(bus.StreamCmd, bus.StreamResult, bus.StreamDLQ)...), "")},
			{
				"claims and recent media; the owner of the queue and pauses; the access token; which dead letters were sent again",
				append([]string{
					n.values(bus.BucketClaim), n.values(bus.BucketState), n.values(bus.BucketSecret), n.values(bus.BucketRedrive),
				}, direct(state...)...),
			},
			{"claims and the access token as the leader has them", api("STREAM.MSG.GET", []string{n.bucket(bus.BucketClaim), n.bucket(bus.BucketSecret)}, "")},
			{"watching who owns the queue", append(consumers([]string{n.bucket(bus.BucketState)}), "$JS.FC.>")},
			{"files", append([]string{n.files(bus.BucketMedia)}, direct(n.objects())...)},
			{"files and originals as the leader has them", api("STREAM.MSG.GET", []string{n.objects(), n.originals()}, "")},
			{"the parts of a file that was replaced", api("STREAM.PURGE", []string{n.objects()}, "")},
			{"is the owner of the queue alive?", []string{n.probe()}},
		}, n.ensure(create)...),
		subscribe: []right{
			{"calls, and who asks which services there are", append(n.branches(events.Call), "$SRV.>")},
			{"is the owner of the queue alive?", []string{n.probe()}},
			{"acks and answers", []string{n.inbox("EGRESS") + ".>"}},
		},
	}
}

// keeps is what storing an original takes that is too large for its dead letter.
func (n names) keeps() right {
	return right{"originals too large for a dead letter", slices.Concat(
		[]string{n.files(bus.BucketLetter)}, direct(n.originals()))}
}

// probe are the subjects on which the egress processes answer as long as they live.
func (n names) probe() string { return string(n.Prefix) + ".owner.*" }

// inbox is a role's own inbox prefix: with a common one, each could read the
// others' answers.
func (n names) inbox(role string) string { return "_INBOX_" + n.Resource(role) }

// heard is what an application may subscribe to as it is published.
func (n names) heard() []string {
	return n.branches(events.Inbound, events.Outcomes, events.Results, events.DLQ)
}

// reached is what an application may publish or ask. It is also all that its
// account can reach, whatever a user of it may do.
func (n names) reached() []right {
	read := n.streams(bus.StreamInbound, bus.StreamOutcome, bus.StreamResult, bus.StreamDLQ)
	shown := []string{n.bucket(bus.BucketState), n.bucket(bus.BucketRedrive), n.objects(), n.originals()}
	return []right{
		{"replies, commands, calls", n.branches(events.Replies, events.Cmd, events.Call)},
		{"consumers that the operator has created", append(append(api("CONSUMER.INFO", read, ".*"), api("CONSUMER.MSG.NEXT", read, ".*")...), acks(read)...)},
		{"single messages by their number", api("STREAM.MSG.GET", read, "")},
		{"what the streams are", append(api("STREAM.INFO", append(read, shown...), ""), "$JS.API.STREAM.NAMES", "$JS.API.INFO")},
		{"how long the id of a command is known", api("STREAM.INFO", n.streams(bus.StreamCmd), "")},
		{"pauses and quotas; which dead letters were sent again; files", direct(shown...)},
		{"files and originals as the leader has them", api("STREAM.MSG.GET", []string{n.objects(), n.originals()}, "")},
	}
}

// stores is what an application may do besides that stores files for commands.
// Who may store a file may also replace one, or all of them at once (a rollup).
func (n names) stores() right { return right{"files for commands", []string{n.files(bus.BucketMedia)}} }

func (n names) application(user string, more ...right) role {
	return role{
		user: user, responds: true,
		publish: append(n.reached(), more...),
		subscribe: []right{
			{"as a plain subscriber", n.heard()},
			{"acks and answers", []string{n.inbox(strings.ToUpper(user)) + ".>"}},
		},
	}
}
