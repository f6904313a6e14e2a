package callback

import (
	"fmt"
	"strings"
)

// FormatXML returns the document that WeChat would push for a message's data: the inverse of
// [Message.JSON], for simulators. Strings become CDATA, escaped by nothing, as WeChat does it;
// numbers, true, false and digits that are an id stay bare; arrays become repeated elements.
func FormatXML(data []byte) ([]byte, error) {
	text := strings.TrimSpace(string(data))
	if !strings.HasPrefix(text, "{") {
		return nil, fmt.Errorf("callback: the data of a message is a JSON object")
	}
	root, bad := readJSON(text)
	if bad != nil {
		return nil, bad
	}
	var x xmlWriter
	x.open("xml")
	if err := x.elements(root.kids); err != nil {
		return nil, err
	}
	x.close("xml")
	return x.Bytes(), nil
}

func (x *xmlWriter) elements(kids []node) error {
	for _, k := range kids {
		if !isElementName(k.name) {
			return fmt.Errorf("callback: %q can't be the name of an element", k.name)
		}
		if err := x.element(k); err != nil {
			return err
		}
		x.WriteByte('\n')
	}
	return nil
}

func (x *xmlWriter) element(n node) error {
	switch {
	case n.kind == list:
		for i, k := range n.kids {
			if k.kind == list {
				return fmt.Errorf("callback: <%s> can't be an array of arrays", n.name)
			}
			if i > 0 {
				x.WriteByte('\n')
			}
			if err := x.element(k); err != nil {
				return err
			}
		}
	case n.kind == branch:
		x.open(n.name)
		x.WriteByte('\n')
		if err := x.elements(n.kids); err != nil {
			return err
		}
		x.close(n.name)
	case n.kind == literal && n.text == "null":
		x.bare(n.name, "")
	case n.kind == literal, known[n.name].Type == TypeID && n.text != "" && only(n.text, isDigit):
		x.bare(n.name, n.text)
	default:
		x.raw(n.name, n.text)
	}
	return nil
}

// isElementName takes names as WeChat has them, and no others: the name is written as it is.
func isElementName(name string) bool {
	_, ok := tagName("<"+name+">", "<")
	return ok
}
