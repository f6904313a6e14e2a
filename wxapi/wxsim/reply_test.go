package wxsim

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestWhatCountsAsHandled: only success, nothing, or a valid reply to this follower ends a delivery.
func TestWhatCountsAsHandled(t *testing.T) {
	reply := func(to, from, rest string) string {
		return "<xml><ToUserName>" + to + "</ToUserName><FromUserName>" + from + "</FromUserName><CreateTime>1</CreateTime>" + rest + "</xml>"
	}
	text := "<MsgType>text</MsgType><Content>hi</Content>"
	w := newWorld(t, func(c *Config) { c.AESKey, c.OriginalID, c.Tries = "", "gh_me", 1 })
	var body string
	w.listen("", func(_ int, w http.ResponseWriter, _ *http.Request, _ *callback.Envelope, _ *callback.Message) {
		io.WriteString(w, body)
	})
	for name, test := range map[string]struct {
		body  string
		error string // part of it
	}{
		"success":            {"success", ""},
		"nothing":            {"", ""},
		"reply":              {reply(alice, "gh_me", text), ""},
		"hand-over":          {reply(alice, "gh_me", "<MsgType>transfer_customer_service</MsgType>"), ""},
		"success and more":   {"success\n", "neither success"},
		"JSON":               {`{"msgtype":"text"}`, "neither success"},
		"HTML":               {"<html><body>hi</body></html>", "can't be read"},
		"half":               {reply(alice, "gh_me", text)[:90], ""}, // set below
		"swapped names":      {reply("gh_me", alice, text), "swapped"},
		"to somebody else":   {reply("o_bob", "gh_me", text), "ToUserName"},
		"from somebody else": {reply(alice, "gh_you", text), "FromUserName"},
		"empty text":         {reply(alice, "gh_me", "<MsgType>text</MsgType><Content></Content>"), "no Content"},
		"long text":          {reply(alice, "gh_me", "<MsgType>text</MsgType><Content>"+strings.Repeat("好", 683)+"</Content>"), "2049 bytes"},
		"image without id":   {reply(alice, "gh_me", "<MsgType>image</MsgType><Image></Image>"), "MediaId"},
		"unknown type":       {reply(alice, "gh_me", "<MsgType>hologram</MsgType>"), "MsgType"},
		"wrong count":        {reply(alice, "gh_me", "<MsgType>news</MsgType><ArticleCount>2</ArticleCount><Articles><item><Title>a</Title></item></Articles>"), "ArticleCount"},
		"no articles":        {reply(alice, "gh_me", "<MsgType>news</MsgType><ArticleCount>0</ArticleCount><Articles></Articles>"), "no Articles"},
	} {
		t.Run(name, func(t *testing.T) {
			body = test.body
			d := w.push(alice, `{"MsgType":"text","Content":"hi"}`)
			got := d.Tries[0].Error
			if name == "half" {
				if got == "" || !d.Fault {
					t.Errorf("half a reply passed: %+v", d)
				}
				return
			}
			if (got == "") != (test.error == "") || !strings.Contains(got, test.error) {
				t.Errorf("error = %q, want %q in it", got, test.error)
			}
			if d.Fault != (test.error != "") {
				t.Errorf("fault = %v with error %q", d.Fault, got)
			}
		})
	}
}

// TestSafeModeWantsEncryptedReplies: what is fine in compatible mode is a failure in safe mode.
func TestSafeModeWantsEncryptedReplies(t *testing.T) {
	for mode, fails := range map[callback.Mode]bool{callback.ModeCompatible: false, callback.ModeSafe: true} {
		w := newWorld(t, func(c *Config) { c.Mode, c.Tries = mode, 1 })
		w.listen(testAESKey, func(_ int, w http.ResponseWriter, _ *http.Request, _ *callback.Envelope, m *callback.Message) {
			doc, _ := callback.FormatReply(m.FromUserName, m.ToUserName, time.Now(), callback.Text{Content: "in clear"})
			w.Write(doc)
		})
		if d := w.push(alice, `{"MsgType":"text","Content":"hi"}`); d.Fault != fails {
			t.Errorf("%s: delivery = %+v", mode, d)
		}
	}
	// And a reply that was sealed with somebody else's token is refused in both.
	for _, mode := range []callback.Mode{callback.ModeCompatible, callback.ModeSafe} {
		w := newWorld(t, func(c *Config) { c.Mode, c.Tries = mode, 1 })
		w.listen(testAESKey, func(n int, rw http.ResponseWriter, r *http.Request, e *callback.Envelope, m *callback.Message) {
			rec := httptest.NewRecorder()
			replyWith(callback.Text{Content: "hi"})(n, rec, r, e, m)
			io.WriteString(rw, strings.Replace(rec.Body.String(), "<MsgSignature><![CDATA[", "<MsgSignature><![CDATA[0", 1))
		})
		if d := w.push(alice, `{"MsgType":"text","Content":"hi"}`); !d.Fault {
			t.Errorf("%s: a wrong MsgSignature passed", mode)
		}
	}
}

// TestNoReplyToWhatNobodyReads: the answer to an unsubscribe goes nowhere.
func TestNoReplyToWhatNobodyReads(t *testing.T) {
	w := newWorld(t, nil)
	w.listen(testAESKey, replyWith(callback.Text{Content: "come back"}))
	w.push(alice, `{"MsgType":"event","Event":"subscribe"}`)
	d := w.push(alice, `{"MsgType":"event","Event":"unsubscribe"}`)
	if d.Reply != nil || d.Fault || len(w.Inbox(alice)) != 1 {
		t.Errorf("delivery = %+v, inbox %v", d, w.Inbox(alice))
	}
	if f := w.Followers(); len(f) != 1 || f[0].Following {
		t.Errorf("followers = %+v", f)
	}
}

// TestNewsReply: eight articles are fine for a menu tap; in answer to a text only the first arrives.
func TestNewsReply(t *testing.T) {
	two := callback.News{Articles: []callback.Article{{Title: "a", URL: "http://a"}, {Title: "b", URL: "http://b"}}}
	w := newWorld(t, nil)
	w.listen(testAESKey, replyWith(two))
	w.push(alice, `{"MsgType":"event","Event":"CLICK","EventKey":"K"}`)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	inbox := w.Inbox(alice)
	if len(inbox) != 2 || inbox[0].Text != "a [news http://a]\nb [news http://b]" || inbox[1].Text != "a [news http://a]" {
		t.Errorf("inbox = %+v", inbox)
	}
}
