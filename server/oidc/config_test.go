package oidc

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"kentongan/server/access"
)

func base64Of(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func TestValidate(t *testing.T) {
	good := func() Config {
		c := DefaultConfig()
		c.Issuer, c.ClientID, c.Roles = "https://id.example/realms/kota", "kentongan", []Mapping{{Group: "x", Role: access.Operator}}
		return c
	}
	for _, c := range []struct {
		name   string
		change func(*Config)
		want   string // key of the fault; empty: none
	}{
		{"good", func(*Config) {}, ""},
		{"nothing", func(c *Config) { *c = DefaultConfig() }, ""},
		{"no issuer", func(c *Config) { c.Issuer = "" }, "issuer"},
		{"no address", func(c *Config) { c.Issuer = "id.example" }, "issuer"},
		{"plain", func(c *Config) { c.Issuer = "http://id.example" }, "issuer"},
		{"plain on this machine", func(c *Config) { c.Issuer = "http://127.0.0.1:9000" }, "issuer"},
		{"plain on this machine, and allowed", func(c *Config) { c.Issuer, c.AllowPrivate = "http://127.0.0.1:9000", true }, ""},
		{"with a query", func(c *Config) { c.Issuer += "?x" }, "issuer"},
		{"with a password", func(c *Config) { c.Issuer = "https://a:b@id.example" }, "issuer"},
		{"no client", func(c *Config) { c.ClientID = "" }, "client_id"},
		{"a scope that is two", func(c *Config) { c.Scopes = []string{"groups", "a b"} }, "scopes[1]"},
		{"no claim", func(c *Config) { c.GroupsClaim = "" }, "groups_claim"},
		{"no roles", func(c *Config) { c.Roles = nil }, "roles"},
		{"no group", func(c *Config) { c.Roles[0].Group = "" }, "roles[0].group"},
		{"a role that is none", func(c *Config) { c.Roles[0].Role = "boss" }, "roles[0].role"},
		{"a role of no person", func(c *Config) { c.Roles[0].Role = access.Wall }, "roles[0].role"},
		{"a liaison of nobody", func(c *Config) { c.Roles = append(c.Roles, Mapping{Group: "y", Role: access.Liaison}) }, "roles[1].agency"},
		{"an area without a name", func(c *Config) { c.Roles[0].Areas = []string{""} }, "roles[0].areas"},
	} {
		cfg := good()
		c.change(&cfg)
		errs := cfg.Validate()
		switch {
		case c.want == "" && len(errs) > 0:
			t.Errorf("%s: %v", c.name, errs)
		case c.want != "" && (len(errs) != 1 || !strings.HasPrefix(errs[0].Error(), c.want+": ")):
			t.Errorf("%s: %v, want %s", c.name, errs, c.want)
		}
	}
}

func TestGroupsMeanWhatTheMapSays(t *testing.T) {
	c := Config{Roles: []Mapping{
		{Group: "pusdalops", Role: access.Dispatcher},
		{Group: "kepala", Role: access.Supervisor},
		{Group: "igd", Role: access.Liaison, Agency: "dinkes", Types: []string{"medical"}},
		{Group: "igd", Role: access.Field, Agency: "dinkes"},
		{Group: "shift-a", Role: access.Dispatcher},
	}}
	for _, k := range []struct {
		groups []string
		want   string
	}{
		{nil, ""},
		{[]string{"Pusdalops", "pusdalops ", "admin", ""}, ""},
		{[]string{"pusdalops"}, "dispatcher"},
		{[]string{"kepala", "pusdalops"}, "dispatcher supervisor"},
		{[]string{"shift-a", "pusdalops"}, "dispatcher"},
		{[]string{"igd"}, "liaison@dinkes field@dinkes"},
	} {
		var got []string
		for _, g := range c.Grants(k.groups) {
			s := string(g.Role)
			if g.Agency != "" {
				s += "@" + g.Agency
			}
			got = append(got, s)
		}
		if strings.Join(got, " ") != k.want {
			t.Errorf("%v: %v, want %s", k.groups, got, k.want)
		}
	}
}

func TestSecondFactorsElsewhere(t *testing.T) {
	c := Config{MFAClasses: []string{"gold"}}
	for _, k := range []struct {
		name   string
		claims map[string]any
		want   bool
	}{
		{"nothing", map[string]any{}, false},
		{"a password", map[string]any{"amr": []any{"pwd"}}, false},
		{"a password and a PIN", map[string]any{"amr": []any{"pwd", "pin"}}, false},
		{"a password and a code", map[string]any{"amr": []any{"pwd", "otp"}}, true},
		{"a key and a finger", map[string]any{"amr": []any{"hwk", "fpt"}}, true},
		{"it says so", map[string]any{"amr": []any{"mfa"}}, true},
		{"a text that is no list", map[string]any{"amr": "mfa"}, false},
		{"a class of its own", map[string]any{"acr": "gold"}, true},
		{"another class", map[string]any{"acr": "1"}, false},
		{"a standard class", map[string]any{"acr": "phr"}, true},
	} {
		if got := c.second(k.claims); got != k.want {
			t.Errorf("%s: %v", k.name, got)
		}
	}
}

func TestClaimsAreFound(t *testing.T) {
	claims := map[string]any{"groups": []any{"a", 7.0, "b"}, "realm_access": map[string]any{"roles": []any{"c"}}, "http://x.y/groups": "d"}
	for name, want := range map[string][]string{"groups": {"a", "b"}, "realm_access.roles": {"c"}, "http://x.y/groups": {"d"}, "none": nil, "groups.x": nil, "realm_access.none": nil} {
		if got, err := (Config{GroupsClaim: name}).groups(claims); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v %v", name, got, err)
		}
	}
}
