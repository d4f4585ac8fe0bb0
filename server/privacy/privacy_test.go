package privacy

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/geo/redistest"
	"kentongan/server/seal"
)

var jakarta = time.FixedZone("WIB", 7*3600)

// house is all that the tests need, with a clock that is passed.
type house struct {
	t         *testing.T
	rdb       redis.UniversalClient
	keys      keyspace.Keys
	now       time.Time
	ring      *seal.Ring
	cases     *store.Store
	reporters *Reporters
	retention *Retention
}

func newHouse(t *testing.T) *house {
	t.Helper()
	h := &house{t: t, rdb: redistest.Start(t), keys: redistest.Keys(t), now: time.Date(2026, 11, 27, 3, 0, 0, 0, time.UTC)}
	var err error
	if h.ring, err = seal.Open(filepath.Join(t.TempDir(), "secret.key")); err != nil {
		t.Fatal(err)
	}
	clock := func() time.Time { return h.now }
	h.cases = store.New(h.rdb, h.keys, store.Options{Now: clock, Log: zerolog.Nop(), Place: alerts.Place{Sender: "kentongan:test"}})
	h.reporters = NewReporters(h.rdb, h.keys, h.ring, jakarta, clock)
	h.retention = NewRetention(h.rdb, h.keys, h.reporters, nil, clock, zerolog.Nop(), nil)
	return h
}

// dump is all that the store holds under our prefix, by key.
func (h *house) dump() map[string]string {
	h.t.Helper()
	out := map[string]string{}
	iter := h.rdb.Scan(h.t.Context(), 0, h.keys.Prefix+":*", 1000).Iterator()
	for iter.Next(h.t.Context()) {
		k := iter.Val()
		b, err := h.rdb.Dump(h.t.Context(), k).Result()
		if err != nil {
			h.t.Fatal(err)
		}
		out[k] = b + h.text(k)
	}
	return out
}

// text is what a key holds, readable (a dump packs long texts).
func (h *house) text(k string) string {
	ctx, parts := h.t.Context(), []string{k}
	switch h.rdb.Type(ctx, k).Val() {
	case "string":
		parts = append(parts, h.rdb.Get(ctx, k).Val())
	case "hash":
		for f, v := range h.rdb.HGetAll(ctx, k).Val() {
			parts = append(parts, f, v)
		}
	case "set":
		parts = append(parts, h.rdb.SMembers(ctx, k).Val()...)
	case "zset":
		parts = append(parts, h.rdb.ZRange(ctx, k, 0, -1).Val()...)
	case "list":
		parts = append(parts, h.rdb.LRange(ctx, k, 0, -1).Val()...)
	case "stream":
		for _, m := range h.rdb.XRange(ctx, k, "-", "+").Val() {
			parts = append(parts, fmt.Sprint(m.Values))
		}
	}
	return strings.Join(parts, "\n")
}

// holds lists the keys in which one of the words stands.
func (h *house) holds(words ...string) []string {
	var out []string
	for k, v := range h.dump() {
		for _, w := range words {
			if strings.Contains(strings.ToLower(v), strings.ToLower(w)) {
				out = append(out, w+" in "+k)
			}
		}
	}
	return out
}

func (h *house) report(id, text string, who feeds.Reporter) string {
	h.t.Helper()
	if _, err := h.cases.PutReports(h.t.Context(), []feeds.Report{{ID: id, Text: text, Channel: "app", Address: "Jl. Kenari 7"}}, feeds.Meta{Feed: "lapor", ReceivedAt: h.now}); err != nil {
		h.t.Fatal(err)
	}
	name := "lapor:" + id
	if err := h.reporters.Put(h.t.Context(), Of{name, who}); err != nil {
		h.t.Fatal(err)
	}
	return name
}

var budi = feeds.Reporter{Name: "Budi Santoso", Phone: "0812-3456-7789", Email: "budi.kenari@example.org", Address: "Jl. Melati 3", Device: "dev-kanari-9", Note: "telepon malam"}

