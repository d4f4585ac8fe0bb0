package app

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/runner"
	"kentongan/feeds/simulator"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/api"
	"kentongan/server/profile"
)

// runsKept is how long an ended run is listed.
const runsKept = 24 * time.Hour

// truthThings bounds the copy of the city that tells the truth of runs; ids and places of a Thing do not depend on how many there are.
const truthThings = 2000

// cityDesk takes orders for the simulated city. Orders lie in the store, so that any server takes them and whichever drives the feed
// plays them; the city itself is never asked.
type cityDesk struct {
	app  *App
	feed runner.FeedConfig
	now  func() time.Time

	mu   sync.Mutex
	twin *simulator.City // for truths; built when first asked
}

// desk gives the simulated city's desk; nil where no feed has transport simulator.
func (a *App) desk() *cityDesk {
	i := slices.IndexFunc(a.cfg.Feeds, func(f runner.FeedConfig) bool { return f.Transport == runner.Simulator })
	if i < 0 {
		return nil
	}
	return &cityDesk{app: a, feed: a.cfg.Feeds[i], now: time.Now}
}

// city is what the runner needs to play a simulated city.
func (a *App) city() simulator.Config {
	d := a.desk()
	if d == nil {
		return simulator.Config{}
	}
	return simulator.Config{Place: placeOf(a.profile), Runs: d.runs}
}

// simulator is the desk as the interface asks it; nil where there is none.
func (a *App) simulator() api.Simulator {
	if d := a.desk(); d != nil {
		return d
	}
	return nil
}

// placeOf gives the profile's place as plain data: its own districts, each at its middle.
func placeOf(p *profile.Profile) simulator.Place {
	out := simulator.Place{Slug: p.Slug, Name: p.Name, Bound: p.Bound, Center: p.Center, Zone: p.Zone}
	if p.Areas == nil {
		return out
	}
	for _, a := range p.Areas.Areas() {
		at := a.Center()
		if !a.Ours() || a.Kind == "lake" || at.IsNull() {
			continue
		}
		name := a.Seat
		if name == "" {
			name = a.Name
		}
		out.Sites = append(out.Sites, simulator.Site{Name: name, Position: at})
	}
	return out
}

// runs gives every run that is kept, the newest first.
func (d *cityDesk) runs(ctx context.Context) ([]simulator.Run, error) {
	all, err := d.app.rdb.HGetAll(ctx, d.app.keys.Simulator()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: the runs of the simulated city: %w", feeds.ErrBusy, err)
	}
	out := make([]simulator.Run, 0, len(all))
	for id, text := range all {
		var r simulator.Run
		if json.Unmarshal([]byte(text), &r) != nil || r.ID != id || !simulator.Known(r.Scenario) {
			continue // of a later version: not ours to play
		}
		if d.now().Sub(r.End()) < runsKept {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b simulator.Run) int { return cmp.Compare(b.ID, a.ID) })
	return out, nil
}

// State of the city, with the truth of each run.
func (d *cityDesk) State(ctx context.Context) (api.SimulatorState, error) {
	out := api.SimulatorState{Feed: d.feed.Name, Things: d.feed.CityThings(), Scenarios: []api.SimulatorScenario{}, Runs: []api.SimulatorRun{}}
	var err error
	if out.Kinds, err = simulator.Proportions(placeOf(d.app.profile), out.Things); err != nil {
		return out, err
	}
	for _, s := range simulator.Scenarios() {
		out.Scenarios = append(out.Scenarios, api.SimulatorScenario{ID: s.ID, Names: s.Names, About: s.About, DurationS: s.Duration.Seconds()})
	}
	runs, err := d.runs(ctx)
	if err != nil {
		return out, err
	}
	for _, r := range runs {
		shown, err := d.shown(r)
		if err != nil {
			return out, err
		}
		out.Runs = append(out.Runs, shown)
	}
	return out, nil
}

// Start lets a scenario happen from now on.
func (d *cityDesk) Start(ctx context.Context, scenario string, who audit.Actor) (api.SimulatorRun, error) {
	if !simulator.Known(scenario) {
		return api.SimulatorRun{}, fmt.Errorf("%w: %.64q", api.ErrScenario, scenario)
	}
	now := d.now()
	runs, err := d.runs(ctx)
	if err != nil {
		return api.SimulatorRun{}, err
	}
	for _, r := range runs {
		if r.Scenario == scenario && r.State(now) == "running" {
			return api.SimulatorRun{}, fmt.Errorf("%w: run %s since %s", api.ErrRunning, r.ID, r.StartedAt)
		}
	}
	r, err := simulator.NewRun(ulid.Make().String(), scenario, who.Subject, now)
	if err != nil {
		return api.SimulatorRun{}, err
	}
	if err := d.forget(ctx, now); err != nil {
		return api.SimulatorRun{}, err
	}
	return d.order(ctx, r, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "simulator.start", Object: "run:" + r.ID, Reason: "scenario " + scenario, Request: who.Request})
}

