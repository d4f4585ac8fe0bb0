// Package rules is rules from YAML, evaluated over observations; rule tests for city staff.
//
// Conditions are CEL (https://cel.dev), checked against the fields below before a rule may run.
package rules

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
)

// Rule is one entry of the configuration's rules list (INTERFACES, section 3).
type Rule struct {
	ID          string         `json:"id" yaml:"id"`
	When        string         `json:"when" yaml:"when"`
	Clear       string         `json:"clear,omitempty" yaml:"clear"` // empty: clears when When no longer holds
	For         time.Duration  `json:"-" yaml:"for"`                 // how long When must hold
	ClearFor    time.Duration  `json:"-" yaml:"clear_for"`           // how long it must be over before it clears
	Samples     int            `json:"samples" yaml:"samples"`       // consecutive readings that must agree; 0: as its kind has it (kind.go)
	Enabled     *bool          `json:"enabled" yaml:"enabled"`       // nil: it is
	Deadband    Deadband       `json:"deadband,omitzero" yaml:"deadband"`
	Range       []float64      `json:"range,omitempty" yaml:"range"` // lowest and highest that an instrument in order says; beyond it a reading is suspect
	Corroborate *Corroborate   `json:"-" yaml:"corroborate"`
	Rate        *Rate          `json:"-" yaml:"rate"`
	Absence     *Absence       `json:"-" yaml:"absence"`
	Count       *Count         `json:"-" yaml:"count"`
	Fence       *Fence         `json:"-" yaml:"fence"`
	Anomaly     *Anomaly       `json:"-" yaml:"anomaly"`
	Regrade     *Regrade       `json:"regrade,omitempty" yaml:"regrade"`
	Alert       AlertBlock     `json:"alert" yaml:"alert"`
	Incident    *IncidentBlock `json:"incident,omitempty" yaml:"incident"`
	Consequence string         `json:"consequence,omitempty" yaml:"consequence"`
	Response    string         `json:"response,omitempty" yaml:"response"`
	ActWithin   time.Duration  `json:"-" yaml:"act_within"`
	Owner       string         `json:"owner,omitempty" yaml:"owner"`
	Review      string         `json:"review,omitempty" yaml:"review"` // date of the next review
}

// AlertBlock is the alert that a rule raises, in CAP's words.
type AlertBlock struct {
	Event     string        `json:"event" yaml:"event"`
	Category  string        `json:"category" yaml:"category"`
	Severity  cap.Severity  `json:"severity" yaml:"severity"`
	Urgency   string        `json:"urgency" yaml:"urgency"`
	Certainty string        `json:"certainty" yaml:"certainty"`
	Headline  string        `json:"headline,omitempty" yaml:"headline"`
	Expires   time.Duration `json:"-" yaml:"expires"` // 0: 24 h
}

// IncidentBlock says that an alert opens an incident; writing it is the supervisor's consent.
type IncidentBlock struct {
	Type         string        `json:"type" yaml:"type"`
	MergeRadiusM float64       `json:"merge_radius_m" yaml:"merge_radius_m"` // 0: 1000
	MergeWindow  time.Duration `json:"-" yaml:"merge_window"`                // 0: 30 min; from the incident's latest evidence
	Severity     cap.Severity  `json:"severity,omitempty" yaml:"severity"`   // empty: that of the alert
}

// Defaults of a rule.
const (
	DefaultSamples     = 2
	DefaultMergeRadius = 1000.0 // metres
	DefaultMergeWindow = 30 * time.Minute
	DefaultExpires     = 24 * time.Hour
)

// Radius in metres within which a new signal joins an open incident.
func (b IncidentBlock) Radius() float64 {
	if b.MergeRadiusM == 0 {
		return DefaultMergeRadius
	}
	return b.MergeRadiusM
}

// Window within which a new signal joins an open incident.
func (b IncidentBlock) Window() time.Duration {
	if b.MergeWindow == 0 {
		return DefaultMergeWindow
	}
	return b.MergeWindow
}

var (
	ruleID     = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]{0,63}$`)
	categories = []string{"Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"}
	urgencies  = []string{"Immediate", "Expected", "Future", "Past", "Unknown"}
	certainty  = []string{"Observed", "Likely", "Possible", "Unlikely", "Unknown"}
)

// Validate checks everything but the expressions; each error names the key.
func (r *Rule) Validate() []error {
	var errs []error
	bad := func(key, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s: %s", key, fmt.Sprintf(format, args...)))
	}
	if r.Kind() == KindFault && (r.When != "" || len(r.kinds()) > 0) {
		bad("id", "%s is the built-in rule: it knows by itself what to look for, and takes no when and no block but alert and incident", FaultRule)
	}
	word := func(key, got string, words []string) {
		if !slices.Contains(words, got) {
			bad(key, "%q is not one of %v", got, words)
		}
	}
	if !ruleID.MatchString(r.ID) {
		bad("id", "%q: want 1 to 64 of a-z, 0-9, - and _", r.ID)
	}
	if r.When == "" && r.Fence == nil && r.Kind() != KindFault {
		bad("when", "is required")
	}
	if r.For < 0 || r.For > 24*time.Hour {
		bad("for", "%s is not within 0s and 24h", r.For)
	}
	if r.ClearFor < 0 || r.ClearFor > 24*time.Hour {
		bad("clear_for", "%s is not within 0s and 24h", r.ClearFor)
	}
	if r.Samples < 0 || r.Samples > 100 {
		bad("samples", "%d is not within 1 and 100", r.Samples)
	}
	errs = append(errs, r.validateBlocks()...)
	if r.Regrade != nil { // it raises no alert of its own
		return errs
	}
	if r.Alert.Event == "" {
		bad("alert.event", "is required")
	}
	word("alert.category", r.Alert.Category, categories)
	word("alert.urgency", r.Alert.Urgency, urgencies)
	word("alert.certainty", r.Alert.Certainty, certainty)
	if !r.Alert.Severity.Valid() {
		bad("alert.severity", "%q is not one of CAP's", r.Alert.Severity)
	}
	if r.Alert.Expires < 0 {
		bad("alert.expires", "%s is negative", r.Alert.Expires)
	}
	if r.ActWithin < 0 {
		bad("act_within", "%s is negative", r.ActWithin)
	}
	return append(errs, r.Incident.validate()...)
}

func (b *IncidentBlock) validate() []error {
	if b == nil {
		return nil
	}
	var errs []error
	if t, ok := incident.TypeOf(b.Type); !ok {
		errs = append(errs, fmt.Errorf("incident.type: %.60q is none of %s", b.Type, incident.Codes()))
	} else if t.Restricted {
		errs = append(errs, fmt.Errorf("incident.type: %q is restricted and opened by people only", b.Type))
	}
	if b.MergeRadiusM < 0 || b.MergeRadiusM > 100_000 {
		errs = append(errs, fmt.Errorf("incident.merge_radius_m: %v is not within 0 and 100000", b.MergeRadiusM))
	}
	if b.MergeWindow < 0 {
		errs = append(errs, fmt.Errorf("incident.merge_window: %s is negative", b.MergeWindow))
	}
	if b.Severity != "" && !b.Severity.Valid() {
		errs = append(errs, fmt.Errorf("incident.severity: %q is not one of CAP's", b.Severity))
	}
	return errs
}

// ErrRule marks a rule or consent that cannot run.
var ErrRule = errors.New("not a rule that can run")
