package status

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/incident"
	"kentongan/alerts/statement"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)

func at(minutes float64) moment.Time {
	return moment.Of(noon.Add(time.Duration(minutes * float64(time.Minute))))
}

var levels = []Level{{1, "normal"}, {2, "waspada"}, {3, "siaga"}, {4, "awas"}}

var scales = append(statement.Scales{
	{Code: "pvmbg", Hazard: "volcano", Steps: []statement.Step{{Code: "I", Status: 1}, {Code: "II", Status: 2}, {Code: "III", Status: 3}, {Code: "IV", Status: 4}}},
	{Code: "river_gate", Hazard: "flood", Steps: []statement.Step{{Code: "IV", Status: 1}, {Code: "III", Status: 1}, {Code: "II", Status: 1}, {Code: "I", Status: 2}}},
	{Code: "bmkg_impact", Hazard: "weather", Steps: []statement.Step{{Code: "waspada", Status: 2}, {Code: "siaga", Status: 2}, {Code: "awas", Status: 2}}},
}, statement.House()...)

// town is a place of three kecamatan; an alert covers those that its area names.
type town struct{}

func (town) District(name string) bool {
	return slices.Contains([]string{"Kubung", "Talang", "Surian"}, name)
}
func (t town) Covered(a *alerts.Alert) (out []string) {
	for name := range strings.SplitSeq(a.Area.Properties.Name, ", ") {
		if t.District(name) {
			out = append(out, name)
		}
	}
	return out
}

func engine(t testing.TB, list []Rule) *Engine {
	t.Helper()
	r, err := Compile(list, len(levels))
	if err != nil {
		t.Fatal(err)
	}
	return NewEngine(Options{Rules: r, Levels: levels, Scales: scales, Place: town{}})
}

func open(id, typ string, s cap.Severity, area string, minute float64) *incident.Incident {
	return &incident.Incident{ID: id, Number: "SLK-" + id, Type: typ, Severity: s, Status: incident.New, AreaName: area, OpenedAt: at(minute), UpdatedAt: at(minute), Title: "Rumah Pak Ahmad"}
}

func closed(in *incident.Incident, minute float64) *incident.Incident {
	out := *in
	out.Status, out.UpdatedAt = incident.Closed, at(minute)
	return &out
}

func says(scale, subject, step string, minute float64, change ...func(*statement.Statement)) *statement.Statement {
	s := &statement.Statement{ID: scale + subject + step, Version: 1, State: statement.InForce, Scale: scale, Subject: subject, Name: subject, Step: step, Source: "PVMBG", StatedAt: at(minute), UpdatedAt: at(minute)}
	for _, c := range change {
		c(s)
	}
	return s
}

func (e *Engine) must(t testing.TB, id string, level int, rules ...string) {
	t.Helper()
	s, ok := e.tracks[id]
	switch {
	case !ok:
		t.Fatalf("there is no status %s", id)
	case level == s.Level && s.Proposal != nil:
		t.Fatalf("%s: proposed is %d by %v, want none", id, s.Proposal.Level, s.Proposal.Rules)
	case level == s.Level:
		return
	case s.Proposal == nil:
		t.Fatalf("%s: nothing is proposed, want %d", id, level)
	case s.Proposal.Level != level || strings.Join(s.Proposal.Rules, " ") != strings.Join(rules, " "):
		t.Fatalf("%s: proposed is %d by %v, want %d by %v", id, s.Proposal.Level, s.Proposal.Rules, level, rules)
	case s.Proposal.Code != levels[level-1].Code || s.Proposal.At.IsZero() || len(s.Proposal.Who) == 0:
		t.Fatalf("%s: %+v", id, s.Proposal)
	}
}

