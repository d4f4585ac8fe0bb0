package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds/cap"
	"kentongan/geo/fault"
)

// ReportConflict is a judgement of a report that came too late, or that it does not allow now: 409.
type ReportConflict struct {
	Current report.Report
	Cause   error
}

func (c *ReportConflict) Error() string { return c.Cause.Error() }
func (c *ReportConflict) Unwrap() error { return c.Cause }

// Judgement is what somebody at intake says of a report.
type Judgement struct {
	As       report.As
	Incident string       // of duplicate: which one it tells of
	Type     string       // of incident
	Severity cap.Severity // of incident; empty: the type's own
	Title    string       // of incident; empty: the type's name and the place
	Agency   string       // of referred
	Note     string
}

// Judged is a report after a judgement, with the incident that was opened, joined or left; nil: none.
type Judged struct {
	Report   report.Report
	Incident *incident.Incident
}

// Triage judges a report in one step with what follows: an incident opens on it, or has it as evidence, or the report is closed. Of two who
// judge at once one wins; who says the same again finds it done. may is asked of the incident as it is in this very step, or would be.
// Errors: ErrNoReport, *ReportConflict, report.ErrInvalid, incident.ErrInvalid, ErrNotFound, *Conflict, of may, feeds.ErrBusy.
func (s *Store) Triage(ctx context.Context, id string, j Judgement, who audit.Actor, may func(*incident.Incident) error) (out Judged, err error) {
	fresh := ulid.Make().String()
	err = s.retry(ctx, func() error {
		k, err := s.reportOf(ctx, id)
		if err != nil {
			return err
		}
		t := report.Triage{As: j.As, Incident: j.Incident, Agency: j.Agency, Note: j.Note}
		if k.doc.Repeats(t, who.Subject) {
			out, err = s.judged(ctx, k.doc)
			return err
		}
		if out, err = s.judge(ctx, k, j, t, fresh, who, may); errors.Is(err, report.ErrJudged) {
			return &ReportConflict{k.doc, err}
		}
		return err
	})
	return out, err
}

// judge is one try.
func (s *Store) judge(ctx context.Context, k kept[report.Report], j Judgement, t report.Triage, fresh string, who audit.Actor, may func(*incident.Incident) error) (out Judged, err error) {
	st := s.newStep(s.now())
	if t.As == report.AsIncident {
		t.Incident = fresh
	}
	if out.Report, err = k.doc.Judge(t, who.Subject, st.now.Time); err != nil { // first: who comes too late opens nothing
		return out, err
	}
	switch t.As {
	case report.AsIncident:
		out.Incident, err = s.openOn(ctx, st, &k.doc, j, fresh, who, may)
	case report.AsDuplicate:
		out.Incident, err = s.joinReport(ctx, st, &k.doc, j.Incident, who, may)
	}
	if err != nil {
		return out, err
	}
	if out.Incident != nil {
		out.Report.Triage.Incident, out.Report.Triage.Number = out.Incident.ID, out.Incident.Number
	}
	return out, s.keepJudged(ctx, st, k, &out.Report, "report."+string(t.As), out.Report.Triage.Note, who)
}

// judged is a report as it stands, with its incident.
func (s *Store) judged(ctx context.Context, r report.Report) (Judged, error) {
	out := Judged{Report: r}
	if r.Incident() == "" {
		return out, nil
	}
	in, err := s.Incident(ctx, r.Incident())
	if errors.Is(err, ErrNotFound) { // kept long enough
		return out, nil
	}
	out.Incident = &in
	return out, err
}

func (s *Store) reportOf(ctx context.Context, id string) (kept[report.Report], error) {
	return loadOne(ctx, s, s.reportForm(), id, ErrNoReport)
}

