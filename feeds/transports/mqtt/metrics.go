package mqtt

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/feeds"
)

// metrics of the broker. All counters are quiet without a registerer.
type metrics struct {
	messages *prometheus.CounterVec
	away     prometheus.Counter
}

func newMetrics(reg prometheus.Registerer, b *Broker) *metrics {
	m := &metrics{
		messages: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "kentongan_mqtt_messages_total", Help: "Messages published to the broker, by what became of them."}, []string{"outcome"}),
		away:     prometheus.NewCounter(prometheus.CounterOpts{Name: "kentongan_mqtt_refused_clients_total", Help: "Clients whose CONNECT was refused."}),
	}
	if reg != nil {
		clients := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "kentongan_mqtt_sessions", Help: "Sessions at the broker, connected or kept."}, func() float64 {
			b.mu.Lock()
			defer b.mu.Unlock()
			return float64(len(b.sessions))
		})
		reg.MustRegister(m.messages, m.away, clients)
	}
	return m
}

func (m *metrics) outcome(err error) {
	word := "stored"
	switch {
	case errors.Is(err, feeds.ErrPermanent):
		word = "refused"
	case err != nil:
		word = "unstored"
	}
	m.messages.WithLabelValues(word).Inc()
}

func (m *metrics) refused()    { m.messages.WithLabelValues("refused").Inc() }
func (m *metrics) turnedAway() { m.away.Inc() }
