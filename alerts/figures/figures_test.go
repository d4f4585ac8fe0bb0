package figures

import (
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/quick"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

var (
	seven = time.Date(2026, 11, 23, 0, 0, 0, 0, time.UTC) // 07.00 WIB
	wib   = time.FixedZone("WIB", 7*3600)
)

// ms is so many seconds after seven.
func ms(s int) int64 { return seven.UnixMilli() + int64(s)*1000 }

// whole is a case whose steps took so many seconds after its signal at second s.
func whole(s, ack, dispatch, enroute, scene, resolve int) Case {
	at := func(after int) int64 {
		if after < 0 {
			return 0
		}
		return ms(s + after)
	}
	c := Case{ID: "A", Type: "medical", Lead: "dinkes", Area: "Kubung", Severity: cap.Extreme, Class: "A", Opened: ms(s)}
	c.Stamps = [Stamps]int64{ms(s), at(ack), at(dispatch), at(enroute), at(scene), at(resolve)}
	c.Due[StepAck], c.Due[StepDispatch], c.Due[StepScene] = ms(s+60), ms(s+120), ms(s+900)
	c.Moves = []Move{{ms(s), New}}
	for i, to := range []Mark{Acknowledged, Dispatched, 0, OnScene, Resolved} {
		if t := c.Stamps[i+1]; t != 0 && to != 0 {
			c.Moves = append(c.Moves, Move{t, to})
		}
	}
	return c
}

// of gives the cases as formulas take them.
func of(all []Case) []*Case {
	out := make([]*Case, len(all))
	for i := range all {
		out[i] = &all[i]
	}
	return out
}

func told(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	if got == nil || *got != want {
		text, _ := json.Marshal(got)
		t.Errorf("%s: %s, want %v", what, text, want)
	}
}

// Worked by hand: acknowledged after 10, 20, 30, 40, 50, 60, 70 seconds and one still waiting, 300 s after its signal. Sorted: 10 20 30 40
// 50 60 70 300. n = 8: P50 is item ceil(4) = 40, P90 item ceil(7.2) = 8th = 300; mean 580 / 8 = 72.5.
func TestGoldenAcknowledge(t *testing.T) {
	var all []Case
	for i := 1; i <= 7; i++ {
		all = append(all, whole(0, 10*i, -1, -1, -1, -1))
	}
	all = append(all, whole(0, -1, -1, -1, -1, -1))
	all[0].Manual = 1 << Ack
	for i := range all {
		all[i].Sourced = true
	}
	d := Acking.Times(of(all), seven.Add(300*time.Second))
	told(t, "P50", d.P50, 40)
	told(t, "P90", d.P90, 300)
	told(t, "mean", d.Mean, 72.5)
	told(t, "manual", d.ManualShare, 0.0625) // one stamp of sixteen
	if d.N != 8 || d.Hidden {
		t.Errorf("%+v", d)
	}
}

// Worked by hand: t_signal 0; reached after 300, 600, 900, 1200, 1500 s. P50 is the 3rd, P90 the ceil(4.5) = 5th. Enroute 60 s after a
// dispatch 60 s after an acknowledgement at 30 s.
func TestGoldenResponse(t *testing.T) {
	var all []Case
	for i := 1; i <= 5; i++ {
		all = append(all, whole(0, 30, 90, 150, 300*i, 300*i+600))
	}
	at := seven.Add(time.Hour)
	for _, c := range []struct {
		f              Figure
		p50, p90, mean float64
	}{
		{Response, 900, 1500, 900}, {Dispatching, 60, 60, 60}, {Turnout, 60, 60, 60}, {Travel, 750, 1350, 750}, {Resolving, 1500, 2100, 1500},
	} {
		d := c.f.Times(of(all), at)
		told(t, string(c.f)+" P50", d.P50, c.p50)
		told(t, string(c.f)+" P90", d.P90, c.p90)
		told(t, string(c.f)+" mean", d.Mean, c.mean)
	}
	all[4].Paused = 600_000 // a pause of 10 min: 2100 - 600 = 1500; sorted 900 1200 1500 1500 1800
	d := Resolving.Times(of(all), at)
	told(t, "paused P90", d.P90, 1800)
	told(t, "paused mean", d.Mean, 1380)
	all[0].Stamps[Dispatch], all[0].Stamps[Enroute] = 0, 0 // a crew that found it by itself
	if n := Turnout.Times(of(all), at).N; n != 4 {
		t.Errorf("self-initiated counts as turnout: %d", n)
	}
	if n := Response.Times(of(all), at).N; n != 5 {
		t.Errorf("self-initiated is no response: %d", n)
	}
}

// Worked by hand, the dispatch step due after 120 s, seen at 200 s: 90 met, 120 met (not later than due), 121 missed, 150 missed, one open and
// past due, one open whose clock began at 100 s and is due at 220, one resolved without a unit. 2 of 5; the last two are not judged.
func TestGoldenCompliance(t *testing.T) {
	all := []Case{whole(0, 10, 90, -1, -1, -1), whole(0, 10, 120, -1, -1, -1), whole(0, 10, 121, -1, -1, -1), whole(0, 10, 150, -1, -1, -1), whole(0, 10, -1, -1, -1, -1),
		whole(100, 10, -1, -1, -1, -1), whole(0, 10, -1, -1, -1, 60)}
	got := SLADispatch.Compliance(of(all), seven.Add(200*time.Second))
	if got.Met != 2 || got.N != 5 {
		t.Errorf("%+v", got)
	}
	told(t, "share", got.Share, 0.4)
	// All steps: all seven were acknowledged in time; those two and the last two have missed nothing.
	got = SLA.Compliance(of(all), seven.Add(200*time.Second))
	if got.Met != 4 || got.N != 7 {
		t.Errorf("all steps: %+v", got)
	}
	if b := BacklogOf(of(all), seven.Add(200*time.Second)); b.N != 1 || b.P90 != nil || !b.Hidden {
		t.Errorf("backlog: %+v", b)
	}
}

func TestFewAreHidden(t *testing.T) {
	var all []Case
	for range Least - 1 {
		all = append(all, whole(0, 10, 20, 30, 40, 50))
	}
	at := seven.Add(time.Hour)
	d, s := Response.Times(of(all), at), SLA.Compliance(of(all), at)
	if d.N != 4 || !d.Hidden || d.Mean != nil || d.P50 != nil || d.P90 != nil || d.ManualShare != nil || s.Share != nil || !s.Hidden || s.Met != 0 {
		t.Errorf("%+v %+v", d, s)
	}
	if d := Response.Times(nil, at); d.N != 0 || d.P50 != nil || !d.Hidden {
		t.Errorf("none: %+v", d)
	}
}

func TestPopulation(t *testing.T) {
	end := func(to Mark, reason string) Case {
		c := whole(10, 20, -1, -1, -1, -1)
		c.Moves = append(c.Moves, Move{ms(50), to})
		c.Reason = reason
		return c
	}
	apart := whole(10, 20, -1, -1, -1, -1)
	apart.Apart = true
	later := whole(3600, 1, -1, -1, -1, -1)
	for _, c := range []struct {
		name string
		in   Case
		want bool
	}{
		{"counted", whole(10, 20, -1, -1, -1, -1), true}, {"exercise or simulated", apart, false}, {"test", end(Cancelled, "test"), false}, {"false", end(Cancelled, "false"), true},
		{"prank", end(Cancelled, "prank"), true}, {"merged child", end(Merged, ""), false}, {"duplicate", end(Cancelled, "duplicate"), false}, {"at the end of the period", later, false},
		{"at its beginning", whole(0, 1, -1, -1, -1, -1), true}, {"before it", whole(-1, 1, -1, -1, -1, -1), false},
	} {
		got := len(Population([]Case{c.in}, seven, seven.Add(time.Hour), seven.Add(2*time.Hour))) == 1
		if got != c.want {
			t.Errorf("%s: counted %v", c.name, got)
		}
	}
	child := end(Merged, "") // as it was known before it was found to be part of another
	if len(Population([]Case{child}, seven, seven.Add(time.Hour), seven.Add(40*time.Second))) != 1 {
		t.Error("it was merged 50 s after seven, and did not count at 40 s")
	}
	back := child
	back.Moves = append(slices.Clone(child.Moves), Move{ms(90), Unmerged})
	if s := back.Status(); s != Acknowledged {
		t.Errorf("taken back it stands %v", s)
	}
}

func TestSeenIsWhatWasKnown(t *testing.T) {
	c := whole(0, 10, 20, 30, 40, 50)
	c.Moves = append(c.Moves, Move{ms(70), Reopened}, Move{ms(90), Resolved}, Move{ms(120), Closed})
	c.Stamps[Resolve], c.Stamps[Close], c.Verified = ms(90), ms(120), true
	for _, w := range []struct {
		at     int
		status Mark
		done   int64
	}{{-1, New, 0}, {5, New, 0}, {15, Acknowledged, 0}, {60, Resolved, ms(50)}, {80, Acknowledged, 0}, {100, Resolved, ms(90)}, {130, Closed, ms(90)}} {
		seen, known := c.Seen(ms(w.at))
		if known != (w.at >= 0) {
			t.Fatalf("%d s: known %v", w.at, known)
		}
		if !known {
			continue
		}
		if seen.Status() != w.status || seen.resolvedAt() != w.done || seen.Verified != (w.at >= 120) {
			t.Errorf("%d s: status %d, resolved %d, verified %v", w.at, seen.Status(), seen.resolvedAt(), seen.Verified)
		}
		for i, s := range seen.Stamps {
			if s > ms(w.at) {
				t.Errorf("%d s: stamp %d is of later", w.at, i)
			}
		}
	}
}

// Worked by hand: 3 today; 4, 2, 0 and 1 on the four days of the same weekday before: mean 7 / 4 = 1.75.
func TestGoldenMeanOfWeekdays(t *testing.T) {
	var all []Case
	for week, n := range []int{3, 4, 2, 0, 1, 9} { // the ninth fives weeks back do not count
		for range n {
			all = append(all, whole(-week*7*86400+3600, 1, -1, -1, -1, -1))
		}
	}
	q := Counting{All: all, Began: seven.AddDate(0, 0, -60), Zone: wib, AsOf: seven.AddDate(0, 0, 1)}
	got := q.In(seven, seven.AddDate(0, 0, 1))
	if got.N != 3 || got.Weeks != 4 {
		t.Errorf("%+v", got)
	}
	told(t, "mean", got.Mean, 1.75)
	q.Began = seven.AddDate(0, 0, -27)
	if got := q.In(seven, seven.AddDate(0, 0, 1)); got.Mean != nil || got.Weeks != 3 {
		t.Errorf("a record of 27 days knows four weeks: %+v", got)
	}
	if got := q.In(seven.AddDate(0, 0, -30), seven); got.Mean != nil {
		t.Errorf("a month is held against itself: %+v", got)
	}
	if s := q.Series(seven, seven.AddDate(0, 0, 1)); len(s) != 24 || s[1].N != 3 || s[0].N != 0 {
		t.Errorf("hours: %+v", s)
	}
	if s := q.Series(seven.AddDate(0, 0, -30), seven); len(s) != 30 {
		t.Errorf("days: %d", len(s))
	}
	if s := q.Series(seven.AddDate(-1, 0, 0), seven); len(s) != 13 {
		t.Errorf("months: %d", len(s))
	}
}

// Worked by hand, a record of 365 days: one cell had 4 floods in 90 days and 5 in its year. Its own mean of 90 days is 5 * 90 / 365 = 1.2329;
// 4 is over twice that. Another had 3 lately and 9 in the year: mean 2.2192, and 3 is not.
func TestGoldenRecurrentPlaces(t *testing.T) {
	cell := func(lng float64) geo.Cell {
		c, err := geo.CellAt(geo.Position{Lat: -0.9, Lng: lng}, geo.ResArea)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	one, two := cell(100.6), cell(100.7)
	var all []Case
	add := func(c geo.Cell, days ...int) {
		for _, d := range days {
			k := whole(-d*86400, 1, -1, -1, -1, -1)
			k.Cell = c
			all = append(all, k)
		}
	}
	add(one, 1, 20, 40, 80, 200)
	add(two, 1, 20, 40, 100, 120, 140, 160, 180, 200)
	got, known := Recurrent(all, seven.AddDate(-2, 0, 0), seven)
	if !known || len(got) != 1 || got[0].Cell != one || got[0].N != 4 || got[0].YearMean != 1.2329 {
		t.Errorf("%v %+v", known, got)
	}
	if _, known := Recurrent(all, seven.AddDate(0, 0, -100), seven); known {
		t.Error("a hundred days know no year")
	}
}

// Worked by hand: of 6 closed 4 were looked at by another; of 10 that were closed or cancelled 2 were pranks and 1 false.
func TestGoldenRates(t *testing.T) {
	var all []Case
	for i := range 6 {
		c := whole(0, 10, 20, 30, 40, 50)
		c.Moves = append(c.Moves, Move{ms(60), Closed})
		c.Verified = i < 4
		c.Origin = BySensor
		if i == 0 {
			c.Moves = append([]Move{{ms(0), New}, {ms(41), Resolved}, {ms(42), Disputed}, {ms(43), Reopened}}, c.Moves[len(c.Moves)-2:]...)
		}
		all = append(all, c)
	}
	for _, reason := range []string{"false", "prank", "prank", "out_of_area"} {
		c := whole(0, 10, -1, -1, -1, -1)
		c.Moves = append(c.Moves, Move{ms(60), Cancelled})
		c.Reason = reason
		all = append(all, c)
	}
	r := RatesOf(of(all))
	told(t, "verification", r["verification"].Share.Share, 0.6667)
	told(t, "false alarms", r["false_alarm"].Share.Share, 0.3)
	told(t, "reopened", r["reopen"].Share.Share, 0.1667)
	told(t, "disputed", r["dispute"].Share.Share, 0.1667)
	told(t, "detected", r["auto_detected"].Share.Share, 0.6)
	if p := r["false_alarm_person"]; !p.Hidden || p.N != 4 {
		t.Errorf("four of a person: %+v", p)
	}
	told(t, "of sensors", r["false_alarm_sensor"].Share.Share, 0)
}

// Nearest rank: the value is one of those given, at least percent of 100 are not above it, and fewer are below it.
func TestRankIsNearest(t *testing.T) {
	rank := func(values []int64, percent uint8) bool {
		p := int(percent)%100 + 1
		v := slices.Sorted(slices.Values(values))
		got, ok := Rank(v, p)
		if len(v) == 0 {
			return !ok
		}
		upTo, below := 0, 0
		for _, x := range v {
			if x <= got {
				upTo++
			}
			if x < got {
				below++
			}
		}
		return ok && slices.Contains(v, got) && upTo*100 >= p*len(v) && below*100 < p*len(v)
	}
	if err := quick.Check(rank, &quick.Config{MaxCount: 5000, Rand: nil}); err != nil {
		t.Error(err)
	}
	for _, c := range []struct {
		n, percent int
		want       int64
	}{{5, 50, 3}, {5, 90, 5}, {10, 90, 9}, {11, 90, 10}, {1, 90, 1}, {20, 50, 10}, {100, 90, 90}} {
		var v []int64
		for i := range c.n {
			v = append(v, int64(i+1))
		}
		if got, _ := Rank(v, c.percent); got != c.want {
			t.Errorf("P%d of %d: %d, want %d", c.percent, c.n, got, c.want)
		}
	}
}

func TestCaseComesBackAsItWasKept(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 2000 {
		c := whole(r.IntN(1e6), r.IntN(100), r.IntN(200), -1, r.IntN(3000), r.IntN(9000))
		c.Support, c.Cell, c.Number, c.Of, c.Reason = []string{"bpbd", "pupr"}[:r.IntN(3)], geo.Cell(r.Uint64()), "SLK-2026-000001", "B", "false"
		c.Override, c.Sourced, c.Manual, c.Origin, c.Apart, c.Told, c.Verified, c.Paused, c.Event = r.IntN(2) == 0, r.IntN(2) == 0, uint8(r.UintN(256)), Origin(r.IntN(4)), r.IntN(2) == 0, r.IntN(2) == 0, r.IntN(2) == 0, r.Int64N(1e9), ms(-r.IntN(100))
		if len(c.Support) == 0 {
			c.Support = nil
		}
		got, err := Parse(string(c.Append(nil)))
		if err != nil {
			t.Fatal(err)
		}
		a, _ := json.Marshal(c)
		b, _ := json.Marshal(got)
		if string(a) != string(b) {
			t.Fatalf("%s\n%s", a, b)
		}
	}
}

// A case that the version before this one has written is read, with no decision; whether it was asked for one was not kept.
func TestACaseOfTheVersionBeforeIsRead(t *testing.T) {
	const before = "\x02\x01A\x0fSLK-2026-000001\amedical\x06dinkes\x06Kubung\aExtreme\x01A\x00\x00\x01\x04pupr\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\xc0\x9e\xdb\xc0h\x01\x00\x00\x01\xe0\xd4\x03\x01\xa0\xfe\n\x01\xc0\x9a\f\x01\x80\xea0\x01\x80\xad\xe2\x04\x00\x01\xc0\xa9\a\x01\x80\xd3\x0e\x01\xc0\xeem\x00\x00\x05\x00\x00\xe0\xd4\x03\x01\xa0\xfe\n\x02\x80\xea0\x03\x80\xad\xe2\x04\x04"
	want := whole(0, 30, 90, 100, 400, 5000)
	want.Number, want.Support = "SLK-2026-000001", []string{"pupr"}
	got, err := Parse(before)
	a, _ := json.Marshal(want)
	b, _ := json.Marshal(got)
	if err != nil || string(a) != string(b) {
		t.Errorf("%v\n%s\n%s", err, a, b)
	}
}

// What is watched is judged by whether somebody decided in time.
func TestADecisionIsJudged(t *testing.T) {
	watched := func(decided int) Case {
		c := whole(0, 30, -1, -1, -1, -1)
		c.Class, c.Due = "E", [Steps]int64{StepAck: ms(900), StepDecision: ms(1800)}
		if decided > 0 {
			c.Stamps[Decide] = ms(decided)
		}
		return c
	}
	all := []Case{watched(600), watched(1800), watched(2400), watched(0)}
	for at, want := range map[int][2]int{1000: {3, 2}, 2000: {4, 2}} { // one that nobody has decided counts when it is past due
		met, n := 0, 0
		for i := range all {
			ok, judged := all[i].step(StepDecision, ms(at))
			if judged {
				n++
			}
			if ok {
				met++
			}
		}
		if n != want[0] || met != want[1] {
			t.Errorf("after %d s: %d of %d", at, met, n)
		}
	}
	if !SLADecision.Counts(&all[0], ms(2000)) || !Backlog.Counts(&all[3], ms(2000)) || Backlog.Counts(&all[0], ms(2000)) {
		t.Error("which cases the figure rests on")
	}
}

func FuzzParse(f *testing.F) {
	c := whole(0, 1, 2, 3, 4, 5)
	f.Add(string(c.Append(nil)))
	f.Add("\x01")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(string(c.Append(nil)))
		if err != nil || again.ID != c.ID || again.Stamps != c.Stamps || again.Status() != c.Status() {
			t.Errorf("%+v %+v %v", c, again, err)
		}
	})
}

