package report

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var (
	noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	meta = feeds.Meta{Feed: "lapor", Agency: "pupr", ReceivedAt: noon}
)

func said(change func(*feeds.Report)) feeds.Report {
	r := feeds.Report{ID: "14-01", Channel: "open311", Text: "Jembatan putus", At: moment.Of(noon.Add(-time.Hour)), Position: geo.Position{Lat: -0.8, Lng: 100.6}, Placed: true}
	if change != nil {
		change(&r)
	}
	return r
}

func from(r feeds.Report) Report {
	return From(r, meta, func(*geo.Position) string { return "Kubung" })
}

func TestFrom(t *testing.T) {
	r := from(said(nil))
	if r.ID != "lapor:14-01" || r.Status != Open || r.State != New || r.AreaName != "Kubung" || *r.Lat != -0.8 || r.Cell.Resolution() != geo.ResThing {
		t.Errorf("%+v", r)
	}
	if b, err := json.Marshal(r); err != nil || !strings.Contains(string(b), `"updated_at":null`) {
		t.Errorf("%s, %v", b, err)
	}
	bare := from(said(func(r *feeds.Report) { r.At, r.Placed = moment.Time{}, false }))
	if !bare.At.Equal(noon) || bare.Lng != nil || bare.AreaName != "" || bare.Cell != 0 {
		t.Errorf("%+v", bare)
	}
}

func TestOnlyWhatABrowserMayOpen(t *testing.T) {
	for in, want := range map[string]string{
		"https://a.example/b.jpg": "https://a.example/b.jpg", " http://a.example ": "http://a.example", "javascript:alert(1)": "", "ftp://a.example/b": "",
		"data:image/png;base64,AA": "", "https://u:p@a.example/": "", "//a.example/b": "", "": "", "https://": "",
	} {
		if got := from(said(func(r *feeds.Report) { r.Media = in })).Media; got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func TestRequestID(t *testing.T) {
	nameless := func(change func(*feeds.Report)) string {
		return RequestID(said(func(r *feeds.Report) {
			r.ID = ""
			if change != nil {
				change(r)
			}
		}))
	}
	same := nameless(func(r *feeds.Report) { r.ReceivedAt, r.Index, r.Status = moment.Of(noon), 7, "closed" })
	if RequestID(said(nil)) != "14-01" || nameless(nil) != same || len(same) != 20 {
		t.Errorf("%q, %q", nameless(nil), same)
	}
	if nameless(func(r *feeds.Report) { r.Text = "x" }) == same || nameless(func(r *feeds.Report) { r.Position.Lat++ }) == same {
		t.Error("another account has the same name")
	}
}

func TestRevise(t *testing.T) {
	first := from(said(func(r *feeds.Report) { r.UpdatedAt = moment.Of(noon.Add(-time.Minute)) }))
	for _, c := range []struct {
		name    string
		change  func(*feeds.Report)
		changes []string
	}{
		{"a repeat", func(r *feeds.Report) { r.UpdatedAt = moment.Of(noon) }, nil},
		{"closed", func(r *feeds.Report) { r.Status = "Closed"; r.UpdatedAt = moment.Of(noon) }, []string{"status"}},
		{"closed without a time", func(r *feeds.Report) { r.Status = "closed" }, []string{"status"}},
		{"an earlier version", func(r *feeds.Report) { r.Status = "closed"; r.UpdatedAt = moment.Of(noon.Add(-time.Hour)) }, nil},
		{"no longer dated", func(r *feeds.Report) { r.At = moment.Time{} }, nil},
		{"moved", func(r *feeds.Report) { r.Position.Lng = 100.7; r.Text = "di hilir" }, []string{"text", "place"}},
		{"no place any more", func(r *feeds.Report) { r.Placed = false }, []string{"place"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			next := said(c.change)
			out, changes := first.Revise(From(next, feeds.Meta{Feed: "lapor", Agency: "pupr", ReceivedAt: noon.Add(time.Hour)}, func(*geo.Position) string { return "Kubung" }))
			if !slices.Equal(changes, c.changes) {
				t.Fatalf("changes %v, want %v", changes, c.changes)
			}
			if !out.ReceivedAt.Equal(noon) || out.Revision != 1+min(len(c.changes), 1) || out.State != New {
				t.Errorf("%+v", out)
			}
			if len(c.changes) > 0 && !out.ChangedAt.Equal(noon.Add(time.Hour)) {
				t.Errorf("changed at %s", out.ChangedAt)
			}
		})
	}
}

func TestStanding(t *testing.T) {
	open, closed := from(said(nil)), from(said(func(r *feeds.Report) { r.Status = "closed" }))
	if !open.Standing(noon.Add(Fresh-time.Second)) || open.Standing(noon.Add(Fresh)) || closed.Standing(noon) {
		t.Error("who stands is wrong")
	}
}
