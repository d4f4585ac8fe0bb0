package api

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"slices"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/server/access"
	"kentongan/server/auditlog"
	"kentongan/server/problem"
	openly "kentongan/server/public"
	"kentongan/server/scope"
)

// citizen is the actor of what whoever gave a report does by its ticket: who that is we do not know here.
const citizen = "citizen"

// tickets is how whoever gave a report follows it, without an account.
func (s *server) tickets() {
	const one = "/public/tickets/{ticket}"
	operation(s, about(access.WriteReports, scope.NounReport), "POST", "/api/v1/reports/{id}/ticket", "report-ticket", "The code by which whoever gave a report follows it, and its page; made once", http.StatusOK, s.reportTicket)
	operation(s, anyone().slowly(), "GET", one, "ticket", "How far a report has come, for whoever gave it: no names, no words of others", http.StatusOK, s.ticket)
	operation(s, anyone().slowly(), "POST", one+"/confirm", "confirm-ticket", "Say that what is said to be done is: a kind of proof that closing needs, once for each time that it is said to be done", http.StatusOK, s.confirmTicket)
	operation(s, anyone().slowly(), "GET", one+"/proofs", "ticket-proofs", "That every act on a report is in the audit log: its records with their proofs, for whoever gave it", http.StatusOK, s.ticketProofs)
	operation(s, anyone().slowly(), "POST", one+"/dispute", "dispute-ticket", "Say that what is said to be done is not; a person decides whether it is opened again", http.StatusOK, s.disputeTicket)
}

type reportTicketOut struct {
	Ticket string `json:"ticket"`
	Page   string `json:"page" doc:"Path of its page"`
}

func (s *server) reportTicket(ctx context.Context, in *struct {
	ID string `path:"id" doc:"feed:service_request_id"`
}) (*body[reportTicketOut], error) {
	code, err := s.Cases.Ticket(ctx, in.ID, actor(ctx))
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[reportTicketOut]{reportTicketOut{code, "/public?ticket=" + url.QueryEscape(code)}}, nil
}

type ticketIn struct {
	Ticket string `path:"ticket" maxLength:"32" doc:"As it was told: spaces, hyphens and small letters do not matter"`
}

// ticketOut is a ticket with what its page says beside it.
type ticketOut struct {
	openly.Ticket
	House string `json:"house" doc:"Name of the place"`
	Zone  string `json:"zone" doc:"Of its clocks, an IANA name"`
}

// told gives a ticket for people: agencies by their names.
func (s *server) told(code string, r *report.Report, one *incident.Incident) *body[ticketOut] {
	t := openly.Follow(code, r, one, s.Now())
	name := func(slug string) string {
		for _, a := range s.Profile.Agencies {
			if a.Slug == slug || slices.Contains(a.ActsAs, slug) {
				return a.Name
			}
		}
		return slug
	}
	var names []string
	for _, slug := range t.Agencies {
		if n := name(slug); !slices.Contains(names, n) {
			names = append(names, n)
		}
	}
	t.Agencies = append([]string{}, names...)
	if t.Referred != "" {
		t.Referred = name(t.Referred)
	}
	return &body[ticketOut]{ticketOut{t, s.Profile.Name, s.Profile.Zone.String()}}
}

// follows gives what goes by a code. A code that cannot be one and one that nobody was given are alike.
func (s *server) follows(ctx context.Context, typed string) (code string, r report.Report, one *incident.Incident, err error) {
	code, ok := report.ReadTicket(typed)
	if !ok {
		return "", r, nil, caused(store.ErrNoTicket)
	}
	r, one, err = s.Cases.ByTicket(ctx, code)
	if errors.Is(err, store.ErrNoTicket) {
		return code, r, nil, caused(err)
	}
	if err != nil {
		return code, r, nil, s.fault(err)
	}
	return code, r, one, nil
}

func (s *server) ticket(ctx context.Context, in *ticketIn) (*body[ticketOut], error) {
	code, r, one, err := s.follows(ctx, in.Ticket)
	if err != nil {
		return nil, err
	}
	return s.told(code, &r, one), nil
}

