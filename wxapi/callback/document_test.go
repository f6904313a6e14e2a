package callback_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// doc returns a text message's document with changes: pairs of old and new.
func doc(changes ...string) string { return strings.NewReplacer(changes...).Replace(aText) }

// event returns the document of an event with more elements at the end.
func event(name, more string) string {
	return "<xml><ToUserName><![CDATA[gh_0a1b2c3d4e5f]]></ToUserName>\n<FromUserName><![CDATA[oX]]></FromUserName>\n" +
		"<CreateTime>1714112445</CreateTime>\n<MsgType><![CDATA[event]]></MsgType>\n<Event><![CDATA[" + name + "]]></Event>\n" + more + "</xml>"
}

// TestParseRefuses: documents that WeChat doesn't send, and why they are refused.
func TestParseRefuses(t *testing.T) {
	many := strings.Repeat
	for name, c := range map[string]struct{ document, reason string }{
		"empty":                  {"", "empty"},
		"blanks":                 {" \n\x00", "empty"},
		"a word":                 {"success", "format"},
		"BOM and a word":         {"\uFEFFsuccess", "format"},
		"HTML":                   {"<html></html>", "root"},
		"root in capitals":       {doc("<xml>", "<XML>", "</xml>", "</XML>"), "root"},
		"two documents":          {aText + aText, "trailing"},
		"text after the end":     {aText + "x", "trailing"},
		"DOCTYPE":                {"<!DOCTYPE xml>" + aText, "doctype"},
		"internal entity":        {`<!DOCTYPE xml [<!ENTITY a "b">]>` + doc("hi", "]]>&a;<![CDATA["), "doctype"},
		"external entity":        {`<!DOCTYPE xml [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + aText, "doctype"},
		"parameter entity":       {`<!DOCTYPE xml [<!ENTITY % a SYSTEM "http://x/">%a;]>` + aText, "doctype"},
		"billion laughs":         {`<?xml version="1.0"?><!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "` + many("&a;", 10) + `">]>` + doc("<![CDATA[hi]]>", "&b;"), "doctype"},
		"DOCTYPE inside":         {doc("<Content>", "<!DOCTYPE x><Content>"), "doctype"},
		"undefined entity":       {doc("<![CDATA[hi]]>", "&b;"), "malformed"},
		"zero by reference":      {doc("<![CDATA[hi]]>", "&#0;"), "malformed"},
		"instruction":            {doc("<Content>", `<?php x ?><Content>`), "instruction"},
		"instruction in front":   {`<?xml-stylesheet href="x"?>` + aText, "instruction"},
		"two declarations":       {`<?xml version="1.0"?><?xml version="1.0"?>` + aText, "instruction"},
		"GBK":                    {`<?xml version="1.0" encoding="GBK"?>` + aText, "malformed"},
		"UTF-16":                 {`<?xml version="1.0" encoding="UTF-16"?>` + aText, "malformed"},
		"UTF-7":                  {`<?xml version="1.0" encoding="UTF-7"?>` + aText, "malformed"},
		"GBK, words to repair":   {`<?xml version="1.0" encoding="GBK"?>` + doc("hi", "]]>"), "malformed"},
		"comment":                {doc("<Content>", "<!-- x --><Content>"), "comment"},
		"comment in a word":      {doc("<![CDATA[text]]>", "te<!-- x -->xt"), "comment"},
		"attribute":              {doc("<MsgType>", `<MsgType a="b">`), "attribute"},
		"170,000 attributes":     {doc("<Content>", "<Content"+many(` a="b"`, 170_000)+">"), "attribute"},
		"attribute of the root":  {doc("<xml>", `<xml a="b">`), "attribute"},
		"prefix":                 {doc("<MsgType>", "<a:MsgType>", "</MsgType>", "</a:MsgType>"), "namespace"},
		"namespace":              {doc("<xml>", `<xml xmlns="urn:x">`), "namespace"},
		"MsgType twice":          {doc("<Content>", "<MsgType>event</MsgType><Content>"), "duplicate"},
		"MsgId twice":            {doc("<MsgId>", "<MsgId>1</MsgId><MsgId>"), "duplicate"},
		"MsgId before and after": {doc("<MsgType>", "<MsgId>1</MsgId><MsgType>"), "duplicate"},
		"FromUserName twice":     {doc("<CreateTime>", "<FromUserName>oY</FromUserName><CreateTime>"), "duplicate"},
		"CreateTime twice":       {doc("<CreateTime>", "<CreateTime>1</CreateTime><CreateTime>"), "duplicate"},
		"Event twice":            {event("subscribe", "<Event>SCAN</Event>"), "duplicate"},
		"elements in a word":     {doc("<![CDATA[text]]>", "<a>text</a>"), "mixed"},
		"elements and text":      {doc("<![CDATA[text]]>", "text<a>text</a>"), "mixed"},
		"9 levels":               {doc("<Content>", many("<a>", 8)+many("</a>", 8)+"<Content>"), "depth"},
		"10,000 levels":          {doc("<Content>", many("<a>", 10_000)+many("</a>", 10_000)+"<Content>"), "depth"},
		"20,000 elements":        {doc("<Content>", many("<a/>", 20_000)+"<Content>"), "elements"},
		"more than a megabyte":   {doc("hi", many("x", 1<<20)), "too_large"},
		"no ToUserName":          {doc("ToUserName>", "Nobody>"), "missing"},
		"no FromUserName":        {doc("FromUserName>", "Nobody>"), "missing"},
		"FromUserName empty":     {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", " "), "missing"},
		"no MsgType":             {doc("MsgType>", "InfoType>"), "platform"},
		"no CreateTime":          {doc("CreateTime>", "Nobody>"), "missing"},
		"CreateTime empty":       {doc("1714112445", ""), "missing"},
		"CreateTime negative":    {doc("1714112445", "-1"), "value"},
		"CreateTime too large":   {doc("1714112445", "99999999999999999999"), "value"},
		"CreateTime a fraction":  {doc("1714112445", "1714112445.5"), "value"},
		"no Event":               {doc("[text]", "[event]"), "missing"},
		"FromUserName of 10 KB":  {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", many("o", 10<<10)), "value"},
		"FromUserName a.b":       {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", "a.b"), "value"},
		"FromUserName *":         {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", "*"), "value"},
		"FromUserName >":         {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", ">"), "value"},
		"FromUserName a b":       {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", "a b"), "value"},
		"FromUserName a newline": {doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", "a\nb"), "value"},
		"MsgType of 10 KB":       {doc("[text]", "["+many("t", 10<<10)+"]"), "value"},
		"JSON twice":             {`{"MsgType":"text","MsgType":"event"}`, "duplicate"},
		"JSON and more":          {`{} {}`, "trailing"},
		"JSON cut off":           {`{"MsgType":"te`, "malformed"},
		"JSON with a comma":      {`{"a":1,}`, "malformed"},
		"JSON too deep":          {many(`{"a":`, 9) + "1" + many("}", 9), "depth"},
		"JSON much too deep":     {many(`{"a":[`, 5000), "depth"},
		"JSON of many values":    {`{"a":[` + many("1,", 20_000) + "1]}", "elements"},
		"JSON sender an array":   {`{"ToUserName":"gh","FromUserName":["a","b"],"MsgType":"text","CreateTime":1}`, "value"},
		"JSON sender null":       {`{"ToUserName":"gh","FromUserName":null,"MsgType":"text","CreateTime":1}`, "value"},
		"JSON time an exponent":  {`{"ToUserName":"gh","FromUserName":"o","MsgType":"text","CreateTime":1e9}`, "value"},
		"JSON without anything":  {`{}`, "missing"},
		"third-party platform":   {"<xml><AppId>x</AppId><CreateTime>1</CreateTime><InfoType>component_verify_ticket</InfoType></xml>", "platform"},
		"CloudBase path check":   {"<xml><action>CheckContainerPath</action></xml>", "missing"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := callback.Parse([]byte(c.document))
			var bad *callback.ParseError
			if !errors.As(err, &bad) {
				t.Fatalf("Parse = %+v, %v, want a ParseError (%s)", m, err, c.reason)
			}
			if bad.Reason != c.reason {
				t.Errorf("refused as %q (%s), want %q", bad.Reason, bad.Detail, c.reason)
			}
		})
	}
}

