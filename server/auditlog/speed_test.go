package auditlog

import (
	"context"
	"regexp"
	"strconv"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// BenchmarkActs lets 128 desks act at once on a store that syncs each write, while the log is sealed and held against the store: the time of
// one act, and of the processor in both processes. Kind rename edits an incident, kind view shows a reporter (a record without a document).
func BenchmarkActs(b *testing.B) {
	for _, kind := range []string{"rename", "view"} {
		b.Run(kind, func(b *testing.B) {
			h := benchHouse(b)
			ctx, stop := context.WithCancel(context.Background())
			ended := make(chan struct{})
			go func() { defer close(ended); h.log.Run(ctx, h.cases) }()
			var failed, turn atomic.Int64
			ids := h.acts(256)
			b.SetParallelism(64)
			mine, theirs := spent(b, h)
			b.ResetTimer()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					var err error
					if n := turn.Add(1); kind == "rename" {
						_, err = h.cases.Edit(ctx, ids[n%256], "incident.edited", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, _ time.Time) (incident.Incident, error) {
							next := in.Clone()
							next.Title = "banjir " + strconv.FormatInt(n, 10)
							return next, nil
						})
					} else {
						err = h.cases.Record(ctx, audit.Record{Actor: "user:anna", Agency: "bpbd", Action: "reporter.revealed", Object: "report:desk:1", Reason: "menelepon kembali"})
					}
					if err != nil {
						failed.Add(1)
					}
				}
			})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "acts/s")
			mine1, theirs1 := spent(b, h)
			b.ReportMetric(float64((mine1-mine).Microseconds())/float64(b.N), "go-cpu-us/act")
			b.ReportMetric(float64((theirs1-theirs).Microseconds())/float64(b.N), "redis-cpu-us/act")
			if spent := regexp.MustCompile(`cmdstat_evalsha:.*usec_per_call=([0-9.]+)`).FindStringSubmatch(h.rdb.Info(ctx, "commandstats").Val()); spent != nil {
				micros, _ := strconv.ParseFloat(spent[1], 64)
				b.ReportMetric(micros, "redis-us/step")
			}
			if n := failed.Load(); n > 0 {
				b.Errorf("%d acts failed", n)
			}
			end := time.Now().Add(20 * time.Second)
			for {
				length, err := h.cases.LogLength(ctx)
				_, c, bad := h.log.Checkpoint(ctx)
				if err == nil && bad == nil && c.Size == length {
					break
				}
				if time.Now().After(end) {
					b.Fatalf("%d of %d records are sealed, %v %v", c.Size, length, err, bad)
				}
				time.Sleep(50 * time.Millisecond)
			}
			stop()
			<-ended
		})
	}
}

// spent is the processor's time that this process and the store have had.
func spent(b *testing.B, h *house) (mine, theirs time.Duration) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	mine = time.Duration(u.Utime.Nano() + u.Stime.Nano())
	for _, m := range regexp.MustCompile(`used_cpu_(?:user|sys):([0-9.]+)`).FindAllStringSubmatch(h.rdb.Info(b.Context(), "cpu").Val(), -1) {
		seconds, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		theirs += time.Duration(seconds * float64(time.Second))
	}
	return mine, theirs
}

func benchHouse(b *testing.B) *house {
	h := newHouse(b)
	h.deps.Log = zerolog.Nop()
	h.open()
	return h
}
