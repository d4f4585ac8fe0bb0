package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// remembered decisions: one that a person refused within this time does not come again, after a restart either.
const decisionsFor = 7 * 24 * time.Hour

// tickFusion is how often old accounts are forgotten.
const tickFusion = time.Minute

// atOnceFusion is how many changes are dealt with in one step: few enough that a step is no heavy script, many enough that a flood of
// accounts of one incident writes it seldom.
const atOnceFusion = 200

// fusionActor is who joins evidence where nobody has to be asked.
const fusionActor = "house:fusion"

// fusionReader joins alerts and reports to incidents, and makes suggestions.
type fusionReader struct {
	s      *Store
	core   *fusion.Core
	offset int64
	ticked time.Time
}

// fusionTable is what matching knows of types.
func (s *Store) fusionTable() fusion.Table {
	if s.fusion.Table != nil {
		return *s.fusion.Table
	}
	return fusion.DefaultTable()
}

// FusionReader makes the reader that joins accounts to incidents, by what Options.Fusion says.
func (s *Store) FusionReader() Reader {
	o := fusion.Options{Table: s.fusionTable(), Where: s.whose, Contact: s.contact}
	o.Attach = func(code string) bool { return slices.Contains(s.fusion.Attach, code) }
	return &fusionReader{s: s, core: fusion.NewCore(o)}
}

// whose names a place: our area's name, or the slug of the neighbour whose ground it is.
func (s *Store) whose(p geo.Position) (area, neighbour string) {
	st := s.place.Owns(p)
	if st.Neighbour != nil {
		return st.Neighbour.Name, st.Neighbour.Slug
	}
	if st.Area != nil {
		return st.Area.Name, ""
	}
	return "", ""
}

// contact is a neighbour's name and number.
func (s *Store) contact(slug string) string {
	for _, n := range s.place.Neighbours {
		if n.Slug == slug {
			if n.Emergency == "" {
				return n.Name
			}
			return n.Name + ", " + n.Emergency
		}
	}
	return slug
}

// Name is the field of its checkpoint.
func (r *fusionReader) Name() string { return "fusion" }

// Start takes in everything that stands, in the order in which it came.
func (r *fusionReader) Start(ctx context.Context, offset int64, open *Open) error {
	if open == nil {
		now, err := r.s.Snapshot(ctx)
		if err != nil {
			return err
		}
		open = &now // at most ahead of the checkpoint: what has changed since comes once more, and changes nothing
	}
	r.offset = offset
	decided, err := r.s.lately(ctx)
	if err != nil {
		return err
	}
	for i := range open.Incidents {
		r.core.Incident(&open.Incidents[i])
	}
	for i := range open.Suggestions {
		r.core.Known(&open.Suggestions[i])
	}
	for i := range decided {
		r.core.Known(&decided[i])
	}
	r.tell(open)
	for i := range decided { // now that the accounts are known, what was decided of them
		r.core.Known(&decided[i])
	}
	r.core.Begin()
	return r.keep(ctx)
}

