package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/server/access"
)

func (s *server) alerts() {
	operation(s, needs(access.ReadAlerts), "GET", "/api/v1/alerts", "alerts", "Alerts, the newest received first", http.StatusOK, s.listAlerts)
}

// CaseFilter is what lists of cases have in common.
type CaseFilter struct {
	Severity  string    `query:"severity" enum:"Extreme,Severe,Moderate,Minor,Unknown"`
	BBox      string    `query:"bbox" doc:"west,south,east,north in degrees"`
	From      time.Time `query:"from" doc:"At or after"`
	To        time.Time `query:"to" doc:"Before"`
	Simulated string    `query:"simulated" enum:"true,false" doc:"Only what is simulated, exercises among it, or only what is real; default: both, each marked"`
	Q         string    `query:"q" maxLength:"200" doc:"Part of title, number, a partner's number, place, event or headline"`
	Limit     int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page      string    `query:"page"`
}

func (f *CaseFilter) query() (store.Query, error) {
	bound, err := boundOf(f.BBox)
	return store.Query{Severity: cap.Severity(f.Severity), Bound: bound, From: f.From, To: f.To, Simulated: either(f.Simulated), Text: f.Q, Limit: f.Limit, Page: f.Page}, err
}

type alertsIn struct {
	CaseFilter
	Status   string `query:"status" enum:"open,active,updated,cancelled,expired,resolved,logged" doc:"open means active"`
	Category string `query:"category" doc:"Of CAP: Geo, Met ..."`
}

func (s *server) listAlerts(ctx context.Context, in *alertsIn) (*body[List[alerts.Alert]], error) {
	q, err := in.query()
	if err != nil {
		return nil, err
	}
	q.Status, q.Type = in.Status, in.Category
	items, next, err := s.Cases.Alerts(ctx, q)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}
