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

// mostStamps bounds what is kept of one follower.
const mostStamps = 64

// note puts a stamp in its place, whatever the order in which the streams are
// read, and forgets what matters no more: what was over when the follower said
// something last.
func note(stamps []stamp, s stamp) []stamp {
	i, _ := slices.BinarySearch(stamps, s)
	stamps = slices.Insert(stamps, i, s)
	from := stamps[len(stamps)-1].at().Add(-messageWindow)
	for _, s := range stamps {
		if begin := s.at().Add(-minuteWindow); s.deed() == deedMessage && begin.After(from) {
			from = begin
		}
	}
	old := 0
	for old < len(stamps) && (stamps[old].at().Before(from) || len(stamps)-old > mostStamps) {
		old++
	}
	return slices.Delete(stamps, 0, old)
}

// windows is what is left at a time, the window that closes first in front. A
// message is taken from that one: the bridge's guess, WeChat does not say.
func windows(stamps []stamp, now time.Time) []events.QuotaWindow {
	var open []events.QuotaWindow
	for _, s := range stamps {
		at := s.at()
		open = slices.DeleteFunc(open, func(w events.QuotaWindow) bool { return !at.Before(w.Until) })
		switch d := s.deed(); d {
		case deedMessage, deedMenu, deedFollow, deedScan:
			w := events.QuotaWindow{After: windowNames[d], Left: minuteCount, Until: at.Add(minuteWindow).UTC()}
			if d == deedMessage {
				w.Left, w.Until = messageCount, at.Add(messageWindow).UTC()
			}
			open = append(slices.DeleteFunc(open, func(old events.QuotaWindow) bool { return old.After == w.After }), w)
			slices.SortStableFunc(open, func(a, b events.QuotaWindow) int { return a.Until.Compare(b.Until) })
		case deedSent:
			if i := slices.IndexFunc(open, func(w events.QuotaWindow) bool { return w.Left > 0 }); i >= 0 {
				open[i].Left--
			}
		case deedUsedUp:
			for i := range open {
				open[i].Left = 0
			}
		case deedLeave, deedOver:
			open = nil
		case noDeed:
		}
	}
	return slices.DeleteFunc(open, func(w events.QuotaWindow) bool { return !now.Before(w.Until) })
}
