package app

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/geo/index"
)

// How long what is known of the city's properties and of what fires elsewhere is used.
const (
	propertiesFor = time.Minute
	firingFor     = 2 * time.Second
	firingLimit   = time.Second
)

// ofEveryPosition are the properties that the house makes of positions, whether a vehicle has spoken yet or not.
var ofEveryPosition = []string{"speed", "heading", "accuracy", "position"}

// knownProperties is what any Thing has ever said, as far as the picture remembers.
type knownProperties struct {
	mu   sync.Mutex
	at   time.Time
	list []string
}

// of gives the names, sorted; fresh: what was said until now, else until a minute ago.
func (k *knownProperties) of(picture *index.Picture, fresh bool) []string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); k.list == nil || fresh || now.Sub(k.at) > propertiesFor {
		names := map[string]bool{}
		for _, name := range ofEveryPosition {
			names[name] = true
		}
		picture.All(func(e *index.Entry) bool {
			if t := feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell); t != nil {
				for name := range t.State {
					names[name] = true
				}
			}
			return true
		})
		k.at, k.list = now, sorted(names)
	}
	return k.list
}

// sorted lists a set.
func sorted(set map[string]bool) []string {
	out := make([]string, 0, len(set))
	for name := range set {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// knownFiring is what fires, as the store says; for servers that do not judge.
type knownFiring struct {
	mu sync.Mutex
	at time.Time
	by map[string]map[string]string
}

func (k *knownFiring) of(ask func(context.Context) (map[string]map[string]string, error)) map[string]map[string]string {
	k.mu.Lock()
	defer k.mu.Unlock()
	if now := time.Now(); now.Sub(k.at) > firingFor {
		ctx, cancel := context.WithTimeout(context.Background(), firingLimit)
		defer cancel()
		if by, err := ask(ctx); err == nil {
			k.by = by
		}
		k.at = now
	}
	return k.by
}

// List is the rules in force and how they stand, at whichever server they are judged.
func (s *ruleSet) List() []rules.Listed {
	engine := s.app.rules
	list := engine.List()
	unknown := engine.Program().Unknown(s.properties.of(s.app.picture, false))
	var firing map[string]map[string]string
	if !s.app.pipeline.Judging() {
		firing = s.firing.of(s.app.cases.Firing)
	}
	for i := range list {
		l := &list[i]
		if v := s.version(l.ID); v > 0 {
			l.Source, l.Version = fromAPI, v
		}
		for _, u := range unknown {
			if u.Rule == l.ID {
				l.Warnings = append(l.Warnings, fmt.Sprintf("no feed has said %q yet", u.Property))
			}
		}
		if things := firing[l.ID]; len(things) > 0 && len(l.Firing) == 0 {
			for thing := range things {
				l.Firing = append(l.Firing, thing)
			}
			slices.Sort(l.Firing)
			if l.State != "off" {
				l.State = "firing"
			}
		}
	}
	return list
}
