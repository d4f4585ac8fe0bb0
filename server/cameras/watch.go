package cameras

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// Place stores a batch as any feed's: it makes a camera's Thing.
type Place func(ctx context.Context, b feeds.Batch, m feeds.Meta) (feeds.Receipt, error)

// property says of a camera's Thing that a picture came. How old it is, is how old the reading is.
const property = "picture"

// Watch asks every camera of the configuration by its interval until ctx ends, and tells what came. One server of a house does so. A restricted
// camera is asked and makes no Thing: everybody sees Things.
func (s *Set) Watch(ctx context.Context, place Place) {
	var all sync.WaitGroup
	defer all.Wait()
	for _, c := range s.list {
		if c.client != nil {
			all.Go(func() { s.watch(ctx, c, place) })
		}
	}
}

func (s *Set) watch(ctx context.Context, c *camera, place Place) {
	turn := fnv.New32a()
	_, _ = turn.Write([]byte(c.ID)) // a hash takes everything
	wait := time.Duration(turn.Sum32()) % min(c.Every, 5*time.Second)
	var last time.Time
	for {
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			return
		case <-t.C:
		}
		wait = c.Every
		f, _ := s.look(ctx, c)
		if f.At.IsZero() || !f.At.After(last) || c.Restricted {
			continue
		}
		if err := s.tell(ctx, c, f.At, place); err != nil {
			s.log.Debug().Err(err).Str("thing", c.ID).Msg("a camera's picture is not told yet")
			continue // the next one will be
		}
		last = f.At
	}
}

// tell places a camera's Thing with its newest picture's time.
func (s *Set) tell(ctx context.Context, c *camera, at time.Time, place Place) error {
	o := feeds.Observation{Thing: c.config.ID, Property: property, Value: feeds.Value{Type: feeds.Text, Text: "ok"}, At: moment.Of(at), ReceivedAt: moment.Of(at), Position: c.Position, Placed: true,
		Kind: Kind, Name: c.Name, Quality: feeds.Good}
	_, err := place(ctx, feeds.Batch{Observations: []feeds.Observation{o}}, feeds.Meta{Feed: Feed, Agency: c.Agency, Kind: Kind, ReceivedAt: at.UTC(), Interval: c.Every, Attribution: c.Attribution})
	return err
}
