package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/geo"
	"kentongan/geo/area"
)

// StatusSettings is what the profile says of the area's status.
type StatusSettings struct {
	Rules      *status.Rules
	Levels     []status.Level // from 1 up
	Scales     statement.Scales
	LowerAfter time.Duration // 0: status.DefaultLowerAfter
}

// settle is how long after a moment its changes may still come: the clock of the status goes that far behind, so that they are judged in
// their order.
const settle = 2 * time.Second

// statusReader proposes levels of the area: it feeds the cases to the engine, and keeps what comes of it.
type statusReader struct {
	s      *Store
	e      *status.Engine
	revs   map[string]string // of the statuses, as they were when they were read or written
	offset int64             // up to where the cases are dealt with
}

// StatusReader makes the reader that proposes levels of the area, by what Options.Status says.
func (s *Store) StatusReader() Reader {
	o := s.status
	return &statusReader{s: s, revs: map[string]string{}, e: status.NewEngine(status.Options{Rules: o.Rules, Levels: o.Levels, Scales: o.Scales, LowerAfter: o.LowerAfter, Place: newDistricts(s.place)})}
}

// Name is the field of its checkpoint.
func (r *statusReader) Name() string { return "status" }

// Start takes in everything that stands, and judges it.
func (r *statusReader) Start(ctx context.Context, offset int64, open *Open) error {
	if open == nil {
		now, err := r.s.Snapshot(ctx)
		if err != nil {
			return err
		}
		open = &now // at most ahead of the checkpoint: what has changed since comes once more, and changes nothing
	}
	tracks, err := r.s.tracks(ctx)
	if err != nil {
		return err
	}
	r.know(tracks)
	for i := range open.Statements {
		r.e.Statement(&open.Statements[i])
	}
	for i := range open.Incidents {
		r.e.Incident(&open.Incidents[i])
	}
	for i := range open.Alerts {
		r.e.Alert(&open.Alerts[i])
	}
	for i := range open.Alarms {
		r.e.Alarm(&open.Alarms[i])
	}
	for i := range open.Units {
		u := &open.Units[i]
		r.e.Unit(&status.Unit{ID: u.ID, Agency: u.Agency, Status: string(u.Status), StatusAt: u.StatusAt})
	}
	r.offset = offset
	return r.keep(ctx, r.e.Begin(r.s.now()))
}

func (r *statusReader) know(tracks []kept[status.Track]) {
	for _, k := range tracks {
		r.e.Know(k.doc)
		r.revs[k.doc.ID] = k.rev
	}
}

// Take feeds changes to the engine.
func (r *statusReader) Take(ctx context.Context, list []Change) error {
	var all []status.Change
	told := false
	for _, c := range list {
		if c.Type == "status" { // ours, or an officer's
			told = true
			continue
		}
		all = status.Merge(all, r.one(&c))
	}
	r.offset = list[len(list)-1].Offset
	if len(all) > 0 {
		return r.keep(ctx, all)
	}
	if !told {
		return nil
	}
	return r.again(ctx)
}

// one feeds one change to the engine. What a newer server writes and this one cannot read says nothing here.
func (r *statusReader) one(c *Change) []status.Change {
	switch c.Type {
	case "incident":
		return judged(r, c, r.e.Incident)
	case "alert":
		return judged(r, c, r.e.Alert)
	case "alarm":
		return judged(r, c, r.e.Alarm)
	case "statement":
		return judged(r, c, r.e.Statement)
	case "unit":
		return judged(r, c, r.e.Unit)
	}
	return nil
}

func judged[T any](r *statusReader, c *Change, by func(*T) []status.Change) []status.Change {
	if doc, ok := readable[T](r.s, r.Name(), c); ok {
		return by(doc)
	}
	return nil
}

// Tick lets the clock of the status go on.
func (r *statusReader) Tick(ctx context.Context, now time.Time) error {
	if changes := r.e.Tick(now.Add(-settle)); len(changes) > 0 {
		return r.keep(ctx, changes)
	}
	return nil
}

