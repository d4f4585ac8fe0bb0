package bmkg

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

const (
	maxText    = 4096 // bytes of one field
	minDepthKm = -100
	maxDepthKm = 1000
	// agreeDegrees is how far Coordinates may lie from Lintang and Bujur, which are rounded.
	agreeDegrees = 0.06
)

// zones of Indonesia by the letters that follow a clock time.
var zones = map[string]int{"WIB": 7, "WITA": 8, "WIT": 9, "UTC": 0, "GMT": 0}

// months by their first three letters, Indonesian and English.
var months = map[string]time.Month{"jan": 1, "feb": 2, "peb": 2, "mar": 3, "apr": 4, "mei": 5, "may": 5, "jun": 6, "jul": 7, "agu": 8, "agt": 8,
	"ags": 8, "aug": 8, "sep": 9, "okt": 10, "oct": 10, "nov": 11, "nop": 11, "des": 12, "dec": 12}

// alert makes one Alert of one quake.
func (f fields) alert() (feeds.Alert, error) {
	q, err := f.quake()
	if err != nil {
		return feeds.Alert{}, err
	}
	keys := f.keys(q)
	return feeds.Alert{
		Keys:  keys,
		Quake: q,
		Message: cap.Message{Identifier: keys[0], Sender: Sender, Sent: q.OriginAt, Status: "Actual", MsgType: "Alert", Scope: "Public",
			Infos: []cap.Info{f.info(q)}},
	}, nil
}

func (f fields) quake() (*feeds.Quake, error) {
	q := &feeds.Quake{Place: f["Wilayah"], Felt: felt(f["Dirasakan"]), Reviewed: f["status"] == "confirmed" || f["status"] == "manual"}
	var err error
	if q.OriginAt, err = f.origin(); err != nil {
		return nil, err
	}
	if q.Position, err = f.position(); err != nil {
		return nil, err
	}
	if m := f["Magnitude"]; m != "" && m != "-" {
		v, err := number(strings.TrimSuffix(strings.TrimPrefix(m, "M"), "SR"))
		if err != nil || math.Abs(v) > 11 {
			return nil, fmt.Errorf("Magnitude %.20q is not a magnitude", m)
		}
		q.Magnitude = &v
	}
	if d := f["Kedalaman"]; d != "" && d != "-" {
		v, err := number(strings.TrimSuffix(strings.ToLower(d), "km"))
		if err != nil || v < minDepthKm || v > maxDepthKm {
			return nil, fmt.Errorf("Kedalaman %.20q is not a depth in km within %d..%d", d, minDepthKm, maxDepthKm)
		}
		q.DepthKm = v
	}
	if p := f["Potensi"]; strings.Contains(strings.ToLower(p), "tsunami") {
		q.Tsunami = p
	}
	return q, nil
}

// number reads a finite decimal with a point or a comma.
func number(s string) (float64, error) {
	v, err := strconv.ParseFloat(strings.Replace(strings.TrimSpace(s), ",", ".", 1), 64)
	if err == nil && (math.IsNaN(v) || math.IsInf(v, 0)) {
		err = errors.New("not finite")
	}
	return v, err
}

// origin is DateTime, which has an offset, else Tanggal and Jam in one of Indonesia's zones.
func (f fields) origin() (moment.Time, error) {
	if t := f["DateTime"]; t != "" {
		return utc(t)
	}
	return local(f["Tanggal"], f["Jam"])
}

// utc reads RFC 3339, and the real-time list's "2006-01-02 15:04:05.000", which is UTC.
func utc(s string) (moment.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05", "2006/01/02 15:04:05", "2006-01-02T15:04:05"} {
		at, err := time.Parse(layout, s)
		if err != nil {
			continue
		}
		if at.Year() < 1900 || at.Year() > 2200 {
			break
		}
		return moment.Of(at), nil
	}
	return moment.Time{}, fmt.Errorf("time %.40q is not a date and time with an offset", s)
}

