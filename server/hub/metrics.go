package hub

import "github.com/prometheus/client_golang/prometheus"

// metrics of the hub; without a registerer they count for nobody.
type metrics struct {
	clients, rows, lagging prometheus.Gauge
	cases, slow            prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		clients: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_clients", Help: "Open live connections."}),
		rows:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_things", Help: "Things that can be seen live."}),
		lagging: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_lagging_clients", Help: "Connections for which changes gather."}),
		cases:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_case_changes_total", Help: "Changes of cases brought to screens."}),
		slow:    prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_slow_closed_total", Help: "Connections closed because they could not keep up."}),
	}
	if reg != nil {
		reg.MustRegister(m.clients, m.rows, m.lagging, m.cases, m.slow)
	}
	return m
}

func (m *metrics) state(clients, rows, lagging int) {
	m.clients.Set(float64(clients))
	m.rows.Set(float64(rows))
	m.lagging.Set(float64(lagging))
}
