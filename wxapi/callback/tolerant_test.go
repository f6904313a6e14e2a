package callback_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func scan(result string) string {
	return "<EventKey><![CDATA[k]]></EventKey>\n<ScanCodeInfo>\n<ScanType><![CDATA[qrcode]]></ScanType>\n<ScanResult><![CDATA[" + result + "]]></ScanResult>\n</ScanCodeInfo>\n"
}

// hostile are words that leave their element, each in its own way. NAME stands for the element they are in.
var hostile = []string{
	"]]>",
	"a]]>b",
	"]]&gt;]]>&amp;",
	"<a><![CDATA[q]]></a>",
	"<xml><ToUserName><![CDATA[x]]></ToUserName></xml>",
	"]]></NAME>",
	"</NAME>]]></NAME>",
	"]]><![CDATA[",
	"]]><!-- ",
	"]]><!-- --><![CDATA[",
	"]]></NAME><FromUserName><![CDATA[oVictim]]></FromUserName><NAME><![CDATA[",
	"]]></NAME>\n<FromUserName><![CDATA[oVictim]]></FromUserName>\n<NAME><![CDATA[",
	"]]></NAME><FromUserName>oVictim</FromUserName><NAME><![CDATA[",
	"]]></NAME><MsgType><![CDATA[event]]></MsgType><Event><![CDATA[subscribe]]></Event><NAME><![CDATA[",
	"]]></NAME><Event><![CDATA[subscribe]]></Event><NAME><![CDATA[",
	"]]></NAME><EventKey><![CDATA[qrscene_1]]></EventKey><NAME><![CDATA[",
	"]]></NAME><MsgId>666</MsgId><NAME><![CDATA[",
	"]]></NAME><MsgId>666</MsgId></xml>",
	"]]></NAME><MsgId>666</MsgId></xml><xml><NAME><![CDATA[",
	"]]></NAME></xml><xml><NAME><![CDATA[",
	"]]></NAME><xml><NAME><![CDATA[",
	"]]><FromUserName>oVictim</FromUserName><![CDATA[",
	"]]></NAME><ToUserName>gh_other</ToUserName><CreateTime>1</CreateTime><NAME><![CDATA[",
	"]]></NAME><W><NAME><![CDATA[",
	"]]></NAME></W><FromUserName>oVictim</FromUserName><W><NAME><![CDATA[",
	"]]></NAME><?php ?><NAME><![CDATA[",
	"]]></NAME><!DOCTYPE x><NAME><![CDATA[",
	"]]></NAME><W a=\"",
	"\"/><NAME><![CDATA[",
}

