package api

import (
	"strings"
	"sync"
	"time"

	"kentongan/alerts/unit"
	"kentongan/feeds"
	"kentongan/geo/index"
	"kentongan/geo/moment"
	"kentongan/server/ingest"
	"kentongan/server/scope"
)

// UnitPlaces finds the last place of units: of each the newest Thing that bears its name, "<feed>:<agency>/<call sign>", that is one of its
// trackers, or that bears its call sign and comes by a feed of its agency, as CoT calls them. It remembers the ids of Things of kind unit, so
// that nobody walks the whole picture for them. Safe for concurrent use.
type UnitPlaces struct {
	picture *index.Picture
	agency  func(feed string) string

	mu       sync.RWMutex
	followed bool                // Note tells what changes; before it has, the picture is walked
	named    map[string][]string // unit id, or agency and call sign in small letters -> ids of Things
	known    map[string]string   // id of a Thing -> the name by which it is remembered
}

// NewUnitPlaces makes one over a picture; agency gives whose a feed is, empty where it is nobody's, and is asked under a lock.
func NewUnitPlaces(picture *index.Picture, agency func(feed string) string) *UnitPlaces {
	return &UnitPlaces{picture: picture, agency: agency, named: map[string][]string{}, known: map[string]string{}}
}

// Note takes over what has changed in the picture.
func (p *UnitPlaces) Note(changed []ingest.ThingChange) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.followed {
		p.walk()
		p.followed = true
	}
	for i := range changed {
		if e := changed[i].Entry; e != nil && e.Kind == scope.KindUnit {
			p.remember(e)
		}
	}
}

func (p *UnitPlaces) walk() {
	var list []*index.Entry
	p.picture.All(func(e *index.Entry) bool {
		if e.Kind == scope.KindUnit {
			list = append(list, e)
		}
		return true
	})
	for _, e := range list {
		p.remember(e)
	}
}

func (p *UnitPlaces) remember(e *index.Entry) {
	if _, ok := p.known[e.ID]; ok {
		return
	}
	feed, native, _ := strings.Cut(e.ID, ":")
	name := native
	if !strings.Contains(native, "/") {
		t := thingOf(e)
		agency := p.agency(feed)
		if t == nil || agency == "" {
			return
		}
		name = unit.ID(agency, strings.ToLower(t.Name))
	}
	p.known[e.ID] = name
	p.named[name] = append(p.named[name], e.ID)
}

// Fill fills in the last place of each unit, and how old it is. A Thing that is no unit's, or has no place, tells none.
func (p *UnitPlaces) Fill(units []unit.Unit, now time.Time) []unit.Unit {
	p.mu.RLock()
	if !p.followed {
		p.mu.RUnlock()
		p.mu.Lock()
		p.walk()
		p.mu.Unlock()
		p.mu.RLock()
	}
	defer p.mu.RUnlock()
	told := make([]whereabouts, len(units)) // where each is, and how old that is: one piece of memory
	for i := range units {
		u, t := &units[i], &told[i]
		for _, id := range p.named[u.ID] {
			p.newest(u, t, id)
		}
		for _, id := range u.Trackers {
			p.newest(u, t, id)
		}
		if !u.PositionAt.IsZero() {
			t.age = max(0, now.Sub(u.PositionAt.Time).Seconds())
			u.PositionAgeS = &t.age
		}
	}
	return units
}

// whereabouts are what a unit points at.
type whereabouts struct{ lng, lat, age float64 }

// newest takes over where a Thing is, if it has told so after whoever told last.
func (p *UnitPlaces) newest(u *unit.Unit, t *whereabouts, id string) {
	e := p.picture.Get(id)
	if e == nil || !e.Placed || e.Kind != scope.KindUnit {
		return
	}
	if at, ok := lastOf(e); ok && at.After(u.PositionAt.Time) {
		t.lng, t.lat = e.Position.Lng, e.Position.Lat
		u.Lng, u.Lat, u.PositionAt = &t.lng, &t.lat, at
	}
}

// lastOf is when a Thing said last what it knows, without unpacking that.
func lastOf(e *index.Entry) (moment.Time, bool) {
	switch t := e.Payload.(type) {
	case *feeds.Packed:
		return moment.OfMilli(t.At()), true
	case feeds.Packed:
		return moment.OfMilli(t.At()), true
	case *feeds.Thing:
		return t.At, true
	}
	return moment.Time{}, false
}

// Seen is when a Thing told last where a unit is; zero: none has.
func (p *UnitPlaces) Seen(u unit.Unit, now time.Time) moment.Time {
	return p.Fill([]unit.Unit{u}, now)[0].PositionAt
}