// TestTheTable is domain.md section 3, row by row: nothing is proposed just short of it, and the level with its evidence at it.
func TestTheTable(t *testing.T) {
	national := func(s *statement.Statement) { s.National = true }
	decreed := func(s *statement.Statement) { s.Decree = &statement.Decree{Number: "360/1", From: at(0)} }
	warned := func(area string) *alerts.Alert {
		return &alerts.Alert{ID: "w" + area, Status: "Actual", Category: "Met", Severity: cap.Moderate, State: alerts.Active, Relevant: true, Headline: "Hujan lebat", Sent: at(0), UpdatedAt: at(0), Expires: at(600),
			Area: alerts.Feature{Properties: alerts.FeatureProperties{Name: area}}}
	}
	flood := func(e *Engine, id string, active bool, since, minute float64) {
		e.Alarm(&alarm.Alarm{ID: id, Code: alarm.CodeFlood, State: alarm.Raised, Active: active, RaisedAt: at(since), UpdatedAt: at(minute)})
	}
	for _, c := range []struct {
		rule         string
		level        int
		hazard       string // besides the area
		short, reach func(e *Engine)
		evidence     string // kind
	}{
		{"one-extreme", 2, "flood", func(e *Engine) { e.Incident(open("1", "flood", cap.Severe, "Kubung", 0)) }, func(e *Engine) { e.Incident(open("2", "flood", cap.Extreme, "Kubung", 0)) }, "incident"},
		{"one-extreme", 2, "", func(e *Engine) {}, func(e *Engine) { e.Incident(open("2", "crime", cap.Extreme, "Kubung", 0)) }, "incident"},
		{"warning", 2, "weather", func(e *Engine) { e.Alert(warned("Padang")) }, func(e *Engine) { e.Alert(warned("Padang, Talang")) }, "alert"},
		{"warning", 2, "weather", func(e *Engine) {}, func(e *Engine) { e.Statement(says("bmkg_impact", "solok", "siaga", 0)) }, "statement"},
		{"warning", 2, "weather", func(e *Engine) {
			for _, status := range []string{"Test", "Exercise", ""} {
				w := warned("Talang")
				w.Status = status
				e.Alert(w)
			}
		}, func(e *Engine) { e.Alert(warned("Talang")) }, "alert"},
		{"volcano-ii", 2, "volcano", func(e *Engine) { e.Statement(says("pvmbg", "talang", "I", 0)) }, func(e *Engine) { e.Statement(says("pvmbg", "talang", "II", 0)) }, "statement"},
		{"no-unit", 2, "", func(e *Engine) {
			e.Unit(&Unit{ID: "bpbd/trc-2", Agency: "bpbd", Status: "available", StatusAt: at(0)})
			e.Unit(&Unit{ID: "bpbd/trc-1", Agency: "bpbd", Status: "on_scene", StatusAt: at(0)})
		}, func(e *Engine) { e.Unit(&Unit{ID: "bpbd/trc-2", Agency: "bpbd", Status: "offered", StatusAt: at(0)}) }, "unit"},
		{"three-extreme", 3, "flood", func(e *Engine) {
			e.Incident(open("1", "flood", cap.Extreme, "Kubung", 0))
			e.Incident(open("2", "flash_flood", cap.Extreme, "Kubung", 0))
		}, func(e *Engine) { e.Incident(open("3", "flood", cap.Extreme, "Kubung", 0)) }, "incident"},
		{"two-districts", 3, "landslide", func(e *Engine) {
			e.Incident(open("1", "landslide", cap.Severe, "Kubung", 0))
			e.Incident(open("2", "landslide", cap.Moderate, "Talang", 0))
			e.Incident(open("3", "landslide", cap.Severe, "Kota Padang", 0)) // not ours
			e.Incident(open("4", "flood", cap.Severe, "Talang", 0))          // another hazard
		}, func(e *Engine) { e.Incident(open("2", "landslide", cap.Severe, "Talang", 0)) }, "incident"},
		{"volcano-iii", 3, "volcano", func(e *Engine) {}, func(e *Engine) { e.Statement(says("pvmbg", "talang", "III", 0)) }, "statement"},
		{"road-closed", 3, "road", func(e *Engine) {
			e.Statement(says("road", "sitinjau", "tertutup", 90, national, func(s *statement.Statement) { s.Since = at(0) })) // said again
			e.Tick(at(120).Time)
		}, func(e *Engine) { e.Tick(at(121).Time) }, "statement"},
		{"road-closed", 3, "road", func(e *Engine) {
			e.Statement(says("road", "jalan-kabupaten", "tertutup", -1000))
			e.Statement(says("road", "sitinjau", "tertutup", 0, national))
			e.Tick(at(120).Time)
		}, func(e *Engine) { e.Tick(at(121).Time) }, "statement"},
		{"alarm-flood", 3, "", func(e *Engine) {
			for i := range 40 { // whatever is presented: a flood is what the governor calls one
				e.Alarm(&alarm.Alarm{ID: fmt.Sprint(i), State: alarm.Raised, Active: true, RaisedAt: at(0), UpdatedAt: at(0)})
			}
			flood(e, "F", true, 1, 1)
			flood(e, "F", false, 1, 20)
			flood(e, "G", true, 25, 25)
			e.Tick(at(55).Time)
		}, func(e *Engine) { e.Tick(at(56).Time) }, "alarms"},
		{"volcano-iv", 4, "volcano", func(e *Engine) {}, func(e *Engine) { e.Statement(says("pvmbg", "talang", "IV", 0)) }, "statement"},
		{"evacuations", 4, "", func(e *Engine) { e.Statement(says("evacuation", "kubung", "tidak_ada", 0)) }, func(e *Engine) { e.Statement(says("evacuation", "talang", "berlangsung", 0)) }, "statement"},
		{"resources-exceeded", 4, "", func(e *Engine) { e.Statement(says("capacity", "bpbd", "cukup", 0)) }, func(e *Engine) { e.Statement(says("capacity", "kabupaten", "terlampaui", 0)) }, "statement"},
		{"emergency-response", 4, "", func(e *Engine) { e.Statement(says("decree", "kabupaten", "siaga_darurat", 0, decreed)) }, func(e *Engine) { e.Statement(says("decree", "kota", "tanggap_darurat", 0, decreed)) }, "statement"},
	} {
		t.Run(c.rule+" "+c.hazard, func(t *testing.T) {
			all := DefaultRules()
			i := slices.IndexFunc(all, func(r Rule) bool { return r.ID == c.rule })
			if all[i].Level != c.level {
				t.Fatalf("level %d, want %d", all[i].Level, c.level)
			}
			e := engine(t, all[i:i+1])
			e.Begin(noon)
			c.short(e)
			e.must(t, House, 1)
			c.reach(e)
			e.must(t, House, c.level, c.rule)
			if c.hazard != "" {
				e.must(t, c.hazard, c.level, c.rule)
			}
			p := e.tracks[House].Proposal
			if len(p.Evidence) == 0 || p.Evidence[0].Kind != c.evidence || p.Reasons[0]["id"] == "" || p.Reasons[0]["en"] == "" {
				t.Errorf("evidence %+v, reasons %v", p.Evidence, p.Reasons)
			}
			if got, want := fmt.Sprint(p.Who), map[bool]string{true: "[leader]", false: "[supervisor leader]"}[c.level == 4]; got != want {
				t.Errorf("it is confirmed by %s, want %s", got, want)
			}
			for _, h := range Hazards() {
				if h.Code != House && h.Code != c.hazard {
					e.must(t, h.Code, 1)
				}
			}
		})
	}
}

