package runner

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

func TestHMACNamesEveryFault(t *testing.T) {
	dir := t.TempDir()
	short, long := filepath.Join(dir, "short"), filepath.Join(dir, "long")
	for file, text := range map[string]string{short: "short\n", long: "0123456789abcdef\n"} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const secret = Secret("0123456789abcdef")
	none, odd := "", "a\nb"
	for _, c := range []struct {
		name string
		hmac HMAC
		keys []string
	}{
		{"least", HMAC{Secret: secret}, nil},
		{"file", HMAC{SecretFile: long, Prefix: &none, TimestampHeader: "X-Time", MaxAge: time.Minute, Algorithm: "sha1", Encoding: "base64", Header: "X-Sign"}, nil},
		{"no secret", HMAC{}, []string{"hmac.secret"}},
		{"two secrets", HMAC{Secret: secret, SecretFile: long}, []string{"hmac.secret_file"}},
		{"short", HMAC{Secret: "short"}, []string{"hmac.secret"}},
		{"short file", HMAC{SecretFile: short}, []string{"hmac.secret_file"}},
		{"no file", HMAC{SecretFile: filepath.Join(dir, "none")}, []string{"hmac.secret_file"}},
		{"all", HMAC{Secret: secret, Header: "Authorization", Algorithm: "md5", Encoding: "base32", Prefix: &odd, TimestampHeader: "a b", MaxAge: time.Millisecond},
			[]string{"hmac.algorithm", "hmac.encoding", "hmac.header", "hmac.max_age", "hmac.prefix", "hmac.timestamp_header"}},
		{"age of nothing", HMAC{Secret: secret, MaxAge: time.Minute}, []string{"hmac.max_age"}},
		{"one header for two", HMAC{Secret: secret, Header: "X-Sign", TimestampHeader: "x-sign"}, []string{"hmac.timestamp_header"}},
		{"for years", HMAC{Secret: secret, TimestampHeader: "X-Time", MaxAge: 48 * time.Hour}, []string{"hmac.max_age"}},
	} {
		cfg := DefaultConfig()
		cfg.Name, cfg.Format, cfg.HMAC = "hook", "native", &c.hmac
		var keys []string
		for _, err := range cfg.Validate() {
			var f *ConfigError
			if !errors.As(err, &f) {
				t.Fatal(err)
			}
			keys = append(keys, f.Key)
		}
		slices.Sort(keys)
		if !slices.Equal(keys, c.keys) {
			t.Errorf("%s: %v, want %v", c.name, keys, c.keys)
		}
	}
	cfg := DefaultConfig()
	cfg.Name, cfg.Format, cfg.Transport, cfg.URL, cfg.HMAC = "hook", "native", Poll, "https://agency.example/", &HMAC{Secret: secret}
	if faults := cfg.Validate(); len(faults) != 1 || faults[0].(*ConfigError).Key != "hmac" {
		t.Errorf("a polled feed: %v", faults)
	}
}

func TestDoorsFollowSettingsAndFormat(t *testing.T) {
	plain, hook, phones := DefaultConfig(), DefaultConfig(), DefaultConfig()
	plain.Name, plain.Format = "plain", "native"
	hook.Name, hook.Format, hook.HMAC = "hook", "native", &HMAC{Secret: "0123456789abcdef"}
	phones.Name, phones.Format = "phones", "owntracks"
	r, err := New([]FeedConfig{plain, hook, phones}, nil, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d := r.Door("plain"); d.Signed != nil || d.Reply != nil || d.Headed != nil {
		t.Errorf("%+v", d)
	}
	if d := r.Door("nowhere"); d.Signed != nil || d.Reply != nil || d.Headed != nil {
		t.Errorf("%+v", d)
	}
	s := r.Door("hook").Signed
	if s == nil || s.Header != "X-Hub-Signature-256" || s.Prefix != "sha256=" || s.Encoding != "hex" || s.MaxAge != 5*time.Minute {
		t.Fatalf("%+v", s)
	}
	if secret, err := s.Secret(); err != nil || secret != "0123456789abcdef" {
		t.Error(secret, err)
	}
	d := r.Door("phones")
	if d.Reply == nil || d.Headed == nil {
		t.Fatalf("%+v", d)
	}
	if reply := *d.Reply; reply.Status != 200 || string(reply.Body) != "[]" {
		t.Errorf("%+v", reply)
	}
}
