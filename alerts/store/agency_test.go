package store

import (
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

func TestChainOfOneSender(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		first := message("A", nil)
		a := s.mustPut(t, first, "cap", "bpbd", Stored)
		if r := s.mustPut(t, message("A", func(m *cap.Message) { m.Infos[0].Headline = "lain" }), "cap", "bpbd", Duplicate); r.Alert != a.Alert {
			t.Errorf("the same identity is %s, was %s", r.Alert, a.Alert)
		}
		s.mustPut(t, first, "mirror", "", Duplicate)
		if got := s.mustAlert(t, a.Alert); len(got.Sources) != 2 || got.Headline != "Banjir di hilir" {
			t.Errorf("heard twice: %v %q", got.Sources, got.Headline)
		}
		// Another feed may neither end nor update it; a new alert it may of course be.
		s.mustPut(t, message("X", update("Cancel", first)), "mirror", "", Ignored)
		s.mustPut(t, message("Y", func(m *cap.Message) { update("Cancel", first)(m); m.Sender = "else@example.org" }), "cap", "bpbd", Ignored)
		s.mustPut(t, message("Z", update("Update", first)), "mirror", "", Stored)
		if got := s.mustAlert(t, a.Alert); got.State != alerts.Active {
			t.Fatalf("a stranger has made it %s", got.State)
		}
		// Nor may another feed of the same agency.
		s.mustPut(t, message("W", update("Cancel", first)), "cap2", "bpbd", Ignored)
		second := message("B", update("Update", first))
		b := s.mustPut(t, second, "cap", "bpbd", Stored)
		if got := s.mustAlert(t, a.Alert); got.State != alerts.Updated {
			t.Errorf("updated one is %s", got.State)
		}
		if got := s.mustAlert(t, b.Alert); got.Revision != 2 || len(got.Supersedes) != 1 {
			t.Errorf("update: %+v", got)
		}
		end := message("C", update("Cancel", second))
		s.mustPut(t, end, "cap", "bpbd", Stored)
		s.mustPut(t, end, "cap", "bpbd", Duplicate)
		if got := s.mustAlert(t, b.Alert); got.State != alerts.Cancelled {
			t.Errorf("cancelled one is %s", got.State)
		}
		s.mustPut(t, message("D", update("Ack", second)), "cap", "", Ignored)
	})
}

func TestChildBeforeParent(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		first, second := message("A", nil), message("P", nil)
		s.mustPut(t, message("forged", update("Cancel", first)), "stranger", "", Stored)
		u := s.mustPut(t, message("B", update("Update", first)), "cap", "", Stored)
		a := s.mustPut(t, first, "cap", "", Stored)
		if got := s.mustAlert(t, a.Alert); got.State != alerts.Updated {
			t.Errorf("late parent is %s, want updated", got.State)
		}
		if got := s.mustAlert(t, u.Alert); got.State != alerts.Active || len(got.Supersedes) != 1 {
			t.Errorf("update: %+v", got)
		}
		s.mustPut(t, message("Q", update("Cancel", second)), "cap", "", Stored)
		p := s.mustPut(t, second, "cap", "", Stored)
		if got := s.mustAlert(t, p.Alert); got.State != alerts.Cancelled {
			t.Errorf("late parent is %s, want cancelled", got.State)
		}
	})
}

func TestDryRunDecidesAndWritesNothing(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		dry := func(a feeds.Alert, want Kind) {
			t.Helper()
			r, err := s.PutAgencyAlert(t.Context(), a, feeds.Meta{Feed: "cap", ReceivedAt: noon, Dry: true})
			if err != nil || r.Kind != want {
				t.Errorf("%s: %+v, %v, want %s", a.Message.Identifier, r, err, want)
			}
		}
		first := message("A", func(m *cap.Message) { m.Infos[0].Event = "Siaga I" })
		dry(first, Stored)
		dry(first, Stored)
		dry(message("C", update("Cancel")), Ignored)
		dry(quakeOf("bmkg", "q1", 6.6, noon, center, []string{"k1"}), Stored)
		s.mustIncidents(t, Query{}, 0)
		if all, _, err := s.Alerts(t.Context(), Query{}); err != nil || len(all) != 0 {
			t.Errorf("%d alerts, %v", len(all), err)
		}
		a := s.mustPut(t, first, "cap", "", Stored)
		dry(first, Duplicate)
		dry(message("D", update("Cancel", first)), Stored)
		if got := s.mustAlert(t, a.Alert); got.State != alerts.Active {
			t.Errorf("a dry Cancel has made it %s", got.State)
		}
	})
}

