package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"

	"kentongan/feeds/formats"
	"kentongan/feeds/runner"
	"kentongan/server/config"
)

const token = "0123456789abcdef0123456789abcdef"

const settings = `
listen: 127.0.0.1:0
profile: solok
feeds:
  - {name: awlr, format: native, transport: push, kind: river_gauge}
rules:
  - id: muka-air
    when: obs.property == "water_level" && obs.value >= 3.0
    clear: obs.value < 2.5
    samples: 1
    alert: {event: "Muka air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
    incident: {type: flood, merge_radius_m: 1500, merge_window: 30m}
`

// logged is a log that tests read.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(b) }
func (l *logged) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// running is a whole house on a free port.
type running struct {
	*App
	t    *testing.T
	log  *logged
	end  func() error // drains and stops
	quit context.CancelFunc
	done bool

	ended chan error // what Run gave
}

func serve(t *testing.T, dir string, before ...func(*App)) *running {
	t.Helper()
	return launch(t, "test", settings, []string{"KENTONGAN_DATA_DIR=" + dir}, before...)
}

// launch builds and runs a server, and returns once it is ready.
func launch(t *testing.T, version, settings string, env []string, before ...func(*App)) *running {
	t.Helper()
	file := filepath.Join(t.TempDir(), "k.yaml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	source := config.Source{File: file, Env: append(env, "KENTONGAN_ADMIN_TOKEN="+token), Formats: formats.Names()}
	cfg, faults := config.Load(source)
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	l := &logged{}
	a, err := New(t.Context(), cfg, version, zerolog.New(l), prometheus.NewRegistry())
	if err != nil {
		t.Fatal(err)
	}
	a.Source(source)
	for _, f := range before {
		f(a)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	r := &running{App: a, t: t, log: l, ended: ended, quit: cancel}
	r.end = func() error {
		if r.done {
			return nil
		}
		r.done = true
		cancel()
		if err := <-ended; err != nil {
			return err
		}
		late, stop := context.WithTimeout(context.Background(), slower*10*time.Second)
		defer stop()
		return a.Stop(late)
	}
	t.Cleanup(func() {
		if err := r.end(); err != nil {
			t.Errorf("%v\n%s", err, l)
		}
	})
	select {
	case <-a.Ready():
	case <-time.After(slower * 30 * time.Second):
		t.Fatalf("not ready within %s\n%s", slower*30*time.Second, l)
	}
	return r
}

func (r *running) ask(method, path, body string) (int, map[string]any) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.Addr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	var doc map[string]any
	_ = json.Unmarshal(b, &doc)
	return resp.StatusCode, doc
}

func needRedis(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err == nil {
		return
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("redis-server is not on PATH")
	}
	t.Skip("redis-server is not on PATH; install it (Debian: apt-get install redis-server)")
}

// A reading crosses, an incident comes down the socket, the server stops and starts, and all of it is still there.
func TestFromReadingToSocketAndOverARestart(t *testing.T) {
	t.Parallel()
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	r := serve(t, dir)
	if code, doc := r.ask("GET", "/readyz", ""); code != 200 || doc["storage"] != "durable" {
		t.Fatalf("%d %v", code, doc)
	}
	if !strings.Contains(r.log.String(), `"addr":"`+r.Addr()+`","message":"listening"`) {
		t.Errorf("no listening line:\n%s", r.log)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	c, _, err := dialer.Dial("ws://"+r.Addr()+"/api/v1/live?format=json", http.Header{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"]}`)); err != nil {
		t.Fatal(err)
	}
	code, receipt := r.ask("POST", "/api/v1/ingest/awlr", `{"thing":"dev-12","name":"AWLR","property":"water_level","value":3.4,"unit":"m","lat":-0.83,"lng":100.63}`)
	if code != 202 || receipt["accepted"] != 1.0 {
		t.Fatalf("%d %v", code, receipt)
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	var kinds []string
	for seen := false; !seen; {
		_, raw, err := c.ReadMessage()
		if err != nil {
			t.Fatalf("%v after %v", err, kinds)
		}
		var m struct {
			Type      string
			Incident  *struct{ Number string }
			Incidents []struct{ Number string }
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, m.Type)
		seen = m.Incident != nil && strings.HasPrefix(m.Incident.Number, "SLK-") || len(m.Incidents) == 1
	}
	if kinds[0] != "hello" {
		t.Errorf("first came %s", kinds[0])
	}
	ended := make(chan error, 1)
	go func() {
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				ended <- err
				return
			}
		}
	}()
	began := time.Now()
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the drain took %v", took)
	}
	if err := <-ended; !websocket.IsCloseError(err, websocket.CloseGoingAway) {
		t.Errorf("the socket ended with %v, want 1001", err)
	}
	again := serve(t, dir)
	if code, doc := again.ask("GET", "/api/v1/things/awlr:dev-12", ""); code != 200 || doc["kind"] != "river_gauge" {
		t.Errorf("after a restart: %d %v", code, doc)
	}
	if _, doc := again.ask("GET", "/api/v1/incidents?status=open", ""); len(doc["items"].([]any)) != 1 {
		t.Errorf("incidents after a restart: %v", doc)
	}
	if _, doc := again.ask("GET", "/api/v1/things/awlr:dev-12/observations", ""); len(doc["items"].([]any)) != 1 {
		t.Errorf("history after a restart: %v", doc)
	}
	if again.epoch != r.epoch {
		t.Error("a restart began a new epoch")
	}
}

// History is walked in pages that neither lose nor repeat a line.
func TestHistoryInPages(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, filepath.Join(t.TempDir(), "data"))
	base := time.Now().Add(-time.Minute).UTC()
	const total = 57
	for i := 0; i < total; {
		var lines strings.Builder
		for range 10 {
			if i < total {
				fmt.Fprintf(&lines, `{"thing":"g","property":"p","value":%d,"at":"%s","lat":-0.83,"lng":100.63}`+"\n", i, base.Add(time.Duration(i)*time.Second).Format(time.RFC3339Nano))
				i++
			}
		}
		if code, doc := r.ask("POST", "/api/v1/ingest/awlr", lines.String()); code != 202 {
			t.Fatalf("%d %v", code, doc)
		}
	}
	next, want := "", float64(total-1)
	for pages := 0; ; pages++ {
		_, doc := r.ask("GET", "/api/v1/things/awlr:g/observations?limit=7&page="+next, "")
		for _, item := range doc["items"].([]any) {
			if v := item.(map[string]any)["value"]; v != want {
				t.Fatalf("page %d: %v, want %v", pages, v, want)
			}
			want--
		}
		if next = doc["next_page"].(string); next == "" {
			break
		}
	}
	if want != -1 {
		t.Errorf("the walk ended before %v", want)
	}
	from, to := base.Add(10*time.Second).Format(time.RFC3339Nano), base.Add(20*time.Second).Format(time.RFC3339Nano)
	if _, doc := r.ask("GET", "/api/v1/things/awlr:g/observations?from="+from+"&to="+to, ""); len(doc["items"].([]any)) != 10 {
		t.Errorf("from and to: %d", len(doc["items"].([]any)))
	}
}

