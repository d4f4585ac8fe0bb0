package siri

import (
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
	"kentongan/geo"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "siri/*.xml") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range append(recorded(t), seeds(t)...) {
		feedtest.Document(t, Format{}, feedtest.Read(t, file))
	}
}

// TestRecordedVehicles: vehicles that were last heard weeks before the answer keep their own time, ValidUntilTime without a zone does no
// harm, and every vehicle has a name of its own.
func TestRecordedVehicles(t *testing.T) {
	b := decode(t, string(feedtest.Read(t, feedtest.Recorded(t, "siri/bods-*")[0])))
	names := map[string]bool{}
	old := 0
	for _, p := range b.Positions {
		names[p.Unit] = true
		if p.At.String() < "2020-07-23" {
			old++
		}
		if p.Heading != nil || p.SpeedMps != nil {
			t.Errorf("%s: heading or speed out of nothing", p.Unit)
		}
	}
	if len(b.Positions) != 841 || len(names) != 841 || old == 0 || !b.Snapshot {
		t.Errorf("%d positions of %d vehicles, %d old", len(b.Positions), len(names), old)
	}
	if p := b.Positions[0]; p.Unit != "SCNH-28627" || p.Position != (geo.Position{Lat: 52.0401611, Lng: -0.754812}) || p.At.String() != "2020-06-12T17:02:09.000Z" {
		t.Errorf("first %+v", p)
	}
	if p := b.Positions[1]; p.Unit != "GEA-617" || p.Name != "617" {
		t.Errorf("second %+v", p)
	}
	if p := b.Positions[3]; p.Unit != "TGTC-V95 MOA" {
		t.Errorf("a number plate %+v", p)
	}
}

const activity = `<VehicleActivity><RecordedAtTime>2026-11-02T09:59:50+07:00</RecordedAtTime><ValidUntilTime>2026-11-02T10:00:00</ValidUntilTime><MonitoredVehicleJourney>` +
	`<LineRef>L1</LineRef><VehicleMode>tram</VehicleMode><OperatorRef>OP</OperatorRef><VehicleLocation><Longitude>100.65</Longitude><Latitude>-0.79</Latitude></VehicleLocation>` +
	`<Bearing>360</Bearing><Velocity>8</Velocity><Occupancy>seatsAvailable</Occupancy><Delay>-PT1M30S</Delay><VehicleRef>7</VehicleRef></MonitoredVehicleJourney></VehicleActivity>`

const head = `<Siri xmlns="http://www.siri.org.uk/siri" version="2.0"><ServiceDelivery><ResponseTimestamp>2026-11-02T03:00:00Z</ResponseTimestamp><ProducerRef>dishub</ProducerRef>`

func monitoring(items ...string) string {
	return head + "<VehicleMonitoringDelivery>\n" + strings.Join(items, "\n") + `</VehicleMonitoringDelivery></ServiceDelivery></Siri>`
}

const situation = `<PtSituationElement><CreationTime>2026-11-01T03:00:00Z</CreationTime><ParticipantRef>OP</ParticipantRef><SituationNumber>9</SituationNumber><Version>2</Version>` +
	`<Progress>open</Progress><ValidityPeriod><StartTime>2026-11-02T02:00:00Z</StartTime><EndTime>2026-11-02T12:00:00Z</EndTime></ValidityPeriod><EquipmentReason>signalFailure</EquipmentReason>` +
	`<Severity>verySevere</Severity><Summary xml:lang="ID">Jalan ditutup</Summary><Summary xml:lang="EN">Road closed</Summary><InfoLinks><InfoLink><Uri>https://example.org/a</Uri></InfoLink></InfoLinks>` +
	`<Affects><StopPoints><AffectedStopPoint><StopPointRef>h1</StopPointRef><Location><Longitude>100.6</Longitude><Latitude>-0.8</Latitude></Location></AffectedStopPoint></StopPoints>` +
	`<Networks><AffectedNetwork><AffectedLine><LineRef>L1</LineRef></AffectedLine></AffectedNetwork></Networks></Affects></PtSituationElement>`

