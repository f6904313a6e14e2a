package queue

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/nats-io/nats.go"
)

// sending saves new claims that say sending.
func sending(t *testing.T, claims *Claims, ids ...string) []*Claim {
	t.Helper()
	all := make([]*Claim, len(ids))
	for i, id := range ids {
		all[i] = &Claim{State: Sending, Owner: "first", Verb: "v", Hash: "h", Sequence: uint64(i)}
		if err := claims.Save(t.Context(), id, all[i]); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// ended makes a claim one with a result.
func ended(c *Claim, result string) *Claim {
	c.State, c.Result = Done, json.RawMessage(`{"text":"`+result+`"}`)
	return c
}

// isDone checks what everybody finds under an id.
func isDone(t *testing.T, claims *Claims, id, result string) {
	t.Helper()
	c, err := claims.Load(t.Context(), id)
	if err != nil || c.State != Done || string(c.Result) != `{"text":"`+result+`"}` {
		t.Errorf("%s: %s %s, %v", id, c.State, c.Result, err)
	}
}

func (w *world) writes(t *testing.T) uint64 {
	t.Helper()
	s, err := w.js.Stream(t.Context(), "KV_CLAIM")
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.LastSeq
}

// Claims that end at the same moment are written together, and found by anybody
// with their events as they were, byte for byte.
func TestEndsShareAWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := w.claims()
	var ids []string
	for i := range pageClaims {
		ids = append(ids, fmt.Sprint("id-", i))
	}
	all := sending(t, claims, ids...)
	page, before := all[0].page, w.writes(t)
	page.pen.Lock()
	var saving sync.WaitGroup
	for i, c := range all {
		saving.Go(func() {
			if err := claims.Save(t.Context(), ids[i], ended(c, fmt.Sprint("<&> ", i))); err != nil {
				t.Error(err)
			}
		})
	}
	w.eventually("all are put down", func() bool {
		claims.pages.mu.Lock()
		defer claims.pages.mu.Unlock()
		return strings.Count(string(page.draft.text), `"state":"done"`) == len(all)
	})
	page.pen.Unlock()
	saving.Wait()
	if n := w.writes(t) - before; n != 1 {
		t.Errorf("%d writes", n)
	}
	other := w.claims()
	for i, id := range ids {
		isDone(t, other, id, fmt.Sprint("<&> ", i))
	}
	if next := sending(t, claims, "next")[0]; next.page == page {
		t.Error("a page takes more and more claims")
	}
}

// Who ends alone, or with much to say, does so under its own key, and so does who
// waits.
func TestEndsUnderItsOwnKey(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	claims := w.claims()
	for _, id := range []string{"alone", "alone again"} {
		if err := claims.Save(t.Context(), id, ended(sending(t, claims, id)[0], "short")); err != nil {
			t.Fatal(err)
		}
		isDone(t, w.claims(), id, "short")
	}
	two := sending(t, claims, "long", "waits")
	long := strings.Repeat("x", pageEnd)
	if err := claims.Save(t.Context(), "long", ended(two[0], long)); err != nil {
		t.Fatal(err)
	}
	isDone(t, w.claims(), "long", long)
	two[1].State = Waiting
	if err := claims.Save(t.Context(), "waits", two[1]); err != nil {
		t.Fatal(err)
	}
	if c, err := w.claims().Load(t.Context(), "waits"); err != nil || c.State != Waiting || c.Page != "" {
		t.Errorf("%+v, %v", c, err)
	}
	keys, err := claims.bucket.ListKeysFiltered(t.Context(), "page.>")
	if err != nil {
		t.Fatal(err)
	}
	for key := range keys.Keys() {
		t.Errorf("%s was written", key)
	}
}

// An heir takes a claim over by closing its page first: the former owner cannot
// end it any more, and what shares the page ends all the same.
func TestHeirClosesThePage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	former, heir := w.claims(), w.claims()
	ids := []string{"written", "taken", "left"}
	all := sending(t, former, ids...)
	if err := former.Save(t.Context(), "written", ended(all[0], "first")); err != nil {
		t.Fatal(err)
	}
	seen, err := heir.Load(t.Context(), "taken")
	if err != nil || seen.State != Sending {
		t.Fatalf("%+v, %v", seen, err)
	}
	seen.Owner = "heir"
	if err := heir.Save(t.Context(), "taken", &seen); err != nil {
		t.Fatal(err)
	}
	if err := former.Save(t.Context(), "taken", ended(all[1], "too late")); !errors.Is(err, ErrConflict) {
		t.Errorf("the former owner ended what was taken from it: %v", err)
	}
	if err := former.Save(t.Context(), "left", ended(all[2], "last")); err != nil {
		t.Errorf("what nobody has taken cannot end: %v", err)
	}
	if err := heir.Save(t.Context(), "taken", ended(&seen, "heir's")); err != nil {
		t.Fatal(err)
	}
	for i, result := range []string{"first", "heir's", "last"} {
		isDone(t, w.claims(), ids[i], result)
	}
}

