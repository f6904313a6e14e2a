package wxsim

import (
	"slices"
	"strings"
)

// act does to the state what the message or event says, before it is pushed: WeChat knows first.
//
// WeChat only lets followers talk. So that a newcomer need not subscribe everybody first, whoever does something
// that only a follower can do becomes one, without an event.
func (p *Platform) act(in *inbound) {
	p.mu.Lock()
	defer p.mu.Unlock()
	openID, wall := in.FromUserName, p.clock.wall()
	switch strings.ToLower(in.Event) {
	case "unsubscribe":
		p.followers.leave(openID)
		return
	case "subscribe":
		scene, qrScene := subscribeScene(in.Value("EventKey"))
		p.allow(p.followers.follow(openID, wall, scene, qrScene), actFollow)
		return
	}
	if strings.HasPrefix(in.Event, "subscribe_msg_") {
		p.notices.answered(in.Message)
	}
	if !in.kind.Held {
		return // a job's result and the like: nobody did anything
	}
	f := p.followers.follow(openID, wall, "ADD_SCENE_OTHERS", "")
	if in.Event == "" {
		p.heard(in.Message, wall)
	}
	switch event := strings.ToLower(in.Event); {
	case event == "scan":
		p.allow(f, actScan)
	case slices.Contains([]string{"click", "scancode_push", "scancode_waitmsg"}, event):
		p.allow(f, actMenu)
	case event == "" && in.Value("bizmsgmenuid") != "":
		p.allow(f, actMenu) // a tap on a msgmenu message counts as one on the menu
		f.talked = p.clock.now()
	case event == "":
		p.allow(f, actMessage)
		f.talked = p.clock.now()
	}
}
