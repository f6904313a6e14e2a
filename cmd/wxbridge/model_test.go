package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
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

// judge holds what happened against the promise, read from the streams alone.
func (p *scene) judge() (happened []string) {
	violated := func(format string, args ...any) {
		p.Errorf("seed %d: %s\n%s", p.seed, fmt.Sprintf(format, args...), p.tape())
	}
	stored, held := p.stored()
	outcomes := map[string]events.Outcome{}
	hold, late := "", ""
	for _, m := range p.all(bus.StreamOutcome) {
		o, err := events.ParseOutcome(m.Header, m.Body)
		if err != nil {
			violated("outcome: %v", err)
		}
		outcomes[o.Outcome] = o
		happened = append(happened, o.Outcome)
		switch {
		case o.Late() && late == "":
			late = o.Outcome
		case !o.Late() && hold == "":
			hold = o.Outcome
		default:
			violated("a second outcome %q", o.Outcome)
		}
	}
	valid, missed := p.replies()
	commands := len(p.all(bus.StreamCmd))
	fallback := slices.Index(p.passive, "text sorry") >= 0
	passive := len(p.passive)
	if fallback {
		passive--
	}
	if p.killed {
		happened = append(happened, "killed")
	}
	if p.frozen {
		happened = append(happened, "frozen")
	}
	if p.faulty {
		happened = append(happened, "away")
	}
	if missed {
		happened = append(happened, "missed")
	}
	switch {
	case !stored && (passive+commands > 0 || hold != ""):
		violated("something came of an event that is not stored")
	case stored && held && hold == "":
		violated("a held event without an outcome")
	case !held && hold != "":
		violated("the outcome %q of a hold that never was", hold)
	case passive+commands > 1:
		violated("%d passive answers and %d commands", passive, commands)
	case p.fault && !p.killed && (!p.faulty || !slices.ContainsFunc(p.statuses, func(s int) bool { return s != 0 })):
		violated("the follower saw the fault line")
	case p.fault && p.unheard && !p.hasty && !p.frozen:
		violated("the last try was left without an answer")
	case held && !p.killed && !p.faulty && !p.slow && !p.mixed && len(valid) > 0 && valid[0].first && valid[0].at.Before(p.deadline()) && hold != events.OutcomeReplied && hold != events.OutcomeReleased:
		violated("a reply that was in time did not decide: %q", hold)
	case fallback && hold != events.OutcomeFallback:
		violated("the fallback text went out, the outcome is %q", hold)
	case passive == 1 && (hold != events.OutcomeReplied || missed || p.passive[0] != p.answering(valid, outcomes[hold].Sequence)):
		violated("the follower read %q", p.passive[0])
	case hold == events.OutcomeReplied && !missed && passive == 0 && !p.killed:
		violated("an outcome replied, and the follower read nothing")
	}
	if passive == 1 {
		happened = append(happened, "passive")
	}
	if !stored || len(valid) == 0 || hold == events.OutcomeReplied && !missed {
		if late != "" {
			violated("late outcome %q with nothing to be late", late)
		}
		return happened
	}
	// A reply that no response has carried.
	want := events.OutcomeLateSent
	counts := p.counting(valid, outcomes[hold].Sequence)
	inTime := hold == events.OutcomeReleased && !counts.hasPassive && counts.sequence == outcomes[hold].Sequence
	if counts.transfer || p.drop && !inTime {
		want = events.OutcomeLateDropped
	}
	if late != want {
		violated("late outcome %q, want %q", late, want)
	}
	if (late == events.OutcomeLateSent) != (commands == 1) {
		violated("late outcome %q and %d commands", late, commands)
	}
	if outcomes[late].Sequence != counts.sequence {
		violated("late outcome of message %d, want %d", outcomes[late].Sequence, counts.sequence)
	}
	return happened
}

