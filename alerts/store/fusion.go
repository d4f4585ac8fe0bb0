package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// FusionSettings is what a site says of joining accounts to incidents.
type FusionSettings struct {
	Attach []string      // incident types that reports join by themselves; of all others a person is asked
	Table  *fusion.Table // nil: fusion.DefaultTable
}

// ErrNoSuggestion means that there is no suggestion of that id: 404.
var ErrNoSuggestion = errors.New("there is no such suggestion")

// SuggestionConflict is a decision that came too late: 409.
type SuggestionConflict struct {
	Current fusion.Suggestion
	Cause   error
}

func (c *SuggestionConflict) Error() string { return c.Cause.Error() }

// Unwrap is the cause.
func (c *SuggestionConflict) Unwrap() error { return c.Cause }

// suggestionDoc is the stored form, version 1.
type suggestionDoc struct {
	V int `json:"v"`
	fusion.Suggestion
}

func (s *Store) suggestionForm() form[fusion.Suggestion] {
	return formOf(s.keys.Suggestion, func(d *suggestionDoc) (fusion.Suggestion, string) { return d.Suggestion, d.ID })
}

func (s *Store) suggestionsOf(ctx context.Context, ids []string) ([]kept[fusion.Suggestion], error) {
	return load(ctx, s, s.suggestionForm(), ids)
}

// putSuggestion writes a suggestion into the step.
func (s *Store) putSuggestion(st *step, rev string, g *fusion.Suggestion) error {
	doc, err := marshal(suggestionDoc{1, *g})
	if err != nil {
		return err
	}
	key := s.keys.Suggestion(g.ID)
	st.check("rev", key, "", rev)
	st.doc(key, nextRev(rev), doc, "", "")
	if rev == "" {
		st.write("zadd", s.keys.Suggestions(), strconv.FormatInt(g.At.Milli(), 10), g.ID)
	}
	if g.State == fusion.Offered {
		st.write("sadd", s.keys.SuggestionsOffered(), g.ID)
	} else {
		st.write("srem", s.keys.SuggestionsOffered(), g.ID)
	}
	st.event("suggestion", g.ID, doc)
	return nil
}

// offered loads the suggestions that wait for somebody, the newest first.
func (s *Store) offered(ctx context.Context) (out []fusion.Suggestion, err error) {
	out = []fusion.Suggestion{}
	err = s.walkSet(ctx, s.keys.SuggestionsOffered(), func(ids []string) (bool, error) {
		list, err := s.suggestionsOf(ctx, ids)
		for _, k := range list {
			if k.doc.State == fusion.Offered {
				out = append(out, k.doc)
			}
		}
		return true, err
	})
	slices.SortFunc(out, func(a, b fusion.Suggestion) int { return strings.Compare(b.ID, a.ID) })
	return out, err
}

// Suggestion by id; ErrNoSuggestion.
func (s *Store) Suggestion(ctx context.Context, id string) (fusion.Suggestion, error) {
	k, err := s.suggestionOf(ctx, id)
	return k.doc, err
}

func (s *Store) suggestionOf(ctx context.Context, id string) (kept[fusion.Suggestion], error) {
	return loadOne(ctx, s, s.suggestionForm(), id, ErrNoSuggestion)
}

// SuggestionQuery chooses suggestions; empty members choose all.
type SuggestionQuery struct {
	State    fusion.State
	Kind     fusion.Kind
	Incident string // it is about, on either side
	From, To time.Time
	Limit    int
	Page     string
	See      func(*fusion.Suggestion) bool // nil: everything is seen
}

