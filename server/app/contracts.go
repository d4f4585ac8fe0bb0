package app

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/server/api"
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
	out := api.FeedDetail{Source: "file", Config: map[string]any{}}
	for _, s := range c.app.feedStatus() {
		if s.Name == name {
			out.Status = s
		}
	}
	if out.Status.Source != "" {
		out.Source = out.Status.Source
	}
	if config, ok := r.Config(name); ok {
		out.Config = shownConfig(config)
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
	body, err := c.app.quarantine.body(ctx, feed, id, int64(c.app.cfg.Limits.Inflated))
	if errors.Is(err, errNotHeld) {
		return h, fmt.Errorf("%w: its bytes were too many to keep", api.ErrDecided)
	} else if err != nil {
		return h, err
	}
	if err := c.record(ctx, "feed.quarantine.accepted", h, note, who); err != nil {
		return h, err
	}
	if _, err := r.Accept(ctx, h, body); err != nil {
		return h, err
	}
	return c.decided(ctx, r, h, contract.StateAccepted, note, who)
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
	if err != nil {
		return h, fmt.Errorf("%w: %w", feeds.ErrBusy, err)
	}
	if r != nil {
		r.Decided(ctx, h.Feed)
	}
	return out, nil
}

// shownConfig is a feed's entry as it may be shown: what it says, without its secrets.
func shownConfig(c runner.FeedConfig) map[string]any {
	c.URL = shownURL(c.URL)
	entry, base := asMap(c), asMap(runner.DefaultConfig())
	for key, v := range entry {
		if key != "transport" && (reflect.DeepEqual(v, base[key]) || v == nil || reflect.ValueOf(v).IsZero()) {
			delete(entry, key)
		}
	}
	return entry
}

func asMap(c runner.FeedConfig) map[string]any {
	out := map[string]any{}
	if text, err := yaml.Marshal(c); err == nil {
		_ = yaml.Unmarshal(text, &out) // what was just written
	}
	return out
}

// secretWords are the parts of an address's query that carry keys.
var secretWords = []string{"key", "token", "secret", "pass", "auth", "appid", "sign"}

// shownURL hides a password and the keys of a query.
func shownURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return runner.Shown
	}
	if _, has := u.User.Password(); has {
		u.User = url.UserPassword(u.User.Username(), "secret")
	}
	q := u.Query()
	for name := range q {
		for _, word := range secretWords {
			if strings.Contains(strings.ToLower(name), word) {
				q.Set(name, runner.Shown)
			}
		}
	}
	u.RawQuery = q.Encode()
	if text, err := url.QueryUnescape(u.RawQuery); err == nil && strings.Contains(text, runner.Shown) {
		u.RawQuery = text
	}
	return u.String()
}
