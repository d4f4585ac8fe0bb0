package runner

import (
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Said is what one server says of a feed.
type Said struct {
	feeds.FeedStatus
	Live bool // the server is there and says so still
}

// Aged is a state that was told a while ago, as it is now: silence goes on while nobody speaks of it.
func Aged(s feeds.FeedStatus, now time.Time) feeds.FeedStatus {
	waiting := strings.HasPrefix(s.Reason, "waiting:") // its age is older than its driver
	if s.LastSuccess.IsZero() || waiting || s.State == feeds.FeedOff || s.State == feeds.FeedFailing {
		return s
	}
	if state, reason := silence(s.LastSuccess.Time, time.Duration(s.IntervalS*float64(time.Second)), now); state != feeds.FeedOK {
		s.State, s.Reason = state, reason
	}
	return s
}

// Combine makes one state of a pushed feed from what several servers say of it: each knows only what was sent to itself. The newest
// success speaks, unless another server has had a fault since shortly before it. What the living hear adds up. Declared is the cadence that
// the configuration declares; without one, 0, those that each has learned make one.
func Combine(all []Said, declared time.Duration, now time.Time) feeds.FeedStatus {
	if len(all) == 0 {
		return feeds.FeedStatus{State: feeds.FeedOff, Reason: "off: not started"}
	}
	best := 0
	for i := range all {
		if all[i].LastSuccess.After(all[best].LastSuccess.Time) {
			best = i
		}
	}
	out := all[best].FeedStatus
	out.ItemsPerMinute, out.Rejects, out.RejectsByReason = 0, 0, map[string]int64{}
	rate := 0.0 // deliveries a second, of those that are within their interval
	for _, s := range all {
		out.Rejects += s.Rejects
		out.Quarantined = max(out.Quarantined, s.Quarantined) // each says how much all of them hold
		for code, n := range s.RejectsByReason {
			out.RejectsByReason[code] += n
		}
		if s.LastErrorAt.After(out.LastErrorAt.Time) {
			out.LastError, out.LastErrorAt = s.LastError, s.LastErrorAt
		}
		if !s.Live {
			continue
		}
		out.ItemsPerMinute += s.ItemsPerMinute
		if s.IntervalS > 0 && now.Sub(s.LastSuccess.Time).Seconds() < 3*s.IntervalS {
			rate += 1 / s.IntervalS
		}
	}
	if rate > 0 && declared == 0 {
		out.IntervalS = 1 / rate
	}
	if fault, ok := faulty(all, out.LastSuccess); ok {
		out.State, out.Reason, out.ReasonID = fault.State, fault.Reason, fault.ReasonID
		return out
	}
	return Aged(out, now)
}

// faulty finds the newest fault that a living server has had, unless a success has come well after it.
func faulty(all []Said, success moment.Time) (fault Said, ok bool) {
	for _, s := range all {
		if s.Live && s.State == feeds.FeedFailing && !s.LastErrorAt.IsZero() && s.LastErrorAt.Add(wellFor).After(success.Time) && (!ok || s.LastErrorAt.After(fault.LastErrorAt.Time)) {
			fault, ok = s, true
		}
	}
	return fault, ok
}
