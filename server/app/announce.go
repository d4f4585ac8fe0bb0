package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/keyspace"
)

// Bounds of the servers' word to each other.
const (
	announceLimit = 2 * time.Second // to say something
	hearSilence   = 3 * time.Second // then we ask whether the line is still there, and after as long again take another
	hearAgain     = 500 * time.Millisecond
)

// word is what one server tells all.
type word struct {
	From         string `json:"from"`
	SessionEnded string `json:"session_ended,omitempty"` // hash of the session
	GoesOn       bool   `json:"goes_on,omitempty"`       // it has another secret now: its screens come back
	FeedsChanged bool   `json:"feeds_changed,omitempty"`
	RulesChanged bool   `json:"rules_changed,omitempty"`
	WallsChanged bool   `json:"walls_changed,omitempty"`
}

// sessionEnded ends the sockets of a session, here and at every other server. Who is not on the line finds it in the list when he is.
func (a *App) sessionEnded(session string) { a.tellEnded(session, false) }

// sessionRenewed ends them so that the screens come back, under the session's new secret.
func (a *App) sessionRenewed(session string) { a.tellEnded(session, true) }

func (a *App) tellEnded(session string, goesOn bool) {
	a.endHere(session, goesOn)
	if a.embedded != nil || session == "" {
		return
	}
	ctx, cancel := context.WithTimeout(a.workCtx, announceLimit)
	defer cancel()
	b, err := json.Marshal(word{From: a.me, SessionEnded: session, GoesOn: goesOn})
	if err == nil {
		now, key := time.Now(), a.keys.SessionEnded()
		pipe := a.rdb.Pipeline()
		pipe.ZAdd(ctx, key, redis.Z{Score: float64(now.UnixMilli()), Member: listed(session, goesOn)})
		pipe.ZRemRangeByScore(ctx, key, "-inf", strconv.FormatInt(now.Add(-keyspace.SessionLifetime).UnixMilli(), 10))
		pipe.PExpire(ctx, key, keyspace.SessionLifetime)
		pipe.SPublish(ctx, a.keys.Announce(), b)
		_, err = pipe.Exec(ctx)
	}
	if err != nil {
		a.log.Error().Err(err).Msg("other servers are not told that a session has ended: its sockets there stay until they ask")
	}
}

func (a *App) endHere(session string, goesOn bool) {
	if a.broker != nil {
		a.broker.Recheck()
	}
	if goesOn {
		a.hub.RenewSession(session)
		return
	}
	a.hub.EndSession(session)
}

// renewed marks a session in the list that goes on under another secret.
const renewed = "+"

func listed(session string, goesOn bool) string {
	if goesOn {
		return session + renewed
	}
	return session
}

// hear acts on what other servers say, until ctx ends. After every pause of the line it looks up what it may have missed.
func (a *App) hear(ctx context.Context) error {
	for ctx.Err() == nil {
		if err := a.listenIn(ctx); err != nil && ctx.Err() == nil {
			a.log.Debug().Err(err).Msg("the line to other servers is cut; taken up again")
		}
		select {
		case <-ctx.Done():
		case <-time.After(hearAgain):
		}
	}
	return nil
}

// listenIn holds one line until it is cut, or the primary changes: the old one may stay a while with nobody to speak there.
func (a *App) listenIn(ctx context.Context) error {
	ctx, cancel := a.replicas.untilFailover(ctx)
	defer cancel()
	line := a.rdb.SSubscribe(ctx, a.keys.Announce())
	defer context.AfterFunc(ctx, func() { _ = line.Close() })() // a question that waits for an answer does not hear of ctx
	defer func() { _ = line.Close() }()
	asked := false
	for {
		got, err := line.ReceiveTimeout(ctx, hearSilence)
		var late net.Error
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.As(err, &late) && late.Timeout() && !asked:
			if err := line.Ping(ctx); err != nil {
				return err
			}
			asked = true
			continue
		case err != nil:
			return err
		}
		asked = false
		switch got := got.(type) {
		case *redis.Subscription:
			if err := a.missed(ctx); err != nil {
				return err
			}
		case *redis.Message:
			a.heard(got.Payload)
		}
	}
}

func (a *App) heard(text string) {
	var w word
	if err := json.Unmarshal([]byte(text), &w); err != nil {
		a.log.Warn().Err(err).Msg("another server says what this one does not understand; are they of one version?")
		return
	}
	if w.From == a.me {
		return
	}
	if w.FeedsChanged {
		a.feedSet.wake()
	}
	if w.RulesChanged {
		a.ruleSet.wake()
	}
	if w.WallsChanged {
		a.wallsHeard(a.workCtx)
	}
	if w.SessionEnded != "" {
		a.auth.Forget() // the session may be a key's: none of its sockets may open after this
		a.endHere(w.SessionEnded, w.GoesOn)
	}
}

// missed ends the sockets of every session that ended while nobody told us.
func (a *App) missed(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	list, err := a.rdb.ZRange(ctx, a.keys.SessionEnded(), 0, -1).Result()
	if err != nil {
		return fmt.Errorf("sessions that have ended: %w", err)
	}
	for _, member := range list {
		session, goesOn := strings.CutSuffix(member, renewed)
		a.endHere(session, goesOn)
	}
	a.wallsHeard(ctx)
	return nil
}
