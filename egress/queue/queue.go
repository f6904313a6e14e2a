package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

const (
	// retry is how soon the queue begins again after it could not.
	retry = time.Second
	// heldBytes is how much payload is kept for commands that wait for a worker.
	heldBytes = 8 << 20
	// mostCommands is how many commands are in memory at most, some 600 bytes each.
	mostCommands = 1 << 20
)

// Queue works through a stream of commands in every process of a prefix, of
// which one at a time does so.
type Queue struct {
	JetStream jetstream.JetStream
	Post      Post // on JetStream's connection
	Stream    string
	State     string // the bucket with the lease
	Consumer  string // what the names of consumers begin with; the rest is the epoch
	Process   string // names this process, unique
	// Probe is the subject where a process answers as long as it lives.
	Probe func(process string) string
	// Settled waits until the streams are in order, and returns the connection's
	// number and a channel that closes when it is another.
	Settled func(ctx context.Context) (epoch uint64, moved <-chan struct{}, err error)
	// Workers is how many commands are worked on at once, of one gate half as many
	// at most.
	Workers int
	// Read looks at a command, from one goroutine at a time or a worker's. A
	// command may be read several times: its payload is not kept while it waits.
	Read   func(m Message) Task
	Grace  time.Duration // how long Work may go on after Run's context ended
	Logger *slog.Logger

	mu      sync.Mutex
	shut    map[string]time.Time
	board   *board // of the present tenure, nil without
	trouble error  // why this process can neither own the queue nor stand by

	working sync.WaitGroup
}

// Shut lets no command through a gate until a time; then one tries, and the rest
// follow when Open says so. The gate Everything is every command's.
func (q *Queue) Shut(gate string, until time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.shut == nil {
		q.shut = map[string]time.Time{}
	}
	q.shut[gate] = until
	if q.board != nil {
		q.board.shut(gate, until)
	}
}

// Open lets commands through a gate again.
func (q *Queue) Open(gate string) {
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(q.shut, gate)
	if q.board != nil {
		q.board.open(gate)
	}
}

// Trouble is why this process can neither own the queue nor stand by; nil while
// it can.
func (q *Queue) Trouble() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.trouble
}

func (q *Queue) setTrouble(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.trouble = err
}

// setBoard makes a tenure's board the one whose gates are shut and opened.
func (q *Queue) setBoard(b *board) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.board = b
	if b == nil {
		return
	}
	for gate, until := range maps.All(q.shut) {
		b.shut(gate, until)
	}
}

// Run stands by, owns the queue while it can, and stands by again, until ctx
// ends; then it waits for the commands that are being worked on.
func (q *Queue) Run(ctx context.Context) {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	release := context.AfterFunc(ctx, func() { time.AfterFunc(q.Grace, stop) })
	defer release()
	defer q.working.Wait()
	for ctx.Err() == nil {
		if err := q.serve(ctx, work); err != nil && ctx.Err() == nil {
			q.setTrouble(err)
			q.Logger.Warn("the queue is not worked on by this process", "error", err)
			pause(ctx, retry)
		}
	}
}

// serve takes part in the election once the bus is in order, and serves a tenure.
func (q *Queue) serve(ctx, work context.Context) error {
	_, moved, err := q.Settled(ctx)
	if err != nil {
		return err
	}
	// What is delivered while the link is down is lost on the way and would come
	// again only after AckWait: with the connection a tenure ends.
	link, cut := context.WithCancelCause(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cut(nil)
	watching.Go(func() {
		select {
		case <-link.Done():
		case <-moved:
			cut(errLink)
		}
	})
	conn := q.JetStream.Conn()
	alive, err := conn.Subscribe(q.Probe(q.Process), func(m *nats.Msg) { _ = m.Respond(nil) })
	if err != nil {
		return fmt.Errorf("probe: %w", err)
	}
	defer alive.Unsubscribe() //nolint:errcheck // of a connection that is gone nothing is left
	kv, err := q.JetStream.KeyValue(link, q.State)
	if err != nil {
		return unlessCut(link, fmt.Errorf("bucket %s: %w", q.State, err))
	}
	o := &owner{kv: kv, conn: conn, process: q.Process, probe: q.Probe, epochs: q.epochs}
	t, err := o.acquire(link, func() { q.setTrouble(nil) })
	if err != nil {
		return unlessCut(link, err)
	}
	q.Logger.Info("this process owns the queue", "epoch", t.record.Epoch, "process", q.Process)
	return q.tenure(ctx, link, work, t)
}

// unlessCut is an error, unless it comes of a connection that has changed: then
// all begins anew at once.
func unlessCut(link context.Context, err error) error {
	if errors.Is(context.Cause(link), errLink) {
		return nil
	}
	return err
}

var errLink = errors.New("the connection to NATS has changed")

// tenure works through the queue until the link changes or the lease is lost.
// When ctx ends it also waits for what is being worked on, and then gives the
// lease up: a stand-by that takes over finds nothing half done.
func (q *Queue) tenure(ctx, link, work context.Context, t *tenure) error {
	tenure, end := context.WithCancelCause(link)
	defer end(nil)
	keep, stopKeeping := context.WithCancel(work)
	var keeping sync.WaitGroup
	defer keeping.Wait()
	defer stopKeeping()
	keeping.Go(func() {
		if err := t.keep(keep); err != nil {
			end(err)
		}
	})

	r, err := q.takeOver(tenure, t.record.Epoch)
	if err != nil {
		return unlessCut(link, err)
	}
	off, err := newAcks(q.JetStream.Conn(), q.Post, q.Logger)
	if err != nil {
		return unlessCut(link, err)
	}
	defer off.stop()
	keeping.Go(func() { off.repeat(keep) })
	q.setTrouble(nil)
	b := newBoard(time.Now, heldBytes, 2*q.Workers, mostCommands, q.Workers)
	q.setBoard(b)
	defer q.setBoard(nil)
	over := context.AfterFunc(tenure, b.close)
	defer over()

	var working sync.WaitGroup
	turn := Turn{Epoch: t.record.Epoch, Began: t.began, Held: func() bool { return tenure.Err() == nil && t.held() }}
	for range q.Workers {
		working.Add(1)
		q.working.Go(func() {
			defer working.Done()
			for e := b.take(); e != nil; e = b.take() {
				q.workOn(work, b, r, off, e, turn)
			}
		})
	}
	end(r.read(tenure, b))
	b.close()
	if ctx.Err() == nil {
		// What is being sent goes on; its claim is the fence.
		q.Logger.Warn("this process does not own the queue any more", "epoch", t.record.Epoch, "reason", context.Cause(tenure))
		return nil
	}
	working.Wait()
	off.confirmed(work)
	stopKeeping()
	keeping.Wait()
	return t.release(work)
}

// workOn works on one command and does with it as the verdict says.
func (q *Queue) workOn(ctx context.Context, b *board, r *reader, off *acks, e *entry, turn Turn) {
	task := e.task
	if task == nil {
		m, err := r.again(ctx, e.sequence)
		switch {
		case err != nil:
			q.Logger.Warn("command cannot be read", "sequence", e.sequence, "error", err)
			b.again(e, time.Now().Add(retry))
			return
		case m == nil:
			b.finish(e) // somebody has deleted it
			return
		}
		again := q.Read(*m)
		task = &again
	}
	if !turn.Held() {
		b.again(e, time.Now().Add(beat)) // by then it is, or all is over
		return
	}
	verdict := task.Work(ctx, turn)
	if !verdict.done {
		b.again(e, verdict.at)
		return
	}
	off.ack(e.sequence, e.ack)
	b.finish(e)
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
