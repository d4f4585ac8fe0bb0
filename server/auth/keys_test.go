package auth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/rs/zerolog"

	"kentongan/geo/redistest"
	"kentongan/server/access"
)

// pair is two servers on one store, on one clock.
func pair(t *testing.T) (a, b *Auth, c *clock, l *ledger) {
	t.Helper()
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	c, l = &clock{at: time.Now()}, &ledger{}
	two := make([]*Auth, 2)
	for i := range two {
		var err error
		if two[i], err = New(rdb, keys, Config{AdminToken: adminToken}, l.record, c.now, zerolog.Nop()); err != nil {
			t.Fatal(err)
		}
	}
	return two[0], two[1], c, l
}

func makeKey(t *testing.T, a *Auth, name, feed string, scope Scope) (Key, string) {
	t.Helper()
	k, token, err := a.MakeKey(t.Context(), Key{Name: name, Feed: feed, Scope: scope}, Act{Actor: Admin(), Request: "r1"})
	if err != nil {
		t.Fatal(err)
	}
	return k, token
}

func TestAKeyFeedsItsFeedAndNoOther(t *testing.T) {
	a, b, _, l := pair(t)
	k, token := makeKey(t, a, " gauges ", "awlr", ScopeIngest)
	if k.Name != "gauges" || k.Feed != "awlr" || k.CreatedBy != "user:admin" || !strings.HasPrefix(token, "kt_"+k.ID+"_") || len(token) != len("kt_")+26+1+43 {
		t.Errorf("%+v %s", k, token)
	}
	for _, server := range []*Auth{a, b} {
		id, err := server.FeedKey(t.Context(), "awlr", token, "192.0.2.7")
		if err != nil || id.Key != k.ID || id.Subject != "key:"+k.ID || id.Via != ViaKey || !slices.Equal(id.Rights, []access.Action{access.Ingest}) || !id.MayFeed("awlr") || id.MayFeed("siren") {
			t.Errorf("%+v %v", id, err)
		}
		if _, err := server.FeedKey(t.Context(), "siren", token, "192.0.2.7"); !errors.Is(err, ErrDenied) {
			t.Errorf("another feed: %v", err)
		}
	}
	last := l.acts[len(l.acts)-1]
	if last.Action != "right.denied" || last.Object != "feed:siren" || last.Actor.Subject != "key:"+k.ID || last.From != "192.0.2.7" {
		t.Errorf("audit: %+v", last)
	}
	if made := l.acts[0]; made.Action != "key.made" || made.Object != "key:"+k.ID || made.Actor.Subject != "user:admin" || made.Request != "r1" || strings.Contains(fmt.Sprint(made), token) {
		t.Errorf("audit: %+v", made)
	}
	if _, err := a.FeedKey(t.Context(), "siren", adminToken, ""); err != nil {
		t.Errorf("admin token: %v", err)
	}
}

// TestANameThatNoFeedHasIsNoneOfTheRecordsOwn shows keys at names that somebody made up: the record, which is kept for ever, has no word of them.
func TestANameThatNoFeedHasIsNoneOfTheRecordsOwn(t *testing.T) {
	a, _, _, l := pair(t)
	a.Knows(func(feed string) bool { return feed == "awlr" })
	_, token := makeKey(t, a, "x", "awlr", ScopeIngest)
	const name = "Budi maling, Jl. Sudirman 3"
	for i, tried := range []struct{ key, feed string }{{"kt_nonsense", name}, {token, name}, {"kt_nonsense", strings.Repeat(name, 2000)}, {"kt_nonsense", strings.Repeat("é", 99)}} {
		if _, err := a.FeedKey(t.Context(), tried.feed, tried.key, fmt.Sprintf("192.0.2.%d", i)); !errors.Is(err, ErrDenied) {
			t.Errorf("%.40q: %v", tried.feed, err)
		}
		act := l.acts[len(l.acts)-1]
		leaf, words := act.Record().Apart()
		text := leaf.Canonical()
		if strings.Contains(string(text), "Budi") || strings.Contains(string(text), "é") || act.Object != "feed elsewhere" {
			t.Errorf("%.40q: %s", tried.feed, text)
		}
		if !strings.Contains(words.Text, "feed:"+tried.feed[:20]) || len(words.Text) > 400 || !utf8.ValidString(words.Text) {
			t.Errorf("%.40q: words of %d bytes: %.100s", tried.feed, len(words.Text), words.Text)
		}
	}
	if err := a.RefuseSender(t.Context(), name, "192.0.2.9", "certificate 5: revoked"); !errors.Is(err, ErrDenied) {
		t.Error(err)
	}
	if act := l.acts[len(l.acts)-1]; act.Object != "feed elsewhere" || !strings.Contains(act.Reason, name) {
		t.Errorf("%+v", act)
	}
	if _, err := a.FeedKey(t.Context(), "awlr", "kt_nonsense", "192.0.2.8"); !errors.Is(err, ErrDenied) || l.acts[len(l.acts)-1].Object != "feed:awlr" {
		t.Errorf("a feed that there is: %v, %+v", err, l.acts[len(l.acts)-1])
	}
}

