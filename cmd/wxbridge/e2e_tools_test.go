package main_test

import (
	"encoding/json"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/wxbridge/wxbridge/events/bus/permissions"
)

// tool runs a tool to its end and compares its exit code; it returns what was printed.
func (g *guarded) tool(t *testing.T, user string, code int, args ...string) string {
	t.Helper()
	p := start(t, with(g.as(user), "WX_SIM_LISTEN", strings.TrimPrefix(g.sim, "http://")), nil, args...)
	if got := p.code(t); got != code {
		t.Fatalf("wxbridge %s: exit %d, want %d:\n%s", p.name, got, code, p.out.String())
	}
	return p.out.String()
}

func contains(t *testing.T, what, printed string, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(printed, w) {
			t.Errorf("%s: %q is missing in\n%s", what, w, printed)
		}
	}
}

func containsNot(t *testing.T, what, printed string, words ...string) {
	t.Helper()
	for _, w := range words {
		if strings.Contains(printed, w) {
			t.Errorf("%s: %q stands in\n%s", what, w, printed)
		}
	}
}

// A day of an operator, with the rights of the operator, and of a service where
// those are enough: a message that WeChat refuses is found, looked at and sent
// again once it can be; a follower is answered by hand.
func TestTools(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, permissions.Conf("wx", true), "create")
	g.ingressVars = with(g.ingressVars, "WX_HOLD_TRIES", "3") // a tool may take its time to start
	g.startIngress(t)
	g.startEgress(t)
	ready(t, g.ingressAdmin)
	ready(t, g.egressAdmin)
	vars := g.as("operator")
	following := start(t, vars, nil, "tail")
	following.says(t, "# following")
	whole := start(t, vars, nil, "tail", "--json", "dlq")
	whole.says(t, "# following")

	// She has not written, so WeChat refuses.
	message := `{"touser":"oAlice","msgtype":"text","text":{"content":"geheim"}}`
	printed := g.tool(t, "operator", 1, "send", "send_custom_message", message, "--id", "order-42")
	contains(t, "send", printed, `"outcome": "rejected"`, "40003")
	contains(t, "send again", g.tool(t, "operator", 1, "send", "--id=order-42", "send_custom_message", message), "40003")

	for _, user := range []string{"operator", "application"} {
		printed = g.tool(t, user, 0, "dlq", "list")
		contains(t, "list", printed, "NUMBER", "send_custom_message", "permanent", "rejected", "invalid openid")
		containsNot(t, "list", printed, "oAlice", "geheim")
		if n := strings.Count(printed, "\n"); n != 2 {
			t.Errorf("%d lines:\n%s", n, printed)
		}
		containsNot(t, "list of others", g.tool(t, user, 0, "dlq", "list", "--class", "quota"), "send_custom_message")
		containsNot(t, "list since", g.tool(t, user, 0, "dlq", "list", "--since", "0s"), "send_custom_message")
		contains(t, "show", g.tool(t, user, 0, "dlq", "show", "1"), "oAlice", `"content": "geheim"`, "order-42", "wx.cmd.send_custom_message", "rejected")
	}
	var row struct {
		Sequence uint64 `json:"sequence"`
		Command  string `json:"command"`
	}
	printed = g.tool(t, "operator", 0, "dlq", "list", "--json", "--limit", "1", "--name", "send_custom_message", "--since", "1h")
	if err := json.Unmarshal([]byte(printed), &row); err != nil || row.Sequence != 1 || row.Command != "order-42" {
		t.Errorf("%s %v", printed, err)
	}

	// She writes, and is answered by hand.
	pushing := start(t, with(vars, "WX_SIM_LISTEN", strings.TrimPrefix(g.sim, "http://")), nil, "trigger", "--openid", "oAlice", "在吗")
	g.stored(t, "WX_INBOUND", 1)
	contains(t, "reply", g.tool(t, "operator", 0, "reply", "last", "ja"), "the newest is", "stored as message", "outcome", "replied")
	if code := pushing.code(t); code != 0 {
		t.Errorf("trigger: exit %d", code)
	}
	contains(t, "trigger", pushing.out.String(), "try 1  ", "  200  ", `the follower sees`, `"Content":"ja"`)

	// Now she may be written to.
	contains(t, "dry run", g.tool(t, "operator", 0, "dlq", "redrive", "--all", "--dry-run"), "order-42~1", "1 would be")
	contains(t, "redrive", g.tool(t, "operator", 0, "dlq", "redrive", "1"), "order-42~1", "1 redriven")
	contains(t, "redrive again", g.tool(t, "operator", 0, "dlq", "redrive", "--class", "permanent", "--rate", "100"), "already", "1 already")
	following.says(t, "order-42~1  done")
	if _, inbox, err := get(t, g.sim+"/_sim/followers/oAlice/inbox"); err != nil || strings.Count(inbox, `"text":"geheim"`) != 1 {
		t.Errorf("inbox %s, %v", inbox, err)
	}
	containsNot(t, "list of open ones", g.tool(t, "operator", 0, "dlq", "list", "--open"), "send_custom_message")
	contains(t, "list", g.tool(t, "operator", 0, "dlq", "list"), "order-42~1")
	contains(t, "show", g.tool(t, "operator", 0, "dlq", "show", "1"), "order-42~1: done")

	contains(t, "call", g.tool(t, "operator", 0, "send", "--call", "get_user_info", `{"openid":"oAlice"}`), `"outcome": "done"`)
	following.says(t, "outcome  text")
	following.says(t, "inbound  text")
	following.says(t, "dlq      send_custom_message")
	containsNot(t, "tail", following.out.String(), "oAlice", "geheim", "在吗")
	whole.says(t, "oAlice")
	for _, p := range []*process{following, whole} {
		p.interrupt(t)
		if code := p.code(t); code != 0 {
			t.Errorf("tail ends with %d", code)
		}
	}
	for _, p := range []*process{g.ingress, g.egress} {
		containsNot(t, p.name, strings.ToLower(p.out.String()), "permissions violation")
	}
}

