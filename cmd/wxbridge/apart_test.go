package main_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/events/bus/bustest"
)

// apart is the bridge as it is run in earnest: ingress and egress as processes
// of their own, NATS in a container, and WeChat as a third process.
type apart struct {
	nats *natsContainer
	nc   *nats.Conn
	js   jetstream.JetStream

	sim                         string // URL of the pretend WeChat
	ingressAdmin, egressAdmin   string
	ingressVars, egressVars     map[string]string
	simProcess, ingress, egress *process
}

func startApart(t *testing.T) *apart {
	t.Helper()
	a := &apart{nats: startNATS(t)}
	address := func() string { return "127.0.0.1:" + strconv.Itoa(bustest.FreePort(t)) }
	callback, simAddress := address(), address()
	a.sim, a.ingressAdmin, a.egressAdmin = "http://"+simAddress, address(), address()

	a.simProcess = start(t, with(good(), "WX_SIM_LISTEN", simAddress, "WX_SIM_CALLBACK", "http://"+callback+"/wx"), nil, "sim")
	a.simProcess.says(t, "WeChat is pretended at")
	a.ingressVars = with(good(), "WX_NATS_URL", a.nats.URL, "WX_LISTEN", callback, "WX_ADMIN_LISTEN", a.ingressAdmin)
	a.egressVars = with(good(), "WX_NATS_URL", a.nats.URL, "WX_API_URL", a.sim, "WX_ADMIN_LISTEN", a.egressAdmin)
	a.startIngress(t)
	a.startEgress(t)
	ready(t, a.ingressAdmin)
	ready(t, a.egressAdmin)

	var err error
	if a.nc, err = nats.Connect(a.nats.URL, nats.MaxReconnects(-1), nats.ReconnectWait(50*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(a.nc.Close)
	if a.js, err = jetstream.New(a.nc); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *apart) startIngress(t *testing.T) {
	t.Helper()
	a.ingress = start(t, a.ingressVars, nil, "ingress")
}

func (a *apart) startEgress(t *testing.T) {
	t.Helper()
	a.egress = start(t, a.egressVars, nil, "egress")
}

// delivery is what the simulator says of a push.
type delivery struct {
	Tries []struct {
		Status int     `json:"status"`
		MS     float64 `json:"ms"`
		Body   string  `json:"body"`
		Error  string  `json:"error"`
	} `json:"tries"`
	Reply json.RawMessage `json:"reply"`
	Fault bool            `json:"fault"`
}

// says lets a follower write; the delivery comes when WeChat has done its tries.
func (a *apart) says(t *testing.T, openID, text string) <-chan delivery {
	t.Helper()
	return a.pushes(t, openID, map[string]string{"MsgType": "text", "Content": text})
}

// pushes is says for any message.
func (a *apart) pushes(t *testing.T, openID string, data map[string]string) <-chan delivery {
	t.Helper()
	came := make(chan delivery, 1)
	ctx := t.Context()
	go func() {
		var d delivery
		defer func() { came <- d }()
		body, _ := json.Marshal(data)
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, a.sim+"/_sim/followers/"+openID+"/push", bytes.NewReader(body))
		if err != nil {
			return
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return
		}
		defer response.Body.Close()
		if response.StatusCode != http.StatusOK {
			t.Errorf("the simulator answers a push with %s", response.Status)
		}
		_ = json.NewDecoder(response.Body).Decode(&d)
	}()
	return came
}

func await(t *testing.T, came <-chan delivery) delivery {
	t.Helper()
	select {
	case d := <-came:
		return d
	case <-time.After(time.Minute):
		t.Fatal("the push has not ended")
	}
	return delivery{}
}

// stored waits for the n-th message of a stream.
func (a *apart) stored(t *testing.T, stream string, n uint64) events.Message {
	t.Helper()
	var m events.Message
	eventually(t, 30*time.Second, fmt.Sprintf("message %d of %s", n, stream), func() error {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		defer cancel()
		s, err := a.js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		raw, err := s.GetMsg(ctx, n)
		if err != nil {
			return err
		}
		m = events.Message{Subject: raw.Subject, Header: events.Header(raw.Header), Body: raw.Data, Sequence: raw.Sequence, Time: raw.Time}
		return nil
	})
	return m
}

// count is how many messages a stream holds.
func (a *apart) count(t *testing.T, stream string) uint64 {
	t.Helper()
	s, err := a.js.Stream(t.Context(), stream)
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}

// inbound is the n-th event of WX_INBOUND.
func (a *apart) inbound(t *testing.T, n uint64) events.InboundEvent {
	t.Helper()
	in, err := events.ParseInbound("wx", a.stored(t, "WX_INBOUND", n))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// hears checks what the follower got.
func (d delivery) hears(t *testing.T, text string) {
	t.Helper()
	var reply struct{ Content string }
	if err := json.Unmarshal(d.Reply, &reply); err != nil || reply.Content != text || d.Fault {
		t.Fatalf("the follower got %s, fault %t, tries %+v; want %q", d.Reply, d.Fault, d.Tries, text)
	}
}
