package auth

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kentongan/geo/moment"
	"kentongan/server/access"
)

func TestBoundsOfKeysAreChecked(t *testing.T) {
	now := time.Date(2026, 11, 27, 7, 0, 0, 0, time.UTC)
	good := Key{Name: "n", Feed: "awlr", Scope: ScopeIngest}
	for name, c := range map[string]struct {
		change func(*Key)
		field  string // at fault; empty: none
	}{
		"as it is":                  {func(*Key) {}, ""},
		"an agency in a feed's":     {func(k *Key) { k.Feed, k.Agency = "", "bpbd" }, ""},
		"neither":                   {func(k *Key) { k.Feed = "" }, "feed"},
		"no slug":                   {func(k *Key) { k.Agency = "BPBD Solok" }, "agency"},
		"an agency that only reads": {func(k *Key) { k.Feed, k.Agency, k.Scope = "", "bpbd", ScopeRead }, "agency"},
		"a rate that only reads":    {func(k *Key) { k.Feed, k.Rate, k.Scope = "", 1, ScopeRead }, "rate"},
		"less than nothing":         {func(k *Key) { k.Rate = -1 }, "rate"},
		"more than anybody":         {func(k *Key) { k.Rate = keyRate + 1 }, "rate"},
		"ended":                     {func(k *Key) { k.ExpiresAt = moment.Of(now) }, "expires_at"},
		"far":                       {func(k *Key) { k.ExpiresAt = moment.Of(now.Add(keyLongest + time.Hour)) }, "expires_at"},
		"soon":                      {func(k *Key) { k.ExpiresAt = moment.Of(now.Add(time.Second)) }, ""},
		"no range":                  {func(k *Key) { k.Ranges = []string{"kantor"} }, "ranges"},
		"a zone":                    {func(k *Key) { k.Ranges = []string{"fe80::1%eth0"} }, "ranges"},
		"a range of both kinds":     {func(k *Key) { k.Ranges = []string{"::ffff:0:0/90"} }, "ranges"},
		"too many":                  {func(k *Key) { k.Ranges = slices.Repeat([]string{"192.0.2.1"}, keyRanges+1) }, "ranges"},
		"ranges":                    {func(k *Key) { k.Ranges = []string{"192.0.2.7/24", "fd00::/8", "192.0.2.9", "::ffff:10.0.0.0/104"} }, ""},
	} {
		k := good
		c.change(&k)
		err := k.check(now)
		var f *KeyFault
		if c.field == "" && err != nil || c.field != "" && (!errors.As(err, &f) || f.Field != c.field) {
			t.Errorf("%s: %v, want a fault of %q", name, err, c.field)
		}
		if name == "ranges" && !slices.Equal(k.Ranges, []string{"192.0.2.0/24", "fd00::/8", "192.0.2.9/32", "10.0.0.0/8"}) {
			t.Errorf("kept as %v", k.Ranges)
		}
	}
}

// make makes a key with bounds.
func (a *Auth) make(t *testing.T, k Key) (Key, string) {
	t.Helper()
	k, token, err := a.MakeKey(t.Context(), k, Act{Actor: Admin()})
	if err != nil {
		t.Fatal(err)
	}
	return k, token
}

func TestAKeyIsShownOnlyFromItsRanges(t *testing.T) {
	a, b, _, l := pair(t)
	k, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest, Ranges: []string{"192.0.2.0/24", "2001:db8::/32"}})
	for from, want := range map[string]error{"192.0.2.7": nil, "2001:db8::1": nil, "::ffff:192.0.2.9": nil, "192.0.3.7": ErrDenied, "2001:db9::1": ErrDenied, "unknown": ErrDenied, "": ErrDenied} {
		if _, err := b.FeedKey(t.Context(), "awlr", token, from); !errors.Is(err, want) {
			t.Errorf("from %q: %v", from, err)
		}
	}
	i := slices.IndexFunc(l.acts, func(x Act) bool { return x.From == "192.0.3.7" && x.Action == "right.denied" })
	if i < 0 || l.acts[i].Actor.Subject != "key:"+k.ID || !strings.Contains(l.acts[i].Reason, "outside its ranges") {
		t.Errorf("audit: %+v", l.acts)
	}
	// HTTP: the address is that of the client, as proxies that are trusted say it.
	if _, err := a.IdentifySender(request("X-Api-Key", token)); err != nil { // 192.0.2.7
		t.Error(err)
	}
	r := request("X-Api-Key", token, "X-Forwarded-For", "192.0.2.7")
	r.RemoteAddr = "198.51.100.1:5000"
	if _, err := a.IdentifySender(r); !errors.Is(err, ErrDenied) {
		t.Errorf("whoever says that he comes from elsewhere: %v", err)
	}
}