// What a tool cannot mean is told before anything is done, with exit 78; what is
// not there with exit 1.
func TestToolsRefuse(t *testing.T) {
	t.Parallel()
	nowhere := with(good(), "WX_NATS_URL", "nats://127.0.0.1:1", "WX_SIM_LISTEN", "127.0.0.1:1")
	for _, c := range []struct {
		args string
		code int
		says string
		vars map[string]string
	}{
		{"dlq", 78, "dlq redrive", nil},
		{"dlq lisst", 78, "dlq redrive", nil},
		{"dlq list x", 78, "flags alone", nil},
		{"dlq list --since yesterday", 78, "24h", nil},
		{"dlq show", 78, "number of one letter", nil},
		{"dlq show x", 78, `"x" is not the number`, nil},
		{"dlq redrive", 78, "say which letters", nil},
		{"dlq redrive 1 --all", 78, "say which letters", nil},
		{"dlq redrive --all --rate 0", 78, "--rate 0", nil},
		{"dlq redrive --all --limit -1", 78, "--limit -1", nil},
		{"dlq redrive --help", 0, "dry-run", nil},
		{"dlq list", 1, "NATS does not let us in", nil},
		{"tail reply", 78, "inbound, outcome, result and dlq", nil},
		{"tail -h", 0, "json", nil},
		{"send", 78, "say what", nil},
		{"send get_grups {}", 78, "get_groups", nil},
		{"send get_groups []", 78, "JSON object", nil},
		{"send get_groups {} --wait 0", 78, "--wait", nil},
		{"send get_oauth_access_token {}", 78, "--call", nil},
		{"send get_groups", 1, "NATS does not let us in", nil},
		{"reply last", 78, "say what", nil},
		{"reply last {}", 78, "msgtype", nil},
		{"reply last hi", 1, "NATS does not let us in", nil},
		{"trigger", 78, "say what", nil},
		{"trigger {", 78, "no JSON", nil},
		{"trigger hi", 1, "no simulator answers", nil},
		{"dlq list", 78, "WX_PREFIX", map[string]string{"WX_PREFIX": "Wx"}},
		{"dlq list", 78, "WX_NATS_NKEY", map[string]string{"WX_NATS_NKEY": "/does/not/exist"}},
	} {
		vars := maps.Clone(nowhere)
		maps.Copy(vars, c.vars)
		p := start(t, vars, nil, strings.Fields(c.args)...)
		if code := p.code(t); code != c.code || !strings.Contains(p.out.String(), c.says) {
			t.Errorf("%s: exit %d, want %d and %q:\n%s", c.args, code, c.code, c.says, p.out.String())
		}
	}
}

// Without streams, without egress and without letters tools say so.
func TestToolsInAnEmptyHouse(t *testing.T) {
	t.Parallel()
	g := startGuarded(t, permissions.Conf("wx", true), "create")
	contains(t, "list", g.tool(t, "operator", 1, "dlq", "list"), "there is no stream WX_DLQ")
	g.makeStreams(t)
	contains(t, "list", g.tool(t, "operator", 0, "dlq", "list"), "NUMBER")
	contains(t, "show", g.tool(t, "operator", 1, "dlq", "show", "7"), "no letter 7")
	contains(t, "redrive", g.tool(t, "operator", 1, "dlq", "redrive", "--all"), "no egress answers")
	contains(t, "reply", g.tool(t, "operator", 1, "reply", "last", "hi"), "nobody has written")
	contains(t, "call", g.tool(t, "operator", 1, "send", "--call", "get_groups"), "no egress answers")
	printed := g.tool(t, "operator", 1, "send", "get_groups", "--id", "slow", "--wait", "300ms")
	contains(t, "send", printed, "--id slow", "goes on")
	// A stranger's message among the letters is shown, and is no letter.
	if _, err := g.js.PublishMsg(t.Context(), &nats.Msg{Subject: "wx.dlq.x", Data: []byte("\xff what is this"), Header: nats.Header{"X": {"y"}}}); err != nil {
		t.Fatal(err)
	}
	contains(t, "list", g.tool(t, "operator", 0, "dlq", "list"), "no letter", time.Now().Format("2006"))
	g.tool(t, "operator", 0, "dlq", "show", "1")
}
