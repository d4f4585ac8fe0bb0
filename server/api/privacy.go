package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kentongan/alerts/audit"
	"kentongan/server/access"
	"kentongan/server/people"
	"kentongan/server/privacy"
	"kentongan/server/problem"
	openly "kentongan/server/public"
)

// Privacy is the rooms of personal data. All are needed.
type Privacy struct {
	Reporters *privacy.Reporters
	Retention *privacy.Retention
	Eraser    *privacy.Eraser
	Breach    func(ctx context.Context, b privacy.Breach) (privacy.BreachNotice, error)
	Record    func(ctx context.Context, r audit.Record) error // returns once the record is kept
	Public    *openly.Window                                  // positions that anybody may see
}

func (s *server) privacy() {
	const root, kept = "/api/v1/privacy", "/api/v1/retention"
	operation(s, needs(access.ReadPrivacy), "GET", root+"/map", "data-map", "The data map: every class of data that we hold", http.StatusOK, s.dataMap)
	operation(s, needs(access.ReadPrivacy).within(30*time.Second), "GET", root+"/breach", "breach", "What the notification of a breach needs (UU 27/2022, article 46), with a text to send", http.StatusOK, s.breach)
	operation(s, needs(access.WritePrivacy).within(time.Minute), "POST", root+"/erase", "erase", "Erase who gave a report, or a person in all of theirs; 202: a second person must approve it", http.StatusOK, s.erase)
	operation(s, needs(access.ReadPrivacy), "GET", kept, "retention", "How long each class of data is kept, and who says so", http.StatusOK, s.retention)
	operation(s, needs(access.ReadPrivacy), "GET", kept+"/{class}", "retention-of", "How long one class of data is kept", http.StatusOK, s.retentionOf)
	operation(s, needs(access.WritePrivacy), "PUT", kept+"/{class}", "change-retention", "Keep a class of data for another time; 202: a second person must approve it", http.StatusOK, s.changeRetention)
}

