// Package gtfsrt is public transport by GTFS Realtime: vehicle positions, trip updates and alerts, as protobuf or as its JSON.
//
// A vehicle gives a position of a Thing, and its route and occupancy as observations; a trip update gives the delay of its vehicle,
// or of its trip where no vehicle is named; an alert gives an Alert. Kind is the route's, else the feed's, else transit. Times are the
// entity's own, else the header's. A full dataset is a snapshot. The bytes are one document: what is not protobuf to its end is an error.
//
// The option static names a file, the agency's GTFS archive. With it a vehicle that says only its stop stands there, routes tell what their
// vehicles are, stop times without a delay get one against the timetable, and alerts lie where their stops are. It is read once: a new
// timetable needs a new start of the feed.
package gtfsrt

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// DefaultKind is that of vehicles of a feed that declares none: GTFS Realtime does not say what a vehicle is.
const DefaultKind = "transit"

// The format's own limits: entities of a message, bytes of an id, seconds since 1970 of the years 2000 and 2200, speed in m/s (a fast
// train), delay in seconds.
const (
	maxEntities = 100_000
	maxID       = 200
	firstSecond = 946_684_800
	lastSecond  = 7_258_118_400
	maxSpeed    = 140
	maxDelay    = 7 * 24 * 3600
)

// Format reads GTFS Realtime. It is safe for concurrent use.
type Format struct {
	Static *Static // may be nil
}

// New gives the format. Its option static is the path of a GTFS archive.
func New(options map[string]any) (feeds.Format, error) {
	f := Format{}
	for key, value := range options {
		if key != "static" {
			return nil, fmt.Errorf("gtfsrt: option %.40q: there is only static", key)
		}
		path, ok := value.(string)
		if !ok || path == "" {
			return nil, errors.New("gtfsrt: option static: want the path of a GTFS archive")
		}
		var err error
		if f.Static, err = OpenStatic(path); err != nil {
			return nil, fmt.Errorf("gtfsrt: option static: %w", err)
		}
	}
	return f, nil
}

// decoder reads one message.
type decoder struct {
	meta   feeds.Meta
	kind   string
	now    uint64 // the header's time in seconds, 0 unknown
	static *Static
	batch  feeds.Batch
}

// Decode reads one FeedMessage. Any other document is an error; a faulty entity costs only itself.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	m, err := parse(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("gtfsrt: %w", err)
	}
	d := decoder{meta: meta, kind: meta.Kind, now: m.Header.GetTimestamp(), static: f.Static}
	if d.kind == "" {
		d.kind = DefaultKind
	}
	d.batch.Snapshot = m.Header.GetIncrementality() == gtfs.FeedHeader_FULL_DATASET
	if len(m.Entity) > 0 && m.Entity[0].Vehicle != nil {
		d.batch.Positions = make([]feeds.UnitPosition, 0, min(len(m.Entity), 4096))
		d.batch.Observations = make([]feeds.Observation, 0, min(2*len(m.Entity), 4096))
	}
	seen := make(map[string]int, len(m.Entity))
	for i, e := range m.Entity {
		id := e.GetId()
		first, twice := seen[id]
		seen[id] = i
		switch {
		case e.Id == nil:
			d.reject(i, errors.New("id is missing"))
		case bad(id):
			d.reject(i, fmt.Errorf("id %.40q is longer than %d bytes or not plain text", id, maxID))
		case twice:
			d.reject(i, fmt.Errorf("id %q was given before, by entity %d", id, first))
		case e.GetIsDeleted():
			d.ignore(i, "deleted")
		case e.Vehicle == nil && e.TripUpdate == nil && e.Alert == nil:
			d.ignore(i, "no vehicle, trip update or alert in the entity")
		default:
			d.entity(i, e)
		}
	}
	d.batch.AllAlerts = d.batch.Snapshot && !meta.Part && listsAlerts(m.Entity)
	return d.batch, nil
}

// listsAlerts tells a message of alerts from one of vehicles or trips, which says nothing of what alerts there are.
func listsAlerts(all []*gtfs.FeedEntity) bool {
	return len(all) == 0 || slices.ContainsFunc(all, func(e *gtfs.FeedEntity) bool { return e.Alert != nil })
}