func TestScalesAreNeverMistaken(t *testing.T) {
	e := engine(t, append(DefaultRules(), Rule{ID: "gate", Level: 2, Hazards: []string{"flood"}, When: `worth["river_gate"] >= 2`, Names: Words{"id": "pintu air Siaga I", "en": "gate at Siaga I"}}))
	e.Begin(noon)
	e.Statement(says("river_gate", "gate-1", "IV", 0)) // its calmest, and a volcano's worst
	e.Statement(says("river_gate", "gate-2", "III", 0))
	e.must(t, House, 1)
	e.Statement(says("pvmbg", "talang", "I", 0)) // its calmest, and a gate's worst
	e.must(t, House, 1)
	if f := e.planes[0].factsOf(House, noon); f.values["gate_step"] != "III" || f.values["volcano_step"] != "I" {
		t.Errorf("the worst of the gates is %v, of the volcanoes %v", f.values["gate_step"], f.values["volcano_step"])
	}
	e.Statement(says("river_gate", "gate-3", "I", 0))
	e.must(t, "flood", 2, "gate")
	e.must(t, "volcano", 1)
	for _, s := range e.tracks["flood"].Scales {
		if s.Scale != "river_gate" || s.At.IsZero() || s.Source == "" {
			t.Errorf("%+v", s)
		}
	}
	if n := len(e.tracks["flood"].Scales); n != 3 {
		t.Errorf("%d scales, want each gate's", n)
	}
}

