package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// An act under an Idempotency-Key is remembered for onceLife, and an incident remembers mostOnce of them. They stand in the hash of the incident
// and go with it. Each act writes all of them anew, so that the answers kept whole have mostOnceBytes together: the latest, which are the ones
// that a lost answer lets somebody ask for again. An older one is known to be done, and answered with what stands.
const (
	onceLife      = 7 * 24 * time.Hour
	mostOnce      = 64
	mostOnceBytes = 64 << 10
	onceField     = "once"
)

// onceAnswer is what an act under a key was, and what it made of the incident, or the dispatch that it made.
type onceAnswer struct {
	Key     string          `json:"key"`
	Subject string          `json:"subject"`
	Action  string          `json:"action"`
	At      moment.Time     `json:"at"`
	Said    string          `json:"said,omitempty"`   // digest of what was said with the act; absent: nobody asked
	Object  string          `json:"object,omitempty"` // id of the dispatch that the act made
	Doc     json.RawMessage `json:"doc,omitempty"`    // absent: it has grown too old to be kept
}

// onceKeys are the answers that an incident remembers, the oldest first, and the one that is about to be given. The zero one keeps nothing.
type onceKeys struct {
	list []onceAnswer
	next onceAnswer
}

// once finds the answer that was given under the key of a change; nil: none was. Errors: ErrKeyReused where somebody did something else under it.
func (s *Store) once(ctx context.Context, c changing, now time.Time) (onceKeys, *onceAnswer, error) {
	if c.key == "" {
		return onceKeys{}, nil, nil
	}
	text, err := s.rdb.HGet(ctx, s.keys.Incident(c.id), onceField).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return onceKeys{}, nil, fmt.Errorf("%w: keys of incident %s: %w", feeds.ErrBusy, c.id, err)
	}
	var o onceKeys
	if text != "" {
		if err := json.Unmarshal([]byte(text), &o.list); err != nil {
			return onceKeys{}, nil, fmt.Errorf("keys of incident %s: %w", c.id, err)
		}
	}
	o.list = slices.DeleteFunc(o.list, func(a onceAnswer) bool { return now.Sub(a.At.Time) > onceLife })
	for i := range o.list {
		a := &o.list[i]
		if a.Key != c.key {
			continue
		}
		switch {
		case a.Subject != c.who.Subject: // whose it was is not told
			return onceKeys{}, nil, ErrKeyReused
		case a.Action != c.action:
			return onceKeys{}, nil, fmt.Errorf("%w: it was %s", ErrKeyReused, strings.TrimPrefix(a.Action, "incident."))
		case a.Said != "" && c.said != "" && a.Said != c.said:
			return onceKeys{}, nil, fmt.Errorf("%w: it was %s with other words", ErrKeyReused, strings.TrimPrefix(a.Action, "incident."))
		}
		return onceKeys{}, a, nil
	}
	o.next = onceAnswer{Key: c.key, Subject: c.who.Subject, Action: c.action, At: moment.Of(now), Said: c.said}
	return o, nil, nil
}

// keep writes the answer into the step that it is of; object is the dispatch that the act made, where it made one.
func (o onceKeys) keep(st *step, key, object string, out any) (err error) {
	if o.next.Key == "" {
		return nil
	}
	o.next.Object = object
	if o.next.Doc, err = marshal(out); err != nil {
		return err
	}
	list := append(o.list, o.next)
	list = list[max(0, len(list)-mostOnce):]
	for i, whole := len(list)-1, 0; i >= 0; i-- {
		if whole += len(list[i].Doc); whole > mostOnceBytes {
			list[i].Doc = nil
		}
	}
	doc, err := marshal(list)
	if err != nil {
		return err
	}
	st.write("hset", key, onceField, string(doc))
	return nil
}

// madeOnce finds the incident that somebody opened under a key; nil: none. Said is a digest of what they said of it. Errors: ErrKeyReused where
// they said something else, ErrNotFound where it is gone.
func (s *Store) madeOnce(ctx context.Context, st *step, key, said string, who audit.Actor) (*kept[incident.Incident], error) {
	if key == "" {
		return nil, nil
	}
	at := s.keys.OpenedOnce(onceOf(key, who))
	text, err := s.rdb.Get(ctx, at).Result()
	if errors.Is(err, redis.Nil) {
		st.check("str", at, "", "")
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: what was opened under a key: %w", feeds.ErrBusy, err)
	}
	before, id, _ := strings.Cut(text, " ")
	if before != said {
		return nil, ErrKeyReused
	}
	k, err := s.incidentOf(ctx, id)
	return &k, err
}
