package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

const soakTemplate = "soak-template"

// soakCommandSpec is one command of a soak, and what may become of it.
type soakCommandSpec struct {
	id, verb, data string
	follower       string
	resend         bool
	expires        time.Duration // after it is published; 0 for the usual
	bad            bool          // our own checks refuse it
	copies         int           // how often it is published
	sequence       uint64        // in the stream, of the copy that was stored first
	// unsure: it was published again because an ack was lost. If it was stored, carried
	// out and removed before, and NATS restarted since, the stream has taken it as new.
	unsure bool
}

func soakFollower(i int) string { return fmt.Sprintf("oSoakFollower%015d", i) }

// invent makes the commands that the seed says, and the followers.
func (s *soak) invent() {
	random := rand.New(rand.NewPCG(s.seed, 1))
	for i := range s.followers {
		_, _ = s.sim.Push(context.Background(), soakFollower(i), json.RawMessage(`{"MsgType":"text","Content":"hi"}`)) // nobody hears it
	}
	s.commands = make([]soakCommandSpec, s.size)
	for i := range s.commands {
		c := &s.commands[i]
		c.id, c.follower, c.copies = fmt.Sprintf("soak-%d", i), soakFollower(random.IntN(s.followers)), 1
		switch n := random.IntN(100); {
		case n < 72:
			c.verb = "send_custom_message"
			c.data = fmt.Sprintf(`{"touser":%q,"msgtype":"text","text":{"content":"#%d#"}}`, c.follower, i)
			c.resend = n < 8
			c.bad = n == 8
			if n == 9 {
				c.expires = time.Duration(random.IntN(3000)) * time.Millisecond
			}
		case n < 85: // a keyed one: it may be repeated
			c.verb = "send_template_message"
			c.data = fmt.Sprintf(`{"touser":%q,"template_id":%q,"data":{"first":{"value":"#%d#"}}}`, c.follower, soakTemplate, i)
		case n < 95: // a read
			c.verb = "get_user_info"
			c.data = fmt.Sprintf(`{"openid":%q,"step":"#%d#"}`, c.follower, i)
		default: // one that is in order with nothing
			c.verb = "create_group"
			c.data = fmt.Sprintf(`{"group":{"name":"#%d#"}}`, i)
			c.follower = ""
		}
		if c.bad {
			c.data = strings.Replace(c.data, `"msgtype":"text"`, `"msgtype":"nonsense"`, 1)
		}
		if random.IntN(50) == 0 {
			c.copies = 2
		}
	}
}

// publish stores the commands. What NATS did not confirm is published again, so
// that the second copy of a command may be stored before the first.
func (s *soak) publish(ctx context.Context) error {
	type copied struct {
		of      *soakCommandSpec
		message *nats.Msg
		future  jetstream.PubAckFuture // nil if the link was down
	}
	all := make([]copied, 0, s.size)
	began := time.Now()
	for i := range s.commands {
		if s.rate > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Until(began.Add(time.Duration(i) * time.Second / time.Duration(s.rate)))):
			}
		}
		c := &s.commands[i]
		for n := range c.copies {
			m, err := c.message(n)
			if err != nil {
				return err
			}
			future, err := s.js.PublishMsgAsync(m, jetstream.WithStallWait(time.Minute))
			if err != nil {
				future = nil
			}
			all = append(all, copied{c, m, future})
		}
	}
	for _, one := range all {
		sequence, again, err := s.confirmed(ctx, one.future, one.message)
		if err != nil {
			return err
		}
		one.of.unsure = one.of.unsure || again
		if one.of.sequence == 0 || sequence < one.of.sequence {
			one.of.sequence = sequence
		}
	}
	return nil
}

