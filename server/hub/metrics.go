package hub

import "github.com/prometheus/client_golang/prometheus"

// metrics of the hub; without a registerer they count for nobody.
type metrics struct {
	clients, rows, lagging, scopes, cells prometheus.Gauge
	cases, slow, writes, bytes            prometheus.Counter
}

func newMetrics(reg prometheus.Registerer) *metrics {
	m := &metrics{
		clients: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_clients", Help: "Open live connections."}),
		rows:    prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_things", Help: "Things that can be seen live."}),
		lagging: prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_lagging_clients", Help: "Connections for which changes gather."}),
		scopes:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_scopes", Help: "Views that differ; clients with the same view share its messages."}),
		cells:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "kentongan_live_cells", Help: "Cells kept up to date because somebody watches them."}),
		writes:  prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_writes_total", Help: "Writes to live connections."}),
		bytes:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_written_bytes_total", Help: "Bytes written to live connections."}),
		cases:   prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_case_changes_total", Help: "Changes of cases brought to screens."}),
		slow:    prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_live_slow_closed_total", Help: "Connections closed because they could not keep up."}),
	}
	if reg != nil {
		reg.MustRegister(m.clients, m.rows, m.lagging, m.scopes, m.cells, m.cases, m.slow, m.writes, m.bytes)
	}
	return m
}

func (m *metrics) state(clients, rows, lagging, scopes, cells int) {
	m.clients.Set(float64(clients))
	m.rows.Set(float64(rows))
	m.lagging.Set(float64(lagging))
	m.scopes.Set(float64(scopes))
	m.cells.Set(float64(cells))
}

func (m *metrics) wrote(writes, bytes int) {
	m.writes.Add(float64(writes))
	m.bytes.Add(float64(bytes))
}