func TestAReporterLiesApartAndSealed(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.report("1", "banjir", budi)
	if found := h.holds("budi", "santoso", "3456", "kenari@", "melati", "dev-kanari", "malam"); len(found) > 0 {
		t.Fatalf("in the open: %v", found)
	}
	m, err := h.reporters.Masked(t.Context(), id)
	if err != nil || m.Name != "Bu** S****" || m.Phone != "+62 812-••••-••89" || m.Email != "b••••@••••.org" || !m.Address || !m.Note || m.CallToday != 1 || len(m.Revealed) != 0 {
		t.Fatalf("%+v %v", m, err)
	}
	kept := false
	who, err := h.reporters.Reveal(t.Context(), id, Revealed{By: "user:a", Name: "Anna", At: moment.Of(h.now)}, func() error { kept = true; return nil })
	if err != nil || !kept || who != (Whole{"Budi Santoso", "+6281234567789", "budi.kenari@example.org", "Jl. Melati 3", "dev-kanari-9", "telepon malam"}) {
		t.Fatalf("%+v %v", who, err)
	}
	if m, _ = h.reporters.Masked(t.Context(), id); len(m.Revealed) != 1 || m.Revealed[0].By != "user:a" {
		t.Errorf("who has seen it: %+v", m.Revealed)
	}
	// No record, no answer.
	broken := errors.New("the log takes nothing")
	if who, err := h.reporters.Reveal(t.Context(), id, Revealed{}, func() error { return broken }); !errors.Is(err, broken) || who != (Whole{}) {
		t.Errorf("%+v %v", who, err)
	}
	if _, err := h.reporters.Masked(t.Context(), "lapor:2"); !errors.Is(err, ErrNoReporter) {
		t.Errorf("%v", err)
	}
	// Sealed text that is laid under another report does not open.
	h.report("9", "macet", feeds.Reporter{Name: "Siti"})
	closed := h.rdb.HGet(t.Context(), h.keys.Reporter(id), "closed").Val()
	key := h.rdb.HGet(t.Context(), h.keys.ReporterKey(), id).Val()
	h.rdb.HSet(t.Context(), h.keys.Reporter("lapor:9"), "closed", closed)
	h.rdb.HSet(t.Context(), h.keys.ReporterKey(), "lapor:9", key)
	if _, err := h.reporters.Masked(t.Context(), "lapor:9"); !errors.Is(err, seal.ErrBroken) {
		t.Errorf("%v", err)
	}
}

