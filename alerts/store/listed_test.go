package store

import (
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// version is a version of the event "works 7" as a producer without references sends it.
func version(id string, sent time.Time, headline string) feeds.Alert {
	a := message(id, func(m *cap.Message) {
		m.Sent = moment.Of(sent)
		m.Infos[0].Headline = headline
		m.Infos[0].Expires = moment.Of(noon.Add(24 * time.Hour))
	})
	a.Keys = []string{"works 7"}
	return a
}

func (s *Store) mustEnd(t *testing.T, feed string, want int, listed ...feeds.Alert) {
	t.Helper()
	if n, err := s.EndUnlisted(t.Context(), listed, feeds.Meta{Feed: feed, ReceivedAt: noon}); err != nil || n != want {
		t.Fatalf("ended %d, %v; want %d", n, err, want)
	}
}

func (s *Store) mustState(t *testing.T, id string, want alerts.State) alerts.Alert {
	t.Helper()
	a := s.mustAlert(t, id)
	if a.State != want {
		t.Fatalf("alert %s is %s, want %s: %+v", a.Identifier, a.State, want, a)
	}
	return a
}

func TestAVersionEndsTheOneBefore(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		gate := version("7-1", noon.Add(-time.Hour), "one")
		gate.Message.Infos[0].Event = "Siaga I" // the consent "gate" opens an incident
		one := s.mustPut(t, gate, "roads", "", Stored)
		if one.Incident == "" {
			t.Fatal("no incident")
		}
		two := s.mustPut(t, version("7-2", noon.Add(-time.Minute), "two"), "roads", "", Stored)
		s.mustState(t, one.Alert, alerts.Updated)
		a := s.mustState(t, two.Alert, alerts.Active)
		if a.Revision != 2 || a.Incident != one.Incident || len(a.Supersedes) != 1 || a.Supersedes[0] != one.Alert {
			t.Errorf("the second version: %+v", a)
		}
		s.mustPut(t, version("7-2", noon.Add(-time.Minute), "two"), "roads", "", Duplicate)

		// An older version that comes late is kept and steps back over nothing.
		late := s.mustPut(t, version("7-0", noon.Add(-2*time.Hour), "zero"), "roads", "", Stored)
		s.mustState(t, late.Alert, alerts.Updated)
		s.mustState(t, two.Alert, alerts.Active)

		// Episodes of one time are told apart by their numbers.
		ten := s.mustPut(t, version("7-10", noon.Add(-time.Minute), "ten"), "roads", "", Stored)
		s.mustState(t, two.Alert, alerts.Updated)
		s.mustState(t, s.mustPut(t, version("7-9", noon.Add(-time.Minute), "nine"), "roads", "", Stored).Alert, alerts.Updated)
		s.mustState(t, ten.Alert, alerts.Active)
	})
}

func TestKeysJoinWithinSenderAndFeedOnly(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		one := s.mustPut(t, version("7-1", noon.Add(-time.Hour), "one"), "roads", "", Stored)
		other := version("7-2", noon, "two")
		other.Message.Sender = "somebody@else"
		s.mustPut(t, other, "roads", "", Stored)
		s.mustPut(t, version("7-3", noon, "three"), "foreign", "", Stored)
		test := version("7-4", noon, "test")
		test.Message.Status = "Test"
		s.mustPut(t, test, "roads", "", Stored)
		s.mustState(t, one.Alert, alerts.Active)
	})
}

func TestACancelByKey(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		one := s.mustPut(t, version("7-2", noon.Add(-time.Hour), "two"), "roads", "", Stored)
		early := version("7-1-closed", noon.Add(-2*time.Hour), "")
		early.Message.MsgType = "Cancel"
		s.mustPut(t, early, "roads", "", Ignored)
		s.mustState(t, one.Alert, alerts.Active)
		end := version("7-3-closed", noon, "")
		end.Message.MsgType = "Cancel"
		s.mustPut(t, end, "roads", "", Stored)
		s.mustState(t, one.Alert, alerts.Cancelled)
	})
}

