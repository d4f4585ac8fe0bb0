package gtfsrt

import (
	"archive/zip"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a bare container knows no zones

	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo"
)

// Bounds of a timetable: bytes of the archive and of one table in it, rows of a table.
const (
	maxArchive = 512 << 20
	maxTable   = 1 << 30
	maxRows    = 20_000_000
)

// Static is what realtime leaves out: where stops are, what a route's vehicles are, and when trips should be where. It is not changed
// after it was read.
type Static struct {
	zone   *time.Location
	stops  map[string]stop
	kinds  map[string]string // route -> kind
	routes map[string]string // trip -> route
	calls  map[string][]call // trip -> its stops in order
}

type stop struct {
	name   string
	at     geo.Position
	placed bool
	parent string
}

// call is a stop of a trip; times are seconds from the start of the service day, which may pass 24 hours, -1 where they are not given.
type call struct {
	sequence           uint32
	stop               string
	arrival, departure int32
}

// OpenStatic reads a GTFS archive from a file.
func OpenStatic(path string) (*Static, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	return ReadStatic(f, info.Size())
}

// ReadStatic reads a GTFS archive: stops, routes and trips, and the times of trips where there are any (gtfs.org, GTFS Schedule).
func ReadStatic(r io.ReaderAt, size int64) (*Static, error) {
	if size > maxArchive {
		return nil, fmt.Errorf("GTFS archive: %w: more than %d bytes", bounded.ErrTooLarge, maxArchive)
	}
	z, err := zip.NewReader(r, size)
	if err != nil {
		return nil, fmt.Errorf("GTFS archive: %w", err)
	}
	s := &Static{zone: time.UTC, stops: map[string]stop{}, kinds: map[string]string{}, routes: map[string]string{}, calls: map[string][]call{}}
	for _, t := range []struct {
		name     string
		required bool
		columns  []string
		row      func([]string) error
	}{
		{"agency.txt", true, []string{"agency_timezone"}, s.agency},
		{"stops.txt", true, []string{"stop_id", "stop_name", "stop_lat", "stop_lon", "parent_station"}, s.stop},
		{"routes.txt", true, []string{"route_id", "route_type"}, s.route},
		{"trips.txt", true, []string{"trip_id", "route_id"}, s.trip},
		{"stop_times.txt", false, []string{"trip_id", "stop_id", "stop_sequence", "arrival_time", "departure_time"}, s.call},
	} {
		if err := table(z, t.name, t.required, t.columns, t.row); err != nil {
			return nil, fmt.Errorf("GTFS archive: %s: %w", t.name, err)
		}
	}
	for _, list := range s.calls {
		slices.SortFunc(list, func(a, b call) int { return int(int64(a.sequence) - int64(b.sequence)) })
	}
	return s, nil
}

// table reads one file of the archive row by row. Columns that the file does not have are empty, but the first.
func table(z *zip.Reader, name string, required bool, columns []string, row func([]string) error) error {
	f, err := z.Open(name)
	if err != nil {
		if required {
			return errors.New("missing")
		}
		return nil
	}
	defer f.Close()
	in := &io.LimitedReader{R: f, N: maxTable + 1}
	c := csv.NewReader(in)
	c.FieldsPerRecord, c.LazyQuotes, c.ReuseRecord = -1, true, true
	head, err := c.Read()
	if err != nil {
		return errors.New("no header")
	}
	at := make([]int, len(columns))
	for k, want := range columns {
		at[k] = -1
		for j, h := range head {
			if strings.TrimSpace(strings.TrimPrefix(h, "\ufeff")) != want {
				continue
			}
			if at[k] >= 0 {
				return fmt.Errorf("column %s is given twice", want)
			}
			at[k] = j
		}
	}
	if at[0] < 0 {
		return fmt.Errorf("column %s is missing", columns[0])
	}
	values := make([]string, len(columns))
	for n := 1; ; n++ {
		record, err := c.Read()
		if err == io.EOF && in.N > 0 {
			return nil
		}
		if err != nil && err != io.EOF {
			return fmt.Errorf("row %d: %w", n, err)
		}
		if n > maxRows || in.N <= 0 {
			return fmt.Errorf("%w: more than %d rows or %d bytes", bounded.ErrTooLarge, maxRows, maxTable)
		}
		for k, j := range at {
			values[k] = ""
			if j >= 0 && j < len(record) {
				values[k] = strings.TrimSpace(record[j])
			}
		}
		if err := row(values); err != nil {
			return fmt.Errorf("row %d: %w", n, err)
		}
	}
}

func (s *Static) agency(v []string) error {
	zone, err := time.LoadLocation(v[0])
	if err != nil || v[0] == "" {
		return fmt.Errorf("agency_timezone %.40q is not known", v[0])
	}
	s.zone = zone
	return nil
}

// stop keeps a stop; one whose position cannot be one is kept without.
func (s *Static) stop(v []string) error {
	out := stop{name: strings.Clone(fields.Cut(v[1], maxID)), parent: strings.Clone(v[4])}
	lat, err1 := strconv.ParseFloat(v[2], 64)
	lng, err2 := strconv.ParseFloat(v[3], 64)
	if p := (geo.Position{Lat: lat, Lng: lng}); err1 == nil && err2 == nil && fields.Position(p) == nil {
		out.at, out.placed = p, true
	}
	s.stops[strings.Clone(v[0])] = out
	return nil
}

