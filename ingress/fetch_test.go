package ingress

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

const (
	stored  = `{"outcome":"done","response":{"media":{"dataref":"nats-object://WX_MEDIA/%[1]s","content_type":"image/png","size":5,"sha256":"00ff","filename":"%[1]s.png"}}}`
	refused = `{"outcome":"rejected","errcode":40007,"errmsg":"invalid media_id","class":"permanent","response":{}}`
)

// shop stands for egress: it is asked for files, and says what a test wants; ""
// is no answer.
type shop struct {
	mu    sync.Mutex
	asked []events.Command
}

func (w *world) shop(says func(mediaID string) string) *shop {
	w.t.Helper()
	s := &shop{}
	sub, err := w.conn.Subscribe("wx.call.get_media", func(m *nats.Msg) {
		c, err := events.ParseCommand(w.prefix, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data, Time: time.Now()}, "bare")
		if err != nil {
			w.t.Errorf("asked for %s: %v", m.Data, err)
		}
		s.mu.Lock()
		s.asked = append(s.asked, c)
		s.mu.Unlock()
		if answer := says(field(w.t, c.Data, "media_id")); answer != "" {
			_ = m.Respond([]byte(answer)) // ends with the connection
		}
	})
	noError(w.t, err)
	noError(w.t, w.conn.Flush())
	w.nats.Spread(w.conn) // or the bridge hears from another server that nobody is there
	w.t.Cleanup(func() { _ = sub.Unsubscribe() })
	return s
}

func (s *shop) ids(t *testing.T) (ids []string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.asked {
		ids = append(ids, field(t, c.Data, "media_id"))
	}
	return ids
}

// media turns the fetching on.
func media(within time.Duration) func(*setup) {
	return func(s *setup) { s.MediaFetch, s.FetchWithin = true, within }
}

func gives(id string) string { return fmt.Sprintf(stored, id) }

// arrivedAs is the one event that is stored of a kind.
func (w *world) arrivedAs(kind string) events.InboundEvent {
	w.t.Helper()
	all := w.arrive(bus.StreamInbound, "wx.inbound."+kind, 1)
	if len(all) != 1 {
		w.t.Fatalf("%d events", len(all))
	}
	in, err := events.ParseInbound(w.prefix, all[0])
	noError(w.t, err)
	return in
}

// A message with a file has it in its event, of whatever kind it is, held or
// not; of a voice the better one. Everything else in the event is as ever.
func TestMediaIsFetchedAtArrival(t *testing.T) {
	t.Parallel()
	for kind, c := range map[string]struct{ data, id string }{
		"image":      {`{"MsgType":"image","PicUrl":"http://169.254.169.254/","MediaId":"M1"}`, "M1"},
		"voice":      {`{"MsgType":"voice","MediaId":"M8K","Format":"amr","MediaId16K":"M16K"}`, "M16K"},
		"video":      {`{"MsgType":"video","MediaId":"M3","ThumbMediaId":"T"}`, "M3"},
		"shortvideo": {`{"MsgType":"shortvideo","MediaId":"M4","ThumbMediaId":"T"}`, "M4"},
		"hologram":   {`{"MsgType":"hologram","MediaId":"M5"}`, "M5"},
	} {
		for _, held := range []time.Duration{0, long} {
			t.Run(kind+held.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, callback.ModeSafe)
				shop := w.shop(gives)
				r := w.replica(hold(held), media(soon))
				w.serve(func(in inbound) { w.reply(in.ReplyTo, nil, "nice") })
				d := next(t, w.pushed(w.phone(r), alice, c.data))
				if said := textOf(w, d); d.Fault || held > 0 && said != "nice" {
					t.Errorf("the follower reads %q, %+v", said, d)
				}
				in := w.arrivedAs(kind)
				file, ok := in.File()
				if want := (events.File{DataRef: "nats-object://WX_MEDIA/" + c.id, ContentType: "image/png", Size: 5, SHA256: "00ff", Filename: c.id + ".png"}); !ok || file != want {
					t.Errorf("%+v in %s", file, in.Data)
				}
				if ids := shop.ids(t); !slices.Equal(ids, []string{c.id}) {
					t.Errorf("asked for %v", ids)
				}
				if !json.Valid(in.Data) || field(t, in.Data, "MsgType") != kind || field(t, in.Data, "MediaId") == "" || in.Deadline.IsZero() != (held == 0) {
					t.Errorf("%+v %s", in, in.Data)
				}
				if _, err := in.Decode(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// What has no file asks nobody, and without WX_MEDIA_FETCH nothing does.
func TestNoMediaNoFetch(t *testing.T) {
	t.Parallel()
	for data, change := range map[string]func(*setup){
		`{"MsgType":"text","Content":"` + private + `"}`:                            media(soon),
		`{"MsgType":"file","Title":"a.zip","FileKey":"K","FileTotalLen":"222"}`:     media(soon),
		`{"MsgType":"event","Event":"CLICK","EventKey":"K","MediaId":"M"}`:          media(soon),
		`{"MsgType":"image","MediaId":"M","media":{"dataref":"nats-object://x/y"}}`: func(*setup) {},
		`{"MsgType":"image","PicUrl":"http://127.0.0.1/","MediaId":"M"}`:            func(*setup) {},
	} {
		t.Run(data, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			shop := w.shop(gives)
			r := w.replica(hold(0), change)
			if d := next(t, w.pushed(w.phone(r), alice, data)); d.Fault {
				t.Errorf("%+v", d)
			}
			w.arrive(bus.StreamInbound, "wx.inbound.*", 1)
			if ids := shop.ids(t); len(ids) != 0 {
				t.Errorf("asked for %v", ids)
			}
		})
	}
}

// Whatever goes wrong, the message is stored and answered, with its MediaId
// and without a file, and one line in the log says why.
func TestMediaThatCannotBeFetched(t *testing.T) {
	t.Parallel()
	for name, says := range map[string]func(string) string{
		"refused":       func(string) string { return refused },
		"silent":        func(string) string { return "" },
		"nobody there":  nil,
		"strange":       func(string) string { return "busy" },
		"without a ref": func(string) string { return `{"outcome":"done","response":{"media":{"base64":"AAAA"}}}` },
		"too large":     func(string) string { return `{"outcome":"done","response_ref":"nats-object://WX_MEDIA/x"}` },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, callback.ModeSafe)
			if says != nil {
				w.shop(says)
			}
			within := soon // a fetch that fails is over before
			if name == "silent" {
				within = 100 * time.Millisecond
			}
			r := w.replica(media(within))
			w.serve(func(in inbound) { w.reply(in.ReplyTo, nil, "what is it?") })
			d := next(t, w.pushed(w.phone(r), alice, `{"MsgType":"image","PicUrl":"http://p/","MediaId":"M1"}`))
			if said := textOf(w, d); said != "what is it?" || len(d.Tries) != 1 {
				t.Errorf("the follower reads %q, %+v", said, d)
			}
			in := w.arrivedAs("image")
			if _, ok := in.File(); ok || field(t, in.Data, "MediaId") != "M1" || strings.Contains(string(in.Data), "media\":") {
				t.Errorf("%s", in.Data)
			}
			if w.log.holding("media is not fetched") == "" {
				t.Error("the log says nothing")
			}
		})
	}
}

