package runner

import (
	"github.com/prometheus/client_golang/prometheus"

	"kentongan/feeds"
)

// metrics of the feeds; nil is quiet.
type metrics struct {
	deliveries *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	records    *prometheus.CounterVec
	state      *prometheus.GaugeVec
}

func newMetrics(reg prometheus.Registerer) *metrics {
	if reg == nil {
		return nil
	}
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: "kentongan", Subsystem: "feed", Name: name, Help: help}, labels)
	}
	m := &metrics{
		deliveries: counter("deliveries_total", "Deliveries by what became of them.", "feed", "result"),
		bytes:      counter("bytes_total", "Bytes of deliveries that were stored.", "feed"),
		records:    counter("items_total", "Items of deliveries by what became of them.", "feed", "result"),
		state: prometheus.NewGaugeVec(prometheus.GaugeOpts{Namespace: "kentongan", Subsystem: "feed", Name: "state",
			Help: "1 for the state a feed is in."}, []string{"feed", "state"}),
	}
	reg.MustRegister(m.deliveries, m.bytes, m.records, m.state)
	return m
}

func (m *metrics) delivered(feed, result string, bytes int) {
	if m == nil {
		return
	}
	m.deliveries.WithLabelValues(feed, result).Inc()
	m.bytes.WithLabelValues(feed).Add(float64(bytes))
}

func (m *metrics) items(feed string, r feeds.Receipt) {
	if m == nil {
		return
	}
	m.records.WithLabelValues(feed, "accepted").Add(float64(r.Accepted))
	m.records.WithLabelValues(feed, "duplicate").Add(float64(r.Duplicates))
	m.records.WithLabelValues(feed, "ignored").Add(float64(len(r.Ignored)))
	m.records.WithLabelValues(feed, "rejected").Add(float64(len(r.Rejected)))
}

func (m *metrics) changed(feed string, state feeds.FeedState) {
	if m == nil {
		return
	}
	for _, s := range []feeds.FeedState{feeds.FeedOK, feeds.FeedLate, feeds.FeedFailing, feeds.FeedOff} {
		v := 0.0
		if s == state {
			v = 1
		}
		m.state.WithLabelValues(feed, string(s)).Set(v)
	}
}

// forget drops what was counted of a feed that is there no longer.
func (m *metrics) forget(feed string) {
	if m == nil {
		return
	}
	of := prometheus.Labels{"feed": feed}
	for _, v := range []interface{ DeletePartialMatch(prometheus.Labels) int }{m.deliveries, m.bytes, m.records, m.state} {
		v.DeletePartialMatch(of)
	}
}
