package runner

import (
	"sync"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// shifter moves the times of a recording so that it happens now. The newest time of the first batch becomes now; from there on
// recorded time runs at the speed of playing, and one recorded time always becomes the same new one, so that a record which comes
// again is still the same record. A batch that would lie ahead of now, or a day behind, begins a new reckoning.
type shifter struct {
	speed float64

	mu       sync.Mutex
	set      bool
	recorded time.Time
	played   time.Time
}

// farBehind is when a batch belongs to another recording than the one before.
const farBehind = 24 * time.Hour

func (s *shifter) reset() {
	s.mu.Lock()
	s.set = false
	s.mu.Unlock()
}

// to is the new time of a recorded one.
func (s *shifter) to(t time.Time) time.Time {
	return s.played.Add(time.Duration(float64(t.Sub(s.recorded)) / s.speed))
}

// apply moves every time of the batch. Within one record all times move together, so that its lifetime stays as long as it was.
// Ids that the producer gave to observations are dropped: the second pass of a loop is not a repetition of the first.
func (s *shifter) apply(b *feeds.Batch, now time.Time) {
	newest := newestOf(b)
	if newest.IsZero() {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if at := s.to(newest); !s.set || at.After(now) || now.Sub(at) > farBehind {
		s.set, s.recorded, s.played = true, newest, now
	}
	for i := range b.Observations {
		o := &b.Observations[i]
		o.At, o.ID = s.moved(o.At, s.by(o.At)), ""
	}
	for i := range b.Reports {
		r := &b.Reports[i]
		r.At = s.moved(r.At, s.by(r.At))
	}
	for i := range b.Positions {
		p := &b.Positions[i]
		p.At = s.moved(p.At, s.by(p.At))
	}
	for i := range b.Alerts {
		s.alert(&b.Alerts[i])
	}
}

// by is how far a record with this time moves.
func (s *shifter) by(t moment.Time) time.Duration {
	if t.IsZero() {
		return 0
	}
	return s.to(t.Time).Sub(t.Time)
}

func (s *shifter) moved(t moment.Time, by time.Duration) moment.Time {
	if t.IsZero() {
		return t
	}
	return moment.Of(t.Add(by))
}

func (s *shifter) alert(a *feeds.Alert) {
	by := s.by(a.Message.Sent)
	a.Message.Sent = s.moved(a.Message.Sent, by)
	for i := range a.Message.References {
		ref := &a.Message.References[i]
		ref.Sent = s.moved(ref.Sent, s.by(ref.Sent))
	}
	infos := make([]cap.Info, len(a.Message.Infos))
	for i, info := range a.Message.Infos {
		info.Effective, info.Onset, info.Expires = s.moved(info.Effective, by), s.moved(info.Onset, by), s.moved(info.Expires, by)
		infos[i] = info
	}
	a.Message.Infos = infos
	if a.Quake != nil {
		q := *a.Quake
		q.OriginAt = s.moved(q.OriginAt, by)
		a.Quake = &q
	}
}

// newestOf is the newest event time that a batch tells; onset and expiry may lie ahead and do not count.
func newestOf(b *feeds.Batch) time.Time {
	var newest time.Time
	see := func(t moment.Time) {
		if t.After(newest) {
			newest = t.Time
		}
	}
	for i := range b.Observations {
		see(b.Observations[i].At)
	}
	for i := range b.Reports {
		see(b.Reports[i].At)
	}
	for i := range b.Positions {
		see(b.Positions[i].At)
	}
	for i := range b.Alerts {
		see(b.Alerts[i].Message.Sent)
	}
	return newest
}
