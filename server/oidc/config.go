package oidc

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"kentongan/server/access"
)

// Config says at which provider people may sign in, and what its groups mean here.
type Config struct {
	Issuer           string    `yaml:"issuer" doc:"Address of the provider, exactly as its discovery document names it. Empty: nobody signs in at a provider.\nIt sends people back to public_url/api/v1/session/oidc/callback, and its back-channel logout to .../oidc/logout."`
	Name             string    `yaml:"name" doc:"What the button of the sign-in page calls it. Empty: the host of issuer."`
	ClientID         string    `yaml:"client_id" doc:"As the provider knows this house."`
	ClientSecretFile string    `yaml:"client_secret_file" doc:"File that holds the client's secret, readable by its owner only; read anew with each use. Empty: a public client, with PKCE alone."`
	Scopes           []string  `yaml:"scopes" doc:"Asked for beside openid. Empty: profile and email. Many providers need a scope of theirs before they tell groups."`
	GroupsClaim      string    `yaml:"groups_claim" doc:"Claim that lists a person's groups; a dot leads into an object, as in realm_access.roles."`
	TrustMFA         bool      `yaml:"trust_mfa" doc:"true: where the provider says by amr or acr that a second factor was shown there, ours is not asked for."`
	MFAClasses       []string  `yaml:"mfa_acr" doc:"Values of acr by which this provider says so, beside the standard ones."`
	AllowPrivate     bool      `yaml:"allow_private" doc:"true lets the provider be on loopback or a private network."`
	Roles            []Mapping `yaml:"roles" doc:"What each group means here: a role, and within which agency, areas (names of kecamatan) and types of incidents; lines add up. A group without\na line means nothing, and whoever has no role may not come in. Roles that people here gave to an account are not touched.\n  - {group: pusdalops, role: dispatcher}\n  - {group: dinkes-igd, role: liaison, agency: dinkes, types: [medical]}"`
}

// Mapping is one role that a group gives.
type Mapping struct {
	Group  string      `yaml:"group"`
	Role   access.Role `yaml:"role"`
	Agency string      `yaml:"agency"`
	Areas  []string    `yaml:"areas"`
	Types  []string    `yaml:"types"`
}

// mostMappings bounds the map.
const mostMappings = 200

// DefaultConfig asks nobody.
func DefaultConfig() Config { return Config{GroupsClaim: "groups"} }

// On tells whether there is a provider.
func (c Config) On() bool { return c.Issuer != "" }

// Label is what people call the provider.
func (c Config) Label() string {
	if c.Name != "" {
		return c.Name
	}
	if u, err := url.Parse(c.Issuer); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return c.Issuer
}

// Validate names what is wrong, by key.
func (c Config) Validate() []error {
	if !c.On() {
		if c.ClientID != "" || c.ClientSecretFile != "" || len(c.Roles) > 0 {
			return []error{fmt.Errorf("issuer: is empty, and without it the rest of oidc means nothing")}
		}
		return nil
	}
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if err := c.address(c.Issuer); err != nil {
		bad("issuer", "%v", err)
	}
	if c.ClientID == "" {
		bad("client_id", "is needed with issuer")
	}
	if len(c.Name) > 60 {
		bad("name", "is longer than 60 bytes")
	}
	for i, s := range c.Scopes {
		if s == "" || strings.ContainsAny(s, " \"\\\t\n") {
			bad(fmt.Sprintf("scopes[%d]", i), "%q is no scope", s)
		}
	}
	if c.GroupsClaim == "" {
		bad("groups_claim", "is empty")
	}
	if len(c.Roles) == 0 {
		bad("roles", "no group means anything: nobody could come in")
	}
	if len(c.Roles) > mostMappings {
		bad("roles", "has %d lines; at most %d", len(c.Roles), mostMappings)
	}
	for i, m := range c.Roles {
		key, reason := m.fault()
		if key != "" {
			bad(fmt.Sprintf("roles[%d].%s", i, key), "%s", reason)
		}
	}
	return errs
}

// address tells whether we may send people, codes and our secret there.
func (c Config) address(text string) error {
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return fmt.Errorf("%q is not an address such as https://id.example", text)
	case u.RawQuery != "" || u.Fragment != "" || u.User != nil:
		return fmt.Errorf("%q: only scheme, host, port and path belong there", text)
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return fmt.Errorf("%q: over plain HTTP anybody on the way could be anybody; use https", text)
	case u.Scheme == "http" && !c.AllowPrivate:
		return fmt.Errorf("%q: plain HTTP is for loopback, which needs allow_private: true", text)
	}
	return nil
}

func loopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (m Mapping) fault() (key, reason string) {
	switch {
	case m.Group == "":
		return "group", "is empty"
	case !m.Role.Personal():
		var known []string
		for _, r := range access.Roles() {
			if r.Personal() {
				known = append(known, string(r))
			}
		}
		return "role", fmt.Sprintf("%q is none of %s", m.Role, strings.Join(known, ", "))
	case (m.Role == access.Liaison || m.Role == access.Field) && m.Agency == "":
		return "agency", fmt.Sprintf("%s means nothing without one", m.Role)
	case slices.Contains(m.Areas, ""):
		return "areas", "has an empty name"
	case slices.Contains(m.Types, ""):
		return "types", "has an empty name"
	}
	return "", ""
}

// Grants is what groups mean: the lines of the map that name one of them, each once, in the order of the map.
func (c Config) Grants(groups []string) []access.Grant {
	out := []access.Grant{}
	for _, m := range c.Roles {
		g := access.Grant{Role: m.Role, Agency: m.Agency, Areas: m.Areas, Types: m.Types}
		if slices.Contains(groups, m.Group) && !slices.ContainsFunc(out, func(o access.Grant) bool { return same(o, g) }) {
			out = append(out, g)
		}
	}
	return out
}

func same(a, b access.Grant) bool {
	return a.Role == b.Role && a.Agency == b.Agency && slices.Equal(a.Areas, b.Areas) && slices.Equal(a.Types, b.Types)
}

// scopes is what we ask for.
func (c Config) scopes() []string {
	out := []string{"openid"}
	asked := c.Scopes
	if len(asked) == 0 {
		asked = []string{"profile", "email"}
	}
	for _, s := range asked {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}
