package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/plan"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/feeds"
)

// ErrNoStatus means that there is no status of that hazard: 404.
var ErrNoStatus = errors.New("there is no such status")

// StatusHistoryKept is how many entries of the history of one status are kept.
const StatusHistoryKept = 500

// StatusConflict is an act on a status that came too late, or that it does not allow: 409.
type StatusConflict struct {
	Current status.Status
	Cause   error
}

func (c *StatusConflict) Error() string { return c.Cause.Error() }
func (c *StatusConflict) Unwrap() error { return c.Cause }

// statusDoc is the stored form, version 1.
type statusDoc struct {
	V int `json:"v"`
	status.Status
	Memory status.Memory `json:"memory,omitzero"` // where it stood before it stood beside
}

func (s *Store) trackForm() form[status.Track] {
	return formOf(s.keys.Status, func(d *statusDoc) (status.Track, string) {
		return status.Track{Status: d.Status, Memory: d.Memory}, d.ID
	})
}

func (s *Store) tracksOf(ctx context.Context, ids []string) ([]kept[status.Track], error) {
	list, err := load(ctx, s, s.trackForm(), ids)
	for i := range list {
		if inside := list[i].own.Memory; inside != nil {
			list[i].doc.Memory = *inside
		}
	}
	return list, err
}

// tracks loads every status.
func (s *Store) tracks(ctx context.Context) (out []kept[status.Track], err error) {
	err = s.walkSet(ctx, s.keys.Statuses(), func(ids []string) (bool, error) {
		out, err = s.tracksOf(ctx, ids)
		return true, err
	})
	return out, err
}

// putTrack writes a status into the step, with what is new in its history. One whose memory alone has changed is told to nobody.
func (s *Store) putTrack(st *step, rev string, c *status.Change) error {
	own, err := marshal(origin{Memory: &c.Memory})
	if err != nil {
		return err
	}
	key := s.keys.Status(c.ID)
	st.check("rev", key, "", rev)
	if rev != "" && !c.Told {
		st.write("inside", key, nextRev(rev), string(own))
	} else {
		doc, err := marshal(statusDoc{V: 1, Status: c.Status})
		if err != nil {
			return err
		}
		st.doc(key, nextRev(rev), doc, string(own), "")
	}
	if rev == "" {
		st.write("sadd", s.keys.Statuses(), c.ID)
	}
	for _, e := range c.Entries {
		line, err := marshal(e)
		if err != nil {
			return err
		}
		st.write("zadd", s.keys.StatusHistory(c.ID), strconv.FormatInt(e.Seq, 10), string(line))
		if e.Seq > StatusHistoryKept {
			st.write("zcut", s.keys.StatusHistory(c.ID), strconv.FormatInt(e.Seq-StatusHistoryKept, 10))
		}
	}
	if !c.Told {
		return nil
	}
	told, err := marshal(c.Status)
	if err != nil {
		return err
	}
	st.event("status", c.ID, told)
	return nil
}

// AreaStatus gives every status, the real ones first, the area first among them.
func (s *Store) AreaStatus(ctx context.Context) ([]status.Status, error) {
	list, err := s.tracks(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]status.Status, 0, len(list))
	for _, k := range list {
		out = append(out, k.doc.Status)
	}
	status.Sort(out)
	return out, nil
}

// StatusOf gives the status of that id (status.ID); ErrNoStatus.
func (s *Store) StatusOf(ctx context.Context, id string) (status.Status, error) {
	k, err := s.trackOf(ctx, id)
	return k.doc.Status, err
}

func (s *Store) trackOf(ctx context.Context, id string) (kept[status.Track], error) {
	list, err := s.tracksOf(ctx, []string{id})
	if err != nil {
		return kept[status.Track]{}, err
	}
	if len(list) == 0 {
		return kept[status.Track]{}, fmt.Errorf("%w: %.40q", ErrNoStatus, id)
	}
	return list[0], nil
}

// SetStatus lets an officer confirm a level, where may allows it: it is asked of the very status that is changed, with the level that it is
// to have. Errors: ErrNoStatus, *StatusConflict, status.ErrInvalid, of may, feeds.ErrBusy.
func (s *Store) SetStatus(ctx context.Context, id string, set status.Setting, who audit.Actor, may func(now *status.Status, level int) error) (status.Status, error) {
	set.By = who.Subject
	return s.changeStatus(ctx, id, who, "status.confirmed", set.Note, func(k kept[status.Track], st *step) (status.Track, status.Entry, error) {
		if err := may(&k.doc.Status, set.Level); err != nil {
			return k.doc, status.Entry{}, err
		}
		return k.doc.Confirm(set, s.status.Levels, st.now.Time)
	})
}

