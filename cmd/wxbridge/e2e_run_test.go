package main_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// health is what /readyz says.
type health struct {
	Ready    bool     `json:"ready"`
	Reasons  []string `json:"reasons"`
	Troubles []string `json:"troubles"`
}

// Everything is in one process, behind a load balancer that looks at /readyz. The
// dead letters are full when a stranger's reply should go there, and WeChat refuses
// the account's address: both are told at once, in /readyz and as a metric and a
// line of the log, and the callbacks stay in service, with their answers.
func TestTroubleOfCommandsLeavesCallbacksInService(t *testing.T) {
	t.Parallel()
	address := func() string { return "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)) }
	callback, admin, sim, bus := address(), address(), address(), address()
	start(t, with(good(), "WX_SIM_LISTEN", sim, "WX_SIM_CALLBACK", "http://"+callback+"/wx"), nil, "sim").says(t, "WeChat is pretended at")
	p := start(t, with(good(), "WX_LISTEN", callback, "WX_ADMIN_LISTEN", admin, "WX_NATS_LISTEN", bus, "WX_DATA_DIR", t.TempDir(),
		"WX_API_URL", "http://"+sim), nil, "run")
	ready(t, admin)
	nc, err := nats.Connect("nats://" + bus)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	is := func() (h health) {
		t.Helper()
		status, body, err := get(t, "http://"+admin+"/readyz")
		if err == nil {
			err = json.Unmarshal([]byte(body), &h)
		}
		if err != nil {
			t.Fatal(err)
		}
		if status != http.StatusOK || !h.Ready || len(h.Reasons) != 0 {
			t.Fatalf("callbacks are out of service: %d %s", status, body)
		}
		return h
	}
	tells := func(words string) {
		t.Helper()
		eventually(t, time.Minute, "readyz tells "+words, func() error {
			if !slices.ContainsFunc(is().Troubles, func(s string) bool { return strings.Contains(s, words) }) {
				return errNotYet
			}
			return nil
		})
	}

	stream, err := js.Stream(t.Context(), "WX_DLQ")
	if err != nil {
		t.Fatal(err)
	}
	full := stream.CachedInfo().Config
	full.MaxBytes = 1
	if _, err := js.UpdateStream(t.Context(), full); err != nil {
		t.Fatal(err)
	}
	if _, err := js.Publish(t.Context(), "wx.reply.nobodys", []byte("hello")); err != nil {
		t.Fatal(err)
	}
	tells("maximum bytes exceeded")
	p.says(t, "late replies wait for the bus")

	post(t, "http://"+sim+"/_sim/faults", `{"verb":"get_access_token","times":-1,"errcode":40164,"errmsg":"invalid ip 1.2.3.4, not in whitelist"}`)
	if _, err := js.Publish(t.Context(), "wx.cmd.get_groups", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	tells("1.2.3.4")
	p.says(t, "commands wait")

	_, metrics, err := get(t, "http://"+admin+"/metrics")
	if err != nil || !strings.Contains(metrics, "\nwxbridge_ready 1\n") || !strings.Contains(metrics, "\nwxbridge_troubles 2\n") {
		t.Errorf("%v, metrics %s", err, metrics)
	}
	if _, err := nc.Subscribe("wx.inbound.text", func(m *nats.Msg) { _ = m.Respond([]byte("hello")) }); err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if answer := post(t, "http://"+sim+"/_sim/followers/oAlice/push", `{"MsgType":"text","Content":"hi"}`); !strings.Contains(answer, `"Content":"hello"`) {
		t.Errorf("the follower got %s", answer)
	}
	is()
}

// post asks the simulator for something.
func post(t testing.TB, url, body string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode >= http.StatusBadRequest {
		t.Fatalf("%s: %s %v", response.Status, answer, err)
	}
	return string(answer)
}