// A voice whose better form is gone has the other one.
func TestTheOtherVoiceIsFetched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	shop := w.shop(func(id string) string {
		if id == "M16K" {
			return refused
		}
		return gives(id)
	})
	r := w.replica(hold(0), media(soon))
	next(t, w.pushed(w.phone(r), alice, `{"MsgType":"voice","MediaId":"M8K","Format":"amr","MediaId16K":"M16K"}`))
	if file, _ := w.arrivedAs("voice").File(); file.Filename != "M8K.png" || !slices.Equal(shop.ids(t), []string{"M16K", "M8K"}) {
		t.Errorf("%+v after %v", file, shop.ids(t))
	}
}

// WeChat's next try of a message that waits here asks for nothing, and finds
// the same event: its id does not depend on the file.
func TestATryThatJoinsFetchesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	shop := w.shop(gives)
	r := w.replica(media(soon))
	heard := w.service()
	image := fmt.Appendf(nil, "<xml><ToUserName><![CDATA[%s]]></ToUserName><FromUserName><![CDATA[%s]]></FromUserName><CreateTime>%d</CreateTime>"+
		"<MsgType><![CDATA[image]]></MsgType><MediaId><![CDATA[M1]]></MediaId><MsgId>24500000000000001</MsgId></xml>", toUser, alice, time.Now().Unix())
	first := w.try(r, image)
	in := next(t, heard)
	second := w.try(r, image)
	eventually(t, "the second try joins", func() bool { return len(w.marks(in.ID)) == 1 })
	w.reply(in.ReplyTo, nil, "one answer")
	for _, a := range []answer{next(t, first), next(t, second)} {
		if said := w.says(a); said != "one answer" {
			t.Errorf("answered %q", said)
		}
	}
	if _, ok := w.arrivedAs("image").File(); !ok || !slices.Equal(shop.ids(t), []string{"M1"}) {
		t.Errorf("asked for %v", shop.ids(t))
	}
}

// Past the places for files a message is stored without one, at once.
func TestFetchesAreBounded(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	shop := w.shop(gives)
	r := w.replica(hold(0), media(soon))
	for range fetchesAtOnce {
		r.fetches <- struct{}{}
	}
	p := w.phone(r)
	next(t, w.pushed(p, alice, `{"MsgType":"image","MediaId":"M1"}`))
	if file, ok := w.arrivedAs("image").File(); ok || len(shop.ids(t)) != 0 {
		t.Errorf("%+v", file)
	}
	<-r.fetches // one is over
	next(t, w.pushed(p, alice, `{"MsgType":"voice","MediaId":"M2"}`))
	if _, ok := w.arrivedAs("voice").File(); !ok || len(r.fetches) != fetchesAtOnce-1 {
		t.Errorf("%d places are taken", len(r.fetches))
	}
}

// The call says until when it is worth beginning, and that is WeChat's patience.
func TestAFetchExpires(t *testing.T) {
	t.Parallel()
	w := newWorld(t, callback.ModeSafe)
	shop := w.shop(gives)
	r := w.replica(hold(0), media(soon))
	before := time.Now()
	next(t, w.pushed(w.phone(r), alice, `{"MsgType":"image","MediaId":"M1"}`))
	w.arrivedAs("image")
	shop.mu.Lock()
	defer shop.mu.Unlock()
	if at := shop.asked[0].Expires; at.Before(before.Add(wechatTimeout-time.Second)) || at.After(time.Now().Add(wechatTimeout)) {
		t.Errorf("expires %s, it arrived after %s", at, before)
	}
}