func TestLoweringWaits(t *testing.T) {
	e := engine(t, DefaultRules())
	e.Begin(noon)
	e.must(t, "flood", 1)
	if s := e.tracks["flood"].Status; s.By != ByHouse || s.Level != 1 || s.Code != "normal" {
		t.Fatalf("nothing was ever confirmed: %+v", s)
	}
	one := open("1", "flood", cap.Extreme, "Kubung", 1)
	e.Incident(one)
	e.must(t, "flood", 2, "one-extreme")
	e.Incident(closed(one, 3))
	e.Tick(at(17).Time)
	e.must(t, "flood", 2, "one-extreme") // 14 minutes: it waits
	e.Incident(open("2", "flood", cap.Extreme, "Kubung", 17.5))
	e.Incident(closed(open("2", "flood", cap.Extreme, "Kubung", 17.5), 20))
	e.Tick(at(34).Time)
	e.must(t, "flood", 2, "one-extreme") // it has begun anew
	e.Tick(at(35).Time)
	e.must(t, "flood", 1)
	if s := e.tracks["flood"].Status; s.Level != 1 || s.By != ByHouse {
		t.Fatalf("the house has changed a level by itself: %+v", s)
	}

	// What somebody has confirmed stays until somebody lowers it, and that is proposed only once it has been lower for a while.
	e.Incident(open("3", "flood", cap.Extreme, "Kubung", 40))
	confirm(t, e, "flood", Setting{Level: 2, By: "user:anna", Version: 1}, 41)
	e.must(t, "flood", 2)
	e.Incident(closed(open("3", "flood", cap.Extreme, "Kubung", 40), 50))
	e.Tick(at(64).Time)
	e.must(t, "flood", 2)
	e.Tick(at(65).Time)
	e.must(t, "flood", 1)
	s := e.tracks["flood"].Status
	if s.Level != 2 || s.Proposal.Reasons[0]["en"] != "no reason for a higher level" || len(s.Evidence) != 1 || s.Evidence[0].Ref != "3" {
		t.Errorf("%+v", s)
	}
}

func confirm(t testing.TB, e *Engine, id string, s Setting, minute float64) Entry {
	t.Helper()
	next, entry, err := e.tracks[id].Confirm(s, levels, at(minute).Time)
	if err != nil {
		t.Fatal(err)
	}
	e.Know(next)
	return entry
}

