package api

import (
	"net/http"

	"github.com/gorilla/websocket"

	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
)

func (s *server) live() {
	s.table.handle("GET /api/v1/live", needs(access.ReadThings).unpaced(), s.upgrade)
}

// upgrade lets a socket through: a page must be ours, exactly; whoever sends no Origin is no page and must carry a bearer.
func (s *server) upgrade(w http.ResponseWriter, r *http.Request) {
	id, _ := auth.FromContext(r.Context())
	if len(r.Header.Values("Origin")) > 0 {
		if !s.Auth.OriginAllowed(r) {
			s.Auth.Forbid(r, id, "a page of ours")
			tell(w, problem.ForeignPage, "the Origin of this socket is not this house's address")
			return
		}
	} else if id.ByCookie() {
		tell(w, problem.ForeignPage, "without one a socket needs a bearer token")
		return
	}
	if !websocket.IsWebSocketUpgrade(r) {
		w.Header().Set("Upgrade", "websocket")
		tell(w, problem.UpgradeRequired, "")
		return
	}
	s.Live(w, r, id, r.URL.Query().Get("format") == "json")
}
