package status

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
)

// Level is one level of the area's status, 1 the calmest.
type Level struct {
	Level int
	Code  string
}

// Leadership is the level from which on leadership confirms (domain.md section 3).
const Leadership = 4

// DefaultLowerAfter is how long the rules must have found less before it is proposed to lower a level.
const DefaultLowerAfter = 15 * time.Minute

// Rule is a written reason for a level: Level is proposed for each of its hazards of whose facts When holds, and for the area.
type Rule struct {
	ID      string   `yaml:"id" json:"id"`
	Level   int      `yaml:"level" json:"level"`
	Hazards []string `yaml:"hazards" json:"hazards"` // of Hazards; empty: each of them
	When    string   `yaml:"when" json:"when"`       // CEL over the facts of Facts
	Names   Words    `yaml:"names" json:"names"`     // the reason in words, by language
	Who     []string `yaml:"who" json:"who"`         // roles that confirm it; empty: supervisor, leader from Leadership on
}

// The roles that confirm a level where its rules name none.
var (
	supervisors = []string{"supervisor", "leader"}
	leaders     = []string{"leader"}
)

// WhoConfirms are the roles that confirm a level where its rules say nothing else.
func WhoConfirms(level int) []string {
	if level >= Leadership {
		return slices.Clone(leaders)
	}
	return slices.Clone(supervisors)
}

