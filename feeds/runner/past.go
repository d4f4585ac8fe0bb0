package runner

import (
	"context"
	"sync"
	"time"

	"kentongan/feeds/transports/poll"
)

// Past is how a feed fared before this run.
type Past struct {
	LastSuccess time.Time
	Interval    time.Duration // learned; zero: not known
}

// Memory is what feeds know beyond one run of one server: where polls are, and how each feed fared.
type Memory interface {
	poll.Memory
	Past(ctx context.Context, feed string) (Past, error) // zero where nothing is known
	SetPast(ctx context.Context, feed string, p Past) error
}

// How often a feed's past is kept while it is well, and how long that may take.
const (
	pastEvery = 10 * time.Second
	pastLimit = 2 * time.Second
)

// forgetful is a Memory in this process.
type forgetful struct {
	*poll.Recent
	mu   sync.Mutex
	past map[string]Past
}

func newForgetful() *forgetful {
	return &forgetful{Recent: poll.NewMemory(10000), past: map[string]Past{}}
}

func (f *forgetful) Past(_ context.Context, feed string) (Past, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.past[feed], nil
}

func (f *forgetful) SetPast(_ context.Context, feed string, p Past) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.past[feed] = p
	return nil
}

// resume goes on from how the feed fared before. Without that nothing is lost but its age.
func (in *inlet) resume(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	p, err := in.runner.opt.Remember.Past(ctx, in.config.Name)
	if err != nil {
		in.log.Debug().Err(err).Msg("how the feed fared before is not known")
		return
	}
	in.health.resume(p)
}

// keepPast keeps how the feed fares, where that is new.
func (in *inlet) keepPast(ctx context.Context, kept Past) Past {
	p := in.health.past()
	if p == kept || p.LastSuccess.IsZero() {
		return kept
	}
	ctx, cancel := context.WithTimeout(ctx, pastLimit)
	defer cancel()
	if err := in.runner.opt.Remember.SetPast(ctx, in.config.Name, p); err != nil {
		in.log.Debug().Err(err).Msg("how the feed fares is not kept")
		return kept
	}
	return p
}
