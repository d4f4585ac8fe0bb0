package alerts

import (
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/geo/moment"
)

var (
	noon   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	center = geo.Position{Lat: -0.96, Lng: 100.75}
)

func place(t *testing.T) Place {
	t.Helper()
	set, err := area.New([]area.Area{{Code: "1", Name: "Kubung", Kind: area.District, Shape: geo.Circle(center, 5000)}})
	if err != nil {
		t.Fatal(err)
	}
	return Place{Center: center, Areas: set, Names: []string{"Solok", "Kabupaten Solok"}, Provinces: []string{"Sumatera Barat"}}
}

func info(language string, s cap.Severity, areas ...cap.Area) cap.Info {
	return cap.Info{Language: language, Event: "event " + language, Severity: s, Urgency: "Immediate", Certainty: "Observed", Areas: areas}
}

func of(t *testing.T, infos ...cap.Info) Alert {
	return made(t, func(m *cap.Message) { m.Infos = infos })
}

func made(t *testing.T, change func(*cap.Message)) Alert {
	m := cap.Message{Identifier: "1", Sender: "s", Sent: moment.Of(noon), Status: "Actual", MsgType: "Alert", Scope: "Public", Infos: []cap.Info{info("id", cap.Severe)}}
	change(&m)
	return FromAgency(feeds.Alert{Message: m}, feeds.Meta{Feed: "f", ReceivedAt: noon}, place(t), noon)
}

func TestLanguagesSeverityAndExpiry(t *testing.T) {
	a := of(t, info("en-US", cap.Severe, cap.Area{Name: "East"}), info("id-ID", cap.Minor, cap.Area{Name: "Timur"}), info("id-ID", cap.Moderate, cap.Area{Name: "Barat"}), info("fr", cap.Unknown))
	if a.Event != "event id-ID" || a.Severity != cap.Severe || len(a.Texts) != 2 || a.Texts[0].Language != "en-US" || a.Area.Properties.Name != "Timur, Barat" {
		t.Errorf("%+v", a)
	}
	if !a.Expires.Equal(noon.Add(24*time.Hour)) || a.Sources[0] != "f" || a.State != Active {
		t.Errorf("expires %s, %v, %s", a.Expires, a.Sources, a.State)
	}
}

func TestCapsOfTheCrosswalk(t *testing.T) {
	for _, v := range []struct {
		severity           cap.Severity
		urgency, certainty string
		want               cap.Severity
	}{
		{cap.Extreme, "Immediate", "Observed", cap.Extreme}, {cap.Extreme, "Immediate", "Possible", cap.Moderate},
		{cap.Severe, "Future", "Likely", cap.Moderate}, {cap.Severe, "Past", "Observed", cap.Minor}, {cap.Minor, "Future", "Possible", cap.Minor},
		{cap.Unknown, "Past", "Possible", cap.Unknown},
	} {
		i := info("id", v.severity)
		i.Urgency, i.Certainty = v.urgency, v.certainty
		if got := of(t, i).Severity; got != v.want {
			t.Errorf("%+v: %s", v, got)
		}
	}
}

func TestStateOfAStatus(t *testing.T) {
	for status, want := range map[string]State{"Actual": Active, "Exercise": Active, "Test": Logged, "System": Logged, "Draft": Logged} {
		if got := made(t, func(m *cap.Message) { m.Status = status }); got.State != want || got.Status != status {
			t.Errorf("%s: %s", status, got.State)
		}
	}
	if got := made(t, func(m *cap.Message) { m.Infos[0].Expires = moment.Of(noon) }).State; got != Expired {
		t.Errorf("expired on arrival: %s", got)
	}
}

func TestRelevance(t *testing.T) {
	square := func(lat, lng, half float64) geo.Shape {
		ring := []geo.Position{{Lat: lat - half, Lng: lng - half}, {Lat: lat - half, Lng: lng + half}, {Lat: lat + half, Lng: lng + half}, {Lat: lat + half, Lng: lng - half}, {Lat: lat - half, Lng: lng - half}}
		return geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{ring}}}}
	}
	for name, v := range map[string]struct {
		shape             geo.Shape
		area, description string
		want              bool
	}{
		"within":               {square(-0.96, 100.75, 0.01), "", "", true},
		"around":               {square(-0.96, 100.75, 3), "", "", true},
		"in the margin":        {square(-0.71, 100.75, 0.01), "", "", true},
		"beyond the margin":    {square(-0.5, 100.75, 0.01), "", "", false},
		"named, our province":  {square(-3, 100.75, 0.01), "Sumatera Barat", "di Kec. Kubung, Talang", true},
		"named, other":         {square(-3, 100.75, 0.01), "Jawa Barat", "di Kec. Kubung", false},
		"part of a word":       {square(-3, 100.75, 0.01), "Sumatera Barat", "di Kubungan", false},
		"says no place at all": {geo.Shape{}, "", "", true},
	} {
		i := info("id", cap.Severe, cap.Area{Name: v.area, Shape: v.shape})
		i.Description = v.description
		if got := of(t, i).Relevant; got != v.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

func TestEarthquakeIsJudgedFromHere(t *testing.T) {
	for name, v := range map[string]struct {
		magnitude float64
		km        float64
		place     string
		mmi       int
		want      cap.Severity
		relevant  bool
	}{
		"VI here":               {5, 50, "Solok", 6, cap.Extreme, true},
		"V by kecamatan":        {5, 50, "Kubung", 5, cap.Severe, true},
		"IV here":               {5, 400, "Kabupaten Solok", 4, cap.Moderate, true},
		"II here":               {5, 50, "Solok", 2, cap.Minor, true},
		"felt in Solok Selatan": {5, 50, "Solok Selatan", 7, cap.Minor, true},
		"big and unknown":       {6, 149, "", 0, cap.Severe, true},
		"big but far":           {6, 151, "", 0, cap.Minor, true},
		"very far":              {7, 301, "", 0, cap.Minor, false},
	} {
		q := feeds.Quake{OriginAt: moment.Of(noon), Position: geo.Position{Lat: center.Lat - v.km/111.195, Lng: center.Lng}, Magnitude: &v.magnitude}
		if v.place != "" {
			q.Felt = []feeds.Felt{{Place: v.place, Low: 1, High: v.mmi}}
		}
		i := info("id", cap.Unknown)
		i.Urgency, i.Certainty = "Past", "Possible"
		a := FromAgency(feeds.Alert{Message: cap.Message{Identifier: "q", Sent: moment.Of(noon), Status: "Actual", Infos: []cap.Info{i}}, Quake: &q}, feeds.Meta{Feed: "f"}, place(t), noon)
		if a.Severity != v.want || a.Relevant != v.relevant {
			t.Errorf("%s: %s, relevant %t", name, a.Severity, a.Relevant)
		}
	}
}

func TestIDIsDeterministic(t *testing.T) {
	if a, b := ID(noon, "x"), ID(noon, "x"); a != b || a == ID(noon, "y") || !strings.HasPrefix(a, "01K") {
		t.Errorf("%s %s", a, b)
	}
}
