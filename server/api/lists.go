package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/server/access"
)

// lists registers the short lists: feeds, audit; and the profile.
func (s *server) lists() {
	operation(s, needs(access.ReadFeeds), "GET", "/api/v1/feeds", "feeds", "How each feed fares", http.StatusOK, func(context.Context, *struct{}) (*body[List[feeds.FeedStatus]], error) {
		return listOf(s.Feeds(), ""), nil
	})
	operation(s, needs(access.ReadAudit), "GET", "/api/v1/audit", "audit", "Audit records, the newest first", http.StatusOK, s.listAudit)
	s.profile()
}

type auditIn struct {
	From  time.Time `query:"from" doc:"At or after"`
	To    time.Time `query:"to" doc:"Before"`
	Limit int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page  string    `query:"page"`
}

func (s *server) listAudit(ctx context.Context, in *auditIn) (*body[List[audit.Record]], error) {
	items, next, err := s.Cases.AuditLog(ctx, in.From, in.To, in.Limit, in.Page)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}
