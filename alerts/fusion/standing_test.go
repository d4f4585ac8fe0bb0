package fusion_test

import (
	"slices"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// gauged is a flood that the rule of a gauge has opened, and the alert of that rule.
func gauged(t *testing.T, when time.Time) (*incident.Incident, *alerts.Alert) {
	t.Helper()
	p := at(0, 0)
	in, err := incident.Open(incident.Opening{ID: "in", Number: "1", Type: "flood", Title: "Tinggi muka air", Position: &p, At: when, EventAt: moment.Of(when), Actor: "rule:siaga",
		Evidence: []incident.Evidence{{Kind: "observation", Ref: "awlr:1", Reason: "rule siaga", Weight: 1, At: moment.Of(when)}}})
	if err != nil {
		t.Fatal(err)
	}
	return &in, &alerts.Alert{ID: "a1", Rule: "siaga", Thing: "awlr:1", Event: "Banjir", Severity: cap.Severe, Status: "Actual", State: alerts.Active, Certainty: "Observed", Incident: "in",
		Onset: moment.Of(when), ReceivedAt: moment.Of(when), Sources: []string{"awlr"}, Area: alerts.Feature{Geometry: geo.Shape{Points: []geo.Position{p}}}}
}

// A flood whose gauge still fires is not quiet, however long ago it began; once the gauge is normal, time counts from then on.
func TestWhatAnInstrumentStillTellsOfIsNotQuiet(t *testing.T) {
	const after = 100 * time.Minute
	for _, c := range []struct {
		name   string
		normal time.Duration // after the beginning; 0: it fires still
		gone   bool          // its alert ended without anything being normal: its basis was withdrawn
		ahead  time.Duration // by how much the caller's clock is
		joins  bool
		reason string // of the join or of the question; empty: nobody is even asked
	}{
		{name: "it fires", joins: true, reason: "standing"},
		{name: "normal for ten minutes", normal: 90 * time.Minute, joins: true, reason: "soon"},
		{name: "normal for an hour and a half", normal: 10 * time.Minute, reason: "late"},
		{name: "its basis was withdrawn", gone: true},
		{name: "the caller's clock is ahead", ahead: time.Hour},
	} {
		t.Run(c.name, func(t *testing.T) {
			core := fusion.NewCore(fusion.Options{Table: fusion.DefaultTable(), Attach: func(string) bool { return true }})
			in, a := gauged(t, noon)
			core.Incident(in)
			core.Alert(a)
			if c.normal > 0 {
				in.Prove(incident.Proven{Kind: incident.SensorNormal, Ref: a.Thing, At: moment.Of(noon.Add(c.normal))})
				core.Incident(in)
			}
			if c.normal > 0 || c.gone {
				a.State = alerts.Resolved
				core.Alert(a)
			}
			r := call("1", "Banjir, air masuk rumah", at(150, 0), noon.Add(after), false)
			r.ReceivedAt = moment.Of(noon.Add(after - c.ahead))
			core.Report(&r)
			out := core.Flush()
			var why []fusion.Reason
			for _, j := range out.Joins {
				why = j.Reasons
			}
			if joined := len(out.Joins) == 1; joined != c.joins {
				t.Errorf("joined: %v, want %v", joined, c.joins)
			}
			for _, g := range out.Suggestions {
				if g.Kind == fusion.Join {
					why = g.Reasons
				}
			}
			hints := fusion.Hints(fusion.DefaultTable(), fusion.Draft{Report: "not kept", Text: r.Text, At: new(at(150, 0)), When: r.At.Time, Received: r.ReceivedAt.Time},
				[]incident.Incident{*in}, map[string]bool{in.ID: a.State == alerts.Active}, nil, noon.Add(after+time.Hour))
			if len(hints) != 1 {
				t.Fatalf("%d hints", len(hints))
			}
			if h := hints[0]; (h.Weight >= fusion.JoinAt) != c.joins || c.reason != "" && !slices.ContainsFunc(h.Reasons, func(x fusion.Reason) bool { return x.Code == c.reason }) {
				t.Errorf("whoever takes it down is told %.3f, %v", h.Weight, h.Reasons)
			}
			if c.reason == "" && len(why) > 0 || c.reason != "" && !slices.ContainsFunc(why, func(x fusion.Reason) bool { return x.Code == c.reason }) {
				t.Errorf("reason %q wanted, it has %v", c.reason, why)
			}
		})
	}
}
