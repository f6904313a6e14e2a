package callback_test

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestFormatReply compares each reply with the sample of WeChat's page (被动回复用户消息).
func TestFormatReply(t *testing.T) {
	article := callback.Article{Title: "t", Description: "d", PicURL: "https://p/1.jpg", URL: "https://u/?a=1&b=2"}
	item := "<item><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description><PicUrl><![CDATA[https://p/1.jpg]]></PicUrl><Url><![CDATA[https://u/?a=1&b=2]]></Url></item>"
	for _, c := range []struct {
		reply callback.Reply
		want  string
	}{
		{callback.Text{Content: "你好\n<a href=\"https://x\">y</a>"}, "<Content><![CDATA[你好\n<a href=\"https://x\">y</a>]]></Content>"},
		{callback.Text{Content: "a]]>b\x00\x0b\x1f\xffc\r\nd"}, "<Content><![CDATA[a]]]]><![CDATA[>b\uFFFDc\nd]]></Content>"},
		{callback.Image{MediaID: "MEDIA"}, "<Image><MediaId><![CDATA[MEDIA]]></MediaId></Image>"},
		{callback.Voice{MediaID: "MEDIA"}, "<Voice><MediaId><![CDATA[MEDIA]]></MediaId></Voice>"},
		{callback.Video{MediaID: "MEDIA", Title: "t", Description: "d"}, "<Video><MediaId><![CDATA[MEDIA]]></MediaId><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description></Video>"},
		{callback.Video{MediaID: "MEDIA"}, "<Video><MediaId><![CDATA[MEDIA]]></MediaId></Video>"},
		{
			callback.Music{Title: "t", Description: "d", MusicURL: "https://m/x.mp3", HQMusicURL: "https://m/hq.mp3", ThumbMediaID: "THUMB"},
			"<Music><Title><![CDATA[t]]></Title><Description><![CDATA[d]]></Description><MusicUrl><![CDATA[https://m/x.mp3]]></MusicUrl><HQMusicUrl><![CDATA[https://m/hq.mp3]]></HQMusicUrl><ThumbMediaId><![CDATA[THUMB]]></ThumbMediaId></Music>",
		},
		{callback.News{Articles: []callback.Article{article}}, "<ArticleCount>1</ArticleCount><Articles>" + item + "</Articles>"},
		{callback.News{Articles: []callback.Article{article, article}}, "<ArticleCount>2</ArticleCount><Articles>" + item + item + "</Articles>"},
		{callback.TransferCustomerService{KfAccount: "test1@test"}, "<TransInfo><KfAccount><![CDATA[test1@test]]></KfAccount></TransInfo>"},
		{callback.TransferCustomerService{}, ""},
	} {
		got, err := callback.FormatReply("oUSER", "gh_x", testTime, c.reply)
		want := "<xml><ToUserName><![CDATA[oUSER]]></ToUserName><FromUserName><![CDATA[gh_x]]></FromUserName><CreateTime>1714112445</CreateTime>" +
			"<MsgType><![CDATA[" + c.reply.MsgType() + "]]></MsgType>" + c.want + "</xml>"
		if err != nil || string(got) != want {
			t.Errorf("%T: %v\n got %s\nwant %s", c.reply, err, got, want)
		}
	}
}

// TestReplyLimits: what WeChat would not deliver is an error that names the field and the limit.
func TestReplyLimits(t *testing.T) {
	articles := func(n int) callback.News {
		all := make([]callback.Article, n)
		for i := range all {
			all[i].Title = "t"
		}
		return callback.News{Articles: all}
	}
	for _, c := range []struct {
		reply callback.Reply
		field string
	}{
		{callback.Text{Content: strings.Repeat("x", 2048)}, ""},
		{callback.Text{Content: strings.Repeat("x", 2046) + "一"}, "Content"},
		{callback.Text{Content: strings.Repeat("\x00", 5000) + "x"}, ""},
		{callback.Text{Content: strings.Repeat("x\xff", 1000)}, "Content"}, // each \xff goes out as three bytes
		{callback.Text{}, "Content"},
		{callback.Text{Content: " \n\t "}, "Content"},
		{callback.Text{Content: "\x00\x02"}, "Content"},
		{callback.Image{}, "MediaID"},
		{callback.Voice{MediaID: " "}, "MediaID"},
		{callback.Video{Title: "t"}, "MediaID"},
		{callback.Music{MusicURL: "https://m"}, "ThumbMediaID"},
		{callback.Music{ThumbMediaID: "m", MusicURL: "javascript:alert(1)"}, "MusicURL"},
		{callback.Music{ThumbMediaID: "m", HQMusicURL: "file:///etc/passwd"}, "HQMusicURL"},
		{callback.News{}, "Articles"},
		{articles(9), "Articles"},
		{articles(8), ""},
		{callback.News{Articles: []callback.Article{{Title: "t"}, {URL: "https://u"}}}, "Articles[1].Title"},
		{callback.News{Articles: []callback.Article{{Title: "t", URL: " javascript:x"}}}, "Articles[0].URL"},
		{callback.News{Articles: []callback.Article{{Title: "t", PicURL: "//x"}}}, "Articles[0].PicURL"},
		{callback.News{Articles: []callback.Article{{Title: "t", URL: "HTTPS://u"}}}, ""},
	} {
		_, err := callback.FormatReply("oUSER", "gh_x", testTime, c.reply)
		var bad *callback.ReplyError
		switch {
		case c.field == "" && err != nil:
			t.Errorf("%T: %v", c.reply, err)
		case c.field != "" && (!errors.As(err, &bad) || bad.Field != c.field):
			t.Errorf("%T: %v, want a ReplyError about %s", c.reply, err, c.field)
		}
	}
	for _, c := range []struct {
		to, from string
		reply    callback.Reply
	}{{"", "gh_x", callback.Text{Content: "x"}}, {"oUSER", "", callback.Text{Content: "x"}}, {"oUSER", "gh_x", nil}} {
		if _, err := callback.FormatReply(c.to, c.from, testTime, c.reply); err == nil {
			t.Errorf("no error for %+v", c)
		}
	}
	if err := (callback.Text{Content: strings.Repeat("x", 2049)}).Check(); err == nil || !strings.Contains(err.Error(), "2048") {
		t.Errorf("%v doesn't name the limit", err)
	}
}

// elements returns the names of a document's elements in order, with their own text, or an error if it isn't well-formed.
func elements(document []byte) (names, texts []string, err error) {
	decoder := xml.NewDecoder(strings.NewReader(string(document)))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return names, texts, nil
		}
		if err != nil {
			return nil, nil, err
		}
		switch token := token.(type) {
		case xml.StartElement:
			names, texts = append(names, token.Name.Local), append(texts, "")
		case xml.CharData:
			if len(texts) > 0 {
				texts[len(texts)-1] += string(token)
			}
		}
	}
}
