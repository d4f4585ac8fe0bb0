package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// Comment keeps what somebody says of an incident, in one step. Under an Idempotency-Key, where one is given, the same person gets the comment that is
// there. Errors: ErrNotFound, incident.ErrInvalid, ErrKeyReused, feeds.ErrBusy, and what may says.
func (s *Store) Comment(ctx context.Context, id, key, text string, who audit.Actor, may func(*incident.Incident) error) (out incident.Incident, said incident.Comment, err error) {
	c := incident.Comment{ID: ulid.Make().String(), By: who.Subject, Text: text, Once: onceOf(key, who)}
	out, err = s.change(ctx, changing{id: id, action: "incident.commented", reason: text, who: who}, may, func(in *incident.Incident, now time.Time) (next incident.Incident, err error) {
		next, said, err = in.Say(c, now)
		return next, reused(err)
	})
	return out, said, err
}

// onceOf is what is kept of an Idempotency-Key: it is its owner's, and nobody needs to read it; empty: none is given.
func onceOf(key string, who audit.Actor) string {
	if key == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(who.Subject + "\x00" + key))
	return hex.EncodeToString(sum[:12])
}

func reused(err error) error {
	if errors.Is(err, incident.ErrKeyTaken) {
		return ErrKeyReused
	}
	return err
}
