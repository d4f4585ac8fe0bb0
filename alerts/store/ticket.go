package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/geo/keyspace"
)

// ErrNoTicket means that no report goes by that code: 404.
var ErrNoTicket = errors.New("there is no such ticket")

// ticketSearch is how far from a report the incident that it is evidence of has been opened, and mostMerged how often that was merged.
const (
	ticketSearch = 24 * time.Hour
	mostMerged   = 8
)

// Ticket gives the code by which whoever gave a report follows it. Made once, in one step, it stays the same. Errors: ErrNoReport, feeds.ErrBusy.
func (s *Store) Ticket(ctx context.Context, id string, who audit.Actor) (code string, err error) {
	err = s.retry(ctx, func() error {
		if _, err := s.Report(ctx, id); err != nil {
			return err
		}
		if code, err = s.get(ctx, s.keys.TicketOf(id)); err != nil || code != "" {
			return err
		}
		code = report.NewTicket()
		st := s.newStep(s.now())
		st.check("str", s.keys.TicketOf(id), "", "")
		st.check("str", s.keys.Ticket(code), "", "") // nobody else has it
		st.set(s.keys.TicketOf(id), code, keyspace.TicketLifetime)
		st.set(s.keys.Ticket(code), id, keyspace.TicketLifetime)
		if err := st.audited(who, "report.ticket", "report:"+id, "", nil, nil); err != nil { // who has the code may follow it: the log does not
			return err
		}
		return s.run(ctx, st)
	})
	return code, err
}

// ByTicket gives the report of a code, and the incident that it tells of; nil: none. Errors: ErrNoTicket, feeds.ErrBusy.
func (s *Store) ByTicket(ctx context.Context, code string) (report.Report, *incident.Incident, error) {
	id, err := s.get(ctx, s.keys.Ticket(code))
	if err != nil {
		return report.Report{}, nil, err
	}
	if id == "" {
		return report.Report{}, nil, ErrNoTicket
	}
	r, err := s.Report(ctx, id)
	if errors.Is(err, ErrNoReport) { // kept no longer
		return report.Report{}, nil, ErrNoTicket
	}
	if err != nil {
		return report.Report{}, nil, err
	}
	in, err := s.tells(ctx, &r)
	return r, in, err
}

// tells is the incident that a report is evidence of: by triage, or as fusion joined it; where that was merged, what it became part of.
func (s *Store) tells(ctx context.Context, r *report.Report) (*incident.Incident, error) {
	id := r.Incident()
	if id == "" {
		around := Query{From: r.ReceivedAt.Add(-ticketSearch), To: r.ReceivedAt.Add(ticketSearch), Limit: 1000}
		list, _, err := s.Incidents(ctx, around)
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(list, func(in incident.Incident) bool {
			return slices.ContainsFunc(in.Evidence, func(e incident.Evidence) bool { return e.Kind == "report" && e.Ref == r.ID })
		})
		if i < 0 {
			return nil, nil
		}
		id = list[i].ID
	}
	for range mostMerged {
		in, err := s.Incident(ctx, id)
		if errors.Is(err, ErrNotFound) {
			return nil, nil
		}
		if err != nil || in.MergedInto == "" {
			return &in, err
		}
		id = in.MergedInto
	}
	return nil, nil
}
