package queue

// heap is a binary heap of entries that know their place in it, so that one can
// be taken out of the middle.
type heap struct {
	list   []*entry
	before func(a, b *entry) bool
	place  func(e *entry) *int32
}

func olderFirst(a, b *entry) bool  { return a.sequence < b.sequence }
func soonerFirst(a, b *entry) bool { return a.at() < b.at() }
func turnOf(e *entry) *int32       { return &e.turn }
func dueOf(e *entry) *int32        { return &e.due }

func (h *heap) len() int      { return len(h.list) }
func (h *heap) first() *entry { return h.list[0] }

func (h *heap) push(e *entry) {
	h.list = append(h.list, nil)
	h.put(e, len(h.list)-1)
	h.up(len(h.list) - 1)
}

func (h *heap) pop() *entry {
	e := h.list[0]
	h.remove(e)
	return e
}

func (h *heap) remove(e *entry) {
	i, last := int(*h.place(e)), len(h.list)-1
	moved := h.list[last]
	h.list[last] = nil
	h.list = h.list[:last]
	if i != last {
		h.put(moved, i)
		h.fix(moved)
	}
	*h.place(e) = -1
}

// fix moves an entry that has changed to where it belongs.
func (h *heap) fix(e *entry) {
	i := int(*h.place(e))
	if !h.up(i) {
		h.down(i)
	}
}

func (h *heap) put(e *entry, i int) {
	h.list[i] = e
	*h.place(e) = int32(i)
}

func (h *heap) up(i int) (moved bool) {
	for i > 0 {
		parent := (i - 1) / 2
		if !h.before(h.list[i], h.list[parent]) {
			break
		}
		h.swap(i, parent)
		i, moved = parent, true
	}
	return moved
}

func (h *heap) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(h.list); child++ {
			if h.before(h.list[child], h.list[least]) {
				least = child
			}
		}
		if least == i {
			return
		}
		h.swap(i, least)
		i = least
	}
}

func (h *heap) swap(i, j int) {
	a, b := h.list[i], h.list[j]
	h.put(b, i)
	h.put(a, j)
}
