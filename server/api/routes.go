package api

import (
	"cmp"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kentongan/server/auth"
	"kentongan/server/devices"
	"kentongan/server/profile"
	"kentongan/server/walls"
)

// Routes lists every route with its policy, from the table that the server uses: it is filled as for a start, and nothing is opened. Files
// are the screens, maxBody is limits.body. An error is what would stop the start.
func Routes(files fs.FS, maxBody int64) ([]Route, error) {
	nowhere, err := profile.Load("")
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	s := &server{Deps: Deps{Auth: new(auth.Auth), Devices: new(devices.Store), Walls: new(walls.Store), Profile: nowhere, Gather: prometheus.NewRegistry(), Files: files, MaxBody: maxBody,
		Now: time.Now, Log: zerolog.Nop()}}
	s.table = newTable(s)
	if err := s.register(); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return s.table.sorted(), nil
}

// sorted gives the routes by path, and those of a path by method.
func (t *table) sorted() []Route {
	out := slices.Clone(t.routes)
	slices.SortFunc(out, func(a, b Route) int {
		return cmp.Or(strings.Compare(a.Path(), b.Path()), strings.Compare(a.Method(), b.Method()))
	})
	return out
}

// Method of a route; empty where it takes every one.
func (r Route) Method() string {
	method, _, found := strings.Cut(r.Pattern, " ")
	if !found {
		return ""
	}
	return method
}

// Path of a route, with its {variables}.
func (r Route) Path() string {
	_, path, found := strings.Cut(r.Pattern, " ")
	if !found {
		return r.Pattern
	}
	return path
}