func TestCallsOfOnePersonAreKnown(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.now = time.Date(2026, 11, 26, 16, 59, 0, 0, time.UTC) // 23:59 in Solok
	h.report("0", "kemarin", feeds.Reporter{Phone: "081234567789"})
	var last Masked
	for i, phone := range []string{"0812-3456-7789", "+62 812 3456 7789", "62 (0)812.3456.7789", "0811111111"} {
		h.now = time.Date(2026, 11, 26, 17, i, 0, 0, time.UTC)
		id := h.report(fmt.Sprint(i+1), "x", feeds.Reporter{Phone: phone})
		m, err := h.reporters.Masked(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		if want := i + 1; i < 3 && (m.CallToday != want || m.PersonRef == "") || i == 3 && m.CallToday != 1 {
			t.Errorf("%s: %+v", phone, m)
		}
		if i == 3 && m.PersonRef == last.PersonRef {
			t.Error("two numbers are one person")
		}
		last = m
	}
	if m, _ := h.reporters.Masked(t.Context(), "lapor:1"); m.CallToday != 1 || m.CallsToday != 3 {
		t.Errorf("%+v", m)
	}
}

func TestNumbersAreNormal(t *testing.T) {
	for given, want := range map[string]string{"0812-3456-7890": "+6281234567890", "+62 812 3456 7890": "+6281234567890", "62812 3456 7890": "+6281234567890", "812 3456 7890": "+6281234567890",
		"+62 (0)812-3456-7890": "+6281234567890", "0062 812 3456 7890": "+6281234567890", "(0755) 20122": "+6275520122", "+1 415 555 0100": "+14155550100", "": "", "tidak tahu": "", "112": "",
		"20122": "", "+62": "", "0812 3456 7890 ext 4": "", "+0812345678": "", "12345678901234567890": ""} {
		if got := Normal(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	for given, want := range map[string]string{"Budi Santoso": "Bu** S****", "Siti": "Si**", "Ani": "A**", "": "", "Andi  Muhammad Yusuf bin Ali": "An** M**** Y****", "Ö": "Ö**", "081234": "**"} {
		if got := maskName(given); got != want {
			t.Errorf("%q: %q, want %q", given, got, want)
		}
	}
	for _, given := range []string{"0755 201", "123", "+1 415 555 0100", "apa saja"} {
		if m := maskPhone(given); strings.Contains(m, "201") || strings.Contains(m, "0755") || strings.Contains(m, "415") || strings.Contains(m, "apa") || strings.Contains(m, "123") {
			t.Errorf("%q: %q", given, m)
		}
	}
}

func TestRevealsAreCounted(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range revealsAnHour + 1 {
		ok, err := h.reporters.Allow(t.Context(), "user:a")
		if err != nil || ok != (i < revealsAnHour) {
			t.Fatalf("reveal %d: %v %v", i+1, ok, err)
		}
	}
	if ok, _ := h.reporters.Allow(t.Context(), "user:b"); !ok {
		t.Error("counted for somebody else")
	}
	if ttl := h.rdb.TTL(t.Context(), h.keys.Reveal("user:a")).Val(); ttl <= 0 || ttl > time.Hour {
		t.Errorf("counted for %v", ttl)
	}
}

func TestWhoIsErasedDoesNotComeBack(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	id := h.report("1", "banjir di rumah Budi", budi)
	if had, err := h.reporters.Forget(t.Context(), id, "erased"); err != nil || !had {
		t.Fatal(had, err)
	}
	if _, err := h.cases.EraseReport(t.Context(), id, audit.Actor{Subject: "user:a"}); err != nil {
		t.Fatal(err)
	}
	h.now = h.now.Add(time.Minute)
	h.report("1", "banjir di rumah Budi", budi) // the feed says it again
	m, err := h.reporters.Masked(t.Context(), id)
	if err != nil || m.Gone != "erased" || m.Name != "" || m.Phone != "" {
		t.Errorf("%+v %v", m, err)
	}
	if _, err := h.reporters.Reveal(t.Context(), id, Revealed{}, func() error { return nil }); !errors.Is(err, ErrGone) {
		t.Errorf("%v", err)
	}
	one, err := h.cases.Report(t.Context(), id)
	if err != nil || !one.Erased || strings.Contains(fmt.Sprint(one), "Budi") || one.Address != "" {
		t.Errorf("%+v %v", one, err)
	}
	if found := h.holds("budi", "kenari"); len(found) > 0 {
		t.Errorf("%v", found)
	}
	list, _ := h.rdb.HKeys(t.Context(), h.keys.ReporterKey()).Result()
	if len(list) != 0 {
		t.Errorf("data keys are left: %v", list)
	}
}

func TestRetentionIsChangedWithinBounds(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, c := range []Change{{"reporters", 0}, {"reporters", -1}, {"alerts", 1}, {"audit", 5}, {"readings", 5}, {"sessions", 5}, {"x", 5}, {"words", 30}} {
		if err := h.retention.Apply(t.Context(), c, []string{"user:a"}); err == nil {
			t.Errorf("%+v", c)
		}
	}
	if err := h.retention.Apply(t.Context(), Change{"alerts", 30}, []string{"user:a", "user:b"}); err != nil {
		t.Fatal(err)
	}
	one, err := h.retention.Rule(t.Context(), "alerts")
	if err != nil || one.keep != 30*day || one.From != "changed" || len(one.ChangedBy) != 2 {
		t.Errorf("%+v %v", one, err)
	}
	b, err := json.Marshal(one)
	if err != nil || !strings.Contains(string(b), `"keep_days":30`) {
		t.Errorf("%s %v", b, err)
	}
}
