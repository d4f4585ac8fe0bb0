package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// ErrNoAlarm says that there is no such alarm: 404.
var ErrNoAlarm = errors.New("there is no such alarm")

// AlarmConflict is an act on an alarm that came too late or is not allowed now: 409.
type AlarmConflict struct {
	Current alarm.Alarm
	Allowed []string
	Cause   error
}

func (c *AlarmConflict) Error() string { return c.Cause.Error() }
func (c *AlarmConflict) Unwrap() error { return c.Cause }

// alarmDoc is the stored form, version 1.
type alarmDoc struct {
	V int `json:"v"`
	alarm.Alarm
}

// keptAlarm is an alarm with what the governor notes of it, and its revision.
type keptAlarm struct {
	doc alarm.Alarm
	own string // JSON of alarm.Own; only the governor looks into it
	rev string
}

func (s *Store) alarmForm() form[alarm.Alarm] {
	return formOf(s.keys.Alarm, func(d *alarmDoc) (alarm.Alarm, string) { return d.Alarm, d.ID })
}

// alarmsOf loads alarms as lists need them.
func (s *Store) alarmsOf(ctx context.Context, ids []string) ([]kept[alarm.Alarm], error) {
	return load(ctx, s, s.alarmForm(), ids)
}

// wholeAlarms loads alarms with their internals, in the order of the ids; missing and unreadable ones are left out.
func (s *Store) wholeAlarms(ctx context.Context, ids []string) ([]keptAlarm, error) {
	list, err := load(ctx, s, s.alarmForm(), ids)
	if err != nil {
		return nil, err
	}
	out := make([]keptAlarm, len(list))
	for i, k := range list {
		out[i] = keptAlarm{k.doc, k.inside, k.rev}
	}
	return out, nil
}

func (s *Store) alarmOf(ctx context.Context, id string) (keptAlarm, error) {
	list, err := s.wholeAlarms(ctx, []string{id})
	switch {
	case err != nil:
		return keptAlarm{}, err
	case len(list) > 0:
		return list[0], nil
	}
	return keptAlarm{}, cmp.Or(s.legible(s.keys.Alarm(id)), fmt.Errorf("%w: %.80q", ErrNoAlarm, id))
}

// putAlarm writes an alarm into the step; rev is what it was read at, empty for a new one. say tells the case stream: what nobody was ever
// shown does not travel.
func (s *Store) putAlarm(st *step, rev string, a *alarm.Alarm, own string, say bool) error {
	doc, err := marshal(alarmDoc{1, *a})
	if err != nil {
		return err
	}
	key := s.keys.Alarm(a.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, own, "")
	if rev == "" {
		st.write("zadd", s.keys.Alarms(), strconv.FormatInt(a.RaisedAt.Milli(), 10), a.ID)
	}
	member := func(set string, is bool) {
		if is {
			st.write("sadd", set, a.ID)
		} else if rev != "" {
			st.write("srem", set, a.ID)
		}
	}
	member(s.keys.AlarmsOpen(), a.Stands())
	member(s.keys.AlarmsShown(), a.Stands() && say)
	if say {
		st.event("alarm", a.ID, doc)
	}
	return nil
}

// Alarm by id; ErrNoAlarm.
func (s *Store) Alarm(ctx context.Context, id string) (alarm.Alarm, error) {
	k, err := s.alarmOf(ctx, id)
	return k.doc, err
}

// AlarmQuery chooses alarms: Status is a state, or open for all that stand.
type AlarmQuery struct {
	Query
	Priority  alarm.Priority
	Desk      string // of it, or of every desk
	Presented *bool
	Group     string
	Incident  string
	Thing     string
	Code      alarm.Code
	See       func(alarm.Alarm) (alarm.Alarm, bool) // what is seen of each, which alone is searched; nil: everything
}

