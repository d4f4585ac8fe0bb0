package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/geo/moment"
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
		return out, err
	}
	out.Room = contract.NewShelf(out.Quarantine).Room()
	return out, nil
}

// Body gives the bytes of the newest delivery that is held for a cause.
func (c contracts) Body(ctx context.Context, feed, id string) ([]byte, error) {
	if _, err := c.app.quarantine.one(ctx, feed, id); err != nil {
		return nil, notHeld(err)
	}
	d, err := c.app.quarantine.newest(ctx, feed, id, int64(c.app.cfg.Limits.Inflated))
	return d.Body, notHeld(err)
}

// Personal tells whether the bytes held for a cause may name people: by the format that they came in, or that the feed has today.
func (c contracts) Personal(ctx context.Context, feed, id string) (bool, error) {
	h, err := c.app.quarantine.one(ctx, feed, id)
	if err != nil {
		return false, notHeld(err)
	}
	if r := c.app.runnerOf(feed); r != nil {
		if now, ok := r.Config(feed); ok && runner.Personal(now.Format) {
			return true, nil
		}
	}
	return h.Personal, nil
}

func notHeld(err error) error {
	if errors.Is(err, contract.ErrNotHeld) {
		return fmt.Errorf("%w: %w", api.ErrNotHeld, err)
	}
	return err
}

// acceptLimit is how long one request may store what is held; whoever asks goes on from there.
var acceptLimit = 5 * time.Second

// Accept lets the feed's contract learn the shape of what is held for a cause, and stores all of it the usual way, in the order in which it came. Where that
// takes longer than a request may, the cause is given back as it is then, still held: asked again it goes on, as it does after a crash. What
// comes meanwhile is taken along.
func (c contracts) Accept(ctx context.Context, feed, id, note string, who audit.Actor) (contract.Held, error) {
	h, err := c.open(ctx, feed, id)
	if err != nil {
		return h, err
	}
	r := c.app.runnerOf(feed)
	if r == nil {
		return h, fmt.Errorf("feed %q: %w", feed, runner.ErrUnknownFeed)
	}
	var newest *contract.Delivery
	switch d, err := c.app.quarantine.newest(ctx, feed, id, int64(c.app.cfg.Limits.Inflated)); {
	case err == nil:
		newest = &d
	case errors.Is(err, contract.ErrNotHeld) && (h.Passed || h.Taken > 0):
	case errors.Is(err, contract.ErrNotHeld):
		return h, fmt.Errorf("%w: its bytes are no longer kept", api.ErrDecided)
	default:
		return h, err
	}
	if err := c.record(ctx, "feed.quarantine.accepted", h, note, who); err != nil {
		return h, err
	}
	if err := r.Learn(ctx, h, newest); err != nil {
		return h, err
	}
	until, unread, after := time.Now().Add(acceptLimit), unreadable{}, int64(0)
	for {
		list, next, err := c.app.quarantine.deliveries(ctx, h, after, int64(c.app.cfg.Limits.Inflated))
		if err != nil {
			return h, err
		}
		if len(list) == 0 {
			if unread.n > 0 {
				r.Decided(ctx, feed)
				return h, unread.error()
			}
			out, err := c.decided(ctx, r, h, contract.StateAccepted, note, who)
			if !errors.Is(err, contract.ErrMore) {
				return out, err
			}
		} else {
			after = list[len(list)-1].Number
			h, err = c.store(ctx, r, h, list, next, &unread)
			if errors.Is(err, contract.ErrMore) { // somebody else accepts it too, and has taken some of these: what is stored twice is there once
				if h, err = c.open(ctx, feed, id); err == nil {
					unread, after = unreadable{}, 0
				}
			}
			if err != nil {
				return h, err
			}
		}
		if time.Now().After(until) {
			r.Decided(ctx, feed)
			return h, nil
		}
	}
}

// unreadable counts held deliveries that the feed cannot read as it is set up today. They stay held.
type unreadable struct {
	n     int
	first error
	at    moment.Time // of the oldest
}

func (u *unreadable) error() error {
	return fmt.Errorf("%w: %d deliveries stay held: %w", api.ErrDecided, u.n, u.first)
}

// store stores some of the deliveries of a cause, and then lets them go.
func (c contracts) store(ctx context.Context, r *runner.Runner, h contract.Held, list []contract.Delivery, next moment.Time, unread *unreadable) (contract.Held, error) {
	bad, err := r.Accept(ctx, h.Feed, list)
	if err != nil {
		return h, err
	}
	stored := list[:0:0]
	for i := range list {
		why := bad[i]
		if why == nil {
			stored = append(stored, list[i])
			continue
		}
		if unread.n++; unread.first == nil {
			unread.first, unread.at = why, list[i].At
		}
	}
	if unread.n > 0 {
		next = unread.at
	}
	out, err := c.app.quarantine.take(ctx, h, stored, next)
	switch {
	case errors.Is(err, contract.ErrMore):
		return h, err
	case errors.Is(err, contract.ErrDecided):
		return out, fmt.Errorf("%w: %w", api.ErrDecided, err)
	case errors.Is(err, contract.ErrNotHeld):
		return h, notHeld(err)
	case err != nil:
		return h, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	return out, nil
}

// Keep sets aside what is held for a cause, and what comes of it within a day; the contract stays.
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
	case errors.Is(err, contract.ErrDecided):
		return h, fmt.Errorf("%w: %w", api.ErrDecided, err)
	case errors.Is(err, contract.ErrNotHeld):
		return h, notHeld(err)
	case errors.Is(err, contract.ErrMore):
		return h, err
	case err != nil:
		return h, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	if r != nil {
		r.Decided(ctx, h.Feed)
	}
	return out, nil
}
