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

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// An act under an Idempotency-Key is remembered for onceLife, and an incident remembers mostOnce of them. They stand in the hash of the incident
// and go with it.
const (
	onceLife  = 7 * 24 * time.Hour
	mostOnce  = 64
	onceField = "once"
)

// onceAnswer is what an act under a key was, and what it made of the incident.
type onceAnswer struct {
	Key     string            `json:"key"`
	Subject string            `json:"subject"`
	Action  string            `json:"action"`
	At      moment.Time       `json:"at"`
	Doc     incident.Incident `json:"doc"`
}

// onceKeys are the answers that an incident remembers, the oldest first, and the one that is about to be given. The zero one keeps nothing.
type onceKeys struct {
	list []onceAnswer
	next onceAnswer
}

// once finds the answer that was given under the key of a change; nil: none was. Errors: ErrKeyReused where somebody did something else under it.
func (s *Store) once(ctx context.Context, c changing, now time.Time) (onceKeys, *incident.Incident, error) {
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
	for _, a := range o.list {
		if a.Key != c.key {
			continue
		}
		if a.Subject != c.who.Subject || a.Action != c.action {
			return onceKeys{}, nil, fmt.Errorf("%w: it was %s by %s", ErrKeyReused, strings.TrimPrefix(a.Action, "incident."), a.Subject)
		}
		a.Doc.Fill()
		return onceKeys{}, &a.Doc, nil
	}
	o.next = onceAnswer{Key: c.key, Subject: c.who.Subject, Action: c.action, At: moment.Of(now)}
	return o, nil, nil
}

// keep writes the answer into the step that it is of.
func (o onceKeys) keep(st *step, key string, out *incident.Incident) error {
	if o.next.Key == "" {
		return nil
	}
	o.next.Doc = *out
	list := append(o.list, o.next)
	doc, err := marshal(list[max(0, len(list)-mostOnce):])
	if err != nil {
		return err
	}
	st.write("hset", key, onceField, string(doc))
	return nil
}
