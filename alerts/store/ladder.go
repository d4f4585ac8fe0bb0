package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/alerts/ladder"
)

// ladderActor is who writes where nobody does.
var ladderActor = audit.Actor{Subject: "house:ladder"}

// Paint notes that alarms were drawn at a staffed desk, each where may allows it. What is not there, was painted before or need not be seen is
// passed over. Errors: ladder.ErrNoDesk, feeds.ErrBusy.
func (s *Store) Paint(ctx context.Context, ids []string, desk string, who audit.Actor, may func(*alarm.Alarm) bool) error {
	if desk == "" {
		return ladder.ErrNoDesk
	}
	for _, id := range ids {
		err := s.noteAlarm(ctx, id, "alarm.painted", who, func(a alarm.Alarm, now time.Time) (alarm.Alarm, bool, error) {
			if !may(&a) {
				return a, false, nil
			}
			return ladder.Painted(a, desk, who.Subject, now)
		})
		if err != nil && !errors.Is(err, ErrNoAlarm) {
			return err
		}
	}
	return nil
}

// noteAlarm writes what the ladder notes of an alarm, in a step with its record. Its version stays: nobody has acted on it.
func (s *Store) noteAlarm(ctx context.Context, id, action string, who audit.Actor, note func(alarm.Alarm, time.Time) (alarm.Alarm, bool, error)) error {
	return s.retry(ctx, func() error {
		k, err := s.alarmOf(ctx, id)
		if err != nil {
			return err
		}
		now := s.now()
		out, changed, err := note(k.doc, now)
		if err != nil || !changed {
			return err
		}
		st := s.newStep(now)
		if err := s.putAlarm(st, k.rev, &out, k.own, true); err != nil {
			return err
		}
		if err := st.audited(who, action, "alarm:"+id, "", k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
}

// Climbing is what the reader "ladder" needs to know beside the cases.
type Climbing struct {
	ladder.Config
	Desks func(context.Context) ([]string, error) // that are staffed; nil: none ever is
}

// ladderReader watches alarms that must be seen. What it knows it finds again in the alarms themselves: each rung stands there once it is climbed.
type ladderReader struct {
	s       *Store
	o       Climbing
	watched map[string]alarm.Alarm
}

// LadderReader makes the reader "ladder".
func (s *Store) LadderReader(o Climbing) Reader {
	return &ladderReader{s: s, o: o, watched: map[string]alarm.Alarm{}}
}

// Name implements Reader.
func (r *ladderReader) Name() string { return "ladder" }

// Start begins with every alarm that stands: over a restart and a take-over none is forgotten.
func (r *ladderReader) Start(ctx context.Context, _ int64, _ *Open) error {
	list, err := r.s.shownAlarms(ctx)
	for i := range list {
		r.hear(&list[i])
	}
	return err
}

// Take implements Reader. What follows of a change is written by the next Tick, and found by it again after a kill.
func (r *ladderReader) Take(_ context.Context, changes []Change) error {
	for i := range changes {
		if changes[i].Type != "alarm" {
			continue
		}
		var a alarm.Alarm
		if err := json.Unmarshal(changes[i].Doc, &a); err != nil {
			r.s.log.Error().Err(err).Str("reader", r.Name()).Str("id", changes[i].ID).Msg("an alarm cannot be read and is passed over")
			continue
		}
		r.hear(&a)
	}
	return nil
}

func (r *ladderReader) hear(a *alarm.Alarm) {
	if ladder.Watched(a) && a.Seen == nil {
		r.watched[a.ID] = *a
	} else {
		delete(r.watched, a.ID)
	}
}

// Tick writes which alarms are seen, and which have climbed.
func (r *ladderReader) Tick(ctx context.Context, now time.Time) error {
	if len(r.watched) == 0 {
		return nil
	}
	staffed := false
	if r.o.Desks != nil {
		desks, err := r.o.Desks(ctx)
		if err != nil {
			r.s.log.Warn().Err(err).Msg("who sits where is not known now; alarms climb as if nobody did")
		}
		staffed = len(desks) > 0
	}
	for id, a := range r.watched {
		if _, seen := ladder.Settle(a); seen {
			if err := r.note(ctx, id, "alarm.seen", func(a alarm.Alarm, _ time.Time) (alarm.Alarm, bool, error) {
				out, changed := ladder.Settle(a)
				return out, changed, nil
			}); err != nil {
				return err
			}
			continue
		}
		if _, due := ladder.Climb(a, r.o.Config, staffed, now); due {
			if err := r.note(ctx, id, "alarm.climbed", func(a alarm.Alarm, now time.Time) (alarm.Alarm, bool, error) {
				if out, seen := ladder.Settle(a); seen {
					return out, true, nil
				}
				out, changed := ladder.Climb(a, r.o.Config, staffed, now)
				return out, changed, nil
			}); err != nil {
				return err
			}
		}
	}
	return nil
}

// note writes and remembers what was written: its change comes back here later.
func (r *ladderReader) note(ctx context.Context, id, action string, note func(alarm.Alarm, time.Time) (alarm.Alarm, bool, error)) error {
	err := r.s.noteAlarm(ctx, id, action, ladderActor, func(a alarm.Alarm, now time.Time) (alarm.Alarm, bool, error) {
		out, changed, err := note(a, now)
		r.hear(&out)
		return out, changed, err
	})
	if errors.Is(err, ErrNoAlarm) {
		delete(r.watched, id)
		return nil
	}
	return err
}