func (s *server) dataMap(ctx context.Context, _ *struct{}) (*body[List[privacy.Holding]], error) {
	list, err := s.Privacy.Retention.Map(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(list, ""), nil
}

func (s *server) retention(ctx context.Context, _ *struct{}) (*body[List[privacy.Retained]], error) {
	list, err := s.Privacy.Retention.Rules(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(list, ""), nil
}

type classIn struct {
	Class string `path:"class" maxLength:"32"`
}

func (s *server) retentionOf(ctx context.Context, in *classIn) (*body[privacy.Retained], error) {
	one, err := s.Privacy.Retention.Rule(ctx, in.Class)
	if err != nil {
		return nil, s.privacyFault(err)
	}
	return &body[privacy.Retained]{one}, nil
}

type changeRetentionIn struct {
	Class string `path:"class" maxLength:"32"`
	Body  struct {
		Days   int    `json:"days" minimum:"0" maximum:"36500" doc:"0: for ever"`
		Reason string `json:"reason" minLength:"10" maxLength:"500"`
	}
}

// proposedOut is what became of a proposal: 202 while it waits for a second person.
type proposedOut struct {
	Status int
	Body   struct {
		Change people.Change `json:"change"`
	}
}

func (s *server) changeRetention(ctx context.Context, in *changeRetentionIn) (*proposedOut, error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	change := privacy.Change{Class: in.Class, Days: in.Body.Days}
	if err := s.Privacy.Retention.Check(change); err != nil {
		return nil, s.privacyFault(err)
	}
	was, err := s.Privacy.Retention.Rule(ctx, in.Class)
	if err != nil {
		return nil, s.privacyFault(err)
	}
	return s.propose(ctx, "retention", fmt.Sprintf("%s: %g -> %d days; %s", in.Class, was.KeepDays, in.Body.Days, in.Body.Reason), change)
}

// propose lets a second person decide.
func (s *server) propose(ctx context.Context, kind, summary string, doc any) (*proposedOut, error) {
	c, applied, err := s.Changes.Propose(ctx, kind, summary, doc, act(ctx).Actor.Subject)
	switch {
	case errors.Is(err, people.ErrChanges):
		return nil, caused(err)
	case err != nil:
		return nil, s.fault(err)
	}
	out := &proposedOut{Status: http.StatusAccepted}
	if applied {
		out.Status = http.StatusOK
	}
	out.Body.Change = c
	return out, nil
}

type eraseIn struct {
	Body struct {
		Report    string `json:"report,omitempty" maxLength:"600" doc:"Who gave this one; this or person_ref"`
		PersonRef string `json:"person_ref,omitempty" maxLength:"64" doc:"A person in all of their reports, as GET /reports/{id}/reporter names them"`
		Words     bool   `json:"words,omitempty" doc:"What they said too: text, address and exact place of the reports"`
		Reason    string `json:"reason" maxLength:"500" doc:"Why, in ten letters or more, and without naming the person"`
	}
}

func (s *server) erase(ctx context.Context, in *eraseIn) (*proposedOut, error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	what := privacy.Erasure{Report: in.Body.Report, PersonRef: in.Body.PersonRef, Words: in.Body.Words, Reason: strings.Join(strings.Fields(in.Body.Reason), " ")}
	fault := func(place *problem.Place) error {
		return problem.New(problem.Invalid, "it cannot be erased so", place)
	}
	switch {
	case (what.Report == "") == (what.PersonRef == ""):
		return nil, fault(problem.At("body.report", problem.Either, "name a report or a person_ref, one of them"))
	case utf8.RuneCountInString(what.Reason) < leastReason:
		return nil, fault(problem.AtLimit("body.reason", problem.Short, leastReason, fmt.Sprintf("%d letters at least", leastReason)))
	}
	list, err := s.Privacy.Eraser.Find(ctx, what)
	if err != nil {
		return nil, s.privacyFault(err)
	}
	if named, err := s.Privacy.Eraser.Names(ctx, list, what.Reason); err != nil {
		return nil, s.fault(err)
	} else if named {
		return nil, fault(problem.At("body.reason", problem.Names, "it names the person, and is kept when all else is erased"))
	}
	return s.propose(ctx, "erasure", fmt.Sprintf("who gave %d reports, words too: %t", len(list), what.Words), what)
}

type breachIn struct {
	From    time.Time `query:"from" required:"true"`
	To      time.Time `query:"to" required:"true"`
	KnownAt time.Time `query:"known_at" doc:"When it became known; now where it is left out"`
	Classes []string  `query:"classes" doc:"Of the data map, with commas; every one with personal data where it is left out"`
	What    string    `query:"what" maxLength:"2000" doc:"What happened, for the text"`
	Done    string    `query:"done" maxLength:"2000" doc:"What was done against it, for the text"`
}

func (s *server) breach(ctx context.Context, in *breachIn) (*body[privacy.BreachNotice], error) {
	if !in.From.Before(in.To) {
		return nil, problem.New(problem.Invalid, "from must lie before to", problem.At("query.from", problem.Late, "must lie before to"))
	}
	classes := slices.DeleteFunc(in.Classes, func(c string) bool { return c == "" })
	out, err := s.Privacy.Breach(ctx, privacy.Breach{From: in.From, To: in.To, KnownAt: in.KnownAt, Classes: classes, What: in.What, Done: in.Done, Zone: s.Profile.Zone})
	if err != nil {
		return nil, s.privacyFault(err)
	}
	a := act(ctx)
	a.Action, a.Object = "breach.gathered", "privacy:breach"
	s.Auth.Record(ctx, a)
	return &body[privacy.BreachNotice]{out}, nil
}

func (s *server) privacyFault(err error) error {
	switch {
	case errors.Is(err, privacy.ErrFixed):
		return problem.New(problem.KeepFixed, err.Error()+": the configuration file says it, or the lifetime of its keys")
	}
	return s.fault(err)
}