func TestConfirmAndRevert(t *testing.T) {
	e := engine(t, DefaultRules())
	var entries []Entry
	for _, c := range e.Begin(noon) {
		if c.ID == "flood" {
			entries = append(entries, c.Entries...)
		}
	}
	for i := range 3 {
		for _, c := range e.Incident(open(fmt.Sprint(i), "flood", cap.Extreme, "Kubung", 1)) {
			if c.ID == "flood" {
				entries = append(entries, c.Entries...)
			}
		}
	}
	if len(entries) != 3 || entries[0].Act != Begun || entries[1].Act != Proposed || entries[2].Status.Proposal.Level != 3 {
		t.Fatalf("%+v", entries)
	}
	now := *e.tracks["flood"]
	for _, c := range []struct {
		name string
		set  Setting
		want error
	}{
		{"no such level", Setting{Level: 5, Version: 1, Note: "x"}, ErrInvalid},
		{"none at all", Setting{Level: 0, Version: 1, Note: "x"}, ErrInvalid},
		{"not as proposed, without a word", Setting{Level: 2, Version: 1}, ErrInvalid},
		{"too late", Setting{Level: 3, Version: 2}, ErrStale},
	} {
		if _, _, err := now.Confirm(c.set, levels, noon); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	entries = append(entries, confirm(t, e, "flood", Setting{Level: 2, Version: 1, By: "user:anna", Note: "hanya satu sungai"}, 2))
	e.must(t, "flood", 3, "three-extreme") // the rules still find more
	if s := e.tracks["flood"].Status; s.Level != 2 || len(s.Evidence) != 3 || s.By != "user:anna" || s.Note == "" || !s.Since.Equal(at(2).Time) || s.Version != 2 {
		t.Errorf("%+v", s)
	}
	entries = append(entries, confirm(t, e, "flood", Setting{Level: 3, Version: 2, By: "user:budi"}, 3))
	e.must(t, "flood", 3)

	revert := func(version int) error {
		now := *e.tracks["flood"]
		i := len(entries) - 1
		for i >= 0 && (!entries[i].Sets() || entries[i].Seq >= now.Memory.Standing) {
			i--
		}
		to := Entry{}
		if i >= 0 {
			to = entries[i]
		}
		next, entry, err := now.Revert(Reverting{To: to, Reason: "salah baca", Version: version, By: "user:cici"}, at(4).Time)
		if err == nil {
			e.Know(next)
			entries = append(entries, entry)
		}
		return err
	}
	if err := revert(2); !errors.Is(err, ErrStale) {
		t.Errorf("reverted too late: %v", err)
	}
	if err := revert(3); err != nil {
		t.Fatal(err)
	}
	if s := e.tracks["flood"].Status; s.Level != 2 || len(s.Evidence) != 3 || s.By != "user:cici" || s.Note != "salah baca" || s.Proposal == nil || s.Version != 4 {
		t.Errorf("%+v", s)
	}
	if err := revert(4); err != nil {
		t.Fatal(err)
	}
	if s := e.tracks["flood"].Status; s.Level != 1 || len(s.Evidence) != 0 {
		t.Errorf("%+v", s)
	}
	if err := revert(5); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("there is nothing before the beginning: %v", err)
	}
	for i, one := range entries {
		if one.Seq != int64(i+1) {
			t.Errorf("entry %d has number %d", i+1, one.Seq)
		}
	}
}

func TestLeadershipTakesBackItsOwn(t *testing.T) {
	e := engine(t, DefaultRules())
	e.Begin(noon)
	confirm(t, e, House, Setting{Level: 4, Version: 1, By: "user:bupati", Note: "banjir besar"}, 0)
	if p := e.tracks[House].Proposal; p == nil || p.Level != 1 || fmt.Sprint(p.Who) != "[leader]" {
		t.Errorf("%+v", p)
	}
}

func TestRealAndSimulatedStayApart(t *testing.T) {
	e := engine(t, DefaultRules())
	e.Begin(noon)
	if len(e.tracks) != len(Hazards()) {
		t.Fatalf("%d statuses without an exercise", len(e.tracks))
	}
	drill := open("1", "flood", cap.Extreme, "Kubung", 1)
	drill.Simulated = true
	e.Incident(drill)
	e.must(t, "flood", 1)
	e.must(t, "flood~simulated", 2, "one-extreme")
	list := e.Statuses()
	if len(list) != 2*len(Hazards()) || list[0].ID != House || list[0].Simulated || !list[len(list)-1].Simulated {
		t.Errorf("%d statuses, the first %s", len(list), list[0].ID)
	}
}

func TestNobodyLearnsOfARestrictedIncident(t *testing.T) {
	e := engine(t, DefaultRules())
	e.Begin(noon)
	e.Incident(open("1", "domestic_violence", cap.Extreme, "Kubung", 1))
	e.must(t, House, 1)
	e.Incident(open("2", "crime", cap.Extreme, "Kubung", 1))
	b, err := json.Marshal(e.Statuses())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(b), "Ahmad") || !strings.Contains(string(b), "SLK-2") {
		t.Errorf("%s", b)
	}
}

