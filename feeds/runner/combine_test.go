package runner

import (
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

func TestCombine(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ago := func(d time.Duration) moment.Time { return moment.Of(now.Add(-d)) }
	ok := func(success time.Duration, perMinute float64) Said {
		return Said{feeds.FeedStatus{State: feeds.FeedOK, LastSuccess: ago(success), ItemsPerMinute: perMinute, IntervalS: 10}, true}
	}
	bad := func(fault time.Duration) Said {
		return Said{feeds.FeedStatus{State: feeds.FeedFailing, Reason: "format: no JSON", LastError: "format: no JSON", LastErrorAt: ago(fault), Rejects: 2}, true}
	}
	waiting := Said{feeds.FeedStatus{State: feeds.FeedOK, Reason: "waiting: nothing received yet"}, true}
	dead := ok(2*time.Second, 30)
	dead.Live = false
	for _, c := range []struct {
		name      string
		all       []Said
		state     feeds.FeedState
		reason    string
		perMinute float64
		rejects   int64
	}{
		{"one hears, one does not", []Said{waiting, ok(time.Second, 6)}, feeds.FeedOK, "", 6, 0},
		{"both hear", []Said{ok(3*time.Second, 6), ok(time.Second, 5)}, feeds.FeedOK, "", 11, 0},
		{"one is sent rubbish now", []Said{ok(time.Second, 6), bad(5 * time.Second)}, feeds.FeedFailing, "format: no JSON", 6, 2},
		{"the rubbish is long ago", []Said{ok(time.Second, 6), bad(time.Minute)}, feeds.FeedOK, "", 6, 2},
		{"the one that heard is gone, just now", []Said{waiting, dead}, feeds.FeedOK, "", 0, 0},
		{"and nothing comes since", []Said{waiting, {feeds.FeedStatus{State: feeds.FeedOK, LastSuccess: ago(time.Minute), IntervalS: 10}, false}}, feeds.FeedFailing, "silence", 0, 0},
		{"silent on both", []Said{ok(16*time.Second, 1), ok(17*time.Second, 1)}, feeds.FeedFailing, "silence", 2, 0},
		{"nobody", nil, feeds.FeedOff, "off", 0, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := Combine(c.all, 0, now)
			if got.State != c.state || !strings.HasPrefix(got.Reason, c.reason) || c.reason == "" && got.Reason != "" || got.ItemsPerMinute != c.perMinute || got.Rejects != c.rejects {
				t.Errorf("%+v", got)
			}
		})
	}
	if got := Combine([]Said{ok(3*time.Second, 6), ok(time.Second, 5)}, 10*time.Second, now); got.IntervalS != 10 {
		t.Errorf("declared every 10 s: %v", got.IntervalS)
	}
	if got := Combine([]Said{ok(3*time.Second, 6), ok(time.Second, 5)}, 0, now); got.IntervalS != 5 || !got.LastSuccess.Equal(now.Add(-time.Second)) {
		t.Errorf("two that take turns: every %v s, newest %v", got.IntervalS, got.LastSuccess)
	}
}
