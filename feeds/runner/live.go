package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"kentongan/feeds"
	"kentongan/feeds/register"
)

// Why a feed ends while the house goes on.
var (
	errChanged = errors.New("its settings have changed")
	errRemoved = errors.New("the feed was removed")
)

// life is the time of an inlet: from when it is put to when another stands in its place, or none.
type life struct {
	gate sync.RWMutex  // held for reading by each push under way; once closed, held for ever
	next chan struct{} // closed once the runner knows what stands in its place

	mu    sync.Mutex
	why   error // set: closed
	end   context.CancelCauseFunc
	ended chan struct{} // of the run; nil: not running
}

// begin gives the context of a run; done is called at its end. ok is false where the inlet is closed already.
func (l *life) begin(ctx context.Context) (running context.Context, done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.why != nil {
		return nil, nil, false
	}
	ended := make(chan struct{})
	ctx, l.end = context.WithCancelCause(ctx)
	l.ended = ended
	end := l.end
	return ctx, func() {
		l.mu.Lock()
		l.end, l.ended = nil, nil
		l.mu.Unlock()
		end(nil)
		close(ended)
	}, true
}

// enter lets a push in; leave is called once it is done with. ok is false once the inlet is being closed.
func (l *life) enter() (leave func(), ok bool) {
	if !l.gate.TryRLock() {
		return nil, false
	}
	return l.gate.RUnlock, true
}

// close ends the run, and returns when it has ended and no push is under way.
func (l *life) close(why error) {
	l.mu.Lock()
	l.why = why
	end, ended := l.end, l.ended
	l.mu.Unlock()
	if ended != nil {
		end(why)
		<-ended
	}
	l.gate.Lock()
}

// build makes an inlet, or gives every fault of its settings.
func (r *Runner) build(c FeedConfig) (*inlet, []error) {
	if bad := c.Validate(); len(bad) > 0 {
		return nil, bad
	}
	format, err := r.opt.Formats(c.Format, c.formatOptions())
	if err != nil {
		return nil, []error{&ConfigError{"format", err.Error()}}
	}
	known, bad := c.places()
	if len(bad) > 0 {
		return nil, bad
	}
	return newInlet(r, c, format, known), nil
}

// places reads the register, nil where there is none. Each fault is a *ConfigError.
func (c FeedConfig) places() (*register.Register, []error) {
	var known *register.Register
	var bad []error
	key := "register"
	switch {
	case c.Register != "":
		known, bad = register.Load(c.Register)
	case c.Places != "":
		key = "places"
		known, bad = register.Parse("places.csv", []byte(c.Places))
	}
	for i, err := range bad {
		bad[i] = &ConfigError{key, err.Error()}
	}
	return known, bad
}

// Put adds a feed, or replaces the one of the same name, without touching the others: the deliveries of the old one that are under way end
// first, and pushes that come meanwhile wait. All faults come joined; with one nothing changes.
func (r *Runner) Put(c FeedConfig) error {
	next, bad := r.build(c)
	if len(bad) > 0 {
		return faultsOf(c.Name, bad)
	}
	r.changing.Lock()
	defer r.changing.Unlock()
	old, _ := r.inlet(c.Name)
	if old != nil {
		old.life.close(errChanged)
	}
	r.mu.Lock()
	r.inlets[c.Name] = next
	if r.launch != nil {
		r.launch(next)
	}
	r.mu.Unlock()
	if old != nil {
		close(old.life.next)
	}
	return nil
}

// Remove ends a feed once its deliveries under way have ended. What it brought stays. Errors: ErrUnknownFeed.
func (r *Runner) Remove(name string) error {
	r.changing.Lock()
	defer r.changing.Unlock()
	old, ok := r.inlet(name)
	if !ok {
		return fmt.Errorf("feed %q: %w", name, ErrUnknownFeed)
	}
	old.life.close(errRemoved)
	r.mu.Lock()
	delete(r.inlets, name)
	r.mu.Unlock()
	close(old.life.next)
	r.metrics.forget(name)
	return nil
}

func (r *Runner) inlet(name string) (*inlet, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	in, ok := r.inlets[name]
	return in, ok
}

// Names of the feeds, sorted.
func (r *Runner) Names() []string {
	r.mu.RLock()
	defer r.mu.RUnlock()
	out := make([]string, 0, len(r.inlets))
	for name := range r.inlets {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// Run keeps every feed going, also those that are put later, until ctx ends, and returns when all have stopped.
func (r *Runner) Run(ctx context.Context) error {
	r.mu.Lock()
	r.launch = func(in *inlet) { r.running.Go(func() { in.run(ctx, r.sink) }) }
	for _, in := range r.inlets {
		r.launch(in)
	}
	r.mu.Unlock()
	<-ctx.Done()
	r.mu.Lock()
	r.launch = nil
	r.mu.Unlock()
	r.running.Wait()
	return nil
}

// RunFeed keeps one feed going until ctx ends or the feed is removed, and returns when it has stopped; it must not run twice at once. A feed
// that is replaced goes on with its new settings. Its deliveries go to sink; nil: to the runner's own. Errors: ErrUnknownFeed.
func (r *Runner) RunFeed(ctx context.Context, name string, sink Sink) error {
	if sink == nil {
		sink = r.sink
	}
	for {
		in, ok := r.inlet(name)
		if !ok {
			return fmt.Errorf("feed %q: %w", name, ErrUnknownFeed)
		}
		in.run(ctx, sink)
		select {
		case <-ctx.Done():
			return nil
		case <-in.life.next:
		}
	}
}

// enter gives the inlet of a feed for one delivery; leave is called once it is done with. It waits while the feed is being replaced.
func (r *Runner) enter(ctx context.Context, feed string) (in *inlet, leave func(), err error) {
	for {
		in, ok := r.inlet(feed)
		if !ok {
			return nil, nil, fmt.Errorf("feed %q: %w", feed, ErrUnknownFeed)
		}
		if leave, ok := in.life.enter(); ok {
			return in, leave, nil
		}
		select {
		case <-in.life.next:
		case <-ctx.Done():
			return nil, nil, fmt.Errorf("%w: feed %q is being changed: %w", feeds.ErrBusy, feed, context.Cause(ctx))
		}
	}
}

// faultsOf joins the faults of one feed, each with its name.
func faultsOf(name string, bad []error) error {
	var out []error
	for _, b := range bad {
		out = append(out, fmt.Errorf("feed %q: %w", name, b))
	}
	return errors.Join(out...)
}
