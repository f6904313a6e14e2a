package egress

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
	"github.com/nats-io/nuid"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/wxapi"
)

const (
	// callWithin bounds one call; NATS does not tell how long its caller waits.
	callWithin = 15 * time.Second
	// callsAtOnce bounds the calls of one process; more of them wait, but not for
	// long: whoever asked may have given up, which NATS does not tell either.
	callsAtOnce = 64
	callsInLine = 1024
	slotWithin  = 2 * time.Second
)

// calls is the service behind wx.call.
type calls struct {
	service micro.Service
	slots   chan struct{}
	line    chan struct{}      // of those with a slot and those without
	waiting chan struct{}      // slots of get_result, which mostly waits
	cancel  context.CancelFunc // of what runs
	release context.CancelFunc // of what only waits

	mu      sync.Mutex
	over    bool
	running sync.WaitGroup
}

// serveCalls answers wx.call.<verb> for every verb, as a NATS service that
// `nats micro ls` finds. Calls are not ordered, and remembered only if they carry
// an id: one try, and again only what was certainly not sent.
func (e *Egress) serveCalls(ctx context.Context) (*calls, error) {
	service, err := micro.AddService(e.bus.Conn(), micro.Config{
		Name: "wxbridge", Version: "1.0.0",
		Description: "WeChat's API as requests: " + e.bus.Prefix.Subject(events.Call, "<verb>"),
		Metadata:    map[string]string{"appid": e.appID, "prefix": string(e.bus.Prefix)},
	})
	if err != nil {
		return nil, err
	}
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	waiting, release := context.WithCancel(work)
	c := &calls{
		service: service, cancel: cancel, release: release,
		slots: make(chan struct{}, callsAtOnce), line: make(chan struct{}, callsAtOnce+callsInLine), waiting: make(chan struct{}, resultsAtOnce),
	}
	endpoint := func(verb, doc string, handle func(micro.Request) bool) {
		handler := func(r micro.Request) {
			if !handle(r) {
				e.refuseCall(verb, r, "this process is stopping")
			}
		}
		err = cmp.Or(err, service.AddEndpoint(verb, micro.HandlerFunc(handler),
			micro.WithEndpointSubject(e.bus.Prefix.Subject(events.Call, verb)),
			micro.WithEndpointMetadata(map[string]string{"doc": doc})))
	}
	add := func(verb, doc string, answer func(context.Context, micro.Request)) {
		busy := fmt.Sprintf("this process makes %d calls at once, and there was no room for another within %s", callsAtOnce, slotWithin)
		endpoint(verb, doc, func(r micro.Request) bool {
			return c.run(func() { answer(work, r) }, func() { e.refuseCall(verb, r, busy) })
		})
	}
	for _, row := range wxapi.Verbs() {
		add(row.Name, row.Doc, func(ctx context.Context, r micro.Request) { e.answerCall(ctx, row, r) })
	}
	endpoint(events.CallGetResult, "what became of a command", func(r micro.Request) bool {
		return c.wait(func(mayWait bool) { e.answerResult(waiting, r, mayWait) })
	})
	add(events.CallGetQuota, "what a follower may still get, and what rests", e.answerQuota)
	if e.cfg.TokenCall {
		add(events.CallGetAccessToken, "the account's access token", e.answerToken)
	}
	add(events.CallRedrive, "sends dead letters again", e.answerRedrive)
	if err != nil {
		c.stop(0)
		return nil, err
	}
	_ = e.bus.Conn().FlushTimeout(time.Second) // so that who is told that we are ready finds us
	return c, nil
}

// run runs f when there is a slot for it, or busy if there is none in time; not
// after the stop, when the client still hands out requests that it had received
// before.
func (c *calls) run(f, busy func()) bool {
	return c.begin(func() {
		select {
		case c.line <- struct{}{}:
			defer func() { <-c.line }()
		default:
			busy()
			return
		}
		patience := time.NewTimer(slotWithin)
		defer patience.Stop()
		select {
		case c.slots <- struct{}{}:
			defer func() { <-c.slots }()
			f()
		case <-patience.C:
			busy()
		}
	})
}

// begin runs f beside the others. It does not block: all requests come here.
func (c *calls) begin(f func()) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.over {
		c.running.Go(f)
	}
	return !c.over
}

// wait runs f beside the calls; f may wait for something if there is a slot.
func (c *calls) wait(f func(mayWait bool)) bool {
	return c.begin(func() {
		select {
		case c.waiting <- struct{}{}:
			defer func() { <-c.waiting }()
			f(true)
		default:
			f(false)
		}
	})
}

