package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/alerts/rules"
)

// Blocks that read YAML of their own kinds, and the city's areas, are the check's as they are the server's.
func TestEveryFaultOfARuleHasItsLine(t *testing.T) {
	text := `profile: solok
rules:
  - id: a
    when: obs.property == "water_level" && obs.value > 3
    deadband: 5%
    range: [0, 10]
    alert: {event: "x", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
  - id: b
    when: obs.property == "t"
    anomaly: {least: 3 weeks}
    alert: {event: "x", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
  - id: c
    fence: {on: enter, area: Kubung}
    alert: {event: "x", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
  - id: d
    when: obs.propert == "t"
    deadband: -x
    fence: {on: enter, polygon: {type: Point, coordinates: [100, 0]}}
    alert: {event: "x", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
  - id: e
    fence: {on: enter, area: Nirwana}
    alert: {event: "x", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
`
	file := filepath.Join(t.TempDir(), "k.yaml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, faults := Load(Source{File: file, Formats: []string{"native"}})
	var got []string
	for _, f := range faults {
		got = append(got, f.Path)
	}
	if want := "rules[3].when rules[3].deadband rules[3].fence.polygon rules[4].fence.area"; strings.Join(got, " ") != want {
		t.Errorf("%s\n%s\nwant %s", strings.Join(got, " "), faults.Error(), want)
	}
	for i, line := range []int{16, 17, 18, 21} {
		if i < len(faults) && faults[i].Line != line {
			t.Errorf("%s: want line %d", faults[i], line)
		}
	}
}

func TestARuleThatIsSent(t *testing.T) {
	whole := `"alert":{"event":"x","category":"Met","severity":"Severe","urgency":"Immediate","certainty":"Observed"},"consequence":"c","response":"r","act_within":"20m","owner":"bpbd","review":"2027-06-01"`
	for name, c := range map[string]struct{ body, want string }{
		"whole":      {`{"config":{"when":"obs.value > 3.0",` + whole + `},"version":2}`, ""},
		"other id":   {`{"config":{"id":"b","when":"obs.value > 3.0",` + whole + `}}`, "id"},
		"undefined":  {`{"config":{"when":"obs.value > 3.0","alert":{"event":"x","category":"Met","severity":"Severe","urgency":"Immediate","certainty":"Observed"}}}`, "consequence response act_within owner review"},
		"off":        {`{"config":{"enabled":false,"when":"obs.value > 3.0","alert":{"event":"x","category":"Met","severity":"Severe","urgency":"Immediate","certainty":"Observed"}}}`, ""},
		"no type":    {`{"config":{"when":"obs.value > \"a\" + 1",` + whole + `}}`, "when"},
		"unknown":    {`{"config":{"wenn":"true","when":"true",` + whole + `}}`, "wenn"},
		"no date":    {`{"config":{"when":"obs.value > 3.0",` + strings.Replace(whole, "2027-06-01", "soon", 1) + `}}`, "review"},
		"never ends": {`{"config":{"when":"[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, [1,2,3,4,5,6,7,8,9].all(c, [1,2,3,4,5,6,7,8,9].all(d, [1,2,3,4,5,6,7,8,9].all(e, a+b+c+d+e > 0)))))",` + whole + `}}`, "when"},
	} {
		ask, faults := ReadRuleChange([]byte(c.body), "a")
		faults.Check(ask.Rule, rules.PlacesOf(nil))
		faults.Define(ask.Rule)
		var got []string
		for _, f := range faults.Faults {
			got = append(got, f.Path)
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q: %s", name, strings.Join(got, " "), c.want, faults.Error())
		}
		if name == "whole" && (ask.Version != 2 || ask.Rule.ID != "a" || !strings.HasPrefix(string(ask.Config), `{"when"`)) {
			t.Errorf("%+v", ask)
		}
	}
}