// TestWordsStayWords: a follower may write what he likes; it is carried as he wrote it, and the
// message stays his, of its kind, with its id.
func TestWordsStayWords(t *testing.T) {
	link := func(title, description, url string) string {
		return doc("[text]", "[link]", "<Content><![CDATA[hi]]></Content>",
			"<Title><![CDATA["+title+"]]></Title>\n<Description><![CDATA["+description+"]]></Description>\n<Url><![CDATA["+url+"]]></Url>")
	}
	for name, c := range map[string]struct {
		document func(words string) string
		path     []string
		kind, id string
		others   map[string]string
	}{
		"text": {func(w string) string { return doc("hi", w) }, []string{"Content"}, "text", "24512345678901234", nil},
		"text from an article": {func(w string) string {
			return doc("hi", w, "</MsgId>", "</MsgId>\n<MsgDataId>1_1</MsgDataId>\n<Idx>1</Idx>\n<Unknown><![CDATA[u]]></Unknown>")
		}, []string{"Content"}, "text", "24512345678901234", map[string]string{"MsgDataId": "1_1", "Idx": "1", "Unknown": "u"}},
		"voice": {func(w string) string {
			return doc("[text]", "[voice]", "<Content><![CDATA[hi]]></Content>",
				"<MediaId><![CDATA[m]]></MediaId>\n<Format><![CDATA[amr]]></Format>\n<Recognition><![CDATA["+w+"]]></Recognition>")
		}, []string{"Recognition"}, "voice", "24512345678901234", map[string]string{"MediaId": "m", "Format": "amr"}},
		"location": {func(w string) string {
			return doc("[text]", "[location]", "<Content><![CDATA[hi]]></Content>",
				"<Location_X>23.1</Location_X>\n<Location_Y>113.3</Location_Y>\n<Scale>20</Scale>\n<Label><![CDATA["+w+"]]></Label>")
		}, []string{"Label"}, "location", "24512345678901234", map[string]string{"Location_X": "23.1", "Location_Y": "113.3", "Scale": "20"}},
		"link, last":  {func(w string) string { return link("t", "d", w) }, []string{"Url"}, "link", "24512345678901234", map[string]string{"Title": "t", "Description": "d"}},
		"link, first": {func(w string) string { return link(w, "d", "u") }, []string{"Title"}, "link", "24512345678901234", map[string]string{"Description": "d", "Url": "u"}},
		"scan":        {func(w string) string { return event("scancode_waitmsg", scan(w)) }, []string{"ScanCodeInfo", "ScanResult"}, "event_scancode_waitmsg", "", map[string]string{"EventKey": "k"}},
	} {
		for _, words := range hostile {
			words = strings.ReplaceAll(words, "NAME", c.path[len(c.path)-1])
			t.Run(name+"/"+words, func(t *testing.T) {
				m, err := callback.Parse([]byte(c.document(words)))
				var bad *callback.ParseError
				if errors.As(err, &bad) && bad.Reason == "trailing" && strings.Contains(words, "</xml>") {
					return // words that end the document make it unreadable
				}
				if err != nil {
					t.Fatal(err)
				}
				if got := m.Value(c.path...); got != words {
					// Two CDATA sections in one element are also how "]]>" is properly written.
					if m.Repaired || got != strings.ReplaceAll(words, "]]><![CDATA[", "") {
						t.Errorf("the words became %q", got)
					}
				}
				if m.Kind != c.kind || m.MsgID != c.id || m.CreateTime.Unix() != 1714112445 || m.ToUserName != "gh_0a1b2c3d4e5f" ||
					m.FromUserName != "oQx7t0aBcDeFgHiJkLmNoPqRsTu0" && m.FromUserName != "oX" {
					t.Errorf("the words changed the message: %+v", m)
				}
				for name, want := range c.others {
					if got := m.Value(name); got != want {
						t.Errorf("<%s> became %q", name, got)
					}
				}
				if strings.HasPrefix(m.Kind, "event") != strings.Contains(string(m.JSON()), `,"Event":`) {
					t.Errorf("an element was added: %s", m.JSON())
				}
			})
		}
	}
}

// TestWordsOfTwoElements: two elements of one message with words that work together.
func TestWordsOfTwoElements(t *testing.T) {
	link := func(title, url string) string {
		return doc("[text]", "[link]", "<Content><![CDATA[hi]]></Content>",
			"<Title><![CDATA["+title+"]]></Title>\n<Description><![CDATA[d]]></Description>\n<Url><![CDATA["+url+"]]></Url>")
	}
	for _, from := range append([]string{"t", "]]></Title><W><Title><![CDATA[", "]]></Title><!--", "]]></Title><W a='", "]]></Title><Url><![CDATA["}, hostile...) {
		for _, to := range append([]string{
			"]]></Url></W><Event>subscribe</Event><Url><![CDATA[", "--><Event>subscribe</Event><Url><![CDATA[",
			"]]></Title><Event>subscribe</Event><Url><![CDATA[", "]]></Title><FromUserName>oVictim</FromUserName><Title><![CDATA[",
			"]]></Title><MsgId>666</MsgId><Url><![CDATA[",
		}, hostile...) {
			title, url := strings.ReplaceAll(from, "NAME", "Title"), strings.ReplaceAll(to, "NAME", "Url")
			m, err := callback.Parse([]byte(link(title, url)))
			if err != nil {
				continue // unreadable is safe; it goes to the dead letters whole
			}
			if m.Kind != "link" || m.MsgID != "24512345678901234" || m.FromUserName != "oQx7t0aBcDeFgHiJkLmNoPqRsTu0" ||
				m.ToUserName != "gh_0a1b2c3d4e5f" || m.CreateTime.Unix() != 1714112445 || strings.Contains(string(m.JSON()), `,"Event":`) {
				t.Errorf("Title %q and Url %q make %s", title, url, m.JSON())
			}
		}
	}
	// An end that a routing element follows is no end: WeChat puts none between words.
	words := "]]></Title><Event>subscribe</Event><Url><![CDATA["
	m, err := callback.Parse([]byte(link("t", words)))
	if err != nil || m.Value("Title") != "t" || m.Value("Description") != "d" || m.Value("Url") != words {
		t.Errorf("Url %q makes %+v, %v", words, m, err)
	}
}

