// Package oidctest is a provider of OpenID Connect on loopback, honest or not, for tests.
package oidctest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// The client that the provider knows.
const (
	ClientID     = "kentongan"
	ClientSecret = "a-secret-of-the-client-0123456789"
)

// User is somebody with an account at the provider.
type User struct {
	Subject, Login, Name string
	Groups               []string
	AMR                  []string
	SID                  string // of the session there
}

// Provider is the provider. Change its fields between requests only.
type Provider struct {
	URL          string
	RedirectURIs []string
	PostLogout   []string
	InIDToken    bool                             // the id_token itself tells name and groups; else userinfo does
	Tamper       func(map[string]any)             // changes the claims of an id_token before it is signed
	Sign         func(claims any) string          // signs in place of the provider
	Discovery    func(map[string]any)             // changes the discovery document
	Userinfo     func(map[string]any)             // changes the userinfo
	Token        func(w http.ResponseWriter) bool // answers for the token endpoint

	mu       sync.Mutex
	down     bool
	user     User
	asked    map[string]int // paths
	requests map[string]*request
	codes    map[string]string
	tokens   map[string]User
	ended    []string // subjects whose session was ended by us
	key      *rsa.PrivateKey
}

// Start begins a provider that ends with the test.
func Start(t testing.TB) *Provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &Provider{asked: map[string]int{}, requests: map[string]*request{}, codes: map[string]string{}, tokens: map[string]User{}, key: key}
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	p.URL = server.URL
	handler, err := op.NewProvider(&op.Config{CryptoKey: [32]byte(bytes.Repeat([]byte{7}, 32)), CryptoKeyId: "k", CodeMethodS256: true, AuthMethodPost: true, DefaultLogoutRedirectURI: "/out"},
		storage{p}, op.StaticIssuer(p.URL), op.WithAllowInsecure(), op.WithLogger(slog.New(slog.DiscardHandler))) //nolint:staticcheck // its other way is the logger of the whole process
	if err != nil {
		t.Fatal(err)
	}
	back, issue := op.AuthCallbackURL(handler), op.NewIssuerInterceptor(handler.IssuerFromRequest)
	mux.Handle("/sign-in", issue.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.FormValue("id")
		p.mu.Lock()
		if q := p.requests[id]; q != nil {
			q.user, q.done, q.at = p.user, true, time.Now()
		}
		p.mu.Unlock()
		http.Redirect(w, r, back(r.Context(), id), http.StatusFound)
	}))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.serve(handler, w, r) })
	return p
}

// SignIn makes somebody the one whose browser is asked next.
func (p *Provider) SignIn(u User) { p.mu.Lock(); defer p.mu.Unlock(); p.user = u }

// Down makes the provider hang up on everybody, or not.
func (p *Provider) Down(down bool) { p.mu.Lock(); defer p.mu.Unlock(); p.down = down }

// Asked is how often a path was asked for.
func (p *Provider) Asked(path string) int { p.mu.Lock(); defer p.mu.Unlock(); return p.asked[path] }

// Ended lists the subjects whose session was ended by a client.
func (p *Provider) Ended() []string { p.mu.Lock(); defer p.mu.Unlock(); return slices.Clone(p.ended) }

// serve is the provider, with its lies.
func (p *Provider) serve(next http.Handler, w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.asked[r.URL.Path]++
	down := p.down
	p.mu.Unlock()
	if down {
		panic(http.ErrAbortHandler)
	}
	if r.URL.Path == "/oauth/token" && p.Token != nil && p.Token(w) {
		return
	}
	tamper := map[string]func(map[string]any){"/.well-known/openid-configuration": p.Discovery, "/userinfo": p.Userinfo, "/oauth/token": p.token}[r.URL.Path]
	if tamper == nil {
		next.ServeHTTP(w, r)
		return
	}
	rec := httptest.NewRecorder()
	next.ServeHTTP(rec, r)
	var doc map[string]any
	if rec.Code == http.StatusOK && json.Unmarshal(rec.Body.Bytes(), &doc) == nil {
		tamper(doc)
		text, _ := json.Marshal(doc)
		rec.Body = bytes.NewBuffer(text)
	}
	maps.Copy(w.Header(), rec.Header())
	w.Header().Del("Content-Length")
	w.WriteHeader(rec.Code)
	_, _ = io.Copy(w, rec.Body)
}

