package store

import (
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// BMKG's nowcasts replace each other without references: of one province and event with overlapping validity the newest stands.
func TestNowcastsOfOneProvinceFollowEachOther(t *testing.T) {
	nowcast := func(id, province string, sent time.Time) feeds.Alert {
		return message("2.49.0.1.360.0.2026.03.01."+id, func(m *cap.Message) {
			m.Sender, m.Sent = "web@bmkg.go.id", moment.Of(sent)
			m.Infos[0].Event, m.Infos[0].Areas[0].Name = "Hujan Lebat", province
			m.Infos[0].Effective, m.Infos[0].Expires = moment.Of(sent), moment.Of(sent.Add(3*time.Hour))
		})
	}
	each(t, func(t *testing.T, s *Store, _ *clock) {
		first := s.mustPut(t, nowcast("11.0", "Sumatera Barat", noon.Add(-time.Hour)), "nowcast", "bmkg", Stored)
		other := s.mustPut(t, nowcast("11.1", "Riau", noon.Add(-time.Hour)), "nowcast", "bmkg", Stored)
		second := s.mustPut(t, nowcast("12.0", "Sumatera Barat", noon.Add(-time.Minute)), "nowcast", "bmkg", Stored)
		s.mustState(t, first.Alert, alerts.Updated)
		s.mustState(t, other.Alert, alerts.Active)
		s.mustState(t, second.Alert, alerts.Active)

		// One that was overtaken on the way steps back over nothing.
		s.mustState(t, s.mustPut(t, nowcast("11.5", "Sumatera Barat", noon.Add(-30*time.Minute)), "nowcast", "bmkg", Stored).Alert, alerts.Updated)
		s.mustState(t, second.Alert, alerts.Active)
	})
}
