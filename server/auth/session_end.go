package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/redis/go-redis/v9"

	"kentongan/server/book"
)

// endTries is how often sessions are ended that others end at the same time.
const endTries = 5

// ErrNoSession means that no session of theirs has this id.
var ErrNoSession = errors.New("no session has this id")

// Close ends the session that the request carries, with the record of the act. Closing none is no error, and no act.
func (a *Auth) Close(r *http.Request, act Act) error {
	k, carried, err := a.carried(r.Context(), r)
	if err != nil || !carried {
		return err
	}
	act.Action = "session.closed"
	return a.end(r.Context(), k.Subject, act, a.SessionOf(r))
}

// EndSession ends one session of somebody, by the id that Sessions gives, with the record of the act. Errors: ErrNoSession, ErrUnavailable.
func (a *Auth) EndSession(ctx context.Context, subject, id string, act Act) error {
	list, err := a.Sessions(ctx, subject, "")
	if err != nil {
		return err
	}
	for _, s := range list {
		if s.ID == id {
			return a.end(ctx, subject, act, s.hash)
		}
	}
	return ErrNoSession
}

// EndPerson ends all sessions of an account but one (Identity.Session; empty: all), and their sockets within a second at every server, with the
// record of the act: one of each session, or a single one of the act's object where it names one. Errors: ErrUnavailable.
func (a *Auth) EndPerson(ctx context.Context, personID, but string, act Act) error {
	subject := "user:" + personID
	hashes, err := a.rdb.ZRange(ctx, a.keys.Sessions(subject), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnavailable, sessionsOfStore, err)
	}
	var ends []string
	for _, h := range hashes {
		if h != but {
			ends = append(ends, h)
		}
	}
	return a.end(ctx, subject, act, ends...)
}

// end takes sessions of one subject out of the store, in one step with the records of the act, and tells whoever holds sockets of them. Ending
// none is no error, and no act.
func (a *Auth) end(ctx context.Context, subject string, act Act, sessions ...string) error {
	if len(sessions) == 0 {
		return nil
	}
	keys := make([]string, len(sessions))
	for i, s := range sessions {
		keys[i] = a.keys.Session(s)
	}
	var acts []Act
	var err error
	for range endTries {
		err = a.rdb.Watch(ctx, func(tx *redis.Tx) error {
			docs, err := tx.MGet(ctx, keys...).Result()
			if err != nil {
				return err
			}
			acts = a.ends(act, docs)
			return a.book.Write(ctx, tx, func(p redis.Pipeliner) error {
				for _, one := range acts {
					book.Note(p, book.Acting(ctx, one.Record()))
				}
				for _, s := range sessions {
					a.drop(ctx, p, s, subject)
				}
				return nil
			})
		}, keys...)
		if !errors.Is(err, redis.TxFailedErr) {
			break
		}
	}
	if err != nil && !errors.Is(err, book.ErrUnconfirmed) {
		return fmt.Errorf("%w: end a session: %w", ErrUnavailable, err)
	}
	for _, s := range sessions {
		a.over(s, false)
	}
	if err != nil {
		return fmt.Errorf("%w: end a session: %w", ErrUnavailable, err)
	}
	a.unbooked(ctx, acts...)
	return nil
}

// ends gives the acts of ending those sessions that are there.
func (a *Auth) ends(act Act, docs []any) (out []Act) {
	if act.Action == "" {
		act.Action = "session.ended"
	}
	for _, doc := range docs {
		text, there := doc.(string)
		if !there {
			continue
		}
		if act.Object != "" {
			return []Act{act}
		}
		k, err := a.read([]byte(text), nil)
		if err != nil { // of a newer server, or over by our clock: it goes all the same
			k.ID = "unreadable"
		}
		one := act
		one.Object = "session:" + k.ID
		out = append(out, one)
	}
	return out
}

// drop is one part of a step.
func (a *Auth) drop(ctx context.Context, p redis.Pipeliner, session, subject string) {
	p.Del(ctx, a.keys.Session(session))
	p.ZRem(ctx, a.keys.Sessions(subject), session)
	p.ZRem(ctx, a.keys.SessionSeen(), session)
}

// over tells whoever holds sockets of a session. goesOn: whoever held it comes back under another secret.
func (a *Auth) over(session string, goesOn bool) {
	if a.ended != nil {
		a.ended(session, goesOn)
	}
}

// unbooked keeps acts whose step had no book to write them in.
func (a *Auth) unbooked(ctx context.Context, acts ...Act) {
	if a.book != nil {
		return
	}
	for _, act := range acts {
		a.Record(ctx, act)
	}
}
