package config

import (
	"fmt"
	"slices"
	"strings"

	"kentongan/server/profile"
)

// oidc checks where people sign in elsewhere, and that what its groups mean exists here.
func (c *checker) oidc(cfg *Config) {
	for _, err := range cfg.OIDC.Validate() {
		key, text, _ := strings.Cut(err.Error(), ": ")
		c.bad("oidc."+key, "%s", text)
	}
	if file := cfg.OIDC.ClientSecretFile; file != "" && cfg.OIDC.On() {
		if err := private(file); err != nil {
			c.bad("oidc.client_secret_file", "%v", err)
		}
	}
	p, err := profile.Load(cfg.Profile)
	if err != nil || len(p.Agencies) == 0 { // said already, or everything goes
		return
	}
	for i, m := range cfg.OIDC.Roles {
		at := fmt.Sprintf("oidc.roles[%d]", i)
		if m.Agency != "" && !slices.ContainsFunc(p.Agencies, func(a profile.Agency) bool { return a.Slug == m.Agency }) {
			c.bad(at+".agency", "%q is no agency of the profile", m.Agency)
		}
	}
}
