package callback_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/wxbridge/wxbridge/wxapi/callback"
)

// TestTypedSamples reads the data of each sample into its kind's struct and expects all of it there:
// written again, it is the same JSON, and field by field it is what the message says.
func TestTypedSamples(t *testing.T) {
	for name, document := range samples(t) {
		t.Run(name, func(t *testing.T) {
			m, err := callback.Parse(document)
			if err != nil {
				t.Fatal(err)
			}
			data := decoded(t, m)
			if _, listed := callback.LookupKind(m.Kind); !listed {
				unknown, ok := data.(*callback.Unknown)
				if !ok || unknown.Event != m.Event || unknown.MsgID != m.MsgID || !reflect.DeepEqual(any(unknown.Elements), object(t, m.JSON())) {
					t.Errorf("%+v of %s", data, m.JSON())
				}
				return
			}
			again, err := json.Marshal(data)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := plain(t, again), plain(t, m.JSON()); !reflect.DeepEqual(got, want) {
				t.Errorf("%T is %v, want %v", data, got, want)
			}
			if !strings.HasSuffix(name, "~flat") { // Value doesn't look into arrays
				values(t, m, reflect.ValueOf(data).Elem())
			}
		})
	}
}

// decoded reads a message's data both ways and checks what must hold for any document.
func decoded(t *testing.T, m *callback.Message) any {
	t.Helper()
	data, err := callback.Decode(m.Kind, m.JSON())
	if err != nil {
		t.Fatalf("%v: %s", err, m.JSON())
	}
	kind, _ := callback.LookupKind(m.Kind)
	again := kind.New()
	if err := json.Unmarshal(m.JSON(), again); err != nil || !reflect.DeepEqual(again, data) {
		t.Errorf("Unmarshal: %+v, %v; Decode: %+v", again, err, data)
	}
	common, ok := reflect.ValueOf(data).Elem().FieldByName("Common").Interface().(callback.Common)
	if !ok || strings.TrimSpace(common.FromUserName) != m.FromUserName || strings.TrimSpace(common.ToUserName) != m.ToUserName ||
		strings.TrimSpace(common.MsgType) != m.MsgType || !common.Time().Equal(m.CreateTime) {
		t.Errorf("%+v of %s", data, m.JSON())
	}
	return data
}

// object is a JSON object with its values as they are written.
func object(t *testing.T, data []byte) map[string]json.RawMessage {
	t.Helper()
	var all map[string]json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

// plain is JSON without what is zero, and with one of a list as if it stood alone.
func plain(t *testing.T, data []byte) any {
	t.Helper()
	var value any
	if err := json.Unmarshal(data, &value); err != nil {
		t.Fatal(err)
	}
	return without(value)
}

func without(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, inner := range v {
			if v[name] = without(inner); v[name] == nil {
				delete(v, name)
			}
		}
		if len(v) == 0 {
			return nil
		}
	case []any:
		for i := range v {
			v[i] = without(v[i])
		}
		if len(v) == 1 {
			return v[0]
		}
	case string:
		if v == "" {
			return nil
		}
	case float64:
		if v == 0 {
			return nil
		}
	}
	return value
}

// values compares each field with what the message says is in the element of its json tag.
func values(t *testing.T, m *callback.Message, v reflect.Value, path ...string) {
	t.Helper()
	for _, f := range reflect.VisibleFields(v.Type()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous {
			continue
		}
		at, got := slices.Concat(path, []string{name}), v.FieldByIndex(f.Index)
		if got.Kind() == reflect.Slice {
			if got.Len() == 0 {
				continue
			}
			got = got.Index(0)
		}
		want := m.Value(at...)
		switch got.Kind() {
		case reflect.Struct:
			values(t, m, got, at...)
			continue
		case reflect.Int64:
			if n, err := strconv.ParseInt(want, 10, 64); want != "" && (err != nil || n != got.Int()) {
				t.Errorf("%s is %v, want %s", at, got, want)
			}
		case reflect.Float64:
			if x, err := strconv.ParseFloat(want, 64); want != "" && (err != nil || x != got.Float()) {
				t.Errorf("%s is %v, want %s", at, got, want)
			}
		default:
			if got.String() != want {
				t.Errorf("%s is %q, want %q", at, got, want)
			}
		}
		if want == "" && !got.IsZero() {
			t.Errorf("%s is %v, want nothing", at, got)
		}
	}
}

func TestEachKindHasAStruct(t *testing.T) {
	seen := map[reflect.Type]string{}
	for _, k := range callback.Kinds() {
		kind := reflect.TypeOf(k.New())
		if other := seen[kind]; other != "" || kind == reflect.TypeFor[*callback.Unknown]() {
			t.Errorf("%s is read into %v, as is %q", k.Name, kind, other)
		}
		seen[kind] = k.Name
	}
	invented, _ := callback.LookupKind("event_invented_tomorrow")
	if _, ok := invented.New().(*callback.Unknown); !ok {
		t.Errorf("an unlisted kind is read into %T", invented.New())
	}
}

