package app

import (
	"testing"

	"kentongan/server/config"
	"kentongan/server/problem"
)

func TestWhatAReaderOfSettingsSaysMostHasACode(t *testing.T) {
	for said, want := range map[string][2]string{
		"is required": {string(problem.Missing), ""}, "unknown key": {string(problem.Unasked), ""}, "unknown key; did you mean every?": {string(problem.Form), "every"},
		`"x" is not one of [Geo Met Safety]`: {string(problem.OneOf), "Geo, Met, Safety"}, `"Hebat" is not one of CAP's`: {string(problem.OneOf), "Extreme, Severe, Moderate, Minor, Unknown"},
		"want a text, found a list; put it in quotes": {string(problem.Type), "string"}, "is required of a rule that is switched on: what happens": {string(problem.Missing), ""}, "no such thing": {string(problem.Wrong), ""},
	} {
		if code, limit := codeOf(said); string(code) != want[0] || limit != want[1] {
			t.Errorf("%s: %s %q", said, code, limit)
		}
	}
}

// The reader's own words are what the codes are made of: whoever changes them sees it here.
func TestARulesFaultsAreTold(t *testing.T) {
	told := map[string]string{}
	for _, text := range []string{
		`{"id": "x", "whn": "obs.value > 3.0"}`,
		`{"id": "x", "when": "obs.value > 3.0", "alert": {"severity": "Hebat", "category": "x", "urgency": "Immediate", "certainty": "Likely"}}`,
	} {
		r, faults := config.ReadRule([]byte(text), "x")
		faults.Check(r, nil)
		for _, f := range ruleFaults("", faults) {
			told[f.Location] = string(f.Code) + " " + f.Limit
		}
	}
	for at, want := range map[string]string{"whn": "form when", "alert.severity": "one-of Extreme, Severe, Moderate, Minor, Unknown", "alert.event": "missing "} {
		if told[at] != want {
			t.Errorf("%s: %q, want %q; all: %v", at, told[at], want, told)
		}
	}
}
