package outbox

import (
	"encoding/json"
	"testing"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

// Nothing of an exercise leaves the house, by no channel and for no receiver; the same of a real incident does.
func TestNothingOfAnExerciseLeaves(t *testing.T) {
	h := newHouse(t, true)
	now := time.Now()
	hooks := []notify.Webhook{{V: 1, ID: "a", URL: "https://a.test"}, {V: 1, ID: "b", URL: "https://b.test", Agency: "bpbd"}}
	browsers := []notify.Subscription{{ID: "s", Subject: "user:crew", Unit: "bpbd/trc-1", Lang: "id"}, {ID: "e", Subject: "user:crew", Unit: "bpbd/trc-1", Lang: "en"}}
	for _, simulated := range []bool{false, true} {
		in, err := incident.Open(incident.Opening{ID: "01I", Number: "SIM-2026-000001", Type: "flood", Title: "Banjir", Severity: cap.Extreme, At: now, Actor: "user:a", Exercise: simulated})
		if err != nil {
			t.Fatal(err)
		}
		closed := in.Clone()
		closed.Status = incident.Closed
		closed.Timeline = append(closed.Timeline, incident.Entry{At: moment.Of(now), Act: "closed"})
		raised := alarm.Alarm{ID: "01A", State: alarm.Raised, Priority: alarm.P1, Presented: true, Incident: in.ID, Type: "flood", Simulated: in.Simulated}
		docs := map[string]any{"opened": in, "closed": closed, "alarm": raised}
		for _, status := range []dispatch.Status{dispatch.Offered, dispatch.Accepted, dispatch.OnScene, dispatch.Cancelled} {
			docs[string(status)] = dispatch.Dispatch{ID: "01D", Incident: in.ID, Type: "flood", Unit: "bpbd/trc-1", Agency: "bpbd", Status: status, ExpiresAt: moment.Of(now.Add(time.Minute)),
				Times: dispatch.Times{Offered: moment.Of(now), Cancelled: moment.Of(now)}, Simulated: in.Simulated, Exercise: in.Exercise}
		}
		for name, doc := range docs {
			kind := "dispatch"
			switch doc.(type) {
			case incident.Incident:
				kind = "incident"
			case alarm.Alarm:
				kind = "alarm"
			}
			text, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			out, err := h.box.Compose(t.Context(), &store.Change{Offset: 7, Type: kind, ID: "x", Doc: text}, hooks, browsers, now)
			if err != nil || (len(out) > 0) == simulated {
				t.Errorf("%s, of an exercise %v: %d messages, %v", name, simulated, len(out), err)
			}
		}
	}
}
