package public

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/geo/moment"
)

var morning = time.Date(2026, 11, 22, 7, 0, 0, 0, time.UTC)

func at(minutes int) moment.Time { return moment.Of(morning.Add(time.Duration(minutes) * time.Minute)) }

func told() report.Report {
	return report.Report{ID: "desk:1", Text: "Rumah Pak Budi retak", Address: "Jalan Sudirman 7", AreaName: "Kubung", At: at(0), ReceivedAt: at(1), Status: report.Open}
}

func worked(typ string) incident.Incident {
	return incident.Incident{ID: "i", Number: "SLK-2026-000001", Type: typ, Title: "Rumah Pak Budi", Status: incident.Closed, LeadAgency: "bpbd", Support: []string{"pupr"}, AreaName: "Kubung",
		Outcome: "Pak Budi dirawat", Cause: "hujan", Owner: "user:dewi", ResolvedBy: "user:dewi",
		Times: incident.Times{TAck: at(3), TDispatch: at(5), TScene: at(20), TResolved: at(60), TClosed: at(90)},
		Proof: incident.Proof{Need: 2, Have: []incident.Proven{{Kind: incident.UnitInCell, Ref: "d"}, {Kind: incident.Photo, Ref: "p"}}}}
}

func codes(t Ticket) (out []string) {
	for _, s := range t.Steps {
		out = append(out, s.Code)
	}
	return out
}

func TestATicketTellsTheWholeWay(t *testing.T) {
	r, in := told(), worked("landslide")
	got := Follow("K7M4-Q2XP", &r, &in, morning.Add(2*time.Hour))
	if want := []string{"received", "judged", "under_way", "on_scene", "done", "closed"}; !slices.Equal(codes(got), want) || got.Now != "closed" {
		t.Errorf("steps %v, now %s", codes(got), got.Now)
	}
	if !got.Disputable || got.Type.EN != "landslide" || !slices.Equal(got.Agencies, []string{"bpbd", "pupr"}) || len(got.Proof) != 2 {
		t.Errorf("%+v", got)
	}
	if late := Follow("", &r, &in, morning.Add(31*24*time.Hour)); late.Disputable {
		t.Error("after 30 days it can still be disputed")
	}
	in.Disputed = &incident.Dispute{At: at(100), By: "x", Text: "belum"}
	if again := Follow("", &r, &in, morning.Add(2*time.Hour)); again.Disputable || again.Disputed != at(100) {
		t.Errorf("%+v", again)
	}
}

func TestATicketTellsNobodysWords(t *testing.T) {
	for _, typ := range []string{"landslide", "domestic_violence"} {
		r, in := told(), worked(typ)
		in.Disputed = &incident.Dispute{At: at(100), By: "user:sari", Text: "Pak Budi bilang belum"}
		text, err := json.Marshal(Follow("K7M4-Q2XP", &r, &in, morning))
		if err != nil {
			t.Fatal(err)
		}
		for _, secret := range []string{"Budi", "Sudirman", "dewi", "sari", "hujan", "SLK", "desk:1"} {
			if strings.Contains(string(text), secret) {
				t.Errorf("%s: a ticket says %q: %s", typ, secret, text)
			}
		}
	}
	r, in := told(), worked("domestic_violence")
	got := Follow("", &r, &in, morning.Add(2*time.Hour))
	if got.Type != nil || got.AreaName != "" || len(got.Agencies)+len(got.Proof) > 0 || !slices.Equal(codes(got), []string{"received", "judged", "done", "closed"}) {
		t.Errorf("of what is for named people: %+v", got)
	}
}

func TestATicketOfNoIncident(t *testing.T) {
	r := told()
	for _, c := range []struct {
		as       report.As
		now, who string
	}{{report.AsReferred, "referred", "pln"}, {report.AsPrank, "not_taken", ""}, {report.AsNotEmergency, "not_taken", ""}} {
		judged := r
		judged.Triage = &report.Triage{As: c.as, Agency: c.who, At: at(2), Note: "rahasia"}
		if got := Follow("", &judged, nil, morning); got.Now != c.now || got.Referred != c.who || got.Disputable {
			t.Errorf("%s: %+v", c.as, got)
		}
	}
	if got := Follow("", &r, nil, morning); got.Now != "received" {
		t.Errorf("%+v", got)
	}
}
