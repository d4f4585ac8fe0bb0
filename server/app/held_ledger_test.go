package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// runIn starts the binary with its own store on a data folder, and returns once it is ready.
func runIn(t *testing.T, dir, settings string) *program {
	t.Helper()
	needRedis(t)
	return begin(t, settings, "KENTONGAN_DATA_DIR="+dir)
}

// store gives the process of the binary's own store, 0 while there is none.
func (p *program) store() int {
	list, err := os.ReadDir("/proc")
	if err != nil {
		return 0
	}
	for _, e := range list {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		stat, err := os.ReadFile(filepath.Join("/proc", e.Name(), "stat"))
		if err != nil {
			continue
		}
		_, after, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(after); len(f) > 1 && f[1] == strconv.Itoa(p.cmd.Process.Pid) {
			return pid
		}
	}
	return 0
}

// do sends a request; code 0: nobody answered.
func do(method, url, body string) (code int, text []byte) {
	req, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return 0, nil
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := ledgerClient.Do(req)
	if err != nil {
		return 0, nil
	}
	defer resp.Body.Close()
	if text, err = io.ReadAll(resp.Body); err != nil {
		return 0, nil
	}
	return resp.StatusCode, text
}

// liars send deliveries that break a feed's contract, insist until each is acknowledged, and know what was.
type liars struct {
	t    *testing.T
	addr atomic.Pointer[string]
	base time.Time
	seq  atomic.Int64
	good bool // they tell the truth: what that costs, beside

	mu    sync.Mutex
	acked map[string]bool
	took  []time.Duration
	again int
}

const lieReadings = 3 // of a delivery

func newLiars(t *testing.T, addr string) *liars {
	l := &liars{t: t, base: time.Now().Add(-time.Hour).Truncate(time.Millisecond), acked: map[string]bool{}}
	l.addr.Store(&addr)
	return l
}

// lie sends one delivery until it is acknowledged as held, or until stop.
func (l *liars) lie(sender int, stop <-chan struct{}) {
	var body bytes.Buffer
	var keys []string
	unit := "km"
	if l.good {
		unit = "m"
	}
	body.WriteByte('[')
	for i := range lieReadings {
		thing, at, value := fmt.Sprintf("s%d-%d", sender, i), l.base.Add(time.Duration(l.seq.Add(1))*time.Millisecond), 1+float64(sender)/100
		keys = append(keys, fmt.Sprintf("awlr:%s %s %g", thing, at.UTC().Format("2006-01-02T15:04:05.000Z"), value))
		if i > 0 {
			body.WriteByte(',')
		}
		fmt.Fprintf(&body, `{"thing":%q,"property":"water_level","value":%g,"unit":%q,"at":%q,"lat":-0.8,"lng":100.6}`, thing, value, unit, at.UTC().Format(time.RFC3339Nano))
	}
	body.WriteByte(']')
	for {
		began := time.Now()
		code, text := do("POST", "http://"+*l.addr.Load()+"/api/v1/ingest/awlr", body.String())
		var r struct {
			Accepted int
			Ignored  []struct{ Reason string }
		}
		switch {
		case code == http.StatusAccepted && json.Unmarshal(text, &r) == nil && (l.good && r.Accepted == lieReadings || r.Accepted == 0 && len(r.Ignored) == lieReadings && strings.HasPrefix(r.Ignored[0].Reason, "held in quarantine ")):
			l.mu.Lock()
			for _, k := range keys {
				l.acked[k] = true
			}
			l.took = append(l.took, time.Since(began))
			l.mu.Unlock()
			return
		case code != 0 && code != http.StatusServiceUnavailable:
			l.t.Errorf("a lie was answered %d %s", code, text)
			return
		}
		l.mu.Lock()
		l.again++
		l.mu.Unlock()
		select {
		case <-stop:
			return
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// work lies at once with so many senders until done.
func (l *liars) work(senders int, stop <-chan struct{}) (wait func()) {
	var all sync.WaitGroup
	for i := range senders {
		all.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					l.lie(i, stop)
				}
			}
		})
	}
	return all.Wait
}

// causes gives what is held.
func (l *liars) causes() []map[string]any {
	var feed struct{ Quarantine []map[string]any }
	get(l.t, *l.addr.Load(), "/api/v1/feeds/awlr", &feed)
	return feed.Quarantine
}