func TestWhatIsNoKey(t *testing.T) {
	a, _, _, _ := pair(t)
	k, token := makeKey(t, a, "x", "awlr", ScopeIngest)
	other, _ := makeKey(t, a, "y", "awlr", ScopeIngest)
	for _, bad := range []string{
		"", "kt_", "kt_" + k.ID, "kt_" + k.ID + "_", token[:len(token)-1], token + "A", token[3:], strings.ToUpper(token),
		"kt_" + other.ID + token[3+26:], "kt_01J00000000000000000000000" + token[3+26:], "kt__" + strings.Repeat("A", 43),
		token[:len(token)-2] + flipped(token[len(token)-2:len(token)-1]) + token[len(token)-1:],
	} {
		if _, err := a.FeedKey(t.Context(), "awlr", bad, "192.0.2."+fmt.Sprint(len(bad))); !errors.Is(err, ErrDenied) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func flipped(s string) string {
	if s == "A" {
		return "B"
	}
	return "A"
}

func TestKeysAreCheckedBeforeTheyAreMade(t *testing.T) {
	a, _, _, l := pair(t)
	for _, c := range []struct {
		key   Key
		field string
	}{
		{Key{Feed: "awlr", Scope: ScopeIngest}, "name"},
		{Key{Name: strings.Repeat("n", keyName+1), Feed: "awlr", Scope: ScopeIngest}, "name"},
		{Key{Name: "n", Feed: "awlr", Scope: "root"}, "scope"},
		{Key{Name: "n", Feed: "awlr"}, "scope"},
		{Key{Name: "n", Scope: ScopeIngest}, "feed"},
		{Key{Name: "n", Feed: "awlr", Scope: ScopeRead}, "feed"},
	} {
		_, token, err := a.MakeKey(t.Context(), c.key, Act{})
		var f *KeyFault
		if !errors.As(err, &f) || f.Field != c.field || token != "" {
			t.Errorf("%+v: %v", c.key, err)
		}
	}
	if len(l.acts) != 0 {
		t.Errorf("audit: %+v", l.acts)
	}
}

func TestScopesHaveTheirRights(t *testing.T) {
	a, _, _, _ := pair(t)
	for _, c := range []struct {
		scope    Scope
		can, not []access.Action
	}{
		{ScopeRead, []access.Action{access.ReadThings, access.ReadAlerts, access.ReadIncidents, access.ReadReports, access.ReadFeeds, access.ReadRules}, []access.Action{access.Ingest, access.Metrics, access.ActIncidents, access.ReadAudit, access.WriteFeeds, access.WriteReports, access.WriteKeys}},
		{ScopeMetrics, []access.Action{access.Metrics}, []access.Action{access.ReadThings, access.Ingest, access.WriteKeys}},
		{ScopeAutomation, []access.Action{access.ReadThings, access.ActIncidents, access.WriteFeeds, access.WriteReports, access.RunSimulator, access.Ingest}, []access.Action{access.WriteKeys}},
		{ScopeIngest, []access.Action{access.Ingest}, []access.Action{access.ReadThings, access.Metrics, access.WriteKeys}},
	} {
		feed := ""
		if c.scope == ScopeIngest {
			feed = "awlr"
		}
		_, token := makeKey(t, a, "n", feed, c.scope)
		id, err := a.Identify(request("Authorization", "Bearer "+token))
		if err != nil {
			t.Fatal(err)
		}
		for _, right := range c.can {
			if !id.Can(right) {
				t.Errorf("%s cannot %s", c.scope, right)
			}
		}
		for _, right := range c.not {
			if id.Can(right) {
				t.Errorf("%s can %s", c.scope, right)
			}
		}
		if c.scope != ScopeIngest && c.scope != ScopeAutomation {
			if _, err := a.FeedKey(t.Context(), "awlr", token, ""); !errors.Is(err, ErrDenied) {
				t.Errorf("%s feeds: %v", c.scope, err)
			}
		}
	}
	if Scope("root").Actions() != nil {
		t.Error("an unknown scope has rights")
	}
}

func TestOnlyTheHashOfASecretIsStored(t *testing.T) {
	a, _, _, _ := pair(t)
	k, token := makeKey(t, a, "n", "awlr", ScopeIngest)
	doc := a.rdb.HGet(t.Context(), a.keys.Key(), k.ID).Val()
	secret := token[3+26+1:]
	if doc == "" || strings.Contains(doc, secret) || !strings.Contains(doc, hash(secret)) {
		t.Errorf("%s", doc)
	}
	if list, err := a.Keys(t.Context()); err != nil || strings.Contains(fmt.Sprint(list), secret) || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
}

// Two servers know a key well; one revokes it, and within a second neither takes it, nor lets a session go on.
func TestARevokedKeyIsRefusedEverywhereWithinASecond(t *testing.T) {
	a, b, c, l := pair(t)
	old, oldToken := makeKey(t, a, "old", "awlr", ScopeIngest)
	_, newToken := makeKey(t, a, "new", "awlr", ScopeIngest)
	for _, server := range []*Auth{a, b} {
		if _, err := server.FeedKey(t.Context(), "awlr", oldToken, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := a.RevokeKey(t.Context(), old.ID, Act{Actor: Admin()}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.FeedKey(t.Context(), "awlr", oldToken, ""); !errors.Is(err, ErrDenied) {
		t.Errorf("the server that revoked it: %v", err)
	}
	revoked := c.now()
	for c.now().Sub(revoked) < time.Second {
		if _, err := b.FeedKey(t.Context(), "awlr", oldToken, ""); errors.Is(err, ErrDenied) {
			break
		}
		c.advance(10 * time.Millisecond)
	}
	took := c.now().Sub(revoked)
	t.Logf("refused by the other server %v after the revocation", took)
	if took > keyFresh {
		t.Errorf("the other server takes it for %v", took)
	}
	if alive, err := b.KeyAlive(t.Context(), old.ID); alive || err != nil {
		t.Errorf("alive %v %v", alive, err)
	}
	if _, err := b.FeedKey(t.Context(), "awlr", newToken, ""); err != nil {
		t.Errorf("the second key of the feed: %v", err)
	}
	if err := b.RevokeKey(t.Context(), old.ID, Act{Actor: Admin()}); err != nil {
		t.Errorf("again: %v", err)
	}
	if err := b.RevokeKey(t.Context(), "nobody", Act{}); !errors.Is(err, ErrNoKey) {
		t.Errorf("nobody's: %v", err)
	}
	n := 0
	for _, act := range l.acts {
		if act.Action == "key.revoked" && act.Object == "key:"+old.ID {
			n++
		}
	}
	if n != 2 {
		t.Errorf("%d revocations in the audit log", n)
	}
	list, err := b.Keys(t.Context())
	if err != nil || len(list) != 2 || !list[0].RevokedAt.IsZero() || list[1].RevokedAt.IsZero() {
		t.Errorf("%+v %v", list, err)
	}
}

// A thousand who know a key while it is revoked: whoever asks after it is refused, whatever was read in between.
func TestRevokingAmongManyReaders(t *testing.T) {
	a, b, _, _ := pair(t)
	a.now, b.now = time.Now, time.Now
	k, token := makeKey(t, a, "n", "awlr", ScopeIngest)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					b.ring.forget()
					_, _ = b.FeedKey(context.Background(), "awlr", token, "")
				}
			}
		})
	}
	if err := a.RevokeKey(t.Context(), k.ID, Act{}); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(keyFresh + 2*lookupTimeout)
	for time.Now().Before(deadline) {
		if alive, err := b.KeyAlive(t.Context(), k.ID); err == nil && !alive {
			break
		}
	}
	close(stop)
	wg.Wait()
	if alive, err := b.KeyAlive(t.Context(), k.ID); alive || err != nil {
		t.Errorf("alive %v %v", alive, err)
	}
}

