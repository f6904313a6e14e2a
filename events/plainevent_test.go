package events

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// FuzzDecodePlain holds the short way of reading an event against the long one.
func FuzzDecodePlain(f *testing.F) {
	for _, file := range []string{"structured", "bare", "bad"} {
		for _, c := range readCases[bindingCase](f, "testdata/binding/"+file+".json") {
			f.Add([]byte(c.Body))
		}
	}
	for _, members := range []string{
		`"subject":"o","time":"2026-11-28T16:00:00.5+08:00","dataschema":"urn:x:1","datacontenttype":"application/json","wxa":"1","data": {"a":[1,"]}",{}]} `,
		`"subject":""`, `"time":""`, `"time":"x"`, `"time":"2026-11-28T16:00:00Z","time":"2026-11-28T16:00:01Z"`, `"dataschema":""`, `"dataschema":"x"`,
		`"id":"2"`, `"type":"u"`, `"source":"/t"`, `"wxa":1`, `"wxa":true`, `"wxa":null`, `"wxA":"1"`, `"wxa":"1","wxa":"2"`, `"wxa":"\u0041"`, `"":"x"`,
		`"data":null`, `"data":1,"data":2`, `"data_base64":"AA=="`, `"datacontenttype":"text/plain","data":"x"`, `"datacontenttype":";","data":"x"`, `"specversion":"1.0"`, `"specversion":"0.3"`,
	} {
		f.Add([]byte(`{"specversion":"1.0","id":"1","source":"/s","type":"t",` + members + `}`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		plain, ok := decodePlain(body)
		if !ok {
			return
		}
		long, err := decodeAny(body)
		if err != nil {
			t.Fatalf("the long way refuses it: %v", err)
		}
		if !reflect.DeepEqual(plain.Context, long.Context) || !bytes.Equal(plain.DataEncoded, long.DataEncoded) || plain.DataBase64 != long.DataBase64 ||
			(plain.DataEncoded == nil) != (long.DataEncoded == nil) {
			t.Errorf("plain %#v %#v\nlong %#v %#v", plain, plain.Context, long, long.Context)
		}
	})
}

// FuzzOpenPlain holds the envelope of a command against its event.
func FuzzOpenPlain(f *testing.F) {
	for _, members := range []string{
		`"time":"2026-11-28T16:00:00.5+08:00","dataschema":"urn:wxbridge:cmd.x:1","datacontenttype":"application/json","partitionkey":"o1"`,
		`"expirytime":"2026-11-29T16:00:00Z","wxonunknown":"resend","traceparent":"00-1","tracestate":"a=b"`, `"id":"2"`, `"source":"/t"`, `"source":"//"`,
		`"dataschema":"urn:wxbridge:"`, `"dataschema":"urn:wxbridge::/:"`, `"time":""`, `"time":"2026-11-28T16:00:60Z"`, `"partitionkey":""`, `"subject":"x"`, `"data":[]`,
	} {
		for _, source := range []string{"/s", "//x/y", "a/../b", "///", "x.y"} {
			f.Add([]byte(`{"specversion":"1.0","id":"1","source":"` + source + `","type":"t","data":{"a":"\"}"},` + members + `}`))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, ok := openPlain(Structured(), body)
		if !ok {
			return
		}
		e, isEvent, err := Decode(Structured(), body)
		if err != nil || !isEvent {
			t.Fatalf("the event is none: %v", err)
		}
		want := envelope{e.ID(), e.Source(), e.Type(), e.Extensions(), bytes.TrimSpace(e.Data())}
		if len(want.extensions) == 0 {
			want.extensions = nil
		}
		if !reflect.DeepEqual(got, want) || !isObject(got.data) {
			t.Errorf("%+v, the event has %+v", got, want)
		}
	})
}

// FuzzUniqueNames holds the walk over valid JSON against a reader of tokens.
func FuzzUniqueNames(f *testing.F) {
	for _, s := range []string{
		`{}`, ` { } `, `[]`, `[ ]`, `1`, `"x"`, `null`, `{"a":1,"A":2}`, `{"k":1,"\u212a":2}`, `{"a":{"b":[{"c":1,"c":2}]}}`,
		`{"a\"}":"]\\","b":[[],[1 , 2],{}]}`, `{ "a" : 1 , "\u0061" : 2 }`, `[{"a":1},{"a":1}]`, `{"s":1,"ſ":2}`, `{"a":-1.5e3,"b":true}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		if !json.Valid([]byte(s)) {
			return
		}
		got, want := uniqueNames([]byte(s)), uniqueTokens(s)
		if (got == nil) != (want == nil) || got != nil && got.Error() != want.Error() {
			t.Errorf("%s: %v, by its tokens %v", s, got, want)
		}
	})
}

// uniqueTokens is uniqueNames by way of a decoder.
func uniqueTokens(s string) error {
	decoder := json.NewDecoder(strings.NewReader(s))
	var value func() error
	value = func() error {
		token, _ := decoder.Token()
		seen := map[string]bool{}
		for token == json.Delim('{') && decoder.More() {
			name, _ := decoder.Token()
			fold := folded(name.(string))
			if seen[fold] {
				return fmt.Errorf("the name %s stands twice", shown([]byte(name.(string))))
			}
			seen[fold] = true
			if err := value(); err != nil {
				return err
			}
		}
		for token == json.Delim('[') && decoder.More() {
			if err := value(); err != nil {
				return err
			}
		}
		if _, open := token.(json.Delim); open {
			_, _ = decoder.Token() // its end
		}
		return nil
	}
	return value()
}

func BenchmarkDecode(b *testing.B) {
	body := []byte(`{"specversion":"1.0","id":"b-12345-12","source":"//test/shop","type":"com.qq.weixin.mp.cmd.send_custom_message","datacontenttype":"application/json",` +
		`"dataschema":"urn:wxbridge:cmd.send_custom_message:1","time":"2026-11-28T16:00:00.123456789Z","data":{"touser":"oABCDEFGHIJ","msgtype":"text","text":{"content":"hello"}}}`)
	b.Run("plain", func(b *testing.B) {
		for b.Loop() {
			if _, ok := decodePlain(body); !ok {
				b.Fatal("left to the long way")
			}
		}
	})
	b.Run("any", func(b *testing.B) {
		for b.Loop() {
			if _, err := decodeAny(body); err != nil {
				b.Fatal(err)
			}
		}
	})
}
