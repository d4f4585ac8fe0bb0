package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
)

// Reader follows the cases in their order and writes what it decides. One server at a time reads for a jurisdiction, under the lease of
// whoever judges by the rules; a Reader is used by one goroutine.
//
// A step of a Reader that follows from changes moves its checkpoint too, by Store.passed with the offset of the last change that the step
// has dealt with: either both are written or none, so that no kill repeats or skips anything. A change of which nothing follows needs no
// step. After an error reading ends, and begins again with a new Reader at the checkpoint.
type Reader interface {
	// Name is the field of its checkpoint: alarm, fusion, status, dispatch.
	Name() string
	// Take is given changes in the order of the stream, a thousand at most, as soon as they are there. Changes with a negative offset, and the
	// one after them, are no changes but what stands: so a Reader that is not a Starter begins where it has no checkpoint, or one older
	// than the stream. It must then find what it has decided before; passed moves nothing at a negative offset.
	Take(ctx context.Context, changes []Change) error
	// Tick is called about once a second, between two Takes, for what follows from the clock alone.
	Tick(ctx context.Context, now time.Time) error
}

// Starter is a Reader that keeps something in memory, or wants what stands as documents.
type Starter interface {
	Reader
	// Start comes before all else. With open nil the changes after the offset follow by Take. Otherwise there was no checkpoint, or one older
	// than the stream: open is everything that stands at the offset, and the step that takes it in moves the checkpoint there.
	Start(ctx context.Context, offset int64, open *Open) error
}

// tickEvery is how often a Reader hears of the clock; markEvery how often a checkpoint moves over changes of which nothing followed.
const (
	tickEvery = time.Second
	markEvery = time.Second
)

// passed lets a step of a reader note that it has dealt with every change up to an offset.
func (s *Store) passed(st *step, reader string, offset int64) {
	if offset >= 0 {
		st.write("hset", s.keys.CaseReader(), reader, strconv.FormatInt(offset, 10))
	}
}

// ReaderAt is up to where a reader has dealt with the cases; -1: it has never read. Errors: feeds.ErrBusy.
func (s *Store) ReaderAt(ctx context.Context, reader string) (int64, error) {
	n, err := s.rdb.HGet(ctx, s.keys.CaseReader(), reader).Int64()
	switch {
	case errors.Is(err, redis.Nil):
		return -1, nil
	case err != nil:
		return 0, fmt.Errorf("%w: checkpoint of reader %s: %w", feeds.ErrBusy, reader, err)
	}
	return n, nil
}

// Read lets a reader follow the cases until ctx ends (nil) or something fails: then it is begun again with a new Reader, which finds all
// that this one has written. Errors: feeds.ErrBusy, ErrFenced on a Fenced store, of the Reader.
func (s *Store) Read(ctx context.Context, r Reader) error {
	m := &marking{Store: s, r: r}
	if err := m.begin(ctx); err != nil {
		return ended(ctx, err)
	}
	return ended(ctx, s.portions(ctx, m.at, m.take, m.rest))
}

// ended is nothing where the context has: a step that was cut off is no fault.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil && !errors.Is(err, ErrFenced) {
		return nil
	}
	return err
}

// marking is one reading: how far it is, and how far its checkpoint is known to be.
type marking struct {
	*Store
	r      Reader
	at     int64     // dealt with
	marked int64     // as far as is known to be written
	moved  time.Time // when that was; by the monotonic clock, as ticked
	ticked time.Time
}

// begin finds the checkpoint, or what stands where there is none that the stream still reaches back to.
func (m *marking) begin(ctx context.Context) error {
	at, err := m.ReaderAt(ctx, m.r.Name())
	if err != nil {
		return err
	}
	reached, err := m.reaches(ctx, at)
	if err != nil {
		return err
	}
	starter, starts := m.r.(Starter)
	m.at, m.marked, m.moved = at, at, time.Now()
	if reached {
		if starts {
			return starter.Start(ctx, at, nil)
		}
		return nil
	}
	open, err := m.Snapshot(ctx)
	if err != nil {
		return err
	}
	m.log.Info().Str("reader", m.r.Name()).Int64("checkpoint", at).Int64("offset", open.Offset).Msg("a reader of the cases begins with what stands")
	if starts {
		err = starter.Start(ctx, open.Offset, &open)
	} else {
		err = m.standing(ctx, open)
	}
	if err != nil {
		return err
	}
	m.at = open.Offset
	return m.mark(ctx)
}

