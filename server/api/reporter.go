package api

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/privacy"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// leastReason is how many letters a reason has at the least; fewer say nothing.
const leastReason = 10

func (s *server) reporter() {
	const root = "/api/v1/reports/{id}/reporter"
	operation(s, about(access.ReadReports, scope.NounReport), "GET", root, "reporter", "Who gave a report, masked; whether they have called before today, and who has seen them whole", http.StatusOK, s.maskedReporter)
	operation(s, about(access.Reveal, scope.NounReport), "POST", root+"/reveal", "reveal-reporter", "Who gave a report, whole, for a reason that the audit log keeps", http.StatusOK, s.revealReporter)
}

// reporterDraft is what a person may say of whoever gave a report. It is sealed apart from the report.
type reporterDraft struct {
	Name    string `json:"name,omitempty" maxLength:"256"`
	Phone   string `json:"phone,omitempty" maxLength:"64" doc:"As it was said: 0812…, +62…"`
	Email   string `json:"email,omitempty" maxLength:"256"`
	Address string `json:"address,omitempty" maxLength:"256" doc:"Where the person can be met; the place of what happened is the report's"`
	Note    string `json:"note,omitempty" maxLength:"1024"`
}

func (d *reporterDraft) reporter() feeds.Reporter {
	return feeds.Reporter{Name: strings.TrimSpace(d.Name), Phone: strings.TrimSpace(d.Phone), Email: strings.TrimSpace(d.Email), Address: strings.TrimSpace(d.Address), Note: strings.TrimSpace(d.Note)}
}

// keepReporter keeps who gave a report that is about to be entered here: where they cannot be kept the report is not entered either, and sent
// again it is no second one.
func (s *server) keepReporter(ctx context.Context, report string, d *reporterDraft) error {
	if d == nil || d.reporter().Empty() {
		return nil
	}
	return s.Privacy.Reporters.Put(ctx, privacy.Of{Report: report, Reporter: d.reporter()})
}

func (s *server) maskedReporter(ctx context.Context, _ *struct {
	ID string `path:"id"`
}) (*body[maskedOut], error) {
	o := objectOf(ctx)
	if o.level != access.Full {
		return nil, s.fault(deny(access.ReadReports, "the report is seen only in part"))
	}
	out, err := s.Privacy.Reporters.Masked(ctx, o.report.ID)
	if err != nil {
		return nil, s.reporterFault(err)
	}
	ids, err := s.Privacy.Reporters.ReportsOf(ctx, out.PersonRef)
	if err != nil {
		return nil, s.fault(err)
	}
	pranks, err := s.sees(ctx).pranks(ctx, ids, o.report.ID)
	if err != nil {
		return nil, err
	}
	return &body[maskedOut]{maskedOut{out, pranks}}, nil
}

// maskedOut is a reporter masked, with what is known of them by their other reports.
type maskedOut struct {
	privacy.Masked
	Pranks int `json:"pranks" doc:"How many other reports of this person were judged to be pranks, of those whose reporter is still kept. It blocks nobody"`
}

type revealIn struct {
	ID   string `path:"id"`
	Body struct {
		Reason string `json:"reason" maxLength:"500" doc:"Why, in ten letters or more: the audit log keeps it, and whoever looks next sees who looked"`
	}
}

// revealOut is a reporter whole, and who has seen them before.
type revealOut struct {
	privacy.Whole
	Before []privacy.Revealed `json:"shown_before"`
}

// revealReporter keeps the record first: where the log does not take it, nobody sees anything.
func (s *server) revealReporter(ctx context.Context, in *revealIn) (*body[revealOut], error) {
	o, a := objectOf(ctx), act(ctx)
	reason := strings.Join(strings.Fields(in.Body.Reason), " ")
	if utf8.RuneCountInString(reason) < leastReason {
		return nil, problem.New(problem.Invalid, "say why", problem.AtLimit("body.reason", problem.Short, leastReason, fmt.Sprintf("%d letters at least", leastReason)))
	}
	allowed, err := s.Privacy.Reporters.Allow(ctx, a.Actor.Subject)
	if err != nil {
		return nil, s.fault(err)
	}
	if !allowed {
		if err := s.lately(ctx); err != nil {
			s.Auth.Record(ctx, auth.Act{Actor: a.Actor, Action: "right.denied", Object: "report:" + o.report.ID, From: a.From, Reason: "many reporters within an hour", Request: a.Request})
			return nil, err
		}
	}
	before, err := s.Privacy.Reporters.Masked(ctx, o.report.ID)
	if err != nil {
		return nil, s.reporterFault(err)
	}
	who, err := s.Privacy.Reporters.Reveal(ctx, o.report.ID, privacy.Revealed{By: a.Actor.Subject, Name: a.Actor.Name, At: moment.Of(s.Now())}, func() error {
		return s.Privacy.Record(ctx, audit.Record{Actor: a.Actor.Subject, Agency: a.Actor.Agency, Action: "reporter.revealed", Object: "report:" + o.report.ID, Reason: reason, Request: a.Request})
	})
	if err != nil {
		return nil, s.reporterFault(err)
	}
	return &body[revealOut]{revealOut{who, before.Revealed}}, nil
}

func (s *server) reporterFault(err error) error {
	return s.fault(err)
}