// token changes the id_token of an answer and signs it anew.
func (p *Provider) token(doc map[string]any) {
	raw, _ := doc["id_token"].(string)
	if raw == "" || p.Tamper == nil && p.Sign == nil {
		return
	}
	jws, err := jose.ParseSigned(raw, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		panic(err)
	}
	var claims map[string]any
	if err := json.Unmarshal(jws.UnsafePayloadWithoutVerification(), &claims); err != nil {
		panic(err)
	}
	if p.Tamper != nil {
		p.Tamper(claims)
	}
	sign := p.Sign
	if sign == nil {
		sign = p.Signed
	}
	doc["id_token"] = sign(claims)
}

// Signed signs claims as the provider does.
func (p *Provider) Signed(claims any) string { return SignedBy(p.key, "key", claims) }

// SignedBy signs claims with a key: RSA for RS256, bytes for HS256.
func SignedBy(key any, id string, claims any) string {
	alg := jose.RS256
	if _, ok := key.([]byte); ok {
		alg = jose.HS256
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: id}}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		panic(err)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	jws, err := signer.Sign(text)
	if err != nil {
		panic(err)
	}
	out, err := jws.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return out
}

// Logout is the claims of a good logout token; a test changes them.
func (p *Provider) Logout(subject, sid string) map[string]any {
	now := time.Now()
	c := map[string]any{"iss": p.URL, "aud": ClientID, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(), "jti": rand.Text(),
		"events": map[string]any{"http://schemas.openid.net/event/backchannel-logout": map[string]any{}}}
	if subject != "" {
		c["sub"] = subject
	}
	if sid != "" {
		c["sid"] = sid
	}
	return c
}

