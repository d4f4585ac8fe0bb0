package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// ErrFeedVersion says that the settings of a feed are not those that the change was made of.
var ErrFeedVersion = errors.New("the feed was changed meanwhile")

// FeedVersionsKept is how many versions of a feed's settings are kept.
const FeedVersionsKept = 20

// feedRevision is the field of the feeds' hash that changes with every change; no feed can have this name.
const feedRevision = ":revision"

// Feed is the settings of a feed that was made through the interface, as they are kept. Config is JSON that the store does not look into.
type Feed struct {
	V       int             `json:"v"`
	Name    string          `json:"name"`
	Version int64           `json:"version"` // 1 and up; goes on after a removal
	At      moment.Time     `json:"at"`
	By      string          `json:"by"`
	Removed bool            `json:"removed,omitempty"`
	Config  json.RawMessage `json:"config,omitempty"`
	Act     string          `json:"act"` // of the change that wrote it
}

// FeedChange is a change of one feed's settings. Version is that of the settings it was made of, 0 where there were none; Config nil removes
// the feed.
type FeedChange struct {
	Name    string
	Version int64
	Config  json.RawMessage
	Reason  string
}

// PutFeed keeps a change with its audit record, in one step. Errors: ErrFeedVersion, feeds.ErrBusy.
func (s *Store) PutFeed(ctx context.Context, c FeedChange, who audit.Actor) (Feed, error) {
	act := rand.Text()
	var out Feed
	err := s.retry(ctx, func() error {
		now := s.now()
		raw, revision, err := s.feedNow(ctx, c.Name)
		if err != nil {
			return err
		}
		current, err := feedOf(raw)
		switch {
		case err != nil:
			return err
		case raw != "" && current.Act == act: // an earlier try whose answer was lost
			out = current
			return nil
		case current.Version != c.Version:
			return fmt.Errorf("%w: it has version %d, not %d", ErrFeedVersion, current.Version, c.Version)
		}
		versions, err := s.feedVersions(ctx, c.Name)
		if err != nil {
			return err
		}
		last := current.Version
		for _, v := range versions {
			if last = max(last, v.Version); v.Act == act {
				out = v
				return nil
			}
		}
		out = Feed{V: 1, Name: c.Name, Version: last + 1, At: moment.Of(now), By: who.Subject, Removed: c.Config == nil, Config: c.Config, Act: act}
		doc, err := marshal(out)
		if err != nil {
			return err
		}
		st := s.newStep(now)
		st.check("field", s.keys.FeedConfig(), c.Name, raw)
		st.check("field", s.keys.FeedConfig(), feedRevision, revision)
		action := "feed.changed"
		switch {
		case out.Removed:
			action = "feed.removed"
			st.write("hdel", s.keys.FeedConfig(), c.Name)
		case c.Version == 0:
			action = "feed.made"
			fallthrough
		default:
			st.write("hset", s.keys.FeedConfig(), c.Name, string(doc))
		}
		st.write("hset", s.keys.FeedConfig(), feedRevision, nextRev(revision))
		st.write("hset", s.keys.FeedVersions(c.Name), strconv.FormatInt(out.Version, 10), string(doc))
		for _, v := range versions {
			if v.Version <= out.Version-FeedVersionsKept {
				st.write("hdel", s.keys.FeedVersions(c.Name), strconv.FormatInt(v.Version, 10))
			}
		}
		if err := st.audited(who, action, "feed:"+c.Name, c.Reason, nil, nil); err != nil {
			return err
		}
		text := string(doc)
		if out.Removed {
			text = ""
		}
		if err := s.keep(ctx, st, raw, text); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// feedNow gives what is kept of a feed, empty where nothing is, and the revision of all.
func (s *Store) feedNow(ctx context.Context, name string) (raw, revision string, err error) {
	got, err := s.rdb.HMGet(ctx, s.keys.FeedConfig(), name, feedRevision).Result()
	if err != nil {
		return "", "", fmt.Errorf("%w: settings of feed %s: %w", feeds.ErrBusy, name, err)
	}
	raw, _ = got[0].(string)
	revision, _ = got[1].(string)
	return raw, revision, nil
}

func feedOf(raw string) (f Feed, err error) {
	if raw == "" {
		return f, nil
	}
	if err := json.Unmarshal([]byte(raw), &f); err != nil {
		return f, fmt.Errorf("settings of a feed: %w", err)
	}
	return f, nil
}

// FeedOf gives the settings of one feed; ok is false where none of this name was made through the interface.
func (s *Store) FeedOf(ctx context.Context, name string) (f Feed, ok bool, err error) {
	raw, _, err := s.feedNow(ctx, name)
	if err != nil || raw == "" {
		return Feed{}, false, err
	}
	f, err = feedOf(raw)
	return f, err == nil, err
}

// FeedRevision changes with every change of any feed's settings; empty: there never was one.
func (s *Store) FeedRevision(ctx context.Context) (string, error) {
	revision, err := s.rdb.HGet(ctx, s.keys.FeedConfig(), feedRevision).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("%w: revision of the feeds: %w", feeds.ErrBusy, err)
	}
	return revision, nil
}

// Feeds gives the settings of every feed that was made through the interface, by name, and their revision. One that cannot be read has no
// Config.
func (s *Store) Feeds(ctx context.Context) (list []Feed, revision string, err error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.FeedConfig()).Result()
	if err != nil {
		return nil, "", fmt.Errorf("%w: settings of feeds: %w", feeds.ErrBusy, err)
	}
	for name, raw := range all {
		if name == feedRevision {
			revision = raw
			continue
		}
		f, err := feedOf(raw)
		if err != nil || f.Name != name {
			f = Feed{Name: name}
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b Feed) int { return cmp.Compare(a.Name, b.Name) })
	return list, revision, nil
}

// FeedVersions gives the last settings of a feed, the newest first; empty where there never were any.
func (s *Store) FeedVersions(ctx context.Context, name string) ([]Feed, error) {
	list, err := s.feedVersions(ctx, name)
	slices.SortFunc(list, func(a, b Feed) int { return cmp.Compare(b.Version, a.Version) })
	return list, err
}

func (s *Store) feedVersions(ctx context.Context, name string) ([]Feed, error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.FeedVersions(name)).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: versions of feed %s: %w", feeds.ErrBusy, name, err)
	}
	var out []Feed
	for _, raw := range all {
		f, err := feedOf(raw)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// RewriteFeeds gives every kept settings of a feed, those of now and of before, another form, which change gives (nil: it stays). What they
// say must be the same: no version is made, and only the audit log is told. It counts what was rewritten. Errors: feeds.ErrBusy, of change.
func (s *Store) RewriteFeeds(ctx context.Context, change func(Feed) (json.RawMessage, error)) (int, error) {
	names := map[string]bool{}
	list, _, err := s.Feeds(ctx)
	if err != nil {
		return 0, err
	}
	for _, f := range list {
		names[f.Name] = true
	}
	prefix := s.keys.FeedVersions("")
	if err := s.scan(ctx, prefix+"*", func(keys []string) error {
		for _, k := range keys {
			names[strings.TrimPrefix(k, prefix)] = true
		}
		return nil
	}); err != nil {
		return 0, err
	}
	n := 0
	for name := range names {
		for _, key := range []string{s.keys.FeedConfig(), s.keys.FeedVersions(name)} {
			done, err := s.rewriteFeed(ctx, key, name, change)
			if n += done; err != nil {
				return n, err
			}
		}
	}
	return n, nil
}

// rewriteFeed does so in one hash: of the field that is the feed, or of all its versions.
func (s *Store) rewriteFeed(ctx context.Context, key, name string, change func(Feed) (json.RawMessage, error)) (n int, err error) {
	all, err := s.rdb.HGetAll(ctx, key).Result()
	if err != nil {
		return 0, fmt.Errorf("%w: settings of feed %s: %w", feeds.ErrBusy, name, err)
	}
	for field, raw := range all {
		done := false
		err := s.retry(ctx, func() (err error) {
			if raw == "" { // what it rests on has changed: the settings themselves, or only what the log holds of them
				if raw, err = s.rdb.HGet(ctx, key, field).Result(); errors.Is(err, redis.Nil) {
					return nil
				} else if err != nil {
					return fmt.Errorf("%w: settings of feed %s: %w", feeds.ErrBusy, name, err)
				}
			}
			done, err = s.rewriteSettings(ctx, key, field, name, raw, change)
			raw = ""
			return err
		})
		if err != nil {
			return n, err
		}
		if done {
			n++
		}
	}
	return n, nil
}

// rewriteSettings does so in one field. Errors: errConflict too.
func (s *Store) rewriteSettings(ctx context.Context, key, field, name, raw string, change func(Feed) (json.RawMessage, error)) (bool, error) {
	f, bad := feedOf(raw)
	if bad != nil || f.Name != name {
		return false, nil // of another feed, or of a newer server
	}
	next, err := change(f)
	if err != nil || next == nil {
		return false, err
	}
	f.Config = next
	doc, err := marshal(f)
	if err != nil {
		return false, err
	}
	st := s.newStep(s.now())
	st.check("field", key, field, raw)
	st.write("hset", key, field, string(doc))
	if key == s.keys.FeedConfig() {
		if err := st.audited(audit.Actor{Subject: "house:seal"}, "feed.resealed", "feed:"+name, "", nil, nil); err != nil {
			return false, err
		}
		if err := s.keep(ctx, st, raw, string(doc)); err != nil {
			return false, err
		}
	}
	err = s.run(ctx, st)
	return err == nil, err
}