// TestWordsAtRandom makes the words of three elements of pieces of markup, 8,000 times. No
// combination may change the message, in the tolerant reader or past the strict one.
func TestWordsAtRandom(t *testing.T) {
	pieces := []string{
		"]]>", "]]>", "<![CDATA[", "<![CDATA[", "<Title>", "</Title>", "<Url>", "</Url>", "<Description>", "</Description>", "<W>", "</W>",
		"<Event>subscribe</Event>", "<FromUserName>oVictim</FromUserName>", "<MsgId>666</MsgId>", "<xml>", "</xml>", "<!--", "-->", "x", "\n", "<a/>", "&lt;",
	}
	random := rand.New(rand.NewPCG(1, 2))
	words := func() string {
		var s strings.Builder
		for range random.IntN(9) {
			s.WriteString(pieces[random.IntN(len(pieces))])
		}
		return s.String()
	}
	strict, repaired := 0, 0
	for range 8_000 {
		title, description, address := words(), words(), words()
		m, err := callback.Parse([]byte(doc("[text]", "[link]", "<Content><![CDATA[hi]]></Content>",
			"<Title><![CDATA["+title+"]]></Title>\n<Description><![CDATA["+description+"]]></Description>\n<Url><![CDATA["+address+"]]></Url>")))
		if err != nil {
			continue
		}
		if m.Repaired {
			repaired++
		} else {
			strict++
		}
		if m.Kind != "link" || m.MsgID != "24512345678901234" || m.FromUserName != "oQx7t0aBcDeFgHiJkLmNoPqRsTu0" ||
			m.CreateTime.Unix() != 1714112445 || m.Value("Event") != "" {
			t.Fatalf("%q, %q and %q make %s", title, description, address, m.JSON())
		}
	}
	if strict < 400 || repaired < 400 {
		t.Errorf("only %d documents were well-formed and %d repaired", strict, repaired)
	}
}

// TestWordsInUnknownElements: the table doesn't know which element holds words here. They can't take the place of what WeChat wrote.
func TestWordsInUnknownElements(t *testing.T) {
	for _, words := range hostile {
		words = strings.ReplaceAll(words, "NAME", "Weird")
		for _, document := range []string{
			doc("Content>", "Weird>", "hi", words),
			event("invented_tomorrow", "<EventKey>k</EventKey><Weird><![CDATA["+words+"]]></Weird>\n<More>1</More>"),
		} {
			m, err := callback.Parse([]byte(document))
			if err != nil {
				continue
			}
			if m.Kind != "text" && m.Kind != "event_invented_tomorrow" || strings.Contains(string(m.JSON()), "oVictim") && m.FromUserName == "oVictim" ||
				m.MsgID == "666" || m.CreateTime.Unix() != 1714112445 {
				t.Errorf("%q makes %s", words, m.JSON())
			}
		}
	}
	// CDATA and elements side by side are words, even where the CDATA is empty.
	words := "]]><a>1</a><![CDATA["
	m, err := callback.Parse([]byte(event("invented_tomorrow", "<Weird><![CDATA["+words+"]]></Weird>\n")))
	if err != nil || m.Value("Weird") != words || !m.Repaired {
		t.Errorf("the words became %+v, %v", m, err)
	}
}

// TestRepairIsBounded: the searches of the tolerant reader cost little, whatever the words.
func TestRepairIsBounded(t *testing.T) {
	for _, words := range []string{
		strings.Repeat("]]></Content>", 70_000), strings.Repeat("]]></Content><a>", 60_000), strings.Repeat("<a>1</a>", 110_000),
		"]]></Content>" + strings.Repeat("<a>1</a>", 110_000), "]]></Content>" + strings.Repeat("<![CDATA[", 100_000),
		"]]>" + strings.Repeat("<Content>", 100_000), strings.Repeat("<![CDATA[a]]>", 70_000),
	} {
		if m, err := callback.Parse([]byte(doc("hi", words))); err == nil && m.Value("Content") != words {
			t.Errorf("the words became another text of %d bytes", len(m.Value("Content")))
		}
	}
}
