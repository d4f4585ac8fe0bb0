package runner

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
)

// untimed is a format for tests: one level without a time.
type untimed struct{}

func (untimed) Decode([]byte, feeds.Meta) (feeds.Batch, error) {
	return feeds.Batch{Observations: []feeds.Observation{{Thing: "g-1", Property: "water_level", Unit: "m", Value: feeds.Value{Num: 1}}}}, nil
}

// What says no time has no lag, which is not a lag of nothing.
func TestNoTimeIsNoLag(t *testing.T) {
	clock := &hand{t: time.Date(2026, 11, 27, 1, 0, 0, 0, time.UTC)}
	r, err := New([]FeedConfig{entry("awlr", nil)}, &store{}, Options{Now: clock.now, Formats: func(string, map[string]any) (feeds.Format, error) { return untimed{}, nil }})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.Deliver(t.Context(), "awlr", []byte("1"), feeds.Meta{}); err != nil {
		t.Fatal(err)
	}
	s := r.Status()[0]
	text, err := json.Marshal(s)
	if err != nil || s.ItemsPerMinute != 1 || s.LagMS != nil || !strings.Contains(string(text), `"lag_ms":null`) {
		t.Errorf("%v %s", err, text)
	}
}
