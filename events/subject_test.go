package events

import (
	"strings"
	"testing"
)

func TestPrefix(t *testing.T) {
	t.Parallel()
	for prefix, fine := range map[Prefix]bool{
		"wx": true, "wx.shop": true, "a_1.b.c": true, "0": true, Prefix(strings.Repeat("a", 64)): true,
		"": false, ".": false, "wx.": false, ".wx": false, "wx..shop": false, "Wx": false, "wx-shop": false,
		"wx.*": false, "wx.>": false, "wx shop": false, "微信": false, "wx\n": false, Prefix(strings.Repeat("a", 65)): false,
	} {
		if err := prefix.Validate(); (err == nil) != fine {
			t.Errorf("%q: %v", prefix, err)
		}
	}
}

func TestSubjectAndSplit(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		prefix  Prefix
		subject string
		branch  Branch
		name    string
		ok      bool
	}{
		{"wx", "wx.inbound.text", Inbound, "text", true},
		{"wx", "wx.reply.e-1_2", Replies, "e-1_2", true},
		{"wx", "wx.outcome.event_scan", Outcomes, "event_scan", true},
		{"wx.shop", "wx.shop.cmd.get_menu", Cmd, "get_menu", true},
		{"wx.shop", "wx.cmd.get_menu", "", "", false},
		{"wx", "wx.shop.cmd.get_menu", "", "", false}, // another account's
		{"wx", "wxx.inbound.text", "", "", false},
		{"wx", "wx.inbound", "", "", false},
		{"wx", "wx.inbound.", "", "", false},
		{"wx", "wx", "", "", false},
		{"wx", "", "", "", false},
	} {
		branch, name, ok := c.prefix.Split(c.subject)
		if branch != c.branch || name != c.name || ok != c.ok {
			t.Errorf("%q of %q: %q %q %t", c.subject, c.prefix, branch, name, ok)
		}
		if ok && c.prefix.Subject(branch, name) != c.subject {
			t.Errorf("%q does not come back", c.subject)
		}
		if !ok {
			continue
		}
		prefix, branch, name, ok := SplitSubject(c.subject)
		if prefix != c.prefix || branch != c.branch || name != c.name || !ok {
			t.Errorf("%q of any account: %q %q %q %t", c.subject, prefix, branch, name, ok)
		}
		if branch, name, ok := Prefix("").Split(c.subject); branch != c.branch || name != c.name || !ok {
			t.Errorf("%q of the empty prefix: %q %q %t", c.subject, branch, name, ok)
		}
	}
	for _, subject := range []string{"", "wx", "wx.inbound", ".inbound.text", "wx.inbound.", "wx..text", "wx..inbound.text", "WX.inbound.text", "wx.>.inbound.text"} {
		if prefix, branch, name, ok := SplitSubject(subject); ok {
			t.Errorf("%q: %q %q %q", subject, prefix, branch, name)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ got, want string }{
		{Prefix("wx").Resource("INBOUND"), "WX_INBOUND"},
		{Prefix("wx.shop").Resource("CMD"), "WX_SHOP_CMD"},
		{Prefix("wx").Subject(Replies, "*"), "wx.reply.*"},
		{Type(Inbound, "text"), "com.qq.weixin.mp.inbound.text"},
		{Type(Cmd, "get_menu"), "com.qq.weixin.mp.cmd.get_menu"},
		{Type(Replies, "e-1"), "com.qq.weixin.mp.reply"},
		{Type(Marks, ""), "com.qq.weixin.mp.mark"},
		{Schema(Inbound, "event_scan"), "urn:wxbridge:inbound.event_scan:1"},
		{Schema(Inbound, "event_invented_tomorrow"), "urn:wxbridge:inbound:1"},
		{Schema(Marks, "x"), "urn:wxbridge:mark:1"},
		{Schema(Outcomes, "text"), "urn:wxbridge:outcome:1"},
		{Schema(DLQ, "text"), "urn:wxbridge:dlq:1"},
		{Source("wx01"), "//mp.weixin.qq.com/wx01"},
	} {
		if c.got != c.want {
			t.Errorf("%q instead of %q", c.got, c.want)
		}
	}
}

func TestTypeThatDoesNotBelong(t *testing.T) {
	t.Parallel()
	for eventType, fine := range map[string]bool{
		"com.qq.weixin.mp.cmd.get_menu": true, "com.example.order": true, "com.qq.weixin": true, "": true,
		"com.qq.weixin.mp.cmd.create_menu": false, "com.qq.weixin.mp.reply": false, "com.qq.weixin.mp.": false,
	} {
		if err := checkType(Cmd, "get_menu", eventType); (err == nil) != fine {
			t.Errorf("%q: %v", eventType, err)
		}
	}
}
