package walls

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/status"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/fault"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/devices"
	"kentongan/server/scope"
	"kentongan/server/wire"
)

// ErrNoWall tells that no wall that is let in has this id.
var ErrNoWall = errors.New("no wall has this id")

// Deps are what the walls lean on.
type Deps struct {
	Cases   *store.Store // keeps settings, each change with its audit record
	Redis   redis.UniversalClient
	Keys    keyspace.Keys
	Devices *devices.Store
	Scenes  Scenes
	Tell    func(list []wire.Wall) // tells screens that are connected here; may be nil
	Word    func()                 // tells other servers that walls have changed; may be nil
	Now     func() time.Time
}

// Store is the walls of a house. Safe for concurrent use.
type Store struct {
	Deps
	mu   sync.Mutex
	told map[string]int64 // wall -> the newest version that screens here were told
}

// New gives the walls.
func New(d Deps) *Store { return &Store{Deps: d, told: map[string]int64{}} }

// FleetWall is a wall as an administrator sees it: its device, what it is set to and what it says of itself.
type FleetWall struct {
	devices.Device
	Settings wire.Wall
	Report   *WallReport
}

// MarshalJSON is one flat object: fields of the device, then of the settings, which win where both have one (version, which of a device is
// what it calls itself, is then agent).
func (w FleetWall) MarshalJSON() ([]byte, error) {
	out := map[string]any{}
	for _, part := range []any{w.Device, w.Settings} {
		b, err := json.Marshal(part)
		if err != nil {
			return nil, err
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(&out); err != nil {
			return nil, err
		}
	}
	out["agent"], out["report"] = w.Device.Version, w.Report
	return json.Marshal(out)
}

// List gives every wall, the newest first, with those that were removed. Errors: auth.ErrUnavailable, feeds.ErrBusy.
func (s *Store) List(ctx context.Context) ([]FleetWall, error) {
	known, err := s.Devices.List(ctx, devices.Wall)
	if err != nil {
		return nil, err
	}
	kept, err := s.Cases.Walls(ctx)
	if err != nil {
		return nil, err
	}
	reports, err := s.Redis.HGetAll(ctx, s.Keys.WallReport()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: reports of walls: %w", feeds.ErrBusy, err)
	}
	out := make([]FleetWall, 0, len(known))
	for _, d := range known {
		w, err := s.settingsOf(ctx, d, kept[d.ID])
		if err != nil {
			return nil, err
		}
		one := FleetWall{Device: d, Settings: w}
		if r := reportOf(reports[d.ID]); r != nil && d.RemovedAt.IsZero() {
			one.Report = r
			if r.At.After(one.LastSeenAt.Time) {
				one.LastSeenAt = r.At // to the second
			}
		}
		out = append(out, one)
	}
	return out, nil
}

// settingsOf is what a wall is set to, as of this moment: a hold that has ended is over, and what a wall may not show any more is not in focus.
// Settings that cannot be read are those of a new wall before visitors, until it is set anew: one of them stops no other wall.
func (s *Store) settingsOf(ctx context.Context, d devices.Device, kept string) (wire.Wall, error) {
	w := Unset(d.ID, d.Name, d.Screen)
	if kept != "" {
		if err := json.Unmarshal([]byte(kept), &w); err != nil {
			w = Unset(d.ID, d.Name, d.Screen)
			if i := slices.IndexFunc(s.Scenes, func(one Scene) bool { return len(one.Redact) > 0 }); i >= 0 {
				w.Scene = s.Scenes[i].ID
			}
		}
	}
	w.ID, w.Name, w.Screen = d.ID, d.Name, d.Screen
	if !s.Scenes.Has(w.Scene) {
		w.Scene = "normal" // its scene has left the house's file
	}
	s.Scenes.mend(&w)
	if !s.Now().Before(w.HeldUntil.Time) {
		w.HeldBy, w.HeldUntil = "", moment.Time{}
	}
	if w.Focus != nil {
		shows, err := s.shows(ctx, *w.Focus)
		if err != nil {
			return w, err
		}
		if !shows {
			w.Focus = nil
		}
	}
	return w, nil
}

// shows tells whether a wall may show an incident: never one of a restricted type, whoever steers it there. Errors: feeds.ErrBusy.
func (s *Store) shows(ctx context.Context, id string) (bool, error) {
	inc, err := s.Cases.Incident(ctx, id)
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	wall := access.Subject{ID: "wall:", Grants: []access.Grant{{Role: access.Wall}}}
	return access.Can(wall, access.ReadIncidents, scope.Incident(&inc), s.Now()).Level >= access.Facts, nil
}

// levels gives the confirmed level of the area by hazard; what is simulated is none.
func (s *Store) levels(ctx context.Context) (map[string]int, error) {
	list, err := s.Cases.AreaStatus(ctx)
	if err != nil {
		return nil, err
	}
	return levelsOf(list), nil
}

func levelsOf(list []status.Status) map[string]int {
	out := map[string]int{}
	for i := range list {
		if !list[i].Simulated {
			out[list[i].Hazard] = list[i].Level
		}
	}
	return out
}

// Of gives what one wall is set to. Errors: ErrNoWall, auth.ErrUnavailable, feeds.ErrBusy.
func (s *Store) Of(ctx context.Context, id string) (wire.Wall, error) {
	all, err := s.standing(ctx)
	if err != nil {
		return wire.Wall{}, err
	}
	d, ok := all[id]
	if !ok {
		return wire.Wall{}, ErrNoWall
	}
	kept, err := s.Cases.Walls(ctx)
	if err != nil {
		return wire.Wall{}, err
	}
	return s.settingsOf(ctx, d, kept[id])
}

// Guests tells whether visitors stand before a wall, by what it is set to. Errors: auth.ErrUnavailable.
func (s *Store) Guests(ctx context.Context, id string) (bool, error) {
	kept, err := s.Cases.Walls(ctx)
	if err != nil {
		return false, fmt.Errorf("%w: %w", auth.ErrUnavailable, err)
	}
	w := Unset(id, "", "")
	if text := kept[id]; text != "" {
		if err := json.Unmarshal([]byte(text), &w); err != nil {
			return true, nil // what it shows cannot be read: it shows nothing that visitors may not see
		}
	}
	return s.Scenes.Guests(w), nil
}

// standing gives the walls that are not removed.
func (s *Store) standing(ctx context.Context) (map[string]devices.Device, error) {
	list, err := s.Devices.List(ctx, devices.Wall)
	if err != nil {
		return nil, err
	}
	out := map[string]devices.Device{}
	for _, d := range list {
		if d.RemovedAt.IsZero() {
			out[d.ID] = d
		}
	}
	return out, nil
}

// Change patches one wall, in one step with its record; what it is called is its device's, with a record of its own in the same step. Errors:
// *Fault, *devices.Fault, ErrNoWall, auth.ErrUnavailable, feeds.ErrBusy.
func (s *Store) Change(ctx context.Context, id string, p WallPatch, who audit.Actor, act auth.Act) (wire.Wall, error) {
	was, err := s.Of(ctx, id)
	if err != nil {
		return was, err
	}
	var out []wire.Wall
	if p.Names(was) {
		out, err = s.rename(ctx, id, p, act)
	} else {
		err = s.changeAt(ctx, []string{id}, who, "wall.changed", &out, func(w wire.Wall, _, now time.Time) (wire.Wall, error) { return p.Apply(w, s.Scenes, now) })
	}
	if err != nil {
		return was, err
	}
	return out[0], nil
}

// Steer changes several walls so that each takes it up at the same moment of the server's time. Who holds a wall keeps off what comes by itself,
// not other people: the newest word counts, and the log says whose it was. Errors: *Fault, ErrNoWall, auth.ErrUnavailable, feeds.ErrBusy.
func (s *Store) Steer(ctx context.Context, st Steering, who audit.Actor) ([]wire.Wall, error) {
	ids := st.Walls
	if st.All() {
		all, err := s.standing(ctx)
		if err != nil {
			return nil, err
		}
		ids = slices.Sorted(maps.Keys(all))
	}
	if st.Focus != nil && *st.Focus != "" {
		shows, err := s.shows(ctx, *st.Focus)
		if err != nil {
			return nil, err
		}
		if !shows {
			return nil, fault.At("focus", fault.Unknown, nil, "want the id of an incident that a wall shows")
		}
	}
	levels, err := s.levels(ctx)
	if err != nil {
		return nil, err
	}
	by := cmp.Or(who.Name, who.Subject)
	var out []wire.Wall
	err = s.changeAt(ctx, ids, who, "wall.steered", &out, func(w wire.Wall, at, now time.Time) (wire.Wall, error) {
		return st.Apply(w, s.Scenes, Desk{By: by, Levels: levels, Now: now, At: at})
	})
	return out, err
}

func (s *Store) changeAt(ctx context.Context, ids []string, who audit.Actor, action string, out *[]wire.Wall, do func(w wire.Wall, at, now time.Time) (wire.Wall, error)) error {
	known, err := s.standing(ctx)
	if err != nil {
		return err
	}
	err = s.Cases.ChangeWalls(ctx, who, func(kept map[string]string) ([]store.WallChange, error) {
		*out = nil
		now := s.Now()
		at := now.Add(Lead)
		var changes []store.WallChange
		for _, id := range slices.Compact(slices.Sorted(slices.Values(ids))) {
			d, ok := known[id]
			if !ok {
				return nil, fmt.Errorf("%w: %.40q", ErrNoWall, id)
			}
			was, err := s.settingsOf(ctx, d, kept[id])
			if err != nil {
				return nil, err
			}
			next, err := do(was, at, now)
			if err != nil {
				return nil, err
			}
			doc, err := json.Marshal(next)
			if err != nil {
				return nil, err
			}
			changes = append(changes, store.WallChange{ID: id, Doc: doc, Action: action, Before: was, After: next, Reason: next.Scene})
			*out = append(*out, next)
		}
		return changes, nil
	})
	if err != nil {
		return err
	}
	s.announce(*out)
	return nil
}

// announce tells screens here, and other servers, of a change that was made here.
func (s *Store) announce(list []wire.Wall) {
	s.tell(list)
	if s.Word != nil {
		s.Word()
	}
}

// Heard tells screens that are connected here what another server has changed. Errors: auth.ErrUnavailable, feeds.ErrBusy.
func (s *Store) Heard(ctx context.Context) error {
	known, err := s.standing(ctx)
	if err != nil {
		return err
	}
	kept, err := s.Cases.Walls(ctx)
	if err != nil {
		return err
	}
	var list []wire.Wall
	for id, text := range kept {
		if d, ok := known[id]; ok {
			w, err := s.settingsOf(ctx, d, text)
			if err != nil {
				return err
			}
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b wire.Wall) int { return strings.Compare(a.ID, b.ID) })
	s.tell(list)
	return nil
}

// tell tells screens here of walls whose version they have not been told.
func (s *Store) tell(list []wire.Wall) {
	s.mu.Lock()
	defer s.mu.Unlock()
	list = slices.DeleteFunc(slices.Clone(list), func(w wire.Wall) bool { return w.Version <= s.told[w.ID] })
	for _, w := range list {
		s.told[w.ID] = w.Version
	}
	if len(list) > 0 && s.Tell != nil {
		s.Tell(list)
	}
}

// Forget drops what a wall was set to, once its device is removed. Errors: feeds.ErrBusy.
func (s *Store) Forget(ctx context.Context, id string, who audit.Actor) error {
	err := s.Cases.ChangeWalls(ctx, who, func(kept map[string]string) ([]store.WallChange, error) {
		text, ok := kept[id]
		if !ok {
			return nil, nil
		}
		return []store.WallChange{{ID: id, Action: "wall.removed", Before: json.RawMessage(text)}}, nil
	})
	if err != nil {
		return err
	}
	if err := s.Redis.HDel(ctx, s.Keys.WallReport(), id).Err(); err != nil {
		return fmt.Errorf("%w: report of a wall: %w", feeds.ErrBusy, err)
	}
	return nil
}
