// Package gbfs is shared bikes and scooters by GBFS 1 to 3: stations, free vehicles, system alerts, and the index of them.
//
// Each document of a system is read by what it holds. station_information places a station and gives its capacity, station_status its
// available, docks, disabled and so on, both as observations of one Thing; a free vehicle is a Thing as long as its id lasts, which
// changes after every trip; system_alerts gives Alerts. gbfs.json gives the addresses of those documents in Batch.Next: they hold
// state and are asked again each time. ttl says for how long a document holds. Other documents of GBFS are ignored. Times are last_reported; where it is missing the time
// is not known, for last_updated is when the document was made.
package gbfs

import (
	"errors"
	"fmt"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The kinds of Things; a vehicle is of the feed's kind where that is declared.
const (
	StationKind = "bike_station"
	VehicleKind = "shared_vehicle"
)

// The format's own limits: bytes of an id, a name and a text, vehicles at a station, metres of range.
const (
	maxID    = 200
	maxName  = 256
	maxText  = 16 << 10
	maxCount = 100_000
	maxRange = 10_000_000
)

// Format reads GBFS. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("gbfs", options)
}

// decoder reads one document.
type decoder struct {
	meta    feeds.Meta
	updated moment.Time // last_updated
	batch   feeds.Batch
	seen    map[string]int
	links   []link
}

// link is an address of the index and the rank of its document.
type link struct {
	rank    int
	address string
}

// Decode reads one document. One that is no GBFS is an error; a faulty station, vehicle, alert or link costs only itself.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	d := decoder{meta: meta, seen: map[string]int{}}
	if err := d.document(body); err != nil {
		return feeds.Batch{}, fmt.Errorf("gbfs: %w", err)
	}
	slices.SortStableFunc(d.links, func(a, b link) int { return a.rank - b.rank })
	for _, l := range d.links {
		d.batch.Next = append(d.batch.Next, l.address)
	}
	return d.batch, nil
}

func (d *decoder) document(body []byte) error {
	if err := bounded.JSONDocument(body); err != nil {
		return err
	}
	top, err := bounded.Members(body, 0)
	if err != nil {
		return err
	}
	at, ok := top["data"]
	ttl, lives := top["ttl"]
	updated, dated := top["last_updated"]
	if !ok || !lives || !dated || body[at.From] != '{' {
		return errors.New("the document is not GBFS: last_updated, ttl and data are not all there")
	}
	head, err := fields.Read([]byte(`{"last_updated":` + string(body[updated.From:updated.To]) + `}`))
	if err != nil {
		return fmt.Errorf("last_updated: %w", err)
	}
	if d.updated = when(head, "last_updated"); head.Fault() != nil {
		return head.Fault()
	}
	d.batch.TTL = lifetime(body[ttl.From:ttl.To])
	data, err := bounded.Members(body, at.From)
	if err != nil {
		return err
	}
	for _, list := range []struct {
		name     string
		snapshot bool // several documents make one state: only one that lists something can say that the rest has ended
		read     func(int, *fields.Object) (string, error)
	}{{"stations", true, d.station}, {"bikes", true, d.vehicle}, {"vehicles", true, d.vehicle}, {"alerts", false, d.alert}, {"feeds", true, d.link}} {
		if span, ok := data[list.name]; ok {
			n, err := d.list(body, span, list.read)
			d.batch.Snapshot = list.snapshot && n > 0
			d.batch.AllAlerts = list.name == "alerts" && n > 0 // one document holds them all; an empty one may be a lost one
			return err
		}
	}
	if span, ok := language(body, data); ok { // the index before version 3: {"en": {"feeds": […]}}
		n, err := d.list(body, span, d.link)
		d.batch.Snapshot = n > 0
		return err
	}
	d.batch.Ignored = []feeds.Refusal{{Reason: "a document of GBFS that holds no stations, vehicles, alerts or links"}}
	return nil
}

// lifetime reads ttl, seconds for which a document holds; what is no number says nothing.
func lifetime(raw []byte) time.Duration {
	s, err := strconv.ParseFloat(string(raw), 64)
	if err != nil || !(s > 0) {
		return 0
	}
	return time.Duration(min(s, 86400) * float64(time.Second))
}

