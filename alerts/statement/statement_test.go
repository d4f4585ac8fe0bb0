package statement

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/geo"
	"kentongan/geo/moment"
)

var noon = time.Date(2026, 3, 1, 5, 0, 0, 0, time.UTC)

func at(minutes int) moment.Time { return moment.Of(noon.Add(time.Duration(minutes) * time.Minute)) }

var scales = append(Scales{
	{Code: "pvmbg", Hazard: "volcano", Steps: []Step{{"I", nil, 1}, {"II", nil, 2}, {"III", nil, 3}, {"IV", nil, 4}}},
	{Code: "river_gate", Hazard: "flood", Steps: []Step{{"IV", nil, 1}, {"III", nil, 1}, {"II", nil, 1}, {"I", nil, 2}}},
}, House()...)

func talang() Draft {
	return Draft{Scale: "pvmbg", Subject: "talang", Name: "Gunung Talang", Step: "ii", Source: "PVMBG", Web: "https://magma.esdm.go.id"}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Draft)
		want   string
	}{
		{"a volcano", func(*Draft) {}, ""},
		{"no such scale", func(d *Draft) { d.Scale = "richter" }, "scale"},
		{"no such step", func(d *Draft) { d.Step = "V" }, "step"},
		{"a step of another scale", func(d *Draft) { d.Step = "tertutup" }, "step"},
		{"a subject of words", func(d *Draft) { d.Subject = "the mountain" }, "subject"},
		{"nobody said so", func(d *Draft) { d.Source = " " }, "source"},
		{"said tomorrow", func(d *Draft) { d.StatedAt = at(24 * 60) }, "stated_at"},
		{"said a minute ahead", func(d *Draft) { d.StatedAt = at(1) }, ""},
		{"over before it was said", func(d *Draft) { d.StatedAt, d.ValidUntil = at(-10), at(-20) }, "valid_until"},
		{"over already", func(d *Draft) { d.StatedAt, d.ValidUntil = at(-30), at(-20) }, "valid_until"},
		{"a script as an address", func(d *Draft) { d.Web = "javascript:alert(1)" }, "web"},
		{"a national volcano", func(d *Draft) { d.National = true }, "national"},
		{"a road in spaces", func(d *Draft) { d.Scale, d.Subject, d.Step, d.National = ScaleRoad, "padang-solok", "Satu lajur", true }, ""},
		{"nowhere", func(d *Draft) { d.Position = &geo.Position{} }, "lng"},
		{"off the earth", func(d *Draft) { d.Position = &geo.Position{Lat: 91, Lng: 100} }, "lng"},
		{"a volcano by decree", func(d *Draft) { d.Decree = &Decree{Number: "1"} }, "decree"},
		{"a decree without one", func(d *Draft) { d.Scale, d.Step = ScaleDecree, EmergencyResponse }, "decree"},
		{"a decree without number and date", func(d *Draft) { d.Scale, d.Step, d.Decree = ScaleDecree, EmergencyResponse, &Decree{} }, "decree.number decree.from"},
		{"a decree that ends before", func(d *Draft) {
			d.Scale, d.Step, d.Decree = ScaleDecree, EmergencyResponse, &Decree{Number: "360/1", From: at(0), To: at(-1)}
		}, "decree.to valid_until"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := talang()
			c.change(&d)
			s, err := d.Validate(scales, noon)
			var faults Faults
			if errors.As(err, &faults); err != nil && !errors.Is(err, ErrInvalid) {
				t.Fatal(err)
			}
			var got []string
			for _, f := range faults {
				got = append(got, f.Field)
			}
			if strings.Join(got, " ") != c.want {
				t.Fatalf("faults %q, want %q: %v", got, c.want, err)
			}
			if err == nil && (s.Name == "" || s.StatedAt.IsZero() || s.State != InForce) {
				t.Errorf("%+v", s)
			}
		})
	}
	if s, err := talang().Validate(scales, noon); err != nil || s.Step != "II" {
		t.Errorf("the step is %q: %v", s.Step, err)
	}
}

