package ingest

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/feeds"
)

// metrics of the pipeline; without a registerer they count for nobody.
type metrics struct {
	items      *prometheus.CounterVec
	failures   prometheus.Counter
	commit     prometheus.Histogram
	wait       prometheus.Histogram
	batch      prometheus.Histogram
	decisions  *prometheus.CounterVec
	retries    prometheus.Counter
	repairs    prometheus.Counter
	unreadable prometheus.Counter
	takeover   prometheus.Gauge

	checkpoint prometheus.Histogram
}

func newMetrics(reg prometheus.Registerer) *metrics {
	seconds := prometheus.ExponentialBuckets(0.0005, 2, 14)
	m := &metrics{
		items:     prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kentongan_ingest_items_total", Help: "Items of deliveries by what became of them."}, []string{"outcome"}),
		failures:  prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_ingest_commit_failures_total", Help: "Commits that failed; their senders were told to come again."}),
		commit:    prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kentongan_ingest_commit_seconds", Help: "Time of one commit.", Buckets: seconds}),
		wait:      prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kentongan_ingest_store_seconds", Help: "Time from a delivery's arrival to its answer.", Buckets: seconds}),
		batch:     prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kentongan_ingest_batch_readings", Help: "Readings in one commit.", Buckets: prometheus.ExponentialBuckets(1, 4, 9)}),
		decisions: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kentongan_rule_decisions_total", Help: "Decisions of rules by kind."}, []string{"kind"}),
		retries:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_rule_decision_retries_total", Help: "Decisions that the store did not take at once."}),
		repairs:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_ingest_repairs_total", Help: "Last states written again because two servers had changed them at once."}),
	}
	m.unreadable = prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_ingest_unreadable_readings_total", Help: "Readings, and entries of the streams, that could not be read and were passed over."})
	m.takeover = prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_rule_takeover_seconds", Help: "How long this server took, when it last began to judge by the rules, until it had judged what was left."})
	m.checkpoint = prometheus.NewHistogram(prometheus.HistogramOpts{Name: "kentongan_rule_checkpoint_seconds", Help: "Time to write where the rules stand.", Buckets: seconds})
	if reg != nil {
		reg.MustRegister(m.items, m.failures, m.commit, m.wait, m.batch, m.decisions, m.retries, m.repairs, m.unreadable, m.takeover, m.checkpoint)
	}
	return m
}

func (m *metrics) receipt(r feeds.Receipt) {
	if r.DryRun {
		return
	}
	m.items.WithLabelValues("accepted").Add(float64(r.Accepted))
	m.items.WithLabelValues("duplicate").Add(float64(r.Duplicates))
	m.items.WithLabelValues("ignored").Add(float64(len(r.Ignored)))
	m.items.WithLabelValues("rejected").Add(float64(len(r.Rejected)))
}

func (m *metrics) failed()                   { m.failures.Inc() }
func (m *metrics) committed(d time.Duration) { m.commit.Observe(d.Seconds()) }
func (m *metrics) waited(d time.Duration)    { m.wait.Observe(d.Seconds()) }

func (m *metrics) size(taken []*submission) {
	n := 0
	for _, s := range taken {
		n += len(s.observations)
	}
	m.batch.Observe(float64(n))
}