func TestOlderVersionOfAnEarthquakeIsLate(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		origin := noon.Add(-time.Hour)
		version := func(m float64, updated time.Time) feeds.Alert {
			a := quakeOf("usgs", "us1", m, origin, center, []string{"us1"})
			a.Message.Sent = moment.Of(updated)
			return a
		}
		a := s.mustPut(t, version(5.0, origin.Add(time.Minute)), "usgs", "", Stored)
		s.mustPut(t, version(5.4, origin.Add(9*time.Minute)), "usgs", "", Stored)
		s.mustPut(t, version(5.0, origin.Add(time.Minute)), "usgs", "", Duplicate)
		if got := s.mustAlert(t, a.Alert); *got.Quake.Magnitude != 5.4 || got.Revision != 2 {
			t.Errorf("an older version has made it M %v, revision %d", *got.Quake.Magnitude, got.Revision)
		}
		s.mustPut(t, version(5.2, origin.Add(10*time.Minute)), "usgs", "", Stored)
		if got := s.mustAlert(t, a.Alert); *got.Quake.Magnitude != 5.2 || got.Revision != 3 {
			t.Errorf("the newest version is M %v, revision %d", *got.Quake.Magnitude, got.Revision)
		}
	})
}

func TestUpdateWithoutReferencesIsAGuess(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		a := s.mustPut(t, message("A", nil), "cap", "", Stored)
		b := s.mustPut(t, message("B", update("Update")), "cap", "", Stored)
		if got := s.mustAlert(t, a.Alert); got.State != alerts.Updated {
			t.Errorf("guessed parent is %s", got.State)
		}
		if got := s.mustAlert(t, b.Alert); got.Parameters["supersedes"] != "guess" {
			t.Errorf("parameters %v", got.Parameters)
		}
		s.mustPut(t, message("C", update("Cancel")), "cap", "", Ignored)
	})
}

func TestConsentAndExpiry(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		gate := func(id string, change func(*cap.Message)) feeds.Alert {
			return message(id, func(m *cap.Message) {
				m.Infos[0].Event = "Siaga I"
				if change != nil {
					change(m)
				}
			})
		}
		s.mustPut(t, message("plain", nil), "cap", "", Stored)
		s.mustPut(t, gate("drill", func(m *cap.Message) { m.Status = "Exercise" }), "cap", "", Stored)
		s.mustIncidents(t, Query{}, 0)
		first := gate("gate", nil)
		r := s.mustPut(t, first, "cap", "", Stored)
		in := s.mustIncidents(t, Query{Status: "open", Type: "flood", Agency: "pupr", Text: "siaga"}, 1)[0]
		if in.Why.Consent != "gate" || in.ID != r.Incident || in.Severity != cap.Severe {
			t.Errorf("incident: %+v", in)
		}
		// Its update carries the incident on and opens no other, even after it was cancelled.
		if _, err := s.Transition(t.Context(), in.ID, incident.Act{To: incident.Cancelled, Reason: "false", Version: 1}, anna); err != nil {
			t.Fatal(err)
		}
		u := s.mustPut(t, gate("gate2", update("Update", first)), "cap", "", Stored)
		if u.Incident != in.ID {
			t.Errorf("update has incident %q", u.Incident)
		}
		s.mustIncidents(t, Query{}, 1)
		c.add(25 * time.Hour)
		n, err := s.ExpireAlerts(t.Context(), c.now())
		if err != nil || n != 3 {
			t.Errorf("%d expired, %v", n, err)
		}
		open, err := s.Snapshot(t.Context())
		if err != nil || len(open.Alerts) != 0 || len(open.Incidents) != 0 {
			t.Errorf("snapshot: %+v, %v", open, err)
		}
	})
}