// stop takes no more calls and waits for those that run, within grace.
func (c *calls) stop(grace time.Duration) {
	timer := time.AfterFunc(grace, c.cancel)
	defer timer.Stop()
	_ = c.service.Stop() // a connection that is closed needs no farewell
	c.mu.Lock()
	c.over = true
	c.mu.Unlock()
	c.release()
	c.running.Wait()
	c.cancel()
}

func (e *Egress) answerCall(ctx context.Context, row *wxapi.Row, r micro.Request) {
	ctx, cancel := context.WithTimeout(ctx, callWithin)
	defer cancel()
	began := time.Now()
	result := e.call(ctx, row, r)
	e.fitResult(ctx, nuid.Next(), &result)
	e.observe.Finished(Finished{Verb: row.Name, Call: true, Result: result, Took: time.Since(began)})
	e.respond(row.Name, r, result)
}

// refuseCall answers a request for which nothing was done.
func (e *Egress) refuseCall(verb string, r micro.Request, why string) {
	e.respond(verb, r, events.Result{
		Outcome: events.ResultFailed, Class: string(wxapi.ClassBackoff), ErrMsg: why + ": nothing was sent, ask again",
	})
}

// respond answers by itself: a micro.Request is its handler's alone, which has
// returned long before.
func (e *Egress) respond(verb string, r micro.Request, result events.Result) {
	body, err := json.Marshal(result)
	if err == nil && r.Reply() != "" {
		m := nats.NewMsg(r.Reply())
		m.Data = body
		if result.Outcome != events.ResultDone {
			code := result.Class
			if result.ErrCode != 0 {
				code = strconv.Itoa(result.ErrCode)
			}
			// Neither may be empty, and WeChat's own words sometimes are.
			m.Header.Set(micro.ErrorCodeHeader, cmp.Or(code, result.Outcome))
			m.Header.Set(micro.ErrorHeader, cmp.Or(oneLine(result.ErrMsg), wxapi.Help(result.ErrCode)))
		}
		err = e.bus.Conn().PublishMsg(m)
	}
	if err != nil {
		e.logger.Warn("answer of a call is lost", "verb", verb, "error", err)
	}
}

// call executes one request of wx.call.
func (e *Egress) call(ctx context.Context, row *wxapi.Row, r micro.Request) events.Result {
	m := events.Message{
		Subject: e.bus.Prefix.Subject(events.Call, row.Name),
		Header:  events.Header(r.Headers()), Body: r.Data(), Time: time.Now(),
	}
	if len(m.Body) == 0 {
		m.Body = []byte("{}") // `nats req wx.call.get_groups ''`
	}
	command, err := events.ParseCommand(e.bus.Prefix, m, "")
	if err == nil {
		_, err = e.check(row, command.Data)
	}
	switch {
	case err != nil:
		return rejected(err)
	case !m.Time.Before(command.Expires):
		return expired(command)
	case command.ID != "" && row.Retry != wxapi.Read && !row.CallOnly:
		// What only reads can be read again; what carries credentials must not rest in a stream.
		return e.callOnce(ctx, command)
	}
	res := e.callNow(ctx, row, command, command.Data)
	res.ElapsedMS = time.Since(m.Time).Milliseconds()
	return res
}

// callNow makes a call of a command with the data that are sent, whatever was
// before: one try, and again only what was certainly not sent.
func (e *Egress) callNow(ctx context.Context, row *wxapi.Row, command events.Command, data []byte) events.Result {
	requests := 0
	for n := 0; ; n++ {
		sent := time.Now()
		answer, err := e.client.CallJSON(ctx, row, data)
		requests += answer.Requests
		// One try: what would come again on wx.cmd ends here.
		a := attempt{row: row, spent: budget, now: time.Now(), jitter: rand.Float64()}.saw(err)
		if a.reach == notWritten && n < 3 && sleep(ctx, a.after(n)) {
			if !time.Now().Before(command.Expires) {
				return expired(command)
			}
			continue
		}
		d := e.decide(a)
		if d.outcome == "" || d.outcome == events.ResultUnknown && row.Retry == wxapi.Read {
			d.outcome = events.ResultFailed
		}
		e.tellOfCall(ctx, row, command.Data, a, d, sent, err)
		res := result(d, answer, err)
		res.Attempts = requests
		if row.Name == customMessage {
			e.ledger.noteCall(ctx, field(command.Data, row.Lane), res)
		}
		return res
	}
}

// sleep waits, unless ctx ends first or would not leave time for another try.
func sleep(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) < 2*d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// oneLine makes a text fit for a header.
func oneLine(s string) string {
	const longest = 400
	line := []rune(s)
	for i, r := range line {
		if r < ' ' {
			line[i] = ' '
		}
	}
	return string(line[:min(len(line), longest)])
}