func TestWhatAListNoLongerHoldsHasEnded(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		seven := version("7-1", noon.Add(-time.Hour), "seven")
		eight := version("8-1", noon.Add(-time.Hour), "eight")
		eight.Keys = []string{"works 8"}
		nine := version("9-1", noon.Add(-time.Hour), "nine")
		nine.Keys = nil
		a, b, c := s.mustPut(t, seven, "roads", "", Stored), s.mustPut(t, eight, "roads", "", Stored), s.mustPut(t, nine, "roads", "", Stored)
		shared := version("10-1", noon, "ten")
		shared.Keys = []string{"works 10"}
		d := s.mustPut(t, shared, "roads", "", Stored)
		s.mustPut(t, shared, "partner", "", Duplicate) // a source more
		foreign := s.mustPut(t, message("elsewhere", nil), "other", "", Stored)

		s.mustEnd(t, "roads", 2, seven)
		s.mustState(t, a.Alert, alerts.Active)
		s.mustState(t, c.Alert, alerts.Expired)
		s.mustState(t, d.Alert, alerts.Active)
		s.mustState(t, foreign.Alert, alerts.Active)
		if gone := s.mustState(t, b.Alert, alerts.Expired); gone.EndReason != "no longer listed by roads" {
			t.Errorf("reason %q", gone.EndReason)
		}
		s.mustEnd(t, "roads", 0, seven)

		// Listed again it goes on.
		s.mustPut(t, eight, "roads", "", Stored)
		if again := s.mustState(t, b.Alert, alerts.Active); again.Revision != 2 || again.EndReason != "" {
			t.Errorf("listed again: %+v", again)
		}
		s.mustPut(t, eight, "roads", "", Duplicate)
		s.mustEnd(t, "roads", 0, seven, eight)
	})
}

// A producer without versions may go back to words that it has used before: what is listed stands.
func TestTheListedVersionStands(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		x, y := version("7-ab12", noon, "closed"), version("7-cd34", noon, "one lane")
		one := s.mustPut(t, x, "bus", "", Stored)
		two := s.mustPut(t, y, "bus", "", Stored)
		s.mustState(t, one.Alert, alerts.Updated)
		s.mustPut(t, x, "bus", "", Duplicate)
		s.mustEnd(t, "bus", 1, x)
		s.mustState(t, two.Alert, alerts.Updated)
		if a := s.mustState(t, one.Alert, alerts.Active); a.Revision != 3 {
			t.Errorf("revision %d, want 3", a.Revision)
		}
		s.mustEnd(t, "bus", 0, x)

		// A list that still holds an older version changes nothing.
		newest := s.mustPut(t, version("7-ef56", noon.Add(time.Minute), "open"), "bus", "", Stored)
		s.mustEnd(t, "bus", 0, x)
		s.mustState(t, newest.Alert, alerts.Active)
	})
}

// Road works of three months are listed for three months: after thirty days they are no news.
func TestNamesLiveAsLongAsTheAlert(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		const months = 90 * 24 * time.Hour
		long := version("7-1", noon.Add(-time.Hour), "one")
		long.Message.Infos[0].Expires = moment.Of(noon.Add(months))
		s.mustPut(t, long, "roads", "", Stored)
		forEver := message("for-ever", func(m *cap.Message) { m.Infos[0].Expires = moment.Of(time.Date(4000, 1, 1, 0, 0, 0, 0, time.UTC)) })
		s.mustPut(t, forEver, "roads", "", Stored)
		p := &putting{Store: s, m: feeds.Meta{Feed: "roads"}, a: alerts.Alert{Sender: long.Message.Sender}}
		for _, key := range []string{p.nameKey(long.Message.Reference().String()), p.eventKey("works 7"), p.nameKey(forEver.Message.Reference().String())} {
			ttl, err := s.rdb.PTTL(t.Context(), key).Result()
			if err != nil || ttl < months || ttl > keyLife+longestKey {
				t.Errorf("%s lives %v, %v", key, ttl, err)
			}
		}
	})
}
