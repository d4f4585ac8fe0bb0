package app

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/redis/go-redis/v9"

	"kentongan/feeds"
	"kentongan/geo/keyspace"
	"kentongan/geo/redistest"
)

// Readings sent to either server reach the viewers of both.
func TestTwoServersShowTheSame(t *testing.T) {
	t.Parallel() // it mostly waits
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	onA, onB := watch(t, a.Addr(), nil), watch(t, b.Addr(), nil)
	var slowest time.Duration
	for i := range 40 {
		to, thing, value := a, fmt.Sprintf("t%d", i%4), 1+float64(i)/100
		if i%2 == 1 {
			to = b
		}
		body := fmt.Sprintf(`{"thing":%q,"property":"water_level","value":%g,"lat":-0.83,"lng":100.63}`, thing, value)
		if code, doc := to.ask("POST", "/api/v1/ingest/awlr", body); code != http.StatusAccepted || doc["accepted"] != 1.0 {
			t.Fatalf("%d %v", code, doc)
		}
		began := time.Now()
		for name, v := range map[string]*viewer{"a": onA, "b": onB} {
			eventually(t, 5*time.Second, fmt.Sprintf("%s shows %s at %g", name, thing, value), func() bool { n, _ := v.shows("awlr:" + thing); return n == value })
		}
		slowest = max(slowest, time.Since(began))
	}
	// A copy sent to the other server is known there.
	body := `{"thing":"t0","property":"water_level","value":2,"at":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","lat":-0.83,"lng":100.63}`
	if _, doc := a.ask("POST", "/api/v1/ingest/awlr", body); doc["accepted"] != 1.0 {
		t.Errorf("%v", doc)
	}
	eventually(t, 5*time.Second, "b knows it", func() bool { n, _ := onB.shows("awlr:t0"); return n == 2 })
	if _, doc := b.ask("POST", "/api/v1/ingest/awlr", body); doc["duplicates"] != 1.0 {
		t.Errorf("a copy at the other server: %v", doc)
	}
	// One crossing, sent to both: one incident, on both.
	body = `{"thing":"t9","property":"water_level","value":3.4,"at":"` + time.Now().UTC().Format(time.RFC3339Nano) + `","lat":-0.85,"lng":100.65}`
	for _, r := range []*running{a, b} {
		if code, doc := r.ask("POST", "/api/v1/ingest/awlr", body); code != http.StatusAccepted {
			t.Fatal(code, doc)
		}
	}
	for name, v := range map[string]*viewer{"a": onA, "b": onB} {
		eventually(t, 15*time.Second, "the incident on "+name, func() bool { n, _ := v.count(); return n == 1 })
	}
	if n := len(incidents(t, a.Addr())); n != 1 {
		t.Errorf("%d incidents", n)
	}
	t.Logf("slowest way of a reading to the viewers of both: %s", slowest.Round(time.Millisecond))
}

// ledgerOver runs senders against two servers, while one after the other is killed or whatever disturb does.
func ledgerOver(t *testing.T, name, store string, disturb func(l *ledger, start func(string) *running, a, b *running) (survivor *running, sockets map[string]*viewer)) {
	start := func(server string) *running { return beside(t, server, store, several) }
	a, b := start("a"), start("b")
	l := newLedger(t, a.Addr(), b.Addr())
	ctx, cancel := context.WithCancel(t.Context())
	var senders sync.WaitGroup
	for i := range 4 {
		senders.Go(func() { l.work(ctx, i, []string{"awlr", "pos"}[i%2]) })
	}
	senders.Go(func() { l.act(ctx) })
	survivor, sockets := disturb(l, start, a, b)
	cancel()
	senders.Wait()
	l.checkActs(survivor.Addr(), name)
	l.crossings(survivor.Addr(), name, sockets)
	l.check(survivor.Addr(), name)
}