// standing gives what stands as changes, of which only the last one moves a checkpoint.
func (m *marking) standing(ctx context.Context, open Open) error {
	list, err := open.changes()
	if err != nil || len(list) == 0 {
		return err
	}
	list[len(list)-1].Offset = open.Offset
	return m.r.Take(ctx, list)
}

// reaches tells whether the stream still holds every change after an offset.
func (s *Store) reaches(ctx context.Context, offset int64) (bool, error) {
	last, err := s.offset(ctx)
	if err != nil || offset < 0 || offset > last {
		return false, err
	}
	if offset == last {
		return true, nil
	}
	next, err := s.rdb.XRangeN(ctx, s.keys.Case(), streamID(offset+1), "+", 1).Result()
	if err != nil {
		return false, fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
	}
	return len(next) > 0 && next[0].ID == streamID(offset+1), nil
}

func (m *marking) take(ctx context.Context, list []Change) error {
	if err := m.r.Take(ctx, list); err != nil {
		return err
	}
	m.at = list[len(list)-1].Offset
	return m.rest(ctx)
}

// rest does what is due between two Takes.
func (m *marking) rest(ctx context.Context) error {
	now := time.Now()
	if now.Sub(m.ticked) >= tickEvery {
		m.ticked = now
		if err := m.r.Tick(ctx, m.now()); err != nil {
			return err
		}
	}
	if m.at > m.marked && now.Sub(m.moved) >= markEvery {
		return m.mark(ctx)
	}
	return nil
}

// readable gives the document of a change. What cannot be read, for a newer server wrote it, is told to whoever runs the house and passed over:
// else the reader would stand there, and nobody would hear of anything again.
func readable[T any](s *Store, reader string, c *Change) (*T, bool) {
	doc := new(T)
	if err := json.Unmarshal(c.Doc, doc); err != nil {
		s.log.Error().Err(err).Str("reader", reader).Int64("offset", c.Offset).Str("noun", c.Type).Str("id", c.ID).Msg("a change of the cases cannot be read and is passed over")
		return nil, false
	}
	return doc, true
}

// mark moves the checkpoint over changes of which nothing followed.
func (m *marking) mark(ctx context.Context) error {
	st := m.newStep(m.now())
	m.passed(st, m.r.Name(), m.at)
	if err := m.run(ctx, st); err != nil && !errors.Is(err, errConflict) {
		return err
	}
	m.marked, m.moved = m.at, time.Now()
	return nil
}

// changes is everything that stands, as changes with a negative offset.
func (o *Open) changes() ([]Change, error) {
	var out []Change
	add := func(noun, id string, doc any) error {
		b, err := json.Marshal(doc)
		if err != nil {
			return fmt.Errorf("%s %s: %w", noun, id, err)
		}
		out = append(out, Change{Offset: -1, Type: noun, ID: id, Doc: b})
		return nil
	}
	var errs []error
	for i := range o.Statuses {
		errs = append(errs, add("status", o.Statuses[i].ID, &o.Statuses[i]))
	}
	for i := range o.Statements {
		errs = append(errs, add("statement", o.Statements[i].ID, &o.Statements[i]))
	}
	for i := range o.Plans {
		errs = append(errs, add("plan", o.Plans[i].ID, &o.Plans[i]))
	}
	for i := range o.Units {
		errs = append(errs, add("unit", o.Units[i].ID, &o.Units[i]))
	}
	for i := range o.Dispatches {
		errs = append(errs, add("dispatch", o.Dispatches[i].ID, &o.Dispatches[i]))
	}
	for i := range o.Incidents {
		errs = append(errs, add("incident", o.Incidents[i].ID, &o.Incidents[i]))
	}
	for i := range o.Alerts {
		errs = append(errs, add("alert", o.Alerts[i].ID, &o.Alerts[i]))
	}
	for i := range o.Reports {
		errs = append(errs, add("report", o.Reports[i].ID, &o.Reports[i]))
	}
	for i := range o.Alarms {
		errs = append(errs, add("alarm", o.Alarms[i].ID, &o.Alarms[i]))
	}
	for i := range o.Suggestions {
		errs = append(errs, add("suggestion", o.Suggestions[i].ID, &o.Suggestions[i]))
	}
	return out, errors.Join(errs...)
}
