package callback_test

import (
	"fmt"
	"time"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// A follower says hello in safe mode and is answered.
func Example() {
	account, err := callback.New(callback.Config{
		AppID:  "wx0123456789abcdef",
		Token:  "AAAAA",
		AESKey: "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG",
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// WeChat: push a message. (A simulator does this; in real life it is an *http.Request.)
	document, err := callback.FormatXML([]byte(`{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc",
		"CreateTime":1714112445,"MsgType":"text","Content":"hello","MsgId":"24512345678901234"}`))
	if err != nil {
		fmt.Println(err)
		return
	}
	push, err := account.NewPush(callback.ModeSafe, document, "oQx7t0aBc", time.Unix(1714112445, 0))
	if err != nil {
		fmt.Println(err)
		return
	}

	// We: verify and open it, read it, answer it.
	envelope, err := account.Open(push.Query.Encode(), push.Body)
	if err != nil {
		fmt.Println(err) // answer 403
		return
	}
	message, err := callback.Parse(envelope.Document)
	if err != nil {
		fmt.Println(err) // keep the bytes and answer callback.Success
		return
	}
	fmt.Println(message.Kind, message.ID())
	fmt.Printf("%s\n", message.JSON())

	now := time.Unix(1714112446, 0)
	reply, err := callback.FormatReply(message.FromUserName, message.ToUserName, now, callback.Text{Content: "hello yourself"})
	if err != nil {
		fmt.Println(err)
		return
	}
	body, err := envelope.Seal(reply, now) // answer 200 with this
	if err != nil {
		fmt.Println(err)
		return
	}

	// WeChat: read the answer.
	reply, err = account.OpenReply(body)
	fmt.Printf("%s %v\n", reply, err)

	// Output:
	// text 24512345678901234-5fc0fdaf772d
	// {"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc","CreateTime":1714112445,"MsgType":"text","Content":"hello","MsgId":"24512345678901234"}
	// <xml><ToUserName><![CDATA[oQx7t0aBc]]></ToUserName><FromUserName><![CDATA[gh_0a1b2c3d4e5f]]></FromUserName><CreateTime>1714112446</CreateTime><MsgType><![CDATA[text]]></MsgType><Content><![CDATA[hello yourself]]></Content></xml> <nil>
}

func ExampleAccount_VerifyURL() {
	account, err := callback.New(callback.Config{AppID: "wx0123456789abcdef", Token: "AAAAA"})
	if err != nil {
		fmt.Println(err)
		return
	}
	// The values of WeChat's own page.
	echo, err := account.VerifyURL("signature=f464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492&echostr=4375120948345356249")
	fmt.Println(echo, err)

	_, err = account.VerifyURL("signature=0464b24fc39322e44b38aa78f5edd27bd1441696&timestamp=1714036504&nonce=1514711492&echostr=4375120948345356249")
	fmt.Println(err)

	// Output:
	// 4375120948345356249 <nil>
	// callback: refused (signature): signature is wrong: is the token the console's?
}

func ExampleLookupKind() {
	kind, _ := callback.LookupKind(callback.KindName("event", "SCAN"))
	fmt.Println(kind.Name, kind.Held, kind.NewsLimit)
	fmt.Println(kind.Summary)

	// What WeChat invents tomorrow has a name today.
	kind, listed := callback.LookupKind(callback.KindName("event", "Invented_Tomorrow"))
	fmt.Println(kind.Name, kind.Held, listed)

	// Output:
	// event_scan true 8
	// A follower scanned a QR code of the account.
	// event_invented_tomorrow false false
}
