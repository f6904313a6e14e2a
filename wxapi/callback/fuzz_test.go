package callback_test

import (
	"encoding/json"
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var legalToken = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// FuzzOpen sends requests, half of them signed rightly so that what is behind the signature is
// reached. What opens is what was signed; nothing else is an error of another type, or a panic.
func FuzzOpen(f *testing.F) {
	safe, plain := newAccount(f, safeConfig), newAccount(f, plainConfig)
	for _, document := range samples(f) {
		for _, mode := range []callback.Mode{callback.ModePlain, callback.ModeSafe, callback.ModeCompatible} {
			p, err := safe.NewPush(mode, document, "oX", testTime)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(p.Query.Encode(), p.Body, mode == callback.ModePlain)
		}
	}
	f.Add("signature=1&timestamp=2&nonce=3&encrypt_type=aes&msg_signature=4", []byte("<xml><Encrypt>x</Encrypt></xml>"), true)
	f.Fuzz(func(t *testing.T, query string, body []byte, sign bool) {
		if sign {
			query = signed(query, body)
		}
		if _, err := plain.VerifyURL(query); err != nil && !errors.Is(err, callback.ErrNoEcho) && !errors.As(err, new(*callback.Refusal)) {
			t.Errorf("VerifyURL: %v", err)
		}
		for _, a := range []*callback.Account{safe, plain} {
			e, err := a.Open(query, body)
			if err != nil {
				if !errors.Is(err, callback.ErrEmptyBody) && !errors.As(err, new(*callback.Refusal)) {
					t.Errorf("Open: %v", err)
				}
				continue
			}
			values, _ := url.ParseQuery(query)
			if values.Get("signature") != callback.Sign(testToken, values.Get("timestamp"), values.Get("nonce")) ||
				a.Encrypted() != (values.Get("encrypt_type") == "aes") {
				t.Errorf("opened %s", query)
			}
			if sealed, err := e.Seal([]byte("<xml></xml>"), testTime); err != nil {
				t.Errorf("Seal: %v", err)
			} else if reply, err := a.OpenReply(sealed); err != nil || string(reply) != "<xml></xml>" {
				t.Errorf("OpenReply = %q, %v", reply, err)
			}
			_, _ = callback.Parse(e.Document)
		}
		_, _ = safe.OpenReply(body)
	})
}

// signed makes the signatures of a query right.
func signed(query string, body []byte) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		return query
	}
	p := callback.Push{Query: values, Body: body}
	signAgain(&p, testToken)
	return values.Encode()
}

// FuzzParse reads documents. What is accepted has a valid event: JSON that says the same as the
// message, a legal id and kind, and it survives the way through the simulator.
func FuzzParse(f *testing.F) {
	for _, document := range samples(f) {
		f.Add(document)
	}
	for _, words := range hostile {
		f.Add([]byte(doc("hi", strings.ReplaceAll(words, "NAME", "Content"))))
		f.Add([]byte(event("scancode_push", scan(strings.ReplaceAll(words, "NAME", "ScanResult")))))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		m, err := callback.Parse(document)
		if err != nil {
			if !errors.As(err, new(*callback.ParseError)) {
				t.Errorf("Parse: %v", err)
			}
			return
		}
		if !legalToken.MatchString(m.ID()) || !legalToken.MatchString(m.Kind) {
			t.Errorf("id %q, kind %q", m.ID(), m.Kind)
		}
		var data struct {
			ToUserName, FromUserName, MsgType json.RawMessage
			CreateTime                        int64
		}
		if err := json.Unmarshal(m.JSON(), &data); err != nil {
			t.Fatalf("%v in %s", err, m.JSON())
		}
		if data.CreateTime != m.CreateTime.Unix() {
			t.Errorf("CreateTime %d in %s", data.CreateTime, m.JSON())
		}
		decoded(t, m)
		again, err := callback.Parse(m.JSON())
		if err != nil {
			t.Fatalf("the JSON doesn't parse: %v: %s", err, m.JSON())
		}
		if again.FromUserName != m.FromUserName || again.Kind != m.Kind || again.MsgID != m.MsgID || string(again.JSON()) != string(m.JSON()) {
			t.Errorf("%s came back as %s", m.JSON(), again.JSON())
		}
		document, err = callback.FormatXML(m.JSON())
		if err != nil {
			return // names that no element can have
		}
		if again, err = callback.Parse(document); err != nil {
			return // words that end the document
		}
		if again.FromUserName != m.FromUserName || again.Kind != m.Kind || again.MsgID != m.MsgID {
			t.Errorf("%s came back as %s", m.JSON(), again.JSON())
		}
	})
}