func TestAKeyOfAnAgencyFeedsItsFeeds(t *testing.T) {
	a, _, _, _ := pair(t)
	a.Owners(func(feed string) string {
		return map[string]string{"awlr": "bpbd", "siren": "bpbd", "cctv": "dishub"}[feed]
	})
	_, any := a.make(t, Key{Name: "n", Agency: "bpbd", Scope: ScopeIngest})
	_, one := a.make(t, Key{Name: "n", Feed: "awlr", Agency: "bpbd", Scope: ScopeIngest})
	_, auto := a.make(t, Key{Name: "n", Agency: "bpbd", Scope: ScopeAutomation})
	for name, c := range map[string]struct {
		token string
		feeds []string
	}{"of an agency": {any, []string{"awlr", "siren"}}, "of one feed": {one, []string{"awlr"}}, "for automation": {auto, []string{"awlr", "siren"}}} {
		for _, feed := range []string{"awlr", "siren", "cctv", "nowhere"} {
			_, err := a.FeedKey(t.Context(), feed, c.token, "192.0.2.7")
			if want := slices.Contains(c.feeds, feed); want != (err == nil) {
				t.Errorf("%s at %s: %v", name, feed, err)
			}
		}
	}
	id, err := a.Identify(request("Authorization", "Bearer "+any))
	if err != nil || id.Agency != "bpbd" || !slices.Equal(id.Rights, []access.Action{access.Ingest}) {
		t.Errorf("%+v %v", id, err)
	}
	a.Owners(func(string) string { return "dishub" })
	if _, err := a.FeedKey(t.Context(), "awlr", one, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("the feed went to another agency: %v", err)
	}
}

func TestAKeyEnds(t *testing.T) {
	a, b, c, l := pair(t)
	k, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest, ExpiresAt: moment.Of(c.now().Add(time.Hour))})
	c.advance(time.Hour - time.Second)
	for _, server := range []*Auth{a, b} {
		if _, err := server.FeedKey(t.Context(), "awlr", token, ""); err != nil {
			t.Fatal(err)
		}
	}
	c.advance(time.Second) // and both remember it
	for _, server := range []*Auth{a, b} {
		if _, err := server.FeedKey(t.Context(), "awlr", token, "192.0.2.1"); !errors.Is(err, ErrDenied) {
			t.Errorf("after its end: %v", err)
		}
		if alive, err := server.KeyAlive(t.Context(), k.ID); alive || err != nil {
			t.Errorf("alive: %v %v", alive, err)
		}
	}
	if last := l.acts[len(l.acts)-1]; !strings.Contains(last.Reason, "has expired") {
		t.Errorf("audit: %+v", last)
	}
	if list, err := a.Keys(t.Context()); err != nil || !slices.Contains(list[0].Marks, MarkExpired) {
		t.Errorf("%+v %v", list, err)
	}
}

