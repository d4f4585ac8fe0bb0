package oidc

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// skew is how far the provider's clock may be ahead of ours.
const skew = 5 * time.Minute

// mostGroups bounds what one token may list.
const mostGroups = 1000

// Arrival is somebody who has signed in at the provider.
type Arrival struct {
	Issuer  string
	Subject string
	SID     string // of the session there; empty: it has no such
	Login   string // what they are called there, a wish for a name here
	Name    string
	Lang    string // id, en or empty
	Groups  []string
	MFA     bool      // the provider says that a second factor was shown, and is believed
	ShownAt time.Time // when they showed the provider who they are; zero: it does not say
	Again   bool      // it was asked anew, for a session that goes on
	Next    string
	Desk    string
	token   string // the id_token itself, to end the session there
}

// arrival checks the id_token (OpenID Connect Core, section 3.1.3.7) and reads it.
func (p *Provider) arrival(ctx context.Context, k *known, f flight, token *oauth2.Token, out Arrival) (Arrival, error) {
	raw, _ := token.Extra("id_token").(string)
	if raw == "" {
		return out, fmt.Errorf("%w: it brings no id_token", ErrRefused)
	}
	id, err := k.verifier.Verify(ctx, raw)
	if err != nil {
		return out, fmt.Errorf("%w: %w", ErrRefused, brief(err))
	}
	var claims map[string]any
	if err := id.Claims(&claims); err != nil {
		return out, fmt.Errorf("%w: its claims cannot be read", ErrRefused)
	}
	out.Issuer, out.Subject, out.token = id.Issuer, id.Subject, raw
	azp, _ := claims["azp"].(string)
	switch {
	case !equal(id.Nonce, f.Nonce):
		return out, fmt.Errorf("%w: another nonce", ErrRefused)
	case id.Subject == "" || len(id.Subject) > 255:
		return out, fmt.Errorf("%w: it names nobody", ErrRefused)
	case azp != "" && azp != p.cfg.ClientID, azp == "" && len(id.Audience) > 1:
		return out, fmt.Errorf("%w: it is for another client", ErrRefused)
	case id.IssuedAt.IsZero() || id.IssuedAt.After(p.deps.Now().Add(skew)):
		return out, fmt.Errorf("%w: it is not of now", ErrRefused)
	case id.AccessTokenHash != "" && id.VerifyAccessToken(token.AccessToken) != nil:
		return out, fmt.Errorf("%w: its access token is another's", ErrRefused)
	}
	out.MFA = p.cfg.TrustMFA && p.cfg.second(claims)
	if at, ok := claims["auth_time"].(float64); ok && at > 0 && at < 1e11 {
		out.ShownAt = time.Unix(int64(at), 0).UTC()
	}
	if err := p.more(ctx, k, token, id, claims); err != nil {
		return out, err
	}
	if out.Groups, err = p.cfg.groups(claims); err != nil {
		return out, err
	}
	out.SID, out.Login, out.Name, out.Lang = text(claims, "sid"), text(claims, "preferred_username"), text(claims, "name"), language(text(claims, "locale"))
	if out.Login == "" {
		out.Login = text(claims, "email")
	}
	return out, nil
}

// more asks the provider's userinfo for what the id_token does not say: many keep groups out of it. What is signed wins.
func (p *Provider) more(ctx context.Context, k *known, token *oauth2.Token, id *oidc.IDToken, claims map[string]any) error {
	if _, ok := find(claims, p.cfg.GroupsClaim); ok || k.provider.UserInfoEndpoint() == "" {
		return nil
	}
	if err := p.cfg.endpoint(k.provider.UserInfoEndpoint()); err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrRefused, err)
	}
	info, err := k.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return fmt.Errorf("%w: userinfo: %w", ErrAway, brief(err))
	}
	if info.Subject != id.Subject {
		return fmt.Errorf("%w: its userinfo is of somebody else", ErrRefused)
	}
	var said map[string]any
	if err := info.Claims(&said); err != nil {
		return fmt.Errorf("%w: its userinfo cannot be read", ErrRefused)
	}
	for name, value := range said {
		if _, ok := claims[name]; !ok {
			claims[name] = value
		}
	}
	return nil
}

// groups reads the claim that lists them; a provider that tells none names none.
func (c Config) groups(claims map[string]any) ([]string, error) {
	value, _ := find(claims, c.GroupsClaim)
	switch v := value.(type) {
	case nil:
		return nil, nil
	case string:
		return []string{v}, nil
	case []any:
		if len(v) > mostGroups {
			return nil, fmt.Errorf("%w: it lists %d groups; at most %d", ErrRefused, len(v), mostGroups)
		}
		var out []string
		for _, one := range v {
			if s, ok := one.(string); ok {
				out = append(out, s)
			}
		}
		return out, nil
	}
	return nil, fmt.Errorf("%w: its claim %s is no list of names", ErrRefused, c.GroupsClaim)
}

// find gives a claim by its name, or by the way into an object.
func find(claims map[string]any, name string) (any, bool) {
	if v, ok := claims[name]; ok {
		return v, true
	}
	head, rest, deeper := strings.Cut(name, ".")
	inner, ok := claims[head].(map[string]any)
	if !deeper || !ok {
		return nil, false
	}
	return find(inner, rest)
}

func text(claims map[string]any, name string) string {
	s, _ := claims[name].(string)
	return s
}

func language(locale string) string {
	switch tag, _, _ := strings.Cut(strings.ReplaceAll(locale, "_", "-"), "-"); tag {
	case "id", "en":
		return tag
	}
	return ""
}

// Kinds of authentication methods (RFC 8176, section 2): what one knows, has and is. Two kinds are two factors.
var (
	knows = []string{"pwd", "pin", "kba"}
	has   = []string{"otp", "hwk", "swk", "sms", "tel", "sc"}
	is    = []string{"fpt", "face", "iris", "retina", "vbm"}
)

// multiFactor is how acr says it: OpenID Connect Extended Authentication Profile ACR Values, PAPE, and Microsoft's own.
var multiFactor = []string{"phr", "phrh", "http://schemas.openid.net/pape/policies/2007/06/multi-factor", "http://schemas.microsoft.com/claims/multipleauthn"}

// second tells whether the provider says that a second factor was shown.
func (c Config) second(claims map[string]any) bool {
	if acr := text(claims, "acr"); acr != "" && (slices.Contains(multiFactor, acr) || slices.Contains(c.MFAClasses, acr)) {
		return true
	}
	var methods []string
	raw, _ := json.Marshal(claims["amr"])
	if json.Unmarshal(raw, &methods) != nil {
		return false
	}
	kinds := 0
	for _, kind := range [][]string{knows, has, is} {
		if slices.ContainsFunc(methods, func(m string) bool { return slices.Contains(kind, m) }) {
			kinds++
		}
	}
	return kinds > 1 || slices.Contains(methods, "mfa")
}
