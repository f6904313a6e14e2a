package egress

import (
	"slices"
	"strings"
	"time"

	"github.com/wxbridge/wxbridge/events"
)

// What a follower's deeds allow, as of 2026.
//
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
const (
	messageWindow = 48 * time.Hour
	messageCount  = 5
	minuteWindow  = time.Minute
	minuteCount   = 3
)

// deed is what changes how many custom messages a follower may get.
type deed uint8

const (
	noDeed      deed = iota
	deedMessage      // the follower has said something
	deedMenu         // tapped a menu, or an item of a msgmenu message
	deedFollow       // began to follow
	deedScan         // scanned a QR code
	deedLeave        // follows no more
	deedSent         // a custom message was sent, or may have been
	deedUsedUp       // WeChat says that none is left: 45047
	deedOver         // WeChat says that no window is open: 45015
)

// The names of the windows, by what opened them.
var windowNames = map[deed]string{deedMessage: "message", deedMenu: "menu", deedFollow: "follow", deedScan: "scan"}

// deedOf is what an inbound event means. Messages are all that is no event, also
// of kinds that WeChat invents tomorrow.
func deedOf(kind string) deed {
	switch kind {
	case "event_click", "event_scancode_push", "event_scancode_waitmsg":
		return deedMenu
	case "event_subscribe":
		return deedFollow
	case "event_scan":
		return deedScan
	case "event_unsubscribe":
		return deedLeave
	}
	if strings.HasPrefix(kind, "event_") {
		return noDeed
	}
	return deedMessage
}

// deedOfResult is what the end of a custom message means.
func deedOfResult(r events.Result) deed {
	switch {
	case r.ErrCode == 45047:
		return deedUsedUp
	case r.ErrCode == 45015:
		return deedOver
	case r.Outcome == events.ResultDone, r.Outcome == events.ResultUnknown:
		return deedSent
	}
	return noDeed
}

// stamp is a deed and when it was, in eight bytes: microseconds and the deed.
type stamp int64

const deedBits = 4

func stampOf(d deed, at time.Time) stamp { return stamp(at.UnixMicro()<<deedBits | int64(d)) }

func (s stamp) deed() deed    { return deed(s & (1<<deedBits - 1)) }
func (s stamp) at() time.Time { return time.UnixMicro(int64(s >> deedBits)) }

// mostStamps is from where on a follower's stamps are trimmed: 2 KB of them.
const mostStamps = 256

// note puts a stamp in its place, whatever the order in which the streams are
// read, and forgets what matters no more: what was over when the follower said
// something last.
func note(stamps []stamp, s stamp) []stamp {
	i, _ := slices.BinarySearch(stamps, s)
	stamps = slices.Insert(stamps, i, s)
	from := stamps[len(stamps)-1].at().Add(-messageWindow)
	for _, s := range slices.Backward(stamps) {
		if s.deed() != deedMessage {
			continue
		}
		if begin := s.at().Add(-minuteWindow); begin.After(from) {
			from = begin
		}
		break
	}
	old := 0
	for stamps[old].at().Before(from) {
		old++
	}
	return slices.Delete(stamps, 0, old)
}

// trim forgets windows that are over, each with all that was taken from it, where
// there are too many: nothing that was taken from a tap's minute may be taken from
// the message's 48 hours afterwards. So it wants stamps to which only later ones
// are added.
func trim(stamps []stamp) []stamp {
	if len(stamps) <= mostStamps {
		return stamps
	}
	kept := []stamp{stamps[len(stamps)-1]} // when that was, whatever it was
	for _, w := range opened(stamps) {
		kept = append(kept, w.story...)
	}
	slices.Sort(kept)
	return slices.Compact(kept)
}

// tells says whether a result of the time and kind of s was noted before.
func tells(stamps []stamp, s stamp) bool {
	const apart = 5 * time.Second // the clocks of NATS and of who called WeChat
	return slices.ContainsFunc(stamps, func(old stamp) bool {
		return old.deed() == s.deed() && old.at().Sub(s.at()).Abs() <= apart
	})
}

// window is one that is open, and which stamps made it what it is.
type window struct {
	events.QuotaWindow
	story []stamp
}

// opened is what is open at the last stamp, the window that closes first in front. A
// message is taken from that one: the bridge's guess, WeChat does not say.
func opened(stamps []stamp) []window {
	var open []window
	take := func(w *window, s stamp, left int) { w.Left, w.story = left, append(w.story, s) }
	for _, s := range stamps {
		at := s.at()
		open = slices.DeleteFunc(open, func(w window) bool { return !at.Before(w.Until) })
		switch d := s.deed(); d {
		case deedMessage, deedMenu, deedFollow, deedScan:
			w := window{events.QuotaWindow{After: windowNames[d], Left: minuteCount, Until: at.Add(minuteWindow).UTC()}, []stamp{s}}
			if d == deedMessage {
				w.Left, w.Until = messageCount, at.Add(messageWindow).UTC()
			}
			open = append(slices.DeleteFunc(open, func(old window) bool { return old.After == w.After }), w)
			slices.SortStableFunc(open, func(a, b window) int { return a.Until.Compare(b.Until) })
		case deedSent:
			if i := slices.IndexFunc(open, func(w window) bool { return w.Left > 0 }); i >= 0 {
				take(&open[i], s, open[i].Left-1)
			}
		case deedUsedUp:
			for i := range open {
				if open[i].Left > 0 {
					take(&open[i], s, 0)
				}
			}
		case deedLeave, deedOver:
			open = nil
		case noDeed:
		}
	}
	return open
}

// windows is what is left at a time.
func windows(stamps []stamp, now time.Time) (left []events.QuotaWindow) {
	for _, w := range opened(stamps) {
		if now.Before(w.Until) {
			left = append(left, w.QuotaWindow)
		}
	}
	return left
}
