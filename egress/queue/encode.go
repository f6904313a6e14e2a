package queue

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"
)

// encode writes a claim as its tags say. It is written twice for each command,
// and the events in it are JSON already, to be published again as they are.
func (c *Claim) encode() []byte {
	const names = 288 // bytes, with the numbers and times
	w := claimWriter(make([]byte, 0, names+len(c.Owner)+len(c.Verb)+len(c.Hash)+len(c.Result)+len(c.Letter)))
	w.text(`{"state":`, string(c.State))
	w.number(`,"sequence":`, c.Sequence)
	if c.Owner != "" {
		w.text(`,"owner":`, c.Owner)
	}
	if c.Epoch != 0 {
		w.number(`,"epoch":`, c.Epoch)
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
