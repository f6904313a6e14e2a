package wxsim

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestMessageWindow: five messages in the 48 hours after a follower wrote; a new message starts anew.
func TestMessageWindow(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	if code := w.sendText("o_stranger", "hi"); code != 40003 {
		t.Errorf("to a stranger: %d", code)
	}
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	var codes []int
	for range 6 {
		codes = append(codes, w.sendText(alice, "hi"))
	}
	if want := []int{0, 0, 0, 0, 0, 45047}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v, want %v", codes, want)
	}
	w.push(alice, `{"MsgType":"text","Content":"more"}`)
	w.Advance(48*time.Hour - time.Second)
	if code := w.sendText(alice, "just in time"); code != 0 {
		t.Errorf("after 47:59:59: %d", code)
	}
	w.Advance(time.Second)
	if code := w.sendText(alice, "too late"); code != 45015 {
		t.Errorf("after 48 h: %d", code)
	}
	w.push(alice, `{"MsgType":"event","Event":"unsubscribe"}`)
	if code := w.sendText(alice, "come back"); code != 43004 {
		t.Errorf("to one who left: %d", code)
	}
	if inbox := w.Inbox(alice); len(inbox) != 6 || inbox[5].Text != "just in time" || inbox[5].N != 6 {
		t.Errorf("inbox = %+v", inbox)
	}
}

// TestMinuteWindows: three messages in the minute after a tap, a scan or a follow; what only the phone reports, or
// a link that was opened, allows none.
func TestMinuteWindows(t *testing.T) {
	for event, allowed := range map[string]int{
		`"CLICK"`: 3, `"SCAN"`: 3, `"subscribe"`: 3, `"scancode_waitmsg"`: 3, `"scancode_push"`: 3, `"VIEW"`: 0, `"LOCATION"`: 0,
	} {
		w := newWorld(t, nil)
		w.listen(testAESKey, success)
		w.push(alice, `{"MsgType":"event","Event":`+event+`}`)
		sent := 0
		for w.sendText(alice, "hi") == 0 {
			sent++
		}
		if sent != allowed {
			t.Errorf("%s allows %d messages, want %d", event, sent, allowed)
		}
		w.push(alice, `{"MsgType":"event","Event":`+event+`}`)
		w.Advance(time.Minute)
		if code := w.sendText(alice, "hi"); code != 45015 {
			t.Errorf("%s, a minute later: %d", event, code)
		}
	}
	// A tap on a msgmenu message is one on the menu, though it comes as a text.
	w := newWorld(t, func(c *Config) { c.MenuWindow = Window{1, time.Hour} })
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"yes","bizmsgmenuid":"101"}`)
	if first, second := w.sendText(alice, "1"), w.sendText(alice, "2"); first != 0 || second != 45047 {
		t.Errorf("after a msgmenu tap: %d, %d", first, second)
	}
}

// TestCustomMessageMistakes: each earns its own errcode, and none takes from what may be sent.
func TestCustomMessageMistakes(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"image","MediaId":"PIC"}`)
	w.push(alice, `{"MsgType":"voice","MediaId":"VOX"}`)
	article := `{"title":"a","url":"http://a"}`
	for message, want := range map[string]int{
		`"msgtype":"text"`:                                                                           44004,
		`"msgtype":"text","text":{"content":""}`:                                                     44004,
		`"msgtype":"text","text":{"content":"` + long(2049) + `"}`:                                   45002,
		`"msgtype":"hologram"`:                                                                       40008,
		`"text":{"content":"hi"}`:                                                                    40008,
		`"msgtype":"image","image":{"media_id":"nothing"}`:                                           40007,
		`"msgtype":"image","image":{"media_id":"VOX"}`:                                               40007,
		`"msgtype":"image"`:                                                                          41006,
		`"msgtype":"video","video":{"media_id":"PIC"}`:                                               40007,
		`"msgtype":"music","music":{"musicurl":"http://m"}`:                                          40007,
		`"msgtype":"news","news":{"articles":[]}`:                                                    44003,
		`"msgtype":"news","news":{"articles":[` + article + `,` + article + `]}`:                     45008,
		`"msgtype":"msgmenu","msgmenu":{"list":[]}`:                                                  44004,
		`"msgtype":"text","text":{"content":"` + long(2048) + `"}`:                                   0,
		`"msgtype":"image","image":{"media_id":"PIC"}`:                                               0,
		`"msgtype":"voice","voice":{"media_id":"VOX"}`:                                               0,
		`"msgtype":"news","news":{"articles":[` + article + `]}`:                                     0,
		`"msgtype":"msgmenu","msgmenu":{"head_content":"well?","list":[{"id":"1","content":"yes"}]}`: 0,
	} {
		code, _ := w.api("POST", "/cgi-bin/message/custom/send", `{"touser":"`+alice+`",`+message+`}`)
		if code != want {
			t.Errorf("%.60s: errcode %d, want %d", message, code, want)
		}
	}
	if n := len(w.Inbox(alice)); n != 5 {
		t.Errorf("%d messages arrived, want 5", n)
	}
}

func long(n int) string { return strings.Repeat("x", n) }

// TestTyping: the sign needs a fresh conversation, is shown once, and goes with the next message.
func TestTyping(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, success)
	typing := func(command string) int {
		code, _ := w.api("POST", "/cgi-bin/message/custom/typing", `{"touser":"`+alice+`","command":"`+command+`"}`)
		return code
	}
	w.push(alice, `{"MsgType":"event","Event":"VIEW","EventKey":"http://a"}`)
	codes := []int{typing("Typing")}
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	codes = append(codes, typing("Typing"), typing("Typing"), typing("CancelTyping"), typing("Typing"), typing("Dancing"))
	w.sendText(alice, "hi")
	codes = append(codes, typing("Typing"))
	w.Advance(31 * time.Second)
	codes = append(codes, typing("Typing"))
	if want := []int{45080, 0, 45081, 0, 0, 45072, 0, 45080}; !slices.Equal(codes, want) {
		t.Errorf("errcodes %v, want %v", codes, want)
	}
}
