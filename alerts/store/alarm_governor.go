package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo"
)

// Fields of the governor's own hash.
const (
	governorMemo   = "memo"
	governorHealth = "health"
)

// How often the governor asks who sits where, and gives figures; how much one step writes; how many changes are decided together.
const (
	desksEvery    = 2 * time.Second
	healthEvery   = 2 * time.Second
	healthAnyway  = 20 * time.Second
	alarmsAStep   = 400
	changesAStep  = 100
	forgetEvery   = 10 * time.Minute
	alarmsOfADay  = 24 * time.Hour
	governorActor = "house:governor"
)

// Governing is what the governor of alarms needs to know beside the cases.
type Governing struct {
	alarm.Options
	Desks  func(context.Context) ([]string, error) // that are staffed; nil: none ever is
	Feeds  func() []alarm.Feed                     // how every feed fares; nil: none is ever down
	Health func(alarm.Figures)                     // is given the figures, about every two seconds; may be nil
}

// AlarmReader lets the governor of alarms follow the cases: it makes alarms of alerts, and decides which are presented.
func (s *Store) AlarmReader(o Governing) Reader {
	o.Area = func(p geo.Position) string { return s.areaOf(&p) }
	return &governing{Store: s, o: o, g: alarm.New(o.Options), rev: map[string]string{}, shelved: map[string]bool{}}
}

type governing struct {
	*Store
	o       Governing
	g       *alarm.Governor
	rev     map[string]string // of the alarms that the governor knows
	shelved map[string]bool   // in the hash of shelved ones
	pending []alarm.Kept      // to be written

	desksAt, healthAt, toldAt, forgotAt time.Time
	told                                string
}

func (r *governing) Name() string { return "alarm" }

// Start loads every alarm that stands, and those of a day: from them the governor knows what it knew before.
func (r *governing) Start(ctx context.Context, offset int64, open *Open) error {
	now := r.now()
	list, memo, err := r.known(ctx, now)
	if err != nil {
		return err
	}
	if err := r.g.Load(list, memo, now); err != nil {
		return fmt.Errorf("memo of the governor: %w", err)
	}
	if err := r.sit(ctx, now); err != nil {
		return err
	}
	plans, err := r.standingPlans(ctx)
	if err != nil {
		return err
	}
	for _, k := range plans {
		r.g.Plan(k.doc, now)
	}
	if open == nil {
		return r.flush(ctx, now, -1)
	}
	active, standing := map[string]bool{}, map[string]bool{}
	for i := range open.Alerts {
		active[open.Alerts[i].ID] = true
	}
	for i := range open.Incidents {
		standing[open.Incidents[i].ID] = true
	}
	// What is there and cannot be read may stand still: its alarm is nobody's to clear.
	r.g.Settle(func(id string) bool { return active[id] || r.unread.has(r.keys.Alert(id)) },
		func(id string) bool { return standing[id] || r.unread.has(r.keys.Incident(id)) }, now)
	for i := range open.Incidents {
		r.g.Incident(&open.Incidents[i], now)
	}
	for i := range open.Units {
		r.g.Unit(&open.Units[i], now)
	}
	slices.SortStableFunc(open.Alerts, func(a, b alerts.Alert) int { return a.ReceivedAt.Compare(b.ReceivedAt.Time) })
	for i := range open.Alerts {
		r.g.Alert(&open.Alerts[i], now)
	}
	return r.flush(ctx, now, offset)
}

