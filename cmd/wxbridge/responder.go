package main

import (
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events"
)

// responder is the demo's sample service. It is what a user would write: a
// plain NATS client that knows nothing of WeChat.
type responder struct {
	nc      *nats.Conn
	work    sync.WaitGroup
	polite  bool
	first   atomic.Bool
	stopped chan struct{}
}

// politeness is how long it lets others answer first, after its first answer.
const politeness = time.Second

func startResponder(s *settings, once bool) (*responder, error) {
	nc, err := nats.Connect(s.Nats.URL, nats.Name("sample service"))
	if err != nil {
		return nil, err
	}
	r := &responder{nc: nc, polite: !once, stopped: make(chan struct{})}
	_, err = nc.Subscribe(s.Prefix.Subject(events.Inbound, "text"), func(m *nats.Msg) {
		r.work.Go(func() { r.answer(s.Prefix, m) })
	})
	if err == nil {
		err = nc.Flush()
	}
	if err != nil {
		nc.Close()
		return nil, err
	}
	return r, nil
}

func (r *responder) stop() {
	close(r.stopped)
	r.work.Wait()
	r.nc.Close()
}

// answer responds to the follower at once, and after the first message also
// sends a command: the same text could come minutes later.
func (r *responder) answer(p events.Prefix, m *nats.Msg) {
	in, err := events.ParseInbound(p, events.Message{Subject: m.Subject, Header: events.Header(m.Header), Body: m.Data})
	if err != nil {
		return // not ours to judge; the bridge does
	}
	first := !r.first.Swap(true)
	if !first && r.polite {
		select {
		case <-time.After(politeness):
		case <-r.stopped:
			return
		}
	}
	var message struct{ Content string }
	if json.Unmarshal(in.Data, &message) != nil {
		return
	}
	_ = m.Respond(fmt.Appendf(nil, "%s!", message.Content)) // an answer that is late is nobody's loss here
	if !first {
		return
	}
	command, err := json.Marshal(map[string]any{
		"touser": in.OpenID, "msgtype": "text", "text": map[string]string{"content": "这是一条客服消息"},
	})
	if err != nil {
		return
	}
	out := nats.NewMsg(p.Subject(events.Cmd, "send_custom_message"))
	out.Header.Set(nats.MsgIdHdr, "demo-"+in.ID)
	out.Data = command
	_ = r.nc.PublishMsg(out)
}
