package wxsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestPushAndReply: a follower writes, the account answers, the follower reads it; in all three modes.
func TestPushAndReply(t *testing.T) {
	for mode, key := range map[callback.Mode]string{
		callback.ModePlain: "", callback.ModeCompatible: testAESKey, callback.ModeSafe: testAESKey,
	} {
		t.Run(string(mode), func(t *testing.T) {
			w := newWorld(t, func(c *Config) { c.AESKey, c.Mode = key, mode })
			rec := w.listen(key, replyWith(callback.Text{Content: "hello <b>&"}))

			d := w.push(alice, `{"MsgType":"text","Content":"hi 😀 ]]> there"}`)

			if len(d.Tries) != 1 || d.Tries[0].Error != "" || d.Tries[0].Status != 200 || d.Fault {
				t.Fatalf("delivery = %+v", d)
			}
			var reply struct{ MsgType, Content, ToUserName string }
			if err := json.Unmarshal(d.Reply, &reply); err != nil || reply.Content != "hello <b>&" || reply.ToUserName != alice {
				t.Errorf("reply = %s (%v)", d.Reply, err)
			}
			got := rec.all()[0]
			if got.message.Value("Content") != "hi 😀 ]]> there" || got.message.FromUserName != alice {
				t.Errorf("the receiver got %s", got.message.JSON())
			}
			if !got.message.CreateTime.Equal(w.hand.now()) || len(got.message.MsgID) < 17 {
				t.Errorf("CreateTime %v, MsgId %q", got.message.CreateTime, got.message.MsgID)
			}
			if inbox := w.Inbox(alice); len(inbox) != 1 || inbox[0].Kind != SeenReply || inbox[0].Text != "hello <b>&" {
				t.Errorf("inbox = %+v", inbox)
			}
			clear := strings.Contains(string(got.body), "there")
			if wantClear := mode != callback.ModeSafe; clear != wantClear {
				t.Errorf("the text is in clear on the wire: %v, want %v", clear, wantClear)
			}
			if err := w.CheckURL(t.Context()); err != nil {
				t.Errorf("URL check: %v", err)
			}
		})
	}
}

// TestEveryTryIsSignedAfresh: three failures bring three tries with the same message in other wrappings, and the
// fault line to the follower.
func TestEveryTryIsSignedAfresh(t *testing.T) {
	pauses := &waits{}
	w := newWorld(t, func(c *Config) { c.Wait = pauses.wait })
	rec := w.listen(testAESKey, func(_ int, w http.ResponseWriter, _ *http.Request, _ *callback.Envelope, _ *callback.Message) {
		w.WriteHeader(http.StatusServiceUnavailable)
	})

	d := w.push(alice, `{"MsgType":"text","Content":"hi"}`)

	got := rec.all()
	if len(d.Tries) != 3 || len(got) != 3 || !d.Fault || d.Reply != nil {
		t.Fatalf("delivery = %+v, received %d", d, len(got))
	}
	ids, queries, bodies := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, one := range got {
		ids[one.message.ID()+one.message.CreateTime.String()] = true
		queries[one.query] = true
		bodies[string(one.body)] = true
	}
	if len(ids) != 1 || len(queries) != 3 || len(bodies) != 3 {
		t.Errorf("%d messages, %d queries, %d bodies; want 1, 3, 3", len(ids), len(queries), len(bodies))
	}
	if inbox := w.Inbox(alice); len(inbox) != 1 || inbox[0].Kind != SeenFault || inbox[0].Text != FaultLine {
		t.Errorf("inbox = %+v", inbox)
	}
	if len(pauses.all) != 2 || pauses.all[0] <= 0 || pauses.all[0] > 5*time.Second {
		t.Errorf("pauses between tries that failed at once: %v, want two of almost 5s", pauses.all)
	}
}