// TestTypedJunk: what isn't as its row says doesn't keep the rest from being read.
func TestTypedJunk(t *testing.T) {
	for _, c := range []struct{ kind, data, want string }{
		{"location", `"Location_X":"23.5","Location_Y":"junk","Scale":{},"Label":"there"`, `"Location_X":23.5,"Label":"there"`},
		{"location", `"Location_X":"","Location_Y":"NaN","Scale":"1e999","Label":"there"`, `"Label":"there"`},
		{"location", `"Location_X":[1.5,2.5],"Location_Y":null,"Label":[]`, `"Location_X":1.5`},
		{"text", `"Content":"hi","MsgId":24512345678901234567,"Idx":"x"`, `"Content":"hi","MsgId":"24512345678901234567"`},
		{"text", `"Content":true,"Idx":" 7 ","MsgId":{}`, `"Content":"true","Idx":7`},
		{"text", `"Content":{"a":"b"},"Idx":1.5,"Idx2":1`, ``},
		{"text", `"Content":["a","b"]`, `"Content":"a"`},
		{"event_scancode_push", `"ScanCodeInfo":"junk","EventKey":"k"`, `"EventKey":"k"`},
		{"event_scancode_push", `"ScanCodeInfo":[{"ScanType":"a"},{"ScanType":"b"}]`, `"ScanCodeInfo":{"ScanType":"a"}`},
		{"event_publishjobfinish", `"PublishEventInfo":{"fail_idx":3}`, `"PublishEventInfo":{"fail_idx":[3]}`},
		{"event_publishjobfinish", `"PublishEventInfo":{"fail_idx":["1",2,"x"]}`, `"PublishEventInfo":{"fail_idx":[1,2,0]}`},
		{"event_publishjobfinish", `"PublishEventInfo":{"fail_idx":"","article_detail":{"item":[{"idx":1},{"idx":"2"}]}}`, `"PublishEventInfo":{"article_detail":{"item":[{"idx":1},{"idx":2}]}}`},
		// Other spellings are other elements: see unmarshal.
		{"text", `"Content":"hi","content":"no","fromusername":"no","FROMUSERNAME":"no","createTime":1,"msgid":"1"`, `"Content":"hi"`},
		{"event_user_info_modified", `"OpenID":"o","openid":"p","APPID":"q"`, `"OpenID":"o","openid":"p"`},
		{"event_invented", `"Event":"invented","Content":{"a":[1]}`, `"Event":"invented"`},
	} {
		common := `{"ToUserName":"gh_1","FromUserName":"o1","CreateTime":1714112445,"MsgType":"text"`
		data, err := callback.Decode(c.kind, []byte(common+","+c.data+"}"))
		if err != nil {
			t.Errorf("%s %s: %v", c.kind, c.data, err)
			continue
		}
		got, err := json.Marshal(data)
		want := strings.TrimSuffix(common+","+c.want, ",") + "}"
		if err != nil || !reflect.DeepEqual(object(t, got), object(t, []byte(want))) {
			t.Errorf("%s %s: %s, %v, want %s", c.kind, c.data, got, err, want)
		}
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, kind := range []string{"text", "event_scan", "event_invented"} {
		for _, data := range []string{``, `{`, `[]`, `"text"`, `7`, `{"Content":"a"} x`} {
			if value, err := callback.Decode(kind, []byte(data)); err == nil || value != nil {
				t.Errorf("%s %q: %+v, %v", kind, data, value, err)
			}
		}
	}
}

// A service reads the events of wx.inbound.> typed. (in is an events.InboundEvent in real life.)
func ExampleDecode() {
	for _, in := range []struct {
		Kind string
		Data json.RawMessage
	}{
		{"text", json.RawMessage(`{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc","CreateTime":1714112445,"MsgType":"text","Content":"hello","MsgId":"24512345678901234"}`)},
		{"event_pic_weixin", json.RawMessage(`{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc","CreateTime":1714112446,"MsgType":"event","Event":"pic_weixin","EventKey":"album","SendPicsInfo":{"Count":1,"PicList":{"item":{"PicMd5Sum":"1b5f7c23"}}}}`)},
		{"event_invented", json.RawMessage(`{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc","CreateTime":1714112447,"MsgType":"event","Event":"Invented","Mood":"good"}`)},
	} {
		data, err := callback.Decode(in.Kind, in.Data)
		if err != nil {
			fmt.Println(err)
			return
		}
		switch data := data.(type) {
		case *callback.TextMessage:
			fmt.Println(data.FromUserName, "wrote", data.Content, "at", data.Time())
		case *callback.PicWeixinEvent:
			for _, picture := range data.SendPicsInfo.PicList.Item { // an array or, as here, an object
				fmt.Println(data.EventKey, picture.PicMD5Sum)
			}
		case *callback.Unknown:
			fmt.Printf("%s %s\n", data.Event, data.Elements["Mood"])
		}
	}

	// Output:
	// oQx7t0aBc wrote hello at 2024-04-26 06:20:45 +0000 UTC
	// album 1b5f7c23
	// Invented "good"
}

// Who listens to one kind needs no Decode.
func ExampleTextMessage() {
	data := []byte(`{"ToUserName":"gh_0a1b2c3d4e5f","FromUserName":"oQx7t0aBc","CreateTime":1714112445,"MsgType":"text","Content":"hello","MsgId":"24512345678901234"}`)
	var text callback.TextMessage
	err := json.Unmarshal(data, &text)
	fmt.Println(text.MsgID, text.Content, err)

	// Output:
	// 24512345678901234 hello <nil>
}
