package hub

import (
	"math"
	"time"

	"kentongan/feeds"
	"kentongan/server/wire"
)

// latencies counts, over the last minute, how old readings are when a tick sends them. Classes grow by a tenth from 1 ms on.
type latencies struct {
	seconds [60]latencySecond
}

type latencySecond struct {
	at             int64
	event, receipt [classes]uint32
}

const classes = 192 // the last one begins at some 20 hours

func classOf(d time.Duration) int {
	ms := float64(d) / float64(time.Millisecond)
	if ms <= 1 {
		return 0
	}
	return min(classes-1, 1+int(math.Log(ms)/math.Log(1.1)))
}

func (l *latencies) add(now time.Time, t *feeds.Thing) {
	sec := now.Unix()
	s := &l.seconds[sec%60]
	if s.at != sec {
		*s = latencySecond{at: sec}
	}
	if !t.At.IsZero() {
		s.event[classOf(now.Sub(t.At.Time))]++
		s.receipt[classOf(now.Sub(t.ReceivedAt.Time))]++
	}
}

// figures of the last minute, in milliseconds; zero where nothing came.
func (l *latencies) figures(now time.Time) wire.Latency {
	var event, receipt [classes]uint32
	for i := range l.seconds {
		if s := &l.seconds[i]; now.Unix()-s.at < 60 {
			for j := range classes {
				event[j] += s.event[j]
				receipt[j] += s.receipt[j]
			}
		}
	}
	return wire.Latency{EventP50: quantile(&event, .5), EventP99: quantile(&event, .99), ReceiptP50: quantile(&receipt, .5), ReceiptP99: quantile(&receipt, .99)}
}

// quantile gives the upper end of the class that holds it.
func quantile(of *[classes]uint32, q float64) float64 {
	var all, seen uint64
	for _, n := range of {
		all += uint64(n)
	}
	if all == 0 {
		return 0
	}
	want := uint64(math.Ceil(float64(all) * q))
	for i, n := range of {
		if seen += uint64(n); seen >= want {
			return math.Round(math.Pow(1.1, float64(i))*10) / 10
		}
	}
	return 0
}
