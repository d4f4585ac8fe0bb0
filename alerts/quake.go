package alerts

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Figures of the earthquake rule (feeds.md section 2) and of what concerns us.
const (
	unfeltMagnitude  = 6.0   // from it on, an earthquake of unknown intensity is Severe …
	unfeltKm         = 150.0 // … within this distance
	quakeKm          = 300.0 // within it every earthquake is shown here
	namedWithinKm    = 500.0 // beyond it a felt place that bears a name of ours is another one
	quakeJoinSeconds = 60.0
	quakeJoinKm      = 100.0
	solutionsApart   = 0.5 // magnitudes
)

// quake judges an earthquake from here. Its severity is by intensity and distance alone: certainty and urgency do not cap it.
func (a *Alert) quake(q feeds.Quake, p Place) {
	a.Quake = &Quake{Quake: q, Lng: q.Position.Lng, Lat: q.Position.Lat, DistanceKm: geo.Distance(p.Center, q.Position) / 1000}
	a.Judge(p)
	if a.Onset.IsZero() {
		a.Onset = q.OriginAt
	}
	if a.Area.Geometry.IsZero() {
		a.Area = Feature{Type: "Feature", Geometry: geo.Shape{Points: []geo.Position{q.Position}}, Properties: FeatureProperties{Name: q.Place}}
	}
}

// Judge gives an earthquake's severity and relevance here from what is known of it.
func (a *Alert) Judge(p Place) {
	q := a.Quake
	q.MMIHere = 0
	for _, f := range q.Felt {
		if q.DistanceKm <= namedWithinKm && (p.isUs(f.Place) || p.named(f.Place)) {
			q.MMIHere = max(q.MMIHere, f.Low, f.High)
		}
	}
	a.Severity = quakeSeverity(q)
	if p.Coastal && threatens(q.Tsunami) && a.Severity != cap.Extreme {
		a.Severity = cap.Severe
	}
	a.Relevant = q.DistanceKm <= quakeKm || q.MMIHere > 0
}

// threatens tells BMKG's words of a tsunami from those of none: "Berpotensi tsunami", and "Potensi tsunami untuk diteruskan pada masyarakat"
// as of Flores 2021, against "Tidak berpotensi tsunami".
func threatens(tsunami string) bool {
	words := strings.ToLower(tsunami)
	return strings.Contains(words, "potensi tsunami") && !strings.Contains(words, "tidak")
}

func quakeSeverity(q *Quake) cap.Severity {
	switch {
	case q.MMIHere >= 6:
		return cap.Extreme
	case q.MMIHere == 5:
		return cap.Severe
	case q.MMIHere == 4:
		return cap.Moderate
	case q.MMIHere > 0:
		return cap.Minor
	case q.Magnitude != nil && *q.Magnitude >= unfeltMagnitude && q.DistanceKm <= unfeltKm:
		return cap.Severe
	default:
		return cap.Minor
	}
}

// SameQuake tells two reports of one earthquake: a common key, or within 60 s and 100 km. Simulated and real are never the same.
func SameQuake(a, b *Alert) bool {
	if a.Quake == nil || b.Quake == nil || a.Simulated != b.Simulated {
		return false
	}
	return meet(a.Keys, b.Keys) || near(a.Quake.OriginAt, b.Quake.OriginAt, a.Quake.At(), b.Quake.At())
}

// SameReport is SameQuake over two reports as a format read them from one delivery. A report that is much stronger or weaker is held to
// be another earthquake there: solutions of one differ by tenths, and a main shock must not hide behind its aftershock.
func SameReport(a, b *feeds.Alert) bool {
	if a.Quake == nil || b.Quake == nil {
		return false
	}
	if m, n := a.Quake.Magnitude, b.Quake.Magnitude; m != nil && n != nil && math.Abs(*m-*n) > solutionsApart {
		return false
	}
	return meet(a.Keys, b.Keys) || near(a.Quake.OriginAt, b.Quake.OriginAt, a.Quake.Position, b.Quake.Position)
}

func meet(a, b []string) bool {
	return slices.ContainsFunc(a, func(k string) bool { return slices.Contains(b, k) })
}

func near(at, bt moment.Time, a, b geo.Position) bool {
	dt := at.Sub(bt.Time).Seconds()
	return dt >= -quakeJoinSeconds && dt <= quakeJoinSeconds && geo.Distance(a, b) <= quakeJoinKm*1000
}

// At is the epicentre, as kept.
func (q *Quake) At() geo.Position { return geo.Position{Lat: q.Lat, Lng: q.Lng} }

// QuakeChanges says what a revision changed, for people: "M 5.6 -> 5.4".
func QuakeChanges(was, is *Quake) []string {
	var out []string
	if m, n := magnitude(was), magnitude(is); m != n {
		out = append(out, "M "+m+" -> "+n)
	}
	if was.DepthKm != is.DepthKm {
		out = append(out, fmt.Sprintf("%g km -> %g km", was.DepthKm, is.DepthKm))
	}
	if d := geo.Distance(was.At(), is.At()); d >= 1 {
		out = append(out, fmt.Sprintf("epicentre moved %.1f km", d/1000))
	}
	if !was.OriginAt.Equal(is.OriginAt.Time) {
		out = append(out, fmt.Sprintf("origin %s -> %s", was.OriginAt, is.OriginAt))
	}
	if was.MMIHere != is.MMIHere {
		out = append(out, fmt.Sprintf("MMI %d -> %d", was.MMIHere, is.MMIHere))
	}
	if was.Reviewed != is.Reviewed {
		out = append(out, map[bool]string{true: "reviewed", false: "no longer reviewed"}[is.Reviewed])
	}
	return out
}

func magnitude(q *Quake) string {
	if q.Magnitude == nil {
		return "?"
	}
	return fmt.Sprintf("%.1f", *q.Magnitude)
}