// language finds the feeds of one language: Indonesian, English, else the first by name. All name the same system.
func language(body []byte, data map[string]bounded.Span) (bounded.Span, bool) {
	var names []string
	found := map[string]bounded.Span{}
	for name, span := range data {
		if body[span.From] != '{' {
			continue
		}
		in, err := bounded.Members(body, span.From)
		if list, ok := in["feeds"]; err == nil && ok && len(name) <= 35 {
			names = append(names, name)
			found[name] = list
		}
	}
	slices.Sort(names)
	for _, name := range append([]string{"id", "en"}, names...) {
		if span, ok := found[name]; ok {
			return span, true
		}
	}
	return bounded.Span{}, false
}

// list reads the items of one array.
func (d *decoder) list(body []byte, span bounded.Span, read func(int, *fields.Object) (string, error)) (int, error) {
	items, err := bounded.Elements(body, span.From)
	if err != nil {
		return 0, err
	}
	lines := &bounded.Lines{Body: body}
	for i, item := range items {
		line, _ := lines.At(item.From)
		pass, err := d.item(i, lines, item, read)
		if err != nil {
			d.batch.Rejected = append(d.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("item at line %d: %v", line, err)})
		} else if pass != "" {
			d.batch.Ignored = append(d.batch.Ignored, feeds.Refusal{Index: i, Reason: pass})
		}
	}
	return len(items), nil
}

func (d *decoder) item(i int, lines *bounded.Lines, item bounded.Span, read func(int, *fields.Object) (string, error)) (string, error) {
	if err := bounded.JSONItem(lines, item); err != nil {
		return "", err
	}
	o, err := fields.Read(lines.Body[item.From:item.To])
	if err != nil {
		return "", err
	}
	return read(i, o)
}

// when reads POSIX seconds (before version 3) or RFC 3339; zero where it is absent.
func when(o *fields.Object, name string) moment.Time {
	if raw := o.Raw(name); len(raw) > 0 && raw[0] == '"' {
		return o.Time(name)
	}
	return o.Seconds(name)
}

// flag reads true and false, and 1 and 0 of version 1.
func flag(o *fields.Object, name string) (on, given bool) {
	switch raw := string(o.Raw(name)); raw {
	case "":
		return false, false
	case "1":
		return true, true
	case "0":
		return false, true
	}
	return o.Bool(name), true
}

// words reads a text, or the localized texts of version 3, by language in their order.
func words(o *fields.Object, name string, most int) []text {
	if raw := o.Raw(name); len(raw) > 0 && raw[0] == '[' {
		var out []text
		for _, in := range o.Objects(name) {
			if s := in.Text("text", most); s != "" && len(out) < 16 {
				out = append(out, text{in.Text("language", 35), s})
			}
		}
		return out
	}
	if s := o.Text(name, most); s != "" {
		return []text{{"", s}}
	}
	return nil
}

type text struct{ language, text string }

func first(list []text) string {
	if len(list) == 0 {
		return ""
	}
	return list[0].text
}

// id reads what names a Thing, once per document.
func (d *decoder) id(i int, o *fields.Object, names ...string) string {
	for _, name := range names {
		if !o.Has(name) {
			continue
		}
		id := o.Label(name, maxID)
		if strings.IndexFunc(id, func(r rune) bool { return r < ' ' || r >= 0x7f && r < 0xa0 }) >= 0 {
			o.Fail("%s %.40q is not plain text", name, id)
		}
		if before, twice := d.seen[id]; twice {
			o.Fail("%s %q was given before, by item %d", name, id, before)
		}
		if id != "" {
			d.seen[id] = i
			return id
		}
	}
	o.Fail("%s is missing", names[0])
	return ""
}

