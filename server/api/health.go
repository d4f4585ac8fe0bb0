package api

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"kentongan/server/access"
)

// readyTime bounds how long the store may take to answer /readyz.
const readyTime = 2 * time.Second

func (s *server) health() {
	s.table.handle("GET /healthz", anyone(), func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		answer(w, http.StatusOK, map[string]bool{"alive": true})
	})
	s.table.handle("GET /readyz", anyone(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		ctx, cancel := context.WithTimeout(r.Context(), readyTime)
		defer cancel()
		ready := s.Ready(ctx)
		if ready.Warnings == nil {
			ready.Warnings = []string{}
		}
		status := http.StatusOK
		if !ready.Ready {
			status = http.StatusServiceUnavailable
		}
		answer(w, status, ready)
	})
	s.table.handle("GET /api/openapi.json", anyone(), func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/openapi+json")
		w.Header().Set("Cache-Control", "no-cache")
		z := compress(w, r)
		defer z.close()
		_, _ = z.Write(s.spec)
	})
	if s.Gather != nil {
		s.table.handle("GET /metrics", needs(access.Metrics), promhttp.HandlerFor(s.Gather, promhttp.HandlerOpts{}).ServeHTTP)
	}
}
