package events

import "time"

// Header holds a message's headers as NATS has them: names are case-sensitive
// and a name may have several values.
type Header map[string][]string

// Get returns the first value of a header, or "".
func (h Header) Get(name string) string {
	if v := h[name]; len(v) > 0 {
		return v[0]
	}
	return ""
}

// Message is one message of the bus without its transport. Sequence and Time
// are the stream's and zero for a message that is in none.
type Message struct {
	Subject  string
	Header   Header
	Body     []byte
	Sequence uint64
	Time     time.Time
}