// known loads what the governor begins with.
func (r *governing) known(ctx context.Context, now time.Time) (list []alarm.Loaded, memo []byte, err error) {
	ids, err := r.rdb.SMembers(ctx, r.keys.AlarmsOpen()).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: standing alarms: %w", feeds.ErrBusy, err)
	}
	day, err := r.rdb.ZRangeByScore(ctx, r.keys.Alarms(), &redis.ZRangeBy{Min: strconv.FormatInt(now.Add(-alarmsOfADay).UnixMilli(), 10), Max: "+inf"}).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: alarms of a day: %w", feeds.ErrBusy, err)
	}
	ids = append(ids, day...)
	slices.Sort(ids)
	for part := range slices.Chunk(slices.Compact(ids), batch) {
		docs, err := r.wholeAlarms(ctx, part)
		if err != nil {
			return nil, nil, err
		}
		for _, k := range docs {
			l := alarm.Loaded{Alarm: k.doc}
			if k.own != "" {
				if err := json.Unmarshal([]byte(k.own), &l.Own); err != nil { // the alarm stands; what the governor noted of it is learnt anew
					r.unread.note(r.keys.Alarm(k.doc.ID), fmt.Errorf("internals: %w", err), false)
					l.Own = alarm.Own{}
				}
			}
			r.rev[k.doc.ID] = k.rev
			list = append(list, l)
		}
	}
	shelved, err := r.rdb.HKeys(ctx, r.keys.AlarmsShelved()).Result()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: shelved alarms: %w", feeds.ErrBusy, err)
	}
	for _, id := range shelved {
		r.shelved[id] = id != shelfRevision
	}
	text, err := r.rdb.HGet(ctx, r.keys.AlarmGovernor(), governorMemo).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return nil, nil, fmt.Errorf("%w: memo of the governor: %w", feeds.ErrBusy, err)
	}
	return list, []byte(text), nil
}

// Take lets the governor hear what has changed, and writes what it decides with how far it has heard.
func (r *governing) Take(ctx context.Context, list []Change) error {
	for part := range slices.Chunk(list, changesAStep) {
		now := r.now()
		for i := range part {
			r.hear(&part[i], now)
		}
		if err := r.flush(ctx, now, part[len(part)-1].Offset); err != nil {
			return err
		}
	}
	return nil
}

// hear gives the governor one change.
func (r *governing) hear(c *Change, now time.Time) {
	switch c.Type {
	case "alert":
		if a, ok := readable[alerts.Alert](r.Store, r.Name(), c); ok {
			r.g.Alert(a, now)
		}
	case "incident":
		if in, ok := readable[incident.Incident](r.Store, r.Name(), c); ok {
			r.g.Incident(in, now)
		}
	case "unit":
		if u, ok := readable[unit.Unit](r.Store, r.Name(), c); ok {
			r.g.Unit(u, now)
		}
	case "plan":
		if p, ok := readable[plan.Plan](r.Store, r.Name(), c); ok {
			r.g.Plan(*p, now)
		}
	case "alarm":
		if a, ok := readable[alarm.Alarm](r.Store, r.Name(), c); ok {
			r.heard(a, now)
		}
	}
}

// heard takes over what a person has done. What the governor itself wrote comes back here too, and says nothing new.
func (r *governing) heard(a *alarm.Alarm, now time.Time) {
	if a.State == alarm.Shelved {
		r.shelved[a.ID] = true
	}
	r.g.Acted(*a, false, now)
}

// Tick asks who sits where and how the feeds fare, and lets the governor do what the clock asks for.
func (r *governing) Tick(ctx context.Context, now time.Time) error {
	if now.Sub(r.desksAt) >= desksEvery {
		if err := r.sit(ctx, now); err != nil {
			return err
		}
	}
	if r.o.Feeds != nil {
		r.g.Feeds(r.o.Feeds(), now)
	}
	r.g.Tick(now)
	if now.Sub(r.forgotAt) >= forgetEvery {
		r.forgotAt = now
		for id := range r.rev {
			if !r.g.Knows(id) {
				delete(r.rev, id)
			}
		}
	}
	return r.flush(ctx, now, -1)
}

// sit tells the governor which desks are staffed. Where that is not to be had now it goes on with what it knew.
func (r *governing) sit(ctx context.Context, now time.Time) error {
	if r.o.Desks == nil {
		return nil
	}
	r.desksAt = now
	desks, err := r.o.Desks(ctx)
	if err != nil {
		r.log.Warn().Err(err).Msg("who sits where is not known now; alarms go to the desks of before")
		return nil
	}
	r.g.Desks(desks, now)
	return nil
}