func situations(items ...string) string {
	return head + "<SituationExchangeDelivery><Situations>\n" + strings.Join(items, "\n") + `</Situations></SituationExchangeDelivery></ServiceDelivery></Siri>`
}

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestVehicle(t *testing.T) {
	b := decode(t, monitoring(activity))
	p := b.Positions[0]
	if p.Unit != "OP-7" || p.Name != "7" || p.Kind != "tram" || *p.Heading != 0 || *p.SpeedMps != 8 || p.At.String() != "2026-11-02T02:59:50.000Z" || !b.Snapshot {
		t.Errorf("got %+v", p)
	}
	want := map[string]any{"route": "L1", "delay": -90.0, "occupancy_status": "seatsAvailable"}
	for _, o := range b.Observations {
		if want[o.Property] != o.Value.Any() || o.Thing != "OP-7" {
			t.Errorf("%s %v, want %v", o.Property, o.Value.Any(), want[o.Property])
		}
	}
	if len(b.Observations) != 3 {
		t.Errorf("%d observations", len(b.Observations))
	}
	swap := func(old, new string) feeds.Batch {
		return decode(t, monitoring(strings.Replace(activity, old, new, 1)))
	}
	if p := swap("<VehicleRef>7", "<VehicleRef>OP-7").Positions[0]; p.Unit != "OP-7" {
		t.Errorf("an operator twice: %s", p.Unit)
	}
	if p := swap("<VehicleMode>tram", "<VehicleMode>mule").Positions[0]; p.Kind != "thing" {
		t.Errorf("kind %s", p.Kind)
	}
	if p := swap("<RecordedAtTime>2026-11-02T09:59:50+07:00</RecordedAtTime>", "").Positions[0]; !p.At.IsZero() {
		t.Errorf("no time became %s", p.At)
	}
	if b := swap("<VehicleLocation><Longitude>100.65</Longitude><Latitude>-0.79</Latitude></VehicleLocation>", ""); len(b.Positions) != 0 || len(b.Observations) != 3 || b.Observations[1].Placed {
		t.Errorf("a delay without a place: %+v", b)
	}
	part := decode(t, strings.Replace(monitoring(activity), "<VehicleMonitoringDelivery>", "<VehicleMonitoringDelivery><SubscriptionRef>47</SubscriptionRef>", 1))
	if part.Snapshot || len(part.Positions) != 1 {
		t.Error("what a subscription brings is not the whole state")
	}
	if b := decode(t, strings.Replace(monitoring(activity), "<ProducerRef>", "<MoreData>true</MoreData><ProducerRef>", 1)); b.Snapshot {
		t.Error("a part is not the whole state")
	}
	prefixed := strings.NewReplacer("</", "</s:", "<", "<s:", "xmlns=", "xmlns:s=").Replace(monitoring(activity))
	if b := decode(t, strings.ReplaceAll(prefixed, "<s:/s:", "</s:")); len(b.Positions) != 1 {
		t.Error("a prefixed namespace")
	}
}

func TestSituation(t *testing.T) {
	one := func(old, new string) feeds.Alert {
		t.Helper()
		b := decode(t, situations(strings.Replace(situation, old, new, 1)))
		if len(b.Alerts) != 1 {
			t.Fatalf("%s: %v %v", new, b.Ignored, b.Rejected)
		}
		return b.Alerts[0]
	}
	a := one("", "")
	in := a.Message.Infos
	if a.Message.Identifier != "9.v2" || a.Message.Sender != "OP" || a.Keys[0] != "siri OP 9" || a.Message.Sent.String() != "2026-11-01T03:00:00.000Z" || len(in) != 2 ||
		in[0].Language != "id" || in[1].Headline != "Road closed" || in[0].Severity != cap.Severe || in[0].Urgency != "Immediate" || in[0].Web != "https://example.org/a" ||
		in[0].Expires.String() != "2026-11-02T12:00:00.000Z" || len(in[0].Areas[0].Geocodes) != 2 || in[0].Areas[0].Shape.Points[0] != (geo.Position{Lat: -0.8, Lng: 100.6}) ||
		in[0].Parameters[0].Value != "signalFailure" {
		t.Errorf("got %+v", a)
	}
	if s := one("<Severity>verySevere", "<Severity>odd").Message.Infos[0].Severity; s != cap.Unknown {
		t.Errorf("an unknown severity is %s", s)
	}
	if m := one("<Progress>open", "<Progress>closed").Message; m.MsgType != "Cancel" || len(m.Infos) != 0 || m.References[0] != a.Message.Reference() || m.Identifier != "9.v2.closed" {
		t.Errorf("closed: %+v", m)
	}
	if m := one("<ParticipantRef>OP</ParticipantRef>", "").Message; m.Sender != "dishub" {
		t.Errorf("sender %q", m.Sender)
	}
	if m := one("<Version>", "<VersionedAtTime>2026-11-02T01:00:00Z</VersionedAtTime><Version>").Message; m.Sent.String() != "2026-11-02T01:00:00.000Z" {
		t.Errorf("sent %s", m.Sent)
	}
	if in := one("<StartTime>2026-11-02T02", "<StartTime>2026-11-02T11").Message.Infos[0]; in.Urgency != "Future" {
		t.Errorf("to come: %s", in.Urgency)
	}
	if in := one("<EndTime>2026-11-02T12:00:00Z</EndTime>", "").Message.Infos[0]; in.Expires.String() != "2027-01-31T00:00:00.000Z" {
		t.Errorf("no end: %s", in.Expires)
	}
	if m := one("<Summary", "<QualityIndex>test</QualityIndex><Summary").Message; m.Status != "Test" {
		t.Errorf("a test: %s", m.Status)
	}
}

