package callback

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

var legalToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

var weixinPage = regexp.MustCompile(`^https://(developers|iot)\.weixin\.qq\.com/\S+\.html$`)

func TestKindName(t *testing.T) {
	for _, c := range [][3]string{
		{"text", "", "text"},
		{"event", "subscribe", "event_subscribe"},
		{"event", "SCAN", "event_scan"},
		{"event", "TEMPLATESENDJOBFINISH", "event_templatesendjobfinish"},
		{"Event", "CLICK", "event_click"},
		{"sticker", "SCAN", "sticker"},
		{"event", "made up.*>", "event_made_up___"},
		{"event", "事件", "event___"},
		{"", "", "_"},
		{"event", "", "event_"},
		{"a.b", "", "a_b"},
		{"event", "\u212A", "event__"},
		{"a\xffb", "", "a_b"},
		{"event", strings.Repeat("x", 100), "event_" + strings.Repeat("x", 58)},
	} {
		if got := KindName(c[0], c[1]); got != c[2] {
			t.Errorf("KindName(%q, %q) = %q, want %q", c[0], c[1], got, c[2])
		}
	}
}

func TestKindTable(t *testing.T) {
	held := []string{
		"event_click", "event_location", "event_location_select", "event_pic_photo_or_album", "event_pic_sysphoto", "event_pic_weixin",
		"event_scan", "event_scancode_push", "event_scancode_waitmsg", "event_subscribe", "event_view", "event_view_miniprogram",
		"file", "image", "link", "location", "miniprogrampage", "shortvideo", "text", "video", "voice",
	}
	seen := map[string]bool{}
	var gotHeld []string
	for _, k := range Kinds() {
		if seen[k.Name] {
			t.Errorf("two rows of %s", k.Name)
		}
		seen[k.Name] = true
		if k.Held {
			gotHeld = append(gotHeld, k.Name)
		}
		if k.Name != KindName(k.MsgType, k.Event) || !legalToken.MatchString(k.Name) {
			t.Errorf("%s: the name isn't KindName(%q, %q)", k.Name, k.MsgType, k.Event)
		}
		if !weixinPage.MatchString(k.Doc) || !strings.HasSuffix(k.Summary, ".") {
			t.Errorf("%s: Doc %q, Summary %q", k.Name, k.Doc, k.Summary)
		}
		if want := map[bool]int{true: 8, false: 1}[k.MsgType == "event"]; k.NewsLimit != want {
			t.Errorf("%s: NewsLimit %d, want %d", k.Name, k.NewsLimit, want)
		}
		if found, ok := LookupKind(k.Name); !ok || found.Name != k.Name {
			t.Errorf("LookupKind(%s) = %+v, %v", k.Name, found, ok)
		}
	}
	if !slices.Equal(gotHeld, held) {
		t.Errorf("held are %v, want %v", gotHeld, held)
	}
}

func TestLookupKindWithoutRow(t *testing.T) {
	if k, ok := LookupKind("sticker"); ok || k.Name != "sticker" || !k.Held || k.NewsLimit != 1 || len(k.Fields) == 0 {
		t.Errorf("%+v, %v", k, ok)
	}
	if k, ok := LookupKind("event_invented_tomorrow"); ok || k.Name != "event_invented_tomorrow" || k.Held || k.NewsLimit != 8 {
		t.Errorf("%+v, %v", k, ok)
	}
}

// TestNamesMeanOneThing: elements are read by their name alone, so it must mean the same in every kind.
func TestNamesMeanOneThing(t *testing.T) {
	var check func(kind string, fields []Field)
	check = func(kind string, fields []Field) {
		for _, f := range fields {
			other := known[f.Name]
			if other.Type != f.Type || other.Repeated != f.Repeated || other.free() != f.free() {
				t.Errorf("%s: <%s> is another thing elsewhere", kind, f.Name)
			}
			if (f.Type == TypeObject) != (len(f.Fields) > 0) || !isElementName(f.Name) {
				t.Errorf("%s: <%s> is %s and has %d fields", kind, f.Name, f.Type, len(f.Fields))
			}
			check(kind, f.Fields)
		}
	}
	for _, k := range Kinds() {
		check(k.Name, k.Fields)
	}
}
