package egress

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/events"
)

// padded is a transport that adds 300 KiB to the answers of one path.
type padded struct{ path string }

func (p padded) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil || r.URL.Path != p.path {
		return resp, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	body = bytes.Replace(body, []byte("{"), []byte(`{"pad":"`+strings.Repeat("p", 300<<10)+`",`), 1)
	resp.Body = io.NopCloser(bytes.NewReader(body))
	resp.ContentLength = int64(len(body))
	resp.Header.Set("Content-Length", strconv.Itoa(len(body)))
	return resp, nil
}

// An answer too large for a message is in the object store, for commands and
// calls alike, each its own.
func TestLargeAnswers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.large("get_groups")
	w.start().ready()
	refs := map[string]bool{}
	check := func(r events.Result) {
		t.Helper()
		if r.Outcome != events.ResultDone || len(r.Response) != 0 || refs[r.ResponseRef] {
			t.Errorf("%+v", r)
			return
		}
		refs[r.ResponseRef] = true
		if body := w.object(r.ResponseRef); len(body) < 300<<10 || !bytes.Contains(body, []byte(`"groups"`)) {
			t.Errorf("%d bytes are in the store", len(body))
		}
	}
	for _, id := range []string{"2026-1", "2026-2", "2026"} { // ids that begin alike as numbers
		w.bare("get_groups", id, `{}`)
		check(w.ends(id, "done"))
	}
	r, _ := w.ask("get_groups", `{}`)
	check(r)
}

// What people read has no escapes that JSON does not need, however often a
// result went through a claim.
func TestResultsAreReadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	p := w.start()
	w.event("create_group", "html", `{"group":{"name":"<R&D>"}}`, nil)
	w.ends("html", "done")
	w.emptied()
	p.stop()
	stream, err := w.js.Stream(w.within(), "WX_RESULT")
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.Purge(w.within()); err != nil {
		t.Fatal(err)
	}
	claim, err := w.claims().Load(w.within(), "html")
	if err != nil || !strings.Contains(string(claim.Result), "<R&D>") {
		t.Errorf("%s, %v", claim.Result, err)
	}
}
