//go:build !race

package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/rs/zerolog"

	"kentongan/geo/redistest"
	"kentongan/server/backtest"
	"kentongan/server/config"
)

const houseToken = "0123456789abcdef0123456789abcdef"

// triedRules is one rule of each kind that readings can meet, as JSON, which is YAML.
var triedRules = []string{
	`{"id":"ambang","when":"obs.property == \"water_level\" && obs.value >= 3.0","clear":"obs.value < 2.5",%s}`,
	`{"id":"tahan","when":"obs.property == \"water_level\" && obs.value >= 2.0","samples":1,"for":"500ms","clear_for":"300ms",%s}`,
	`{"id":"beda","when":"obs.property == \"rainfall\" && obs.value >= 20.0","samples":1,"deadband":"10%%","range":[0,50],%s}`,
	`{"id":"laju","when":"obs.property == \"water_level\"","rate":{"of":"1s","per":"1s","rise":1.5},"samples":1,%s}`,
	`{"id":"diam","when":"thing.kind == \"river_gauge\"","absence":{"of":"2s"},%s}`,
	`{"id":"banyak","when":"obs.property == \"rainfall\" && obs.value >= 10.0","count":{"of":"things","at_least":4,"disk":2,"within":"2s"},%s}`,
	`{"id":"pagar","when":"thing.kind == \"truck\"","fence":{"on":"inside","polygon":{"type":"Polygon","coordinates":[[[100.6,-0.9],[100.7,-0.9],[100.7,-0.8],[100.6,-0.8],[100.6,-0.9]]]}},%s}`,
	`{"id":"dua","when":"obs.property == \"rainfall\" && obs.value >= 30.0","samples":3,"corroborate":{"within":"2s","disk":2,"sources":1},%s}`,
}

const triedAlert = `"alert":{"event":"Uji","category":"Met","severity":"Minor","urgency":"Expected","certainty":"Observed"}`

// crossing is what live and its twins are compared by.
type crossing struct{ rule, key, at, inputs, over string }

// TestABackTestAnswersWhatLiveDid: a storm is judged live, on a real store, then its hours are tried again: through the interface out of the
// history, and by replay out of the archive. All three say the same, to the millisecond and the reading.
func TestABackTestAnswersWhatLiveDid(t *testing.T) {
	needRedis(t)
	dir := t.TempDir()
	var list []string
	for _, r := range triedRules {
		list = append(list, fmt.Sprintf(r, triedAlert))
	}
	file := filepath.Join(dir, "k.yaml")
	text := fmt.Sprintf("listen: 127.0.0.1:0\nmqtt_listen: \"\"\nprofile: solok\nredis_url: %s\ndata_dir: %s\nadmin_token: %s\nfeeds:\n"+
		"  - {name: awlr, format: native, transport: push, kind: river_gauge}\n  - {name: truk, format: native, transport: push, kind: truck}\nrules: [%s]\n",
		redistest.Private(t).URL(), filepath.Join(dir, "data"), houseToken, strings.Join(list, ",\n"))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ask := house(t, file)
	from := time.Now().Add(-5 * time.Second)
	seed := time.Now().UnixNano()
	t.Logf("seed %d", seed)
	storm(t, ask, rand.New(rand.NewPCG(uint64(seed), 1)))
	live := settled(t, ask)
	to := time.Now()
	if len(live) < 100 {
		t.Errorf("only %d crossings: the storm is none", len(live))
	}
	by := map[string]int{}
	for _, c := range live {
		by[c.rule]++
	}
	t.Logf("live: %d crossings: %v", len(live), by)
	for _, id := range []string{"ambang", "tahan", "beda", "laju", "diam", "banyak", "pagar", "dua", "sensor-fault"} {
		if by[id] == 0 {
			t.Errorf("nothing of rule %s", id)
		}
	}

	var tried []crossing
	for i, r := range list {
		body := fmt.Sprintf(`{"rule":%s,"from":%q,"to":%q}`, r, from.UTC().Format(time.RFC3339Nano), to.UTC().Format(time.RFC3339Nano))
		var got backtest.Result
		ask("POST", "/api/v1/rules/backtest", body, &got)
		if !got.Complete || got.Source != backtest.SourceHistory || got.Readings == 0 || got.Fired != len(got.Alerts) {
			t.Errorf("back-test %d: %+v", i, got)
		}
		tried = append(tried, crossings(got.Alerts)...)
	}
	alike(t, "the back-test", slices.DeleteFunc(slices.Clone(live), func(c crossing) bool { return c.rule == "sensor-fault" }), tried)

	var out, errOut strings.Builder
	code := Main([]string{"replay", filepath.Join(dir, "data", "raw"), "--rules", file, "--config", file, "--to", to.UTC().Format(time.RFC3339Nano), "--json"}, nil, &out, &errOut)
	if code != exitOK {
		t.Fatalf("%d %s", code, errOut.String())
	}
	var played []backtest.Raised
	for line := range strings.Lines(out.String()) {
		var a backtest.Raised
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		played = append(played, a)
	}
	alike(t, "replay", live, crossings(played))
}

