package callback

import "strings"

// simpleReader reads the XML that WeChat's documents are written in, and no other: tags without
// attributes, bare text without entities, at most one CDATA section an element. It is there for its
// speed (a tenth of the time, BenchmarkReadXML): of every document that it takes it makes the
// same tree as the strict reader (FuzzReadSimple), and what it doesn't take is the strict reader's.
type simpleReader struct {
	rest     string
	elements int
}

// readSimple reads a clean document, if it is that simple.
func readSimple(document string) (root node, ok bool) {
	r := simpleReader{rest: strings.TrimSpace(document)}
	if name, ok := r.tag(); !ok || name != "xml" {
		return node{}, false
	}
	root, ok = r.element("xml", 1)
	if !ok || r.rest != "" || len(root.kids) == 0 {
		return node{}, false
	}
	return root, true
}

// tag reads a start tag.
func (r *simpleReader) tag() (name string, ok bool) {
	r.elements++
	name, ok = tagName(r.rest, "<")
	if !ok || r.elements > maxElements {
		return "", false
	}
	r.rest = r.rest[len(name)+len("<>"):]
	return name, true
}

// element reads what follows a start tag, up to the end tag. The root is at depth 1.
func (r *simpleReader) element(name string, depth int) (n node, ok bool) {
	if depth > maxDepth {
		return node{}, false
	}
	n.name = name
	text, cdata := "", false
	for {
		bare, ok := r.bare()
		if !ok || strings.TrimSpace(bare) != "" && (cdata || len(n.kids) > 0) {
			return node{}, false
		}
		if !cdata {
			text = bare
		}
		if strings.HasPrefix(r.rest, "</") {
			break
		}
		// What follows may have only blanks beside it.
		if cdata || strings.TrimSpace(text) != "" {
			return node{}, false
		}
		if words, isCDATA := strings.CutPrefix(r.rest, cdataOpen); isCDATA {
			if text, r.rest, ok = strings.Cut(words, cdataClose); !ok || len(n.kids) > 0 {
				return node{}, false
			}
			cdata = true
			continue
		}
		inner, ok := r.tag()
		if !ok {
			return node{}, false
		}
		kid, ok := r.element(inner, depth+1)
		if !ok {
			return node{}, false
		}
		if n.kids == nil {
			n.kids = make([]node, 0, 8) // of most documents, all
		}
		n.kids = append(n.kids, kid)
	}
	if len(n.kids) > 0 {
		n.kind = branch
	} else {
		n.text = text
	}
	r.rest, ok = strings.CutPrefix(r.rest[len("</"):], name)
	if ok {
		r.rest, ok = strings.CutPrefix(r.rest, ">")
	}
	if ok && depth == 1 {
		r.rest = strings.TrimSpace(r.rest)
	}
	return n, ok
}

// bare reads text up to the next markup. Entities, and the ]]> that may not stand in it, are the
// strict reader's.
func (r *simpleReader) bare() (text string, ok bool) {
	end := strings.IndexByte(r.rest, '<')
	if end < 0 {
		return "", false
	}
	text, r.rest = r.rest[:end], r.rest[end:]
	return text, !strings.Contains(text, "&") && !strings.Contains(text, cdataClose)
}
