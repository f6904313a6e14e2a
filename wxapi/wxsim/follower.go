package wxsim

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

// follower is one person and what they have to do with the account. Who has never followed isn't there.
type follower struct {
	openID    string
	following bool
	since     time.Time // of following
	order     int       // the how manieth to follow: user/get lists them in that order
	scene     string    // subscribe_scene
	qrScene   string    // of the code they followed by
	remark    string
	tags      []int64 // the first is also the follower's group
	blocked   bool
	blockedAs int // the how manieth to be put on the blacklist
	windows   map[action]*Allowance
	talked    time.Time // when a message last went either way, for typing
	typing    time.Time // until when the typing sign is shown
	inbox     []Seen
	seen      int
}

// Seen is one thing that a follower has seen in the conversation.
type Seen struct {
	N    int       `json:"n"` // counts from 1 for each follower
	Time time.Time `json:"time"`
	Kind SeenKind  `json:"kind"`
	// Text is what stands on the screen: the text itself, or a stand-in such as [image MEDIA_ID].
	Text string `json:"text"`
	// Message is what the account sent: a passive reply's elements (MsgType, Content, …), or a custom
	// message as it was posted (msgtype, text, …); null for a fault.
	Message json.RawMessage `json:"message"`
}

// SeenKind says how a message came to the follower.
type SeenKind string

// The kinds of [Seen].
const (
	SeenReply  SeenKind = "reply"  // a passive reply
	SeenCustom SeenKind = "custom" // a custom message
	SeenFault  SeenKind = "fault"  // WeChat's own line: see FaultLine

	SeenTemplate SeenKind = "template" // a template message
	SeenNotice   SeenKind = "notice"   // a subscription notification
	SeenMass     SeenKind = "mass"     // a mass message, or its preview
)

// FaultLine is what WeChat shows a follower whose message the account failed to answer.
const FaultLine = "该公众号提供的服务出现故障，请稍后再试"

// inboxKept bounds one follower's inbox; the oldest go first.
const inboxKept = 1_000

// action is what a follower does that allows custom messages for a while.
type action string

const (
	actMessage action = "message"
	actMenu    action = "menu"
	actFollow  action = "follow"
	actScan    action = "scan"
)

// Allowance is what is left of an action's custom messages. A new action of the same kind starts it anew.
type Allowance struct {
	Left  int       `json:"left"`
	Until time.Time `json:"until"` // by the clock that POST /_sim/clock moves
}

func (p *Platform) window(a action) Window {
	switch a {
	case actMenu:
		return p.cfg.MenuWindow
	case actFollow:
		return p.cfg.FollowWindow
	case actScan:
		return p.cfg.ScanWindow
	}
	return p.cfg.MessageWindow
}

// allow opens the window of an action.
func (p *Platform) allow(f *follower, a action) {
	w := p.window(a)
	f.windows[a] = &Allowance{Left: w.Count, Until: p.clock.now().Add(w.For)}
}

// spend takes one custom message from the window that closes first, and returns 0, 45015 when none is open or
// 45047 when the open ones are used up.
// https://developers.weixin.qq.com/doc/service/api/customer/message/api_sendcustommessage
func (f *follower) spend(now time.Time) int {
	code := 45015
	var use *Allowance
	for _, w := range f.windows {
		if !now.Before(w.Until) {
			continue
		}
		code = 45047
		if w.Left > 0 && (use == nil || w.Until.Before(use.Until)) {
			use = w
		}
	}
	if use == nil {
		return code
	}
	use.Left--
	return 0
}

func (f *follower) see(s Seen) {
	f.seen++
	s.N = f.seen
	f.inbox = append(f.inbox, s)
	if len(f.inbox) > inboxKept {
		f.inbox = slices.Delete(f.inbox, 0, inboxKept/2)
	}
}

// followers is everybody the account has ever had to do with. The platform's lock guards it.
type followers struct {
	all  map[string]*follower // by OpenID
	came int                  // how often somebody began to follow
	shut int                  // how often somebody was put on the blacklist
}

// follow makes openID a follower; who is one already stays as they are.
func (fs *followers) follow(openID string, at time.Time, scene, qrScene string) *follower {
	f := fs.all[openID]
	if f == nil {
		f = &follower{openID: openID, windows: map[action]*Allowance{}}
		fs.all[openID] = f
	}
	if !f.following {
		fs.came++
		f.following, f.since, f.order, f.scene, f.qrScene = true, at, fs.came, scene, qrScene
	}
	return f
}

// group is where groups/getid says that the follower is: groups are tags by an older name, and the blacklist is one.
func (f *follower) group() int64 {
	switch {
	case f.blocked:
		return groupBlacklist
	case len(f.tags) > 0:
		return f.tags[0]
	}
	return groupNone
}

func (f *follower) tagged(id int64) bool { return slices.Contains(f.tags, id) }

// leave ends following. Tags and remark are lost with it, and so is every right to send.
func (fs *followers) leave(openID string) {
	f := fs.all[openID]
	if f == nil {
		return
	}
	f.following, f.tags, f.remark = false, nil, ""
	clear(f.windows)
}

// sorted lists those who follow, in the order in which they came.
func (fs *followers) sorted() []*follower {
	list := make([]*follower, 0, len(fs.all))
	for _, f := range fs.all {
		if f.following {
			list = append(list, f)
		}
	}
	slices.SortFunc(list, func(a, b *follower) int { return a.order - b.order })
	return list
}

// deliver shows a follower something, and wakes whoever waits for it. The caller holds the lock.
func (p *Platform) deliver(f *follower, s Seen) {
	s.Time = p.clock.wall()
	if s.Kind == SeenReply || s.Kind == SeenCustom {
		f.talked, f.typing = p.clock.now(), time.Time{} // a message takes the typing sign away
	}
	f.see(s)
	close(p.news)
	p.news = make(chan struct{})
}

// validOpenID is the alphabet of OpenIDs. Real ones have 28 characters; shorter ones are easier to type.
func validOpenID(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"
	return s != "" && len(s) <= 64 && strings.Trim(s, letters) == ""
}
