package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/server/wire"
)

// several are the settings of servers that share a store. Every crossing is an incident of its own.
const several = `
listen: 127.0.0.1:0
profile: solok
feeds:
  - {name: awlr, format: native, transport: push, kind: river_gauge}
  - {name: pos, format: native, transport: push, kind: river_gauge}
rules:
  - id: muka-air
    when: obs.property == "water_level" && obs.value >= 3.0
    clear: obs.value < 2.5
    samples: 1
    alert: {event: "Muka air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
    incident: {type: flood, merge_radius_m: 1, merge_window: 1s}
`

// beside starts a server on a store that others use too.
func beside(t *testing.T, name, store, settings string) *running {
	t.Helper()
	return launch(t, name, settings, []string{"KENTONGAN_REDIS_URL=" + store, "KENTONGAN_DATA_DIR=" + t.TempDir(), sharedKey(t)})
}

// sharedKey is one file of keys for all servers of a test that stand on one store.
func sharedKey(t *testing.T) string {
	return "KENTONGAN_SECRET_KEY_FILE=" + filepath.Join(filepath.Dir(t.TempDir()), "secret.key")
}

// kill takes a server's store away and ends it, as a power switch would as far as others can see: nothing is said, released or drained.
func (r *running) kill() {
	r.done = true
	_ = r.rdb.Close()
	_ = r.http.Close()
	r.quit()
	<-r.ended
	late, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	_ = r.Stop(late)
}

// ledger sends readings to servers, sends again elsewhere what is not acknowledged, and holds what the house has against what it has said.
type ledger struct {
	t    *testing.T
	mu   sync.Mutex
	up   []string // addresses of servers that take readings
	sent map[string]bool
	ack  map[string]bool

	acts      map[string]bool // titles of incidents that people opened and were told so
	unsure    int             // acts that were refused, and may be there
	gap, mark atomic.Int64    // ns: the longest time without an acknowledgement of a reading, and the last one
	actGap    atomic.Int64    // of an act

	cross   atomic.Int64 // crossings acknowledged
	retries atomic.Int64
	seq     atomic.Int64
	base    time.Time
}

const (
	ledgerThings = 16 // of each sender
	ledgerLines  = 24 // of a delivery
)

func newLedger(t *testing.T, up ...string) *ledger {
	return &ledger{t: t, up: up, sent: map[string]bool{}, ack: map[string]bool{}, acts: map[string]bool{}, base: time.Now().Add(-10 * time.Minute).Truncate(time.Millisecond)}
}

func (l *ledger) servers(up ...string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.up = up
}

func (l *ledger) pick() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.up[rand.IntN(len(l.up))]
}