// RevertStatus brings a status back to what was confirmed before, with its evidence. Errors as of SetStatus.
func (s *Store) RevertStatus(ctx context.Context, id string, version int, reason string, who audit.Actor, may func(now *status.Status, level int) error) (status.Status, error) {
	return s.changeStatus(ctx, id, who, "status.reverted", reason, func(k kept[status.Track], st *step) (status.Track, status.Entry, error) {
		to, err := s.before(ctx, id, k.doc.Memory.Standing)
		if err != nil {
			return k.doc, status.Entry{}, err
		}
		if to.Sets() {
			if err := may(&k.doc.Status, to.Status.Level); err != nil {
				return k.doc, status.Entry{}, err
			}
		}
		return k.doc.Revert(status.Reverting{To: to, Reason: reason, Version: version, By: who.Subject}, st.now.Time)
	})
}

func (s *Store) changeStatus(ctx context.Context, id string, who audit.Actor, action, reason string, change func(kept[status.Track], *step) (status.Track, status.Entry, error)) (out status.Status, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.trackOf(ctx, id)
		if err != nil {
			return err
		}
		st := s.newStep(s.now())
		next, entry, err := change(k, st)
		if errors.Is(err, status.ErrStale) || errors.Is(err, status.ErrNotAllowed) {
			return &StatusConflict{k.doc.Status, err}
		}
		if err != nil {
			return err
		}
		if err := s.putTrack(st, k.rev, &status.Change{Track: next, Entries: []status.Entry{entry}, Told: true}); err != nil {
			return err
		}
		if err := st.audited(who, action, "status:"+id, reason, k.doc.Status, next.Status); err != nil {
			return err
		}
		out = next.Status
		return s.run(ctx, st)
	})
	return out, err
}

// before gives the last entry before another that set a level; a zero entry where there is none.
func (s *Store) before(ctx context.Context, id string, seq int64) (status.Entry, error) {
	page := strconv.FormatInt(seq, 10)
	for page != "" {
		list, next, err := s.StatusHistory(ctx, id, batch, page)
		if err != nil {
			return status.Entry{}, err
		}
		for _, e := range list {
			if e.Sets() {
				return e, nil
			}
		}
		page = next
	}
	return status.Entry{}, nil
}

// StatusHistory lists what became of a status, the newest first. A page names the last entry given. Errors: ErrQuery, feeds.ErrBusy.
func (s *Store) StatusHistory(ctx context.Context, id string, limit int, page string) (items []status.Entry, next string, err error) {
	high := "+inf"
	if page != "" {
		if _, err := strconv.ParseInt(page, 10, 64); err != nil {
			return nil, "", fmt.Errorf("%w: page %.60q is not one of ours", ErrQuery, page)
		}
		high = "(" + page
	}
	limit = limitOf(limit)
	lines, err := s.rdb.ZRevRangeByScoreWithScores(ctx, s.keys.StatusHistory(id), &redis.ZRangeBy{Min: "-inf", Max: high, Count: int64(limit) + 1}).Result()
	if err != nil {
		return nil, "", fmt.Errorf("%w: history of status %s: %w", feeds.ErrBusy, id, err)
	}
	items = []status.Entry{}
	for i, line := range lines {
		if i == limit {
			return items, strconv.FormatInt(int64(lines[limit-1].Score), 10), nil
		}
		text, _ := line.Member.(string)
		var e status.Entry
		if err := json.Unmarshal([]byte(text), &e); err != nil {
			s.unread.note(fmt.Sprintf("%s %.0f", s.keys.StatusHistory(id), line.Score), err, true)
			continue
		}
		items = append(items, e)
	}
	return items, "", nil
}

// meaning fills in what stands of plans, statements and statuses.
func (s *Store) meaning(ctx context.Context, o *Open) error {
	plans, err := s.standingPlans(ctx)
	if err != nil {
		return err
	}
	said, err := s.inForce(ctx)
	if err != nil {
		return err
	}
	o.Plans, o.Statements = make([]plan.Plan, len(plans)), make([]statement.Statement, len(said))
	for i, k := range plans {
		o.Plans[i] = k.doc
	}
	for i, k := range said {
		o.Statements[i] = k.doc
	}
	o.Statuses, err = s.AreaStatus(ctx)
	return err
}