func TestLastUseIsWrittenOnceAMinute(t *testing.T) {
	a, _, c, _ := pair(t)
	k, token := makeKey(t, a, "n", "awlr", ScopeIngest)
	lastUse := func() time.Time { // a list would write what waits
		at, _ := lastUse(a.rdb.HGet(t.Context(), a.keys.KeyUsed(), k.ID).Val())
		return at.Time
	}
	if !lastUse().IsZero() {
		t.Error("used before it was")
	}
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Fatal(err)
	}
	first := lastUse()
	if first.IsZero() {
		t.Fatal("not kept")
	}
	c.advance(keyUsed - time.Second)
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil || !lastUse().Equal(first) {
		t.Errorf("written within the minute: %v", err)
	}
	c.advance(time.Second)
	if alive, err := a.KeyAlive(t.Context(), k.ID); err != nil || !alive || !lastUse().After(first) {
		t.Errorf("a live session is no use: %v", err)
	}
	if alive, err := a.KeyAlive(t.Context(), ""); err != nil || !alive {
		t.Errorf("the admin token's: %v %v", alive, err)
	}
}

// While the store is away nobody is told that a good key is wrong.
func TestWithoutTheStoreAKeyIsUnavailableNotWrong(t *testing.T) {
	s := redistest.Private(t)
	c := &clock{at: time.Now()}
	a, err := New(s.Client(t), redistest.Keys(t), Config{AdminToken: adminToken}, nil, c.now, zerolog.Nop())
	if err != nil {
		t.Fatal(err)
	}
	k, token := makeKey(t, a, "n", "awlr", ScopeIngest)
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); err != nil {
		t.Errorf("seen valid a moment ago: %v", err)
	}
	c.advance(keyFresh)
	if _, err := a.FeedKey(t.Context(), "awlr", token, ""); !errors.Is(err, ErrUnavailable) {
		t.Errorf("later: %v", err)
	}
	if _, err := a.KeyAlive(t.Context(), k.ID); !errors.Is(err, ErrUnavailable) {
		t.Errorf("alive: %v", err)
	}
	if _, err := a.FeedKey(t.Context(), "awlr", "kt_nonsense", ""); !errors.Is(err, ErrDenied) {
		t.Errorf("what is no key: %v", err)
	}
	if _, err := a.FeedKey(t.Context(), "awlr", adminToken, ""); err != nil {
		t.Errorf("admin token: %v", err)
	}
	if _, _, err := a.MakeKey(t.Context(), Key{Name: "n", Scope: ScopeRead}, Act{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("make: %v", err)
	}
	if err := a.RevokeKey(t.Context(), k.ID, Act{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("revoke: %v", err)
	}
}

func TestAnActThatLeavesNoTraceIsNotDone(t *testing.T) {
	a, _, _, _ := pair(t)
	k, _ := makeKey(t, a, "n", "awlr", ScopeIngest)
	a.audit = func(context.Context, Act) error { return errors.New("full") }
	if _, token, err := a.MakeKey(t.Context(), Key{Name: "m", Scope: ScopeRead}, Act{}); !errors.Is(err, ErrUnavailable) || token != "" {
		t.Errorf("made: %v", err)
	}
	if err := a.RevokeKey(t.Context(), k.ID, Act{}); !errors.Is(err, ErrUnavailable) {
		t.Errorf("revoked: %v", err)
	}
}

func TestOldRevokedKeysAreForgotten(t *testing.T) {
	a, _, c, _ := pair(t)
	k, _ := makeKey(t, a, "n", "awlr", ScopeIngest)
	if err := a.RevokeKey(t.Context(), k.ID, Act{}); err != nil {
		t.Fatal(err)
	}
	makeKey(t, a, "m", "awlr", ScopeIngest)
	c.advance(keyHistory + time.Second)
	makeKey(t, a, "o", "awlr", ScopeIngest)
	if list, err := a.Keys(t.Context()); err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}
}

func TestTwoAuthorizationsAreNone(t *testing.T) {
	a, _, _, _ := pair(t)
	_, token := makeKey(t, a, "n", "awlr", ScopeIngest)
	for _, identify := range []func(*http.Request) (Identity, error){a.Identify, a.IdentifySender} {
		if _, err := identify(request("Authorization", "Bearer "+token, "Authorization", "Bearer "+adminToken)); !errors.Is(err, ErrDenied) {
			t.Errorf("%v", err)
		}
	}
	r := request()
	r.SetBasicAuth("anybody", token)
	if id, err := a.IdentifySender(r); err != nil || id.Feed != "awlr" {
		t.Errorf("%+v %v", id, err)
	}
	r.Header.Add("Authorization", "Bearer "+adminToken)
	if _, err := a.IdentifySender(r); !errors.Is(err, ErrDenied) {
		t.Errorf("Basic and Bearer: %v", err)
	}
	if id, err := a.IdentifySender(request("X-Api-Key", token)); err != nil || id.Feed != "awlr" {
		t.Errorf("%+v %v", id, err)
	}
}