// confirmTicket keeps the word of whoever gave the report that it is over: a kind of proof that closing needs, once for each time that it is said to
// be done. The code is in no record; the word is the report's.
func (s *server) confirmTicket(ctx context.Context, in *ticketIn) (*body[ticketOut], error) {
	code, r, one, err := s.follows(ctx, in.Ticket)
	if err != nil {
		return nil, err
	}
	const not = "what is not said to be done, or was answered already, is not confirmed now"
	if !openly.Follow(code, &r, one, s.Now()).Confirmable {
		return nil, problem.New(problem.TicketNotConfirmable, not)
	}
	now, err := s.Cases.Affirm(ctx, one.ID, r.ID, audit.Actor{Subject: citizen, Name: citizen, Request: requestID(ctx)})
	var late *store.Conflict
	switch {
	case errors.As(err, &late), errors.Is(err, incident.ErrNotAllowed), errors.Is(err, incident.ErrInvalid): // it is evidence of another incident by now
		return nil, problem.New(problem.TicketNotConfirmable, not)
	case err != nil:
		return nil, s.fault(err)
	}
	return s.told(code, &r, &now), nil
}

// ticketProofs is what the log has of one report and of the incident that it is part of.
type ticketProofs struct {
	Key     string     `json:"key" doc:"Public key of the log"`
	Acts    []proofOut `json:"acts" doc:"The oldest first, the last 40"`
	Waiting int        `json:"waiting" doc:"Acts that no checkpoint covers yet: within ten seconds one does"`
}

// mostProofs bounds how many acts of one ticket are proved at once.
const mostProofs = 40

// ticketProofs proves the acts on one report. Others are not shown by it: a record names who acted by an id and what was written by a salted
// hash, and what it rests on are hashes.
func (s *server) ticketProofs(ctx context.Context, in *ticketIn) (*body[ticketProofs], error) {
	_, r, one, err := s.follows(ctx, in.Ticket)
	if err != nil {
		return nil, err
	}
	seqs, err := s.AuditLog.Of(ctx, "report:"+r.ID)
	if err == nil && one != nil {
		var more []int64
		more, err = s.AuditLog.Of(ctx, "incident:"+one.ID)
		seqs = append(seqs, more...)
	}
	if err != nil {
		return nil, s.fault(err)
	}
	slices.Sort(seqs)
	out := ticketProofs{Key: s.AuditLog.Key(), Acts: []proofOut{}}
	for _, seq := range seqs[max(0, len(seqs)-mostProofs):] {
		record, proof, err := s.AuditLog.Proof(ctx, seq)
		if errors.Is(err, auditlog.ErrUnsealed) {
			out.Waiting++
			continue
		}
		if err != nil {
			return nil, s.fault(err)
		}
		if about, err := audit.Parse(record); err != nil || about.Object != "report:"+r.ID && (one == nil || about.Object != "incident:"+one.ID) {
			continue // the store has lost the end of its log: the number is another's now
		}
		out.Acts = append(out.Acts, proofOut{seq, string(record), string(proof.Text())})
	}
	return &body[ticketProofs]{out}, nil
}

// disputeTicket keeps a citizen's word. It opens nothing again by itself: whoever may reopen the incident sees it and decides.
func (s *server) disputeTicket(ctx context.Context, in *struct {
	Ticket string `path:"ticket" maxLength:"32" doc:"As it was told"`
	Body   struct {
		Text string `json:"text" minLength:"1" maxLength:"2000" doc:"What is not done"`
	}
}) (*body[ticketOut], error) {
	code, r, one, err := s.follows(ctx, in.Ticket)
	if err != nil {
		return nil, err
	}
	if !openly.Follow(code, &r, one, s.Now()).Disputable {
		return nil, problem.New(problem.TicketNotDisputable, "what is not said to be done, or was disputed already, is not disputed now")
	}
	who := audit.Actor{Subject: citizen, Name: citizen, Request: requestID(ctx)}
	anybody := func(*incident.Incident) error { return nil }
	nobody := func(*incident.Incident) bool { return false }
	now, err := s.Cases.Contest(ctx, one.ID, incident.Contesting{Report: r.ID, Text: in.Body.Text}, who, anybody, nobody)
	var late *store.Conflict
	switch {
	case errors.As(err, &late), errors.Is(err, incident.ErrNotAllowed):
		return nil, problem.New(problem.TicketNotDisputable, "what is not said to be done, or was disputed already, is not disputed now")
	case err != nil:
		return nil, s.fault(err)
	}
	return s.told(code, &r, &now), nil
}