// Tell posts a logout token, as a provider does, and gives the answer's status.
func (p *Provider) Tell(t testing.TB, to string, token string) int {
	t.Helper()
	answer, err := http.PostForm(to, url.Values{"logout_token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	_, _ = io.Copy(io.Discard, answer.Body)
	return answer.StatusCode
}

// request is a sign-in that a client has asked for.
type request struct {
	*oidc.AuthRequest
	id   string
	user User
	done bool
	at   time.Time
}

// What follows is op.AuthRequest.

// GetID is its id.
func (r *request) GetID() string { return r.id }

// GetACR is none.
func (r *request) GetACR() string { return "" }

// GetAMR is how the user signed in.
func (r *request) GetAMR() []string { return r.user.AMR }

// GetAudience is the client.
func (r *request) GetAudience() []string { return []string{r.ClientID} }

// GetAuthTime is when.
func (r *request) GetAuthTime() time.Time { return r.at }

// GetClientID is the client.
func (r *request) GetClientID() string { return r.ClientID }

// GetCodeChallenge is that of PKCE.
func (r *request) GetCodeChallenge() *oidc.CodeChallenge {
	if r.CodeChallenge == "" {
		return nil
	}
	return &oidc.CodeChallenge{Challenge: r.CodeChallenge, Method: r.CodeChallengeMethod}
}

// GetNonce is the client's.
func (r *request) GetNonce() string { return r.Nonce }

// GetRedirectURI is where to go back to.
func (r *request) GetRedirectURI() string { return r.RedirectURI }

// GetResponseType is code.
func (r *request) GetResponseType() oidc.ResponseType { return r.ResponseType }

// GetResponseMode is the default.
func (r *request) GetResponseMode() oidc.ResponseMode { return r.ResponseMode }

// GetScopes is what was asked for.
func (r *request) GetScopes() []string { return r.Scopes }

// GetState is the client's.
func (r *request) GetState() string { return r.State }

// GetSubject is who signed in.
func (r *request) GetSubject() string { return r.user.Subject }

// Done tells that somebody did.
func (r *request) Done() bool { return r.done }

// client is op.Client for the one that we are.
type client struct{ p *Provider }

// What follows is op.Client.

// GetID is its id.
func (c client) GetID() string { return ClientID }

// RedirectURIs are those that were registered.
func (c client) RedirectURIs() []string { return c.p.RedirectURIs }

// PostLogoutRedirectURIs too.
func (c client) PostLogoutRedirectURIs() []string { return c.p.PostLogout }

// ApplicationType is web.
func (c client) ApplicationType() op.ApplicationType { return op.ApplicationTypeWeb }

// AuthMethod is by Basic.
func (c client) AuthMethod() oidc.AuthMethod { return oidc.AuthMethodBasic }

// ResponseTypes is code only.
func (c client) ResponseTypes() []oidc.ResponseType {
	return []oidc.ResponseType{oidc.ResponseTypeCode}
}

// GrantTypes is code only.
func (c client) GrantTypes() []oidc.GrantType { return []oidc.GrantType{oidc.GrantTypeCode} }

// LoginURL is where the browser signs in.
func (c client) LoginURL(id string) string { return "/sign-in?id=" + url.QueryEscape(id) }

// AccessTokenType is opaque.
func (c client) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeBearer }

// IDTokenLifetime is five minutes.
func (c client) IDTokenLifetime() time.Duration { return 5 * time.Minute }

// DevMode lets http on loopback in.
func (c client) DevMode() bool { return true }

// RestrictAdditionalIdTokenScopes restricts none.
func (c client) RestrictAdditionalIdTokenScopes() func([]string) []string { return same }

// RestrictAdditionalAccessTokenScopes restricts none.
func (c client) RestrictAdditionalAccessTokenScopes() func([]string) []string { return same }

func same(s []string) []string { return s }

// IsScopeAllowed allows what is asked for beyond the standard.
func (c client) IsScopeAllowed(scope string) bool { return scope == "groups" }

// IDTokenUserinfoClaimsAssertion is as the test has it.
func (c client) IDTokenUserinfoClaimsAssertion() bool { return c.p.InIDToken }

// ClockSkew is none.
func (c client) ClockSkew() time.Duration { return 0 }

// storage is op.Storage, in memory.
type storage struct{ p *Provider }

var errUnknown = errors.New("not known")

// What follows is op.Storage.

// CreateAuthRequest keeps a request.
func (s storage) CreateAuthRequest(_ context.Context, r *oidc.AuthRequest, _ string) (op.AuthRequest, error) {
	if r.CodeChallengeMethod != oidc.CodeChallengeMethodS256 || r.Nonce == "" || r.State == "" {
		return nil, fmt.Errorf("want PKCE by S256, a nonce and a state: %w", errUnknown)
	}
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	q := &request{AuthRequest: r, id: rand.Text()}
	s.p.requests[q.id] = q
	return q, nil
}

// AuthRequestByID gives it.
func (s storage) AuthRequestByID(_ context.Context, id string) (op.AuthRequest, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	if q := s.p.requests[id]; q != nil {
		return q, nil
	}
	return nil, errUnknown
}

// AuthRequestByCode gives it.
func (s storage) AuthRequestByCode(ctx context.Context, code string) (op.AuthRequest, error) {
	s.p.mu.Lock()
	id := s.p.codes[code]
	s.p.mu.Unlock()
	return s.AuthRequestByID(ctx, id)
}

// SaveAuthCode keeps a code.
func (s storage) SaveAuthCode(_ context.Context, id, code string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.codes[code] = id
	return nil
}

// DeleteAuthRequest makes a code worthless once it was used.
func (s storage) DeleteAuthRequest(_ context.Context, id string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	delete(s.p.requests, id)
	return nil
}

// CreateAccessToken gives a token for userinfo.
func (s storage) CreateAccessToken(_ context.Context, r op.TokenRequest) (string, time.Time, error) {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	id := rand.Text()
	if q, ok := r.(*request); ok {
		s.p.tokens[id] = q.user
	}
	return id, time.Now().Add(5 * time.Minute), nil
}

// CreateAccessAndRefreshTokens is not for us.
func (s storage) CreateAccessAndRefreshTokens(context.Context, op.TokenRequest, string) (string, string, time.Time, error) {
	return "", "", time.Time{}, errUnknown
}

// TokenRequestByRefreshToken is not for us.
func (s storage) TokenRequestByRefreshToken(context.Context, string) (op.RefreshTokenRequest, error) {
	return nil, errUnknown
}

// TerminateSession remembers whose session was ended.
func (s storage) TerminateSession(_ context.Context, user, _ string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	s.p.ended = append(s.p.ended, user)
	return nil
}

// RevokeToken is not for us.
func (s storage) RevokeToken(context.Context, string, string, string) *oidc.Error { return nil }

// GetRefreshTokenInfo is not for us.
func (s storage) GetRefreshTokenInfo(context.Context, string, string) (string, string, error) {
	return "", "", op.ErrInvalidRefreshToken
}

// SigningKey is the one key.
func (s storage) SigningKey(context.Context) (op.SigningKey, error) { return key{s.p, false}, nil }

// SignatureAlgorithms is RS256.
func (s storage) SignatureAlgorithms(context.Context) ([]jose.SignatureAlgorithm, error) {
	return []jose.SignatureAlgorithm{jose.RS256}, nil
}

// KeySet is its public half.
func (s storage) KeySet(context.Context) ([]op.Key, error) { return []op.Key{key{s.p, true}}, nil }

// GetClientByClientID gives the one client.
func (s storage) GetClientByClientID(_ context.Context, id string) (op.Client, error) {
	if id != ClientID {
		return nil, errUnknown
	}
	return client(s), nil
}

// AuthorizeClientIDSecret holds the secret against ours.
func (s storage) AuthorizeClientIDSecret(_ context.Context, id, secret string) error {
	if id != ClientID || secret != ClientSecret {
		return errUnknown
	}
	return nil
}

// SetUserinfoFromScopes is the deprecated one.
func (s storage) SetUserinfoFromScopes(context.Context, *oidc.UserInfo, string, string, []string) error {
	return nil
}

// SetUserinfoFromRequest fills an id_token.
func (s storage) SetUserinfoFromRequest(_ context.Context, info *oidc.UserInfo, r op.IDTokenRequest, scopes []string) error {
	q, ok := r.(*request)
	if !ok {
		return errUnknown
	}
	info.Subject = q.user.Subject
	if q.user.SID != "" {
		info.AppendClaims("sid", q.user.SID)
	}
	if s.p.InIDToken {
		fill(info, q.user, scopes)
	}
	return nil
}

// SetUserinfoFromToken fills the userinfo.
func (s storage) SetUserinfoFromToken(_ context.Context, info *oidc.UserInfo, token, _, _ string) error {
	s.p.mu.Lock()
	defer s.p.mu.Unlock()
	u, ok := s.p.tokens[token]
	if !ok {
		return errUnknown
	}
	info.Subject = u.Subject
	fill(info, u, []string{"profile", "groups"})
	return nil
}

func fill(info *oidc.UserInfo, u User, scopes []string) {
	if slices.Contains(scopes, "profile") {
		info.PreferredUsername, info.Name = u.Login, u.Name
	}
	if slices.Contains(scopes, "groups") && u.Groups != nil {
		info.AppendClaims("groups", u.Groups)
	}
	if strings.Contains(u.Login, "@") {
		info.Email = u.Login
	}
}

// SetIntrospectionFromToken is not for us.
func (s storage) SetIntrospectionFromToken(context.Context, *oidc.IntrospectionResponse, string, string, string) error {
	return errUnknown
}

// GetPrivateClaimsFromScopes adds none.
func (s storage) GetPrivateClaimsFromScopes(context.Context, string, string, []string) (map[string]any, error) {
	return nil, nil
}

// GetKeyByIDAndClientID is not for us.
func (s storage) GetKeyByIDAndClientID(context.Context, string, string) (*jose.JSONWebKey, error) {
	return nil, errUnknown
}

// ValidateJWTProfileScopes is not for us.
func (s storage) ValidateJWTProfileScopes(context.Context, string, []string) ([]string, error) {
	return nil, errUnknown
}

// Health is good.
func (s storage) Health(context.Context) error { return nil }

// key is the provider's key, whole or its public half.
type key struct {
	p      *Provider
	public bool
}

// SignatureAlgorithm is RS256.
func (k key) SignatureAlgorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Algorithm is RS256.
func (k key) Algorithm() jose.SignatureAlgorithm { return jose.RS256 }

// Use is for signatures.
func (k key) Use() string { return "sig" }

// ID names it.
func (k key) ID() string { return "key" }

// Key is it.
func (k key) Key() any {
	if k.public {
		return &k.p.key.PublicKey
	}
	return k.p.key
}
