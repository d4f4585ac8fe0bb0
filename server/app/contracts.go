package app

import (
	"context"
	"errors"
	"fmt"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/server/access"
	"kentongan/server/api"
	"kentongan/server/auth"
)

// contracts shows feeds with their contracts, and takes decisions on what is held.
type contracts struct{ app *App }

// runnerOf gives the runner that has a feed; nil: none has.
func (a *App) runnerOf(feed string) *runner.Runner {
	for _, r := range []*runner.Runner{a.push, a.pull} {
		if _, ok := r.Keeps(feed); ok {
			return r
		}
	}
	return nil
}

// Feed gives one feed as people see it.
func (c contracts) Feed(ctx context.Context, name string) (api.FeedDetail, error) {
	r := c.app.runnerOf(name)
	if r == nil {
		return api.FeedDetail{}, fmt.Errorf("feed %q: %w", name, runner.ErrUnknownFeed)
	}
	out := api.FeedDetail{Source: fromFile, Config: map[string]any{}}
	for _, s := range c.app.feedStatus() {
		if s.Name == name {
			out.Status = s
		}
	}
	id, _ := auth.FromContext(ctx)
	if entry, ok := c.app.feedSet.Entry(name, id.Can(access.WriteFeeds)); ok {
		out.Source, out.Version, out.Config = entry.Source, entry.Version, entry.Config
	}
	var err error
	if out.Contract, err = r.Contract(ctx, name); err != nil {
		return out, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	if out.Quarantine, err = c.app.quarantine.list(ctx, name); err != nil {
		return out, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	return out, nil
}

// Body gives the bytes of a held delivery.
func (c contracts) Body(ctx context.Context, feed, id string) ([]byte, error) {
	if _, err := c.app.quarantine.one(ctx, feed, id); err != nil {
		return nil, notHeld(err)
	}
	b, err := c.app.quarantine.body(ctx, feed, id, int64(c.app.cfg.Limits.Inflated))
	return b, notHeld(err)
}

func notHeld(err error) error {
	if errors.Is(err, errNotHeld) {
		return fmt.Errorf("%w: %w", api.ErrNotHeld, err)
	}
	return err
}

// Accept stores a held delivery the usual way and lets the feed's contract learn its shape.
func (c contracts) Accept(ctx context.Context, feed, id, note string, who audit.Actor) (contract.Held, error) {
	h, err := c.open(ctx, feed, id)
	if err != nil {
		return h, err
	}
	r := c.app.runnerOf(feed)
	if r == nil {
		return h, fmt.Errorf("feed %q: %w", feed, runner.ErrUnknownFeed)
	}
	body, err := c.bytesOf(ctx, h)
	if err != nil {
		return h, err
	}
	if err := c.record(ctx, "feed.quarantine.accepted", h, note, who); err != nil {
		return h, err
	}
	for range keeperLast {
		if _, err = r.Accept(ctx, h, body); err != nil {
			return h, err
		}
		out, err := c.decided(ctx, r, h, contract.StateAccepted, note, who)
		if !errors.Is(err, errMore) {
			return out, err
		}
		if h, err = c.open(ctx, feed, id); err != nil { // first what it says, then its bytes: these are never the older
			return h, err
		}
		if body, err = c.bytesOf(ctx, h); err != nil {
			return h, err
		}
	}
	return h, fmt.Errorf("%w: %w", feeds.ErrBusy, errMore)
}

// bytesOf gives what is to be accepted; nil where it was not kept, and all of it is stored already.
func (c contracts) bytesOf(ctx context.Context, h contract.Held) ([]byte, error) {
	b, err := c.app.quarantine.body(ctx, h.Feed, h.ID, int64(c.app.cfg.Limits.Inflated))
	switch {
	case errors.Is(err, errNotHeld) && h.Passed:
		return nil, nil
	case errors.Is(err, errNotHeld):
		return nil, fmt.Errorf("%w: its bytes were too many to keep", api.ErrDecided)
	}
	return b, err
}

// Keep sets a held delivery aside; the contract stays.
func (c contracts) Keep(ctx context.Context, feed, id, note string, who audit.Actor) (contract.Held, error) {
	h, err := c.open(ctx, feed, id)
	if err != nil {
		return h, err
	}
	if err := c.record(ctx, "feed.quarantine.kept", h, note, who); err != nil {
		return h, err
	}
	return c.decided(ctx, c.app.runnerOf(feed), h, contract.StateKept, note, who)
}

// open gives what nobody has decided on; what was kept may still be accepted.
func (c contracts) open(ctx context.Context, feed, id string) (contract.Held, error) {
	h, err := c.app.quarantine.one(ctx, feed, id)
	if err != nil {
		return h, notHeld(err)
	}
	if h.State == contract.StateAccepted {
		return h, fmt.Errorf("%w: %s by %s", api.ErrDecided, h.State, h.By)
	}
	return h, nil
}

func (c contracts) record(ctx context.Context, action string, h contract.Held, note string, who audit.Actor) error {
	reason := h.ID + ": " + h.Reason
	if note != "" {
		reason += ": " + note
	}
	return c.app.cases.Record(ctx, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: action, Object: "feed:" + h.Feed, Reason: reason, Request: who.Request})
}

func (c contracts) decided(ctx context.Context, r *runner.Runner, h contract.Held, state, note string, who audit.Actor) (contract.Held, error) {
	out, err := c.app.quarantine.decide(ctx, h, state, who.Subject, note)
	switch {
	case errors.Is(err, errDecided):
		return h, fmt.Errorf("%w: %w", api.ErrDecided, err)
	case errors.Is(err, errNotHeld):
		return h, notHeld(err)
	case err != nil:
		return h, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	if r != nil {
		r.Decided(ctx, h.Feed)
	}
	return out, nil
}
