package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/feeds"
)

// ErrUnreadable marks a record that is there and that this server cannot read: a newer one wrote it, or something else did. Where it is asked for
// by its name that is the answer; in lists it is passed over, counted and named, and all others are given.
var ErrUnreadable = errors.New("a record cannot be read")

// Unread is a record that was passed over.
type Unread struct {
	Key    string    // of the store; of an entry of a stream the stream and the entry's id
	Reason string    // what the reader said
	Since  time.Time // first met
}

// entryUnread is how long an entry of a stream is named: the stream itself forgets it then.
const entryUnread = 24 * time.Hour

// unread is what was passed over and is so still. It is shared by a store and its Fenced ones; safe for concurrent use.
type unread struct {
	n   atomic.Int64 // of all, so that nobody takes the lock where there is nothing
	log zerolog.Logger
	now func() time.Time

	mu      sync.Mutex
	all     map[string]Unread
	entries map[string]bool // of all, those that nobody will ever read again
}

func newUnread(log zerolog.Logger, now func() time.Time) *unread {
	return &unread{log: log, now: now, all: map[string]Unread{}, entries: map[string]bool{}}
}

// note takes a record down, and tells of it the first time.
func (u *unread) note(key string, err error, entry bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.all[key]; known {
		return
	}
	u.all[key] = Unread{key, fmt.Sprintf("%.200s", err), u.now()}
	if entry {
		u.entries[key] = true
	}
	u.n.Store(int64(len(u.all)))
	u.log.Error().Err(err).Str("key", key).Int("unreadable", len(u.all)).Msg("a record of the cases cannot be read; it is passed over")
}

