package wxapi

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
)

// A request that is reported as not written must not go out afterwards.
func TestGate(t *testing.T) {
	g := &gate{body: bytes.NewReader([]byte("body"))}
	if g.shut() {
		t.Error("began before anybody read")
	}
	if _, err := g.Read(make([]byte, 4)); !errors.Is(err, errGivenUp) {
		t.Errorf("read after the end: %v", err)
	}
	g = &gate{body: bytes.NewReader(nil)}
	_, _ = g.Read(make([]byte, 4))
	if !g.shut() {
		t.Error("a read was not noticed")
	}
}

func TestPublicAddresses(t *testing.T) {
	for addr, want := range map[string]bool{
		"203.205.254.1": true, "240e::1": true,
		"127.0.0.1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false, "169.254.169.254": false,
		"100.64.0.1": false, "0.0.0.0": false, "255.255.255.255": false, "224.0.0.1": false, "198.18.0.1": false,
		"::1": false, "::": false, "fe80::1": false, "fc00::1": false, "::ffff:127.0.0.1": false,
		"fe80::1%eth0": false, "fec0::1%eth0": false, "fec0::1": false, "::127.0.0.1": false, "::ffff:10.0.0.1": false,
		"64:ff9b::7f00:1": false, "2002:7f00:1::": false, "2001::1": false, "ff02::1": false,
	} {
		if got := isPublic(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s: public %t", addr, got)
		}
	}
}

func TestRegisterRefusesMistakes(t *testing.T) {
	type request struct {
		Name string `json:"name" wx:"requird"`
	}
	for name, bad := range map[string]func(){
		"twice":    func() { register(SendCustomMessage.Row) },
		"no doc":   func() { define[struct{}, struct{}](Row{Name: "x", Method: "GET", Path: "/x"}) },
		"no path":  func() { define[struct{}, struct{}](Row{Name: "x", Doc: "d", Method: "GET"}) },
		"no local": func() { define[struct{}, struct{}](Row{Name: "x", Doc: "d", Body: Local}) },
		"bad tag":  func() { define[request, struct{}](Row{Name: "x", Doc: "d", Method: "GET", Path: "/x"}) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			bad()
		}()
	}
	if _, there := Lookup("x"); there {
		t.Error("a refused row is registered")
	}
}

func TestLocalVerbsCallNobody(t *testing.T) {
	client, err := New(Config{AppID: "wx0123456789abcdef", AppSecret: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	row := &Row{Name: "get_odd_url", Body: Local, local: func(c *Client, in *object) (*object, *RequestError) {
		if in.text("ticket") == "" {
			return nil, refuse("ticket", "is missing")
		}
		return &object{members: []member{{"url", c.mp.JoinPath("odd").String() + "?ticket=" + in.text("ticket")}}}, nil
	}}
	result, err := client.CallJSON(t.Context(), row, []byte(`{"ticket":"T"}`))
	if want := `{"url":"https://mp.weixin.qq.com/odd?ticket=T"}`; err != nil || string(result.Response) != want || result.Requests != 0 {
		t.Errorf("%s, %v", result.Response, err)
	}
	if _, err := client.CallJSON(t.Context(), row, []byte(`{}`)); err == nil || err.Error() != "wxapi: get_odd_url: ticket: is missing" {
		t.Error(err)
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"plain": "plain", "a\nb\tc": "a b c", "\x1b[31mred": "[31mred", "\xff\xfe": "", "好好好好": "好好好…",
	} {
		if got := printable(in, 11); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}

func TestMask(t *testing.T) {
	secret := `82_a"b\c+d/e=f&g`
	m := mask{}.with(secret).with("tiny")
	for _, form := range []string{secret, "82_a%22b%5Cc%2Bd%2Fe%3Df%26g", `82_a\"b\\c+d/e=f\u0026g`} {
		if got := m.text("before "+form+" after, a tiny bit", 100); got != "before *** after, a tiny bit" {
			t.Errorf("%s: %s", form, got)
		}
	}
	if got := m.text("rid: 61725984-6126f6f9-040f19c4 of oFollowerFollowerFollower_01", 100); got != "rid: 61725984-6126f6f9-040f19c4 of ***" {
		t.Error(got)
	}
}
