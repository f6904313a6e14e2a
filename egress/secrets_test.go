package egress

import (
	"bytes"
	"fmt"
	"os"
	"regexp"
	"sync"
	"testing"
)

// logbook is what every egress of every test has logged, at the level that
// operators run.
var logbook = &book{}

type book struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// leaks are what no log may hold: the AppSecret, an access token (the
// simulator's begin with 92_), an OpenID, a message's text.
var leaks = regexp.MustCompile(testSecret + `|92_[A-Za-z0-9_-]{8,}|oVertraulich-\w+|vertraulich: [^"]*`)

// TestMain lets all stories happen and then reads the logs of all of them.
func TestMain(m *testing.M) {
	code := m.Run()
	if leaked := logbook.leaks(); leaked > 0 {
		code = 1
	}
	os.Exit(code)
}

// leaks prints and counts the lines that should not be.
func (b *book) leaks() (n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range bytes.Lines(b.b.Bytes()) {
		if leak := leaks.Find(line); leak != nil {
			fmt.Fprintf(os.Stderr, "FAIL: %q stands in the log: %s", leak, line)
			n++
		}
	}
	return n
}
