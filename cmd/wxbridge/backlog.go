package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi/wxsim"
)

// backlog parks the commands of an API whose quota is used up, one for each of as
// many followers, and looks what they cost: the others behind them, and memory.
// Then it lets them go.
type backlog struct {
	rig
	size, others int
	within       time.Duration
	egress       *rigProcess
}

func (b *backlog) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, b.within)
	defer cancel()
	stop, err := b.open(ctx)
	if err != nil {
		return err
	}
	defer stop()
	for i := range max(b.size, b.others) { // who are not there get nothing
		if _, err := b.sim.Push(ctx, soakFollower(i), json.RawMessage(`{"MsgType":"text","Content":"hi"}`)); err != nil {
			return err
		}
	}
	if b.egress, err = b.process("egress"); err != nil {
		return err
	}
	defer b.egress.end()
	if _, err := b.best(ctx, "warm"); err != nil {
		return err
	}
	alone, err := b.best(ctx, "alone")
	if err != nil {
		return err
	}
	before, _ := b.egress.memory()
	if err := b.park(ctx); err != nil {
		return err
	}
	parked, _ := b.egress.memory()
	behind, err := b.best(ctx, "behind")
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "%d others alone: %s; behind %d commands of a paused API: %s (%.2f times)\n",
		b.others, alone.Round(time.Millisecond), b.size, behind.Round(time.Millisecond), behind.Seconds()/alone.Seconds())
	if parked > 0 {
		fmt.Fprintf(b.out, "memory of the process: %.1f MB before, %.1f MB with them parked: %.0f bytes each\n",
			mega(before), mega(parked), float64(parked-before)/float64(b.size))
	}
	took, err := b.release(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(b.out, "drained in %s (%.0f/s)\n", took.Round(time.Millisecond), float64(b.size)/took.Seconds())
	if _, most := b.egress.memory(); most > 0 {
		fmt.Fprintf(b.out, "the most memory that it ever had: %.1f MB\n", mega(most))
	}
	return nil
}

func mega(bytes int) float64 { return float64(bytes) / 1e6 }

// best is the shortest of five passes: what else the machine does is not counted.
func (b *backlog) best(ctx context.Context, name string) (best time.Duration, err error) {
	for i := range 5 {
		took, err := b.pass(ctx, fmt.Sprintf("%s-%d", name, i))
		if err != nil {
			return 0, err
		}
		if best == 0 || took < best {
			best = took
		}
	}
	return best, nil
}

// pass sends the others' commands through and says how long that took.
func (b *backlog) pass(ctx context.Context, name string) (time.Duration, error) {
	before, err := b.count(ctx, "WX_RESULT")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	for i := range b.others {
		data := fmt.Sprintf(`{"openid":%q}`, soakFollower(i))
		if err := b.send("get_user_info", fmt.Sprintf("%s-%d-%d", name, before, i), data); err != nil {
			return 0, err
		}
	}
	<-b.js.PublishAsyncComplete()
	err = b.until(ctx, func() bool {
		n, err := b.count(ctx, "WX_RESULT")
		return err == nil && n >= before+b.others
	})
	return time.Since(began), err
}

// park fills the queue with commands that wait, and waits until all are read.
func (b *backlog) park(ctx context.Context) error {
	if err := b.sim.Fault(wxsim.Fault{Verb: "send_custom_message", ErrCode: 45009, Times: -1}); err != nil {
		return err
	}
	text := strings.Repeat("你好 ", 40) // as long as messages are
	for i := range b.size {
		data := fmt.Sprintf(`{"touser":%q,"msgtype":"text","text":{"content":%q}}`, soakFollower(i), text)
		if err := b.send("send_custom_message", fmt.Sprintf("parked-%d", i), data); err != nil {
			return err
		}
	}
	<-b.js.PublishAsyncComplete()
	return b.until(ctx, b.allRead)
}

// allRead says whether the owner has read the whole stream.
func (b *backlog) allRead() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	stream, err := b.js.Stream(ctx, "WX_CMD")
	if err != nil {
		return false
	}
	for consumer := range stream.ListConsumers(ctx).Info() {
		if consumer.NumPending == 0 && consumer.NumAckPending >= b.size {
			return true
		}
	}
	return false
}

// release lets the parked commands go and says how long they take.
func (b *backlog) release(ctx context.Context) (time.Duration, error) {
	b.sim.ClearFaults()
	kv, err := b.js.KeyValue(ctx, "WX_STATE")
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := kv.Delete(ctx, "pause.api.send_custom_message"); err != nil {
		return 0, err
	}
	err = b.until(ctx, func() bool {
		left, err := b.count(ctx, "WX_CMD")
		return err == nil && left == 0
	})
	return time.Since(began), err
}

// until waits for what nobody announces.
func (b *backlog) until(ctx context.Context, is func() bool) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !is() {
		select {
		case <-ctx.Done():
			return errors.Join(errors.New("given up"), ctx.Err())
		case <-tick.C:
		}
	}
	return nil
}

// send publishes a command without waiting for its ack.
func (r *rig) send(verb, id, data string) error {
	e, err := events.NewCommand(verb, id, "//bench", time.Now(), json.RawMessage(data))
	if err != nil {
		return err
	}
	header, body, err := events.EncodeStructured(e)
	if err != nil {
		return err
	}
	_, err = r.js.PublishMsgAsync(&nats.Msg{Subject: "wx.cmd." + verb, Header: nats.Header(header), Data: body}, jetstream.WithStallWait(time.Minute))
	return err
}

// memory is what the process has and had at most, in bytes; 0 where the system
// does not say.
func (p *rigProcess) memory() (now, most int) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		var kilo int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kilo); n == 1 {
			now = kilo << 10
		}
		if n, _ := fmt.Sscanf(line, "VmHWM: %d kB", &kilo); n == 1 {
			most = kilo << 10
		}
	}
	return now, most
}
