package api

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/figures/figurestest"
	"kentongan/alerts/incident"
)

// month fills the store with two simulated months that end at an instant, as a server of before would have left it: without the index.
func (h *house) month(t testing.TB, seed uint64, n int, end time.Time) []incident.Incident {
	t.Helper()
	return h.fill(t, figurestest.Draw{Seed: seed, From: end.AddDate(0, 0, -60), To: end, N: n, Now: end})
}

func (h *house) fill(t testing.TB, d figurestest.Draw) []incident.Incident {
	t.Helper()
	ctx := context.Background()
	all := figurestest.Incidents(d)
	for part := range slices.Chunk(all, 500) {
		pipe := h.rdb.Pipeline()
		for _, in := range part {
			doc, err := json.Marshal(struct {
				V int `json:"v"`
				incident.Incident
			}{1, in})
			if err != nil {
				t.Fatal(err)
			}
			pipe.HSet(ctx, h.keys.Incident(in.ID), "rev", "1", "doc", doc, "own", "", "step", "")
			pipe.ZAdd(ctx, h.keys.Incidents(), redis.Z{Score: float64(in.OpenedAt.Milli()), Member: in.ID})
			if in.Status.Open() {
				pipe.SAdd(ctx, h.keys.IncidentsOpen(), in.ID)
			}
		}
		if _, err := pipe.Exec(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// figuresOf walks a briefing and gives every query of records with the n that stands beside it.
func figuresOf(doc any, found func(query string, n int, of map[string]any)) {
	switch d := doc.(type) {
	case map[string]any:
		if q, ok := d["records"].(string); ok && q != "" {
			n, _ := d["n"].(float64)
			found(q, int(n), d)
		}
		for _, v := range d {
			figuresOf(v, found)
		}
	case []any:
		for _, v := range d {
			figuresOf(v, found)
		}
	}
}

// Every figure of a briefing opens exactly the incidents that it counts.
func TestEveryFigureListsItsIncidents(t *testing.T) {
	h := build(t)
	end := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	h.month(t, 11, 900, end)
	b := h.want(h.admin("GET", "/api/v1/briefing?from="+end.AddDate(0, 0, -1).Format(time.RFC3339)+"&to="+end.Format(time.RFC3339), ""), 200)
	asked := map[string]bool{}
	total := 0
	figuresOf(b, func(query string, n int, of map[string]any) {
		if asked[query] {
			return
		}
		asked[query] = true
		if of["as_of"] != b["as_of"] && of["code"] != "feeds" {
			t.Errorf("%s: as of %v", query, of["as_of"])
		}
		got := 0
		for page := ""; ; {
			list := h.want(h.admin("GET", "/api/v1/incidents?limit=1000&"+query+page, ""), 200)
			items, _ := list["items"].([]any)
			got += len(items)
			next, _ := list["next_page"].(string)
			if next == "" {
				break
			}
			page = "&page=" + url.QueryEscape(next)
		}
		if got != n {
			t.Errorf("%s: lists %d, the figure says %d", query, got, n)
		}
		total += got
	})
	if len(asked) < 40 || total == 0 {
		t.Errorf("%d queries, %d incidents: too few to say anything", len(asked), total)
	}
}

// The same record gives the same hash, whenever somebody asks; an incident more gives another.
func TestSameRecordSameHash(t *testing.T) {
	h := build(t)
	end := time.Now().UTC().Truncate(time.Hour).Add(-24 * time.Hour)
	h.month(t, 12, 600, end)
	path := "/api/v1/briefing?from=" + end.AddDate(0, 0, -30).Format(time.RFC3339) + "&to=" + end.Format(time.RFC3339)
	first := h.want(h.admin("GET", path, ""), 200)
	hash, _ := first["hash"].(string)
	if len(hash) != 64 {
		t.Fatalf("hash %q", hash)
	}
	// What comes after the period changes nothing of it; nor does the index made anew.
	h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","lng":100.63,"lat":-0.83}`), 201)
	h.rdb.Del(context.Background(), h.keys.Figures(), h.keys.FigureCase(), h.keys.FiguresMade())
	for _, lang := range []string{"", "&lang=id", "&lang=en"} {
		if again := h.want(h.admin("GET", path+lang, ""), 200); again["hash"] != hash {
			t.Errorf("%s: %v, was %s", lang, again["hash"], hash)
		}
	}
	h.month(t, 13, 5, end.Add(-time.Hour))
	h.rdb.Del(context.Background(), h.keys.FiguresMade())
	if again := h.want(h.admin("GET", path, ""), 200); again["hash"] == hash {
		t.Error("five incidents more and the same hash")
	}
}

func TestBriefingIsBounded(t *testing.T) {
	h := build(t)
	now := time.Now().UTC()
	for _, c := range []struct{ query, field string }{
		{"from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "query.from"},
		{"from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z", "query.from"},
		{"as_of=" + now.Add(time.Hour).Format(time.RFC3339), "query.as_of"},
		{"lang=de", "query.lang"},
		{"from=yesterday", "query.from"},
	} {
		w := h.admin("GET", "/api/v1/briefing?"+c.query, "")
		if w.Code != 422 || !strings.Contains(w.Body.String(), c.field) {
			t.Errorf("%s: %d %s", c.query, w.Code, w.Body)
		}
	}
	for _, query := range []string{"figure=response", "figure=response&as_of=2026-01-01T00:00:00Z", "figure=open&as_of=2026-01-01T00:00:00Z&status=open", "figure=none", "figure=open&as_of=2026-01-01T00:00:00Z&cell=88",
		"figure=open&as_of=2026-01-01T00:00:00Z&page=x"} {
		if w := h.admin("GET", "/api/v1/incidents?"+query, ""); w.Code != 422 {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
	empty := h.want(h.admin("GET", "/api/v1/briefing", ""), 200)
	times, _ := empty["times"].(map[string]any)
	response, _ := times["response"].(map[string]any)
	if response["n"] != 0.0 || response["p50_s"] != nil || response["hidden"] != true {
		t.Errorf("nothing is known, and it says %v", response)
	}
	if from, to := periodOf(t, empty); to.Sub(from) != 24*time.Hour || to.After(now) || now.Sub(to) > 25*time.Hour {
		t.Errorf("by itself it is of %v to %v", from, to)
	}
}

func periodOf(t *testing.T, doc map[string]any) (from, to time.Time) {
	t.Helper()
	p, _ := doc["period"].(map[string]any)
	var err error
	if from, err = time.Parse(time.RFC3339, p["from"].(string)); err != nil {
		t.Fatal(err)
	}
	if to, err = time.Parse(time.RFC3339, p["to"].(string)); err != nil {
		t.Fatal(err)
	}
	return from, to
}

// BenchmarkBriefing answers from a real redis that holds a year of 100,000 incidents: the last day, and the whole year.
func BenchmarkBriefing(b *testing.B) {
	h := build(b)
	end := time.Now().UTC().Truncate(time.Hour).Add(-time.Hour)
	h.fill(b, figurestest.Draw{Seed: 21, From: end.AddDate(-1, 0, 0), To: end, N: 100_000, Now: end})
	if err := h.cases.IndexFigures(context.Background()); err != nil {
		b.Fatal(err)
	}
	for name, from := range map[string]time.Time{"day": end.AddDate(0, 0, -1), "year": end.AddDate(-1, 0, 1)} {
		path := "/api/v1/briefing?from=" + from.Format(time.RFC3339) + "&to=" + end.Format(time.RFC3339)
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h.want(h.admin("GET", path, ""), 200)
			}
		})
	}
}
