package contract

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// What a finding is about; the words are stable, screens and outside systems read them.
const (
	Unit     = "unit"     // another unit is told
	Type     = "type"     // numbers became text, or text numbers
	Renamed  = "renamed"  // a property that was always there is gone, and a new one has come
	Absent   = "absent"   // a property that was always there is missing
	Scale    = "scale"    // values of independent Things jump together by one factor
	Range    = "range"    // values that cannot be, or lie outside what is declared
	Swapped  = "swapped"  // latitude and longitude are exchanged
	Place    = "place"    // records lie elsewhere
	Unplaced = "unplaced" // records have lost their place
	Future   = "future"   // times lie ahead
	Times    = "times"    // all times are one, or stand still
	Collapse = "collapse" // far less comes than usual
	Burst    = "burst"    // far more comes than usual
	Refused  = "refused"  // items are refused for one reason
	Ignored  = "ignored"  // items that were records are passed over
)

// Finding is one line of a verdict's diff.
type Finding struct {
	Field    string    `json:"field"` // "water_level.unit", "position", "at", "items"
	Was      string    `json:"was"`
	Now      string    `json:"now"`
	What     string    `json:"what"`
	TextID   string    `json:"text_id"`
	TextEN   string    `json:"text_en"`
	Share    float64   `json:"share"` // of what is compared: readings, messages, records or items
	Examples []Example `json:"examples"`
	Kind     string    `json:"kind"`     // of the Things, "alert" or "report"; empty: the whole delivery
	Declared bool      `json:"declared"` // against what is declared, not what was learned

	prop  string
	holds bool // what is there is wrong; false: what is there is right, and something is missing
	to    string
}

// Example is one record of the delivery at fault. Index counts items from 0.
type Example struct {
	Index int    `json:"index"`
	Thing string `json:"thing"`
	Value string `json:"value"`
}

// key is the same for findings that are of one cause.
func (f *Finding) key() string { return f.Kind + "|" + f.Field + "|" + f.What + "|" + f.to }

// readings and positions tell whether a finding lets these be held back; alerts and reports never are.
func (f *Finding) readings() bool {
	return f.holds && f.Kind != alertKind && f.Kind != reportKind && !strings.HasPrefix(f.Kind, positionKind)
}

func (f *Finding) positions() bool {
	return f.holds && (f.Kind == "" || strings.HasPrefix(f.Kind, positionKind))
}