// What an incident keeps of its service is what figures judge it by: dues of all steps, the time that the clocks stood still, who set a stamp, and
// whether it was closed with less proof than is needed.
func TestACaseKeepsTheTermsOfItsIncident(t *testing.T) {
	in, err := incident.Open(incident.Opening{ID: "a", Type: "flood", At: seven, Terms: incident.Terms{Zone: "town"}})
	if err != nil {
		t.Fatal(err)
	}
	do := func(minutes int, act incident.Act) {
		t.Helper()
		act.Version = in.Version
		next, err := in.Apply(act, "user:x", seven.Add(time.Duration(minutes)*time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		in = next
	}
	do(2, incident.Act{To: incident.Acknowledged, At: seven.Add(time.Minute)})
	held, err := in.Rest(incident.Holding{On: true, Reason: "outside_party", Until: seven.Add(time.Hour), Version: in.Version}, "user:x", seven.Add(3*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	if in, err = held.Rest(incident.Holding{Version: held.Version}, "user:x", seven.Add(13*time.Minute)); err != nil {
		t.Fatal(err)
	}
	do(20, incident.Act{To: incident.Resolved, Outcome: "referred"})
	in.ResolvedBy = "user:y"
	do(30, incident.Act{To: incident.Closed, Override: "cukup"})
	c := Of(&in)
	want := [Steps]int64{seven.Add(3 * time.Minute).UnixMilli(), seven.Add(15 * time.Minute).UnixMilli(), seven.Add(40 * time.Minute).UnixMilli()}
	if c.Due != want || c.Paused != 600_000 || c.Manual != 1<<Ack || !c.Sourced || !c.Override {
		t.Errorf("%+v, want due %v", c, want)
	}
	kept, err := Parse(string(c.Append(nil)))
	if err != nil || kept.Due != c.Due || !kept.Override || !kept.Sourced {
		t.Errorf("kept: %+v %v", kept, err)
	}
	if s, ok := Resolving.span(&c, 0); !ok || s.ms != 600_000 || !s.sourced {
		t.Errorf("resolved after 20 minutes of which 10 were paused: %+v", s)
	}
	if before, _ := c.Seen(seven.Add(25 * time.Minute).UnixMilli()); before.Override {
		t.Error("it was closed by override before it was closed")
	}
	var few []*Case
	for range Least {
		one := c
		one.Sourced = false
		few = append(few, &one)
	}
	if d := Resolving.Times(few, seven.Add(time.Hour)); d.Hidden || d.ManualShare != nil {
		t.Errorf("nobody kept who set the stamps: %+v", d)
	}
}
