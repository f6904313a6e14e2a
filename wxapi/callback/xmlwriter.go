package callback

import (
	"bytes"
	"strings"
)

// xmlWriter writes documents as WeChat does: strings in CDATA, numbers bare.
type xmlWriter struct{ bytes.Buffer }

func (x *xmlWriter) open(name string) {
	x.WriteByte('<')
	x.WriteString(name)
	x.WriteByte('>')
}

func (x *xmlWriter) close(name string) {
	x.WriteString("</")
	x.WriteString(name)
	x.WriteByte('>')
}

// bare writes an element whose text needs no CDATA: digits.
func (x *xmlWriter) bare(name, value string) {
	x.open(name)
	x.WriteString(value)
	x.close(name)
}

// text writes an element with any text in CDATA. CDATA has no escape: a "]]>" in it is split over
// two sections, or the rest of it would become markup.
func (x *xmlWriter) text(name, value string) {
	x.raw(name, strings.ReplaceAll(cleanText(value), "]]>", "]]]]><![CDATA[>"))
}

// raw writes an element in CDATA as WeChat does, which escapes nothing.
func (x *xmlWriter) raw(name, value string) {
	x.open(name)
	x.WriteString("<![CDATA[")
	x.WriteString(value)
	x.WriteString("]]>")
	x.close(name)
}