// clear strikes a record out: it can be read again, or is gone.
func (u *unread) clear(key string) {
	if u.n.Load() == 0 {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if _, known := u.all[key]; known {
		delete(u.all, key)
		delete(u.entries, key)
		u.n.Store(int64(len(u.all)))
		u.log.Info().Str("key", key).Msg("a record of the cases that could not be read can be read now, or is gone")
	}
}

// has tells that a record was there and unreadable when it was loaded last: whoever makes records of known names must not take it for a free one.
func (u *unread) has(key string) bool {
	if u.n.Load() == 0 {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	_, known := u.all[key]
	return known
}

// Unreadable lists the records of the cases that cannot be read and were passed over, the oldest first. Safe for concurrent use.
func (s *Store) Unreadable() []Unread {
	u := s.unread
	if u.n.Load() == 0 {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	var out []Unread
	for key, one := range u.all {
		if u.entries[key] && u.now().Sub(one.Since) > entryUnread {
			delete(u.all, key)
			delete(u.entries, key)
			continue
		}
		out = append(out, one)
	}
	u.n.Store(int64(len(u.all)))
	slices.SortFunc(out, func(a, b Unread) int { return cmp.Or(a.Since.Compare(b.Since), strings.Compare(a.Key, b.Key)) })
	return out
}

// form is how the documents of a noun are kept: under which key, and how one is read.
type form[T any] struct {
	key  func(id string) string
	read func(id string, doc []byte) (T, error)
}

// formOf reads documents of a stored form D, of which out gives the noun and its id. JSON that is no such document at all says another id, or none.
func formOf[D, T any](key func(string) string, out func(*D) (T, string)) form[T] {
	return form[T]{key, func(id string, b []byte) (doc T, err error) {
		var d D
		if err := json.Unmarshal(b, &d); err != nil {
			return doc, err
		}
		doc, own := out(&d)
		if own != id {
			return doc, fmt.Errorf("it says that it is %.80q", own)
		}
		return doc, nil
	}}
}

// identified is a document with the id under which it is kept.
type identified[T any] struct {
	doc T
	id  string
}

// naming is the form of documents that tell under which id they are kept.
func naming[T any](f form[T]) form[identified[T]] {
	return form[identified[T]]{f.key, func(id string, b []byte) (identified[T], error) {
		doc, err := f.read(id, b)
		return identified[T]{doc, id}, err
	}}
}

// heads asks for what is kept of documents; the error is of the store, not of one document.
func heads(ctx context.Context, rdb redis.UniversalClient, keys []string) ([]*redis.SliceCmd, error) {
	pipe := rdb.Pipeline()
	cmds := make([]*redis.SliceCmd, len(keys))
	for i, key := range keys {
		cmds[i] = pipe.HMGet(ctx, key, "rev", "doc", "own", "hash")
	}
	if _, err := pipe.Exec(ctx); err != nil {
		if err := unanswered(cmds); err != nil {
			return nil, fmt.Errorf("%w: load %d documents: %w", feeds.ErrBusy, len(keys), err)
		}
	}
	return cmds, nil
}

// unanswered is why the store did not answer, of questions for documents of a pipeline; nil where it is only that something else lies there.
func unanswered(cmds []*redis.SliceCmd) error {
	for _, c := range cmds {
		if err := c.Err(); err != nil && !wrongType(err) {
			return err
		}
	}
	return nil
}

// wrongType tells that something else than a document lies under its key.
func wrongType(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "WRONGTYPE") }

// document reads one answer of heads; false: there is no document.
func document[T any](c *redis.SliceCmd, id string, read func(string, []byte) (T, error)) (k kept[T], there bool, err error) {
	if err := c.Err(); err != nil {
		return k, true, err
	}
	v := c.Val()
	doc, ok := v[1].(string)
	if !ok {
		return k, false, nil
	}
	k.rev, _ = v[0].(string)
	if k.doc, err = read(id, []byte(doc)); err != nil {
		return k, true, err
	}
	if k.inside, _ = v[2].(string); k.inside != "" {
		if err := json.Unmarshal([]byte(k.inside), &k.own); err != nil {
			return k, true, fmt.Errorf("internals: %w", err)
		}
	}
	return k, true, nil
}

// load gives documents in the order of the ids. Missing ones are left out; unreadable ones are passed over.
func load[T any](ctx context.Context, s *Store, f form[T], ids []string) ([]kept[T], error) {
	if len(ids) == 0 {
		return nil, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = f.key(id)
	}
	cmds, err := heads(ctx, s.rdb, keys)
	if err != nil {
		return nil, err
	}
	out := make([]kept[T], 0, len(ids))
	for i, c := range cmds {
		k, there, err := document(c, ids[i], f.read)
		if err != nil {
			s.unread.note(keys[i], err, false)
			continue
		}
		s.unread.clear(keys[i])
		if there {
			s.held(keys[i], c.Val())
			out = append(out, k)
		}
	}
	return out, nil
}

// loadOne gives the document that is asked for by its id. Errors: missing where it is not there, ErrUnreadable, feeds.ErrBusy.
func loadOne[T any](ctx context.Context, s *Store, f form[T], id string, missing error) (kept[T], error) {
	list, err := load(ctx, s, f, []string{id})
	switch {
	case err != nil:
		return kept[T]{}, err
	case len(list) > 0:
		return list[0], nil
	}
	if err := s.legible(f.key(id)); err != nil {
		return kept[T]{}, err
	}
	return kept[T]{}, fmt.Errorf("%w: %.80q", missing, id)
}

// legible is ErrUnreadable where a record that was just looked for is there and cannot be read.
func (s *Store) legible(key string) error {
	if s.unread.has(key) {
		return fmt.Errorf("%w: %s", ErrUnreadable, key)
	}
	return nil
}

// names are what ids look like in a document that cannot be read.
var names = regexp.MustCompile(`[0-9A-Za-z]{16,}`)

// namedIn gives every id that may stand in documents of a noun that cannot be read: what they rest on is not known, and is not to be lost.
func (s *Store) namedIn(ctx context.Context, ids []string, key func(string) string) ([]string, error) {
	var out []string
	for _, id := range ids {
		if !s.unread.has(key(id)) {
			continue
		}
		doc, err := s.rdb.HGet(ctx, key(id), "doc").Result()
		if err != nil && !errors.Is(err, redis.Nil) && !wrongType(err) {
			return nil, fmt.Errorf("%w: what %s rests on: %w", feeds.ErrBusy, key(id), err)
		}
		out = append(out, names.FindAllString(doc, -1)...)
	}
	return out, nil
}
