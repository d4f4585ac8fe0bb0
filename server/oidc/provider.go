// Package oidc is OpenID Connect: signing in at a provider, and what its groups mean here.
//
// The code flow with PKCE, state and nonce, discovery, back-channel logout and logout by us. It says who somebody is at the provider; which
// account that is and whether they may come in is for others. Accounts are found by issuer and subject, never by an address of e-mail.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"
	"golang.org/x/oauth2"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"kentongan/feeds/bounded"
	"kentongan/geo/keyspace"
)

// Bounds of what we ask a provider.
const (
	askTime     = 10 * time.Second // for one answer
	largest     = 1 << 20          // bytes of one
	freshFor    = time.Hour        // its discovery document
	firstRetry  = time.Second
	lastRetry   = time.Minute
	secretBytes = 4 << 10 // of client_secret_file
)

// Errors of signing in at a provider.
var (
	ErrAway    = errors.New("the provider does not answer")
	ErrFlight  = errors.New("this sign-in was not begun in this browser, or took too long: begin again")
	ErrRefused = errors.New("the provider's answer is not accepted")
)

// Sealer seals what the store may not show: a seal.Ring.
type Sealer interface {
	Seal(purpose string, plain, bound []byte) (string, error)
	Unseal(purpose, sealed string, bound []byte) ([]byte, error)
}

// Deps are the rooms below.
type Deps struct {
	Store redis.UniversalClient
	Keys  keyspace.Keys
	Seal  Sealer
	Now   func() time.Time
	Log   zerolog.Logger
}

// Provider is where people sign in. Safe for concurrent use.
type Provider struct {
	cfg    Config
	deps   Deps
	client *http.Client
	asks   singleflight.Group

	mu    sync.Mutex
	known *known // what discovery told last
	fault string // why it does not tell now; empty: it does, or nobody has asked
}

// known is what a discovery document told.
type known struct {
	provider   *oidc.Provider
	verifier   *oidc.IDTokenVerifier
	endSession string
	at         time.Time
}

// New gives the provider of a configuration without faults. It asks nothing: Run does, and whoever signs in.
func New(cfg Config, deps Deps) *Provider {
	deps.Log = deps.Log.With().Str("component", "oidc").Logger()
	transport := &http.Transport{DialContext: bounded.Dialer(cfg.AllowPrivate), TLSHandshakeTimeout: 5 * time.Second, ResponseHeaderTimeout: askTime,
		MaxResponseHeaderBytes: 64 << 10, MaxIdleConnsPerHost: 2, IdleConnTimeout: 30 * time.Second}
	return &Provider{cfg: cfg, deps: deps, client: &http.Client{
		Transport: &limited{next: transport, pace: rate.NewLimiter(10, 30)}, Timeout: askTime,
		// A redirect would take our secret, or our trust, to where nobody has looked.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// limited bounds each answer, and how many are asked for: a stranger may send logout tokens that name keys we do not know.
type limited struct {
	next *http.Transport
	pace *rate.Limiter
}

// RoundTrip asks, when it is its turn.
func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	if err := l.pace.Wait(r.Context()); err != nil {
		return nil, err
	}
	answer, err := l.next.RoundTrip(r)
	if err == nil {
		answer.Body = http.MaxBytesReader(nil, answer.Body, largest)
	}
	return answer, err
}

// Config is the provider's configuration.
func (p *Provider) Config() Config { return p.cfg }

// Away tells why nobody can sign in there now; empty: as far as we know they can.
func (p *Provider) Away() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.known != nil {
		return ""
	}
	return p.fault
}

// Run asks for the discovery document until it is there, and again each hour, until ctx ends. The house starts while the provider is away.
func (p *Provider) Run(ctx context.Context) error {
	defer p.client.CloseIdleConnections()
	retry := firstRetry
	for {
		wait := freshFor
		if _, err := p.discover(ctx); err != nil {
			wait, retry = retry, min(2*retry, lastRetry)
		} else {
			retry = firstRetry
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(wait):
		}
	}
}

// ready gives what discovery told, and asks where nobody has, or the last answer is old. An old answer is better than none.
func (p *Provider) ready(ctx context.Context) (*known, error) {
	p.mu.Lock()
	k := p.known
	p.mu.Unlock()
	if k != nil && p.deps.Now().Sub(k.at) < 2*freshFor {
		return k, nil
	}
	fresh, err := p.discover(ctx)
	if err != nil && k != nil {
		return k, nil
	}
	return fresh, err
}

// discover asks for the discovery document. Who asks at once asks together, and one of them who leaves does not end the question.
func (p *Provider) discover(ctx context.Context) (*known, error) {
	answer, err, _ := p.asks.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), askTime)
		defer cancel()
		k, err := p.ask(ctx)
		p.mu.Lock()
		defer p.mu.Unlock()
		before := p.fault
		if p.fault = ""; err != nil {
			p.fault = err.Error()
		} else {
			p.known = k
		}
		switch {
		case err != nil && before == "":
			p.deps.Log.Warn().Str("issuer", p.cfg.Issuer).Str("reason", p.fault).Msg("the provider of sign-ins does not answer; asking again")
		case err == nil && before != "":
			p.deps.Log.Info().Str("issuer", p.cfg.Issuer).Msg("the provider of sign-ins answers")
		}
		return k, err
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAway, err)
	}
	return answer.(*known), nil
}

