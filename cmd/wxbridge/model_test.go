package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/wxbridge/wxbridge/egress"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/ingress"
	"github.com/wxbridge/wxbridge/wxapi/callback"
)

var (
	modelRuns = flag.Int("model.runs", 2_000, "interleavings that TestPromiseOfReplies plays")
	modelSeed = flag.Uint64("model.seed", 0, "plays only the interleaving with this seed")
)

// The promise of replies (design §4) over random interleavings, in CI 10,000: the real
// ingresses and late workers on a small model of the bus, with WeChat's tries,
// repliers, deadlines, lost requests and acks, outages and kills, all on a clock
// that the test owns. A violation names its seed:
//
//	go test ./cmd/wxbridge -run TestPromiseOfReplies -model.seed 42 -v
func TestPromiseOfReplies(t *testing.T) {
	if *modelSeed != 0 {
		interleave(t, *modelSeed)
		return
	}
	runs := *modelRuns
	if testing.Short() {
		runs /= 10
	}
	counts := map[string]int{}
	for seed := range uint64(runs) {
		for _, what := range interleave(t, seed+1) {
			counts[what]++
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed+1)
		}
	}
	t.Logf("%d interleavings: %v", runs, counts)
	for _, must := range []string{"passive", events.OutcomeLateSent, events.OutcomeLateDropped, events.OutcomeReleased, events.OutcomeFallback, "missed", "killed", "frozen", "away"} {
		if counts[must] == 0 && runs >= 1000 {
			t.Errorf("no interleaving came to %q: the test shows less than it says", must)
		}
	}
}

// dawn is when every interleaving begins: a bubble's own first year has a digit
// less than WeChat's timestamps.
var dawn = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// scene is one interleaving: one follower says one thing.
type scene struct {
	*testing.T
	*memory
	seed     uint64
	account  *callback.Account
	config   ingress.Config
	drop     bool
	replicas []*actor[*ingress.Ingress]
	lates    []*actor[*egress.Late]
	document []byte
	id       string

	passive  []string // what the follower read in responses
	fault    bool     // the follower saw the line that the service is out of order
	success  bool
	statuses []int // of the tries that failed
	killed   bool
	faulty   bool // the bus lost something or went away
	frozen   bool
	mixed    bool // not all processes hold
	slow     bool // WeChat's tries come when they like
	hasty    bool // WeChat asks again as soon as a try has failed, not 5 s after the try before
	unheard  bool // the last try was left without an answer by a process that lives
	began    time.Time
}

// actor is one process.
type actor[P any] struct {
	process P
	link    *link
	stop    context.CancelFunc
}

// linkOf is that of one of all processes.
func (p *scene) linkOf(n int) *link {
	if n < len(p.replicas) {
		return p.replicas[n].link
	}
	return p.lates[n-len(p.replicas)].link
}

func interleave(t *testing.T, seed uint64) (happened []string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		elapse(time.Until(dawn))
		p := newScene(t, seed)
		var running, playing sync.WaitGroup
		p.begin(&running)
		for _, act := range p.acts() {
			playing.Go(act)
		}
		playing.Wait()
		p.away(false)
		p.mu.Lock()
		p.loss = 0
		p.mu.Unlock()
		// One late worker is left or comes; all that was begun comes to its end.
		p.startLate(&running)
		elapse(2 * time.Minute)
		happened = p.judge()
		for _, r := range p.replicas {
			r.stop()
		}
		for _, l := range p.lates {
			l.stop()
		}
		running.Wait()
	})
	return happened
}