// inProcess carries requests to a handler without a network, so that time can stand still around them.
func inProcess(h http.HandlerFunc) roundTrip {
	return func(r *http.Request) (*http.Response, error) {
		rec := httptest.NewRecorder()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h(rec, r)
		}()
		<-done
		if err := r.Context().Err(); err != nil {
			return nil, err
		}
		return rec.Result(), nil
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestTriesComeFiveSecondsApart plays WeChat's clock: a silent receiver is left after five seconds and asked
// again at once; one that refuses is asked again five seconds after the try began.
func TestTriesComeFiveSecondsApart(t *testing.T) {
	for name, refuses := range map[string]bool{"silent": false, "refusing": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				began := time.Now()
				var at []time.Duration
				cfg := testConfig()
				cfg.AESKey, cfg.Callback = "", "http://nowhere.invalid/wx"
				cfg.Transport = inProcess(func(w http.ResponseWriter, r *http.Request) {
					at = append(at, time.Since(began))
					switch {
					case len(at) == 3:
						io.WriteString(w, callback.Success)
					case refuses:
						w.WriteHeader(http.StatusInternalServerError)
					default:
						<-r.Context().Done()
					}
				})
				p, err := New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				d, err := p.Push(t.Context(), alice, json.RawMessage(`{"MsgType":"text","Content":"hi"}`))
				if err != nil {
					t.Fatal(err)
				}
				if want := []time.Duration{0, 5 * time.Second, 10 * time.Second}; !slices.Equal(at, want) {
					t.Errorf("tries at %v, want %v", at, want)
				}
				if d.Fault || d.Reply != nil || len(d.Tries) != 3 || d.Tries[2].Error != "" {
					t.Errorf("delivery = %+v", d)
				}
				if !refuses && (d.Tries[0].Error != "no answer within 5s" || d.Tries[0].MS != 5000) {
					t.Errorf("first try = %+v", d.Tries[0])
				}
			})
		})
	}
}

// TestTimeoutOverHTTP: the connection of a try that took too long is closed, which the receiver notices.
func TestTimeoutOverHTTP(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = 20 * time.Millisecond })
	var hungUp atomic.Int32
	done := make(chan struct{}, 3)
	w.listen(testAESKey, func(_ int, _ http.ResponseWriter, r *http.Request, _ *callback.Envelope, _ *callback.Message) {
		<-r.Context().Done()
		hungUp.Add(1)
		done <- struct{}{}
	})
	d := w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	if len(d.Tries) != 3 || !d.Fault || d.Tries[0].Status != 0 {
		t.Fatalf("delivery = %+v", d)
	}
	for range 3 {
		<-done
	}
	if hungUp.Load() != 3 {
		t.Errorf("%d tries were hung up on", hungUp.Load())
	}
}

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

// TestFaultLineIsForPeople: nobody sees a line for what the phone reported or what nobody did.
func TestFaultLineIsForPeople(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Tries, c.RetryEvery = 2, -1 })
	w.listen(testAESKey, func(_ int, w http.ResponseWriter, _ *http.Request, _ *callback.Envelope, _ *callback.Message) {
		io.WriteString(w, "oops")
	})
	for data, line := range map[string]bool{
		`{"MsgType":"voice"}`:                                                 true,
		`{"MsgType":"event","Event":"CLICK","EventKey":"K"}`:                  true,
		`{"MsgType":"event","Event":"subscribe"}`:                             true,
		`{"MsgType":"event","Event":"LOCATION","Latitude":1,"Longitude":2}`:   false,
		`{"MsgType":"event","Event":"unsubscribe"}`:                           false,
		`{"MsgType":"event","Event":"TEMPLATESENDJOBFINISH","MsgID":"1"}`:     false,
		`{"MsgType":"event","Event":"event_of_the_day_after_tomorrow","A":1}`: false,
	} {
		before := len(w.Inbox(alice))
		d := w.push(alice, data)
		if d.Fault != line || len(d.Tries) != 2 || (len(w.Inbox(alice)) > before) != line {
			t.Errorf("%s: fault %v, want %v", data, d.Fault, line)
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

// TestPushInAnotherMode: a receiver that wants encryption refuses what comes without.
func TestPushInAnotherMode(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Tries = 1 })
	w.listen(testAESKey, success)
	d, err := w.PushMode(t.Context(), callback.ModePlain, alice, json.RawMessage(`{"MsgType":"text","Content":"hi"}`))
	if err != nil || d.Tries[0].Status != http.StatusForbidden || !d.Fault {
		t.Errorf("delivery = %+v, %v", d, err)
	}
}