// again reads the statuses as they are kept, and judges them as of the time of the last judgement.
func (r *statusReader) again(ctx context.Context) error {
	tracks, err := r.s.tracks(ctx)
	if err != nil {
		return err
	}
	r.know(tracks)
	if changes := r.e.Again(); len(changes) > 0 {
		return r.keep(ctx, changes)
	}
	return nil
}

// keep writes changes with the checkpoint, in one step. Where an officer has been faster nothing is written: what they have made is read,
// and judged.
func (r *statusReader) keep(ctx context.Context, changes []status.Change) error {
	changes = slices.DeleteFunc(changes, func(c status.Change) bool { // what stands cannot be read, and is not written over
		return r.revs[c.ID] == "" && r.s.unread.has(r.s.keys.Status(c.ID))
	})
	if len(changes) == 0 {
		return nil
	}
	st := r.s.newStep(r.s.now())
	for i := range changes {
		c := &changes[i]
		if err := r.s.putTrack(st, r.revs[c.ID], c); err != nil {
			return err
		}
		for _, e := range c.Entries {
			if err := st.audited(audit.Actor{Subject: "house:status"}, "status."+string(e.Act), "status:"+c.ID, reasonOf(e), nil, e.Status); err != nil {
				return err
			}
		}
	}
	r.s.passed(st, r.Name(), r.offset)
	err := r.s.run(ctx, st)
	if errors.Is(err, errConflict) {
		return r.again(ctx)
	}
	if err != nil {
		return err
	}
	for _, c := range changes {
		r.revs[c.ID] = nextRev(r.revs[c.ID])
	}
	return nil
}

// reasonOf says what an entry of the house is about: the level and the rules.
func reasonOf(e status.Entry) string {
	if p := e.Status.Proposal; p != nil {
		return fmt.Sprintf("level %d by %s", p.Level, strings.Join(p.Rules, ", "))
	}
	return ""
}

// districts are the kecamatan of the place, with cells of each to ask an alert's area for.
type districts struct {
	areas *area.Set
	names map[string]bool
	cells map[string][]geo.Position
}

// sampleCells bounds how finely the kecamatan are asked; a province's are more than this at resolution 8.
const sampleCells = 100_000

func newDistricts(p alerts.Place) *districts {
	d := &districts{areas: p.Areas, names: map[string]bool{}, cells: map[string][]geo.Position{}}
	for _, a := range p.Areas.Areas() {
		if a.Kind == area.District {
			d.names[a.Name] = true
			d.cells[a.Name] = append(d.cells[a.Name], a.Center())
		}
	}
	if list, names, err := p.Areas.Cells(geo.ResArea, sampleCells); err == nil { // else the middles have to do
		for _, c := range list {
			if name := names[c]; d.names[name] {
				d.cells[name] = append(d.cells[name], c.Center())
			}
		}
	}
	return d
}

// District tells a kecamatan of ours; without areas every name is one.
func (d *districts) District(name string) bool {
	return d.names[name] || len(d.names) == 0 && name != ""
}

// Covered gives the kecamatan that an alert covers: by its area, or by its words where it has none. Without areas an alert that concerns us
// covers the one that is everywhere.
func (d *districts) Covered(a *alerts.Alert) []string {
	if len(d.names) == 0 {
		return []string{""}
	}
	shape, hit := a.Area.Geometry, map[string]bool{}
	add := func(p geo.Position) {
		if one, ok := d.areas.Find(p); ok && d.names[one.Name] {
			hit[one.Name] = true
		}
	}
	for _, p := range slices.Concat(shape.Points, slices.Concat(shape.Lines...)) {
		add(p)
	}
	for _, pg := range shape.Polygons {
		fence := pg.Fence()
		for _, ring := range pg.Rings {
			for _, p := range ring {
				add(p)
			}
		}
		for name, cells := range d.cells {
			if !hit[name] && slices.ContainsFunc(cells, fence.Contains) {
				hit[name] = true
			}
		}
	}
	if shape.IsZero() {
		for _, one := range d.areas.ByName(strings.Join([]string{a.Area.Properties.Name, a.Headline, a.Description}, "; ")) {
			if d.names[one.Name] {
				hit[one.Name] = true
			}
		}
	}
	out := []string{}
	for name := range hit {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
