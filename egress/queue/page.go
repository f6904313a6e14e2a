package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go/jetstream"
	"github.com/nats-io/nuid"
)

const (
	// pageClaims is how many claims share a page, pageEnd how long an end may be
	// to stand on one: what ends together must fit into one message.
	pageClaims = 64
	pageEnd    = 4 << 10
)

// pages hands out the pages on which the claims end that this process is sending.
//
// A claim that is being sent names a page, which it has in common with others that
// are sent at the same time. Those that end at the same moment are written as one
// entry of the bucket, the page's next part, which is a write for several instead
// of one for each; whoever loads such a claim looks there for its end.
//
// The fence stays what it was. Each part is written as an entry that must not be
// there yet, by the process that made the page. Whoever takes a claim over has read
// all parts and closes the page by writing the next one itself. The owner of a
// closed page finds out at its next write, and writes the ends under the claims'
// own keys, if nobody has changed those.
type pages struct {
	bucket  *bucket
	scratch scratch // parts are larger than claims

	mu   sync.Mutex
	last *page // the one that takes more claims; nil before the first
}

// page is a page as the process keeps it that made it.
type page struct {
	book *pages
	key  string
	pen  sync.Mutex // one writes at a time, for all who have come until then

	// Under book.mu.
	joined, gone int   // claims
	draft        *part // what comes next
	closed       bool
}

// part is what is written at once.
type part struct {
	number  int
	text    []byte
	written bool // under pen, and so is err
	err     error
}

const (
	partOpens  = `{"ends":{`
	partCloses = `}}`
	// partLast closes a page.
	partLast = `{"closed":true}`
)

// errOwnKey says that a claim must end under its own key.
var errOwnKey = errors.New("not on a page")

// join returns the page for one more claim, and the name of the first part on
// which it may end.
func (b *pages) join() (*page, string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	// One that everybody has left was made in another moment.
	if p := b.last; p == nil || p.closed || p.joined == pageClaims || p.joined == p.gone {
		b.last = &page{book: b, key: "page." + nuid.Next(), draft: &part{}}
	}
	b.last.joined++
	return b.last, partName(b.last.key, b.last.draft.number)
}

func partName(page string, part int) string { return page + "." + strconv.Itoa(part) }

// leave says that a claim, which has ended or not, needs the page no more.
func (p *page) leave() {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	p.gone++
}

// end writes a claim's end on the page. The error is errOwnKey if it does not
// belong there, or the one of the write, after which the page is not written
// again: whether the end stands there is then open.
func (p *page) end(ctx context.Context, c *Claim) error {
	mine, err := p.add(c)
	if err != nil {
		return err
	}
	p.pen.Lock() // not for long: writes are bounded, and there are few
	defer p.pen.Unlock()
	if mine.written {
		return mine.err // by somebody who came to the pen before
	}
	mine.written = true
	if mine.err = p.turn(); mine.err == nil {
		mine.text = append(mine.text, partCloses...)
		if _, mine.err = p.book.bucket.write(ctx, partName(p.key, mine.number), mine.text, 0); mine.err == nil {
			p.book.scratch.giveBack(mine.text)
		}
	}
	if mine.err != nil {
		p.close()
	}
	return mine.err
}

// add puts an end down to be written, by whoever holds the pen next.
func (p *page) add(c *Claim) (*part, error) {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	if p.closed || p.joined == 1 || len(c.Result)+len(c.Letter) > pageEnd {
		return nil, errOwnKey
	}
	d := p.draft
	if d.text == nil {
		d.text = append(p.book.scratch.take(), partOpens...)
	} else {
		d.text = append(d.text, ',')
	}
	d.text = append(append(append(d.text, '"'), c.key...), `":`...)
	d.text = c.appendTo(d.text)
	return d, nil
}

// turn ends the draft, which is to be written now, and begins the next.
func (p *page) turn() error {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	if p.closed {
		return errOwnKey
	}
	p.draft = &part{number: p.draft.number + 1}
	return nil
}

func (p *page) close() {
	p.book.mu.Lock()
	defer p.book.mu.Unlock()
	p.closed = true
}

// read returns what stands under a key on the page's part of a name and all that
// follow, nil if nothing does. next is the name of the part that comes after the
// last one, "" if the page is closed.
func (b *pages) read(ctx context.Context, first, key string) (end json.RawMessage, next string, err error) {
	dot := strings.LastIndexByte(first, '.')
	number, err := strconv.Atoi(first[dot+1:])
	if err != nil {
		return nil, "", fmt.Errorf("page %q: %w", first, err)
	}
	for ; ; number++ {
		next = partName(first[:dot], number)
		value, _, err := b.bucket.read(ctx, next)
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			return nil, next, nil
		}
		if err != nil {
			return nil, "", err
		}
		var part struct {
			Ends   map[string]json.RawMessage `json:"ends"`
			Closed bool                       `json:"closed"`
		}
		if err := json.Unmarshal(value, &part); err != nil {
			return nil, "", fmt.Errorf("page %q: %w", next, err)
		}
		if end := part.Ends[key]; end != nil || part.Closed {
			return end, "", nil
		}
	}
}

// shut has a page take no more ends, so that a claim on it can be taken over. The
// error is ErrConflict if the claim has ended there.
func (b *pages) shut(ctx context.Context, first, key string) error {
	for {
		end, next, err := b.read(ctx, first, key)
		switch {
		case err != nil:
			return err
		case end != nil:
			return ErrConflict
		case next == "":
			return nil
		}
		if _, err = b.bucket.write(ctx, next, []byte(partLast), 0); !errors.Is(err, ErrConflict) {
			return err
		}
		first = next // somebody has written it
	}
}
