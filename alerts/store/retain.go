package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
)

// dropsAtOnce are deleted in one step.
const dropsAtOnce = 50

// standing is what open incidents rest on: it stays, however old it is.
type standing struct {
	incidents, refs map[string]bool
	texts           []string // of the open incidents that nobody can read
}

// holds tells whether a report is to stay: an open incident names it, or one that nobody can read may do so.
func (k *standing) holds(report string) bool {
	if k.refs[report] {
		return true
	}
	quoted, _ := json.Marshal(report) // a string always has a form
	return slices.ContainsFunc(k.texts, func(text string) bool {
		return strings.Contains(text, report) || strings.Contains(text, string(quoted[1:len(quoted)-1]))
	})
}

// illegible gives what is kept of incidents that cannot be read, as it is.
func (s *Store) illegible(ctx context.Context, ids []string) (out []string, err error) {
	for _, id := range ids {
		key := s.keys.Incident(id)
		if !s.unread.has(key) {
			continue
		}
		text, err := s.rdb.HGet(ctx, key, "doc").Result()
		if err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
			return nil, fmt.Errorf("%w: what %s rests on: %w", feeds.ErrBusy, key, err)
		}
		out = append(out, text)
	}
	return out, nil
}

func (s *Store) standing(ctx context.Context) (standing, error) {
	open, err := s.open(ctx)
	if err != nil {
		return standing{}, err
	}
	out := standing{incidents: map[string]bool{}, refs: map[string]bool{}}
	for _, k := range open {
		out.incidents[k.doc.ID] = true
		for _, e := range k.doc.Evidence {
			out.refs[e.Ref], out.refs[strings.TrimPrefix(e.Ref, e.Kind+":")] = true, true
		}
		if k.doc.Why.Alert != "" {
			out.refs[k.doc.Why.Alert] = true
		}
	}
	if s.unread.n.Load() == 0 {
		return out, nil
	}
	err = s.walkSet(ctx, s.keys.IncidentsOpen(), func(ids []string) (bool, error) {
		for _, id := range ids {
			out.incidents[id] = true
		}
		named, err := s.namedIn(ctx, ids, s.keys.Incident)
		for _, ref := range named {
			out.refs[ref] = true
		}
		if err == nil {
			out.texts, err = s.illegible(ctx, ids)
		}
		return true, err
	})
	return out, err
}

// DropIncidents deletes incidents that were closed or cancelled before a time, and have not changed since. Each portion is a step of its
// own: after an error, or a kill, the next call goes on. It counts what it deleted. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) DropIncidents(ctx context.Context, before time.Time) (int, error) {
	return drop(ctx, s, shelf[incident.Incident]{index: s.keys.Incidents(), set: s.keys.IncidentsOpen(), load: s.incidentsOf, id: func(in incident.Incident) string { return in.ID }},
		s.keys.Incident, before, func(in incident.Incident) bool { return !in.Status.Open() && in.UpdatedAt.Before(before) }, nil)
}

// DropAlerts deletes alerts that are no longer active and have not changed since a time, and that no open incident rests on, with every name
// by which they are found.
func (s *Store) DropAlerts(ctx context.Context, before time.Time) (int, error) {
	keep, err := s.standing(ctx)
	if err != nil {
		return 0, err
	}
	n, err := drop(ctx, s, shelf[alerts.Alert]{index: s.keys.Alerts(), set: s.keys.AlertsActive(), load: s.alertsOf, id: func(a alerts.Alert) string { return a.ID }},
		s.keys.Alert, before, func(a alerts.Alert) bool {
			return a.State != alerts.Active && a.UpdatedAt.Before(before) && a.ReceivedAt.Before(before) && !keep.refs[a.ID] && !keep.incidents[a.Incident]
		}, nil)
	if err != nil {
		return n, err
	}
	return n, s.dropNames(ctx)
}

// dropNames deletes names of alerts that are gone: those of this time, and of a time that was killed before it came so far.
func (s *Store) dropNames(ctx context.Context) error {
	return s.scan(ctx, s.keys.AlertKey("*"), func(keys []string) error {
		ids := make([]string, len(keys))
		pipe := s.rdb.Pipeline()
		got := make([]*redis.StringCmd, len(keys))
		for i, k := range keys {
			got[i] = pipe.Get(ctx, k)
		}
		if _, err := pipe.Exec(ctx); err != nil && !errors.Is(err, redis.Nil) {
			return fmt.Errorf("%w: names of alerts: %w", feeds.ErrBusy, err)
		}
		pipe = s.rdb.Pipeline()
		there := make([]*redis.IntCmd, len(keys))
		for i := range keys {
			ids[i] = got[i].Val()
			there[i] = pipe.Exists(ctx, s.keys.Alert(ids[i]))
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return fmt.Errorf("%w: names of alerts: %w", feeds.ErrBusy, err)
		}
		for i, k := range keys {
			if ids[i] == "" || there[i].Val() == 1 {
				continue
			}
			st := s.newStep(s.now())
			st.check("str", k, "", ids[i]) // else another alert has taken the name meanwhile
			st.write("del", k)
			if err := s.run(ctx, st); err != nil && !errors.Is(err, errConflict) {
				return err
			}
		}
		return nil
	})
}

