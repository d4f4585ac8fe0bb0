package store

import (
	"context"

	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
)

// hintReports is how many of the newest reports hints look at: a night of calls.
const hintReports = 300

// Hints tells whoever takes an account down what it may be of, among what they may work: see and mine tell that. Errors: feeds.ErrBusy.
func (s *Store) Hints(ctx context.Context, d fusion.Draft, mine func(*incident.Incident) bool, see func(*report.Report) bool) ([]fusion.Hint, error) {
	open, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	var incidents []incident.Incident
	for i := range open {
		if mine(&open[i].doc) {
			incidents = append(incidents, open[i].doc)
		}
	}
	now := s.now()
	waiting, _, err := s.newestReports(ctx, now, hintReports)
	if err != nil {
		return nil, err
	}
	var reports []report.Report
	for i := range waiting {
		if see(&waiting[i]) {
			reports = append(reports, waiting[i])
		}
	}
	table := fusion.DefaultTable()
	if s.fusion.Table != nil {
		table = *s.fusion.Table
	}
	return fusion.Hints(table, d, incidents, reports, now), nil
}