func (p *Provider) ask(ctx context.Context) (*known, error) {
	provider, err := oidc.NewProvider(p.context(ctx), p.cfg.Issuer)
	if err != nil {
		return nil, brief(err)
	}
	var more struct {
		Keys       string `json:"jwks_uri"`
		EndSession string `json:"end_session_endpoint"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, brief(err)
	}
	end := provider.Endpoint()
	for _, address := range []string{end.AuthURL, end.TokenURL, more.Keys} {
		if err := p.cfg.endpoint(address); err != nil {
			return nil, fmt.Errorf("its discovery document: %w", err)
		}
	}
	if more.EndSession != "" && p.cfg.endpoint(more.EndSession) != nil {
		more.EndSession = ""
	}
	verifier := provider.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.deps.Now})
	return &known{provider, verifier, more.EndSession, p.deps.Now()}, nil
}

// endpoint is address for what discovery names, which may have a query.
func (c Config) endpoint(text string) error {
	plain, _, _ := strings.Cut(text, "?")
	return c.address(plain)
}

// context carries the one client that asks the provider.
func (p *Provider) context(ctx context.Context) context.Context {
	return oidc.ClientContext(ctx, p.client)
}

// oauth is the client that we are. The secret is read anew, so that it can be changed without a restart.
func (p *Provider) oauth(k *known, redirect string) (*oauth2.Config, error) {
	out := &oauth2.Config{ClientID: p.cfg.ClientID, Endpoint: k.provider.Endpoint(), RedirectURL: redirect, Scopes: p.cfg.scopes()}
	if p.cfg.ClientSecretFile == "" {
		out.Endpoint.AuthStyle = oauth2.AuthStyleInParams
		return out, nil
	}
	f, err := os.Open(p.cfg.ClientSecretFile)
	if err != nil {
		return nil, fmt.Errorf("client_secret_file: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, secretBytes))
	if err != nil {
		return nil, fmt.Errorf("client_secret_file: %w", err)
	}
	if out.ClientSecret = strings.TrimSpace(string(text)); out.ClientSecret == "" {
		return nil, errors.New("client_secret_file: is empty")
	}
	return out, nil
}

// brief keeps what an error of a library says short: some of them carry the whole answer.
func brief(err error) error {
	text, _, _ := strings.Cut(err.Error(), "\n")
	if len(text) > 200 {
		text = text[:200] + "…"
	}
	return errors.New(strings.ToValidUTF8(text, "?"))
}