func newScene(t *testing.T, seed uint64) *scene {
	t.Helper()
	rng := rand.New(rand.NewPCG(seed, seed))
	account, err := callback.New(callback.Config{AppID: "wx0123456789abcdef", Token: "token"})
	if err != nil {
		t.Fatal(err)
	}
	p := &scene{
		T: t, memory: newMemory(rng), seed: seed, account: account, drop: rng.IntN(4) == 0,
		config: ingress.Config{Path: "/wx", Hold: 4500 * time.Millisecond, HoldTries: 1 + 2*rng.IntN(2), BareReply: true, MaxHolds: 10, MaxHeldBytes: 1 << 20},
		document: fmt.Appendf(nil, "<xml><ToUserName>gh_1</ToUserName><FromUserName>oAlice</FromUserName><CreateTime>%d</CreateTime>"+
			"<MsgType>text</MsgType><Content>hi</Content><MsgId>%d</MsgId></xml>", time.Now().Unix(), seed),
	}
	if rng.IntN(2) == 0 {
		p.config.FallbackText = "sorry"
	}
	if rng.IntN(2) == 0 {
		p.loss, p.faulty = rng.Float64()*0.3, true
	}
	p.slow = rng.IntN(4) == 0
	p.hasty = rng.IntN(4) == 0
	message, err := callback.Parse(p.document)
	if err != nil {
		t.Fatal(err)
	}
	p.id = message.ID()
	return p
}

// begin starts the processes.
func (p *scene) begin(running *sync.WaitGroup) {
	for range 1 + p.rng.IntN(3) {
		a, config := &actor[*ingress.Ingress]{link: p.link()}, p.config
		if p.rng.IntN(8) == 0 {
			p.mixed = true
			config.Hold = 0 // as one that has no room, or is configured otherwise
		}
		a.process = ingress.New(config, p.account, a.link, nil, nil)
		var ctx context.Context
		ctx, a.stop = context.WithCancel(p.Context())
		running.Go(func() { a.process.Run(ctx) })
		p.replicas = append(p.replicas, a)
	}
	for range p.rng.IntN(3) {
		p.startLate(running)
	}
}

func (p *scene) startLate(running *sync.WaitGroup) {
	cfg := egress.Config{Late: "custom"}
	if p.drop {
		cfg.Late = "drop"
	}
	a := &actor[*egress.Late]{link: p.link()}
	a.process = egress.NewLate(cfg, p.account.AppID(), 10*time.Minute, a.link, nil, nil)
	var ctx context.Context
	ctx, a.stop = context.WithCancel(p.Context())
	running.Go(func() { a.process.Run(ctx) })
	p.lates = append(p.lates, a)
}

// acts is what happens, each beside the others.
func (p *scene) acts() []func() {
	acts := []func(){p.wechat}
	for n := range p.rng.IntN(4) {
		acts = append(acts, p.replier(n))
	}
	if p.rng.IntN(3) == 0 {
		at := p.instant()
		victim := p.rng.IntN(len(p.replicas) + len(p.lates))
		p.killed = true
		acts = append(acts, func() {
			elapse(at)
			p.linkOf(victim).kill()
		})
	}
	if p.rng.IntN(4) == 0 {
		at, lasts := p.instant(), time.Duration(p.rng.Int64N(int64(30*time.Second)))
		victim := p.linkOf(p.rng.IntN(len(p.replicas) + len(p.lates)))
		p.killed, p.frozen = true, true // to the follower a frozen process is a dead one
		acts = append(acts, func() {
			elapse(at)
			victim.freeze(lasts)
		})
	}
	if p.rng.IntN(4) == 0 {
		at := p.instant()
		acts = append(acts, func() {
			elapse(at)
			for _, l := range p.lates {
				l.link.flap()
			}
		})
	}
	if p.rng.IntN(4) == 0 {
		at, lasts := p.instant(), time.Duration(p.rng.Int64N(int64(8*time.Second)))
		p.faulty = true
		acts = append(acts, func() {
			elapse(at)
			p.away(true)
			elapse(lasts)
			p.away(false)
		})
	}
	return acts
}

// instant is a moment of the scene; the ends of holds and tries are likely ones.
func (p *scene) instant() time.Duration {
	near := []int{0, 4500, 4700, 4780, 5000, 9500, 9700, 10_000, 14_500, 14_700, 17_000} // in milliseconds
	switch p.rng.IntN(4) {
	case 0:
		return time.Duration(p.rng.Int64N(int64(25 * time.Second)))
	case 1:
		return time.Duration(p.rng.Int64N(int64(5 * time.Second)))
	}
	at := time.Duration(near[p.rng.IntN(len(near))])*time.Millisecond + time.Duration(p.rng.Int64N(int64(30*time.Millisecond))) - 10*time.Millisecond
	return max(0, at)
}