// bothAreKilled kills one of two servers in mid-ingest, puts another beside the one that is left, and kills that one too.
func bothAreKilled(t *testing.T) func(l *ledger, start func(string) *running, a, b *running) (*running, map[string]*viewer) {
	return func(l *ledger, start func(string) *running, a, b *running) (*running, map[string]*viewer) {
		onB := watch(t, b.Addr(), nil)
		time.Sleep(1500 * time.Millisecond)
		l.servers(b.Addr(), a.Addr()) // a's address stays in the list: senders find out by themselves
		a.kill()
		time.Sleep(time.Second)
		c := start("c")
		onC := watch(t, c.Addr(), nil)
		l.servers(b.Addr(), c.Addr())
		time.Sleep(1500 * time.Millisecond)
		seen, _ := onB.count()
		b.kill()
		t.Logf("the socket of b has shown %d incidents when b is killed", seen)
		time.Sleep(time.Second)
		d := start("d")
		onD := watch(t, d.Addr(), nil)
		l.servers(c.Addr(), d.Addr())
		time.Sleep(time.Second)
		return d, map[string]*viewer{"c": onC, "d": onD}
	}
}

func TestLedgerOfTwoServersThatAreKilled(t *testing.T) {
	t.Parallel() // it mostly waits
	ledgerOver(t, "one Redis", redistest.Private(t).URL(), bothAreKilled(t))
}

func TestLedgerOnACluster(t *testing.T) {
	t.Parallel() // it mostly waits
	ledgerOver(t, "cluster of three primaries", redistest.StartCluster(t).URL(), bothAreKilled(t))
}

// A clean failover of a Sentinel set.
func TestLedgerOverASentinelFailover(t *testing.T) {
	t.Parallel() // it mostly waits
	set := redistest.StartSentinel(t)
	ledgerOver(t, "Sentinel set, failover by order", set.URL(), func(l *ledger, _ func(string) *running, a, b *running) (*running, map[string]*viewer) {
		onA, onB := watch(t, a.Addr(), nil), watch(t, b.Addr(), nil)
		time.Sleep(3 * time.Second)
		began := time.Now()
		set.Failover(t)
		t.Logf("the Sentinels name another primary %s after the order", time.Since(began).Round(time.Millisecond))
		time.Sleep(9 * time.Second)
		if gap := time.Duration(max(l.gap.Load(), l.actGap.Load())); gap > 10*time.Second {
			t.Errorf("degraded for %s", gap)
		}
		return b, map[string]*viewer{"a": onA, "b": onB}
	})
}

// The primary of a Sentinel set is killed.
func TestLedgerOverAPrimaryThatIsKilled(t *testing.T) {
	heavy(t)
	set := redistest.StartSentinel(t)
	ledgerOver(t, "Sentinel set, primary killed", set.URL(), func(l *ledger, _ func(string) *running, a, b *running) (*running, map[string]*viewer) {
		onA, onB := watch(t, a.Addr(), nil), watch(t, b.Addr(), nil)
		time.Sleep(3 * time.Second)
		set.Primary(t).Kill()
		time.Sleep(15 * time.Second)
		return b, map[string]*viewer{"a": onA, "b": onB}
	})
}

// heavy leaves a test to make chaos.
func heavy(t *testing.T) {
	t.Helper()
	if os.Getenv("KENTONGAN_CHAOS") == "" {
		t.Skip("heavy: make chaos runs it (KENTONGAN_CHAOS=1)")
	}
}

// source is a feed outside that counts who asks it, and whether two ever do at once.
type source struct {
	*httptest.Server
	mu    sync.Mutex
	asked []asked
	now   int
	most  int
}

type asked struct {
	at  time.Time
	who string
}

func newSource(t *testing.T) *source {
	s := &source{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.now++
		s.most = max(s.most, s.now)
		who, _, _ := strings.Cut(strings.TrimPrefix(r.UserAgent(), "Kentongan/"), " ")
		s.asked = append(s.asked, asked{time.Now(), who})
		n := len(s.asked)
		s.mu.Unlock()
		time.Sleep(50 * time.Millisecond)
		_ = json.NewEncoder(w).Encode(map[string]any{"thing": "p", "property": "water_level", "value": 1, "at": time.Now().UTC().Add(time.Duration(n) * time.Microsecond), "lat": -0.83, "lng": 100.63})
		s.mu.Lock()
		s.now--
		s.mu.Unlock()
	}))
	t.Cleanup(s.Close)
	return s
}

