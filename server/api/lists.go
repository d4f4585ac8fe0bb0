package api

import (
	"context"
	"net/http"

	"kentongan/feeds"
	"kentongan/server/access"
)

// lists registers the short lists: feeds, audit; and the profile.
func (s *server) lists() {
	operation(s, needs(access.ReadFeeds), "GET", "/api/v1/feeds", "feeds", "How each feed fares", http.StatusOK, func(context.Context, *struct{}) (*body[List[feeds.FeedStatus]], error) {
		return listOf(s.Feeds(), ""), nil
	})
	s.audit()
	s.profile()
}