// Alarms lists, newest raised first. Next is the page after, empty at the end.
func (s *Store) Alarms(ctx context.Context, q AlarmQuery) (items []alarm.Alarm, next string, err error) {
	from := shelf[alarm.Alarm]{
		index: s.keys.Alarms(), set: s.keys.AlarmsOpen(), load: s.alarmsOf, live: q.Status != "" && q.Status != string(alarm.Cleared),
		id: func(a alarm.Alarm) string { return a.ID }, score: func(a alarm.Alarm) int64 { return a.RaisedAt.Milli() },
	}
	return list(ctx, s, q.Query, from, func(a alarm.Alarm) (alarm.Alarm, bool) {
		if q.See != nil {
			var seen bool
			if a, seen = q.See(a); !seen {
				return a, false
			}
		}
		return a, q.keeps(&a)
	})
}

func (q *AlarmQuery) keeps(a *alarm.Alarm) bool {
	is := func(want, got string) bool { return want == "" || want == got }
	switch {
	case q.Status == "open" && !a.Stands(), q.Status != "open" && !is(q.Status, string(a.State)):
	case !is(string(q.Priority), string(a.Priority)), !is(string(q.Severity), string(a.Severity)), !is(q.Type, a.Type), !is(q.Group, a.Group):
	case !is(q.Incident, a.Incident), !is(q.Thing, a.Thing), !is(string(q.Code), string(a.Code)):
	case q.Desk != "" && a.Desk != "" && a.Desk != q.Desk:
	case q.Presented != nil && *q.Presented != a.Presented, !isAs(q.Simulated, a.Simulated):
	case q.Agency != "" && !a.Concerns(q.Agency):
	case !q.holds(a.Event, a.AreaName, a.ThingName, a.Source, a.Type):
	default:
		return true
	}
	return false
}

// shownAlarms are those that stand and that somebody was shown: what a screen starts with.
func (s *Store) shownAlarms(ctx context.Context) ([]alarm.Alarm, error) {
	out := []alarm.Alarm{}
	err := s.walkSet(ctx, s.keys.AlarmsShown(), func(ids []string) (bool, error) {
		for part := range slices.Chunk(ids, batch) {
			docs, err := s.alarmsOf(ctx, part)
			if err != nil {
				return false, err
			}
			for _, k := range docs {
				if k.doc.Stands() {
					out = append(out, k.doc)
				}
			}
		}
		return true, nil
	})
	slices.SortFunc(out, func(a, b alarm.Alarm) int { return strings.Compare(b.ID, a.ID) })
	return out, err
}

// AcknowledgeAlarm takes note of an alarm, where may allows it of the very revision that is changed. Version is the one that was seen, 0 for
// any. Errors: ErrNoAlarm, *AlarmConflict, feeds.ErrBusy, of may.
func (s *Store) AcknowledgeAlarm(ctx context.Context, id string, by alarm.Ack, version int, who audit.Actor, may func(*alarm.Alarm) error) (alarm.Alarm, error) {
	return s.actOnAlarm(ctx, id, "alarm.acknowledged", by.Note, who, may, func(_ *step, a alarm.Alarm, now time.Time) (alarm.Alarm, error) {
		by.At = moment.Of(now)
		return a.Acknowledge(by, version)
	})
}

// ShelveAlarm takes an alarm out of the queue for a time, at most until on.Until or, where that is zero, for minutes. urgent: the one who
// asks may shelve P1. Errors as AcknowledgeAlarm, alarm.ErrInvalid, alarm.ErrUrgent.
func (s *Store) ShelveAlarm(ctx context.Context, id string, on alarm.Shelf, lasts time.Duration, version int, urgent bool, limits alarm.Config, who audit.Actor, may func(*alarm.Alarm) error) (alarm.Alarm, error) {
	return s.actOnAlarm(ctx, id, "alarm.shelved", on.Reason, who, may, func(st *step, a alarm.Alarm, now time.Time) (alarm.Alarm, error) {
		on.At = moment.Of(now)
		if on.Until.IsZero() {
			on.Until = moment.Of(now.Add(lasts))
		}
		n, revision, err := s.shelvedBy(ctx, on.Desk)
		if err != nil {
			return a, err
		}
		out, err := a.Shelve(on, version, urgent, n, limits)
		if err != nil {
			return a, err
		}
		st.check("field", s.keys.AlarmsShelved(), shelfRevision, revision) // else another has been put there meanwhile
		st.write("hset", s.keys.AlarmsShelved(), shelfRevision, nextRev(revision))
		st.write("hset", s.keys.AlarmsShelved(), id, on.Desk)
		return out, nil
	})
}

