package runner

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestForeignSettingsReachNoFilesAndPorts(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "secret.csv")
	if err := syscall.Mkfifo(secret, 0o600); err != nil { // whoever opens it waits for ever
		t.Fatal(err)
	}
	for key, change := range map[string]func(*FeedConfig){
		"":                   func(*FeedConfig) {},
		"path":               func(c *FeedConfig) { c.Path = secret },
		"register":           func(c *FeedConfig) { c.Register = secret },
		"listen":             func(c *FeedConfig) { c.Listen = "127.0.0.1:0" },
		"auth.password_file": func(c *FeedConfig) { c.Auth.PasswordFile = secret },
		"auth.bearer_file":   func(c *FeedConfig) { c.Auth.BearerFile = secret },
		"tls.ca_file":        func(c *FeedConfig) { c.TLS.CAFile = secret },
		"tls.key_file":       func(c *FeedConfig) { c.TLS.KeyFile = secret },
		"options.static":     func(c *FeedConfig) { c.Format, c.Options = "gtfsrt", map[string]any{"static": secret} },
		"transport":          func(c *FeedConfig) { c.Transport, c.Path = File, secret },
		"subscribe_file":     func(c *FeedConfig) { c.Transport, c.URL, c.SubscribeFile = WS, "wss://x.example/", secret },
		"hmac.secret_file":   func(c *FeedConfig) { c.HMAC = &HMAC{SecretFile: secret} },
		"url":                func(c *FeedConfig) { c.Transport, c.URL = Poll, "https://me:secret@x.example/" },
	} {
		c := DefaultConfig()
		c.Name, c.Format = "a", "native"
		change(&c)
		validated := make(chan []error, 1)
		go func() { validated <- c.ValidateForeign() }()
		var faults []error
		select {
		case faults = <-validated:
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: the file was looked at", key)
		}
		var keys []string
		for _, err := range faults {
			keys = append(keys, err.(*ConfigError).Key)
		}
		if key == "" && len(faults) > 0 || key != "" && !slices.Contains(keys, key) || key == "hmac.secret_file" && len(faults) > 1 {
			t.Errorf("%s: %v", key, faults)
		}
	}
}

// A format that opens files must be known to do so.
func TestFormatsThatOpenFilesAreKnown(t *testing.T) {
	files, err := filepath.Glob("../formats/*/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal(err, len(files))
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		format := filepath.Base(filepath.Dir(f))
		if !strings.HasSuffix(f, "_test.go") && strings.Contains(string(text), "\n\t\"os\"\n") && fileOptions[format] == nil {
			t.Errorf("%s imports os: its options that name files belong into fileOptions", f)
		}
	}
}

func TestShownSecretsAreKept(t *testing.T) {
	before := FeedConfig{Auth: Auth{Password: "alpha-secret"}, Headers: map[string]Secret{"X-Key": "beta-secret"}}
	next := FeedConfig{Auth: Auth{Password: Shown, Bearer: "new"}, Headers: map[string]Secret{"X-Key": Shown, "X-Other": Shown}}
	faults := next.KeepSecrets(before)
	if len(faults) != 1 || faults[0].(*ConfigError).Key != "headers.X-Other" {
		t.Errorf("%v", faults)
	}
	if next.Auth.Password != "alpha-secret" || next.Auth.Bearer != "new" || next.Headers["X-Key"] != "beta-secret" {
		t.Errorf("%q %q %v", next.Auth.Password.Reveal(), next.Auth.Bearer.Reveal(), slices.Collect(maps.Values(next.Headers)))
	}
	if got := next.Scrub("dial with alpha-secret and beta-secret"); got != "dial with <secret> and <secret>" {
		t.Error(got)
	}
}

func TestShownSecretsGoToNoOtherHost(t *testing.T) {
	before := FeedConfig{URL: "https://agency.example/v1?key=1", Auth: Auth{Bearer: "alpha-secret"}, HMAC: &HMAC{Secret: "gamma-secret"}}
	for address, ok := range map[string]bool{
		"https://agency.example/v2": true, "https://Agency.example/v1": true,
		"https://other.example/v1": false, "http://agency.example/v1": false, "https://agency.example:8443/v1": false, "": false, "https://agency.example.other.example/": false,
	} {
		next := FeedConfig{URL: address, Auth: Auth{Bearer: Shown}, HMAC: &HMAC{Secret: Shown}}
		faults := next.KeepSecrets(before)
		if ok != (len(faults) == 0) || ok != (next.Auth.Bearer == "alpha-secret") || next.HMAC.Secret != "gamma-secret" {
			t.Errorf("%q: %v, %q", address, faults, next.Auth.Bearer.Reveal())
		}
	}
}

func TestPlacesStandInTheSettings(t *testing.T) {
	c := DefaultConfig()
	c.Name, c.Format, c.Places = "a", "native", "thing,lat,lng,name\nLB-1,-0.83,100.63,AWLR\n"
	if faults := c.ValidateForeign(); len(faults) > 0 {
		t.Error(faults)
	}
	known, bad := c.places()
	if e, ok := known.Of("LB-1"); len(bad) > 0 || !ok || e.Position.Lat != -0.83 {
		t.Errorf("%v %+v", bad, e)
	}
	c.Places = "thing,lat\nLB-1,x\n"
	if faults := c.Validate(); len(faults) == 0 || !strings.HasPrefix(faults[0].Error(), "places: ") || !strings.Contains(faults[0].Error(), "line 2") {
		t.Error(faults)
	}
	c.Register = "x.csv"
	if faults := c.Validate(); !slices.ContainsFunc(faults, func(e error) bool { return strings.Contains(e.Error(), "one of them") }) {
		t.Error(faults)
	}
}
