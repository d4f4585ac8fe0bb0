package oidc

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/redis/go-redis/v9"
)

const (
	sealed      = "oidc"
	longestHint = 4 << 10 // bytes of an id_token in an address
	logoutAge   = 10 * time.Minute
)

// Ended is what a logout token says has ended.
type Ended struct {
	ID      string    // counts once
	Until   time.Time // how long it would be taken
	Subject string    // empty: by SID alone
	SID     string    // empty: every session of Subject
}

// Ended checks a logout token (OpenID Connect Back-Channel Logout 1.0, section 2.6): signature, iss, aud, exp, iat, jti, events, no nonce,
// and who it is about. That it comes once is for the caller to see. Errors: ErrRefused, ErrAway.
func (p *Provider) Ended(ctx context.Context, token string) (Ended, error) {
	k, err := p.ready(ctx)
	if err != nil {
		return Ended{}, err
	}
	ctx, cancel := context.WithTimeout(p.context(ctx), askTime)
	defer cancel()
	t, err := k.verifier.VerifyLogout(ctx, token)
	if err != nil {
		return Ended{}, fmt.Errorf("%w: %w", ErrRefused, brief(err))
	}
	var more struct {
		Events map[string]json.RawMessage `json:"events"`
	}
	if err := t.Claims(&more); err != nil {
		return Ended{}, fmt.Errorf("%w: its events cannot be read", ErrRefused)
	}
	now := p.deps.Now()
	switch event := bytes.TrimSpace(more.Events["http://schemas.openid.net/event/backchannel-logout"]); {
	case len(event) == 0 || event[0] != '{':
		return Ended{}, fmt.Errorf("%w: it tells of no logout", ErrRefused)
	case t.IssuedAt.IsZero() || t.IssuedAt.After(now.Add(skew)) || t.IssuedAt.Before(now.Add(-logoutAge)):
		return Ended{}, fmt.Errorf("%w: it is not of now", ErrRefused)
	}
	return Ended{t.TokenID, t.Expiry, t.Subject, t.SessionID}, nil
}

// stay is a session of ours that began at the provider.
type stay struct {
	Person string `json:"person"`
	SID    string `json:"sid"`
	Token  string `json:"token"`
}

// Stay keeps which session of ours began with this arrival, so that the provider can end it, and we the one there. session is our id of
// it, or of the sign-in that waits for a second factor.
func (p *Provider) Stay(ctx context.Context, session, person string, a Arrival, life time.Duration) error {
	return p.keep(ctx, session, stay{person, a.SID, a.token}, life)
}

func (p *Provider) keep(ctx context.Context, session string, s stay, life time.Duration) error {
	if len(s.Token) > longestHint {
		s.Token = "" // the provider asks people then whether they mean it
	}
	plain, err := json.Marshal(s)
	if err != nil {
		return err
	}
	text, err := p.deps.Seal.Seal(sealed, plain, []byte(session))
	if err != nil {
		return fmt.Errorf("keep a session at the provider: %w", err)
	}
	_, err = p.deps.Store.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		pipe.Set(ctx, p.deps.Keys.ProviderSession(session), text, life)
		if s.SID != "" {
			of := p.sidKey(s.SID)
			pipe.HSet(ctx, of, session, s.Person)
			pipe.Expire(ctx, of, life)
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep a session at the provider: %w", err)
	}
	return nil
}

func (p *Provider) sidKey(sid string) string {
	return p.deps.Keys.ProviderSID(digest(p.cfg.Issuer + " " + sid))
}

// leave takes what was kept of a session out of the store; false: it did not begin at the provider.
func (p *Provider) leave(ctx context.Context, session string) (stay, bool, error) {
	var s stay
	text, err := p.deps.Store.GetDel(ctx, p.deps.Keys.ProviderSession(session)).Result()
	if errors.Is(err, redis.Nil) {
		return s, false, nil
	} else if err != nil {
		return s, false, fmt.Errorf("a session at the provider: %w", err)
	}
	plain, err := p.deps.Seal.Unseal(sealed, text, []byte(session))
	if err == nil {
		err = json.Unmarshal(plain, &s)
	}
	if err != nil {
		return s, false, fmt.Errorf("a session at the provider: %w", err)
	}
	if s.SID != "" {
		err = p.deps.Store.HDel(ctx, p.sidKey(s.SID), session).Err()
	}
	return s, true, err
}

// Move hands what was kept of a sign-in that waited for its second factor on to the session that it has become. false: nothing was kept; it
// did not begin at the provider, or has ended there meanwhile.
func (p *Provider) Move(ctx context.Context, from, to string, life time.Duration) (bool, error) {
	s, ok, err := p.leave(ctx, from)
	if err != nil || !ok {
		return false, err
	}
	return true, p.keep(ctx, to, s, life)
}

// Leave forgets a session that has ended here, and gives where the browser may go to end the one at the provider; empty: nowhere. back is
// where the provider sends it then.
func (p *Provider) Leave(ctx context.Context, session, back string) (string, error) {
	s, ok, err := p.leave(ctx, session)
	if err != nil || !ok {
		return "", err
	}
	p.mu.Lock()
	k := p.known
	p.mu.Unlock()
	if k == nil || k.endSession == "" {
		return "", nil
	}
	to, err := url.Parse(k.endSession)
	if err != nil {
		return "", nil
	}
	q := to.Query()
	q.Set("client_id", p.cfg.ClientID)
	q.Set("post_logout_redirect_uri", back)
	if s.Token != "" {
		q.Set("id_token_hint", s.Token)
	}
	to.RawQuery = q.Encode()
	return to.String(), nil
}

// Sessions gives our ids of the sessions that began with a session at the provider, and whose they are.
func (p *Provider) Sessions(ctx context.Context, sid string) (map[string]string, error) {
	all, err := p.deps.Store.HGetAll(ctx, p.sidKey(sid)).Result()
	if err != nil {
		return nil, fmt.Errorf("sessions at the provider: %w", err)
	}
	return all, nil
}
