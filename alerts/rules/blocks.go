package rules

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Deadband is how far a value must come back over the border before the rule clears: a number in the value's own unit, or a percentage of
// the rule's range ("5%").
type Deadband struct {
	By      float64
	Percent bool
}

// IsZero tells that none is given.
func (d Deadband) IsZero() bool { return d.By == 0 }

// UnmarshalYAML reads a number or a percentage.
func (d *Deadband) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	text := strings.TrimSpace(fmt.Sprint(v))
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
	if err != nil || n < 0 || math.IsInf(n, 0) || math.IsNaN(n) {
		return fmt.Errorf("deadband: %.40q: want a number of 0 or more, or a percentage of range", text)
	}
	d.By, d.Percent = n, percent
	return nil
}

// MarshalJSON writes a number, or "5%".
func (d Deadband) MarshalJSON() ([]byte, error) {
	if d.Percent {
		return json.Marshal(strconv.FormatFloat(d.By, 'g', -1, 64) + "%")
	}
	return json.Marshal(d.By)
}

// Corroborate lets another instrument nearby stand in for further samples.
type Corroborate struct {
	Within  time.Duration `yaml:"within"`  // between the two readings, by event time; 0: 10 min
	Disk    int           `yaml:"disk"`    // rings of H3 cells at geo.ResMatch around the Thing's own
	Sources int           `yaml:"sources"` // other Things needed; 0: 1
}

// Rate looks at how fast a number changes. Its rate at a reading is the difference to the earliest reading within Of before it, by the
// time between them; it is known once that is half of Of.
type Rate struct {
	Of   time.Duration `yaml:"of"`
	Per  time.Duration `yaml:"per"`  // the rate is in the value's unit per this; 0: 1 h
	Rise float64       `yaml:"rise"` // holds from this rate on; 0: when says it by obs.rate
	Fall float64       `yaml:"fall"` // holds from this rate downwards on, written without a sign
}

// Absence is a dead man's switch: no reading that meets `when` for so long, of a Thing that gave one before.
type Absence struct {
	Of time.Duration `yaml:"of"`
}

// What a Count counts.
const (
	CountThings  = "things"
	CountReports = "reports"
	CountAlerts  = "alerts"
)

// Count looks for distinct Things, reports or alerts near each other.
type Count struct {
	Of      string        `yaml:"of"`
	AtLeast int           `yaml:"at_least"`
	Disk    int           `yaml:"disk"` // rings of H3 cells at geo.ResMatch
	Within  time.Duration `yaml:"within"`
}

// What a Fence looks for.
const (
	FenceEnter  = "enter"  // seen outside, then inside
	FenceInside = "inside" // inside, also when seen for the first time
	FenceExit   = "exit"   // seen inside, then outside; clears when it comes back
	FenceDwell  = "dwell"  // inside for so long
)

// Fence looks at where Things are.
type Fence struct {
	Area    string        `yaml:"area"` // code or name of an area
	Polygon *Polygon      `yaml:"polygon"`
	On      string        `yaml:"on"`
	Dwell   time.Duration `yaml:"dwell"`
}

// Polygon is a GeoJSON geometry (RFC 7946): Polygon or MultiPolygon.
type Polygon struct{ geo.Shape }

// UnmarshalYAML reads GeoJSON, which is YAML.
func (p *Polygon) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	b, err := json.Marshal(v)
	if err == nil {
		err = p.Shape.UnmarshalJSON(b)
	}
	if err != nil {
		return fmt.Errorf("polygon: %w", err)
	}
	if len(p.Polygons) == 0 || len(p.Points) > 0 || len(p.Lines) > 0 {
		return errors.New("polygon: want a GeoJSON Polygon or MultiPolygon; only that has an inside")
	}
	return nil
}

// Anomaly looks for what is unusual at this hour of the week (UTC), by the median of what the same hour said in earlier weeks and by the
// median of the distances from it (MAD).
type Anomaly struct {
	Spread float64 `yaml:"spread"` // distances, each 1.4826 MAD, from the median; 0: 4
	Least  Weeks   `yaml:"least"`  // weeks in which the hour must have been seen; 0: 3
	Floor  float64 `yaml:"floor"`  // least that counts as one distance; 0: 1 % of the median
}

// Weeks is a number of weeks: 3, "3w" or "3 weeks".
type Weeks int

// UnmarshalYAML reads a number, with or without its unit.
func (w *Weeks) UnmarshalYAML(unmarshal func(any) error) error {
	var v any
	if err := unmarshal(&v); err != nil {
		return err
	}
	text := fmt.Sprint(v)
	number := strings.TrimSpace(strings.TrimRight(text, " weks"))
	n, err := strconv.Atoi(number)
	if err != nil {
		return fmt.Errorf("least: %.40q: want a number of weeks, such as 3", text)
	}
	*w = Weeks(n)
	return nil
}

// Regrade is what becomes of an agency's alert that meets `when`; what is empty stays as the agency said it.
type Regrade struct {
	Severity  cap.Severity `json:"severity,omitempty" yaml:"severity"`
	Urgency   string       `json:"urgency,omitempty" yaml:"urgency"`
	Certainty string       `json:"certainty,omitempty" yaml:"certainty"`
}

// Defaults of the blocks, and how large a disk and a window may be.
const (
	DefaultCorroborateWithin = 10 * time.Minute
	DefaultRatePer           = time.Hour
	DefaultSpread            = 4.0
	DefaultLeast             = Weeks(3)
	mostDisk                 = 5
	mostWindow               = 24 * time.Hour
)

