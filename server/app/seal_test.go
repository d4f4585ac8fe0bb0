package app

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/geo/redistest"
)

// everything is all that a store holds, as text: keys and values.
func everything(t *testing.T, rdb redis.UniversalClient) string {
	t.Helper()
	ctx := context.Background()
	var out strings.Builder
	add := func(parts ...string) { out.WriteString(strings.Join(parts, "\n") + "\n") }
	keys, err := rdb.Keys(ctx, "*").Result()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys {
		add(k)
		switch kind := rdb.Type(ctx, k).Val(); kind {
		case "string":
			add(rdb.Get(ctx, k).Val())
		case "hash":
			for f, v := range rdb.HGetAll(ctx, k).Val() {
				add(f, v)
			}
		case "set":
			add(rdb.SMembers(ctx, k).Val()...)
		case "zset":
			add(rdb.ZRange(ctx, k, 0, -1).Val()...)
		case "list":
			add(rdb.LRange(ctx, k, 0, -1).Val()...)
		case "stream":
			for _, m := range rdb.XRange(ctx, k, "-", "+").Val() {
				for f, v := range m.Values {
					s, _ := v.(string)
					add(f, s)
				}
			}
		case "none": // it has ended since, as what lives for seconds does
		default:
			t.Fatalf("%s is a %s", k, kind)
		}
	}
	return out.String()
}

func TestSettingsOfFeedsLieSealed(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	a := beside(t, "a", store, settings)
	const canary = "kanari-sandi-rahasia"
	put := `{"version":0,"config":{"format":"native","transport":"poll","url":"https://agency.example/v1?key=` + canary + `","every":"1h","auth":{"bearer":"` + canary + `"}}}`
	if code, doc := a.ask("PUT", "/api/v1/feeds/agen", put); code >= 300 {
		t.Fatal(code, doc)
	}
	if strings.Contains(everything(t, a.rdb), canary) {
		t.Error("a secret of a feed lies open in the store")
	}
	if c, ok := a.feedSet.config("agen"); !ok || c.Auth.Bearer.Reveal() != canary {
		t.Errorf("the runner has other settings: %v", c.URL)
	}
	// An older server left it open: the next start seals it, and nobody sees a change.
	one, _, err := a.feedOf(t.Context(), "agen")
	if err != nil {
		t.Fatal(err)
	}
	open, _ := json.Marshal(one)
	for _, key := range []string{a.keys.FeedConfig(), a.keys.FeedVersions("agen")} {
		field := map[bool]string{true: "agen", false: "1"}[key == a.keys.FeedConfig()]
		if err := a.rdb.HSet(t.Context(), key, field, open).Err(); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(everything(t, a.rdb), canary) {
		t.Fatal("the test cannot see what lies open")
	}
	b := beside(t, "b", store, settings)
	if strings.Contains(everything(t, b.rdb), canary) {
		t.Error("what an older server left open is not sealed")
	}
	if c, ok := b.feedSet.config("agen"); !ok || c.Auth.Bearer.Reveal() != canary {
		t.Error("the second server does not open it")
	}
}

func TestAnotherSecretKeyFileDoesNotStart(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	a := beside(t, "a", store, settings)
	cfg := a.cfg
	cfg.SecretKeyFile = filepath.Join(t.TempDir(), "other.key")
	cfg.Listen = "127.0.0.1:0"
	_, err := New(t.Context(), cfg, "test", zerolog.Nop(), prometheus.NewRegistry())
	if err == nil || !strings.Contains(err.Error(), a.seal.Mark()) || !strings.Contains(err.Error(), "same file") {
		t.Fatalf("%v", err)
	}
	// A file that holds the old key and a newer one before it takes over.
	if err := a.seal.Add(true); err != nil {
		t.Fatal(err)
	}
	if err := a.markSeal(context.WithoutCancel(t.Context())); err != nil {
		t.Fatal(err)
	}
	if err := a.sealAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := a.rdb.Get(t.Context(), a.keys.Seal()).Val(); got != a.seal.Mark() {
		t.Errorf("marked %s, seals with %s", got, a.seal.Mark())
	}
}

// A new key takes over everything, wherever it lies; then the old one goes, and all of it still opens.
func TestANewKeySealsEverythingAgain(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", reported, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	put := `{"version":0,"config":{"format":"native","transport":"poll","url":"https://agency.example/v1","every":"1h","auth":{"bearer":"sandi-lama"}}}`
	if code, doc := r.ask("PUT", "/api/v1/feeds/agen", put); code >= 300 {
		t.Fatal(code, doc)
	}
	code, doc := r.ask("POST", "/api/v1/reports", `{"channel":"call","text":"banjir","reporter":{"name":"Kanariwati","phone":"0812 7777 1234"}}`)
	if code != 201 {
		t.Fatal(code, doc)
	}
	old := r.seal.Mark()
	if err := r.seal.Add(true); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(everything(t, r.rdb), "kts1."+old+".") {
		t.Fatal("nothing is sealed with the old key: the test sees nothing")
	}
	// A sweep that is cut short goes on: what it did is done.
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.sealAgain(ctx); err == nil {
		t.Error("a sweep that was cut short says that it is whole")
	}
	if err := r.sealAgain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(everything(t, r.rdb), "kts1."+old+".") {
		t.Error("something is still sealed with the old key")
	}
	if err := r.seal.Retire(); err != nil {
		t.Fatal(err)
	}
	if _, masked := r.ask("GET", "/api/v1/reports/"+doc["id"].(string)+"/reporter", ""); masked["name"] != "Ka**" {
		t.Errorf("%v", masked)
	}
	if one, ok, err := r.feedOf(t.Context(), "agen"); err != nil || !ok || !strings.Contains(string(one.Config), "sandi-lama") {
		t.Errorf("%v %v", ok, err)
	}
}
