package storm

import (
	"fmt"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// press is what an agency calls incidents of a type, and its CAP category.
var press = map[string]struct {
	events   []string
	category string
}{
	"flood":          {[]string{"Banjir", "Genangan banjir", "Banjir luapan sungai"}, "Met"},
	"flash_flood":    {[]string{"Banjir bandang", "Galodo"}, "Geo"},
	"landslide":      {[]string{"Tanah longsor", "Longsor menutup jalan", "Longsor tebing"}, "Geo"},
	"road_blocked":   {[]string{"Jalan tertutup", "Penutupan jalan", "Jalan putus"}, "Transport"},
	"fire_building":  {[]string{"Kebakaran rumah", "Kebakaran bangunan", "Kebakaran ruko"}, "Fire"},
	"wildfire":       {[]string{"Kebakaran lahan", "Karhutla"}, "Fire"},
	"fire_vehicle":   {[]string{"Kebakaran kendaraan", "Mobil terbakar"}, "Fire"},
	"traffic_injury": {[]string{"Kecelakaan lalu lintas", "Laka lantas korban luka"}, "Transport"},
	"traffic_damage": {[]string{"Kecelakaan lalu lintas", "Laka lantas tanpa korban"}, "Transport"},
	"truck_stall":    {[]string{"Truk mogok", "Truk terguling"}, "Transport"},
	"tree_down":      {[]string{"Pohon tumbang"}, "Safety"},
	"wind":           {[]string{"Angin kencang", "Puting beliung"}, "Met"},
	"power_out":      {[]string{"Listrik padam", "Gangguan listrik"}, "Infra"},
	"missing_person": {[]string{"Orang hanyut", "Pencarian orang hilang"}, "Rescue"},
	"rescue_tech":    {[]string{"Evakuasi korban terjebak", "Penyelamatan di sumur"}, "Rescue"},
	"hazmat":         {[]string{"Kebocoran gas", "Tumpahan bahan berbahaya"}, "CBRNE"},
}

// bulletins of the agencies: one for many incidents, updated, sometimes re-issued for the district beside it, cancelled when it is over.
func (k *maker) bulletins() {
	d := k.dice(forBulletins)
	for i := range k.storm.Incidents {
		in := &k.storm.Incidents[i]
		t := tradeOf(in.Type)
		if !d.chance(t.told) {
			continue
		}
		if in.Type == "eq" {
			k.solutions(d, in)
			continue
		}
		k.bulletin(d, t, in)
	}
}

func (k *maker) bulletin(d dice, t *trade, in *Incident) {
	p := press[t.code]
	event := d.pick(p.events)
	sent := in.From.Add(d.span(3*time.Minute, 25*time.Minute))
	sender := strings.TrimPrefix(t.agency, "cap-") + "@solok.example"
	first := cap.Message{Identifier: strings.ToUpper(in.Label) + "-1", Sender: sender, Sent: moment.Of(sent), Status: "Actual", MsgType: "Alert", Scope: "Public"}
	info := cap.Info{
		Language: "id", Categories: []string{p.category}, Event: event, Urgency: "Immediate", Severity: in.Severity, Certainty: "Observed",
		Onset: moment.Of(in.From.Add(d.span(-3*time.Minute, 5*time.Minute))), Expires: moment.Of(sent.Add(3 * time.Hour)),
		Headline: event + " di " + in.Place, Description: event + " dilaporkan di sekitar " + in.Place + ", petugas menuju lokasi.",
	}
	at := d.near(in.Position, 60+in.ExtentM*.2)
	info.Areas = []cap.Area{{Name: in.Place, Shape: geo.Circle(at, max(80, in.ExtentM))}}
	first.Infos = []cap.Info{info}
	truth := Truth{Incident: in.Label, Told: true, Chain: first.Identifier}
	k.publish(d, t.agency, first, truth)
	last := first
	if d.chance(.55) {
		next := first
		next.Identifier, next.MsgType = strings.ToUpper(in.Label)+"-2", "Update"
		next.Sent = moment.Of(sent.Add(d.span(8*time.Minute, 25*time.Minute)))
		next.References = []cap.Reference{first.Reference()}
		more := info
		more.Description = event + " di " + in.Place + ": penanganan berlangsung, jalur alternatif disiapkan."
		more.Areas = []cap.Area{{Name: in.Place, Shape: geo.Circle(d.near(in.Position, 30+in.ExtentM*.1), max(80, in.ExtentM))}}
		next.Infos = []cap.Info{more}
		k.publish(d, t.agency, next, truth)
		last = next
	}
	if in.ExtentM > 120 && d.chance(.3) { // the same event, published once more for the district that lies beside it
		beside := first
		beside.Identifier, beside.Sent = strings.ToUpper(in.Label)+"-B", moment.Of(sent.Add(d.span(time.Minute, 6*time.Minute)))
		edge := info
		edge.Areas = []cap.Area{{Name: "tetangga " + in.Place, Shape: geo.Circle(d.inside(in.Position, in.ExtentM), max(80, in.ExtentM*.6))}}
		beside.Infos = []cap.Info{edge}
		k.publish(d, t.agency, beside, Truth{Incident: in.Label, Told: true, Chain: beside.Identifier})
	}
	if end := in.Until.Add(d.span(2*time.Minute, 20*time.Minute)); d.chance(.4) && end.After(last.Sent.Time) && end.Before(k.end()) {
		k.publish(d, t.agency, cap.Message{Identifier: strings.ToUpper(in.Label) + "-X", Sender: sender, Sent: moment.Of(end), Status: "Actual", MsgType: "Cancel",
			Scope: "Public", References: []cap.Reference{last.Reference()}, Note: "penanganan selesai", Infos: []cap.Info{{Language: "id", Event: event}}}, truth)
	}
}

// publish sends a message by its agency's feed, and two in five also by the province's hub, word for word.
func (k *maker) publish(d dice, feed string, msg cap.Message, truth Truth) {
	k.add(Item{Feed: feed, Delivered: msg.Sent.Add(d.span(4*time.Second, 70*time.Second)), Alert: &feeds.Alert{Message: msg}, Truth: truth})
	if d.chance(.4) {
		again := msg
		k.add(Item{Feed: "cap-hub", Delivered: msg.Sent.Add(d.span(30*time.Second, 240*time.Second)), Alert: &feeds.Alert{Message: again}, Truth: truth})
	}
}

// solutions of an earthquake's shocks: an automatic one, a revised one, and that of a second seismological agency.
func (k *maker) solutions(d dice, in *Incident) {
	for n, at := range shocks(k, in) {
		strength := 5.7 - .5*float64(n) + d.within(-.2, .2)
		if n > 0 {
			strength = min(strength, 5.1)
		}
		for rev := range 2 {
			sent := at.Add(time.Duration(2+7*rev) * time.Minute)
			k.solution(d, "cap-bmkg", fmt.Sprintf("BMKG-%s-%d-%d", in.Label, n, rev), at, sent, in, n, strength+d.within(-.1, .1), 3)
		}
		k.solution(d, "cap-usgs", fmt.Sprintf("us-%s-%d", in.Label, n), at.Add(d.span(-3*time.Second, 4*time.Second)), at.Add(d.span(6*time.Minute, 14*time.Minute)), in, n, strength+d.within(-.3, .2), 9)
	}
}

func (k *maker) solution(d dice, feed, id string, at, sent time.Time, in *Incident, shock int, magnitude, km float64) {
	epi, size := d.near(in.Position, km*500), digits(magnitude, 1)
	grade := cap.Moderate
	if size >= 5.5 {
		grade = cap.Severe
	}
	msg := cap.Message{Identifier: id, Sender: strings.TrimPrefix(feed, "cap-") + "@quake.example", Sent: moment.Of(sent), Status: "Actual", MsgType: "Alert", Scope: "Public",
		Infos: []cap.Info{{Language: "id", Categories: []string{"Geo"}, Event: "Gempa bumi", Urgency: "Past", Severity: grade, Certainty: "Observed",
			Onset: moment.Of(at), Expires: moment.Of(sent.Add(6 * time.Hour)), Headline: fmt.Sprintf("Gempa M %.1f dekat %s", size, in.Place),
			Areas: []cap.Area{{Name: in.Place, Shape: geo.Circle(epi, 0)}}}}}
	q := &feeds.Quake{OriginAt: moment.Of(at), Position: epi, DepthKm: digits(d.within(8, 14), 0), Magnitude: &size, Place: in.Place}
	k.add(Item{Feed: feed, Delivered: sent.Add(d.span(2*time.Second, 30*time.Second)), Alert: &feeds.Alert{Message: msg, Quake: q},
		Truth: Truth{Incident: in.Label, Told: true, Chain: fmt.Sprintf("%s/%d", in.Label, shock)}})
}

// hazards that the weather service warns of.
var hazards = []string{"Hujan lebat disertai petir", "Angin kencang", "Hujan lebat berpotensi longsor", "Potensi banjir"}

// warnings of the weather service: one hazard, a message for each of the districts that lie beside one another, renewed after an hour.
func (k *maker) warnings() {
	d := k.dice(forWarnings)
	for n, event := range hazards {
		from := k.Begin.Add(time.Duration(n)*k.Lasts/time.Duration(len(hazards)+1) + d.span(0, 10*time.Minute))
		w := Warning{Label: fmt.Sprintf("warning-%02d", n+1), Event: event, From: from, Until: from.Add(2 * time.Hour)}
		middle := k.land.Towns[d.IntN(len(k.land.Towns))].Position
		for i := range d.count(3, 6) {
			const side = 6500.0 // metres; districts lie in rows of three
			box := moved(middle, side*float64(i%3-1), side*float64(i/3))
			name := fmt.Sprintf("%s %d", k.town(box).Name, i+1)
			w.Districts = append(w.Districts, name)
			k.renewed(d, w, box, side/2, i, name)
		}
		k.storm.Warnings = append(k.storm.Warnings, w)
	}
}

func (k *maker) renewed(d dice, w Warning, middle geo.Position, half float64, n int, name string) {
	ring := []geo.Position{moved(middle, -half, -half), moved(middle, half, -half), moved(middle, half, half), moved(middle, -half, half), moved(middle, -half, -half)}
	var before *cap.Reference
	for rev := range 2 {
		sent := w.From.Add(time.Duration(rev)*time.Hour + d.span(0, 3*time.Minute))
		msg := cap.Message{Identifier: fmt.Sprintf("NOWCAST-%s-%d-%d", w.Label, n, rev), Sender: "cuaca@bmkg.example", Sent: moment.Of(sent), Status: "Actual", MsgType: "Alert", Scope: "Public",
			Infos: []cap.Info{{Language: "id", Categories: []string{"Met"}, Event: w.Event, Urgency: "Expected", Severity: cap.Moderate, Certainty: "Likely",
				Onset: moment.Of(w.From), Expires: moment.Of(sent.Add(time.Hour)), Headline: w.Event + " di " + name, Description: "Wilayah: " + name,
				Areas: []cap.Area{{Name: name, Shape: geo.Shape{Polygons: []geo.Polygon{{Rings: [][]geo.Position{ring}}}}}}}}}
		if before != nil {
			msg.MsgType, msg.References = "Update", []cap.Reference{*before}
		}
		ref := msg.Reference()
		before = &ref
		k.publish(d, "cap-bmkg", msg, Truth{Warning: w.Label, Told: true, Chain: fmt.Sprintf("%s/%d", w.Label, n)})
	}
}