// tell gives the core alerts and reports by when they were received: a restart makes of them what came of them before.
func (r *fusionReader) tell(open *Open) {
	list, said := slices.Clone(open.Alerts), slices.Clone(open.Reports)
	slices.SortFunc(list, func(a, b alerts.Alert) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	slices.SortFunc(said, func(a, b report.Report) int {
		return cmp.Or(a.ReceivedAt.Compare(b.ReceivedAt.Time), cmp.Compare(a.ID, b.ID))
	})
	for len(list) > 0 || len(said) > 0 {
		if len(said) == 0 || len(list) > 0 && !list[0].ReceivedAt.After(said[0].ReceivedAt.Time) {
			r.core.Alert(&list[0])
			list = list[1:]
		} else {
			r.core.Report(&said[0])
			said = said[1:]
		}
	}
}

// lately loads the suggestions that people have decided on.
func (s *Store) lately(ctx context.Context) (out []fusion.Suggestion, err error) {
	after := s.now().Add(-decisionsFor).UnixMilli()
	for skip := int64(0); ; skip += batch {
		ids, err := s.rdb.ZRevRangeByScore(ctx, s.keys.Suggestions(), &redis.ZRangeBy{Min: fmt.Sprint(after), Max: "+inf", Offset: skip, Count: batch}).Result()
		if err != nil {
			return nil, fmt.Errorf("%w: suggestions: %w", feeds.ErrBusy, err)
		}
		list, err := s.suggestionsOf(ctx, ids)
		if err != nil {
			return nil, err
		}
		for _, k := range list {
			if k.doc.State == fusion.Refused || k.doc.State == fusion.Accepted {
				out = append(out, k.doc)
			}
		}
		if len(ids) < batch {
			return out, nil
		}
	}
}

// Take tells the core of changes, and keeps what follows with the checkpoint, some at a time.
func (r *fusionReader) Take(ctx context.Context, list []Change) error {
	for part := range slices.Chunk(list, atOnceFusion) {
		for i := range part {
			r.one(&part[i])
		}
		r.offset = part[len(part)-1].Offset
		if err := r.keep(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *fusionReader) one(c *Change) {
	switch c.Type {
	case "incident":
		if in, ok := readable[incident.Incident](r.s, r.Name(), c); ok {
			r.core.Incident(in)
		}
	case "alert":
		if a, ok := readable[alerts.Alert](r.s, r.Name(), c); ok {
			r.core.Alert(a)
		}
	case "report":
		if one, ok := readable[report.Report](r.s, r.Name(), c); ok {
			r.core.Report(one)
		}
	case "suggestion":
		if g, ok := readable[fusion.Suggestion](r.s, r.Name(), c); ok && (g.State == fusion.Accepted || g.State == fusion.Refused) { // all else is ours
			r.core.Known(g)
		}
	}
}

// Tick lets the core forget what is old.
func (r *fusionReader) Tick(ctx context.Context, now time.Time) error {
	if now.Sub(r.ticked) < tickFusion {
		return nil
	}
	r.ticked = now
	r.core.Tick(now)
	return r.keep(ctx)
}

// keep writes what follows, each step decided again until nothing has changed in between: an incident that somebody closed meanwhile takes
// no evidence, and what somebody decided on stays decided.
func (r *fusionReader) keep(ctx context.Context) error {
	out := r.core.Flush()
	if len(out.Joins) == 0 && len(out.Suggestions) == 0 {
		return nil
	}
	return r.s.retry(ctx, func() error {
		st := r.s.newStep(r.s.now())
		if err := r.joins(ctx, st, out.Joins); err != nil {
			return err
		}
		if err := r.suggestions(ctx, st, out.Suggestions); err != nil {
			return err
		}
		if st.nWrite == 0 {
			return nil
		}
		r.s.passed(st, r.Name(), r.offset)
		return r.s.run(ctx, st)
	})
}

func (r *fusionReader) joins(ctx context.Context, st *step, list []fusion.Joined) error {
	var ids, named []string
	for i := range list {
		if id := list[i].Incident; !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
		if list[i].Signal.Kind != "report" {
			named = append(named, list[i].Signal.Key)
		}
	}
	docs, err := r.s.incidentsOf(ctx, ids)
	if err != nil {
		return err
	}
	told, err := r.s.alertsOf(ctx, named)
	if err != nil {
		return err
	}
	now := st.now.Time
	for _, k := range docs {
		if !k.doc.Status.Open() || k.doc.Status == incident.Resolved {
			continue
		}
		in := k.doc.Clone()
		for i := range list {
			j := &list[i]
			if j.Incident != in.ID || j.Signal.Simulated != in.Simulated || in.Evident(j.Signal.Ref) || slices.Contains(in.Apart, j.Signal.Ref) {
				continue
			}
			in.AddEvidence(j.Evidence(), fusionActor, now)
			if err := st.audited(audit.Actor{Subject: fusionActor}, "incident.evidence", "incident:"+in.ID, j.Signal.Kind+":"+j.Signal.Ref, nil, j.Evidence()); err != nil {
				return err
			}
			for _, a := range told {
				if a.doc.ID == j.Signal.Key && a.doc.Incident == "" && a.doc.State == alerts.Active {
					one := a.doc
					one.Incident, one.UpdatedAt = in.ID, st.now
					if err := r.s.putAlert(st, a.rev, &one, a.own, false); err != nil {
						return err
					}
				}
			}
		}
		if len(in.Evidence) > len(k.doc.Evidence) {
			if err := r.s.putIncident(st, k.rev, &in); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *fusionReader) suggestions(ctx context.Context, st *step, list []fusion.Suggestion) error {
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].ID
	}
	known, err := r.s.suggestionsOf(ctx, ids)
	if err != nil {
		return err
	}
	for i := range list {
		g := list[i]
		n := slices.IndexFunc(known, func(k kept[fusion.Suggestion]) bool { return k.doc.ID == g.ID })
		var before any
		rev := ""
		switch {
		case n < 0 && r.s.unread.has(r.s.keys.Suggestion(g.ID)):
			continue // it is there, and nobody can read what became of it
		case n < 0 && g.State != fusion.Offered:
			continue // it came and went within one step
		case n >= 0:
			k := known[n]
			if k.doc.State == fusion.Accepted || k.doc.State == fusion.Refused {
				continue
			}
			rev, before = k.rev, k.doc
			if g.Version = k.doc.Version; k.doc.State != g.State {
				g.Version++ // it stands otherwise than who looks at it knows
			}
			if sameSuggestion(&k.doc, &g) {
				continue
			}
			if k.doc.State == g.State {
				before = nil
			}
		}
		g.UpdatedAt = moment.Of(st.now.Time)
		if err := r.s.putSuggestion(st, rev, &g); err != nil {
			return err
		}
		if n < 0 || before != nil {
			if err := st.audited(audit.Actor{Subject: fusionActor}, "suggestion."+string(g.State), "suggestion:"+g.ID, string(g.Kind)+" "+g.Incident, before, g); err != nil {
				return err
			}
		}
	}
	return nil
}

// sameSuggestion tells that nothing has changed that anybody reads.
func sameSuggestion(a, b *fusion.Suggestion) bool {
	return a.State == b.State && a.Weight == b.Weight && a.Incident == b.Incident && slices.Equal(a.Evidence, b.Evidence)
}