func TestRankKnowsWhichEndIsWorse(t *testing.T) {
	for _, c := range []struct {
		scale, step string
		rank, of    int
	}{{"pvmbg", "III", 3, 4}, {"river_gate", "III", 2, 4}, {"river_gate", "I", 4, 4}, {"pvmbg", "I", 1, 4}, {ScaleRoad, RoadClosed, 3, 3}, {ScaleDecree, EmergencyResponse, 3, 3}, {"pvmbg", "V", 0, 4}} {
		s, ok := scales.Find(c.scale)
		if !ok || s.Rank(c.step) != c.rank || len(s.Steps) != c.of {
			t.Errorf("%s %s is %d of %d, want %d of %d", c.scale, c.step, s.Rank(c.step), len(s.Steps), c.rank, c.of)
		}
	}
	for _, s := range House() {
		for _, step := range s.Steps {
			if step.Names["id"] == "" || step.Names["en"] == "" || s.Names["id"] == "" || s.Names["en"] == "" {
				t.Errorf("%s %s lacks a language", s.Code, step.Code)
			}
		}
	}
}

func TestADecreeIsExtended(t *testing.T) {
	decree := func(number string, from, to, stated int, step string) Statement {
		d := Draft{Scale: ScaleDecree, Subject: "kabupaten", Step: step, Source: "Bupati", StatedAt: at(stated), Decree: &Decree{Number: number, From: at(from), To: at(to)}}
		s, err := d.Validate(scales, noon)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := decree("360/11", 0, 100, -3, EmergencyResponse)
	if !first.ValidUntil.Equal(at(100).Time) || !first.Holds(at(99).Time) || first.Holds(at(100).Time) {
		t.Errorf("a decree is valid until %s", first.ValidUntil)
	}
	second := decree("360/12", 100, 200, -2, EmergencyResponse)
	if err := second.Replace(&first); err != nil {
		t.Fatal(err)
	}
	third := decree("360/13", 200, 300, -1, EmergencyResponse)
	if err := third.Replace(&second); err != nil {
		t.Fatal(err)
	}
	d := third.Decree
	if d.Number != "360/11" || !d.From.Equal(at(0).Time) || !d.To.Equal(at(300).Time) || len(d.Extensions) != 2 || d.Extensions[1].Number != "360/13" || len(second.Decree.Extensions) != 1 {
		t.Errorf("%+v", d)
	}
	recovery := decree("360/20", 300, 400, 0, "transisi_darurat")
	if err := recovery.Replace(&third); err != nil || recovery.Decree.Number != "360/20" || len(recovery.Decree.Extensions) != 0 {
		t.Errorf("another state is a decree of its own: %+v, %v", recovery.Decree, err)
	}
	if err := first.Replace(&recovery); !errors.Is(err, ErrInvalid) {
		t.Errorf("what was said before replaces what was said after: %v", err)
	}
}

func TestEnd(t *testing.T) {
	s, err := talang().Validate(scales, noon)
	if err != nil {
		t.Fatal(err)
	}
	s.Version = 1
	ended, err := s.End(Withdrawn, "user:anna", "salah gunung", noon)
	if err != nil || ended.State != Withdrawn || ended.Version != 2 || s.State != InForce {
		t.Errorf("%+v, %v", ended, err)
	}
	if _, err := ended.End(Expired, "", "", noon); !errors.Is(err, ErrEnded) {
		t.Errorf("it ends twice: %v", err)
	}
}

func TestAStepThatIsSaidAgainHasNotBegunAnew(t *testing.T) {
	road := func(step string, minutes int) Statement {
		s, err := Draft{Scale: ScaleRoad, Subject: "sitinjau", Step: step, Source: "BPJN", StatedAt: moment.Of(noon.Add(time.Duration(minutes) * time.Minute))}.Validate(scales, noon)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := road(RoadClosed, -100)
	list := []Statement{road(RoadClosed, -80), road(RoadClosed, -60), road("terbuka", -40), road(RoadClosed, -20)}
	before := &first
	for i, want := range []int{-100, -100, -40, -20} {
		if err := list[i].Replace(before); err != nil {
			t.Fatal(err)
		}
		if got := list[i].Begun(); !got.Equal(noon.Add(time.Duration(want) * time.Minute)) {
			t.Errorf("%d: since %s, want %d minutes", i, got, want)
		}
		before = &list[i]
	}
}
