package config

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	feedformats "kentongan/feeds/formats"
	"kentongan/feeds/runner"
	"kentongan/server/strict"
)

var update = flag.Bool("update", false, "rewrite the goldens; read the diff")

var formats = []string{"native", "cap", "bmkg", "usgs", "json", "csv"}

// Each file's name is the reason of the case; beside it stands what a person is told.
func TestFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d cases, %v", len(files), err)
	}
	if err := os.Chmod("testdata/good.yaml", 0o644); err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			_, faults := Load(Source{File: file, Formats: formats})
			got := ""
			if len(faults) > 0 {
				// The list of formats grows, and is not what the cases are about.
				got = strings.ReplaceAll(faults.Error(), strings.Join(feedformats.Names(), ", "), "(the formats)") + "\n"
			}
			golden := strings.TrimSuffix(file, ".yaml") + ".want"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestGoodFileIsRead(t *testing.T) {
	cfg, faults := Load(Source{File: "testdata/good.yaml", Formats: formats})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if cfg.Listen != "127.0.0.1:0" || cfg.Retention.Readings != 24*time.Hour || cfg.Limits.Body != 1<<20 || cfg.Limits.Inflated != 4<<20 {
		t.Errorf("%+v", cfg)
	}
	if len(cfg.Feeds) != 2 || cfg.Feeds[0].Every != time.Minute || cfg.Feeds[0].Timeout == 0 || cfg.Feeds[1].Kind != "river_gauge" {
		t.Errorf("feeds %+v", cfg.Feeds)
	}
	r := cfg.Rules[0]
	if r.ID != "muka-air" || r.Samples != 1 || r.Incident == nil || r.Incident.MergeWindow != 30*time.Minute || r.Incident.MergeRadiusM != 1500 {
		t.Errorf("rule %+v", r)
	}
}

func TestFlagsOverEnvironmentOverFileOverDefaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "k.yaml")
	if err := os.WriteFile(file, []byte("listen: 127.0.0.1:1\nlog_level: warn\nlimits: {body: 1 MiB}\nprofile: 12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"KENTONGAN_CONFIG=" + file, "KENTONGAN_LISTEN=127.0.0.1:2", "KENTONGAN_LOG_LEVEL=debug", "KENTONGAN_LIMITS_BODY=2 MiB",
		"KENTONGAN_TRUSTED_PROXIES=10.0.0.1, 192.168.0.0/16", "KENTONGAN_PROFILE=solok", "OTHER=x", "KENTONGAN_URL=http://x"}
	cfg, faults := Load(Source{Env: env, Flags: map[string]string{"listen": "127.0.0.1:3"}})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	if cfg.Listen != "127.0.0.1:3" || cfg.LogLevel != "debug" || cfg.Limits.Body != 2<<20 || cfg.Profile != "solok" || cfg.DataDir != "./data" {
		t.Errorf("%+v", cfg)
	}
	if a := cfg.Auth(); len(a.TrustedProxies) != 2 || a.TrustedProxies[0].String() != "10.0.0.1/32" {
		t.Errorf("proxies %v", a.TrustedProxies)
	}
}

func TestFaultsOutsideTheFileNameTheirSource(t *testing.T) {
	_, faults := Load(Source{Env: []string{"KENTONGAN_LISTEN=nowhere", "KENTONGAN_INSECURE=maybe", "KENTONGAN_ADMIN_TOKN=x"}, Flags: map[string]string{"profile": "solokk"}})
	text := faults.Error()
	for _, want := range []string{"KENTONGAN_LISTEN: ", "KENTONGAN_INSECURE: want true or false", "KENTONGAN_ADMIN_TOKN: unknown setting; did you mean KENTONGAN_ADMIN_TOKEN?", "--profile: "} {
		if !strings.Contains(text, want) {
			t.Errorf("missing %q in\n%s", want, text)
		}
	}
	if len(faults) != 4 {
		t.Errorf("%d faults:\n%s", len(faults), text)
	}
}

func TestAdminTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(path, []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, faults := Load(Source{Env: []string{"KENTONGAN_ADMIN_TOKEN_FILE=" + path}})
	if len(faults) > 0 || cfg.Auth().AdminToken != "0123456789abcdef0123456789abcdef" {
		t.Errorf("%v, token of %d", faults, len(cfg.Auth().AdminToken))
	}
}