func TestEmptiedStoreIsNoticed(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, filepath.Join(t.TempDir(), "data"))
	if err := r.rdb.FlushDB(t.Context()).Err(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), slower*20*time.Second)
	defer cancel()
	if err := r.watchEpoch(ctx); err != ErrNewEpoch {
		t.Errorf("%v", err)
	}
	// Run has noticed as well, and says so.
	r.done = true
	late, stop := context.WithTimeout(context.Background(), slower*10*time.Second)
	defer stop()
	if err := r.Stop(late); err != nil {
		t.Error(err)
	}
}

func TestStackStopsTheNewestFirstAndAll(t *testing.T) {
	var s stack
	var order []string
	for _, name := range []string{"a", "b", "c"} {
		s.push(name, func(context.Context) error {
			order = append(order, name)
			if name == "b" {
				return fmt.Errorf("b does not want to")
			}
			return nil
		})
	}
	err := s.stop(t.Context())
	if got := strings.Join(order, ""); got != "cba" || err == nil || !strings.Contains(err.Error(), "stop b") {
		t.Errorf("%s %v", got, err)
	}
	if s.stop(t.Context()) != nil || len(order) != 3 {
		t.Error("stopped twice")
	}
}

func TestReplaySniffsEveryFile(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"gempa/bmkg-auto.json":  `{"Infogempa":{"gempa":{}}}`,
		"gempa/week.geojson":    `{"metadata":{"url":"https://earthquake.usgs.gov/x"}}`,
		"gempa/notes.txt":       "nothing",
		"peringatan/one.cap":    `<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>`,
		"peringatan/two.xml":    `<?xml version="1.0"?><alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"/>`,
		"sensor/AWLR 1.ndjson":  `{"thing":"a"}`,
		".hidden/x.ndjson":      `{"thing":"a"}`,
		"sensor/sub/ndjson.zip": "x",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	push, poll := runner.DefaultConfig(), runner.DefaultConfig()
	push.Name, push.Format, poll.Name, poll.Format, poll.Transport = "p", "native", "q", "usgs", runner.Poll
	got, err := Replay(dir, []runner.FeedConfig{push, poll})
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, f := range got {
		rel := ""
		if f.Path != "" {
			rel, _ = filepath.Rel(dir, f.Path)
		}
		lines = append(lines, f.Name+" "+f.Format+" "+filepath.ToSlash(rel))
		if f.Transport == runner.File && (!f.Simulated || !f.Shift || f.Loop != (f.Format == "native")) {
			t.Errorf("%s is not marked: %+v", f.Name, f)
		}
		if errs := f.Validate(); f.Transport == runner.File && len(errs) > 0 {
			t.Errorf("%s: %v", f.Name, errs)
		}
	}
	want := "p native |bmkg-auto bmkg gempa/bmkg-auto.json|week usgs gempa/week.geojson|peringatan cap peringatan|awlr-1 native sensor/AWLR 1.ndjson"
	if text := strings.Join(lines, "|"); text != want {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if _, err := Replay(t.TempDir(), nil); err == nil {
		t.Error("an empty folder plays")
	}
}

// TestEmptiedStoreAcknowledgesNothing kills the store and takes its file away: from then on nothing of the old life may be told.
func TestEmptiedStoreAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	r := serve(t, dir)
	body := `{"thing":"a","property":"water_level","value":1,"unit":"m","at":"` + time.Now().UTC().Format(time.RFC3339) + `","lng":100.63,"lat":-0.83}`
	if status, doc := r.ask("POST", "/api/v1/ingest/awlr", body); status != http.StatusAccepted || doc["accepted"] != 1.0 {
		t.Fatalf("%d %v", status, doc)
	}
	pid, err := os.ReadFile(filepath.Join(dir, "store.pid"))
	if err != nil {
		t.Fatal(err)
	}
	process, err := strconv.Atoi(strings.TrimSpace(string(pid)))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(process, syscall.SIGSTOP); err != nil { // so that it writes no more
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "store", "appendonlydir")); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(process, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	// Run gives up as soon as anything asks; until then every answer is 503.
	for end := time.Now().Add(20 * time.Second); len(r.ended) == 0; time.Sleep(5 * time.Millisecond) {
		if status, doc := r.ask("POST", "/api/v1/ingest/awlr", body); status != http.StatusServiceUnavailable {
			t.Fatalf("answered %d %v", status, doc)
		}
		if time.Now().After(end) {
			t.Fatal("not noticed within 20 s")
		}
	}
	if err := r.end(); !errors.Is(err, ErrNewEpoch) {
		t.Errorf("Run ended with %v", err)
	}
	late, stop := context.WithTimeout(context.Background(), slower*10*time.Second)
	defer stop()
	if err := r.Stop(late); err != nil {
		t.Error(err)
	}
}

// TestEmptiedIsAWarning as long as the new life lasts.
func TestEmptiedIsAWarning(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, filepath.Join(t.TempDir(), "data"), func(a *App) { a.Emptied(time.Now()) })
	if _, doc := r.ask("GET", "/readyz", ""); !strings.Contains(fmt.Sprint(doc["warnings"]), "EMPTY") {
		t.Errorf("%v", doc)
	}
}