// UnshelveAlarm returns an alarm to the queue before its time. Errors as AcknowledgeAlarm.
func (s *Store) UnshelveAlarm(ctx context.Context, id, reason string, version int, who audit.Actor, may func(*alarm.Alarm) error) (alarm.Alarm, error) {
	return s.actOnAlarm(ctx, id, "alarm.unshelved", reason, who, may, func(st *step, a alarm.Alarm, now time.Time) (alarm.Alarm, error) {
		st.write("hdel", s.keys.AlarmsShelved(), id)
		return a.Unshelve(now, version)
	})
}

// shelfRevision is the field of the shelved alarms that changes with each that is put there; no alarm has this id.
const shelfRevision = ":revision"

// shelvedBy counts what a desk has on its shelf; whoever has no desk shares one.
func (s *Store) shelvedBy(ctx context.Context, desk string) (n int, revision string, err error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.AlarmsShelved()).Result()
	if err != nil {
		return 0, "", fmt.Errorf("%w: shelved alarms: %w", feeds.ErrBusy, err)
	}
	for id, d := range all {
		if id != shelfRevision && d == desk {
			n++
		}
	}
	return n, all[shelfRevision], nil
}

func (s *Store) actOnAlarm(ctx context.Context, id, action, reason string, who audit.Actor, may func(*alarm.Alarm) error, act func(*step, alarm.Alarm, time.Time) (alarm.Alarm, error)) (alarm.Alarm, error) {
	var out alarm.Alarm
	err := s.retry(ctx, func() error {
		k, err := s.alarmOf(ctx, id)
		if err != nil {
			return err
		}
		if err := may(&k.doc); err != nil {
			return err
		}
		now := s.now()
		st := s.newStep(now)
		out, err = act(st, k.doc, now)
		if errors.Is(err, alarm.ErrStale) || errors.Is(err, alarm.ErrNotAllowed) || errors.Is(err, alarm.ErrShelves) {
			return &AlarmConflict{Current: k.doc, Allowed: k.doc.Verbs(), Cause: err}
		}
		if err != nil {
			return err
		}
		if err := s.putAlarm(st, k.rev, &out, k.own, true); err != nil {
			return err
		}
		if err := st.audited(who, action, "alarm:"+id, reason, k.doc, out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return alarm.Alarm{}, err
	}
	return out, nil
}

// AlarmHealth is the figures of domain.md section 6 as the governor gave them last; false: it has given none yet. At says when it was.
func (s *Store) AlarmHealth(ctx context.Context) (alarm.Figures, bool, error) {
	text, err := s.rdb.HGet(ctx, s.keys.AlarmGovernor(), governorHealth).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return alarm.Figures{}, false, nil
	case err != nil:
		return alarm.Figures{}, false, fmt.Errorf("%w: figures of alarms: %w", feeds.ErrBusy, err)
	}
	var f alarm.Figures
	if err := json.Unmarshal([]byte(text), &f); err != nil {
		return f, false, fmt.Errorf("figures of alarms: %w", err)
	}
	return f, true, nil
}

// DropAlarms deletes alarms that are over and have not changed since a time. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) DropAlarms(ctx context.Context, before time.Time) (int, error) {
	return drop(ctx, s, shelf[alarm.Alarm]{index: s.keys.Alarms(), set: s.keys.AlarmsOpen(), load: s.alarmsOf, id: func(a alarm.Alarm) string { return a.ID }},
		s.keys.Alarm, before, func(a alarm.Alarm) bool { return !a.Stands() && a.UpdatedAt.Before(before) }, nil)
}