// keepJudged writes the report into the step, and takes it.
func (s *Store) keepJudged(ctx context.Context, st *step, k kept[report.Report], r *report.Report, action, reason string, who audit.Actor) error {
	st.check("rev", s.keys.Report(r.ID), "", k.rev)
	if err := s.putReport(st, k, true, r, k.own); err != nil {
		return err
	}
	if err := st.audited(who, action, "report:"+r.ID, reason, salted(k.own, k.doc), salted(k.own, *r)); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// pieceOf is a report as evidence: its type or channel, never its words, which are erased where the report stands.
func pieceOf(r *report.Report, reason string) incident.Evidence {
	return incident.Evidence{Kind: "report", Ref: r.ID, Reason: reason, Text: cmp.Or(r.Type, r.Channel), Weight: 1, At: r.At}
}

// openOn opens an incident with a report as its evidence. Its clocks start when the report came.
func (s *Store) openOn(ctx context.Context, st *step, r *report.Report, j Judgement, id string, who audit.Actor, may func(*incident.Incident) error) (*incident.Incident, error) {
	d := incident.Draft{Type: j.Type, Title: j.Title, Severity: j.Severity, Lng: r.Lng, Lat: r.Lat, Note: j.Note}
	if err := d.Validate(); err != nil {
		return nil, err
	}
	t, _ := incident.TypeOf(j.Type) // Validate has found it
	now := st.now.Time
	last, err := s.lastNumber(ctx, now, r.Simulated)
	if err != nil {
		return nil, err
	}
	number, err := s.number(st, last, now, r.Simulated)
	if err != nil {
		return nil, err
	}
	in, err := incident.Open(incident.Opening{
		ID: id, Number: number, Type: j.Type, Title: cmp.Or(j.Title, titled(t.ID, r.AreaName)), Severity: j.Severity, Position: d.Position(), AreaName: r.AreaName, At: now,
		EventAt: r.At, SignalAt: r.ReceivedAt, Actor: who.Subject, Note: j.Note, Why: incident.Why{Person: who.Subject},
		Evidence: []incident.Evidence{pieceOf(r, "opened on it by a person")}, Simulated: r.Simulated, Terms: s.terms(j.Type, r.AreaName),
	})
	if err != nil {
		return nil, err
	}
	if err := may(&in); err != nil {
		return nil, err
	}
	if err := s.putIncident(st, "", &in); err != nil {
		return nil, err
	}
	return &in, st.audited(who, "incident.opened", "incident:"+in.ID, j.Note, nil, in)
}

// joinReport makes a report evidence of an open incident. The version stays: while a road is shut dozens call, and none of them makes whoever
// works the incident late.
func (s *Store) joinReport(ctx context.Context, st *step, r *report.Report, id string, who audit.Actor, may func(*incident.Incident) error) (*incident.Incident, error) {
	k, found, err := s.standsFor(ctx, id) // one that has become part of another stands for that
	if err == nil && !found {
		err = fmt.Errorf("%w: %.80q", ErrNotFound, id)
	}
	if err != nil {
		return nil, err
	}
	if err := may(&k.doc); err != nil {
		return nil, err
	}
	now := st.now.Time
	switch {
	case !k.doc.Status.Open() || k.doc.Status == incident.Resolved: // whoever resolved it would not see what joins it
		return nil, &Conflict{Current: k.doc, Allowed: k.doc.Allowed(who.Subject, now), Cause: fmt.Errorf("%w: %s is %s", incident.ErrNotAllowed, k.doc.Number, k.doc.Status)}
	case k.doc.Simulated != r.Simulated:
		return nil, fault.In(report.ErrInvalid, "incident", fault.Mixed, nil, "what is simulated and what is real never join")
	}
	out := k.doc.Clone()
	if !out.Evident(r.ID) {
		out.AddEvidence(pieceOf(r, "told of the same, says a person"), who.Subject, now)
	}
	if err := s.putIncident(st, k.rev, &out); err != nil {
		return nil, err
	}
	return &out, st.audited(who, "incident.evidence", "incident:"+out.ID, "report:"+r.ID, k.doc, out)
}

// Untriage takes a judgement back: the report waits again, and is no evidence any more. An incident that rests on it alone is cancelled first,
// by whoever may; one that is over keeps what it rested on. Errors: as Triage.
func (s *Store) Untriage(ctx context.Context, id, note string, who audit.Actor, may func(*incident.Incident) error) (out Judged, err error) {
	err = s.retry(ctx, func() error {
		k, err := s.reportOf(ctx, id)
		if err != nil {
			return err
		}
		st := s.newStep(s.now())
		out = Judged{}
		if out.Report, err = k.doc.Unjudge(st.now.Time); err == nil && k.doc.Incident() != "" {
			out.Incident, err = s.partReport(ctx, st, &k.doc, note, who, may)
		}
		if errors.Is(err, report.ErrJudged) {
			return &ReportConflict{k.doc, err}
		}
		if err != nil {
			return err
		}
		return s.keepJudged(ctx, st, k, &out.Report, "report.untriaged", note, who)
	})
	return out, err
}

// partReport takes a report out of its incident, where that is open.
func (s *Store) partReport(ctx context.Context, st *step, r *report.Report, note string, who audit.Actor, may func(*incident.Incident) error) (*incident.Incident, error) {
	k, found, err := s.standsFor(ctx, r.Incident())
	if err != nil || !found || !k.doc.Status.Open() || !k.doc.Evident(r.ID) {
		return nil, err
	}
	if err := may(&k.doc); err != nil {
		return nil, err
	}
	if len(k.doc.Evidence) == 1 {
		return nil, fmt.Errorf("%w: %s rests on it alone; cancel that first", report.ErrJudged, k.doc.Number)
	}
	out, err := k.doc.Detach(r.ID, k.doc.Version, note, who.Subject, st.now.Time)
	if err != nil {
		return nil, err
	}
	if err := s.putIncident(st, k.rev, &out); err != nil {
		return nil, err
	}
	return &out, st.audited(who, "incident.evidence_removed", "incident:"+out.ID, "report:"+r.ID, k.doc, out)
}
