package store

import (
	"slices"
	"testing"
	"time"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
)

// Whoever takes a call an hour and a half after a gauge has risen is told of its flood as matching would take it: not quiet while the gauge fires,
// and by when it was normal afterwards.
func TestHintsKnowWhatAnInstrumentStillTells(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		if err := s.Fire(t.Context(), firing("awlr:1", center, noon)); err != nil {
			t.Fatal(err)
		}
		hint := func(after time.Duration) fusion.Hint {
			t.Helper()
			when := noon.Add(after)
			list, err := s.Hints(t.Context(), fusion.Draft{Text: "banjir, air masuk rumah", At: &center, When: when, Received: when},
				func(*incident.Incident) bool { return true }, func(*report.Report) bool { return true })
			if err != nil || len(list) != 1 {
				t.Fatalf("%v, %v", list, err)
			}
			return list[0]
		}
		says := func(h fusion.Hint, code string) bool {
			return slices.ContainsFunc(h.Reasons, func(r fusion.Reason) bool { return r.Code == code })
		}
		if h := hint(90 * time.Minute); !says(h, "standing") || h.Weight < fusion.JoinAt {
			t.Errorf("while the gauge fires: %+v", h)
		}
		off := firing("awlr:1", center, noon.Add(2*time.Minute))
		off.Fire = false
		if err := s.Clear(t.Context(), off); err != nil {
			t.Fatal(err)
		}
		if h := hint(90 * time.Minute); says(h, "standing") || !says(h, "late") || h.Weight >= fusion.JoinAt {
			t.Errorf("long after it was normal: %+v", h)
		}
	})
}
