package app

import (
	"context"
	"reflect"
	"slices"
	"sync"
	"time"

	"kentongan/alerts/store"
	"kentongan/feeds/bounded"
	"kentongan/feeds/runner"
	"kentongan/feeds/simulator"
	"kentongan/server/api"
	"kentongan/server/cameras"
)

// camerasLease is the lease of whoever asks the cameras by their interval, whether somebody looks or not.
const camerasLease = "cameras"

// openCameras makes the cameras ready, those of the simulated city among them.
func (a *App) openCameras() error {
	secret, err := a.seal.Secret("camera-names")
	if err != nil {
		return err
	}
	drawn, err := a.drawnCameras()
	if err != nil {
		return err
	}
	set, err := cameras.New(cameras.Options{Cameras: a.cfg.Cameras, Drawn: drawn, Secret: secret, UserAgent: "Kentongan/" + a.version, Now: time.Now, Log: a.log})
	if err != nil {
		return err
	}
	a.cameras = &api.Cameras{Set: set, Seen: cameras.NewSeen(a.cases.Record, time.Now)}
	return nil
}

// runCameras keeps their ages, by one server at a time, and the log of who saw them.
func (a *App) runCameras() {
	a.spawn("seen cameras", a.workCtx, func(ctx context.Context) error { a.cameras.Seen.Follow(ctx); return nil })
	a.stack.push("seen cameras", a.cameras.Seen.Close)
	if len(a.cfg.Cameras) == 0 {
		return
	}
	watch := func(ctx context.Context) { a.cameras.Set.Watch(ctx, a.pipeline.Store) }
	a.until("cameras", func(ctx context.Context) {
		if a.alone() {
			watch(ctx)
			return
		}
		a.leases.keep(ctx, camerasLease, func() time.Duration { return 0 }, func(ctx context.Context, _ store.Fence) error { watch(ctx); return nil })
	})
}

// blind is a simulated camera that gives no picture now.
func blind() error {
	return &bounded.Fault{Code: "picture", Text: "the simulated camera is broken, or has no power"}
}

// drawnCameras are those of the simulated city: a twin of the city, which plays the same runs, draws what they see.
func (a *App) drawnCameras() ([]cameras.Drawn, error) {
	i := slices.IndexFunc(a.cfg.Feeds, func(f runner.FeedConfig) bool { return f.Transport == runner.Simulator })
	if i < 0 {
		return nil, nil
	}
	feed, desk := a.cfg.Feeds[i], a.desk()
	city, err := simulator.New(placeOf(a.profile), feed.CityThings(), 0)
	if err != nil {
		return nil, err
	}
	var mu sync.Mutex // a city is not safe for concurrent use
	var played []simulator.Run
	var out []cameras.Drawn
	for _, c := range city.Cameras() {
		one := cameras.Camera{ID: feed.Name + ":" + c.ID, Name: c.Name, Position: c.Position, Still: true, Every: c.Every, Agency: feed.Agency, Simulated: true, Attribution: feed.Attribution}
		out = append(out, cameras.Drawn{Camera: one, Draw: func(ctx context.Context, at time.Time) ([]byte, error) {
			runs, err := desk.runs(ctx)
			if err != nil {
				return nil, err
			}
			mu.Lock()
			defer mu.Unlock()
			if !reflect.DeepEqual(runs, played) { // to set them makes the city reckon all its rivers anew
				if err := city.SetRuns(runs, at); err != nil {
					return nil, err
				}
				played = runs
			}
			b, ok := city.Still(c.ID, at)
			if !ok {
				return nil, blind()
			}
			return b, nil
		}})
	}
	return out, nil
}
