package callback

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
)

// xmlReader builds the tree of a document: elements, text and CDATA, and nothing else that XML has.
// WeChat uses nothing else, and whatever else is there could hide an element from one reader and
// show it to another.
type xmlReader struct {
	decoder  *xml.Decoder
	document string
	open     []openElement
	root     *node
	elements int
}

type openElement struct {
	node
	text  []byte
	cdata bool // some of the text was in CDATA
	end   int  // where in the text the last CDATA ends
}

// words is the text of an element: what is in CDATA, without the blanks that set it apart
// (<Event> <![CDATA[SCAN]]> </Event>).
func (e openElement) words() string {
	if e.cdata && len(bytes.TrimSpace(e.text[e.end:])) == 0 {
		return string(e.text[:e.end])
	}
	return string(e.text)
}

// readXML reads a clean document.
func readXML(document string) (node, *ParseError) {
	if root, ok := readSimple(document); ok {
		return root, nil
	}
	return readStrict(document)
}

// readStrict reads whatever is well-formed XML, if it says nothing that readers could take
// differently.
func readStrict(document string) (node, *ParseError) {
	r := xmlReader{decoder: xml.NewDecoder(strings.NewReader(document)), document: document}
	for {
		start := r.decoder.InputOffset()
		token, err := r.decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			// Also for entities and encodings: there are none but XML's five and UTF-8.
			return node{}, unreadable("malformed", "not well-formed XML at byte %d", r.decoder.InputOffset())
		}
		if err := r.add(token, start); err != nil {
			return node{}, err
		}
	}
	if r.root == nil {
		return node{}, unreadable("malformed", "no element in it")
	}
	return *r.root, nil
}

func (r *xmlReader) add(token xml.Token, start int64) *ParseError {
	switch t := token.(type) {
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		return r.end()
	case xml.CharData:
		return r.characters(t, strings.HasPrefix(r.document[start:], cdataOpen))
	case xml.ProcInst:
		if t.Target != "xml" || start != 0 {
			return unreadable("instruction", "a processing instruction at byte %d", start)
		}
	case xml.Directive:
		return unreadable("doctype", "a <! declaration at byte %d", start)
	case xml.Comment:
		return unreadable("comment", "a comment at byte %d", start)
	}
	return nil
}

func (r *xmlReader) start(t xml.StartElement) *ParseError {
	r.elements++
	switch {
	case t.Name.Space != "":
		return unreadable("namespace", "an element in a namespace")
	case len(t.Attr) > 0:
		return unreadable("attribute", "an element with attributes")
	case r.root != nil:
		return unreadable("trailing", "more after the end of the document")
	case len(r.open) == 0 && t.Name.Local != "xml":
		return unreadable("root", "the root is not <xml>")
	case len(r.open) == maxDepth:
		return unreadable("depth", "more than %d levels", maxDepth)
	case r.elements > maxElements:
		return unreadable("elements", "more than %d elements", maxElements)
	}
	r.open = append(r.open, openElement{node: node{name: t.Name.Local}})
	return nil
}

func (r *xmlReader) characters(t xml.CharData, cdata bool) *ParseError {
	if len(r.open) == 0 {
		if len(bytes.TrimSpace(t)) > 0 {
			return unreadable("trailing", "text outside the document")
		}
		return nil
	}
	e := &r.open[len(r.open)-1]
	if cdata && !e.cdata && len(bytes.TrimSpace(e.text)) == 0 {
		e.text = nil
	}
	e.text = append(e.text, t...)
	if cdata {
		e.cdata, e.end = true, len(e.text)
	}
	return nil
}

func (r *xmlReader) end() *ParseError {
	e := r.open[len(r.open)-1]
	r.open = r.open[:len(r.open)-1]
	switch {
	case len(e.kids) == 0 && len(r.open) > 0:
		e.node.text = e.words()
	case e.cdata || len(bytes.TrimSpace(e.text)) > 0:
		return unreadable("mixed", "text beside elements in <%s>", e.name)
	default:
		e.kind = branch
	}
	if len(r.open) == 0 {
		r.root = &e.node
		return nil
	}
	parent := &r.open[len(r.open)-1]
	parent.kids = append(parent.kids, e.node)
	return nil
}

// ambiguous finds what a well-formed document of WeChat doesn't have and one with markup in a
// follower's words does. WeChat puts those words into CDATA unescaped, so
// "]]></Content><FromUserName>…</FromUserName><Content><![CDATA[" is as well-formed as it is a lie.
// Only elements, text and CDATA being allowed, words that leave their element can only do so by
// ending it; and as WeChat's own end tag follows, they must begin an element of that name again:
// beside it, or further in if a later element's words end what these began. Hence: an element that
// can hold words may be there once, and no other level may have one of its name.
func ambiguous(root node) *ParseError {
	if isFlat(root.kids) && distinct(root.kids) {
		return nil // as nearly every document is
	}
	below := map[string]bool{}
	for _, top := range root.kids {
		names(top, below)
	}
	seen := map[string]bool{}
	for _, top := range root.kids {
		f := known[top.name]
		if !isRouting(top.name) && !f.free() {
			continue
		}
		if seen[top.name] || below[top.name] {
			return unreadable("duplicate", "<%s> is there twice", top.name)
		}
		seen[top.name] = true
	}
	return misplaced(root)
}

// names collects the names of all elements inside n.
func names(n node, into map[string]bool) {
	for _, k := range n.kids {
		into[k.name] = true
		names(k, into)
	}
}

// misplaced finds elements inside one that holds words or says who sent what, and words twice in
// one element. What else WeChat puts elements into is its own affair: an event of tomorrow may have
// an <address> with elements where the table knows one without.
func misplaced(n node) *ParseError {
	seen := map[string]bool{}
	for _, k := range n.kids {
		f := known[k.name]
		if k.kind == branch && (f.Type == TypeText || isRouting(k.name)) {
			return unreadable("mixed", "elements inside <%s>", k.name)
		}
		if seen[k.name] && f.Type == TypeText {
			return unreadable("duplicate", "<%s> is there twice", k.name)
		}
		seen[k.name] = true
		if err := misplaced(k); err != nil {
			return err
		}
	}
	return nil
}