// turns lists who asked, in order, without repetitions, the shortest pause between two questions, and how many ever asked at once.
func (s *source) turns() (who []string, least time.Duration, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	least = time.Hour
	for i, a := range s.asked {
		if i == 0 || a.who != s.asked[i-1].who {
			who = append(who, a.who)
		} else {
			least = min(least, a.at.Sub(s.asked[i-1].at))
		}
	}
	return who, least, s.most
}

func (s *source) last(who string) (at time.Time, count int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, a := range s.asked {
		if a.who == who {
			at = a.at
			count++
		}
	}
	return at, count
}

func polling(sources ...*source) string {
	var b strings.Builder
	for i, s := range sources {
		fmt.Fprintf(&b, "  - {name: poll%d, format: native, transport: poll, url: %q, every: 1s, allow_private: true}\n", i, s.URL)
	}
	return strings.Replace(several, "feeds:\n", "feeds:\n"+b.String(), 1)
}

// One server polls each feed, they share the feeds, and another takes over from one that is killed or stops.
func TestPollsAreAskedByOne(t *testing.T) {
	t.Parallel() // it mostly waits
	store := redistest.Private(t).URL()
	sources := []*source{newSource(t), newSource(t), newSource(t), newSource(t)}
	settings := polling(sources...)
	a, b := beside(t, "a", store, settings), beside(t, "b", store, settings)
	eventually(t, 40*time.Second, "two feeds on each", func() bool { return len(a.driven()) == 2 && len(b.driven()) == 2 })
	for _, r := range []*running{a, b} {
		var late any
		eventually(t, 5*time.Second, "every server shows the truth of every feed", func() bool {
			list := r.feedStatus()
			i := slices.IndexFunc(list, func(f feeds.FeedStatus) bool {
				return strings.HasPrefix(f.Name, "poll") && (f.State != "ok" || f.LastSuccess.IsZero() || time.Since(f.LastSuccess.Time) > 4*time.Second)
			})
			if i >= 0 {
				late = list[i]
			}
			return i < 0
		})
		if t.Failed() {
			t.Errorf("%s shows %+v", r.version, late)
		}
	}
	was := a.driven()
	killed := time.Now()
	a.kill()
	taken := eventually(t, 20*time.Second, "b drives all", func() bool { return len(b.driven()) == 4 })
	for _, feed := range was {
		eventually(t, 5*time.Second, feed+" is asked by b", func() bool { at, _ := sources[int(feed[4]-'0')].last("b"); return at.After(killed) })
	}
	t.Logf("b has the leases of the killed one after %s", taken.Round(time.Millisecond))
	c := beside(t, "c", store, settings)
	stopped := time.Now()
	if err := b.end(); err != nil {
		t.Error(err)
	}
	ended := time.Now()
	taken = eventually(t, 10*time.Second, "c drives all", func() bool { return len(c.driven()) == 4 })
	t.Logf("c has the leases of one that stopped %s after its end, which took %s", taken.Round(time.Millisecond), ended.Sub(stopped).Round(time.Millisecond))
	if taken > keyspace.LeaseLifetime*3/4 { // alone it is a second; what is not released takes the whole life of a lease
		t.Error("a clean stop hands over before its leases would have ended")
	}
	eventually(t, 5*time.Second, "c asks", func() bool { _, n := sources[3].last("c"); return n > 1 })
	for i, s := range sources {
		who, least, most := s.turns()
		t.Logf("poll%d is asked by %v, at most %d at once, least pause of one asker %s", i, who, most, least.Round(time.Millisecond))
		seen := map[string]int{}
		for _, w := range who {
			seen[w]++
		}
		for w, n := range seen {
			if n > 1 {
				t.Errorf("poll%d: %s came back after another had taken over", i, w)
			}
		}
		if most > 1 || least < 800*time.Millisecond {
			t.Errorf("poll%d is asked by more than one", i)
		}
	}
}