// Every key that names a file is known: either it holds a secret, and nobody else may read it, or it is said here that it holds none.
func TestEverySecretFileIsForItsOwner(t *testing.T) {
	open := []string{"tls.ca_file", "tls.cert_file"}
	known := secretFiles(runner.FeedConfig{HMAC: &runner.HMAC{}})
	var found int
	var walk func(path string, of reflect.Type)
	walk = func(path string, of reflect.Type) {
		if of.Kind() == reflect.Pointer {
			of = of.Elem()
		}
		if of.Kind() != reflect.Struct {
			return
		}
		for _, f := range reflect.VisibleFields(of) {
			key, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if key == "" {
				continue
			}
			at := strings.TrimPrefix(path+"."+key, ".")
			walk(at, f.Type)
			if _, secret := known[at]; strings.HasSuffix(key, "_file") && !secret && !slices.Contains(open, at) {
				t.Errorf("feeds: nobody looks at who can read %s", at)
			} else if secret {
				found++
			}
		}
	}
	walk("", reflect.TypeFor[runner.FeedConfig]())
	if found != len(known) {
		t.Errorf("%d keys of %d exist", found, len(known))
	}
}

// A token that somebody could guess does not start the house.
func TestAdminTokenIsLong(t *testing.T) {
	for token, bad := range map[string]bool{strings.Repeat("ab", 15) + "c": true, strings.Repeat("ab", 16): false, strings.Repeat("a", 40): true, "": false} {
		if _, faults := Load(Source{Env: []string{"KENTONGAN_ADMIN_TOKEN=" + token}}); (len(faults) > 0) != bad {
			t.Errorf("a token of %d bytes: %v", len(token), faults)
		}
	}
}

// The door for profiles and memory is for this machine alone.
func TestDebugListensOnLoopbackOnly(t *testing.T) {
	for addr, bad := range map[string]bool{"0.0.0.0:6060": true, ":6060": true, "192.0.2.1:6060": true, "[::]:6060": true, "ops.example:6060": true, "127.0.0.1:6060": false, "[::1]:6060": false, "localhost:6060": false} {
		if _, faults := Load(Source{Env: []string{"KENTONGAN_DEBUG_LISTEN=" + addr}}); (len(faults) > 0) != bad {
			t.Errorf("%s: %v", addr, faults)
		}
	}
}

func TestSecretsAreNeverPrinted(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	cfg, _ := Load(Source{Env: []string{"KENTONGAN_ADMIN_TOKEN=" + secret, "KENTONGAN_REDIS_URL=redis://:" + secret + "@h:1/x"}})
	doc, err := json.Marshal(cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, faults := Load(Source{Env: []string{"KENTONGAN_REDIS_URL=redis://:" + secret + "@h:1/x/y"}})
	for _, printed := range []string{fmt.Sprintf("%v", cfg), fmt.Sprintf("%+v", cfg), fmt.Sprintf("%#v", cfg), string(doc), faults.Error()} {
		if strings.Contains(printed, secret) {
			t.Errorf("shows the secret: %s", printed)
		}
	}
	if !strings.Contains(fmt.Sprint(cfg), runner.Shown) {
		t.Error("a secret that is there should be seen to be there")
	}
}

func TestSampleIsTheDefault(t *testing.T) {
	sample := Sample()
	file := filepath.Join(t.TempDir(), "s.yaml")
	load := func(text string) Config {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, faults := Load(Source{File: file, Formats: feedformats.Names()})
		if len(faults) > 0 {
			t.Fatalf("%v\n%s", faults, text)
		}
		return cfg
	}
	load(sample)
	var bare []string
	for line := range strings.Lines(sample) {
		if strings.HasPrefix(strings.TrimSpace(line), "##") || strings.HasPrefix(line, "# Kentongan") {
			continue
		}
		bare = append(bare, strings.TrimPrefix(line, "# "))
	}
	text := strings.Join(bare, "")
	text = text[strings.Index(text, "listen:"):]
	cfg := load(text)
	if want := strings.Count(sample, "\n#   - {name: "); len(cfg.Feeds) != want || want < 4 || len(cfg.Rules) != 1 || len(cfg.Cameras) != 2 {
		t.Errorf("%d feeds, %d rules, %d cameras", len(cfg.Feeds), len(cfg.Rules), len(cfg.Cameras))
	}
	cfg.Feeds, cfg.Rules, cfg.Cameras, cfg.TrustedProxies = nil, nil, nil, nil
	if got, want := fmt.Sprintf("%+v", cfg), fmt.Sprintf("%+v", Default()); got != want {
		t.Errorf("uncommented:\n%s\ndefault:\n%s", got, want)
	}
}

func TestCommittedSampleIsGenerated(t *testing.T) {
	got, err := os.ReadFile("../../deploy/kentongan.sample.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != Sample() {
		t.Error("deploy/kentongan.sample.yaml is not what the types say; run make generate")
	}
}

func TestCommittedConfigurationsAreSound(t *testing.T) {
	for _, file := range []string{"../../deploy/demo.yaml", "../../deploy/e2e.yaml", "../../deploy/kentongan.sample.yaml"} {
		if _, faults := Load(Source{File: file, Formats: feedformats.Names()}); len(faults) > 0 {
			t.Errorf("%v", faults)
		}
	}
}

func FuzzLoad(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		cfg := Default()
		strict.New("f").Read(text, &cfg)
	})
}