func TestRotation(t *testing.T) {
	a, b, c, l := pair(t)
	old, oldToken := a.make(t, Key{Name: "gateway", Feed: "awlr", Agency: "", Scope: ScopeIngest, Ranges: []string{"192.0.2.0/24"}, Rate: 600})
	works := func(token string) bool {
		_, err := b.FeedKey(t.Context(), "awlr", token, "192.0.2.1")
		return err == nil
	}
	next, nextToken, err := a.RotateKey(t.Context(), old.ID, 24*time.Hour, Act{Actor: Admin()})
	if err != nil {
		t.Fatal(err)
	}
	if next.Name != old.Name || next.Feed != old.Feed || next.Rate != 600 || !slices.Equal(next.Ranges, old.Ranges) || next.Replaces != old.ID || !next.ExpiresAt.IsZero() || next.ID == old.ID {
		t.Errorf("%+v", next)
	}
	c.advance(keyFresh)
	if !works(oldToken) || !works(nextToken) {
		t.Error("not both live in the overlap")
	}
	for name, id := range map[string]string{"one that is replaced": old.ID, "while the one before lives": next.ID} {
		if _, _, err := b.RotateKey(t.Context(), id, 0, Act{}); !errors.Is(err, ErrKeyOver) {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.advance(24*time.Hour - keyFresh)
	if works(oldToken) || !works(nextToken) {
		t.Error("after the overlap")
	}
	third, thirdToken, err := b.RotateKey(t.Context(), next.ID, 0, Act{Actor: Admin()})
	if err != nil {
		t.Fatal(err)
	}
	if works(nextToken) || !works(thirdToken) {
		t.Error("without an overlap")
	}
	for _, c := range []struct {
		id      string
		overlap time.Duration
		want    error
	}{{"nobody", 0, ErrNoKey}, {old.ID, 0, ErrKeyOver}} {
		if _, _, err := a.RotateKey(t.Context(), c.id, c.overlap, Act{}); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.id, err)
		}
	}
	var f *KeyFault
	if _, _, err := a.RotateKey(t.Context(), third.ID, 31*24*time.Hour, Act{}); !errors.As(err, &f) {
		t.Errorf("a month of overlap: %v", err)
	}
	rotated := func(id string) bool {
		return slices.ContainsFunc(l.acts, func(x Act) bool {
			return x.Action == "key.rotated" && x.Object == "key:"+id && x.Actor.Subject == "user:admin"
		})
	}
	if !rotated(old.ID) || !rotated(next.ID) || strings.Contains(fmt.Sprint(l.acts), thirdToken[30:]) {
		t.Errorf("audit: %+v", l.acts)
	}
}

// Of two administrators who rotate one key at once one gets a key.
func TestRotationAtOnce(t *testing.T) {
	a, b, _, _ := pair(t)
	old, _ := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest})
	var made atomic.Int32
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			_, _, err := []*Auth{a, b}[i%2].RotateKey(context.Background(), old.ID, time.Hour, Act{})
			if err == nil {
				made.Add(1)
			} else if !errors.Is(err, ErrKeyOver) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if list, err := a.Keys(t.Context()); made.Load() != 1 || len(list) != 2 || err != nil {
		t.Errorf("%d made, %d there, %v", made.Load(), len(list), err)
	}
}

func TestARotationThatLeavesNoTraceIsUndone(t *testing.T) {
	a, _, c, _ := pair(t)
	old, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest})
	keep := a.audit
	a.audit = func(context.Context, Act) error { return errors.New("full") }
	if _, got, err := a.RotateKey(t.Context(), old.ID, 0, Act{}); !errors.Is(err, ErrUnavailable) || got != "" {
		t.Fatalf("%q %v", got, err)
	}
	a.audit = keep
	c.advance(time.Minute)
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Errorf("the old key is gone: %v", err)
	}
	if _, _, err := a.RotateKey(t.Context(), old.ID, 0, Act{}); err != nil {
		t.Errorf("again: %v", err)
	}
}

// Two servers share one rate.
func TestARateIsOfAllServers(t *testing.T) {
	a, b, _, _ := pair(t)
	k, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest, Rate: 12})
	id, err := a.FeedKey(t.Context(), "awlr", token, "")
	if err != nil {
		t.Fatal(err)
	}
	passed, wait := 0, time.Duration(0)
	for i := range 40 {
		if w := []*Auth{a, b}[i%2].Spend(t.Context(), id); w == 0 {
			passed++
		} else {
			wait = w
		}
	}
	if passed != 12 || wait <= 0 || wait > 5*time.Second {
		t.Errorf("%d of 12 passed, then a wait of %v", passed, wait)
	}
	if life := a.rdb.PTTL(t.Context(), a.keys.KeyRate(k.ID)).Val(); life <= 0 || life > 61*time.Second {
		t.Errorf("the rate lives %v", life)
	}
	// What fills again is what the rate says, whatever the servers remember.
	fast, fastToken := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest, Rate: 6000})
	if id, err = a.FeedKey(t.Context(), "awlr", fastToken, ""); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	passed = 0
	for time.Since(began) < 1500*time.Millisecond {
		for _, server := range []*Auth{a, b} {
			if server.Spend(t.Context(), id) == 0 {
				passed++
			}
		}
	}
	most := 6000 + int(time.Since(began).Seconds()*100) + 1
	t.Logf("%d passed of %d that the rate allows", passed, most)
	if passed > most || passed < 6000 {
		t.Errorf("%d passed, want 6000 to %d", passed, most)
	}
	if n := a.SpendKey(t.Context(), ""); n != 0 {
		t.Errorf("the admin token waits %v", n)
	}
	_ = fast
}

