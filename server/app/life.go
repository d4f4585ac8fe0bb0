package app

import (
	"strings"
	"time"

	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/server/scope"
)

// passing makes the reader that lets time pass: holds end, missed steps of the service are noted, what is proved closes, and units on scene are seen
// there.
func (a *App) passing(cases *store.Store) func() store.Reader {
	return func() store.Reader { return cases.LifeReader(a.whereIs) }
}

// whereIs is the last place of a unit, of the newest Thing that bears its name: "<feed>:<agency>/<call sign>".
func (a *App) whereIs(u unit.Unit) (at geo.Position, seen time.Time, known bool) {
	a.picture.All(func(e *index.Entry) bool {
		_, native, _ := strings.Cut(e.ID, ":")
		if e.Kind != scope.KindUnit || !e.Placed || native != u.ID {
			return true
		}
		if t := feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell); t != nil && t.At.After(seen) {
			at, seen, known = e.Position, t.At.Time, true
		}
		return true
	})
	return at, seen, known
}
