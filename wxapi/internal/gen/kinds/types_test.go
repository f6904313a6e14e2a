package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

func TestTypesAreUpToDate(t *testing.T) {
	want, err := types(callback.Kinds())
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile("../../../callback/types.go")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("types.go is out of date: run go generate in wxapi/callback")
	}
}

func TestGoName(t *testing.T) {
	for name, want := range map[string]string{
		"MsgId": "MsgID", "MsgID": "MsgID", "Idx": "Idx", "PicUrl": "PicURL", "PicMd5Sum": "PicMD5Sum",
		"MediaId16K": "MediaID16K", "Location_X": "LocationX", "bizmsgmenuid": "BizMsgMenuID",
		"publish_id": "PublishID", "openid": "OpenID", "qrcode_guide_openid": "QRCodeGuideOpenID",
		"view_miniprogram": "ViewMiniProgram", "invented_tomorrow": "InventedTomorrow",
	} {
		if got := goName(name); got != want {
			t.Errorf("goName(%q) = %q, want %q", name, got, want)
		}
	}
}

// TestClash: a name can't stand for two things, and a type that is new to the generator isn't guessed.
func TestClash(t *testing.T) {
	object := func(inner string) callback.Field {
		return callback.Field{Name: "Info", Type: callback.TypeObject, Fields: []callback.Field{{Name: inner, Type: callback.TypeWord}}}
	}
	for _, rows := range [][]callback.Kind{
		{{Name: "a", Fields: []callback.Field{object("X")}}, {Name: "b", Fields: []callback.Field{object("Y")}}},
		{{Name: "a", Fields: []callback.Field{{Name: "X", Type: "boolean"}}}},
	} {
		if text, err := types(rows); err == nil {
			t.Errorf("no error, but %s", text)
		}
	}
}
