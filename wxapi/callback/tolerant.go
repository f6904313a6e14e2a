package callback

import (
	"slices"
	"strings"
)

// This file reads what is left when the strict reader gives up on an authentic document. WeChat
// puts a follower's words into CDATA without escaping them, so words with "]]>" in them (somebody
// pastes a piece of XML) break the document around them. They are not lost for that:
//
//	<Content><![CDATA[<a><![CDATA[q]]></a>]]></Content>
//
// The rule is that words may break only themselves:
//
//  1. The head: from the start, elements with nothing doubtful in them are read in order, up to
//     the first that can hold words (TypeText, see fields.go) or is doubtful.
//  2. The tail: from the end backwards, likewise. WeChat wrote all that stands before the first words and after the
//     last; no words can reach there.
//  3. The middle belongs to the followers. Its first element begins it and its last one ends
//     it; each reaches to the last place where its end tag can end it. What is in
//     there is text, whatever it looks like. An element of routing (who, what, when, which)
//     is never taken from the middle, and none may be in head and tail together twice.
//
// So words can spoil the words beside them, and never say who sent them or make the message
// another. If the rule doesn't fit, the document is unreadable, as the strict reader said; so it is
// when words end the whole document and begin another.

// maxRepairs bounds the elements that are read like this: each costs a search. WeChat's documents have fewer than 40.
const maxRepairs = 128

// repairXML reads a clean document by the rule above.
func repairXML(document string) (node, bool) {
	inside, ok := insideRoot(document)
	if !ok {
		return node{}, false
	}
	budget := maxRepairs
	head, inside := readHead(inside, &budget)
	tail, middle := readTail(inside, &budget)
	if middle == "" {
		return node{}, false // nothing to repair: the strict reader had another reason
	}
	kids, ok := readMiddle(middle, 2, &budget)
	if !ok {
		return node{}, false
	}
	root := node{name: "xml", kind: branch, kids: append(append(head, kids...), tail...)}
	seen := map[string]bool{}
	for _, k := range root.kids {
		if isRouting(k.name) && seen[k.name] {
			return node{}, false
		}
		seen[k.name] = true
	}
	return root, true
}

// insideRoot returns what is between <xml> and the last </xml>, if nothing but a declaration is
// outside.
func insideRoot(document string) (string, bool) {
	if strings.HasPrefix(document, "<?xml") {
		end := strings.Index(document, "?>")
		if end < 0 {
			return "", false
		}
		declaration := document[:end+len("?>")]
		if _, err := readXML(declaration + "<xml></xml>"); err != nil {
			return "", false
		}
		document = strings.TrimSpace(document[len(declaration):])
	}
	inside, begins := strings.CutPrefix(document, "<xml>")
	inside, ends := strings.CutSuffix(inside, "</xml>")
	return strings.TrimSpace(inside), begins && ends
}

// readHead reads elements from the start of s and returns what follows them.
func readHead(s string, budget *int) (head []node, rest string) {
	for ; *budget > 0; *budget-- {
		name, ok := tagName(s, "<")
		if !ok || known[name].free() {
			break
		}
		end := strings.Index(s, "</"+name+">")
		if end < 0 {
			break
		}
		end += len("</" + name + ">")
		element, ok := readPlain(s[:end], name)
		if !ok {
			break
		}
		head, s = append(head, element), strings.TrimSpace(s[end:])
	}
	return head, s
}

// readTail reads elements from the end of s and returns what precedes them.
func readTail(s string, budget *int) (tail []node, rest string) {
	for ; *budget > 0; *budget-- {
		slash := strings.LastIndex(s, "</")
		if slash < 0 {
			break
		}
		name, ok := tagName(s[slash:], "</")
		if !ok || known[name].free() || s[slash:] != "</"+name+">" {
			break
		}
		start := strings.LastIndex(s, "<"+name+">")
		if start < 0 {
			break
		}
		element, ok := readPlain(s[start:], name)
		if !ok {
			break
		}
		tail, s = append(tail, element), strings.TrimSpace(s[:start])
	}
	slices.Reverse(tail)
	return tail, s
}

// readPlain reads an element with nothing doubtful in it: text without markup, or one CDATA section.
func readPlain(s, name string) (node, bool) {
	open, end := "<"+name+">", "</"+name+">"
	if len(s) < len(open)+len(end) {
		return node{}, false
	}
	inner := s[len(open) : len(s)-len(end)]
	if words, ok := strings.CutPrefix(inner, cdataOpen); ok {
		words, ok = strings.CutSuffix(words, cdataClose)
		doubtful := strings.Contains(words, cdataOpen) || strings.Contains(words, cdataClose)
		return node{name: name, text: words}, ok && !doubtful
	}
	if strings.Contains(inner, "<") {
		return node{}, false
	}
	root, err := readXML("<xml>" + s + "</xml>") // for its entities
	if err != nil || len(root.kids) != 1 {
		return node{}, false
	}
	return root.kids[0], true
}

const (
	cdataOpen  = "<![CDATA["
	cdataClose = "]]>"
)

// readMiddle reads elements that hold words, at the given level of the document.
func readMiddle(s string, depth int, budget *int) ([]node, bool) {
	var kids []node
	for s != "" {
		name, ok := tagName(s, "<")
		if !ok || isRouting(name) || depth > maxDepth || *budget == 0 {
			return nil, false
		}
		*budget--
		inner, rest, ok := readWords(s, name)
		if !ok {
			return nil, false
		}
		kid := node{name: name}
		switch words, isText := strings.CutPrefix(inner, cdataOpen); {
		case isText:
			kid.text = strings.TrimSuffix(words, cdataClose)
		case strings.HasPrefix(strings.TrimSpace(inner), "<"):
			kid.kind = branch
			if kid.kids, ok = readMiddle(strings.TrimSpace(inner), depth+1, budget); !ok {
				return nil, false
			}
		default:
			if kid, ok = readPlain("<"+name+">"+inner+"</"+name+">", name); !ok {
				return nil, false
			}
		}
		kids, s = append(kids, kid), rest
	}
	return kids, true
}

// readWords splits s, which begins with <name>, at the last end tag of that name that another
// element or nothing follows.
func readWords(s, name string) (inner, rest string, ok bool) {
	end := "</" + name + ">"
	s = s[len(name)+len("<>"):]
	if strings.HasPrefix(s, cdataOpen) {
		end = cdataClose + end
	}
	for at := strings.LastIndex(s, end); at >= 0; at = strings.LastIndex(s[:at], end) {
		rest = strings.TrimSpace(s[at+len(end):])
		next, isElement := tagName(rest, "<")
		if rest != "" && (!isElement || isRouting(next)) {
			continue
		}
		if end[0] == ']' {
			return s[:at+len(cdataClose)], rest, true
		}
		return s[:at], rest, true
	}
	return "", "", false
}

// tagName returns the name of the tag that s begins with, which has no attributes.
func tagName(s, open string) (string, bool) {
	s, ok := strings.CutPrefix(s, open)
	end := strings.IndexByte(s, '>')
	if !ok || end < 1 || end > 64 || !only(s[:end], isWord) || isDigit(s[0]) || s[0] == '-' {
		return "", false
	}
	return s[:end], true
}
