package cameras

import (
	"context"
	"fmt"
	"sync"
	"time"

	"kentongan/alerts/audit"
)

// Times of the log of who saw what.
const (
	away      = 2 * time.Minute  // who asks no picture for so long has looked away; longer of a camera that is slower
	wallEvery = time.Hour        // a wall that shows a camera again and again is recorded once in so long
	mostSeen  = 20_000           // viewings at a time
	recordMax = 10 * time.Second // a record is written, or is not
)

// Seen is the log of who looked through which camera, when and for how long: a record when a viewing begins, before its first picture is given, and
// one when it has ended. A wall's rotation is one viewing an hour. Safe for concurrent use.
type Seen struct {
	record func(ctx context.Context, r audit.Record) error
	now    func() time.Time

	mu   sync.Mutex
	open map[viewer]*viewing
}

type viewer struct{ who, camera string }

type viewing struct {
	agency      string
	wall        bool
	began, last time.Time
	patience    time.Duration
	recorded    chan struct{} // closed when the first record is written, or has failed
	err         error
}

// NewSeen gives a log that nobody stands in yet.
func NewSeen(record func(ctx context.Context, r audit.Record) error, now func() time.Time) *Seen {
	return &Seen{record: record, now: now, open: map[viewer]*viewing{}}
}

// Look notes that somebody is given a picture. An error means that it could not be recorded: then it must not be given.
func (s *Seen) Look(ctx context.Context, who audit.Actor, c *Camera, wall bool) error {
	key, now := viewer{who.Subject, c.ID}, s.now()
	s.mu.Lock()
	v := s.open[key]
	if v != nil && !v.over(now) {
		v.last = now
		s.mu.Unlock()
		return v.wait(ctx)
	}
	ended := v
	v = &viewing{agency: who.Agency, wall: wall, began: now, last: now, patience: max(away, 2*c.Every), recorded: make(chan struct{})}
	if len(s.open) < mostSeen || ended != nil {
		s.open[key] = v
	}
	s.mu.Unlock()
	// Apart from who asked first: whoever else waits for this record must not lose it when that one leaves.
	go s.begin(context.WithoutCancel(ctx), key, v, ended, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "camera.viewed", Object: "camera:" + c.ID, Reason: c.Name, Request: who.Request})
	return v.wait(ctx)
}

// begin records a viewing, after the end of the one before it. It takes no longer than recordMax.
func (s *Seen) begin(ctx context.Context, key viewer, v, ended *viewing, r audit.Record) {
	ctx, cancel := context.WithTimeout(ctx, recordMax)
	defer cancel()
	defer close(v.recorded)
	if ended != nil {
		<-ended.recorded
		s.left(ctx, key, ended)
	}
	if v.err = s.record(ctx, r); v.err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[key] == v {
		delete(s.open, key)
	}
}

// wait gives how the first record went, at most until ctx ends.
func (v *viewing) wait(ctx context.Context) error {
	select {
	case <-v.recorded:
		return v.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// over tells that a viewing has ended.
func (v *viewing) over(now time.Time) bool {
	if v.wall {
		return now.Sub(v.began) >= wallEvery
	}
	return now.Sub(v.last) >= v.patience
}

// left records that a viewing has ended, and how long it was. Should the store not take it, its beginning is on record all the same.
func (s *Seen) left(ctx context.Context, key viewer, v *viewing) {
	if v.err != nil {
		return
	}
	_ = s.record(ctx, audit.Record{Actor: key.who, Agency: v.agency, Action: "camera.left", Object: "camera:" + key.camera, Reason: fmt.Sprintf("after %d s", int(v.last.Sub(v.began).Seconds()))})
}

// Follow ends what has ended, until ctx does.
func (s *Seen) Follow(ctx context.Context) {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			s.sweep(ctx, func(v *viewing) bool { return v.over(s.now()) })
		}
	}
}

// Close ends every viewing.
func (s *Seen) Close(ctx context.Context) error {
	s.sweep(ctx, func(*viewing) bool { return true })
	return ctx.Err()
}

func (s *Seen) sweep(ctx context.Context, over func(*viewing) bool) {
	ended := map[viewer]*viewing{}
	s.mu.Lock()
	for key, v := range s.open {
		if over(v) {
			ended[key] = v
			delete(s.open, key)
		}
	}
	s.mu.Unlock()
	for key, v := range ended {
		<-v.recorded
		s.left(ctx, key, v)
	}
}