func TestItems(t *testing.T) {
	swap := func(s, old, new string) string { return strings.Replace(s, old, new, 1) }
	for _, c := range []struct {
		name, body, reason string
		ignored            bool
	}{
		{"swapped", monitoring(activity, swap(activity, "<Longitude>100.65</Longitude><Latitude>-0.79", "<Longitude>-0.79</Longitude><Latitude>100.65")), "seem swapped", false},
		{"null island", monitoring(activity, swap(activity, "<Longitude>100.65</Longitude><Latitude>-0.79", "<Longitude>0</Longitude><Latitude>0.0")), "unknown place", false},
		{"the pole", monitoring(activity, swap(activity, "-0.79", "90")), "unknown place", false},
		{"half a place", monitoring(activity, swap(activity, "<Latitude>-0.79</Latitude>", "")), "does not hold", false},
		{"another grid", monitoring(activity, swap(activity, "<Longitude>", "<Coordinates>1 2</Coordinates><Longitude>")), "another reference system", false},
		{"time without a zone", monitoring(activity, swap(activity, "09:59:50+07:00", "09:59:50")), "not a time with an offset", false},
		{"vehicle twice", monitoring(activity, swap(activity, "<VehicleRef>", "<VehicleRef>8</VehicleRef><VehicleRef>")), "a second time", false},
		{"other letters", monitoring(activity, swap(activity, "<VehicleRef>7</VehicleRef>", "<vehicleRef>7</vehicleRef>")), "should be written <VehicleRef>", false},
		{"nameless", monitoring(activity, swap(activity, "<VehicleRef>7</VehicleRef>", "")), "<VehicleRef> is missing", false},
		{"journey missing", monitoring(activity, "<VehicleActivity/>"), "<MonitoredVehicleJourney> is missing", false},
		{"delay", monitoring(activity, swap(activity, "-PT1M30S", "P1Y")), "not a duration", false},
		{"bearing", monitoring(activity, swap(activity, "<Bearing>360", "<Bearing>400")), "<Bearing> 400", false},
		{"velocity", monitoring(activity, swap(activity, "<Velocity>8", "<Velocity>NaN")), "is not a number", false},
		{"cancellation", monitoring(activity, "<VehicleActivityCancellation/>"), "a cancellation", true},
		{"no location", monitoring(activity, `<VehicleActivity><MonitoredVehicleJourney><VehicleRef>7</VehicleRef></MonitoredVehicleJourney></VehicleActivity>`), "without a location", true},
		{"no number", situations(situation, swap(situation, "<SituationNumber>9</SituationNumber>", "")), "<SituationNumber> is missing", false},
		{"no time", situations(situation, swap(situation, "<CreationTime>2026-11-01T03:00:00Z</CreationTime>", "")), "are missing", false},
		{"no words", situations(situation, strings.ReplaceAll(situation, "Summary", "Sum")), "<Summary> and <Description> are missing", false},
		{"backwards", situations(situation, swap(situation, "<EndTime>2026-11-02T12", "<EndTime>2026-11-02T01")), "ends before it starts", false},
		{"over", situations(situation, swap(situation, "<EndTime>2026-11-02T12", "<EndTime>2026-11-02T02")), "is over", true},
		{"draft", situations(situation, swap(situation, "<Progress>open", "<Progress>draft")), "not published", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, c.body)
			refused := b.Rejected
			if c.ignored {
				refused = b.Ignored
			}
			if len(b.Positions)+len(b.Alerts) != 1 || len(b.Ignored)+len(b.Rejected) != 1 || len(refused) != 1 {
				t.Fatalf("got %d records, ignored %v, rejected %v", b.Records(), b.Ignored, b.Rejected)
			}
			if r := refused[0]; r.Index != 1 || !strings.Contains(r.Reason, c.reason) || !c.ignored && !strings.Contains(r.Reason, "line 3") {
				t.Errorf("reason %q, want %q", r.Reason, c.reason)
			}
		})
	}
}

func TestOtherDocuments(t *testing.T) {
	good := monitoring(activity)
	for _, body := range []string{"", "{}", "<rss/>", "<Siri/>", `<Siri xmlns="urn:x"/>`, good + "x", good + "<a/>", "<!DOCTYPE Siri>" + good, strings.Replace(good, "</VehicleActivity>", "", 1),
		strings.Replace(good, "OP", "&e;", 1), head + strings.Repeat("<x>", 70), strings.Replace(good, "<ProducerRef>", "<Status>false</Status><ErrorCondition><OtherError><ErrorText>no</ErrorText></OtherError></ErrorCondition><ProducerRef>", 1),
		monitoring("<VehicleActivity>" + strings.Repeat("<x/>", maxElements) + "</VehicleActivity>")} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.80q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, monitoring()); b.Records() != 0 || !b.Snapshot || len(b.Ignored) != 0 {
		t.Errorf("a quiet night: %+v", b)
	}
	if b := decode(t, head+"<StopMonitoringDelivery/></ServiceDelivery></Siri>"); len(b.Ignored) != 1 || b.Snapshot {
		t.Errorf("another service: %+v", b)
	}
}

func seeds(t testing.TB) []string {
	files, err := filepath.Glob("testdata/seed/*")
	if err != nil || len(files) == 0 {
		t.Fatal("no seeds under testdata/seed")
	}
	return files
}

func BenchmarkVehicles(b *testing.B) {
	body := feedtest.Read(b, feedtest.Recorded(b, "siri/bods-*")[0])
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := (Format{}).Decode(body, feedtest.Meta()); err != nil {
			b.Fatal(err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, file := range seeds(f) {
		f.Add(feedtest.Read(f, file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
