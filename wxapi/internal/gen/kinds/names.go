package main

import (
	"strings"
	"unicode"

	"github.com/wxbridge/wxbridge/wxapi/callback" //nolint:depguard // it reads the rows; no program imports it
)

// words are those that Go writes otherwise than with one capital, and those that
// WeChat writes together.
var words = map[string]string{
	"id": "ID", "url": "URL", "md": "MD", "openid": "OpenID", "qrcode": "QRCode",
	"bizmsgmenuid": "BizMsgMenuID",

	"invoiceresult":         "InvoiceResult",
	"shakearoundusershake":  "ShakeAroundUserShake",
	"weapp":                 "WeApp",
	"wificonnected":         "WiFiConnected",
	"freepublishjobfinish":  "FreePublishJobFinish",
	"giftcard":              "GiftCard",
	"masssendjobfinish":     "MassSendJobFinish",
	"membercard":            "MemberCard",
	"miniprogram":           "MiniProgram",
	"miniprogrampage":       "MiniProgramPage",
	"publishjobfinish":      "PublishJobFinish",
	"scancode":              "ScanCode",
	"shortvideo":            "ShortVideo",
	"sysphoto":              "SysPhoto",
	"templatesendjobfinish": "TemplateSendJobFinish",
	"tempsession":           "TempSession",
	"waitmsg":               "WaitMsg",
}

// goName writes WeChat's names as Go does: MediaID16K, LocationX, PublishID.
func goName(name string) string {
	var b strings.Builder
	start := 0
	for i := range len(name) + 1 {
		if i < len(name) && !starts(name, i) {
			continue
		}
		if word := strings.Trim(name[start:i], "_"); word != "" {
			b.WriteString(capital(word))
		}
		start = i
	}
	return b.String()
}

// starts reports whether a word starts at a byte: a capital or a digit after something else, or what follows a _.
func starts(name string, i int) bool {
	if i == 0 {
		return false
	}
	before, here := rune(name[i-1]), rune(name[i])
	return before == '_' || unicode.IsUpper(here) && !unicode.IsUpper(before) || unicode.IsDigit(here) && !unicode.IsDigit(before)
}

func capital(word string) string {
	if special, ok := words[strings.ToLower(word)]; ok {
		return special
	}
	return strings.ToUpper(word[:1]) + word[1:]
}

// kindType is TextMessage for text and ScanEvent for event_scan.
func kindType(k callback.Kind) string {
	if event, ok := strings.CutPrefix(k.Name, "event_"); ok {
		return strings.TrimSuffix(goName(event), "Event") + "Event"
	}
	return goName(k.Name) + "Message"
}

// objects are those whose own name would say too little as a type.
var objects = map[string]string{"detail": "MediaCheckDetail", "result": "MediaCheckResult"}

// objectType names the struct of an object: ScanCodeInfo at the top, and within
// another its name after the other's, without a word twice.
func objectType(parent string, f callback.Field) string {
	if f.Type != callback.TypeObject {
		return ""
	}
	if name, ok := objects[f.Name]; ok {
		return name
	}
	name := goName(f.Name)
	if f.Repeated && (name == "Item" || name == "List") {
		return parent + "Item"
	}
	if outer, ok := strings.CutSuffix(name, "Event"); ok { // the kind's struct has that name
		name = outer + "Data"
	}
	if strings.HasSuffix(parent, "Result") {
		name = strings.TrimPrefix(name, "Result")
	}
	return parent + name
}
