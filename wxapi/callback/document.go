package callback

import (
	"fmt"
	"slices"
	"strings"
)

// MaxDocument is the longest document [Parse] reads, in bytes. WeChat's are far below 64 KiB.
const MaxDocument = 1 << 20

const (
	maxDepth    = 8      // the deepest document of WeChat has 5 levels
	maxElements = 10_000 // per document
)

// ParseError is the error for an authentic document that can't be read. WeChat would push it again
// in vain: keep the bytes and answer [Success].
type ParseError struct {
	Reason string // a stable code: "empty", "too_large", "format", "malformed", "doctype", "instruction", "comment", "attribute", "namespace", "root", "trailing", "depth", "elements", "mixed", "duplicate", "missing", "value" or "platform"
	Detail string // one sentence for people, which may name an element
}

func (e *ParseError) Error() string { return "callback: document (" + e.Reason + "): " + e.Detail }

func unreadable(reason, format string, args ...any) *ParseError {
	return &ParseError{Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

// node is one element of a document, whatever it was written in.
type node struct {
	name string
	kind nodeKind
	text string // of a leaf; for a literal, as JSON writes it
	kids []node // of a branch or a list
}

type nodeKind byte

const (
	leaf    nodeKind = iota // text
	literal                 // a number, true, false or null of a JSON document
	branch                  // elements
	list                    // a JSON array
)

// kid returns the first child of that name, or an empty node.
func (n node) kid(name string) node {
	for _, k := range n.kids {
		if k.name == name {
			return k
		}
	}
	return node{}
}

// distinct reports whether no two of the nodes have one name.
func distinct(nodes []node) bool {
	const few = 24 // below that many a look at each is faster than a map
	if len(nodes) > few {
		seen := make(map[string]bool, len(nodes))
		for _, n := range nodes {
			seen[n.name] = true
		}
		return len(seen) == len(nodes)
	}
	for i, n := range nodes {
		for _, before := range nodes[:i] {
			if before.name == n.name {
				return false
			}
		}
	}
	return true
}

// isFlat reports whether the nodes have no nodes inside.
func isFlat(nodes []node) bool {
	return !slices.ContainsFunc(nodes, func(n node) bool { return n.kind == branch || n.kind == list })
}

// first is the first of a list, or the node itself.
func (n node) first() node {
	if n.kind == list && len(n.kids) > 0 {
		return n.kids[0]
	}
	return n
}

// readDocument reads XML or JSON. Official accounts push XML (数据格式: 仅支持XML) and the
// encryption page shows JSON; the Content-Type says neither, so the first byte decides.
func readDocument(document []byte) (root node, repaired bool, err *ParseError) {
	if len(document) > MaxDocument {
		return node{}, false, unreadable("too_large", "longer than %d bytes", MaxDocument)
	}
	text := strings.TrimSpace(strings.TrimPrefix(cleanText(string(document)), byteOrderMark))
	switch {
	case text == "":
		return node{}, false, unreadable("empty", "nothing in it")
	case text[0] == '{':
		root, err = readJSON(text)
		return root, false, err
	case text[0] != '<':
		return node{}, false, unreadable("format", "neither XML nor JSON")
	}
	root, err = readXML(text)
	if err == nil {
		err = ambiguous(root)
	}
	if err == nil {
		return root, false, nil
	}
	// One whole document and more after it is two documents rather than words that break one.
	if err.Reason != "trailing" {
		if root, ok := repairXML(text); ok {
			return root, true, nil
		}
	}
	return node{}, false, err
}

func startsAsJSON(document []byte) bool {
	text := strings.TrimLeft(strings.TrimPrefix(string(document), byteOrderMark), " \t\r\n")
	return strings.HasPrefix(text, "{")
}
