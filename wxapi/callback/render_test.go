package callback_test

import (
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestJSONValues: how one element looks in the event's data, from XML and from JSON.
func TestJSONValues(t *testing.T) {
	for _, c := range []struct{ xml, want string }{
		{"<MenuId>208379533</MenuId>", `"MenuId":"208379533"`},
		{"<MsgID> 1700827132819554304\n</MsgID>", `"MsgID":"1700827132819554304"`},
		{"<TotalCount><![CDATA[100]]></TotalCount>", `"TotalCount":100`},
		{"<TotalCount>007</TotalCount>", `"TotalCount":"007"`},
		{"<TotalCount>1e5</TotalCount>", `"TotalCount":"1e5"`},
		{"<TotalCount></TotalCount>", `"TotalCount":""`},
		{"<TotalCount>9007199254740993</TotalCount>", `"TotalCount":"9007199254740993"`},
		{"<Latitude>-23.137466</Latitude>", `"Latitude":-23.137466`},
		{"<Latitude>-0.5</Latitude>", `"Latitude":-0.5`},
		{"<Latitude>1.</Latitude>", `"Latitude":"1."`},
		{"<Latitude>.5</Latitude>", `"Latitude":".5"`},
		{"<Latitude>119.385040</Latitude>", `"Latitude":119.385040`},
		{"<Nobody>12</Nobody>", `"Nobody":"12"`},
		{"<Nobody> a\nb </Nobody>", `"Nobody":" a\nb "`},
		{"<Nobody>1</Nobody><Other/><Nobody>2</Nobody>", `"Nobody":["1","2"],"Other":""`},
		{"<PicList></PicList>", `"PicList":{}`},
		{"<PicList><item><PicMd5Sum>a</PicMd5Sum></item><item/></PicList>", `"PicList":{"item":[{"PicMd5Sum":"a"},{}]}`},
		{"<Nobody><![CDATA[<&>\"\\/]]></Nobody>", `"Nobody":"<&>\"\\/"`},
	} {
		m, err := callback.Parse([]byte(event("x", c.xml)))
		want := `{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oX","CreateTime":1714112445,"MsgType":"event","Event":"x",` + c.want + `}`
		if err != nil || string(m.JSON()) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", c.xml, m.JSON(), err, want)
		}
	}
	for _, c := range [][2]string{
		{`"MsgID":1700827132819554304`, `"MsgID":"1700827132819554304"`},
		{`"PopupScene":"0"`, `"PopupScene":0`},
		{`"Nobody":9007199254740993`, `"Nobody":"9007199254740993"`},
		{`"Nobody":1e400`, `"Nobody":"1e400"`},
		{`"Nobody":[1,-2.5,true,null,"x",{}]`, `"Nobody":[1,-2.5,true,null,"x",{}]`},
		{`"List":[{"TemplateId":"a"}]`, `"List":[{"TemplateId":"a"}]`},
		{`"RevokeInfo":1`, `"RevokeInfo":"1"`},
	} {
		head := `{"ToUserName":"gh","FromUserName":"oX","CreateTime":1714112445,"MsgType":"event","Event":"x",`
		m, err := callback.Parse([]byte(head + c[0] + `}`))
		if want := head + c[1] + `}`; err != nil || string(m.JSON()) != want {
			t.Errorf("%s\n got %s, %v\nwant %s", c[0], m.JSON(), err, want)
		}
	}
}

func TestFormatXML(t *testing.T) {
	data := `{"MsgType":"text","Content":"a]]>b & <c>","MsgId":"24512345678901234","MediaId":"123","CreateTime":1,"N":null,"B":true,
		"O":{"item":[{"idx":1},{"idx":2}],"E":{},"L":[]}}`
	want := "<xml><MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[a]]>b & <c>]]></Content>\n<MsgId>24512345678901234</MsgId>\n" +
		"<MediaId><![CDATA[123]]></MediaId>\n<CreateTime>1</CreateTime>\n<N></N>\n<B>true</B>\n" +
		"<O>\n<item>\n<idx>1</idx>\n</item>\n<item>\n<idx>2</idx>\n</item>\n<E>\n</E>\n\n</O>\n</xml>"
	if got, err := callback.FormatXML([]byte(data)); err != nil || string(got) != want {
		t.Errorf("FormatXML: %v\n got %s\nwant %s", err, got, want)
	}
	for _, bad := range []string{"", "[]", `"x"`, `{"a b":1}`, `{"":1}`, `{"<x>":1}`, `{"a":[[1]]}`, `{"a":{"1":1}}`, `{"a":1`, `{"a":1} x`} {
		if got, err := callback.FormatXML([]byte(bad)); err == nil {
			t.Errorf("FormatXML(%s) = %s", bad, got)
		}
	}
}