// TestCallbackAway: refused connections are failed tries, and a push without any URL is an error.
func TestCallbackAway(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.RetryEvery = -1 })
	if _, err := w.Push(t.Context(), alice, json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); !errors.Is(err, ErrNoCallback) {
		t.Errorf("error = %v", err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	w.SetCallback("http://" + l.Addr().String() + "/wx")
	d := w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	if len(d.Tries) != 3 || !d.Fault || !strings.Contains(d.Tries[0].Error, "connection refused") {
		t.Errorf("delivery = %+v", d)
	}
	if strings.Contains(d.Tries[0].Error, "signature") {
		t.Errorf("the error shows the URL: %s", d.Tries[0].Error)
	}
	if err := w.CheckURL(t.Context()); err == nil {
		t.Error("the URL check of a closed port passed")
	}
}

// TestPushEndsWithItsContext: who hangs up ends the delivery.
func TestPushEndsWithItsContext(t *testing.T) {
	w := newWorld(t, nil)
	ctx, cancel := context.WithCancel(t.Context())
	w.listen(testAESKey, func(_ int, _ http.ResponseWriter, r *http.Request, _ *callback.Envelope, _ *callback.Message) {
		cancel()
		<-r.Context().Done()
	})
	d, err := w.Push(ctx, alice, json.RawMessage(`{"MsgType":"text","Content":"hi"}`))
	if !errors.Is(err, context.Canceled) || len(d.Tries) != 1 || len(w.Inbox(alice)) != 0 {
		t.Errorf("delivery = %+v, %v", d, err)
	}
}

// TestRedirectIsAnAnswer: WeChat doesn't follow one, and neither does the simulator.
func TestRedirectIsAnAnswer(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Tries = 1 })
	w.listen(testAESKey, func(_ int, w http.ResponseWriter, r *http.Request, _ *callback.Envelope, _ *callback.Message) {
		http.Redirect(w, r, "/elsewhere", http.StatusFound)
	})
	if d := w.push(alice, `{"MsgType":"text","Content":"hi"}`); !d.Fault || d.Tries[0].Status != http.StatusFound {
		t.Errorf("delivery = %+v", d)
	}
}

// TestSlips: what can't be meant is refused, and the text says what was meant.
func TestSlips(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	for data, want := range map[string]string{
		``:                                      "is empty",
		`[]`:                                    "no JSON object",
		`{"MsgType":"text"`:                     "no JSON object",
		`{"Content":"hi"}`:                      "MsgType is missing",
		`{"msgtype":"text"}`:                    `"msgtype" is written "MsgType"`,
		`{"MsgType":"text","content":"hi"}`:     `"content" is written "Content"`,
		`{"MsgType":"Text","Content":"hi"}`:     `MsgType "Text" is written "text"`,
		`{"MsgType":"event"}`:                   "needs its Event",
		`{"MsgType":"event","Event":"scan"}`:    `Event "scan" is written "SCAN"`,
		`{"MsgType":"text","FromUserName":"x"}`: "FromUserName",
		`{"MsgType":"text","MsgType":"text"}`:   "twice",
		`{"MsgType":"text","CreateTime":"now"}`: "CreateTime",
		`{"MsgType":"text","a b":"c"}`:          "a b",
	} {
		_, err := w.Push(t.Context(), alice, json.RawMessage(data))
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(input.Problem, want) {
			t.Errorf("%s: error = %v, want %q in it", data, err, want)
		}
	}
	if _, err := w.Push(t.Context(), "o alice", json.RawMessage(`{"MsgType":"text"}`)); err == nil {
		t.Error("an OpenID with a space passed")
	}
	if n := len(rec.all()); n != 0 {
		t.Errorf("%d pushes were made", n)
	}
	// What is merely unknown passes.
	d := w.push(alice, `{"Event":"brand_new","Something":{"Else":1}}`)
	if d.Tries[0].Error != "" || rec.all()[0].message.Value("Something", "Else") != "1" {
		t.Errorf("delivery = %+v", d)
	}
}

// TestQueryOfTheCallback: a callback URL with a query of its own keeps it.
func TestQueryOfTheCallback(t *testing.T) {
	w := newWorld(t, nil)
	rec := w.listen(testAESKey, success)
	w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	query, err := url.ParseQuery(rec.all()[0].query)
	if err != nil || query.Get("shop") != "1" || query.Get("openid") != alice || query.Get("encrypt_type") != "aes" {
		t.Errorf("query = %v", query)
	}
}