// replier answers once, through the log or as a plain subscriber.
func (p *scene) replier(n int) func() {
	at := p.instant()
	body := []string{
		fmt.Sprintf("answer %d", n), fmt.Sprintf(`{"msgtype":"text","text":{"content":"answer %d"}}`, n), fmt.Sprintf("answer %d", n),
		`{"msgtype":"wait"}`, `{"msgtype":"wait"}`, `{"msgtype":"release"}`, `{"msgtype":"text"}`, `{"msgtype":"transfer_customer_service"}`,
		fmt.Sprintf(`{"msgtype":"msgmenu","msgmenu":{"head_content":"answer %d","list":[{"id":"1","content":"a"}]}}`, n),
	}[p.rng.IntN(9)]
	respond := p.rng.IntN(4) == 0
	through := p.replicas[p.rng.IntN(len(p.replicas))]
	return func() {
		elapse(at)
		if respond && !through.link.killed() {
			through.link.answer(bus.Answer{Key: p.id, Body: []byte(body)})
			return
		}
		if !p.isDown() {
			p.store(p.names.Subject(events.Replies, p.id), nil, []byte(body), "")
		}
	}
}

// wechat delivers the message as WeChat does: five seconds, three tries.
func (p *scene) wechat() {
	p.began = time.Now()
	for range 3 {
		again := time.Now().Add(5 * time.Second)
		r := p.replicas[int(p.upTo(time.Duration(len(p.replicas))))]
		status, body := p.try(r)
		if status == http.StatusOK {
			p.success = body == callback.Success || body == ""
			if !p.success {
				doc, err := callback.Parse([]byte(body))
				if err != nil {
					p.Errorf("seed %d: answered %q: %v", p.seed, body, err)
					return
				}
				p.passive = append(p.passive, doc.Value("MsgType")+" "+doc.Value("Content"))
			}
			return
		}
		p.statuses = append(p.statuses, status)
		p.unheard = status == 0 && !r.link.killed()
		if !p.hasty {
			elapse(time.Until(again))
		}
		if p.slow {
			elapse(p.upTo(12 * time.Second))
		}
	}
	p.fault = true
}

// try is one request, 0 when there was no answer: a silence of five seconds, or
// the end of the process.
func (p *scene) try(r *actor[*ingress.Ingress]) (status int, body string) {
	if r.link.killed() {
		return 0, ""
	}
	ctx, cancel := context.WithTimeout(p.Context(), 5*time.Second)
	defer cancel()
	push, err := p.account.NewPush(callback.ModePlain, p.document, "", time.Now())
	if err != nil {
		p.Error(err)
		return 0, ""
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "/wx?"+push.Query.Encode(), bytes.NewReader(push.Body))
	if err != nil {
		p.Error(err)
		return 0, ""
	}
	answered := make(chan *recorder, 1)
	go func() {
		w := &recorder{header: http.Header{}, link: r.link, peer: ctx}
		defer func() {
			if what := recover(); what != nil && what != http.ErrAbortHandler { //nolint:errorlint // net/http compares it so
				panic(what)
			}
			answered <- w
		}()
		r.process.ServeHTTP(w, req)
	}()
	select {
	case <-r.link.dead: // the connection breaks with its process
	case <-ctx.Done():
	case w := <-answered:
		return w.status, w.body.String()
	}
	cancel()
	<-answered
	return 0, ""
}

// recorder is a response that reaches WeChat only while both ends live.
type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
	link   *link
	peer   context.Context //nolint:containedctx // the peer's patience
}

func (w *recorder) Header() http.Header { return w.header }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && w.peer.Err() == nil && !w.link.killed() {
		w.status = status
	}
}

func (w *recorder) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	if w.peer.Err() != nil || w.link.killed() {
		return 0, errors.New("the peer is gone")
	}
	return w.body.Write(b)
}
