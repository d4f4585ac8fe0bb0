package siri

import (
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// The format's own limits: speed in m/s (a fast train), delay in seconds.
const (
	maxSpeed = 140
	maxDelay = 7 * 24 * 3600
)

// kinds of Things by VehicleMode.
var kinds = map[string]string{"bus": "bus", "coach": "bus", "trolleyBus": "bus", "tram": "tram", "rail": "train", "metro": "metro", "underground": "metro",
	"ferry": "ship", "water": "ship", "air": "aircraft", "funicular": "funicular", "telecabin": "cable_car", "cableway": "cable_car"}

// vehicle reads one VehicleActivity.
func (s *stream) vehicle(e *cap.Element) (pass string, err error) {
	r := &reader{}
	j := r.one(e, "MonitoredVehicleJourney")
	if j == nil {
		r.fault("<MonitoredVehicleJourney> is missing")
		return "", r.err
	}
	u := feeds.UnitPosition{Index: s.items, At: r.when(e, "RecordedAtTime"), Kind: s.kind(r.text(j, "VehicleMode")), Name: r.id(j, "VehicleRef")}
	operator := r.id(j, "OperatorRef")
	switch {
	case u.Name == "":
		r.fault("<VehicleRef> is missing")
	case operator == "" || strings.HasPrefix(u.Name, operator+"-"):
		u.Unit = u.Name
	default:
		u.Unit = operator + "-" + u.Name
	}
	at := r.one(j, "VehicleLocation")
	if at != nil {
		u.Position = r.place(at)
	}
	u.Heading = r.number(j, "Bearing", 0, 360)
	if u.Heading != nil {
		*u.Heading = math.Mod(*u.Heading, 360)
	}
	u.SpeedMps = r.number(j, "Velocity", 0, maxSpeed)
	o := feeds.Observation{Index: s.items, Thing: u.Unit, At: u.At, Position: u.Position, Placed: at != nil, Kind: u.Kind, Name: u.Name}
	var list []feeds.Observation
	put := func(property, unit string, v feeds.Value) {
		o.Property, o.Unit, o.Value = property, unit, v
		list = append(list, o)
	}
	line := r.text(j, "PublishedLineName")
	if line == "" {
		line = r.text(j, "LineRef")
	}
	if line != "" && len(line) <= maxID {
		put("route", "", feeds.Value{Type: feeds.Text, Text: line})
	}
	moved := len(list)
	if d := r.text(j, "Delay"); d != "" {
		seconds, ok := duration(d)
		if !ok || math.Abs(seconds) > maxDelay {
			r.fault("<Delay> %.40q is not a duration of at most a week", d)
		}
		put("delay", "s", feeds.Value{Num: seconds})
	}
	if v := r.text(j, "Occupancy"); v != "" && v != "unknown" && len(v) <= maxID {
		put("occupancy_status", "", feeds.Value{Type: feeds.Text, Text: v})
	}
	if r.err != nil {
		return "", r.err
	}
	if at == nil && len(list) == moved {
		return "vehicle without a location", nil
	}
	if at != nil {
		s.batch.Positions = append(s.batch.Positions, u)
	}
	s.batch.Observations = append(s.batch.Observations, list...)
	return "", nil
}

func (s *stream) kind(mode string) string {
	switch {
	case kinds[mode] != "":
		return kinds[mode]
	case s.meta.Kind != "":
		return s.meta.Kind
	}
	return DefaultKind
}

// place reads Longitude and Latitude on WGS 84. Coordinates of another reference system are refused, not guessed.
func (r *reader) place(e *cap.Element) geo.Position {
	if r.one(e, "Coordinates") != nil {
		r.fault("<Coordinates> of another reference system than WGS 84 are not read")
	}
	lng, lat := r.number(e, "Longitude", -math.MaxFloat64, math.MaxFloat64), r.number(e, "Latitude", -math.MaxFloat64, math.MaxFloat64)
	if lng == nil || lat == nil {
		r.fault("<%s> does not hold <Longitude> and <Latitude>", e.Name)
		return geo.Position{}
	}
	p := geo.Position{Lat: *lat, Lng: *lng}
	if err := p.Validate(); err != nil {
		if (geo.Position{Lat: p.Lng, Lng: p.Lat}).Validate() == nil {
			err = fmt.Errorf("%w: longitude and latitude seem swapped", err)
		}
		r.fault("<%s>: %w", e.Name, err)
	}
	if p.IsNull() || math.Abs(p.Lat) == 90 {
		r.fault("<%s> %v,%v stands for an unknown place", e.Name, p.Lng, p.Lat)
	}
	return p
}

// number reads a decimal within bounds; nil where it is absent.
func (r *reader) number(e *cap.Element, name string, least, most float64) *float64 {
	s := r.text(e, name)
	if s == "" {
		return nil
	}
	f, err := strconv.ParseFloat(s, 64)
	switch {
	case err != nil || math.IsNaN(f) || math.IsInf(f, 0):
		r.fault("<%s> %.40q is not a number", name, s)
	case f < least || f > most:
		r.fault("<%s> %v is not within %v..%v", name, f, least, most)
	default:
		return &f
	}
	return nil
}

var durations = regexp.MustCompile(`^(-?)P(?:(\d{1,4})D)?(?:T(?:(\d{1,6})H)?(?:(\d{1,6})M)?(?:(\d{1,7}(?:\.\d{1,9})?)S)?)?$`)

// duration reads xs:duration of days and less, in seconds.
func duration(s string) (float64, bool) {
	m := durations.FindStringSubmatch(s)
	if m == nil || m[2]+m[3]+m[4]+m[5] == "" {
		return 0, false
	}
	total := 0.0
	for i, unit := range []float64{86400, 3600, 60, 1} {
		if f, err := strconv.ParseFloat(m[i+2], 64); err == nil {
			total += f * unit
		}
	}
	if m[1] != "" {
		total = -total
	}
	return total, true
}