func (s *Static) route(v []string) error {
	n, err := strconv.Atoi(v[1])
	if err != nil {
		return fmt.Errorf("route_type %.40q is not a number", v[1])
	}
	if kind := kindOf(n); kind != "" {
		s.kinds[strings.Clone(v[0])] = kind
	}
	return nil
}

// kindOf is a kind by route_type (GTFS Schedule, routes.txt, and the extended types).
func kindOf(n int) string {
	switch {
	case n == 0 || n == 5 || n >= 900 && n < 1000:
		return "tram"
	case n == 1 || n == 12 || n >= 400 && n < 500:
		return "metro"
	case n == 2 || n >= 100 && n < 200:
		return "train"
	case n == 3 || n == 11 || n >= 200 && n < 300 || n >= 700 && n < 900:
		return "bus"
	case n == 4 || n >= 1000 && n < 1100 || n >= 1200 && n < 1300:
		return "ship"
	case n == 6 || n >= 1300 && n < 1400:
		return "cable_car"
	case n == 7 || n >= 1400 && n < 1500:
		return "funicular"
	case n >= 1100 && n < 1200:
		return "aircraft"
	}
	return ""
}

func (s *Static) trip(v []string) error {
	s.routes[strings.Clone(v[0])] = strings.Clone(v[1])
	return nil
}

func (s *Static) call(v []string) error {
	sequence, err := strconv.ParseUint(v[2], 10, 32)
	if err != nil {
		return fmt.Errorf("stop_sequence %.40q is not a whole number", v[2])
	}
	out := call{sequence: uint32(sequence), stop: strings.Clone(v[1])}
	if out.arrival, err = clock(v[3]); err == nil {
		out.departure, err = clock(v[4])
	}
	if err != nil {
		return err
	}
	s.calls[v[0]] = append(s.calls[v[0]], out)
	return nil
}

// clock reads H:MM:SS, whose hours may pass 24; -1 where it is empty, as between timepoints.
func clock(s string) (int32, error) {
	if s == "" {
		return -1, nil
	}
	parts := strings.Split(s, ":")
	total := 0
	for _, p := range parts {
		n, err := strconv.Atoi(p)
		if err != nil || n < 0 || n > 999 {
			parts = nil
			break
		}
		total = total*60 + n
	}
	if len(parts) != 3 {
		return 0, fmt.Errorf("time %.20q is not H:MM:SS", s)
	}
	return int32(total), nil
}

// place gives a stop's position, or its station's.
func (s *Static) place(id string) (at stop, ok bool) {
	if s == nil || id == "" {
		return stop{}, false
	}
	at, ok = s.stops[id]
	if parent, has := s.stops[at.parent]; ok && !at.placed && has {
		at.at, at.placed = parent.at, parent.placed
	}
	return at, ok && at.placed
}

// kind of a trip's vehicles, empty where it is not known.
func (s *Static) kind(trip, route string) string {
	if s == nil {
		return ""
	}
	if route == "" {
		route = s.routes[trip]
	}
	return s.kinds[route]
}

// farthest is how late a trip without a start date may be, so that its day can be told.
const farthest = 12 * 3600

// delay of an event at a stop against the timetable, in seconds. The stop is told by its sequence, else by its id where the trip calls there
// once. Without a start date it is the day on which the trip is nearest to its time.
func (s *Static) delay(trip, date string, sequence *uint32, id string, arrival bool, at int64) (int32, bool) {
	if s == nil {
		return 0, false
	}
	var found *call
	for k := range s.calls[trip] {
		c := &s.calls[trip][k]
		switch {
		case sequence != nil && c.sequence == *sequence && (id == "" || c.stop == id):
			found = c
		case sequence != nil || c.stop != id:
		case found != nil:
			return 0, false
		default:
			found = c
		}
	}
	if found == nil {
		return 0, false
	}
	due := found.departure
	if arrival {
		due = found.arrival
	}
	if due < 0 {
		return 0, false
	}
	if date != "" {
		day, err := time.ParseInLocation("20060102", date, s.zone)
		if err != nil {
			return 0, false
		}
		d := at - start(day) - int64(due)
		return int32(d), d >= -maxDelay && d <= maxDelay
	}
	best := int64(farthest + 1)
	for k := -2; k <= 1; k++ { // a trip of yesterday may call at 25:10:00, one of the day before at 49:00:00
		day := time.Unix(at, 0).In(s.zone).AddDate(0, 0, k)
		if d := at - start(day) - int64(due); max(d, -d) < max(best, -best) {
			best = d
		}
	}
	return int32(best), max(best, -best) <= farthest
}

// start of a service day: noon less twelve hours, which is not midnight when clocks change (GTFS Schedule, Time).
func start(day time.Time) int64 {
	return time.Date(day.Year(), day.Month(), day.Day(), 12, 0, 0, 0, day.Location()).Unix() - 12*3600
}
