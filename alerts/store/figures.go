package store

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/figures"
	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// figuresAtOnce are read in one command: few enough that nobody waits for them, many enough that a year is a hundred of them.
const figuresAtOnce = 1000

// putFigures writes what figures need of an incident, in the step that changes it.
func (s *Store) putFigures(st *step, in *incident.Incident) {
	c := figures.Of(in)
	st.write("zadd", s.keys.Figures(), strconv.FormatInt(c.Stamps[figures.Signal], 10), in.ID)
	st.write("hset", s.keys.FigureCase(), in.ID, string(c.Append(nil)))
}

func (s *Store) dropFigures(st *step, id string) {
	st.write("zrem", s.keys.Figures(), id)
	st.write("hdel", s.keys.FigureCase(), id)
}

// Record is what figures are made from.
type Record struct {
	Cases []figures.Case // whose first signal came in the time that was asked for, and whatever else is open; by id
	Began time.Time      // of the oldest signal that is kept; zero: none is
}

// Figures gives the cases whose first signal came in a time, from at or after, to before, and every open one however old. Errors: feeds.ErrBusy.
func (s *Store) Figures(ctx context.Context, from, to time.Time) (Record, error) {
	if err := s.IndexFigures(ctx); err != nil {
		return Record{}, err
	}
	ids, err := s.rdb.ZRangeByScore(ctx, s.keys.Figures(), &redis.ZRangeBy{Min: strconv.FormatInt(from.UnixMilli(), 10), Max: "(" + strconv.FormatInt(to.UnixMilli(), 10)}).Result()
	if err != nil {
		return Record{}, fmt.Errorf("%w: index of figures: %w", feeds.ErrBusy, err)
	}
	open, err := s.rdb.SMembers(ctx, s.keys.IncidentsOpen()).Result()
	if err != nil {
		return Record{}, fmt.Errorf("%w: what is open: %w", feeds.ErrBusy, err)
	}
	ids = append(ids, open...)
	slices.Sort(ids)
	ids = slices.Compact(ids)
	out := Record{Cases: make([]figures.Case, 0, len(ids))}
	for part := range slices.Chunk(ids, figuresAtOnce) {
		kept, err := s.rdb.HMGet(ctx, s.keys.FigureCase(), part...).Result()
		if err != nil {
			return Record{}, fmt.Errorf("%w: cases of figures: %w", feeds.ErrBusy, err)
		}
		for i, v := range kept {
			text, there := v.(string)
			if !there {
				continue // deleted since
			}
			c, err := figures.Parse(text)
			if err != nil {
				return Record{}, fmt.Errorf("figures of incident %s: %w", part[i], err)
			}
			out.Cases = append(out.Cases, c)
		}
	}
	first, err := s.rdb.ZRangeWithScores(ctx, s.keys.Figures(), 0, 0).Result()
	if err != nil {
		return Record{}, fmt.Errorf("%w: beginning of figures: %w", feeds.ErrBusy, err)
	}
	if len(first) > 0 {
		out.Began = time.UnixMilli(int64(first[0].Score)).UTC()
	}
	return out, nil
}

// IndexFigures makes the index where it is not there yet, or of another version: of a store that an older server filled. What it has done
// stays when it is cut off; the next call goes on. Errors: feeds.ErrBusy, ErrFenced.
func (s *Store) IndexFigures(ctx context.Context) error {
	made, err := s.get(ctx, s.keys.FiguresMade())
	if err != nil || made == strconv.Itoa(figures.Version) {
		return err
	}
	for begin := int64(0); ; begin += batch {
		ids, err := s.rdb.ZRange(ctx, s.keys.Incidents(), begin, begin+batch-1).Result()
		if err != nil {
			return fmt.Errorf("%w: incidents to index: %w", feeds.ErrBusy, err)
		}
		for part := range slices.Chunk(ids, dropsAtOnce) {
			if err := s.retry(ctx, func() error { return s.indexPart(ctx, part) }); err != nil {
				return err
			}
		}
		if len(ids) < batch {
			break
		}
	}
	if err := s.rdb.Set(ctx, s.keys.FiguresMade(), figures.Version, 0).Err(); err != nil {
		return fmt.Errorf("%w: mark of figures: %w", feeds.ErrBusy, err)
	}
	return nil
}

// indexPart writes the figures of some incidents as they stand; whoever changes one meanwhile writes them too, and this is done anew.
func (s *Store) indexPart(ctx context.Context, ids []string) error {
	docs, err := s.incidentsOf(ctx, ids)
	if err != nil || len(docs) == 0 {
		return err
	}
	st := s.newStep(s.now())
	for i := range docs {
		st.check("rev", s.keys.Incident(docs[i].doc.ID), "", docs[i].rev)
		s.putFigures(st, &docs[i].doc)
	}
	return s.run(ctx, st)
}

// IncidentsByID gives the incidents of the ids as the query sees them, in their order, at most a page of them: Page is the number of the
// first. Only Limit, Page and SeeIncident of the query are used.
func (s *Store) IncidentsByID(ctx context.Context, ids []string, q Query) (items []incident.Incident, next string, err error) {
	begin := 0
	if q.Page != "" {
		if begin, err = strconv.Atoi(q.Page); err != nil || begin < 0 {
			return nil, "", fmt.Errorf("%w: page %.60q is not one of ours", ErrQuery, q.Page)
		}
	}
	items = []incident.Incident{}
	if begin >= len(ids) {
		return items, "", nil
	}
	end := min(len(ids), begin+limitOf(q.Limit))
	for part := range slices.Chunk(ids[begin:end], batch) {
		docs, err := s.incidentsOf(ctx, part)
		if err != nil {
			return nil, "", err
		}
		for _, k := range docs {
			if in, seen := q.seenIncident(k.doc); seen {
				items = append(items, in)
			}
		}
	}
	if end < len(ids) {
		next = strconv.Itoa(end)
	}
	return items, next, nil
}