// Stop ends a run. One that is over stays as it is.
func (d *cityDesk) Stop(ctx context.Context, id string, who audit.Actor) (api.SimulatorRun, error) {
	text, err := d.app.rdb.HGet(ctx, d.app.keys.Simulator(), id).Result()
	if errors.Is(err, redis.Nil) {
		return api.SimulatorRun{}, api.ErrNoRun
	} else if err != nil {
		return api.SimulatorRun{}, fmt.Errorf("%w: run %.64s: %w", feeds.ErrBusy, id, err)
	}
	var r simulator.Run
	if err := json.Unmarshal([]byte(text), &r); err != nil || !simulator.Known(r.Scenario) {
		return api.SimulatorRun{}, api.ErrNoRun
	}
	now := d.now()
	if r.State(now) != "running" {
		return d.shown(r)
	}
	r.StoppedAt = moment.Of(now)
	return d.order(ctx, r, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "simulator.stop", Object: "run:" + r.ID, Reason: "scenario " + r.Scenario, Request: who.Request})
}

// order audits an order, puts it where whoever drives the feed looks for it, and writes its truth into the data folder. A record without
// an order says what was tried; an order without a record cannot be.
func (d *cityDesk) order(ctx context.Context, r simulator.Run, act audit.Record) (api.SimulatorRun, error) {
	shown, err := d.shown(r)
	if err != nil {
		return shown, err
	}
	if err := d.app.cases.Record(ctx, act); err != nil {
		return shown, err
	}
	text, err := json.Marshal(r)
	if err != nil {
		return shown, err
	}
	key := d.app.keys.Simulator()
	if _, err := d.app.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		p.HSet(ctx, key, r.ID, text)
		p.Expire(ctx, key, keyspace.SimulatorLifetime)
		return nil
	}); err != nil {
		return shown, fmt.Errorf("%w: order a run: %w", feeds.ErrBusy, err)
	}
	d.app.log.Info().Str("component", "simulator").Str("run", r.ID).Str("scenario", r.Scenario).Str("state", shown.State).Str("by", act.Actor).Msg("scenario")
	if err := d.write(shown); err != nil { // the run itself is ordered; the interface tells its truth as well
		d.app.log.Warn().Err(err).Str("component", "simulator").Str("run", r.ID).Msg("the truth of a run is not written")
	}
	return shown, nil
}

// forget drops runs that ended long ago.
func (d *cityDesk) forget(ctx context.Context, now time.Time) error {
	all, err := d.app.rdb.HGetAll(ctx, d.app.keys.Simulator()).Result()
	if err != nil {
		return fmt.Errorf("%w: the runs of the simulated city: %w", feeds.ErrBusy, err)
	}
	for id, text := range all {
		var r simulator.Run
		if json.Unmarshal([]byte(text), &r) == nil && now.Sub(r.End()) > runsKept {
			if err := d.app.rdb.HDel(ctx, d.app.keys.Simulator(), id).Err(); err != nil {
				return fmt.Errorf("%w: forget run %s: %w", feeds.ErrBusy, id, err)
			}
		}
	}
	return nil
}

// shown is a run with its truth.
func (d *cityDesk) shown(r simulator.Run) (api.SimulatorRun, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.twin == nil {
		var err error
		if d.twin, err = simulator.New(placeOf(d.app.profile), min(d.feed.CityThings(), truthThings), 0); err != nil {
			return api.SimulatorRun{}, err
		}
	}
	truth, err := d.twin.Truth(r)
	if err != nil {
		return api.SimulatorRun{}, err
	}
	out := api.SimulatorRun{Run: r, State: r.State(d.now()), Truth: truth}
	for _, s := range simulator.Scenarios() {
		if s.ID == r.Scenario {
			out.Names = s.Names
		}
	}
	return out, nil
}

// write puts the truth of a run into the data folder, whole or not at all.
func (d *cityDesk) write(r api.SimulatorRun) error {
	dir := filepath.Join(d.app.cfg.DataDir, "simulator")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	text, err := json.MarshalIndent(r.Truth, "", "  ")
	if err != nil {
		return err
	}
	file := filepath.Join(dir, r.ID+".json")
	if err := os.WriteFile(file+".new", append(text, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(file+".new", file)
}

// ErrNoCity means that a scenario was asked for where no feed has transport simulator.
var ErrNoCity = errors.New("no feed has transport simulator")

// StartScenario lets a scenario happen by the command line's order. Call it once Ready is closed.
func (a *App) StartScenario(ctx context.Context, scenario string) error {
	d := a.desk()
	if d == nil {
		return ErrNoCity
	}
	_, err := d.Start(ctx, scenario, audit.Actor{Subject: "house:command-line"})
	if errors.Is(err, api.ErrRunning) {
		return nil // from before a restart
	}
	return err
}
