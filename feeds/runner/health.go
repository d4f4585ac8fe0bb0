package runner

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/geo/moment"
)

// Hysteresis: a feed that fails stays failing until it has been well for a while, so that one that flaps is one fault and not hundreds.
const (
	wellFor       = 15 * time.Second // after a first fault
	wellForFlappy = time.Minute      // after it failed again while it was recovering
)

// Learning of a cadence.
const (
	gapsKept = 32 // the newest gaps between deliveries
	gapsMin  = 3  // fewer teach nothing
)

// health is how one feed fares. Reasons are "code: text": the code is stable, so that a screen can translate it.
//
//	waiting   nothing received yet      silence   nothing for too long       unstable   it answers again, but failed a moment ago
//	format    bytes that are refused    drift     many items are refused     empty      an empty answer after a full one
//	full      what breaks the contract finds no room in quarantine: somebody must decide
//	store     our store is busy         transport the way in ended           off        not running
//
// and the codes of bounded.Fault; of polls also
//
//	auth      our secret cannot be read      pages     a list is too long, or leads in a circle      incomplete   only some of its addresses were read
type health struct {
	now      func() time.Time
	declared time.Duration
	changed  func(feeds.FeedState, string)

	mu          sync.Mutex
	state       feeds.FeedState
	reason      string
	running     bool
	began       time.Time
	lastSuccess time.Time
	lastHeard   time.Time // the delivery or 304 from which the next gap counts
	gaps        []time.Duration
	learned     time.Duration // by an earlier run
	faulty      bool          // the newest event was a fault
	fault       string
	faultID     string // what follows the code, in Indonesian; empty: said in English only
	lastError   string
	lastErrorAt time.Time
	lastBad     time.Time
	relapsed    bool
	rejects     int64
	reasons     map[string]int64 // rejects by the stable part of their reason, at most mostReasons and otherReason
	seconds     [60]bucket
	lags        []lag
}

type bucket struct {
	second int64
	items  int
}

type lag struct {
	at  time.Time
	was time.Duration
}

func newHealth(now func() time.Time, declared time.Duration, changed func(feeds.FeedState, string)) *health {
	return &health{now: now, declared: declared, changed: changed, state: feeds.FeedOff, reason: "off: not started", reasons: map[string]int64{}}
}

func (h *health) start() {
	h.mu.Lock()
	h.running, h.began = true, h.now()
	h.settle(h.began)
	h.mu.Unlock()
}

// resume goes on from how the feed fared before this run.
func (h *health) resume(p Past) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if p.LastSuccess.After(h.lastSuccess) {
		h.lastSuccess = p.LastSuccess
	}
	h.learned = p.Interval
}

// past is what a later run should know.
func (h *health) past() Past {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := Past{LastSuccess: h.lastSuccess, Interval: h.learned}
	if len(h.gaps) >= gapsMin {
		p.Interval = median(h.gaps)
	}
	return p
}

func (h *health) stop(reason string) {
	h.mu.Lock()
	h.running = false
	h.become(feeds.FeedOff, reason)
	h.mu.Unlock()
}

// Fresh is poll.Watch: the source says that nothing has changed.
func (h *health) Fresh() { h.success(0, nil) }

// Cadence is poll.Watch: the source is asked every so often.
func (h *health) Cadence(every time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if every > h.declared {
		h.declared = every
	}
}

// Fault is poll.Watch: something went wrong. The feed fails at once.
func (h *health) Fault(err error) {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.state == feeds.FeedFailing && !h.faulty {
		h.relapsed = true
	}
	h.faulty, h.fault, h.faultID = true, clip(err.Error(), 500), ""
	if both, ok := err.(interface{ Indonesian() string }); ok {
		h.faultID = both.Indonesian()
	}
	h.lastError, h.lastErrorAt = h.fault, now
	h.settle(now)
}

// success is a delivery that is stored, or an answer that nothing has changed.
func (h *health) success(items int, lags []time.Duration) {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settle(now) // a silence that this ends is seen once more
	h.learn(now)
	h.lastSuccess, h.faulty = now, false
	b := &h.seconds[now.Unix()%60]
	if b.second != now.Unix() {
		*b = bucket{second: now.Unix()}
	}
	b.items += items
	for _, l := range lags {
		h.lags = append(h.lags, lag{now, l})
	}
	h.forget(now)
	h.settle(now)
}

// forget drops lags older than a minute, and the oldest where there are many.
func (h *health) forget(now time.Time) {
	const most = 1024
	from := max(0, len(h.lags)-most)
	for from < len(h.lags) && now.Sub(h.lags[from].at) > time.Minute {
		from++
	}
	h.lags = slices.Delete(h.lags, 0, from)
}

// Reasons are counted apart up to a number, so that a producer who invents one for each item fills no memory.
const (
	mostReasons = 20
	otherReason = "other"
)