func TestUsesAreCountedAndShown(t *testing.T) {
	a, b, c, _ := pair(t)
	k, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest})
	listed := func() Key {
		t.Helper()
		list, err := a.Keys(t.Context())
		if err != nil || len(list) != 1 {
			t.Fatal(list, err)
		}
		return list[0]
	}
	if got := listed(); got.Uses24h != 0 || len(got.Marks) != 0 {
		t.Errorf("%+v", got)
	}
	c.advance(24 * time.Hour)
	if got := listed(); !slices.Equal(got.Marks, []KeyMark{MarkNeverUsed}) {
		t.Errorf("a day later: %+v", got)
	}
	for i := range 10 {
		if _, err := []*Auth{a, b}[i%2].FeedKey(t.Context(), "awlr", token, fmt.Sprintf("192.0.2.%d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.SpendKey(t.Context(), k.ID); n != 0 {
		t.Error(n)
	}
	b.writeUses(t.Context())
	if got := listed(); got.Uses24h != 11 || !strings.HasPrefix(got.LastUsedFrom, "192.0.2.") || len(got.Marks) != 0 || got.LastUsedAt.IsZero() {
		t.Errorf("%+v", got)
	}
	c.advance(25 * time.Hour)
	if got := listed(); got.Uses24h != 0 {
		t.Errorf("a day later: %d", got.Uses24h)
	}
	c.advance(90 * 24 * time.Hour)
	if got := listed(); !slices.Equal(got.Marks, []KeyMark{MarkIdle}) {
		t.Errorf("%v", got.Marks)
	}
	c.advance(300 * 24 * time.Hour)
	if got := listed(); !slices.Equal(got.Marks, []KeyMark{MarkIdle, MarkOld}) {
		t.Errorf("%v", got.Marks)
	}
}

// A key that was kept before there were bounds opens what it opened.
func TestKeysOfBefore(t *testing.T) {
	a, _, c, _ := pair(t)
	_, token := a.make(t, Key{Name: "n", Feed: "awlr", Scope: ScopeIngest})
	id, plain, _ := splitToken(token)
	doc := fmt.Sprintf(`{"v":1,"id":%q,"name":"n","feed":"awlr","scope":"ingest","created_at":"2026-11-01T00:00:00.000Z","created_by":"user:admin","last_used_at":null,"revoked_at":null,"hash":%q}`, id, hash(plain))
	ctx := t.Context()
	a.rdb.HSet(ctx, a.keys.Key(), id, doc)
	a.rdb.HSet(ctx, a.keys.KeyUsed(), id, "2026-11-02T00:00:00.000Z")
	c.advance(time.Minute)
	a.Forget()
	list, err := a.Keys(ctx)
	if err != nil || list[0].LastUsedAt.IsZero() || list[0].Ranges == nil || list[0].LastUsedFrom != "" {
		t.Fatalf("%+v %v", list, err)
	}
	if _, err := a.FeedKey(ctx, "awlr", token, "192.0.2.1"); err != nil {
		t.Error(err)
	}
	// And one whose range nobody can read opens nothing, but can be revoked.
	var broken map[string]any
	_ = json.Unmarshal([]byte(doc), &broken)
	broken["ranges"] = []string{"everywhere"}
	text, _ := json.Marshal(broken)
	a.rdb.HSet(ctx, a.keys.Key(), id, text)
	a.Forget()
	if _, err := a.FeedKey(ctx, "awlr", token, "192.0.2.1"); !errors.Is(err, ErrDenied) {
		t.Errorf("a range that cannot be read: %v", err)
	}
	if err := a.RevokeKey(ctx, id, Act{}); err != nil {
		t.Error(err)
	}
}