// flush writes what the governor has decided. Where somebody has acted on one of the alarms meanwhile, the governor takes that over and it is
// written again. The checkpoint moves with the last step; what an earlier one wrote is found where the changes come again.
func (r *governing) flush(ctx context.Context, now time.Time, offset int64) error {
	r.pending = append(r.pending, r.g.Changes()...)
	memo, remember := r.g.Memo()
	health := r.figures(now)
	for len(r.pending) > 0 || remember || health != "" {
		part := r.pending[:min(alarmsAStep, len(r.pending))]
		last := len(part) == len(r.pending)
		st := r.newStep(now)
		if err := r.write(st, part); err != nil {
			return err
		}
		if remember {
			st.write("hset", r.keys.AlarmGovernor(), governorMemo, string(memo))
		}
		if health != "" {
			st.write("hset", r.keys.AlarmGovernor(), governorHealth, health)
		}
		if last {
			r.passed(st, r.Name(), offset)
		}
		err := r.run(ctx, st)
		if errors.Is(err, errConflict) {
			if err := r.catchUp(ctx, part, now); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		for _, k := range part {
			r.rev[k.Alarm.ID] = nextRev(r.rev[k.Alarm.ID])
			r.shelved[k.Alarm.ID] = k.Alarm.State == alarm.Shelved
			if !r.shelved[k.Alarm.ID] {
				delete(r.shelved, k.Alarm.ID)
			}
		}
		r.pending, remember, health = r.pending[len(part):], false, ""
	}
	r.pending = nil
	return nil
}

func (r *governing) write(st *step, part []alarm.Kept) error {
	for i := range part {
		k := &part[i]
		own, err := marshal(k.Own)
		if err != nil {
			return err
		}
		if err := r.putAlarm(st, r.rev[k.Alarm.ID], &k.Alarm, string(own), k.Say); err != nil {
			return err
		}
		if r.shelved[k.Alarm.ID] && k.Alarm.State != alarm.Shelved {
			st.write("hdel", r.keys.AlarmsShelved(), k.Alarm.ID)
		}
		if k.Log != "" {
			if err := st.audited(audit.Actor{Subject: governorActor}, k.Log, "alarm:"+k.Alarm.ID, reasonOfAlarm(&k.Alarm), nil, k.Alarm); err != nil {
				return err
			}
		}
	}
	return nil
}

// reasonOfAlarm is what the audit log says of what the house did by itself: of a flood, what came first.
func reasonOfAlarm(a *alarm.Alarm) string {
	if a.Code == alarm.CodeFlood && a.Worst != nil {
		return fmt.Sprintf("first out: alarm:%s %s; raised within ten minutes: %d", a.Worst.Alarm, a.Worst.Event, a.Count)
	}
	return a.Event
}

// catchUp takes over what others have done to alarms that are to be written.
func (r *governing) catchUp(ctx context.Context, part []alarm.Kept, now time.Time) error {
	ids := make([]string, len(part))
	for i, k := range part {
		ids[i] = k.Alarm.ID
	}
	docs, err := r.wholeAlarms(ctx, ids)
	if err != nil {
		return err
	}
	there := map[string]bool{}
	for _, k := range docs {
		id := k.doc.ID
		if there[id] = true; k.rev == r.rev[id] {
			continue
		}
		r.rev[id] = k.rev
		r.shelved[id] = k.doc.State == alarm.Shelved
		r.g.Acted(k.doc, true, now)
	}
	for _, k := range part {
		if !there[k.Alarm.ID] {
			delete(r.rev, k.Alarm.ID) // it is new, or retention has deleted it: written anew, it is deleted again
		}
	}
	// What is there and cannot be read is not written over, and keeps nothing else from being written.
	r.pending = slices.DeleteFunc(r.pending, func(k alarm.Kept) bool { return !there[k.Alarm.ID] && r.unread.has(r.keys.Alarm(k.Alarm.ID)) })
	at := map[string]int{}
	for i, k := range r.pending {
		at[k.Alarm.ID] = i
	}
	for _, k := range r.g.Changes() {
		if i, ok := at[k.Alarm.ID]; ok {
			k.Log = r.pending[i].Log
			r.pending[i] = k
		} else {
			r.pending = append(r.pending, k)
		}
	}
	return nil
}

// figures gives the figures where they are due, as they are kept; empty: they are not, or say nothing new.
func (r *governing) figures(now time.Time) string {
	if now.Sub(r.healthAt) < healthEvery {
		return ""
	}
	r.healthAt = now
	f := r.g.Health(now)
	if r.o.Health != nil {
		r.o.Health(f)
	}
	text, err := marshal(f)
	if err != nil {
		r.log.Error().Err(err).Msg("figures of alarms")
		return ""
	}
	timeless, _ := marshal(f.Timeless())
	if string(timeless) == r.told && now.Sub(r.toldAt) < healthAnyway {
		return ""
	}
	r.told, r.toldAt = string(timeless), now
	return string(text)
}
