package queue

import (
	"bytes"
	"encoding/json"
	"strconv"
	"sync"
	"time"
)

// appendTo writes a claim as its tags say. It is written twice for each command,
// and the events in it are JSON already, to be published again as they are.
func (c *Claim) appendTo(text []byte) []byte {
	w := claimWriter(text)
	w.text(`{"state":`, string(c.State))
	w.number(`,"sequence":`, c.Sequence)
	if c.Owner != "" {
		w.text(`,"owner":`, c.Owner)
	}
	if c.Epoch != 0 {
		w.number(`,"epoch":`, c.Epoch)
	}
	if c.Page != "" {
		w.text(`,"page":`, c.Page)
	}
	w.text(`,"verb":`, c.Verb)
	w.text(`,"hash":`, c.Hash)
	w.number(`,"attempts":`, uint64(c.Attempts))
	w.number(`,"spent":`, uint64(c.Spent))
	if c.Backoff != 0 {
		w.number(`,"backoff":`, uint64(c.Backoff))
	}
	if c.Doubt {
		w.raw(`,"doubt":`, []byte("true"))
	}
	w.time(`,"not_before":"`, c.NotBefore)
	w.time(`,"first_sent":"`, c.FirstSent)
	w.raw(`,"result":`, c.Result)
	w.raw(`,"letter":`, c.Letter)
	return append(w, '}')
}

// claimWriter writes the members of a claim, each with what stands before it.
type claimWriter []byte

func (w *claimWriter) text(before, text string) {
	*w = append(*w, before...)
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			*w = append(*w, quoted(text)...)
			return
		}
	}
	*w = append(append(append(*w, '"'), text...), '"')
}

// scratch is room for what is written to the bucket. What was stored is not needed
// any more; what may still be on its way must not be given back.
type scratch struct{ free sync.Pool }

func (s *scratch) take() []byte {
	if b, _ := s.free.Get().(*[]byte); b != nil {
		return (*b)[:0]
	}
	return make([]byte, 0, 1<<10)
}

func (s *scratch) giveBack(b []byte) {
	const large = 64 << 10
	if cap(b) <= large {
		s.free.Put(&b)
	}
}

func quoted(text string) []byte {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(text) // there is no text that is none in JSON
	return bytes.TrimSpace(b.Bytes())
}

func (w *claimWriter) number(before string, n uint64) {
	*w = strconv.AppendUint(append(*w, before...), n, 10)
}

func (w *claimWriter) time(before string, t time.Time) {
	if !t.IsZero() {
		*w = append(t.AppendFormat(append(*w, before...), time.RFC3339Nano), '"')
	}
}

func (w *claimWriter) raw(before string, value []byte) {
	if len(value) > 0 {
		*w = append(append(*w, before...), value...)
	}
}