func TestARuleWithoutAnyoneToFeedItSaysSo(t *testing.T) {
	e := engine(t, DefaultRules())
	e.Begin(noon)
	if got := fmt.Sprint(e.tracks[House].Blind); got != "[no-unit]" {
		t.Errorf("blind are %s", got)
	}
	e.Unit(&Unit{ID: "bpbd/trc-1", Agency: "bpbd", Status: "available", StatusAt: at(1)})
	if got := fmt.Sprint(e.tracks[House].Blind); got != "[]" {
		t.Errorf("blind are %s", got)
	}
}

func TestCompile(t *testing.T) {
	for _, c := range []struct {
		name string
		rule Rule
		want string // in the error; empty: none
	}{
		{"a rule", Rule{ID: "a", Level: 2, When: `open >= 1`}, ""},
		{"a misspelt fact", Rule{ID: "a", Level: 2, When: `opened >= 1`}, `rule "a": when: ERROR: <input>:1:1: undeclared reference to 'opened'`},
		{"no condition", Rule{ID: "a", Level: 2, When: `open`}, "want a condition (bool)"},
		{"text beside a number", Rule{ID: "a", Level: 2, When: `volcano_step >= 2`}, "no matching overload"},
		{"level 1", Rule{ID: "a", Level: 1, When: `open >= 1`}, `level: 1 is not within 2 to 4`},
		{"level 5", Rule{ID: "a", Level: 5, When: `open >= 1`}, `level: 5 is not within 2 to 4`},
		{"no such hazard", Rule{ID: "a", Level: 2, Hazards: []string{"dragon"}, When: `open >= 1`}, `hazards[0]: "dragon" is none of area, flood`},
		{"nobody may confirm it", Rule{ID: "a", Level: 2, Who: []string{"citizen"}, When: `open >= 1`}, `who[0]: "citizen" is none of supervisor, leader`},
		{"no name", Rule{Level: 2, When: `open >= 1`}, `id: "" is not made of`},
	} {
		_, err := Compile([]Rule{c.rule}, 4)
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want) || !errors.Is(err, ErrRule)) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if _, err := Compile([]Rule{{ID: "a", Level: 2, When: `open >= 1`}, {ID: "a", Level: 3, When: `open >= 2`}}, 4); err == nil || !strings.Contains(err.Error(), "given twice") {
		t.Errorf("%v", err)
	}
}

var update = flag.Bool("update", false, "write testdata; read the diff")

// day is one moment of a past event, as the case stream told it.
type day struct {
	At        float64              `json:"at"` // minutes from the beginning
	Incident  *incident.Incident   `json:"incident,omitempty"`
	Alert     *alerts.Alert        `json:"alert,omitempty"`
	Statement *statement.Statement `json:"statement,omitempty"`
	Confirm   *Setting             `json:"confirm,omitempty"` // of the area
}