// station reads station_information, which has the place, or station_status, which has the counts.
func (d *decoder) station(i int, o *fields.Object) (string, error) {
	base := feeds.Observation{Index: i, Thing: d.id(i, o, "station_id"), Kind: StationKind, Name: first(words(o, "name", maxName))}
	base.Position, base.Placed = o.Place("lat", "lon")
	var out []feeds.Observation
	count := func(property string, names ...string) {
		for _, name := range names {
			n := o.Between(name, 0, maxCount)
			if n == nil {
				continue
			}
			if *n != math.Trunc(*n) {
				o.Fail("%s %v is not a whole number", name, *n)
			}
			base.Property, base.Value = property, feeds.Value{Num: *n}
			out = append(out, base)
			return
		}
	}
	if base.Placed {
		base.At = d.updated
		if count("capacity", "capacity"); len(out) == 0 && o.Fault() == nil {
			d.batch.Positions = append(d.batch.Positions, feeds.UnitPosition{Index: i, Unit: base.Thing, Kind: base.Kind, Name: base.Name, At: base.At, Position: base.Position})
		}
	} else {
		base.At = when(o, "last_reported")
		count("available", "num_vehicles_available", "num_bikes_available")
		count("docks", "num_docks_available")
		count("disabled", "num_vehicles_disabled", "num_bikes_disabled")
		count("docks_disabled", "num_docks_disabled")
		for _, name := range []string{"installed", "renting", "returning"} {
			if on, given := flag(o, "is_"+name); given {
				base.Property, base.Value = name, truth(on)
				out = append(out, base)
			}
		}
		if len(out) == 0 {
			o.Fail("neither lat and lon nor counts are given")
		}
	}
	if err := o.Fault(); err != nil {
		return "", err
	}
	d.batch.Observations = append(d.batch.Observations, out...)
	return "", nil
}

func truth(on bool) feeds.Value {
	if on {
		return feeds.Value{Type: feeds.Bool, Num: 1}
	}
	return feeds.Value{Type: feeds.Bool}
}

// vehicle reads one of free_bike_status or, from version 3, vehicle_status. One that stands at a station has no place of its own and is
// counted there.
func (d *decoder) vehicle(i int, o *fields.Object) (string, error) {
	base := feeds.Observation{Index: i, Thing: d.id(i, o, "vehicle_id", "bike_id"), Kind: d.meta.Kind, At: when(o, "last_reported")}
	if base.Kind == "" {
		base.Kind = VehicleKind
	}
	base.Position, base.Placed = o.Place("lat", "lon")
	station := o.Label("station_id", maxID)
	reserved, _ := flag(o, "is_reserved")
	disabled, _ := flag(o, "is_disabled")
	base.Property, base.Value = "available", truth(!reserved && !disabled)
	out := []feeds.Observation{base}
	if disabled {
		base.Property, base.Value = "disabled", truth(true)
		out = append(out, base)
	}
	if n := o.Between("current_range_meters", 0, maxRange); n != nil {
		base.Property, base.Unit, base.Value = "range", "m", feeds.Value{Num: *n}
		out = append(out, base)
	}
	if n := o.Between("current_fuel_percent", 0, 1); n != nil {
		base.Property, base.Unit, base.Value = "charge", "%", feeds.Value{Num: math.Round(*n*1000) / 10}
		out = append(out, base)
	}
	switch err := o.Fault(); {
	case err != nil:
		return "", err
	case !base.Placed && station != "":
		return "a vehicle that stands at a station", nil
	case !base.Placed:
		return "", errors.New("lat and lon are missing")
	}
	d.batch.Observations = append(d.batch.Observations, out...)
	return "", nil
}

// read are the documents that are followed, in the order in which they are to be asked: a station's place before its counts.
var read = []string{"station_information", "station_status", "free_bike_status", "vehicle_status", "system_alerts"}

// link reads one entry of the index. A relative address is left for the transport to resolve.
func (d *decoder) link(_ int, o *fields.Object) (string, error) {
	name, address := o.Need("name", maxName), o.Need("url", 2048)
	if err := o.Fault(); err != nil {
		return "", err
	}
	if !slices.Contains(read, name) {
		return fmt.Sprintf("%.40s holds nothing that is read", name), nil
	}
	u, err := url.Parse(address)
	if err != nil || u.IsAbs() && u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		return "", fmt.Errorf("url of %s is not an http or https address", name)
	}
	if slices.ContainsFunc(d.links, func(l link) bool { return l.address == address }) {
		return "the address was given before", nil
	}
	d.links = append(d.links, link{slices.Index(read, name), address})
	return "", nil
}
