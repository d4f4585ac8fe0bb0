package api

import (
	"context"
	"net/http"

	"kentongan/server/access"
	"kentongan/server/people"
	"kentongan/server/problem"
)

// changes is what one person has proposed and another must approve.
func (s *server) changes() {
	const root = "/api/v1/changes"
	operation(s, needs(access.Approve), "GET", root, "changes", "What waits for a second person, and what became of the rest of 90 days, the newest first", http.StatusOK, s.listChanges)
	operation(s, needs(access.Approve), "POST", root+"/{id}/approve", "approve-change", "Let a change be applied that somebody else has proposed and that is not about you", http.StatusOK, s.approveChange)
	operation(s, needs(access.Approve), "POST", root+"/{id}/refuse", "refuse-change", "Refuse a change that somebody else has proposed", http.StatusOK, s.refuseChange)
	operation(s, needs(access.Approve), "POST", root+"/{id}/withdraw", "withdraw-change", "Take back what you have proposed", http.StatusOK, s.withdrawChange)
}

// changeOut is a change as one person sees it.
type changeOut struct {
	people.Change
	Yours   bool `json:"yours" doc:"You have proposed it: you may withdraw it"`
	Decides bool `json:"decides" doc:"You may approve or refuse it"`
}

func (s *server) changeSeen(ctx context.Context, c people.Change) changeOut {
	who := act(ctx).Actor
	return changeOut{c, c.ProposedBy == who.Subject, c.State == people.ChangeWaits && who.May(access.Approve, access.Object{Noun: "change", By: c.By()}, s.Now()).Allowed()}
}

func (s *server) listChanges(ctx context.Context, _ *struct{}) (*body[List[changeOut]], error) {
	list, err := s.Changes.List(ctx)
	if err != nil {
		return nil, s.personFault(err)
	}
	out := []changeOut{}
	for _, c := range list {
		out = append(out, s.changeSeen(ctx, c))
	}
	return listOf(out, ""), nil
}

type changeID struct {
	ID string `path:"id" maxLength:"64"`
}

// decides refuses whoever may not be the second person of a change.
func (s *server) decides(ctx context.Context, id string) error {
	c, err := s.Changes.Get(ctx, id)
	if err != nil {
		return s.personFault(err)
	}
	if d := act(ctx).Actor.May(access.Approve, access.Object{Noun: "change", By: c.By()}, s.Now()); !d.Allowed() {
		a := act(ctx)
		a.Action, a.Object, a.Reason = "right.denied", "change:"+id, d.Reason
		s.Auth.Record(ctx, a)
		return problem.New(problem.ChangeOwn, people.ErrSame.Error())
	}
	return nil
}

func (s *server) approveChange(ctx context.Context, in *changeID) (*body[changeOut], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	if err := s.decides(ctx, in.ID); err != nil {
		return nil, err
	}
	return s.changed(ctx, func(by string) (people.Change, error) { return s.Changes.Approve(ctx, in.ID, by) })
}

type refuseIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason string `json:"reason,omitempty" maxLength:"500"`
	}
}

func (s *server) refuseChange(ctx context.Context, in *refuseIn) (*body[changeOut], error) {
	if err := s.decides(ctx, in.ID); err != nil {
		return nil, err
	}
	return s.changed(ctx, func(by string) (people.Change, error) { return s.Changes.Refuse(ctx, in.ID, by, in.Body.Reason) })
}

func (s *server) withdrawChange(ctx context.Context, in *changeID) (*body[changeOut], error) {
	return s.changed(ctx, func(by string) (people.Change, error) { return s.Changes.Withdraw(ctx, in.ID, by) })
}

func (s *server) changed(ctx context.Context, decide func(by string) (people.Change, error)) (*body[changeOut], error) {
	c, err := decide(act(ctx).Actor.Subject)
	if err != nil {
		return nil, s.personFault(err)
	}
	return &body[changeOut]{s.changeSeen(ctx, c)}, nil
}