// galodo is a day in March: rain, a volcano that was restless already, a flash flood through two kecamatan, a road that closes, the decree.
func galodo() []day {
	in := func(id, typ string, s cap.Severity, area string, minute float64) day {
		return day{At: minute, Incident: open(id, typ, s, area, minute)}
	}
	end := func(id, typ string, s cap.Severity, area string, from, minute float64) day {
		return day{At: minute, Incident: closed(open(id, typ, s, area, from), minute)}
	}
	return []day{
		{At: 5, Alert: &alerts.Alert{ID: "bmkg", Status: "Actual", Category: "Met", Severity: cap.Moderate, State: alerts.Active, Relevant: true, Headline: "Hujan lebat disertai petir", Sent: at(5), UpdatedAt: at(5), Expires: at(240),
			Area: alerts.Feature{Properties: alerts.FeatureProperties{Name: "Kubung, Talang"}}}},
		in("1", "river_high", cap.Severe, "Talang", 30),
		in("2", "flash_flood", cap.Extreme, "Talang", 42),
		{At: 44, Confirm: &Setting{Level: 2, By: "user:piket"}},
		in("3", "flood", cap.Severe, "Kubung", 50),
		in("4", "missing_person", cap.Extreme, "Talang", 55),
		{At: 57, Confirm: &Setting{Level: 3, By: "user:piket"}},
		{At: 60, Statement: says("road", "padang-solok", "tertutup", 60, func(s *statement.Statement) { s.National, s.Source = true, "BPJN" })},
		in("5", "flood", cap.Extreme, "Kubung", 70),
		{At: 90, Statement: says("decree", "kabupaten", "tanggap_darurat", 90, func(s *statement.Statement) {
			s.Source, s.Decree = "Bupati", &statement.Decree{Number: "360/12", From: at(95), To: at(600)}
		})},
		{At: 100, Confirm: &Setting{Level: 4, By: "user:bupati"}},
		end("2", "flash_flood", cap.Extreme, "Talang", 42, 200),
		end("5", "flood", cap.Extreme, "Kubung", 70, 260),
		end("3", "flood", cap.Severe, "Kubung", 50, 261),
		end("4", "missing_person", cap.Extreme, "Talang", 55, 300),
		{At: 310, Statement: says("road", "padang-solok", "terbuka", 310, func(s *statement.Statement) { s.ID = "roadpadang-soloktertutup"; s.Version = 2; s.National = true })},
		end("1", "river_high", cap.Severe, "Talang", 30, 320),
		{At: 330, Statement: says("decree", "kabupaten", "tanggap_darurat", 330, func(s *statement.Statement) { s.State, s.Version = statement.Withdrawn, 2 })},
	}
}

// replay gives the series of every status: a line for each entry of its history. ticks is how often the clock is told.
func replay(t testing.TB, events []day, ticks float64) string {
	e := engine(t, DefaultRules())
	var lines []string
	tell := func(list []Change) {
		for _, c := range list {
			for _, n := range c.Entries {
				proposed := "-"
				if p := n.Status.Proposal; p != nil {
					proposed = fmt.Sprintf("%d by %s on %d", p.Level, strings.Join(p.Rules, "+"), len(p.Evidence))
				}
				lines = append(lines, fmt.Sprintf("%s %-9s %s level %d, proposed %s", n.At.Sub(noon), n.Status.ID, n.Act, n.Status.Level, proposed))
			}
		}
	}
	tell(e.Begin(noon))
	clock := 0.0
	for _, d := range append(events, day{At: 400}) {
		for ; clock+ticks <= d.At; clock += ticks {
			tell(e.Tick(at(clock).Time))
		}
		switch {
		case d.Incident != nil:
			tell(e.Incident(d.Incident))
		case d.Alert != nil:
			tell(e.Alert(d.Alert))
		case d.Statement != nil:
			tell(e.Statement(d.Statement))
		case d.Confirm != nil:
			tell(e.Tick(at(d.At).Time))
			d.Confirm.Version = e.tracks[House].Version
			entry := confirm(t, e, House, *d.Confirm, d.At)
			tell([]Change{{Track: *e.tracks[House], Entries: []Entry{entry}}})
		default:
			tell(e.Tick(at(d.At).Time))
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// TestReplayOfAPastEvent is N13: a past event gives the expected series, whatever the beat of the clock.
func TestReplayOfAPastEvent(t *testing.T) {
	got := replay(t, galodo(), 0.25)
	path := filepath.Join("testdata", "galodo.want")
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the series is\n%s\nwant\n%s", got, want)
	}
	for _, beat := range []float64{1. / 60, 1, 7, 1000} {
		if other := replay(t, galodo(), beat); other != got {
			t.Errorf("with a clock that is told every %.2f minutes the series is\n%s\nwant\n%s", beat, other, got)
		}
	}
}

func BenchmarkStorm(b *testing.B) {
	e := engine(b, DefaultRules())
	e.Begin(noon)
	for i := range 1000 {
		e.Incident(open(fmt.Sprint(i), "flood", cap.Extreme, "Kubung", 1))
	}
	for i := 0; b.Loop(); i++ {
		e.Incident(open("x", "flood", []cap.Severity{cap.Extreme, cap.Severe}[i%2], "Kubung", 1))
	}
}