func quakeOf(sender, id string, m float64, at time.Time, p geo.Position, keys []string, felt ...feeds.Felt) feeds.Alert {
	return feeds.Alert{
		Message: cap.Message{
			Identifier: id, Sender: sender, Sent: moment.Of(at), Status: "Actual", MsgType: "Alert", Scope: "Public",
			Infos: []cap.Info{{Language: "id", Categories: []string{"Geo"}, Event: "Gempa bumi", Urgency: "Past", Severity: cap.Unknown, Certainty: "Observed"}},
		},
		Keys:  keys,
		Quake: &feeds.Quake{OriginAt: moment.Of(at), Position: p, DepthKm: 10, Magnitude: &m, Place: "Solok", Felt: felt},
	}
}

func TestEarthquakeIsRevisedInPlace(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		at := noon.Add(-2 * time.Minute)
		epicentre := geo.Position{Lat: -1.3, Lng: 100.5}
		a := s.mustPut(t, quakeOf("bmkg", "q1", 5.6, at, epicentre, []string{"k1"}), "auto", "bmkg", Stored)
		s.mustPut(t, quakeOf("bmkg", "q1", 5.6, at, epicentre, []string{"k1"}), "auto", "bmkg", Duplicate)
		r := s.mustPut(t, quakeOf("bmkg", "q1b", 5.4, at.Add(2*time.Second), epicentre, []string{"k2"}), "auto", "bmkg", Stored)
		got := s.mustAlert(t, a.Alert)
		if r.Alert != a.Alert || got.Revision != 2 || got.Changes[0] != "M 5.6 -> 5.4" {
			t.Fatalf("revision: %+v", got)
		}
		// The slower list of the same agency still tells the first solution, then the felt places.
		s.mustPut(t, quakeOf("bmkg", "q1", 5.6, at, epicentre, nil), "list", "bmkg", Duplicate)
		if got := s.mustAlert(t, a.Alert); *got.Quake.Magnitude != 5.4 {
			t.Errorf("a late list has taken it back to %v", *got.Quake.Magnitude)
		}
		s.mustPut(t, quakeOf("bmkg", "q1b", 5.4, at.Add(2*time.Second), epicentre, nil, feeds.Felt{Place: "Solok", Low: 5, High: 6}), "list", "bmkg", Stored)
		got = s.mustAlert(t, a.Alert)
		if got.Severity != cap.Extreme || got.Quake.MMIHere != 6 || got.Incident == "" {
			t.Errorf("felt: %s %d %q", got.Severity, got.Quake.MMIHere, got.Incident)
		}
		// USGS joins by time and distance, is one source more and revises nothing; its other id then finds it too.
		s.mustPut(t, quakeOf("usgs", "us1", 5.9, at.Add(50*time.Second), geo.Position{Lat: -1.5, Lng: 100.5}, []string{"us1", "pt1"}), "usgs", "", Duplicate)
		s.mustPut(t, quakeOf("usgs", "pt1", 5.9, at.Add(3*time.Minute), epicentre, []string{"pt1"}), "usgs", "", Duplicate)
		got = s.mustAlert(t, a.Alert)
		if *got.Quake.Magnitude != 5.4 || len(got.Sources) != 3 || got.Revision != 3 {
			t.Errorf("joined: %v %v revision %d", *got.Quake.Magnitude, got.Sources, got.Revision)
		}
		s.mustPut(t, quakeOf("usgs", "us2", 5.9, at.Add(2*time.Minute), epicentre, []string{"us2"}), "usgs", "", Stored)
		s.mustIncidents(t, Query{Status: "open"}, 1)
	})
}