// house runs a server until the test ends, and gives a way to ask it.
func house(t *testing.T, file string) func(method, path, body string, into any) {
	cfg, faults := config.Load(config.Source{File: file})
	if len(faults) > 0 {
		t.Fatal(faults)
	}
	log := &bytes.Buffer{}
	a, err := begin(t.Context(), &cfg, zerolog.New(zerolog.SyncWriter(log)), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- a.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		late, done := context.WithTimeout(context.Background(), 10*time.Second)
		defer done()
		if err := a.Stop(late); err != nil {
			t.Error(err)
		}
	})
	select {
	case <-a.Ready():
	case <-time.After(20 * time.Second):
		t.Fatal("not ready")
	}
	return func(method, path, body string, into any) {
		t.Helper()
		req, err := http.NewRequest(method, "http://"+a.Addr()+path, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", "Bearer "+houseToken)
		if method == "POST" && !strings.HasPrefix(body, "{\"rule\"") {
			req.Header.Set("Content-Type", "application/x-ndjson")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		b, err := io.ReadAll(resp.Body)
		if err != nil || resp.StatusCode/100 != 2 {
			t.Fatalf("%s %s: %d %.300s %v", method, path, resp.StatusCode, b, err)
		}
		if into != nil {
			if err := json.Unmarshal(b, into); err != nil {
				t.Fatalf("%s: %v", b, err)
			}
		}
	}
}

// storm sends four seconds of readings: late, doubled, out of order, without a time, out of range, from a clock that is a day ahead.
func storm(t *testing.T, ask func(string, string, string, any), rng *rand.Rand) {
	end := time.Now().Add(4 * time.Second)
	var last []string
	for n := 0; time.Now().Before(end); n++ {
		var lines []string
		for range 30 {
			i, now := rng.IntN(24), time.Now()
			at := now.Add(-time.Duration(rng.IntN(1500)) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z")
			lat, lng := -0.83-float64(i%6)*0.0004, 100.63+float64(i/6)*0.0004
			switch {
			case i == 23 && n%4 == 0:
				at = now.Add(24 * time.Hour).UTC().Format(time.RFC3339)
				fallthrough
			case i%2 == 0:
				lines = append(lines, fmt.Sprintf(`{"thing":"g%d","property":"water_level","value":%.2f,"unit":"m","at":%q,"lat":%f,"lng":%f}`, i, 4*rng.Float64(), at, lat, lng))
			case i == 21:
				lines = append(lines, fmt.Sprintf(`{"thing":"g%d","property":"rainfall","value":%d,"at":%q,"lat":%f,"lng":%f}`, i, 60+rng.IntN(9), at, lat, lng))
			default:
				lines = append(lines, fmt.Sprintf(`{"thing":"g%d","property":"rainfall","value":%.2f,"at":%q,"lat":%f,"lng":%f}`, i, 40*rng.Float64(), at, lat, lng))
			}
		}
		lines = append(lines, fmt.Sprintf(`{"thing":"u%d","property":"water_level","value":%.2f,"lat":-0.95,"lng":100.7}`, rng.IntN(3), 4*rng.Float64())) // no time of its own
		if n%3 == 0 {
			lines = append(lines, last...)
		}
		last = lines
		ask("POST", "/api/v1/ingest/awlr", strings.Join(lines, "\n")+"\n", nil)
		at := time.Now().Add(-time.Duration(rng.IntN(300)) * time.Millisecond).UTC().Format("2006-01-02T15:04:05.000Z")
		ask("POST", "/api/v1/ingest/truk", fmt.Sprintf(`{"thing":"t%d","property":"speed","value":5,"at":%q,"lat":%f,"lng":%f}`+"\n", rng.IntN(3), at, -0.8-0.2*rng.Float64(), 100.65), nil)
		time.Sleep(30 * time.Millisecond)
	}
}

// settled waits until no more alerts come, and gives what they say.
func settled(t *testing.T, ask func(string, string, string, any)) []crossing {
	var out []crossing
	still, before := 0, ""
	for end := time.Now().Add(90 * time.Second); still < 8; time.Sleep(500 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("alerts have not come to an end")
		}
		out = nil
		for page := ""; ; {
			var list struct {
				Items []struct {
					ID, Rule, Thing, State, Description string
				}
				NextPage string `json:"next_page"`
			}
			ask("GET", "/api/v1/alerts?limit=1000&page="+page, "", &list)
			for _, a := range list.Items {
				id, err := ulid.ParseStrict(a.ID)
				if err != nil {
					t.Fatal(err)
				}
				out = append(out, crossing{a.Rule, a.Thing, time.UnixMilli(int64(id.Time())).UTC().Format("15:04:05.000"), a.Description, fmt.Sprint(a.State != "active")})
			}
			if page = list.NextPage; page == "" {
				break
			}
		}
		if now := fmt.Sprint(out); now == before {
			still++
		} else {
			still, before = 0, now
		}
	}
	return out
}

func crossings(list []backtest.Raised) []crossing {
	var out []crossing
	for _, a := range list {
		var said []string
		for _, i := range a.Inputs {
			said = append(said, strings.TrimSpace(fmt.Sprintf("%s %v %s", i.Property, i.Value, i.Unit)))
		}
		out = append(out, crossing{a.Rule, a.Key, a.At.UTC().Format("15:04:05.000"), strings.Join(said, ", "), fmt.Sprint(a.Until != nil)})
	}
	return out
}

// alike compares sets.
func alike(t *testing.T, name string, want, got []crossing) {
	t.Helper()
	count := map[crossing]int{}
	for _, c := range want {
		count[c]++
	}
	for _, c := range got {
		count[c]--
	}
	wrong := 0
	for c, n := range count {
		if n == 0 {
			continue
		}
		if wrong++; wrong <= 12 {
			t.Errorf("%s: %+v is there %d times less than live", name, c, n)
		}
	}
	t.Logf("%s: %d crossings, live %d, %d differ", name, len(got), len(want), wrong)
}