func (h *health) reject(list []feeds.Refusal) {
	if len(list) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.rejects += int64(len(list))
	for _, r := range list {
		code := contract.ReasonCode(r.Reason)
		if _, known := h.reasons[code]; !known && len(h.reasons) >= mostReasons {
			code = otherReason
		}
		h.reasons[code]++
	}
}

// pardon ends a fault of this kind: whoever decides about it has seen it.
func (h *health) pardon(code string) {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.faulty && strings.HasPrefix(h.fault, code+":") {
		h.faulty = false
		h.settle(now)
	}
}

// runs tells whether this server drives the feed, or takes what is sent to it.
func (h *health) runs() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.running
}

func (h *health) judge() {
	now := h.now()
	h.mu.Lock()
	h.settle(now)
	h.mu.Unlock()
}

func (h *health) declaredInterval() time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.declared
}

// learn keeps the gap since the delivery before. Deliveries within a second are one: four sent by hand do not promise a fifth.
func (h *health) learn(now time.Time) {
	if gap := now.Sub(h.lastHeard); !h.lastHeard.IsZero() {
		if gap >= 0 && gap < time.Second {
			return
		}
		if gap > 0 {
			h.gaps = append(h.gaps, gap)
		}
		if len(h.gaps) > gapsKept {
			h.gaps = h.gaps[1:]
		}
	}
	h.lastHeard = now
}

// interval is the declared cadence, else the median gap, else what an earlier run has learned; zero while none is known.
func (h *health) interval() time.Duration {
	switch {
	case h.declared > 0:
		return h.declared
	case len(h.gaps) < gapsMin:
		return h.learned
	}
	return median(h.gaps)
}

func median(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	sorted := slices.Clone(ds)
	slices.Sort(sorted)
	return sorted[len(sorted)/2]
}

// settle finds the state that holds now, and tells of a change.
func (h *health) settle(now time.Time) {
	if !h.running {
		return
	}
	state, reason := h.look(now)
	if state == feeds.FeedFailing {
		h.lastBad = now
	} else if h.state == feeds.FeedFailing {
		hold := wellFor
		if h.relapsed {
			hold = wellForFlappy
		}
		if now.Sub(h.lastBad) < hold {
			state, reason = feeds.FeedFailing, "unstable: it answers again, but failed a moment ago"
			if h.lastError != "" {
				reason += " (" + h.lastError + ")"
			}
		} else {
			h.relapsed = false
		}
	}
	h.become(state, reason)
}

// look judges without memory of the state before.
func (h *health) look(now time.Time) (feeds.FeedState, string) {
	if h.faulty {
		return feeds.FeedFailing, h.fault
	}
	since, interval := h.lastSuccess, h.interval()
	if since.Before(h.began) { // what was before does not make it late in the moment it begins
		since = h.began
	}
	if state, reason := silence(since, interval, now); state != feeds.FeedOK {
		return state, reason
	}
	if h.lastSuccess.IsZero() {
		return feeds.FeedOK, "waiting: nothing received yet"
	}
	if h.lastSuccess.Before(h.began) {
		return feeds.FeedOK, "waiting: nothing received since the start"
	}
	return feeds.FeedOK, ""
}

// silence judges how long nothing has come; without an interval nothing is expected.
func silence(since time.Time, interval time.Duration, now time.Time) (feeds.FeedState, string) {
	age := now.Sub(since)
	reason := fmt.Sprintf("silence: nothing for %s, expected every %s", age.Truncate(time.Second), interval.Round(time.Second/10))
	switch {
	case interval > 0 && now.After(feeds.FailingAfterInterval(since, interval)) && age > 5*time.Second:
		return feeds.FeedFailing, reason
	case interval > 0 && now.After(feeds.StaleAfterInterval(since, interval)):
		return feeds.FeedLate, reason
	}
	return feeds.FeedOK, ""
}

func (h *health) become(state feeds.FeedState, reason string) {
	was := h.state
	h.state, h.reason = state, reason
	if was != state && h.changed != nil {
		h.changed(state, reason)
	}
}

func (h *health) status() feeds.FeedStatus {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.settle(now)
	h.forget(now)
	items := 0
	for _, b := range h.seconds {
		if now.Unix()-b.second < 60 {
			items += b.items
		}
	}
	was := make([]time.Duration, 0, len(h.lags))
	for _, l := range h.lags {
		was = append(was, l.was)
	}
	var lag *int64
	if len(was) > 0 {
		ms := median(was).Milliseconds()
		lag = &ms
	}
	reasonID := ""
	if h.faulty && h.reason == h.fault {
		reasonID = h.faultID
	}
	return feeds.FeedStatus{
		State: h.state, Reason: h.reason, ReasonID: reasonID,
		LastSuccess: moment.Of(h.lastSuccess), LastError: h.lastError, LastErrorAt: moment.Of(h.lastErrorAt),
		IntervalS: h.interval().Seconds(), ItemsPerMinute: float64(items), LagMS: lag, Rejects: h.rejects,
		RejectsByReason: maps.Clone(h.reasons),
	}
}
