package main

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/wxbridge/wxbridge/egress"
	"github.com/wxbridge/wxbridge/events"
	"github.com/wxbridge/wxbridge/ingress"
	"github.com/wxbridge/wxbridge/wxapi"
)

// metrics counts what ingress and egress tell. Labels come from tables and from
// authentic events only, so that a stranger cannot make new series.
type metrics struct {
	refused  *prometheus.CounterVec
	stored   *prometheus.CounterVec
	storing  prometheus.Histogram
	answered *prometheus.CounterVec
	holding  prometheus.Histogram
	shed     *prometheus.CounterVec
	sent     *prometheus.CounterVec
	results  *prometheus.CounterVec
	settled  *prometheus.CounterVec
	letters  *prometheus.CounterVec
}

func newMetrics(registry *prometheus.Registry, ready *readiness) *metrics {
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "wxbridge", Name: name, Help: help}, labels)
	}
	seconds := func(name, help string, buckets ...float64) prometheus.Histogram {
		return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: "wxbridge", Name: name, Help: help, Buckets: buckets})
	}
	m := &metrics{
		refused:  counter("callbacks_refused_total", "Requests to the callback listener that were not taken.", "status", "reason"),
		stored:   counter("inbound_stored_total", "Inbound events acked by the stream.", "kind", "duplicate"),
		storing:  seconds("inbound_store_seconds", "Time until the stream acked an inbound event.", .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 1.5),
		answered: counter("holds_answered_total", "Held tries by the outcome they were answered with; none: answered success without an outcome.", "kind", "outcome"),
		holding:  seconds("hold_seconds", "Time from the arrival of a held try to its answer.", .005, .01, .025, .05, .1, .25, .5, 1, 2, 3, 4, 4.5, 4.8),
		shed:     counter("holds_shed_total", "Callbacks that were stored and not held, because WX_MAX_HOLDS or WX_MAX_HELD_BYTES was reached.", "kind"),
		sent:     counter("commands_sent_total", "Attempts to send a command to WeChat.", "verb"),
		results:  counter("command_results_total", "Terminal results of commands and calls.", "verb", "outcome", "errcode", "call"),
		settled:  counter("events_settled_total", "Inbound events that the late worker settled, by outcome: late replies and holds without a holder.", "kind", "outcome"),
		letters:  counter("reply_letters_total", "Replies that counted for nothing and that the late worker kept as dead letters.", "class"),
	}
	registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "wxbridge", Name: "ready", Help: "1 when /readyz says so."}, func() float64 {
			if reasons, _ := ready.state(); len(reasons) > 0 {
				return 0
			}
			return 1
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "wxbridge", Name: "troubles", Help: "How many reasons and troubles /readyz tells; 0 when all is well."}, func() float64 {
			reasons, troubles := ready.state()
			return float64(len(reasons) + len(troubles))
		}),
		m.refused, m.stored, m.storing, m.answered, m.holding, m.shed, m.sent, m.results, m.settled, m.letters,
	)
	return m
}

func (m *metrics) Refused(status int, reason string) {
	m.refused.WithLabelValues(strconv.Itoa(status), reason).Inc()
}

func (m *metrics) Stored(s ingress.Stored) {
	m.stored.WithLabelValues(s.Kind, strconv.FormatBool(s.Duplicate)).Inc()
	m.storing.Observe(s.Took.Seconds())
}

func (m *metrics) Answered(a ingress.Answered) {
	outcome := a.Outcome
	if outcome == "" {
		outcome = "none"
	}
	m.answered.WithLabelValues(a.Kind, outcome).Inc()
	m.holding.Observe(a.Took.Seconds())
}

func (m *metrics) Shed(kind string) { m.shed.WithLabelValues(kind).Inc() }

// watchHolds adds what an ingress holds now.
func watchHolds(registry *prometheus.Registry, held func() (holds int, bytes int64)) {
	registry.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "wxbridge", Name: "holds", Help: "Callbacks held now."}, func() float64 {
			holds, _ := held()
			return float64(holds)
		}),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "wxbridge", Name: "held_bytes", Help: "Bytes of the bodies of the callbacks held now."}, func() float64 {
			_, bytes := held()
			return float64(bytes)
		}),
	)
}

func (m *metrics) Taken(t egress.Taken) { m.sent.WithLabelValues(t.Verb).Inc() }

func (m *metrics) Finished(f egress.Finished) {
	m.results.WithLabelValues(knownVerb(f.Verb), f.Result.Outcome, strconv.Itoa(f.Result.ErrCode), strconv.FormatBool(f.Call)).Inc()
}

// knownVerb is a verb that the bridge has; the subjects of commands are anybody's.
func knownVerb(verb string) string {
	_, known := wxapi.Lookup(verb)
	for _, own := range events.OwnCalls() {
		known = known || own.Name == verb
	}
	if !known {
		return "unknown"
	}
	return verb
}

func (m *metrics) Settled(s egress.Settled) {
	if s.Outcome != "" {
		m.settled.WithLabelValues(s.Kind, s.Outcome).Inc()
	}
	if s.Class != "" {
		m.letters.WithLabelValues(s.Class).Inc()
	}
}
