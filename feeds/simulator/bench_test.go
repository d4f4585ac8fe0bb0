package simulator

import (
	"fmt"
	"testing"
	"time"
)

// BenchmarkMinute is a minute of a city's life, told but not delivered: its time over a minute is the share of one core that it takes.
func BenchmarkMinute(b *testing.B) {
	for _, things := range []int{2000, 50_000} {
		b.Run(fmt.Sprint(things), func(b *testing.B) {
			c := city(b, home(), things)
			list, of := rhythmsOf()
			now := midnight.Add(15 * time.Hour).UnixMilli()
			a := c.open(now)
			a.run(c, now+10*minuteMS, &of) // past what everybody says once
			now += 10 * minuteMS
			lines, bytes := 0, 0
			b.ResetTimer()
			for b.Loop() {
				for range 240 {
					now += 250
					a.run(c, now, &of)
					for _, r := range list {
						lines, bytes = lines+r.writer.lines, bytes+len(r.writer.b)
						r.writer = writer{b: r.writer.b[:0]}
					}
				}
			}
			per := float64(b.Elapsed()) / float64(b.N)
			b.ReportMetric(per/float64(time.Minute)*100, "%core")
			b.ReportMetric(float64(lines)/float64(b.N)/60, "readings/s")
			b.ReportMetric(float64(bytes)/float64(b.N)/60, "bytes/s")
		})
	}
}