// accept presses accept until nothing is held; kill, where given, is called while the first is under way.
func (l *liars) accept(kill func()) {
	l.t.Helper()
	eventually(l.t, time.Minute, "all is accepted", func() bool {
		open := 0
		for _, h := range l.causes() {
			if h["state"] == "accepted" {
				continue
			}
			open++
			path := fmt.Sprintf("http://%s/api/v1/feeds/awlr/quarantine/%s", *l.addr.Load(), h["id"])
			if kill != nil {
				go do("POST", path, `{"do":"accept"}`)
				kill()
				kill = nil
				return false
			}
			code, text := do("POST", path, `{"do":"accept"}`)
			if code != http.StatusOK && code != http.StatusServiceUnavailable && code != 0 {
				l.t.Errorf("accept was answered %d %s", code, text)
			}
		}
		return open == 0
	})
}

// check compares what was acknowledged with what the house has.
func (l *liars) check(name string) {
	l.t.Helper()
	things, present, doubled, lost := map[string]bool{}, map[string]int{}, 0, 0
	for k := range l.acked {
		thing, _, _ := strings.Cut(k, " ")
		things[thing] = true
	}
	for thing := range things {
		for k, n := range history(l.t, *l.addr.Load(), thing) {
			present[k] += n
			doubled += n - 1
		}
	}
	for k := range l.acked {
		if present[k] == 0 {
			lost++
		}
	}
	l.t.Logf("ledger %s: readings acknowledged as held %d, present after accept %d, lost %d, doubled %d; sent again %d times", name, len(l.acked), len(present), lost, doubled, l.again)
	if len(l.acked) == 0 || lost+doubled > 0 {
		l.t.Error("the ledger of what was held does not hold")
	}
}

// What was answered "held in quarantine" is there after kill -9 of the server and of its store in the midst of a burst, and again in the midst of
// accepting it: each reading once.
func TestHeldDeliveriesOutliveKills(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := runIn(t, dir, contracted)
	l := newLiars(t, p.addr)
	stop := make(chan struct{})
	wait := l.work(16, stop)
	enough := func() {
		was, _ := l.count()
		eventually(t, 30*time.Second, "some hundred deliveries are held", func() bool { n, _ := l.count(); return n >= was+200 })
	}
	restart := func() {
		p.kill() // and its store with it
		p = runIn(t, dir, contracted)
		l.addr.Store(&p.addr)
	}
	enough()
	restart()
	enough()
	store := p.store()
	if store == 0 || syscall.Kill(store, syscall.SIGKILL) != nil {
		t.Fatalf("the store is process %d", store)
	}
	enough()
	close(stop)
	wait()
	l.accept(func() {
		before := l.held()
		eventually(t, 10*time.Second, "accepting is under way", func() bool { n := l.held(); return n < before })
		restart()
		t.Logf("of %v deliveries %v are held after the kill in the midst of accepting", before, l.held())
	})
	l.check("kill -9 of server and store while lying and while accepting")
}

// held counts the deliveries that are held.
func (l *liars) held() (n float64) {
	for _, h := range l.causes() {
		n += h["deliveries"].(float64)
	}
	return n
}

func (l *liars) count() (deliveries, again int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.took), l.again
}

// Figures: deliveries held a second, and how long a sender waits. KENTONGAN_BIN measures another binary.
func TestFigureOfHeldLedger(t *testing.T) {
	heavy(t)
	for _, senders := range []int{1, 16, 128, -16} { // the last: of as many that tell the truth
		p := runIn(t, t.TempDir(), contracted)
		l := newLiars(t, p.addr)
		if senders < 0 {
			l.good, senders = true, -senders
		}
		stop := make(chan struct{})
		wait := l.work(senders, stop)
		time.Sleep(5 * time.Second)
		close(stop)
		wait()
		slices.Sort(l.took)
		n := len(l.took)
		t.Logf("%d senders, truth %t: %d deliveries/s, p50 %s, p99 %s", senders, l.good, n/5, l.took[n/2].Round(10*time.Microsecond), l.took[n*99/100].Round(10*time.Microsecond))
		p.kill()
	}
}