// stored says whether the event is, and whether as one that is held.
func (p *scene) stored() (stored, held bool) {
	all := p.all(bus.StreamInbound)
	if len(all) == 0 {
		return false, false
	}
	in, err := events.ParseInbound(p.names, all[0])
	if err != nil {
		p.Error(err)
	}
	return true, !in.Deadline.IsZero()
}

// deadline is until when a reply must be in time where nothing fails: the last
// wanted try's end, less what the way to it may take.
func (p *scene) deadline() time.Time {
	const way = 100 * time.Millisecond
	end := p.began.Add(p.config.Hold - way)
	wanted := p.config.HoldTries
	for _, m := range p.all(bus.StreamReply) {
		if strings.Contains(string(m.Body), `"wait"`) && m.Time.Before(end) {
			wanted = 3
		}
	}
	return end.Add(time.Duration(wanted-1) * 5 * time.Second)
}

// answering is what the follower may read: the reply that the outcome names, if
// it is one that could decide.
func (p *scene) answering(valid []reply, sequence uint64) string {
	if r := p.counting(valid, sequence); r.sequence == sequence {
		return r.passive
	}
	return "nothing"
}

// counting is the reply that counts: the one that the outcome names, if all that
// are before it in the log were stored before the event was; else the first of
// the log. A plain subscriber may answer a publish that the stream did not take,
// and when WeChat's next try is stored nobody reads what the log held before.
func (p *scene) counting(valid []reply, sequence uint64) reply {
	stored := p.all(bus.StreamInbound)[0].Time
	for _, r := range valid {
		if r.sequence == sequence {
			return r
		}
		if !r.at.Before(stored) {
			break
		}
	}
	return valid[0]
}

// reply is a valid reply of the log, as the test reads it.
type reply struct {
	at                   time.Time
	sequence             uint64
	passive              string // what the follower reads of it
	hasPassive, transfer bool
	decides              bool // nothing decided before
	first                bool // no replier decided before
}

// replies lists the valid replies in the stream's order, and says whether a
// holder has marked its reply as missed.
func (p *scene) replies() (valid []reply, missed bool) {
	decided, answered, carried := false, false, false
	for _, m := range p.all(bus.StreamReply) {
		body := string(m.Body)
		switch {
		case strings.Contains(body, `"mark":"missed"`):
			missed = missed || !carried
		case strings.Contains(body, `"mark":"carried"`):
			carried = true
		case strings.Contains(body, `"mark":"closed"`):
			decided = true
		case strings.Contains(body, `"release"`):
			decided, answered = true, true
		case strings.Contains(body, "answer"), strings.Contains(body, "transfer"):
			r := reply{at: m.Time, sequence: m.Sequence, decides: !decided, first: !answered, hasPassive: !strings.Contains(body, "msgmenu"), transfer: strings.Contains(body, "transfer")}
			if at := strings.Index(body, "answer"); at >= 0 {
				r.passive = "text " + body[at:at+len("answer 0")]
			}
			if r.transfer {
				r.passive = "transfer_customer_service "
			}
			valid = append(valid, r)
			decided, answered = true, true
		}
	}
	return valid, missed
}

// tape is all that the streams hold, for whoever looks into a violation.
func (p *scene) tape() string {
	var b strings.Builder
	fmt.Fprintf(&b, "config %+v drop %v loss %.2f killed %v; follower read %q, success %v, fault %v, failed tries %v\n", p.config, p.drop, p.loss, p.killed, p.passive, p.success, p.fault, p.statuses)
	for _, stream := range []string{bus.StreamInbound, bus.StreamReply, bus.StreamOutcome, bus.StreamCmd, bus.StreamDLQ} {
		for _, m := range p.all(stream) {
			_, body, found := bytes.Cut(m.Body, []byte(`"data":`))
			if !found {
				body = m.Body
			}
			fmt.Fprintf(&b, "%s %6.3f %d %s %s\n", stream, m.Time.Sub(dawn).Seconds(), m.Sequence, m.Subject, body)
		}
	}
	return b.String()
}