// DropReports deletes reports that have not changed since a time and that no open incident rests on. beside is told the ids first: what
// others keep of them goes before they do, so that a kill leaves nothing that nobody finds.
func (s *Store) DropReports(ctx context.Context, before time.Time, beside func(ctx context.Context, ids []string) error) (int, error) {
	keep, err := s.standing(ctx)
	if err != nil {
		return 0, err
	}
	return drop(ctx, s, shelf[report.Report]{index: s.keys.Reports(), set: s.keys.ReportsOpen(), load: s.reportsOf, id: func(r report.Report) string { return r.ID }},
		s.keys.Report, before, func(r report.Report) bool {
			return r.ChangedAt.Before(before) && r.ReceivedAt.Before(before) && !keep.holds(r.ID)
		}, beside)
}

// Standing tells which of the reports an open incident rests on.
func (s *Store) Standing(ctx context.Context) (func(report string) bool, error) {
	keep, err := s.standing(ctx)
	return keep.holds, err
}

// drop deletes what is old of a noun, the oldest first. Scores are times of birth: nothing younger than before can be old.
func drop[T any](ctx context.Context, s *Store, from shelf[T], key func(string) string, before time.Time, old func(T) bool, beside func(context.Context, []string) error) (n int, err error) {
	max := "(" + strconv.FormatInt(before.UnixMilli(), 10)
	for skip := int64(0); ; {
		ids, err := s.rdb.ZRangeByScore(ctx, from.index, &redis.ZRangeBy{Min: "-inf", Max: max, Offset: skip, Count: batch}).Result()
		if err != nil {
			return n, fmt.Errorf("%w: what is old: %w", feeds.ErrBusy, err)
		}
		docs, err := from.load(ctx, ids)
		if err != nil {
			return n, err
		}
		rev := map[string]string{}
		for _, k := range docs {
			if old(k.doc) {
				rev[from.id(k.doc)] = k.rev
			} else {
				rev[from.id(k.doc)] = "-"
			}
		}
		var gone []string // a name without a document goes too
		for _, id := range ids {
			if rev[id] != "-" && !s.unread.has(key(id)) { // what cannot be read stays: nobody knows how old it is
				gone = append(gone, id)
			}
		}
		for part := range slices.Chunk(gone, dropsAtOnce) {
			done, err := s.dropPart(ctx, from.index, from.set, key, part, rev, beside)
			if n += done; err != nil {
				return n, err
			}
			skip -= int64(done)
		}
		if len(ids) < batch {
			return n, nil
		}
		skip += int64(len(ids))
	}
}

// dropPart deletes a portion, or one by one where something of it has changed meanwhile.
func (s *Store) dropPart(ctx context.Context, index, set string, key func(string) string, ids []string, rev map[string]string, beside func(context.Context, []string) error) (int, error) {
	if beside != nil {
		if err := beside(ctx, ids); err != nil {
			return 0, err
		}
	}
	st := s.newStep(s.now())
	kind := "srem"
	if set == s.keys.ReportsOpen() {
		kind = "zrem"
	}
	for _, id := range ids {
		st.check("rev", key(id), "", rev[id])
		st.gone(key(id))
		st.write("zrem", index, id)
		st.write(kind, set, id)
		if index == s.keys.Incidents() {
			s.dropFigures(st, id)
		}
	}
	err := s.run(ctx, st)
	if !errors.Is(err, errConflict) {
		if err != nil {
			return 0, err
		}
		return len(ids), nil
	}
	if len(ids) == 1 {
		return 0, nil // it changed: it is no longer old
	}
	n := 0
	for _, id := range ids {
		done, err := s.dropPart(ctx, index, set, key, []string{id}, rev, nil)
		if n += done; err != nil {
			return n, err
		}
	}
	return n, nil
}

// DropChanges notes how far the case stream has come by now, and cuts off what was in it before a time: its entries say no time themselves.
func (s *Store) DropChanges(ctx context.Context, before time.Time) (int64, error) {
	offset, err := s.offset(ctx)
	if err != nil {
		return 0, err
	}
	now := s.now().UnixMilli()
	if err := s.rdb.ZAddNX(ctx, s.keys.CaseMark(), redis.Z{Score: float64(now), Member: strconv.FormatInt(offset, 10)}).Err(); err != nil {
		return 0, fmt.Errorf("%w: mark the case stream: %w", feeds.ErrBusy, err)
	}
	last, err := s.rdb.ZRevRangeByScore(ctx, s.keys.CaseMark(), &redis.ZRangeBy{Min: "-inf", Max: strconv.FormatInt(before.UnixMilli(), 10), Count: 1}).Result()
	if err != nil || len(last) == 0 {
		return 0, err
	}
	upTo, err := strconv.ParseInt(last[0], 10, 64)
	if err != nil {
		return 0, fmt.Errorf("mark %q of the case stream: %w", last[0], err)
	}
	n, err := s.rdb.XTrimMinID(ctx, s.keys.Case(), streamID(upTo+1)).Result()
	if err != nil {
		return 0, fmt.Errorf("%w: cut the case stream: %w", feeds.ErrBusy, err)
	}
	err = s.rdb.ZRemRangeByScore(ctx, s.keys.CaseMark(), "-inf", "("+strconv.FormatInt(before.UnixMilli()-int64(time.Hour/time.Millisecond), 10)).Err()
	return n, err
}