var ruleID = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,60}$`)

// ErrRule marks a rule that cannot be used.
var ErrRule = errors.New("not a rule of the status")

// compiled is a rule that is checked.
type compiled struct {
	Rule
	when *rules.Condition
}

// Rules is a checked list. Safe for concurrent use.
type Rules struct {
	list []compiled
}

// Compile checks a list against as many levels as there are; the errors are joined, each an *RuleError.
func Compile(list []Rule, levels int) (*Rules, error) {
	vocabulary, err := rules.NewVocabulary(factKinds)
	if err != nil {
		return nil, err
	}
	out := &Rules{}
	var errs []error
	seen := map[string]bool{}
	for i, r := range list {
		bad := func(key, format string, args ...any) {
			errs = append(errs, &RuleError{i, r.ID, key, fmt.Sprintf(format, args...)})
		}
		switch {
		case !ruleID.MatchString(r.ID):
			bad("id", "%q is not made of small letters, digits and hyphens", r.ID)
		case seen[r.ID]:
			bad("id", "%q is given twice", r.ID)
		}
		seen[r.ID] = true
		if r.Level < 2 || r.Level > levels {
			bad("level", "%d is not within 2 to %d: level 1 needs no reason", r.Level, levels)
		}
		for k, h := range r.Hazards {
			if !slices.Contains(HazardCodes(), h) {
				bad(fmt.Sprintf("hazards[%d]", k), "%q is none of %s", h, strings.Join(HazardCodes(), ", "))
			}
		}
		if len(r.Hazards) == 0 {
			r.Hazards = HazardCodes()
		}
		for k, w := range r.Who {
			if !slices.Contains(supervisors, w) {
				bad(fmt.Sprintf("who[%d]", k), "%q is none of %s", w, strings.Join(supervisors, ", "))
			}
		}
		if len(r.Who) == 0 {
			r.Who = WhoConfirms(r.Level)
		}
		when, err := vocabulary.Compile(r.When)
		if err != nil {
			bad("when", "%s", strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		out.list = append(out.list, compiled{r, when})
	}
	return out, errors.Join(errs...)
}

// List gives the rules.
func (r *Rules) List() []Rule {
	if r == nil {
		return nil
	}
	out := make([]Rule, len(r.list))
	for i, c := range r.list {
		out[i] = c.Rule
	}
	return out
}

// RuleError is one thing that is wrong with one rule; it is an ErrRule.
type RuleError struct {
	Index   int
	ID, Key string
	Text    string
}

func (e *RuleError) Error() string { return fmt.Sprintf("rule %q: %s: %s", e.ID, e.Key, e.Text) }

// Unwrap makes it an ErrRule.
func (e *RuleError) Unwrap() error { return ErrRule }

// DefaultRules are the table of domain.md section 3. Truck stalls in two kecamatan are no reason for Siaga: kecamatan count where natural
// hazards and fires hit them; roads have a rule of their own.
func DefaultRules() []Rule {
	hit := []string{"flood", "landslide", "eq", "volcano", "weather", "fire"}
	rule := func(id string, level int, when, in, en string, hazards ...string) Rule {
		return Rule{ID: id, Level: level, Hazards: hazards, When: when, Names: Words{"id": in, "en": en}, Who: WhoConfirms(level)}
	}
	return []Rule{
		rule("one-extreme", 2, `open_extreme >= 1`, "≥ 1 insiden Kritis terbuka", "≥ 1 open Critical incident"),
		rule("warning", 2, `districts_warned >= 1`, "peringatan BMKG meliputi ≥ 1 kecamatan", "a BMKG warning covers ≥ 1 kecamatan", "weather"),
		rule("volcano-ii", 2, `volcano_step == "II"`, "gunung api level II", "volcano at level II", "volcano"),
		rule("no-unit", 2, `agencies_without_units >= 1`, "sebuah instansi tidak punya regu yang siap", "an agency has no unit available", House),
		rule("three-extreme", 3, `open_extreme >= 3`, "≥ 3 insiden Kritis terbuka", "≥ 3 open Critical incidents"),
		rule("two-districts", 3, `districts_hit >= 2`, "≥ 2 kecamatan terdampak satu bahaya", "≥ 2 kecamatan hit by one hazard", hit...),
		rule("volcano-iii", 3, `volcano_step == "III"`, "gunung api level III", "volcano at level III", "volcano"),
		rule("road-closed", 3, `road_closed_minutes > 120.0`, "jalan nasional tertutup > 2 jam", "national road closed > 2 h", "road"),
		rule("alarm-flood", 3, `flood_minutes > 30.0`, "banjir alarm > 30 menit", "alarm flood > 30 min", House),
		rule("volcano-iv", 4, `volcano_step == "IV"`, "gunung api level IV", "volcano at level IV", "volcano"),
		rule("evacuations", 4, `evacuations >= 1`, "ada pengungsian", "evacuations", House),
		rule("resources-exceeded", 4, `resources_exceeded`, "sumber daya sendiri terlampaui", "own resources exceeded", House),
		rule("emergency-response", 4, `decree == "tanggap_darurat"`, "tanggap darurat ditetapkan", "emergency response declared", House),
	}
}

// factKinds are the facts that a rule may ask for. Those of a hazard are of its own incidents; those of the area of all.
var factKinds = map[string]rules.FactKind{
	"open":                   rules.Whole,  // open incidents
	"open_extreme":           rules.Whole,  // of severity Extreme
	"open_severe":            rules.Whole,  // of severity Severe or Extreme
	"open_by_type":           rules.Counts, // by type; ask "flood" in open_by_type first
	"districts_hit":          rules.Whole,  // kecamatan with an open incident that is Severe or Extreme
	"warnings":               rules.Whole,  // of the weather service, in force
	"districts_warned":       rules.Whole,  // kecamatan that they cover
	"volcano_step":           rules.Text,   // the worst of every volcano, as its authority says it; empty: nobody has said
	"gate_step":              rules.Text,   // of every river gate
	"steps":                  rules.Texts,  // the worst of each scale
	"worth":                  rules.Counts, // the level that the profile's table gives it
	"road_closed_minutes":    rules.Number, // of the national road that is closed longest
	"decree":                 rules.Text,   // the worst legal disaster state in force
	"evacuations":            rules.Whole,  // under way
	"resources_exceeded":     rules.Truth,
	"flood_minutes":          rules.Number, // since when there is an alarm flood
	"agencies_without_units": rules.Whole,  // of those whose units are known
}

// Facts lists the names that a rule may ask for.
func Facts() []string { return slices.Sorted(maps.Keys(factKinds)) }