// work sends until the context ends: readings of its own Things, and every so often one that crosses on a Thing never heard of.
func (l *ledger) work(ctx context.Context, sender int, feed string) {
	for n := 0; ctx.Err() == nil; n++ {
		var body bytes.Buffer
		var keys []string
		for i := range ledgerLines {
			thing, at := fmt.Sprintf("s%d-%d", sender, i%ledgerThings), l.base.Add(time.Duration(l.seq.Add(1))*time.Millisecond)
			value := 1 + float64(n%1000)/1000
			keys = append(keys, fmt.Sprintf("%s:%s %s %g", feed, thing, at.UTC().Format("2006-01-02T15:04:05.000Z"), value))
			fmt.Fprintf(&body, `{"thing":%q,"property":"water_level","value":%g,"at":%q,"lat":%f,"lng":%f}`+"\n", thing, value, at.UTC().Format(time.RFC3339Nano),
				-1.05-float64(sender)*0.02, 100.75+float64(i%ledgerThings)*0.01)
		}
		crosses := n%5 == 2
		if crosses {
			thing, at := fmt.Sprintf("x%d-%d", sender, n), l.base.Add(time.Duration(l.seq.Add(1))*time.Millisecond)
			keys = append(keys, fmt.Sprintf("%s:%s %s %g", feed, thing, at.UTC().Format("2006-01-02T15:04:05.000Z"), 3.4))
			fmt.Fprintf(&body, `{"thing":%q,"property":"water_level","value":3.4,"at":%q,"lat":%f,"lng":%f}`+"\n", thing, at.UTC().Format(time.RFC3339Nano),
				-1.05-float64(sender)*0.02-float64(n%97)*0.0001, 100.75+float64(n%999)*0.0001)
		}
		l.mu.Lock()
		for _, k := range keys {
			l.sent[k] = true
		}
		l.mu.Unlock()
		l.insist(feed, body.Bytes(), keys)
		if crosses {
			l.cross.Add(1)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// insist sends a delivery until somebody acknowledges it.
func (l *ledger) insist(feed string, body []byte, keys []string) {
	began := time.Now()
	for {
		if l.post(l.pick(), feed, body, len(keys)) {
			break
		}
		l.retries.Add(1)
		if time.Since(began) > time.Minute {
			l.t.Error("nobody acknowledges for a minute")
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	now := time.Now().UnixNano()
	if was := l.mark.Swap(now); was != 0 && now-was > l.gap.Load() {
		l.gap.Store(now - was)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, k := range keys {
		l.ack[k] = true
	}
}

// act opens incidents as a person does, until the context ends. Whoever is refused does not know, and opens another.
func (l *ledger) act(ctx context.Context) {
	last := time.Now()
	for n := 0; ctx.Err() == nil; n++ {
		title := fmt.Sprintf("Pohon tumbang %d", n)
		body := fmt.Sprintf(`{"type":"tree_down","title":%q,"severity":"Moderate","lng":100.62,"lat":-0.97}`, title)
		req, err := http.NewRequest("POST", "http://"+l.pick()+"/api/v1/incidents", strings.NewReader(body))
		if err != nil {
			l.t.Error(err)
			return
		}
		req.Header.Set("Authorization", "Bearer "+token)
		req.Header.Set("Content-Type", "application/json")
		code := 0
		if resp, err := ledgerClient.Do(req); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			code = resp.StatusCode
		}
		l.mu.Lock()
		switch {
		case code/100 == 2:
			l.acts[title] = true
			l.actGap.Store(max(l.actGap.Load(), int64(time.Since(last))))
			last = time.Now()
		case code == 0 || code == http.StatusServiceUnavailable:
			l.unsure++
		default:
			l.t.Errorf("an incident was answered %d", code)
		}
		l.mu.Unlock()
		time.Sleep(10 * time.Millisecond)
	}
}

// checkActs compares the incidents that people opened.
func (l *ledger) checkActs(addr, name string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	present := map[string]int{}
	for page := ""; ; {
		var list struct {
			Items    []struct{ Title string }
			NextPage string `json:"next_page"`
		}
		get(l.t, addr, "/api/v1/incidents?limit=1000&type=tree_down&page="+url.QueryEscape(page), &list)
		for _, in := range list.Items {
			present[in.Title]++
		}
		if page = list.NextPage; page == "" {
			break
		}
	}
	lost, doubled := 0, 0
	for title := range l.acts {
		if present[title] == 0 {
			lost++
		}
	}
	for _, n := range present {
		doubled += n - 1
	}
	l.t.Logf("ledger %s: acts acknowledged %d, present %d, lost %d, doubled %d; refused %d of which %d are there; longest time without an act %s",
		name, len(l.acts), len(present), lost, doubled, l.unsure, len(present)-len(l.acts)+lost, time.Duration(l.actGap.Load()).Round(time.Millisecond))
	if lost+doubled > 0 {
		l.t.Error("the ledger of acts does not hold")
	}
}

var ledgerClient = &http.Client{Timeout: 5 * time.Second}

func (l *ledger) post(addr, feed string, body []byte, want int) bool {
	req, err := http.NewRequest("POST", "http://"+addr+"/api/v1/ingest/"+feed, bytes.NewReader(body))
	if err != nil {
		l.t.Error(err)
		return true
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := ledgerClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode == http.StatusServiceUnavailable {
		return false
	}
	var r struct{ Accepted, Duplicates int }
	if resp.StatusCode != http.StatusAccepted || json.Unmarshal(text, &r) != nil || r.Accepted+r.Duplicates != want {
		l.t.Errorf("ingest answered %d %s", resp.StatusCode, text)
	}
	return true
}

// check compares with what a server has, and prints the ledger. It gives how many incidents there are.
func (l *ledger) check(addr, name string) {
	l.t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	present, doubled, ghosts, lost := map[string]bool{}, 0, 0, 0
	things := map[string]bool{}
	for k := range l.sent {
		thing, _, _ := strings.Cut(k, " ")
		things[thing] = true
	}
	for thing := range things {
		for k, n := range history(l.t, addr, thing) {
			doubled += n - 1
			present[k] = true
			if !l.sent[k] {
				ghosts++
			}
		}
	}
	for k := range l.ack {
		if !present[k] {
			lost++
		}
	}
	l.t.Logf("ledger %s: readings acknowledged %d, present %d, lost %d, doubled %d, never sent %d; sent again %d times, longest time without an acknowledgement %s",
		name, len(l.ack), len(present), lost, doubled, ghosts, l.retries.Load(), time.Duration(l.gap.Load()).Round(time.Millisecond))
	if lost+doubled+ghosts > 0 {
		l.t.Error("the ledger of readings does not hold")
	}
}

// get asks a server and wants an answer.
func get(t *testing.T, addr, path string, into any) {
	t.Helper()
	req, err := http.NewRequest("GET", "http://"+addr+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	for tries := 0; ; tries++ {
		code, body, err := fetch(req)
		switch {
		case err != nil: // also an answer that was cut: the client's five seconds are over in the middle of a long list
		case code != http.StatusOK:
			err = fmt.Errorf("%d %.200s", code, body)
		default:
			if err := json.Unmarshal(body, into); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return
		}
		if tries == 20 {
			t.Fatalf("%s: %v", path, err)
		}
		time.Sleep(250 * time.Millisecond)
	}
}

func fetch(req *http.Request) (code int, body []byte, err error) {
	resp, err := ledgerClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

// history counts every reading of a Thing.
func history(t *testing.T, addr, thing string) map[string]int {
	out := map[string]int{}
	for page := ""; ; {
		var list struct {
			Items []struct {
				Value float64 `json:"value"`
				At    string  `json:"at"`
			} `json:"items"`
			NextPage string `json:"next_page"`
		}
		get(t, addr, "/api/v1/things/"+url.PathEscape(thing)+"/observations?limit=1000&page="+url.QueryEscape(page), &list)
		for _, o := range list.Items {
			out[fmt.Sprintf("%s %s %g", thing, o.At, o.Value)]++
		}
		if page = list.NextPage; page == "" {
			return out
		}
	}
}

// incidents counts the incidents that a server lists, by the Thing that opened them.
func incidents(t *testing.T, addr string) map[string]int {
	out := map[string]int{}
	for page := ""; ; {
		var list struct {
			Items []struct {
				ID  string
				Why struct{ Inputs []struct{ Thing string } }
			}
			NextPage string `json:"next_page"`
		}
		get(t, addr, "/api/v1/incidents?limit=1000&page="+url.QueryEscape(page), &list)
		for _, in := range list.Items {
			for _, i := range in.Why.Inputs {
				out[i.Thing]++
			}
		}
		if page = list.NextPage; page == "" {
			return out
		}
	}
}

// mostReturns is how often a viewer comes back: a house that sends its screens away again and again is a fault.
const mostReturns = 3

// viewer watches all of Solok on one server. Told that it was too slow (a machine with much else to do), it comes back, as every screen does.
type viewer struct {
	mu        sync.Mutex
	incidents map[string]bool
	numbers   map[string]bool
	last      map[string]float64 // by Thing: the value it showed last
	ended     chan error
	dial      func() (*websocket.Conn, error)
	returns   atomic.Int64
	heard     atomic.Int64 // messages
}

func watch(t *testing.T, addr string, header http.Header) *viewer {
	t.Helper()
	if header == nil {
		header = http.Header{"Authorization": {"Bearer " + token}}
	}
	dial := func() (*websocket.Conn, error) {
		dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
		c, _, err := dialer.Dial("ws://"+addr+"/api/v1/live?format=json", header)
		if err != nil {
			return nil, err
		}
		return c, c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"]}`))
	}
	c, err := dial()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	v := &viewer{incidents: map[string]bool{}, numbers: map[string]bool{}, last: map[string]float64{}, ended: make(chan error, 1), dial: dial}
	go v.read(c)
	return v
}

func (v *viewer) read(c *websocket.Conn) {
	for {
		_, raw, err := c.ReadMessage()
		if websocket.IsCloseError(err, wire.CloseSlow) && v.returns.Add(1) <= mostReturns {
			_ = c.Close()
			if c, err = v.dial(); err == nil {
				continue
			}
		}
		if err != nil {
			v.ended <- err
			return
		}
		v.heard.Add(1)
		type incident struct{ ID, Number, Type string }
		var m struct {
			Incident  *incident
			Incidents []incident
			Things    []struct {
				ID    string
				State map[string]struct{ Value any }
			}
		}
		if json.Unmarshal(raw, &m) != nil {
			continue
		}
		v.mu.Lock()
		if m.Incident != nil {
			m.Incidents = append(m.Incidents, *m.Incident)
		}
		for _, in := range m.Incidents {
			if in.Type == "flood" { // the others are opened by people
				v.incidents[in.ID], v.numbers[in.Number] = true, true
			}
		}
		for _, th := range m.Things {
			if n, ok := th.State["water_level"].Value.(float64); ok {
				v.last[th.ID] = n
			}
		}
		v.mu.Unlock()
	}
}

func (v *viewer) count() (incidents, numbers int) {
	v.mu.Lock()
	defer v.mu.Unlock()
	return len(v.incidents), len(v.numbers)
}

func (v *viewer) shows(thing string) (float64, bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	n, ok := v.last[thing]
	return n, ok
}

// end says what ended the socket, if it has ended.
func (v *viewer) end() string {
	select {
	case err := <-v.ended:
		return ", it ended: " + err.Error()
	default:
		return ", it is open"
	}
}

// eventually asks until it is so. Within is meant for a machine that does nothing else; who asserts a time looks at the one that is given back.
func eventually(t *testing.T, within time.Duration, what string, ask func() bool) time.Duration {
	t.Helper()
	within *= slower
	began := time.Now()
	for !ask() {
		if time.Since(began) > within {
			t.Errorf("not within %s: %s", within, what)
			return within
		}
		time.Sleep(10 * time.Millisecond)
	}
	return time.Since(began)
}

// crossings waits until every crossing that was acknowledged is exactly one incident, in the list of a server and on sockets.
func (l *ledger) crossings(addr, name string, sockets map[string]*viewer) {
	l.t.Helper()
	want := int(l.cross.Load())
	var got map[string]int
	took := eventually(l.t, 30*time.Second, fmt.Sprintf("%d incidents, last %d", want, len(got)), func() bool { got = incidents(l.t, addr); return len(got) >= want })
	more := 0
	for _, n := range got {
		more += n - 1
	}
	l.t.Logf("ledger %s: crossings acknowledged %d, incidents %d, for a Thing twice %d; all there %s after the last reading", name, want, len(got), more, took.Round(time.Millisecond))
	if len(got) != want || more > 0 {
		l.t.Error("the ledger of incidents does not hold")
	}
	for where, v := range sockets {
		eventually(l.t, 5*time.Second, "all incidents on the socket of "+where, func() bool { n, _ := v.count(); return n >= want })
		n, numbers := v.count()
		l.t.Logf("ledger %s: the socket of %s has shown %d incidents with %d numbers, and came back %d times", name, where, n, numbers, v.returns.Load())
		if n != want || numbers != want {
			l.t.Errorf("the socket of %s shows %d of %d%s", where, n, want, v.end())
		}
	}
}