// local reads "13 Okt 2021" and "12:00:47 WIB".
func local(date, clock string) (moment.Time, error) {
	fault := fmt.Errorf("Tanggal %.20q and Jam %.20q are not a date and a time in WIB, WITA or WIT", date, clock)
	d := strings.FieldsFunc(date, func(r rune) bool { return r == ' ' || r == '-' })
	c := strings.Fields(clock)
	if len(d) != 3 || len(c) != 2 || len(d[1]) < 3 {
		return moment.Time{}, fault
	}
	day, err1 := strconv.Atoi(d[0])
	year, err2 := strconv.Atoi(d[2])
	if err2 == nil && year < 100 {
		year += 2000
	}
	month, ok1 := months[strings.ToLower(d[1][:3])]
	hours, ok2 := zones[strings.ToUpper(c[1])]
	hm, err3 := time.Parse("15:04:05", strings.ReplaceAll(c[0], ".", ":"))
	if err1 != nil || err2 != nil || err3 != nil || !ok1 || !ok2 || year < 1900 || year > 2200 {
		return moment.Time{}, fault
	}
	at := time.Date(year, month, day, hm.Hour(), hm.Minute(), hm.Second(), 0, time.FixedZone(c[1], hours*3600))
	if at.Day() != day {
		return moment.Time{}, fault
	}
	return moment.Of(at), nil
}

// position reads Coordinates, "lat,lon", and holds it against Lintang and Bujur; either may stand alone.
func (f fields) position() (geo.Position, error) {
	words, both, err := f.words()
	if err != nil {
		return geo.Position{}, err
	}
	c := f["Coordinates"]
	if c == "" {
		if !both {
			return geo.Position{}, errors.New("Coordinates are missing")
		}
		return words, nil
	}
	lat, lng, _ := strings.Cut(c, ",")
	p := geo.Position{}
	var err1, err2 error
	p.Lat, err1 = strconv.ParseFloat(strings.TrimSpace(lat), 64)
	p.Lng, err2 = strconv.ParseFloat(strings.TrimSpace(lng), 64)
	if err1 != nil || err2 != nil {
		return p, fmt.Errorf("Coordinates %.40q are not lat,lon", c)
	}
	swapped := geo.Position{Lat: p.Lng, Lng: p.Lat}
	switch err := p.Validate(); {
	case err != nil && swapped.Validate() == nil:
		return p, fmt.Errorf("Coordinates %.40q: %w: latitude and longitude seem swapped", c, err)
	case err != nil:
		return p, fmt.Errorf("Coordinates %.40q: %w", c, err)
	case p.IsNull():
		return p, errors.New("Coordinates 0,0 stand for an unknown place")
	case both && near(swapped, words) && !near(p, words):
		return p, fmt.Errorf("Coordinates %.40q: latitude and longitude are swapped against Lintang and Bujur", c)
	case both && !near(p, words):
		return p, fmt.Errorf("Coordinates %.40q disagree with Lintang %.20q and Bujur %.20q", c, f["Lintang"], f["Bujur"])
	}
	return p, nil
}

func near(a, b geo.Position) bool {
	return math.Abs(a.Lat-b.Lat) <= agreeDegrees && math.Abs(a.Lng-b.Lng) <= agreeDegrees
}

// words reads "8.87 LS" and "110.97 BT"; both tells that they are given.
func (f fields) words() (p geo.Position, both bool, err error) {
	if f["Lintang"] == "" || f["Bujur"] == "" {
		return p, false, nil
	}
	if p.Lat, err = degrees(f["Lintang"], "LU", "LS"); err != nil {
		return p, false, fmt.Errorf("Lintang %w", err)
	}
	if p.Lng, err = degrees(f["Bujur"], "BT", "BB"); err != nil {
		return p, false, fmt.Errorf("Bujur %w", err)
	}
	if err = p.Validate(); err != nil {
		return p, false, fmt.Errorf("Lintang and Bujur: %w", err)
	}
	return p, true, nil
}

func degrees(s, plus, minus string) (float64, error) {
	parts := strings.Fields(s)
	if len(parts) == 2 {
		v, err := number(parts[0])
		switch word := strings.ToUpper(parts[1]); {
		case err != nil || v < 0:
		case word == plus:
			return v, nil
		case word == minus:
			return -v, nil
		}
	}
	return 0, fmt.Errorf("%.20q is not degrees with %s or %s", s, plus, minus)
}

