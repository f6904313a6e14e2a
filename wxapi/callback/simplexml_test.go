package callback

import (
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// FuzzReadSimple holds the simple reader against the strict one: what it takes, it reads alike.
func FuzzReadSimple(f *testing.F) {
	for _, document := range append(sampleDocuments(f),
		"<xml></xml>", " <xml> <A>1</A> </xml> ", "<xml><A> x </A></xml>", "<xml><A> <![CDATA[ x ]]> </A></xml>",
		"<xml><A>x<![CDATA[y]]></A></xml>", "<xml><A><![CDATA[y]]>x</A></xml>", "<xml><A><![CDATA[]]></A></xml>",
		"<xml><A><![CDATA[a]]><![CDATA[b]]></A></xml>", "<xml><A>&lt;</A></xml>", "<xml><A>]]></A></xml>", "<xml><A></B></xml>",
		"<xml><A><B>1</B>x</A></xml>", "<xml><A>x<B>1</B></A></xml>", "<xml><A><B>1</B><![CDATA[]]></A></xml>",
		"<xml><A><B></B><B/></A></xml>", "<xml><A b='c'>1</A></xml>", "<xml><A>1</A></xml><xml></xml>", "<xml>1</xml>", "<xml><a.b>1</a.b></xml>",
		"<xml><A>\u00a0</A>\u2003</xml>", "<xml><A><A><A><A><A><A><A><A>1</A></A></A></A></A></A></A></A></xml>", "<xml><A>1</A ></xml>",
		"<xml><A><!-- x --></A></xml>", "<xml><A", "<xml><A>", "<xml><A><![CDATA[", "<xml><A>1</xml></A>") {
		f.Add(document)
	}
	f.Fuzz(func(t *testing.T, document string) {
		document = cleanText(document)
		simple, ok := readSimple(document)
		if !ok {
			return
		}
		strict, err := readStrict(document)
		if err != nil {
			t.Fatalf("the strict reader refuses what the simple one takes: %v", err)
		}
		if !reflect.DeepEqual(normal(simple), normal(strict)) {
			t.Errorf("simple %#v\nstrict %#v", simple, strict)
		}
	})
}

// TestSimpleDocuments shows that the reader is there for what WeChat sends.
func TestSimpleDocuments(t *testing.T) {
	for _, document := range sampleDocuments(t) {
		if _, err := readStrict(cleanText(document)); err != nil {
			continue
		}
		if _, ok := readSimple(cleanText(document)); !ok {
			t.Errorf("left to the strict reader: %s", document)
		}
	}
}

func sampleDocuments(tb testing.TB) (documents []string) {
	tb.Helper()
	files, err := filepath.Glob("testdata/samples/*.xml")
	if err != nil || len(files) == 0 {
		tb.Fatal("no samples", err)
	}
	for _, file := range files {
		document, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		documents = append(documents, string(document))
	}
	return documents
}

// normal makes no difference between no kids and none yet.
func normal(n node) node {
	kids := make([]node, 0, len(n.kids))
	for _, k := range n.kids {
		kids = append(kids, normal(k))
	}
	n.kids = kids
	return n
}

// BenchmarkReadXML shows what the simple reader is there for.
func BenchmarkReadXML(b *testing.B) {
	document, err := os.ReadFile("testdata/samples/text.xml")
	if err != nil {
		b.Fatal(err)
	}
	clean := cleanText(string(document))
	b.Run("simple", func(b *testing.B) {
		for b.Loop() {
			if _, ok := readSimple(clean); !ok {
				b.Fatal("left to the strict reader")
			}
		}
	})
	b.Run("strict", func(b *testing.B) {
		for b.Loop() {
			if _, err := readStrict(clean); err != nil {
				b.Fatal(err)
			}
		}
	})
}
