package main_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// printed is what a command that ends well prints.
func printed(t *testing.T, vars map[string]string, args ...string) string {
	t.Helper()
	p := start(t, vars, nil, args...)
	if code := p.code(t); code != 0 {
		t.Fatalf("wxbridge %s: exit %d", p.name, code)
	}
	return p.out.String()
}

// Every name that is listed is printed, and what is printed is the file.
func TestSchema(t *testing.T) {
	t.Parallel()
	names := strings.Fields(printed(t, nil, "schema"))
	for _, want := range []string{"inbound.text", "reply", "cmd.send_custom_message", "result.send_custom_message", "asyncapi", "streams"} {
		found := false
		for _, name := range names {
			found = found || name == want
		}
		if !found {
			t.Errorf("%s is not listed", want)
		}
	}
	for name, id := range map[string]string{"inbound.text": "inbound.text", "outcome.text": "outcome"} {
		var file struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal([]byte(printed(t, nil, "schema", name)), &file); err != nil || file.ID != "urn:wxbridge:"+id+":1" {
			t.Errorf("%s: %q, %v", name, file.ID, err)
		}
	}
	if document := printed(t, nil, "schema", "asyncapi"); !strings.Contains(document, "asyncapi: ") || strings.Contains(document, "$ref: ./") {
		t.Error("the AsyncAPI document has not its schemas inside")
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	for says, c := range map[string]struct {
		args []string
		vars map[string]string
	}{
		`no schema "inbound.txt", but inbound.text;`:                                      {[]string{"inbound.txt"}, nil},
		`no schema "get_groups", but cmd.get_groups, result.get_groups;`:                  {[]string{"get_groups"}, nil},
		`no schema "cmd.get_qr_code_forever", but cmd.create_qr_code;`:                    {[]string{"cmd.get_qr_code_forever"}, nil},
		`no schema "inbound.event_tomorrow", but inbound, of the kinds that have none of`: {[]string{"inbound.event_tomorrow"}, nil},
		`no schema "zzz"; ` + "`wxbridge schema` lists them":                              {[]string{"zzz"}, nil},
		"one name at a time":  {[]string{"inbound.text", "reply"}, nil},
		`no stream "WX_TEXT"`: {[]string{"streams", "WX_TEXT"}, nil},
		"WX_PREFIX":           {[]string{"streams"}, map[string]string{"WX_PREFIX": "Wx"}},
		"WX_STREAM_REPLICAS":  {[]string{"streams"}, map[string]string{"WX_STREAM_REPLICAS": "2"}},
	} {
		p := start(t, c.vars, nil, append([]string{"schema"}, c.args...)...)
		if code := p.code(t); code != 78 || !strings.Contains(p.out.String(), says) {
			t.Errorf("schema %v: exit %d, does not say %s", c.args, code, says)
		}
	}
}

// What is printed for companies that create streams by other means makes what
// the bridge would have made itself, and the bridge is content with it.
func TestSchemaStreams(t *testing.T) {
	t.Parallel()
	vars := map[string]string{
		"WX_PREFIX": "wx.shop", "WX_STREAM_STORAGE": "memory", "WX_STREAM_MAX_BYTES": "16777216", "WX_REPLY_WINDOW": "20m",
	}
	var streams []jetstream.StreamConfig
	if err := json.Unmarshal([]byte(printed(t, vars, "schema", "streams")), &streams); err != nil {
		t.Fatal(err)
	}
	config := bus.StreamConfig{Mode: "create", Replicas: 1, Storage: "memory", MaxBytes: 16 << 20, ReplyWindow: 20 * 60e9}
	theirs, ours := bustest.Start(t).JetStream(), bustest.Start(t).JetStream()
	if err := bus.Ensure(t.Context(), ours, "wx.shop", config); err != nil {
		t.Fatal(err)
	}
	for _, c := range streams {
		made, err := theirs.CreateStream(t.Context(), c)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		want, err := ours.Stream(t.Context(), c.Name)
		if err != nil {
			t.Fatalf("%s: %v", c.Name, err)
		}
		got, expected := made.CachedInfo().Config, want.CachedInfo().Config
		got.Metadata, expected.Metadata = nil, nil
		if !reflect.DeepEqual(got, expected) {
			t.Errorf("%s is %+v, want %+v", c.Name, got, expected)
		}
	}
	config.Mode = "check"
	if err := bus.Ensure(t.Context(), theirs, events.Prefix("wx.shop"), config); err != nil {
		t.Error(err)
	}
}

// What is printed for the default prefix is what lies beside the package.
func TestSchemaPermissions(t *testing.T) {
	t.Parallel()
	for mode, file := range map[string]string{"create": "nats-create.conf", "check": "nats-check.conf"} {
		want, err := os.ReadFile(filepath.Join("..", "..", "events", "bus", "permissions", file))
		if err != nil {
			t.Fatal(err)
		}
		if printed(t, map[string]string{"WX_STREAMS": mode}, "schema", "permissions") != string(want) {
			t.Errorf("WX_STREAMS=%s does not print %s", mode, file)
		}
	}
	if other := printed(t, map[string]string{"WX_PREFIX": "wx.shop"}, "schema", "permissions"); !strings.Contains(other, `"wx.shop.mark.*"`) || strings.Contains(other, `"wx.mark.*"`) {
		t.Error("another prefix does not have its own subjects")
	}
}

// The nats command takes the settings of each stream as they are printed.
func TestSchemaStreamsForNATS(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("nats"); err != nil {
		unavailable(t, "no `nats` command on this machine (.ci/run builds it from its Go module)")
	}
	nats := bustest.Start(t)
	var streams []jetstream.StreamConfig
	if err := json.Unmarshal([]byte(printed(t, nil, "schema", "streams")), &streams); err != nil {
		t.Fatal(err)
	}
	for _, c := range streams {
		name := c.Name
		file := filepath.Join(t.TempDir(), name+".json")
		if err := os.WriteFile(file, []byte(printed(t, nil, "schema", "streams", name)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "nats", "--server", nats.URL(), "stream", "add", "--config", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
			continue
		}
		if _, err := nats.JetStream().Stream(t.Context(), name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