// feltAt is an intensity, or two, before a place.
var feltAt = regexp.MustCompile(`^(?:MMI\s+)?([IVX]+)(?:\s*[-–]\s*([IVX]+))?(?:\s+MMI)?\s+(\S.*)$`)

// roman is Modified Mercalli as BMKG writes it.
var roman = map[string]int{"I": 1, "II": 2, "III": 3, "IV": 4, "V": 5, "VI": 6, "VII": 7, "VIII": 8, "IX": 9, "X": 10, "XI": 11, "XII": 12}

// felt reads "III Pekalongan, II - III Batang". A place without an intensity has the one before it; what has none at all is left out.
func felt(s string) []feeds.Felt {
	var out []feeds.Felt
	low, high := 0, 0
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r == ',' || r == ';' || r == '\n' }) {
		place := strings.TrimSpace(part)
		if m := feltAt.FindStringSubmatch(place); m != nil && roman[m[1]] > 0 && (m[2] == "" || roman[m[2]] > 0) {
			low, high, place = roman[m[1]], roman[m[1]], strings.TrimSpace(m[3])
			if m[2] != "" {
				low, high = min(low, roman[m[2]]), max(low, roman[m[2]])
			}
		}
		if low > 0 && place != "" {
			out = append(out, feeds.Felt{Place: place, Low: low, High: high})
		}
	}
	return out
}

var shakemap = regexp.MustCompile(`^(\d{8,20})[._]`)

// keys are the names by which BMKG knows the event: its shakemap or id where there is one, and time and place.
func (f fields) keys(q *feeds.Quake) []string {
	var out []string
	if m := shakemap.FindStringSubmatch(f["Shakemap"]); m != nil {
		out = append(out, m[1])
	}
	if id := f["id"]; id != "" && len(id) <= 64 && !strings.ContainsAny(id, " \t\r\n,<&") {
		out = append(out, id)
	}
	at := q.OriginAt.Round(time.Second).Format("20060102T150405Z")
	return append(out, fmt.Sprintf("%s_%.1f_%.1f", at, tenth(q.Position.Lat), tenth(q.Position.Lng)))
}

func (f fields) info(q *feeds.Quake) cap.Info {
	magnitude := "M ?"
	if q.Magnitude != nil {
		magnitude = "M " + strings.Replace(strconv.FormatFloat(*q.Magnitude, 'f', 1, 64), ".", ",", 1)
	}
	place := q.Place
	if place == "" {
		place = fmt.Sprintf("%.2f, %.2f", q.Position.Lat, q.Position.Lng)
	}
	when := strings.TrimSpace(f["Tanggal"] + " " + f["Jam"])
	if when == "" {
		when = q.OriginAt.String()
	}
	text := []string{fmt.Sprintf("Gempa bumi %s, %s, kedalaman %s km.", magnitude, when,
		strings.Replace(strconv.FormatFloat(q.DepthKm, 'f', -1, 64), ".", ",", 1)), strings.TrimSuffix(place, ".") + "."}
	if d := strings.TrimRight(f["Dirasakan"], ", "); d != "" && d != "-" {
		text = append(text, "Dirasakan (MMI): "+d+".")
	}
	if p := strings.TrimSuffix(f["Potensi"], "."); p != "" {
		text = append(text, p+".")
	}
	return cap.Info{
		Language: "id", Categories: []string{"Geo"}, Event: "Gempa bumi", Urgency: "Past", Severity: cap.Unknown, Certainty: "Observed",
		Effective: q.OriginAt, Onset: q.OriginAt, SenderName: "BMKG", Headline: "Gempa " + magnitude + ", " + place,
		Description: strings.Join(text, " "),
		Areas:       []cap.Area{{Name: place, Shape: geo.Shape{Points: []geo.Position{q.Position}}}},
	}
}

// tenth rounds to 0.1 and has no negative zero.
func tenth(v float64) float64 { return math.Round(v*10)/10 + 0 }