// FuzzWords puts words into messages as WeChat does, unescaped. Whatever they are, the message stays who sent it, what and when.
func FuzzWords(f *testing.F) {
	for _, words := range hostile {
		f.Add(strings.ReplaceAll(words, "NAME", "Title"), strings.ReplaceAll(words, "NAME", "Url"))
		f.Add("]]></Title><W><Title><![CDATA[", strings.ReplaceAll(words, "NAME", "Url"))
	}
	f.Fuzz(func(t *testing.T, title, address string) {
		m, err := callback.Parse([]byte(doc("[text]", "[link]", "<Content><![CDATA[hi]]></Content>",
			"<Title><![CDATA["+title+"]]></Title>\n<Description><![CDATA[d]]></Description>\n<Url><![CDATA["+address+"]]></Url>")))
		if err != nil {
			return
		}
		if m.Kind != "link" || m.MsgID != "24512345678901234" || m.FromUserName != "oQx7t0aBcDeFgHiJkLmNoPqRsTu0" ||
			m.ToUserName != "gh_0a1b2c3d4e5f" || m.CreateTime.Unix() != 1714112445 || m.Value("Event")+m.Value("EventKey") != "" {
			t.Errorf("the words changed the message: %s", m.JSON())
		}
		decoded(t, m)
	})
}

// FuzzFormatReply answers with any words. The document is well-formed, has the elements it should
// have and no others, and carries the words, but for what XML can't.
func FuzzFormatReply(f *testing.F) {
	for _, words := range append([]string{"你好", "a]]>b", "\x00\x0b\xff", "]]]]>><![CDATA[", "\r\n", "<a href=\"x\">&amp;</a>", "]]"}, hostile...) {
		f.Add("oUSER", words, "https://x/"+words)
	}
	shapes := map[string][]string{
		"text": {"Content"}, "image": {"Image", "MediaId"}, "voice": {"Voice", "MediaId"}, "video": {"Video", "MediaId", "Title", "Description"},
		"music":                     {"Music", "Title", "Description", "MusicUrl", "HQMusicUrl", "ThumbMediaId"},
		"news":                      {"ArticleCount", "Articles", "item", "Title", "Description", "PicUrl", "Url"},
		"transfer_customer_service": {"TransInfo", "KfAccount"},
	}
	f.Fuzz(func(t *testing.T, to, words, address string) {
		for _, r := range []callback.Reply{
			callback.Text{Content: words},
			callback.Image{MediaID: words},
			callback.Voice{MediaID: words},
			callback.Video{MediaID: words, Title: words, Description: words},
			callback.Music{Title: words, Description: words, MusicURL: address, HQMusicURL: address, ThumbMediaID: words},
			callback.News{Articles: []callback.Article{{Title: words, Description: words, PicURL: address, URL: address}}},
			callback.TransferCustomerService{KfAccount: words},
		} {
			document, err := callback.FormatReply(to, "gh_x", testTime, r)
			if err != nil {
				if !errors.As(err, new(*callback.ReplyError)) {
					t.Errorf("%T: %v", r, err)
				}
				continue
			}
			names, texts, err := elements(document)
			if err != nil {
				t.Fatalf("%v in %s", err, document)
			}
			want := append([]string{"xml", "ToUserName", "FromUserName", "CreateTime", "MsgType"}, shapes[r.MsgType()]...)
			want = slices.DeleteFunc(want, func(name string) bool { return !slices.Contains(names, name) && name != "Content" && name != "Title" })
			if !slices.Equal(names, want) {
				t.Errorf("elements %v, want %v", names, want)
			}
			if text, ok := r.(callback.Text); ok {
				if got := texts[len(texts)-1]; got != carried(text.Content) {
					t.Errorf("Content %q became %q", text.Content, got)
				}
			}
		}
	})
}

// carried says in another way what a reply does to words: XML's Char production, and \n for line ends.
func carried(words string) string {
	words = strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(strings.ToValidUTF8(words, "\uFFFD"))
	return regexp.MustCompile(`[^\t\n\x{20}-\x{D7FF}\x{E000}-\x{FFFD}\x{10000}-\x{10FFFF}]`).ReplaceAllString(words, "")
}

// FuzzKindName: every MsgType and Event has a name that is one legal token.
func FuzzKindName(f *testing.F) {
	for _, k := range callback.Kinds() {
		f.Add(k.MsgType, k.Event)
	}
	f.Fuzz(func(t *testing.T, msgType, event string) {
		name := callback.KindName(msgType, event)
		if !legalToken.MatchString(name) {
			t.Errorf("KindName(%q, %q) = %q", msgType, event, name)
		}
		if k, _ := callback.LookupKind(name); k.Name != name {
			t.Errorf("LookupKind(%q) is %q", name, k.Name)
		}
		if strings.EqualFold(msgType, "event") && name != callback.KindName("event", strings.ToUpper(event)) && isASCII(event) {
			t.Errorf("the case of %q matters", event)
		}
	})
}

func isASCII(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 })
}