// Suggestions lists, the newest first.
func (s *Store) Suggestions(ctx context.Context, q SuggestionQuery) (items []fusion.Suggestion, next string, err error) {
	from := shelf[fusion.Suggestion]{
		index: s.keys.Suggestions(), set: s.keys.SuggestionsOffered(), load: s.suggestionsOf, live: q.State == fusion.Offered,
		id: func(g fusion.Suggestion) string { return g.ID }, score: func(g fusion.Suggestion) int64 { return g.At.Milli() },
	}
	return list(ctx, s, Query{From: q.From, To: q.To, Limit: q.Limit, Page: q.Page}, from, func(g fusion.Suggestion) (fusion.Suggestion, bool) {
		switch {
		case q.State != "" && g.State != q.State, q.Kind != "" && g.Kind != q.Kind, q.Incident != "" && g.Incident != q.Incident && g.Other != q.Incident:
		case q.See != nil && !q.See(&g):
		default:
			return g, true
		}
		return g, false
	})
}

// DropSuggestions deletes suggestions that nobody decides on any more and that have not changed since a time.
func (s *Store) DropSuggestions(ctx context.Context, before time.Time) (int, error) {
	return drop(ctx, s, shelf[fusion.Suggestion]{index: s.keys.Suggestions(), set: s.keys.SuggestionsOffered(), load: s.suggestionsOf, id: func(g fusion.Suggestion) string { return g.ID }},
		s.keys.Suggestion, before, func(g fusion.Suggestion) bool { return g.State != fusion.Offered && g.UpdatedAt.Before(before) }, nil)
}

// Decided is what a person's decision on a suggestion has made.
type Decided struct {
	Suggestion fusion.Suggestion
	Incident   *incident.Incident // that it was about, or that it opened; nil: none
}

// Allow tells whether the one who decides may do what a suggestion proposes to its incidents, as they are in this very step. Other is nil
// but of a merge; of a suggestion to open, in is the incident as it would be.
type Allow func(g *fusion.Suggestion, in, other *incident.Incident) error

// AcceptSuggestion does what a suggestion proposes, in one step with the suggestion itself. Errors: ErrNoSuggestion, *SuggestionConflict,
// *Conflict of the incident, of may, feeds.ErrBusy.
func (s *Store) AcceptSuggestion(ctx context.Context, id string, version int, note string, who audit.Actor, may Allow) (out Decided, err error) {
	err = s.retry(ctx, func() error {
		k, now, err := s.decidable(ctx, id, version, fusion.Accepted)
		if err != nil || k.doc.State == fusion.Accepted {
			out.Suggestion = k.doc
			return err
		}
		st := s.newStep(now)
		out = Decided{Suggestion: decided(k.doc, fusion.Accepted, note, who, now)}
		if out.Incident, err = s.accept(ctx, st, &out.Suggestion, note, who, may); err != nil {
			return err
		}
		return s.keepDecision(ctx, st, k, &out.Suggestion, note, who)
	})
	return out, err
}

// RefuseSuggestion says no to a suggestion. It does not come again for the same evidence.
func (s *Store) RefuseSuggestion(ctx context.Context, id string, version int, note string, who audit.Actor, may Allow) (out fusion.Suggestion, err error) {
	err = s.retry(ctx, func() error {
		k, now, err := s.decidable(ctx, id, version, fusion.Refused)
		if err != nil || k.doc.State == fusion.Refused {
			out = k.doc
			return err
		}
		ids := slices.DeleteFunc([]string{k.doc.Incident, k.doc.Other}, func(id string) bool { return id == "" })
		list, err := s.incidentsOf(ctx, ids)
		if err != nil {
			return err
		}
		var in, other *incident.Incident
		for i := range list {
			if list[i].doc.ID == k.doc.Incident {
				in = &list[i].doc
			} else {
				other = &list[i].doc
			}
		}
		if err := may(&k.doc, in, other); err != nil {
			return err
		}
		st := s.newStep(now)
		out = decided(k.doc, fusion.Refused, note, who, now)
		return s.keepDecision(ctx, st, k, &out, note, who)
	})
	return out, err
}