// validateBlocks checks the blocks and which may stand together.
func (r *Rule) validateBlocks() []error {
	var errs []error
	bad := func(wrong bool, format string, args ...any) {
		if wrong {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	kinds := r.kinds()
	if n := len(kinds); n > 1 {
		bad(true, "%s: a rule is of one kind; %s is another", kinds[n-1], kinds[0])
	}
	bad(len(r.Range) > 0 && (len(r.Range) != 2 || !(r.Range[0] < r.Range[1])), "range: %v: want [lowest, highest]", r.Range)
	bad(r.Deadband.Percent && len(r.Range) != 2, "deadband: a percentage is one of range, and range is not written")
	bad(!r.Deadband.IsZero() && r.Clear != "", "deadband: clear says already when the rule clears")
	kind := r.Kind()
	if kind != KindThreshold && kind != KindRate {
		bad(!r.Deadband.IsZero(), "deadband: a rule of kind %s has no border to come back over", kind)
		bad(r.Corroborate != nil, "corroborate: does not go with %s", kind)
	}
	if kind != KindThreshold && kind != KindRate && kind != KindAnomaly {
		bad(r.Clear != "", "clear: a rule of kind %s clears by itself", kind)
	}
	if kind == KindAbsence || kind == KindCount || kind == KindRegrade || kind == KindFence && r.Fence.On == FenceDwell {
		bad(r.For != 0, "for: does not go with %s", kind)
	}
	if kind == KindAbsence || kind == KindCount || kind == KindRegrade {
		bad(r.Samples > 1, "samples: does not go with %s", kind)
		bad(r.ClearFor != 0, "clear_for: does not go with %s", kind)
	}
	duration := func(key string, d, most time.Duration) {
		bad(d <= 0 || d > most, "%s: %s is not above 0s and within %s", key, d, most)
	}
	if b := r.Corroborate; b != nil {
		bad(b.Within < 0 || b.Within > mostWindow, "corroborate.within: %s is not within 0s and %s", b.Within, mostWindow)
		bad(b.Disk < 0 || b.Disk > mostDisk, "corroborate.disk: %d is not within 0 and %d", b.Disk, mostDisk)
		bad(b.Sources < 0 || b.Sources > 100, "corroborate.sources: %d is not within 1 and 100", b.Sources)
	}
	if b := r.Rate; b != nil {
		duration("rate.of", b.Of, mostWindow)
		bad(b.Per < 0, "rate.per: %s is negative", b.Per)
		bad(b.Rise < 0, "rate.rise: %v is negative", b.Rise)
		bad(b.Fall < 0, "rate.fall: %v is negative; a fall is written without a sign", b.Fall)
	}
	if b := r.Absence; b != nil {
		duration("absence.of", b.Of, 31*24*time.Hour)
	}
	if b := r.Count; b != nil {
		bad(!slices.Contains([]string{CountThings, CountReports, CountAlerts}, b.Of), "count.of: %.40q is none of things, reports, alerts", b.Of)
		bad(b.AtLeast < 2 || b.AtLeast > 1000, "count.at_least: %d is not within 2 and 1000", b.AtLeast)
		bad(b.Disk < 0 || b.Disk > mostDisk, "count.disk: %d is not within 0 and %d", b.Disk, mostDisk)
		duration("count.within", b.Within, mostWindow)
	}
	if b := r.Fence; b != nil {
		bad((b.Area == "") == (b.Polygon == nil), "fence: want either area or polygon")
		bad(!slices.Contains([]string{FenceEnter, FenceInside, FenceExit, FenceDwell}, b.On), "fence.on: %.40q is none of enter, inside, exit, dwell", b.On)
		bad(b.On != FenceDwell && b.Dwell != 0, "fence.dwell: does not go with on: %s", b.On)
		if b.On == FenceDwell {
			duration("fence.dwell", b.Dwell, mostWindow)
		}
	}
	if b := r.Anomaly; b != nil {
		bad(b.Spread < 0 || b.Spread > 100, "anomaly.spread: %v is not within 0 and 100", b.Spread)
		bad(b.Least < 0 || b.Least > baselineWeeks, "anomaly.least: %d is not within 1 and %d weeks", b.Least, baselineWeeks)
		bad(b.Floor < 0, "anomaly.floor: %v is negative", b.Floor)
	}
	if b := r.Regrade; b != nil {
		bad(b.Severity == "" && b.Urgency == "" && b.Certainty == "", "regrade: says nothing")
		bad(b.Severity != "" && !b.Severity.Valid(), "regrade.severity: %q is not one of CAP's", b.Severity)
		bad(b.Urgency != "" && !slices.Contains(urgencies, b.Urgency), "regrade.urgency: %q is not one of %v", b.Urgency, urgencies)
		bad(b.Certainty != "" && !slices.Contains(certainty, b.Certainty), "regrade.certainty: %q is not one of %v", b.Certainty, certainty)
		bad(r.Incident != nil, "incident: does not go with regrade; an agency's alert opens one by consent")
	}
	return errs
}

func (a *Anomaly) spread() float64 {
	if a.Spread == 0 {
		return DefaultSpread
	}
	return a.Spread
}

func (a *Anomaly) least() int {
	if a.Least == 0 {
		return int(DefaultLeast)
	}
	return int(a.Least)
}
