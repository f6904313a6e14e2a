package egress

import "slices"

// troubles is what the bus does not take, by what was to be done. What fails for
// many stories is one trouble, said once, and over only when none of them waits
// for it: neither the log nor the readiness follows every single try, and what
// succeeds elsewhere says nothing about it.
type troubles map[word]*lateTrouble

type lateTrouble struct {
	says    string // what the bus said last
	stories map[*story]struct{}
}

// met puts down that a step failed. first is true if no other story waits for the same.
func (t troubles) met(w word, s *story, err error) (first bool) {
	first = t[w] == nil
	if first {
		t[w] = &lateTrouble{stories: map[*story]struct{}{}}
	}
	t[w].says = err.Error()
	t[w].stories[s] = struct{}{}
	return first
}

// over puts down that a story does not wait for a step any more. last is true if
// it was the last that did.
func (t troubles) over(w word, s *story) (last bool) {
	if t[w] == nil {
		return false
	}
	delete(t[w].stories, s)
	last = len(t[w].stories) == 0
	if last {
		delete(t, w)
	}
	return last
}

// keep forgets what a story waited for, when something else is to be done now:
// another replica has done it, or its time is over. Lines are filed after all
// else, so to file one still waits behind another step.
func (t troubles) keep(s *story, next word) {
	for w := range t {
		if w != next && (w != fileLine || next == noStep) {
			t.over(w, s)
		}
	}
}

// reasons is what the bus said, for those who ask why late replies are not sent.
func (t troubles) reasons() []string {
	var all []string
	for _, one := range t {
		all = append(all, "late replies: "+one.says)
	}
	slices.Sort(all)
	return slices.Compact(all)
}
