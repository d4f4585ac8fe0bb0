package app

import (
	"time"

	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/geo"
)

// passing makes the reader that lets time pass: holds end, missed steps of the service are noted, what is proved closes, and units on scene are seen
// there.
func (a *App) passing(cases *store.Store) func() store.Reader {
	return func() store.Reader { return cases.LifeReader(a.whereIs) }
}

// whereIs is the last place of a unit, and when it was there.
func (a *App) whereIs(u unit.Unit) (geo.Position, time.Time, bool) {
	u = a.places.Fill([]unit.Unit{u}, time.Now())[0]
	if u.Lng == nil || u.Lat == nil {
		return geo.Position{}, time.Time{}, false
	}
	return geo.Position{Lat: *u.Lat, Lng: *u.Lng}, u.PositionAt.Time, true
}
