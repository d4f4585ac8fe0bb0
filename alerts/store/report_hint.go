package store

import (
	"context"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/geo"
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
	firing, err := s.stillTold(ctx, table, d, incidents)
	if err != nil {
		return nil, err
	}
	return fusion.Hints(table, d, incidents, firing, reports, now), nil
}

// stillTold tells of which incidents around an account an instrument tells still: the alert that a rule has raised on it is active, and theirs.
func (s *Store) stillTold(ctx context.Context, table fusion.Table, d fusion.Draft, incidents []incident.Incident) (map[string]bool, error) {
	out := map[string]bool{}
	if d.At == nil {
		return out, nil
	}
	var pieces []fusion.Piece
	for i := range incidents {
		at, placed := incidents[i].Position()
		if !placed || !table.Reaches(incidents[i].Type, geo.Distance(at, *d.At)) {
			continue
		}
		for _, e := range incidents[i].Evidence {
			pieces = append(pieces, fusion.Piece{Kind: e.Kind, Ref: e.Ref})
		}
	}
	ids, err := s.raisedBy(ctx, pieces)
	if err != nil {
		return nil, err
	}
	list, err := s.alertsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for _, k := range list {
		if k.doc.State == alerts.Active && k.doc.Incident != "" {
			out[k.doc.Incident] = true
		}
	}
	return out, nil
}