// What has ended on its page since it was loaded is not to be taken over.
func TestEndedBeforeTheHeirCame(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	former, heir := w.claims(), w.claims()
	all := sending(t, former, "id", "other")
	seen, err := heir.Load(t.Context(), "id")
	if err != nil {
		t.Fatal(err)
	}
	if err := former.Save(t.Context(), "id", ended(all[0], "in time")); err != nil {
		t.Fatal(err)
	}
	if err := heir.Save(t.Context(), "id", ended(&seen, "heir's")); !errors.Is(err, ErrConflict) {
		t.Errorf("an end was written over: %v", err)
	}
	isDone(t, heir, "id", "in time")
}

// Of a former owner that ends its claims and an heir that takes them over at the
// same moment, exactly one gets each.
func TestEndOrHeir(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for round := range 20 {
		former, heir := w.claims(), w.claims()
		ids := make([]string, pageClaims)
		for i := range ids {
			ids[i] = fmt.Sprint(round, ".", i)
		}
		all := sending(t, former, ids...)
		var racing sync.WaitGroup
		ends, taken := make([]bool, len(ids)), make([]bool, len(ids))
		won := func(err error) bool {
			if err != nil && !errors.Is(err, ErrConflict) {
				t.Error(err)
			}
			return err == nil
		}
		for i, id := range ids {
			racing.Go(func() { ends[i] = won(former.Save(t.Context(), id, ended(all[i], "former"))) })
			racing.Go(func() {
				seen, err := heir.Load(t.Context(), id)
				if err != nil {
					t.Error(err)
				}
				if seen.State == Sending {
					taken[i] = won(heir.Save(t.Context(), id, ended(&seen, "heir")))
				}
			})
		}
		racing.Wait()
		for i, id := range ids {
			if ends[i] == taken[i] {
				t.Errorf("%s: ended %v, taken over %v", id, ends[i], taken[i])
			}
			isDone(t, heir, id, map[bool]string{true: "former", false: "heir"}[ends[i]])
		}
	}
}

// The bus does not say whether it has stored a page: the ends are written under
// their own keys too, and whichever is found says the same.
func TestPageOfUncertainWrite(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, stored := range []bool{true, false} {
		lost := errors.New("the link is gone")
		w.claims() // makes the bucket
		claims, err := OpenClaims(t.Context(), w.js, "CLAIM", func(ctx context.Context, m *nats.Msg) (uint64, error) {
			ofPage := strings.HasPrefix(m.Subject, "$KV.CLAIM.page.")
			if ofPage && !stored {
				return 0, lost
			}
			sequence, err := store(w.js)(ctx, m)
			if ofPage && err == nil {
				return 0, lost
			}
			return sequence, err
		})
		if err != nil {
			t.Fatal(err)
		}
		id := fmt.Sprint("id ", stored)
		all := sending(t, claims, id, "other "+id)
		if err := claims.Save(t.Context(), id, ended(all[0], "once")); err != nil {
			t.Fatal(err)
		}
		isDone(t, w.claims(), id, "once")
		if err := claims.Save(t.Context(), "other "+id, ended(all[1], "too")); err != nil {
			t.Fatal(err)
		}
		isDone(t, w.claims(), "other "+id, "too")
	}
}