// decidable loads a suggestion that somebody decides on. The same decision again finds it decided.
func (s *Store) decidable(ctx context.Context, id string, version int, to fusion.State) (kept[fusion.Suggestion], time.Time, error) {
	k, err := s.suggestionOf(ctx, id)
	now := s.now()
	switch {
	case err != nil:
		return k, now, err
	case k.doc.State == to:
		return k, now, nil
	case k.doc.State != fusion.Offered:
		return k, now, &SuggestionConflict{k.doc, fmt.Errorf("%w: it is %s", fusion.ErrDecided, k.doc.State)}
	case k.doc.Version != version:
		return k, now, &SuggestionConflict{k.doc, fmt.Errorf("the suggestion has version %d, not %d", k.doc.Version, version)}
	}
	return k, now, nil
}

func decided(g fusion.Suggestion, to fusion.State, note string, who audit.Actor, now time.Time) fusion.Suggestion {
	g.State, g.Version, g.DecidedBy, g.DecidedAt, g.UpdatedAt, g.Note = to, g.Version+1, who.Subject, moment.Of(now), moment.Of(now), note
	return g
}

func (s *Store) keepDecision(ctx context.Context, st *step, k kept[fusion.Suggestion], g *fusion.Suggestion, note string, who audit.Actor) error {
	if err := s.putSuggestion(st, k.rev, g); err != nil {
		return err
	}
	if err := st.audited(who, "suggestion."+string(g.State), "suggestion:"+g.ID, note, k.doc, *g); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// accept writes what a suggestion proposes into the step.
func (s *Store) accept(ctx context.Context, st *step, g *fusion.Suggestion, note string, who audit.Actor, may Allow) (*incident.Incident, error) {
	if g.Kind == fusion.Open || g.Kind == fusion.Join {
		if err := s.unclaimed(ctx, st, g); err != nil {
			return nil, err
		}
	}
	switch {
	case g.Kind == fusion.Open:
		return s.openSuggested(ctx, st, g, note, who, may)
	case g.Incident == "": // accounts on a neighbour's ground, which no incident of ours rests on
		return nil, may(g, nil, nil)
	}
	k, err := s.incidentOf(ctx, g.Incident)
	if err != nil {
		return nil, err
	}
	now := st.now.Time
	switch g.Kind {
	case fusion.Merge:
		other, err := s.incidentOf(ctx, g.Other)
		if err != nil {
			return nil, err
		}
		if err := may(g, &k.doc, &other.doc); err != nil {
			return nil, err
		}
		for _, one := range []*incident.Incident{&k.doc, &other.doc} {
			if one.Status == incident.Resolved { // somebody has ended it since: whoever works on the other would find it gone
				return nil, s.conflict(one, who, now, fmt.Errorf("%w: %s is %s", incident.ErrNotAllowed, one.Number, one.Status))
			}
		}
		return s.mergeSuggested(st, other, k, note, who)
	case fusion.Join:
		if err := may(g, &k.doc, nil); err != nil {
			return nil, err
		}
		if !k.doc.Status.Open() || k.doc.Status == incident.Resolved {
			return nil, s.conflict(&k.doc, who, now, fmt.Errorf("%w: it is %s", incident.ErrNotAllowed, k.doc.Status))
		}
		out := k.doc.Clone()
		for _, e := range evidenceOf(g) {
			if !out.Evident(e.Ref) {
				out.AddEvidence(e, who.Subject, now)
			}
		}
		out.Version++ // a person has acted
		if err := s.putIncident(st, k.rev, &out); err != nil {
			return nil, err
		}
		if err := s.link(ctx, st, g.Evidence, out.ID); err != nil {
			return nil, err
		}
		return &out, st.audited(who, "incident.evidence", "incident:"+out.ID, refsOf(g), k.doc, out)
	}
	if err := may(g, &k.doc, nil); err != nil {
		return nil, err
	}
	out, err := k.doc.Apply(incident.Act{To: incident.Cancelled, Reason: "out_of_area", Note: strings.TrimSpace(g.Contact + " " + note), Version: k.doc.Version}, who.Subject, now)
	if err != nil {
		return nil, s.conflict(&k.doc, who, now, err)
	}
	if err := s.putIncident(st, k.rev, &out); err != nil {
		return nil, err
	}
	return &out, st.audited(who, "incident.cancelled", "incident:"+out.ID, "out_of_area: "+g.Contact, k.doc, out)
}

// unclaimed leaves of what a suggestion rests on only what nobody has meanwhile made evidence of another incident, or closed at intake; the
// step holds to that. Errors: *SuggestionConflict where nothing is left.
func (s *Store) unclaimed(ctx context.Context, st *step, g *fusion.Suggestion) error {
	var said, told []string
	for _, p := range g.Evidence {
		switch p.Kind {
		case "report":
			said = append(said, p.Ref)
		case "alert":
			told = append(told, p.Ref)
		}
	}
	reports, err := s.reportsOf(ctx, said)
	if err != nil {
		return err
	}
	list, err := s.alertsOf(ctx, told)
	if err != nil {
		return err
	}
	claimed := map[string]bool{}
	for _, k := range reports {
		of := k.doc.Incident()
		claimed[k.doc.ID] = of != "" && of != g.Incident || of == "" && (k.doc.Status == report.Closed || k.doc.Erased)
		st.check("rev", s.keys.Report(k.doc.ID), "", k.rev)
	}
	for _, k := range list {
		claimed[k.doc.ID] = k.doc.Incident != "" && k.doc.Incident != g.Incident
		st.check("rev", s.keys.Alert(k.doc.ID), "", k.rev)
	}
	rest := slices.DeleteFunc(slices.Clone(g.Evidence), func(p fusion.Piece) bool { return claimed[p.Ref] })
	if len(rest) == 0 {
		return &SuggestionConflict{*g, fmt.Errorf("%w: what it rests on was dealt with meanwhile", fusion.ErrDecided)}
	}
	g.Evidence = rest
	return nil
}

func refsOf(g *fusion.Suggestion) string {
	var refs []string
	for _, p := range g.Evidence {
		refs = append(refs, p.Kind+":"+p.Ref)
	}
	return strings.Join(refs, ", ")
}

// evidenceOf is what a suggestion rests on, as an incident keeps it.
func evidenceOf(g *fusion.Suggestion) []incident.Evidence {
	var out []incident.Evidence
	for _, p := range g.Evidence {
		e := incident.Evidence{Kind: p.Kind, Ref: p.Ref, Reason: p.Reason, Text: p.Text, Weight: p.Weight, At: p.At}
		if e.Reason == "" {
			e.Reason, e.Weight = fusion.Told(g.Reasons), g.Weight
		}
		e.Reason = "accepted by a person; " + e.Reason
		out = append(out, e)
	}
	return out
}

// openSuggested opens an incident on what a suggestion rests on.
func (s *Store) openSuggested(ctx context.Context, st *step, g *fusion.Suggestion, note string, who audit.Actor, may Allow) (*incident.Incident, error) {
	now := st.now.Time
	last, err := s.lastNumber(ctx, now, g.Simulated)
	if err != nil {
		return nil, err
	}
	number, err := s.number(st, last, now, g.Simulated)
	if err != nil {
		return nil, err
	}
	first := g.At
	for _, p := range g.Evidence {
		if p.At.Before(first.Time) {
			first = p.At
		}
	}
	t, _ := incident.TypeOf(g.Type)
	var at *geo.Position
	if g.Location != nil {
		at = &geo.Position{Lat: g.Location.Lat, Lng: g.Location.Lng}
	}
	in, err := incident.Open(incident.Opening{
		ID: alerts.ID(now, "incident\x00"+g.ID), Number: number, Type: g.Type, Title: titled(t.ID, g.AreaName), Severity: g.Severity, Position: at, AreaName: s.areaOf(at), At: now, Terms: s.terms(g.Type, s.areaOf(at)),
		EventAt: first, SignalAt: g.At, Actor: who.Subject, Note: note, Why: incident.Why{Person: who.Subject}, Evidence: evidenceOf(g), Simulated: g.Simulated,
	})
	if err != nil {
		return nil, err
	}
	if err := may(g, &in, nil); err != nil {
		return nil, err
	}
	if err := s.putIncident(st, "", &in); err != nil {
		return nil, err
	}
	g.Incident = in.ID
	if err := s.link(ctx, st, g.Evidence, in.ID); err != nil {
		return nil, err
	}
	return &in, st.audited(who, "incident.opened", "incident:"+in.ID, note, nil, in)
}

// link makes alerts that have become evidence name their incident, where they name none.
func (s *Store) link(ctx context.Context, st *step, pieces []fusion.Piece, id string) error {
	var ids []string
	for _, p := range pieces {
		if p.Kind == "alert" {
			ids = append(ids, p.Ref)
		}
	}
	raised, err := s.raisedBy(ctx, pieces)
	if err != nil {
		return err
	}
	list, err := s.alertsOf(ctx, append(ids, raised...))
	if err != nil {
		return err
	}
	for _, k := range list {
		if k.doc.Rule != "" && !slices.ContainsFunc(pieces, func(p fusion.Piece) bool {
			return p.Kind == "observation" && p.Ref == k.doc.Thing && p.At == k.doc.Onset
		}) {
			continue // another crossing of the same instrument is no evidence here
		}
		if k.doc.Incident != "" || k.doc.State != alerts.Active {
			continue
		}
		a := k.doc
		a.Incident, a.UpdatedAt = id, st.now
		if err := s.putAlert(st, k.rev, &a, k.own, false); err != nil {
			return err
		}
	}
	return nil
}

// raisedBy gives the alerts that fire on the Things whose observations are among some pieces: such a piece names its Thing, not its alert.
func (s *Store) raisedBy(ctx context.Context, pieces []fusion.Piece) (ids []string, err error) {
	var things []string
	for _, p := range pieces {
		if p.Kind == "observation" && !slices.Contains(things, p.Ref) {
			things = append(things, p.Ref)
		}
	}
	if len(things) == 0 {
		return nil, nil
	}
	firing, err := s.rdb.SMembers(ctx, s.keys.FiringRules()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: what fires: %w", feeds.ErrBusy, err)
	}
	slices.Sort(firing)
	for _, rule := range firing {
		found, err := s.rdb.HMGet(ctx, s.keys.Firing(rule), things...).Result()
		if err != nil {
			return nil, fmt.Errorf("%w: what fires: %w", feeds.ErrBusy, err)
		}
		for _, id := range found {
			if id, ok := id.(string); ok && id != "" {
				ids = append(ids, id)
			}
		}
	}
	return ids, nil
}

// mergeSuggested writes a merge that somebody has agreed to into the step.
func (s *Store) mergeSuggested(st *step, gone, into kept[incident.Incident], note string, who audit.Actor) (*incident.Incident, error) {
	now := st.now.Time
	went, stays, err := incident.Merge(&gone.doc, &into.doc, gone.doc.Version, note, who.Subject, now)
	if err != nil {
		return nil, s.conflict(&gone.doc, who, now, err)
	}
	if err := errors.Join(s.putIncident(st, gone.rev, &went), s.putIncident(st, into.rev, &stays)); err != nil {
		return nil, err
	}
	if err := st.audited(who, "incident.merged", "incident:"+went.ID, "incident:"+stays.ID+": "+note, gone.doc, went); err != nil {
		return nil, err
	}
	return &stays, st.audited(who, "incident.merged", "incident:"+stays.ID, "incident:"+went.ID+": "+note, into.doc, stays)
}