var version = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3}){0,2}$`)

// parse reads protobuf, or the same model as JSON. Required fields that are missing are told apart by entity, later.
func parse(body []byte) (*gtfs.FeedMessage, error) {
	m := &gtfs.FeedMessage{}
	if text := bytes.TrimSpace(bounded.TrimBOM(body)); len(text) > 0 && text[0] == '{' {
		if err := bounded.JSON(text, bounded.DefaultDepth); err != nil {
			return nil, err
		}
		if err := (protojson.UnmarshalOptions{AllowPartial: true, DiscardUnknown: true}).Unmarshal(text, m); err != nil {
			return nil, fmt.Errorf("not a FeedMessage as JSON: %.200s", strings.ReplaceAll(err.Error(), "\u00a0", " "))
		}
	} else if err := (proto.UnmarshalOptions{AllowPartial: true, DiscardUnknown: true}).Unmarshal(body, m); err != nil {
		return nil, errors.New("not a FeedMessage: the bytes are no protobuf to their end")
	}
	h := m.Header
	if h == nil || !version.MatchString(h.GetGtfsRealtimeVersion()) {
		return nil, errors.New("not a FeedMessage: header.gtfs_realtime_version is missing")
	}
	if t := h.GetTimestamp(); t != 0 && (t < firstSecond || t > lastSecond) {
		return nil, fmt.Errorf("header.timestamp %d is not seconds since 1970 of a year between 2000 and 2200", t)
	}
	if len(m.Entity) > maxEntities {
		return nil, fmt.Errorf("%d entities, at most %d", len(m.Entity), maxEntities)
	}
	return m, nil
}

func bad(id string) bool {
	if id == "" || len(id) > maxID || !utf8.ValidString(id) {
		return true
	}
	return strings.IndexFunc(id, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) >= 0
}

func (d *decoder) reject(i int, err error) {
	d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("entity %d: %v", i, err)})
}

func (d *decoder) ignore(i int, reason string) {
	d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: reason})
}

// entity reads what an entity holds; one fault refuses it whole.
func (d *decoder) entity(i int, e *gtfs.FeedEntity) {
	before := d.batch
	pass := ""
	for _, read := range []func() (string, error){
		func() (string, error) { return d.vehicle(i, e.Vehicle) },
		func() (string, error) { return d.trip(i, e.TripUpdate) },
		func() (string, error) { return d.alert(i, e.GetId(), e.Alert) },
	} {
		why, err := read()
		if err != nil {
			d.batch = before
			d.reject(i, err)
			return
		}
		if why != "" {
			pass = why
		}
	}
	if d.batch.Records() == before.Records() && pass != "" {
		d.ignore(i, pass)
	}
}

// when is the entity's own time, else the header's; the zero time where neither is given.
func (d *decoder) when(ts *uint64) (moment.Time, error) {
	t := d.now
	if ts != nil && *ts != 0 {
		t = *ts
		if t < firstSecond || t > lastSecond {
			return moment.Time{}, fmt.Errorf("timestamp %d is not seconds since 1970 of a year between 2000 and 2200", t)
		}
	}
	return moment.OfMilli(int64(t) * 1000), nil
}

// kindOf is the kind of the trip's route where the timetable tells it.
func (d *decoder) kindOf(t *gtfs.TripDescriptor) string {
	if kind := d.static.kind(t.GetTripId(), t.GetRouteId()); kind != "" {
		return kind
	}
	return d.kind
}

// thing names the vehicle: by its id, else by trip and start date, under which its trip update is found too.
func thing(v *gtfs.VehicleDescriptor, t *gtfs.TripDescriptor) (string, error) {
	id := v.GetId()
	if id == "" && t.GetTripId() != "" {
		id = "trip " + t.GetTripId()
		if t.GetStartDate() != "" {
			id += " " + t.GetStartDate()
		}
	}
	if id == "" {
		return "", errors.New("neither vehicle.id nor trip.trip_id is given")
	}
	if bad(id) {
		return "", fmt.Errorf("id %.40q is longer than %d bytes or not plain text", id, maxID)
	}
	return id, nil
}

// name is what passengers see on the vehicle.
func name(v *gtfs.VehicleDescriptor) string {
	for _, s := range []string{v.GetLabel(), v.GetLicensePlate()} {
		if !bad(s) {
			return s
		}
	}
	return ""
}

func (d *decoder) vehicle(i int, v *gtfs.VehiclePosition) (pass string, err error) {
	if v == nil {
		return "", nil
	}
	halt, stopped := d.static.place(v.GetStopId())
	if v.Position == nil && !stopped {
		return "vehicle without a position", nil
	}
	u := feeds.UnitPosition{Index: i, Kind: d.kindOf(v.Trip), Name: name(v.Vehicle), Position: halt.at}
	if u.Unit, err = thing(v.Vehicle, v.Trip); err != nil {
		return "", err
	}
	if u.At, err = d.when(v.Timestamp); err != nil {
		return "", err
	}
	if v.Position != nil {
		if u.Position, err = place(v.Position); err != nil {
			return "", err
		}
		if u.SpeedMps, u.Heading, err = motion(v.Position); err != nil {
			return "", err
		}
	}
	d.batch.Positions = append(d.batch.Positions, u)
	o := feeds.Observation{Index: i, Thing: u.Unit, At: u.At, Kind: u.Kind, Name: u.Name, Position: u.Position, Placed: true}
	text := func(property, text string) {
		o.Property, o.Value = property, feeds.Value{Type: feeds.Text, Text: text}
		d.batch.Observations = append(d.batch.Observations, o)
	}
	if route := v.Trip.GetRouteId(); !bad(route) {
		text("route", route)
	}
	switch {
	case v.Position != nil:
	case halt.name != "":
		text("stop", halt.name)
	default:
		text("stop", v.GetStopId())
	}
	switch s := v.OccupancyStatus; {
	case v.OccupancyPercentage != nil && *v.OccupancyPercentage <= 1000: // above 100: more than the seats and stands allowed
		o.Property, o.Unit, o.Value = "occupancy", "%", feeds.Value{Num: float64(*v.OccupancyPercentage)}
		d.batch.Observations = append(d.batch.Observations, o)
	case s != nil && *s != gtfs.VehiclePosition_NO_DATA_AVAILABLE:
		text("occupancy_status", strings.ToLower(s.String()))
	}
	return "", nil
}

// motion is speed in m/s and heading in degrees, nil where they are not given; a bearing out of range is as good as none.
func motion(p *gtfs.Position) (speed, heading *float64, err error) {
	if p.Speed != nil {
		mps := decimal(*p.Speed)
		if !(mps >= 0 && mps <= maxSpeed) {
			return nil, nil, fmt.Errorf("speed %v m/s is not within 0..%d", *p.Speed, maxSpeed)
		}
		speed = &mps
	}
	if p.Bearing != nil {
		if deg := decimal(*p.Bearing); deg >= 0 && deg <= 360 {
			deg = math.Mod(deg, 360)
			heading = &deg
		}
	}
	return speed, heading, nil
}

// decimal brings a float32 back to the shortest decimal that it stands for, which is what its producer wrote: 100.65, not 100.6500015.
func decimal(f float32) float64 {
	var room [32]byte
	v, err := strconv.ParseFloat(string(strconv.AppendFloat(room[:0], float64(f), 'g', -1, 32)), 64)
	if err != nil {
		return float64(f)
	}
	return v
}

func place(p *gtfs.Position) (geo.Position, error) {
	if p.Latitude == nil || p.Longitude == nil {
		return geo.Position{}, errors.New("position without latitude and longitude")
	}
	at := geo.Position{Lat: decimal(*p.Latitude), Lng: decimal(*p.Longitude)}
	if err := at.Validate(); err != nil {
		if (geo.Position{Lat: at.Lng, Lng: at.Lat}).Validate() == nil {
			return at, fmt.Errorf("%w: latitude and longitude seem swapped", err)
		}
		return at, err
	}
	if at.IsNull() {
		return at, errors.New("position 0,0 stands for an unknown place")
	}
	if at == unset {
		return at, errors.New("position -1.6777216,0 stands for an unknown place")
	}
	return at, nil
}

// unset is where buses stand whose unit has no fix: its latitude is -2^24 in ten millionths of a degree.
var unset = geo.Position{Lat: -1.6777216}