// confirmed waits until a command is stored, and publishes it again until it is.
func (s *soak) confirmed(ctx context.Context, future jetstream.PubAckFuture, m *nats.Msg) (sequence uint64, again bool, err error) {
	if future != nil {
		select {
		case ack := <-future.Ok():
			return ack.Sequence, false, nil
		case <-future.Err(): //nolint:errcheck // whatever it was, it is published again
		case <-ctx.Done():
		}
	}
	for ctx.Err() == nil {
		repeated := nats.NewMsg(m.Subject)
		repeated.Header, repeated.Data = m.Header, m.Data
		within, cancel := context.WithTimeout(ctx, 2*time.Second)
		ack, err := s.js.PublishMsg(within, repeated)
		cancel()
		if err == nil {
			return ack.Sequence, true, nil
		}
	}
	return 0, true, ctx.Err()
}

func (c *soakCommandSpec) message(copied int) (*nats.Msg, error) {
	e, err := events.NewCommand(c.verb, c.id, "//soak", time.Now(), json.RawMessage(c.data))
	if err != nil {
		return nil, err
	}
	if c.resend {
		e.SetExtension("wxonunknown", events.OnUnknownResend)
	}
	if c.expires > 0 {
		e.SetExtension("expirytime", time.Now().Add(c.expires))
	}
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return nil, err
	}
	m := &nats.Msg{Subject: "wx.cmd." + c.verb, Header: nats.Header(header), Data: body}
	m.Header.Set(nats.MsgIdHdr, fmt.Sprintf("%s/%d", c.id, copied))
	return m, nil
}

// disturb makes WeChat fail in every way, until ctx ends.
func (s *soak) disturb(ctx context.Context) {
	random := rand.New(rand.NewPCG(s.seed, 3))
	kinds := []func() wxsim.Fault{
		func() wxsim.Fault { return wxsim.Fault{ErrCode: -1, Times: 1 + random.IntN(3)} },
		func() wxsim.Fault { return wxsim.Fault{Kind: wxsim.FaultReset} },
		func() wxsim.Fault { return wxsim.Fault{Kind: wxsim.FaultResetBefore} },
		func() wxsim.Fault { return wxsim.Fault{Kind: wxsim.FaultHTML} },
		func() wxsim.Fault { return wxsim.Fault{Kind: wxsim.FaultStatus, Status: 500 + random.IntN(5)} },
		func() wxsim.Fault { return wxsim.Fault{Kind: wxsim.FaultTruncated} },
		func() wxsim.Fault {
			return wxsim.Fault{Kind: wxsim.FaultSlow, DelayMS: 1 + random.Int64N(1500), Times: 1 + random.IntN(3)}
		},
		// Only these verbs' quotas run out: so the order of the others' is without exception.
		func() wxsim.Fault {
			return wxsim.Fault{Verb: "send_template_message", ErrCode: 45009, Times: 1 + random.IntN(3)}
		},
		func() wxsim.Fault {
			return wxsim.Fault{Verb: "get_user_info", ErrCode: 45011, Times: 1 + random.IntN(3)}
		},
	}
	every(ctx, 50*time.Millisecond, func() {
		if len(s.sim.Faults()) > 8 {
			return
		}
		s.faults++
		switch n := random.IntN(len(kinds) + 1); {
		case n == len(kinds):
			s.sim.ExpireTokens()
		case random.IntN(200) == 0:
			_ = s.sim.Fault(wxsim.Fault{Kind: wxsim.FaultTimeout}) // it is a fault that can be meant
		default:
			_ = s.sim.Fault(kinds[n]())
		}
	})
}

// unpause ends pauses as an operator does who has cleared the quota: nobody
// waits for midnight here.
func (s *soak) unpause(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	kv, err := s.js.KeyValue(ctx, "WX_STATE")
	if err != nil {
		return // the next look tries again
	}
	for _, verb := range []string{"send_template_message", "get_user_info"} {
		if _, err := kv.Get(ctx, "pause.api."+verb); err == nil {
			_ = kv.Delete(ctx, "pause.api."+verb)
		}
	}
}
