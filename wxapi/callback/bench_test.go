package callback_test

import (
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func BenchmarkOpenAndParse(b *testing.B) {
	a := newAccount(b, safeConfig)
	p, err := a.NewPush(callback.ModeSafe, []byte(aText), "oX", testTime)
	if err != nil {
		b.Fatal(err)
	}
	query := p.Query.Encode()
	b.ReportAllocs()
	for b.Loop() {
		e, err := a.Open(query, p.Body)
		if err != nil {
			b.Fatal(err)
		}
		m, err := callback.Parse(e.Document)
		if err != nil {
			b.Fatal(err)
		}
		_ = m.JSON()
	}
}

func BenchmarkFormatAndSeal(b *testing.B) {
	a := newAccount(b, safeConfig)
	p, err := a.NewPush(callback.ModeSafe, []byte(aText), "oX", testTime)
	if err != nil {
		b.Fatal(err)
	}
	e, err := a.Open(p.Query.Encode(), p.Body)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		document, err := callback.FormatReply("oX", "gh_x", testTime, callback.Text{Content: "你好，世界"})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := e.Seal(document, testTime); err != nil {
			b.Fatal(err)
		}
	}
}