// TestParseCutOff: a document that ends too early is never a message.
func TestParseCutOff(t *testing.T) {
	for _, document := range []string{aText, doc("hi", "<a><![CDATA[q]]></a>"), event("scancode_push", scan("x]]>y"))} {
		for n := range len(document) {
			if m, err := callback.Parse([]byte(document[:n])); err == nil {
				t.Fatalf("the first %d bytes are %s", n, m.JSON())
			}
		}
	}
}

// TestParseTolerates: odd documents that are messages all the same.
func TestParseTolerates(t *testing.T) {
	for name, c := range map[string]struct{ document, content string }{
		"BOM":                     {"\uFEFF" + aText, "hi"},
		"declaration":             {`<?xml version="1.0" encoding="UTF-8"?>` + "\n" + aText, "hi"},
		"blanks around":           {"\n " + aText + "\n", "hi"},
		"no CDATA":                {doc("<![CDATA[hi]]>", "a &lt;b&gt; &amp; &#x4E00;"), "a <b> & 一"},
		"surrogate by reference":  {doc("<![CDATA[hi]]>", "&#xD800;"), "\uFFFD"},
		"CDATA in two sections":   {doc("hi", "a]]]]><![CDATA[>b"), "a]]>b"},
		"empty":                   {doc("<![CDATA[hi]]>", ""), ""},
		"no end tag":              {doc("<Content><![CDATA[hi]]></Content>", "<Content/>"), ""},
		"control characters":      {doc("hi", "a\x00b\x02c\x0bd\x1fe"), "abcde"},
		"no characters":           {doc("hi", "a\uFFFEb\uFFFFc"), "abc"},
		"half a character":        {doc("hi", "a\xe4\xbd"), "a\uFFFD"},
		"UTF-8 of a surrogate":    {doc("hi", "a\xed\xa0\x80"), "a\uFFFD"},
		"line ends":               {doc("hi", "a\r\nb\rc\nd"), "a\nb\nc\nd"},
		"emoji, RTL, ZWJ":         {doc("hi", "👩‍👩‍👧 \u202Eabc é /::)"), "👩‍👩‍👧 \u202Eabc é /::)"},
		"HTML":                    {doc("hi", "<!DOCTYPE html><!-- x --><p a=b>&nbsp;<?php"), "<!DOCTYPE html><!-- x --><p a=b>&nbsp;<?php"},
		"2 KB of emoji":           {doc("hi", strings.Repeat("👍🏽", 300)), strings.Repeat("👍🏽", 300)},
		"control chars in tags":   {doc("<Content>", "<Con\x02tent>"), "hi"},
		"time with blanks":        {doc("1714112445", " 1714112445 "), "hi"},
		"another order":           {"<xml><MsgId>24512345678901234</MsgId><Content>hi</Content><MsgType>text</MsgType><CreateTime>1714112445</CreateTime><FromUserName>o</FromUserName><ToUserName>gh</ToUserName></xml>", "hi"},
		"JSON":                    {`{"ToUserName":"gh","FromUserName":"o","CreateTime":"1714112445","MsgType":"text","Content":"h\u0002i","MsgId":24512345678901234}`, "hi"},
		"JSON with control chars": {"{\"ToUserName\":\"gh\",\"FromUserName\":\"o\",\"CreateTime\":1714112445,\"MsgType\":\"text\",\"Content\":\"h\x02i\xff\",\"MsgId\":24512345678901234}", "hi\uFFFD"},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := callback.Parse([]byte(c.document))
			if err != nil {
				t.Fatal(err)
			}
			if got := m.Value("Content"); got != c.content {
				t.Errorf("Content %q, want %q", got, c.content)
			}
			if m.Repaired {
				t.Error("Repaired, though nothing is broken")
			}
			if m.Kind != "text" || m.MsgID != "24512345678901234" || !m.CreateTime.Equal(time.Unix(1714112445, 0)) {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestID(t *testing.T) {
	id := func(document string) string {
		t.Helper()
		m, err := callback.Parse([]byte(document))
		if err != nil {
			t.Fatal(err)
		}
		return m.ID()
	}
	// The ids are part of the contract: they are in people's streams.
	for _, c := range []struct{ name, document, want string }{
		{"message", aText, "24512345678901234-7e28d6e73dd8"},
		{"the same message in other words", doc("hi", "ho"), "24512345678901234-7e28d6e73dd8"},
		{"event", event("subscribe", ""), "e-56bdf6ea5175f133e2d156024dd39f12"},
		{"MsgId that is no number", doc("24512345678901234", "a.b>c d"), "m-ac8a64a1b85c52d3d74785e6fc3afaf8"},
	} {
		if got := id(c.document); got != c.want {
			t.Errorf("%s: id %s, want %s", c.name, got, c.want)
		}
	}
	different := map[string]string{}
	for _, document := range []string{
		aText, doc("oQx7t0aBcDeFgHiJkLmNoPqRsTu0", "oOther"), doc("24512345678901234", "24512345678901235"),
		doc("24512345678901234", "x"), doc("24512345678901234", "y"), doc("24512345678901234", "0"), doc("24512345678901234", "0", "hi", "ho"),
		doc("<MsgId>24512345678901234</MsgId>", ""), doc("24512345678901234", strings.Repeat("1", 500)),
		event("LOCATION", "<Latitude>1</Latitude>"), event("LOCATION", "<Latitude>2</Latitude>"), event("x", "<MsgId>24512345678901234</MsgId>"),
	} {
		key := id(document)
		if before, ok := different[key]; ok {
			t.Errorf("one id for %s and %s", before, document)
		}
		different[key] = document
	}
}
