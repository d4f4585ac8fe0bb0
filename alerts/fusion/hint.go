package fusion

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Hint is something that an account at intake may be of, for whoever takes it: nothing follows from a hint.
type Hint struct {
	Kind      string       `json:"kind"` // incident, report
	ID        string       `json:"id"`
	Number    string       `json:"number,omitempty"`
	Title     string       `json:"title"`    // of an incident; of a report its type as its producer says it, may be empty
	Type      string       `json:"type"`     // of a report as it is understood, may be empty
	Severity  cap.Severity `json:"severity"` // of a report Unknown
	Status    string       `json:"status"`   // of the incident; of a report its state
	Incident  string       `json:"incident,omitempty"`
	AreaName  string       `json:"area_name"`
	DistanceM *float64     `json:"distance_m"` // metres; null: one of the two has no place
	AgeS      int          `json:"age_s"`      // seconds since at
	At        moment.Time  `json:"at"`         // of the newest evidence; of a report when it was given
	Weight    float64      `json:"weight"`     // 0 to 1: how sure the rules of matching are; 0 where they would not match the two
	Reasons   []Reason     `json:"reasons"`
}

// hintM is how far off something may lie to be told of, in metres, beside what matching reaches.
const hintM = 1500

// mostHints are given at once.
const mostHints = 8

// Reaches tells whether an account may be told of an incident of a type at all, so far off in metres.
func (t Table) Reaches(code string, metres float64) bool {
	for _, s := range t.Scopes {
		if s.Type == code {
			return metres <= s.ReachM+hintM
		}
	}
	return metres <= hintM
}

// Draft is an account that somebody is taking down.
type Draft struct {
	Report string        // id, where it is kept already
	Type   string        // incident type or a word
	Text   string        // what is said
	At     *geo.Position // nil: not known
	When   time.Time

	Received time.Time // of a report that is kept; zero: it is being said now
}

// Hints tells which open incidents and waiting reports an account may be of, the likeliest first: by the scopes of matching where its type is
// known, and by place alone where it is not. What only named people may know takes no part. Firing names the incidents of which an instrument tells
// still: they are not quiet, as matching has it. Pure.
func Hints(t Table, d Draft, incidents []incident.Incident, firing map[string]bool, reports []report.Report, now time.Time) []Hint {
	types, restricted := Classify(Words{Codes: []string{d.Type}, Event: d.Type, Text: d.Text})
	out := []Hint{}
	if restricted {
		return out
	}
	c := &Core{table: ready(t)}
	s := Signal{Key: d.Report, Kind: "report", Ref: d.Report, Types: types, Severity: cap.Unknown, At: d.When, Received: d.Received, Tells: telling(d.Type, d.Text)}
	if s.Received.IsZero() {
		s.Received = now
	}
	if d.At != nil {
		s.Position, s.Placed = *d.At, true
	}
	for i := range incidents {
		in := &incidents[i]
		if !matches(in) || in.Evident(d.Report) {
			continue
		}
		s.Simulated = in.Simulated
		h := Hint{Kind: "incident", ID: in.ID, Number: in.Number, Title: in.Title, Type: in.Type, Severity: in.Severity, Status: string(in.Status), AreaName: in.AreaName, At: moment.Of(in.LatestEvidence())}
		k := c.caseOf(in)
		if firing[in.ID] {
			k.firing[in.ID] = true
		}
		if c.hint(&h, &s, k) {
			out = append(out, h)
		}
	}
	told := map[string]bool{}
	for i := range out {
		told[out[i].ID] = true
	}
	for i := range reports {
		r := &reports[i]
		if told[r.Incident()] {
			continue // the incident speaks for it
		}
		of, known := OfReport(r, nil)
		if r.ID == d.Report || r.Erased || !known && d.At == nil || now.Sub(r.At.Time) > report.Fresh {
			continue
		}
		if _, secret := Classify(Words{Codes: []string{r.Code}, Event: r.Type, Text: r.Text}); secret {
			continue
		}
		s.Simulated = r.Simulated
		h := Hint{Kind: "report", ID: r.ID, Title: r.Type, Severity: cap.Unknown, Status: string(r.State), Incident: r.Incident(), AreaName: r.AreaName, At: r.At}
		if len(of.Types) > 0 {
			h.Type = of.Types[0].Type
		}
		k := newHold(r.ID, of.Types, c.reach(of.Types))
		k.simulated = r.Simulated
		k.span(r.At.Time)
		if at, placed := r.Position(); placed {
			k.place = &at
		}
		if c.hint(&h, &s, k) && (h.Weight > 0 || d.When.Sub(r.At.Time).Abs() <= c.window(h.Type)) {
			out = append(out, h)
		}
	}
	for i := range out {
		out[i].AgeS = max(0, int(now.Sub(out[i].At.Time).Seconds()))
	}
	slices.SortFunc(out, func(a, b Hint) int {
		return cmp.Or(cmp.Compare(b.Weight, a.Weight), cmp.Compare(a.Kind, b.Kind), cmp.Compare(far(a), far(b)), b.At.Compare(a.At.Time), cmp.Compare(a.ID, b.ID))
	})
	if len(out) > mostHints {
		out = out[:mostHints]
	}
	return out
}

func far(h Hint) float64 {
	if h.DistanceM == nil {
		return math.Inf(1)
	}
	return *h.DistanceM
}

// window is for how long accounts of a type are of one case; of one that is not known as long as of a point.
func (c *Core) window(code string) time.Duration {
	if w := c.table.scopes[code].Window; w > 0 {
		return w
	}
	return time.Hour
}

// hint fills in how far off a case lies and why it is told of; false: it is not.
func (c *Core) hint(h *Hint, s *Signal, k *hold) bool {
	if k.place != nil && s.Placed {
		d := math.Round(geo.Distance(*k.place, s.Position))
		h.DistanceM = &d
	}
	if h.Weight, h.Reasons = c.weigh(s, k); h.Weight > 0 {
		return true
	}
	kin, of, with := c.table.kinship(s.Types, k.types)
	h.Reasons = []Reason{}
	if kin > 0 {
		h.Reasons = append(h.Reasons, typeReason(kin, of, with, c.table.scopes[with]))
	}
	if h.DistanceM != nil {
		h.Reasons = append(h.Reasons, Reason{Code: "near", Text: fmt.Sprintf("%.0f m apart", *h.DistanceM), Value: fmt.Sprintf("%.0f m", *h.DistanceM)})
		return *h.DistanceM <= hintM
	}
	return kin > 0 // where nobody knows a place yet, the same sort of thing is told of
}