// A pushed feed's state is what all servers hear of it.
func TestPushedFeedIsShownWhole(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	for i := range 6 {
		body := fmt.Sprintf(`{"thing":"t%d","property":"water_level","value":1,"lat":-0.83,"lng":100.63}`, i)
		if code, doc := a.ask("POST", "/api/v1/ingest/awlr", body); code != http.StatusAccepted {
			t.Fatal(code, doc)
		}
	}
	if code, _ := b.ask("POST", "/api/v1/ingest/pos", `{"thing":`); code != http.StatusBadRequest {
		t.Fatal(code)
	}
	state := func(r *running, feed string) map[string]any {
		_, doc := r.ask("GET", "/api/v1/feeds", "")
		for _, f := range doc["items"].([]any) {
			if f := f.(map[string]any); f["name"] == feed {
				return f
			}
		}
		return nil
	}
	for _, r := range []*running{a, b} {
		eventually(t, 5*time.Second, r.version+" shows what a heard", func() bool {
			f := state(r, "awlr")
			return f["items_per_minute"] == 6.0 && f["state"] == "ok" && f["reason"] == "" && f["last_success"] != nil
		})
		eventually(t, 5*time.Second, r.version+" shows what b refused", func() bool {
			f := state(r, "pos")
			return f["state"] == "failing" && f["rejects"] == 1.0 && strings.HasPrefix(fmt.Sprint(f["reason"]), "format:")
		})
	}
}

// Whoever signs out at one server loses the sockets at all, also where the word was missed.
func TestSignOutEndsSocketsEverywhere(t *testing.T) {
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	session := func() (cookie string) {
		req, _ := http.NewRequest("POST", "http://"+a.Addr()+"/api/v1/session", strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer "+token)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if len(resp.Cookies()) == 0 {
			t.Fatal("no cookie: ", resp.Status)
		}
		return resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
	}
	live := func(r *running, cookie string) *viewer {
		return watch(t, r.Addr(), http.Header{"Cookie": {cookie}, "Origin": {"http://" + r.Addr()}})
	}
	first, second := session(), session()
	onA, onB, other := live(a, first), live(b, first), live(b, second)
	req, _ := http.NewRequest("DELETE", "http://"+a.Addr()+"/api/v1/session", nil)
	req.Header.Set("Cookie", first)
	req.Header.Set("Origin", "http://"+a.Addr())
	began := time.Now()
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for name, v := range map[string]*viewer{"a": onA, "b": onB} {
		select {
		case err := <-v.ended:
			if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) && !websocket.IsCloseError(err, 4401) {
				t.Logf("the socket on %s ended with %v", name, err)
			}
			t.Logf("the socket on %s ended %s after signing out", name, time.Since(began).Round(time.Millisecond))
		case <-time.After(aSecond):
			t.Errorf("the socket on %s is still open after a second", name)
		}
	}
	select {
	case err := <-other.ended:
		t.Errorf("another session's socket ended: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	// The list tells whoever was not on the line.
	third := live(b, second)
	eventually(t, 5*time.Second, "the third is greeted", func() bool { return third.heard.Load() > 0 })
	_, hash, _ := strings.Cut(second, "=")
	r, _ := http.NewRequest("GET", "/", nil)
	r.AddCookie(&http.Cookie{Name: "kentongan", Value: hash})
	if err := a.rdb.ZAdd(t.Context(), a.keys.SessionEnded(), zOf(a.auth.SessionOf(r))).Err(); err != nil {
		t.Fatal(err)
	}
	if err := b.missed(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case <-third.ended:
	case <-time.After(aSecond):
		t.Error("a session that ended unheard goes on")
	}
}

func zOf(member string) redis.Z {
	return redis.Z{Score: float64(time.Now().UnixMilli()), Member: member}
}
