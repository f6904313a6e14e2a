package wxsim

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
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
			readable := strings.Contains(string(got.body), "there")
			if wantClear := mode != callback.ModeSafe; readable != wantClear {
				t.Errorf("the text is in readable on the wire: %v, want %v", readable, wantClear)
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

// TestTimeoutOverHTTP: the connection of a try that took too long is closed. If it weren't, the receiver's handlers
// would never end, and neither would this test.
func TestTimeoutOverHTTP(t *testing.T) {
	w := newWorld(t, func(c *Config) { c.Timeout = 20 * time.Millisecond })
	receiver := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		<-r.Context().Done()
	}))
	w.SetCallback(receiver.URL)
	d := w.push(alice, `{"MsgType":"text","Content":"hi"}`)
	if len(d.Tries) != 3 || !d.Fault || d.Tries[0].Status != 0 || d.Tries[0].Error != "no answer within 20ms" {
		t.Errorf("delivery = %+v", d)
	}
	receiver.Close()
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
