package cameras

import (
	"fmt"
	"slices"
	"testing"

	"kentongan/feeds/runner"
	"kentongan/server/access"
)

func TestFaultsNameTheirPlace(t *testing.T) {
	good := Config{ID: "pasar", Name: "Pasar", Lng: 100.6, Lat: -0.8, Still: "http://10.0.0.1/a.jpg"}
	for want, change := range map[string]func(*Config){
		"[0].id":                 func(c *Config) { c.ID = "Pasar Raya" },
		"[0].name":               func(c *Config) { c.Name = "" },
		"[0].lat":                func(c *Config) { c.Lat = 91 },
		"[0].still":              func(c *Config) { c.Still = "rtsp://10.0.0.1/" },
		"[0].hls":                func(c *Config) { c.HLS = "http://kota:rahasia@10.0.0.1/" },
		"[0].every":              func(c *Config) { c.Every = 1 },
		"[0].hosts[0]":           func(c *Config) { c.Hosts = []string{"http://a/"} },
		"[0].roles":              func(c *Config) { c.Roles = []access.Role{"supervisor"} },
		"[0].restricted":         func(c *Config) { c.Restricted = true },
		"[0].auth.user":          func(c *Config) { c.Auth.Password = "x" },
		"[0].auth.password_file": func(c *Config) { c.Auth.User, c.Auth.PasswordFile = "a", "/nowhere/at/all" },
		"[0].tls.ca_file":        func(c *Config) { c.TLS.CAFile = "/nowhere/at/all" },
	} {
		c := good
		change(&c)
		var keys []string
		for _, err := range Validate([]Config{c}) {
			keys = append(keys, err.(*runner.ConfigError).Key)
		}
		if !slices.Contains(keys, want) {
			t.Errorf("want a fault at %s, got %v", want, keys)
		}
	}
	if faults := Validate([]Config{good, good}); len(faults) != 1 {
		t.Errorf("two of one id: %v", faults)
	}
	if text := fmt.Sprintf("%v %+v %#v", good, good, good); text == "" || slices.Contains([]byte(text), '/') {
		t.Errorf("an address is printed: %s", text)
	}
}

// A restricted camera is seen by its agency and the named roles, and on no wall.
func TestWhoSeesARestrictedCamera(t *testing.T) {
	open, closed := Camera{ID: "a", Agency: "dishub"}, Camera{ID: "b", Agency: "polres", Restricted: true, Roles: []access.Role{access.Supervisor}}
	for name, c := range map[string]struct {
		grant        access.Grant
		open, closed bool
	}{
		"dispatcher":                   {access.Grant{Role: access.Dispatcher}, true, false},
		"supervisor":                   {access.Grant{Role: access.Supervisor}, true, true},
		"liaison of its agency":        {access.Grant{Role: access.Liaison, Agency: "polres"}, true, true},
		"liaison of another":           {access.Grant{Role: access.Liaison, Agency: "bpbd"}, true, false},
		"a wall":                       {access.Grant{Role: access.Wall}, true, false},
		"a wall of its agency":         {access.Grant{Role: access.Wall, Agency: "polres"}, true, false},
		"a crew":                       {access.Grant{Role: access.Field, Agency: "polres"}, false, false},
		"admin":                        {access.Grant{Role: access.Admin}, false, false},
		"auditor":                      {access.Grant{Role: access.Auditor}, false, false},
		"operator of part of the city": {access.Grant{Role: access.Operator, Areas: []string{"Kubung"}}, true, false},
	} {
		who := access.Subject{ID: "x", Grants: []access.Grant{c.grant}}
		for camera, want := range map[*Camera]bool{&open: c.open, &closed: c.closed} {
			if got := access.Can(who, access.ViewCameras, camera.Object(), newClock().now()).Allowed(); got != want {
				t.Errorf("%s, camera %s: %v", name, camera.ID, got)
			}
		}
	}
	key := access.Subject{ID: "key:x", Actions: []access.Action{access.ViewCameras}}
	if access.Can(key, access.ViewCameras, closed.Object(), newClock().now()).Allowed() {
		t.Error("a key sees a restricted camera")
	}
}
