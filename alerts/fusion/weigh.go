package fusion

import (
	"fmt"
	"math"
	"time"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Thresholds of the sum of all parts.
const (
	JoinAt    = .60 // from here on an account is of the incident
	SuggestAt = .45 // from here on a person is asked
)

// The most that each factor gives. They add up to 1.
const (
	typePart        = .40
	placePart       = .27
	timePart        = .18
	independentPart = .05
	wordsPart       = .05
	severityPart    = .05
)

// The most that place and time take away: what lies at the edge of its scope is asked about, never joined.
const (
	farPenalty  = -.22
	latePenalty = -.25
	coarsePart  = -.05
)

// spot is where and when one piece of a case was.
type spot struct {
	ref  string
	at   geo.Position
	when time.Time
	wide float64 // how far around it reaches, in metres, as its source has drawn it
}

// weigh tells how well a signal goes with a case: the sum, and its parts. Zero where it cannot be of it at all.
func (c *Core) weigh(s *Signal, k *hold) (float64, []Reason) {
	if s.Simulated != k.simulated {
		return 0, nil
	}
	kin, of, with := c.table.kinship(s.Types, k.types)
	if kin == 0 {
		return 0, nil
	}
	scope := c.table.scopes[with] // the case says how long it lasts
	scope.ReachM = max(scope.ReachM, c.table.scopes[of].ReachM)
	metres, near := k.distance(s, scope)
	gap, standing := k.quiet(s)
	if !near || gap > scope.Window {
		return 0, nil
	}
	reasons := []Reason{typeReason(kin, of, with, scope), placeReason(metres, scope, s.Coarse && scope.ReachM <= 2*wideM), timeReason(gap, standing, scope)}
	if !k.sources[s.source()] {
		reasons = append(reasons, Reason{Code: "independent", Text: "a source that has not spoken of it yet", Value: s.source0(), Weight: independentPart})
	}
	if n := shared(s.Tells, k.tells); n > 0 {
		reasons = append(reasons, Reason{Code: "words", Text: fmt.Sprintf("%d telling words in common", n), Value: fmt.Sprint(n), Weight: round(wordsPart * math.Min(1, float64(n)/3))})
	}
	if s.Severity.Valid() && s.Severity != cap.Unknown && k.severity.Valid() && k.severity != cap.Unknown {
		if d := s.Severity.Rank() - k.severity.Rank(); d >= -1 && d <= 1 {
			reasons = append(reasons, Reason{Code: "severity", Text: "as severe: " + string(s.Severity), Value: string(s.Severity), Weight: severityPart})
		}
	}
	sum := 0.0
	for _, r := range reasons {
		sum += r.Weight
	}
	if c.doubtful(s, k, scope, reasons) {
		sum = min(sum, JoinAt-.001)
	}
	return round(clamp(sum, 0, 1)), reasons
}

func typeReason(kin float64, of, with string, scope Scope) Reason {
	if of == with {
		return Reason{Code: "same_type", Text: "same type: " + of, Value: of, Weight: round(typePart * kin)}
	}
	return Reason{Code: "kin_type", Text: fmt.Sprintf("%s may be told as %s (group %s)", with, of, scope.Group), Value: of + "/" + with, Weight: round(typePart * kin)}
}

// placeReason is full at the place, nothing at seven tenths of the reach, and against it beyond. What its channel has placed coarsely, at
// the middle of a town, speaks a little against it wherever that is.
func placeReason(metres float64, scope Scope, coarse bool) Reason {
	if coarse {
		return Reason{Code: "coarse", Text: "placed at a point that stands for a whole town", Value: fmt.Sprintf("%.0f m", metres), Weight: coarsePart}
	}
	x := metres / scope.ReachM
	w := placePart * (1 - math.Max(0, x-.15)/.55)
	r := Reason{Code: "near", Text: fmt.Sprintf("%.0f m apart", metres), Value: fmt.Sprintf("%.0f m", metres), Weight: round(math.Max(w, farPenalty))}
	if r.Weight < 0 {
		r.Code = "far"
	}
	return r
}

// timeReason is full for a quarter of the near time, nothing at its end, and against it beyond; full while an instrument still tells of the case.
func timeReason(gap time.Duration, standing bool, scope Scope) Reason {
	if standing {
		return Reason{Code: "standing", Text: "an instrument still tells of it", Weight: timePart}
	}
	x := float64(gap) / float64(scope.Near)
	w := timePart * (1 - math.Max(0, x-.25)/.75)
	r := Reason{Code: "soon", Text: fmt.Sprintf("%.0f min apart", gap.Minutes()), Value: fmt.Sprintf("%.0f min", gap.Minutes()), Weight: round(math.Max(w, latePenalty))}
	if r.Weight < 0 {
		r.Code = "late"
	}
	return r
}

func shared(a, b map[string]bool) (n int) {
	for w := range a {
		if b[w] {
			n++
		}
	}
	return n
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }

func momentOf(t time.Time) moment.Time { return moment.Of(t) }

// source0 is what a reader is told of a source; of a report, which is somebody's, only its feed.
func (s *Signal) source0() string {
	if s.Kind == "report" {
		return s.Feed
	}
	return s.Agency
}

// Told is the reasons in one line, for the evidence of an incident: "same type: flood (0.40); 120 m apart (0.27)".
func Told(reasons []Reason) string {
	out := ""
	for i, r := range reasons {
		if i > 0 {
			out += "; "
		}
		out += fmt.Sprintf("%s (%+.2f)", r.Text, r.Weight)
	}
	return out
}

// placed and soonAt are the reasons of what a rule's writer has set bounds for.
func placed(metres, within, weight float64) Reason {
	return Reason{Code: "near", Text: fmt.Sprintf("%.0f m apart, of %.0f m", metres, within), Value: fmt.Sprintf("%.0f m", metres), Weight: round(weight)}
}

func soonAt(gap, within time.Duration, weight float64) Reason {
	return Reason{Code: "soon", Text: fmt.Sprintf("%.0f min apart, of %s", gap.Minutes(), within), Value: fmt.Sprintf("%.0f min", gap.Minutes()), Weight: round(weight)}
}

// doubtful tells what keeps a signal from joining by itself, however much else speaks for it; a person is asked:
//
//   - time speaks against it: the case had been quiet for longer than such things are told of, so another may have begun at the same place;
//   - who tells of a beginning has told of one here before, long ago: an instrument that fires anew, an agency with another event;
//   - what it mainly tells of is not of the case's kind, only what it says besides: a landslide that shuts the road is no fallen tree.
func (c *Core) doubtful(s *Signal, k *hold, scope Scope, reasons []Reason) bool {
	if reasons[2].Weight < 0 {
		return true
	}
	if last := k.begins[s.teller()]; s.Began && !last.IsZero() && s.At.Sub(last).Abs() > scope.Near {
		return true
	}
	var main []Guess
	for _, g := range s.Types {
		if g.Certainty >= byText {
			main = append(main, g)
		}
	}
	best, _, _ := c.table.kinship(main, k.types)
	return len(main) > 0 && best == 0
}