// figure writes a number as people read it.
func figure(v float64) string {
	switch a := math.Abs(v); {
	case a == 0:
		return "0"
	case a >= 1e6 || a < 1e-4:
		return strconv.FormatFloat(v, 'g', 3, 64)
	case a >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strings.TrimRight(strings.TrimRight(strconv.FormatFloat(v, 'f', 4, 64)[:min(7, len(strconv.FormatFloat(v, 'f', 4, 64)))], "0"), ".")
}

func percent(share float64) string { return strconv.Itoa(int(math.Round(100*share))) + "%" }

func unitName(u, none string) string {
	if u == "" {
		return none
	}
	return u
}

// say writes a finding's two texts.
func (f *Finding) say() {
	field, _, _ := strings.Cut(f.Field, ".")
	id, en := "", ""
	switch f.What {
	case Unit:
		id = fmt.Sprintf("satuan %s: %s menjadi %s", field, unitName(f.Was, "tanpa satuan"), unitName(f.Now, "tanpa satuan"))
		en = fmt.Sprintf("unit of %s: %s became %s", field, unitName(f.Was, "none"), unitName(f.Now, "none"))
	case Type:
		id, en = fmt.Sprintf("jenis nilai %s: %s menjadi %s", field, typeID[f.Was], typeID[f.Now]), fmt.Sprintf("type of %s: %s became %s", field, f.Was, f.Now)
	case Renamed:
		id, en = fmt.Sprintf("%s hilang, %s muncul: tampaknya berganti nama", f.Was, f.Now), fmt.Sprintf("%s is gone and %s has come: it looks renamed", f.Was, f.Now)
	case Absent:
		id, en = fmt.Sprintf("%s ada pada %s, biasanya paling sedikit %s", field, f.Now, f.Was), fmt.Sprintf("%s is in %s, usually at least %s", field, f.Now, f.Was)
	case Scale:
		id, en = fmt.Sprintf("%s: nilai banyak alat melompat bersama, %s kali (%s menjadi %s)", field, f.to, f.Was, f.Now), fmt.Sprintf("%s: values of many Things jump together, by %s (%s became %s)", field, f.to, f.Was, f.Now)
	case Range:
		id, en = fmt.Sprintf("%s: %s di luar %s", field, f.Now, f.Was), fmt.Sprintf("%s: %s is outside %s", field, f.Now, f.Was)
	case Swapped:
		id, en = "lintang dan bujur tertukar: "+f.Now+", biasanya "+f.Was, "latitude and longitude are swapped: "+f.Now+", usually "+f.Was
	case Place:
		id, en = "letak: "+f.Now+", di luar "+f.Was, "place: "+f.Now+", outside "+f.Was
	case Unplaced:
		id, en = fmt.Sprintf("%s memiliki letak, biasanya paling sedikit %s", f.Now, f.Was), fmt.Sprintf("%s have a place, usually at least %s", f.Now, f.Was)
	case Future:
		id, en = "waktu di depan jam kami: "+percent(f.Share)+" catatan, sampai "+f.Now, "times are ahead of our clock: "+percent(f.Share)+" of the records, up to "+f.Now
	case Times:
		id, en = "semua waktu sama atau tidak bergerak: "+f.Now, "all times are one, or do not move: "+f.Now
	case Collapse:
		id, en = fmt.Sprintf("hanya %s catatan, biasanya paling sedikit %s", f.Now, f.Was), fmt.Sprintf("only %s records, usually at least %s", f.Now, f.Was)
	case Burst:
		id, en = fmt.Sprintf("%s catatan, biasanya paling banyak %s", f.Now, f.Was), fmt.Sprintf("%s records, usually at most %s", f.Now, f.Was)
	case Ignored:
		id, en = fmt.Sprintf("%s dilewati, biasanya paling banyak %s", f.Now, f.Was), fmt.Sprintf("%s are passed over, usually at most %s", f.Now, f.Was)
	case Refused:
		id, en = fmt.Sprintf("%s ditolak dengan satu alasan: %s", percent(f.Share), f.Now), fmt.Sprintf("%s refused for one reason: %s", percent(f.Share), f.Now)
	}
	if f.Declared {
		id, en = id+" (menurut kontrak yang ditulis)", en+" (by the declared contract)"
	}
	f.TextID, f.TextEN = id, en
}

var typeID = map[string]string{"number": "angka", "text": "teks", "bool": "ya/tidak"}

// mostExamples of one finding.
const mostExamples = 3

// exemplify finds records of the batch that show a finding.
func (f *Finding) exemplify(b *feeds.Batch, k known, now moment.Time) {
	f.Examples = []Example{}
	add := func(index int, thing, value string) bool {
		f.Examples = append(f.Examples, Example{index, thing, value})
		return len(f.Examples) >= mostExamples
	}
	if f.What == Refused {
		for _, r := range b.Rejected {
			if add(r.Index, "", r.Reason) {
				return
			}
		}
		return
	}
	if f.What == Ignored {
		for _, r := range b.Ignored {
			if add(r.Index, "", r.Reason) {
				return
			}
		}
		return
	}
	for i := range b.Observations {
		o := &b.Observations[i]
		if f.Kind != "" && f.Kind != o.Kind {
			continue
		}
		if v, ok := f.shows(o, k, now); ok && add(o.Index, o.Thing, v) {
			return
		}
	}
	for i := range b.Positions {
		p := &b.Positions[i]
		o := feeds.Observation{Index: p.Index, Thing: p.Unit, Property: "position", Position: p.Position, Placed: true, At: p.At}
		if v, ok := f.shows(&o, k, now); ok && f.positions() && add(p.Index, p.Unit, v) {
			return
		}
	}
}

// shows tells whether a record is an example, and its value.
func (f *Finding) shows(o *feeds.Observation, k known, now moment.Time) (value string, ok bool) {
	value = fmt.Sprint(o.Value.Any())
	if o.Unit != "" {
		value += " " + o.Unit
	}
	at := fmt.Sprintf("%.4f, %.4f", o.Position.Lat, o.Position.Lng)
	switch f.What {
	case Swapped, Place:
		out := k.bound
		if f.Declared {
			out = k.declared
		}
		return at, o.Placed && !out.holds(o.Position.Lat, o.Position.Lng, 0)
	case Unplaced:
		return value, !o.Placed
	case Future:
		return o.At.String(), o.At.Sub(now.Time) > feeds.ClockSkewLimit
	case Times:
		return o.At.String(), true
	case Unit:
		return value, o.Property == f.prop && o.Unit == f.Now
	case Type:
		return value, o.Property == f.prop && typeName(o.Value.Type) == f.Now
	case Renamed:
		return value, o.Property == f.Now
	case Absent:
		return value, o.Property != f.prop
	case Scale, Range:
		return value, o.Property == f.prop
	}
	return value, true
}

func typeName(t feeds.ValueType) string {
	switch t {
	case feeds.Text:
		return "text"
	case feeds.Bool:
		return "bool"
	}
	return "number"
}

// String writes a box as a person reads it.
func (b box) String() string {
	if !b.Any {
		return "-"
	}
	return fmt.Sprintf("%.3f..%.3f, %.3f..%.3f", b.South, b.North, b.West, b.East)
}

func boxOf(b geo.Bound) box { return box{b.South, b.North, b.West, b.East, true} }
