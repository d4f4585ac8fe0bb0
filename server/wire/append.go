package wire

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// AppendThing writes one row, as json.Marshal writes ThingOf(t). Properties stand in alphabetical order.
func AppendThing(b []byte, t *feeds.Thing) []byte {
	b = appendString(append(b, `{"id":`...), t.ID)
	b = appendString(append(b, `,"feed":`...), t.Feed)
	b = appendString(append(b, `,"kind":`...), t.Kind)
	b = appendString(append(b, `,"name":`...), t.Name)
	if t.Placed {
		b = appendFloat(append(b, `,"lng":`...), t.Position.Lng)
		b = appendFloat(append(b, `,"lat":`...), t.Position.Lat)
	} else {
		b = append(b, `,"lng":null,"lat":null`...)
	}
	b = append(b, `,"cell":"`...)
	if t.Cell != 0 {
		b = strconv.AppendUint(b, uint64(t.Cell), 16)
	}
	b = append(b, `","state":{`...)
	var room [16]string
	names := sortedKeys(room[:0], t.State)
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendString(b, name), ':')
		b = appendReading(b, t.State[name])
	}
	b = appendMoment(append(b, `},"at":`...), t.At)
	b = appendMoment(append(b, `,"stale_after":`...), t.StaleAfter)
	b = strconv.AppendBool(append(b, `,"simulated":`...), t.Simulated)
	b = appendString(append(b, `,"attribution":`...), t.Attribution)
	return append(b, '}')
}

// sortedKeys sorts by insertion: a Thing has a handful of properties, and no garbage is made for up to 16.
func sortedKeys(into []string, state map[string]feeds.Reading) []string {
	for k := range state {
		into = append(into, k)
		for i := len(into) - 1; i > 0 && into[i] < into[i-1]; i-- {
			into[i], into[i-1] = into[i-1], into[i]
		}
	}
	return into
}

func appendReading(b []byte, r feeds.Reading) []byte {
	b = appendValue(append(b, `{"value":`...), r.Value)
	b = appendString(append(b, `,"unit":`...), r.Unit)
	b = appendMoment(append(b, `,"at":`...), r.At)
	b = appendMoment(append(b, `,"received_at":`...), r.ReceivedAt)
	b = appendString(append(b, `,"quality":`...), string(r.Quality))
	return append(b, '}')
}

func appendValue(b []byte, v feeds.Value) []byte {
	switch v.Type {
	case feeds.Text:
		return appendString(b, v.Text)
	case feeds.Bool:
		return strconv.AppendBool(b, v.Num != 0)
	default:
		return appendFloat(b, v.Num)
	}
}

func appendMoment(b []byte, t moment.Time) []byte {
	if t.IsZero() {
		return append(b, "null"...)
	}
	return append(t.Append(append(b, '"')), '"')
}

// appendFloat writes a number as encoding/json does; what JSON has no word for (NaN, infinities) becomes null.
func appendFloat(b []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(b, "null"...)
	}
	abs := math.Abs(f)
	if abs != 0 && (abs < 1e-6 || abs >= 1e21) {
		b = strconv.AppendFloat(b, f, 'e', -1, 64)
		if n := len(b); n >= 4 && b[n-4] == 'e' && b[n-3] == '-' && b[n-2] == '0' { // e-09 to e-9
			b[n-2] = b[n-1]
			b = b[:n-1]
		}
		return b
	}
	return strconv.AppendFloat(b, f, 'f', -1, 64)
}

// appendString quotes plain ASCII in one pass and leaves all else to encoding/json.
func appendString(b []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if c := s[i]; c < ' ' || c >= utf8.RuneSelf || c == '"' || c == '\\' || c == '<' || c == '>' || c == '&' {
			q, err := json.Marshal(s)
			if err != nil {
				return append(b, `""`...)
			}
			return append(b, q...)
		}
	}
	return append(append(append(b, '"'), s...), '"')
}

// AppendThings writes a things message around chunks of rows, each chunk one or more rows parted by commas.
func AppendThings(b []byte, chunks [][]byte, removed []string) []byte {
	b = append(b, `{"type":"things","things":[`...)
	b = appendChunks(b, chunks)
	b = append(b, `],"removed":[`...)
	for i, id := range removed {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, id)
	}
	return append(b, `]}`...)
}

func appendChunks(b []byte, chunks [][]byte) []byte {
	for i, c := range chunks {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c...)
	}
	return b
}

// AppendCase writes a case message: the noun's name is the type and holds the document.
func AppendCase(b []byte, noun, cursor string, doc json.RawMessage) []byte {
	b = appendString(append(b, `{"type":`...), noun)
	b = appendString(append(b, `,"cursor":`...), cursor)
	b = append(appendString(append(b, ','), noun), ':')
	return append(append(b, doc...), '}')
}

// AppendSnapshot writes a snapshot around rows and documents that are JSON already.
func AppendSnapshot(b []byte, s RawSnapshot) ([]byte, error) {
	b = strconv.AppendBool(append(b, `{"type":"snapshot","resumed":`...), s.Resumed)
	b = appendString(append(b, `,"cursor":`...), s.Cursor)
	b = appendChunks(append(b, `,"things":[`...), s.Things)
	b = appendChunks(append(b, `],"cells":[`...), s.Cells)
	b = appendDocs(append(b, `],"incidents":[`...), s.Incidents)
	b = appendDocs(append(b, `],"alerts":[`...), s.Alerts)
	b = appendDocs(append(b, `],"alarms":[`...), s.Alarms)
	b = appendDocs(append(b, `],"reports":[`...), s.Reports)
	b = strconv.AppendBool(append(b, `],"reports_cut":`...), s.ReportsCut)
	b = appendDocs(append(b, `,"suggestions":[`...), s.Suggestions)
	b = appendDocs(append(b, `],"plans":[`...), s.Plans)
	b = appendDocs(append(b, `],"statements":[`...), s.Statements)
	b = appendDocs(append(b, `],"statuses":[`...), s.Statuses)
	b = appendDocs(append(b, `],"dispatches":[`...), s.Dispatches)
	b = appendDocs(append(b, `],"units":[`...), s.Units)
	b = append(b, `],"feeds":`...)
	list := s.Feeds
	if list == nil {
		list = []feeds.FeedStatus{}
	}
	f, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("snapshot: feeds: %w", err)
	}
	return append(append(b, f...), '}'), nil
}

func appendDocs(b []byte, docs []json.RawMessage) []byte {
	for i, d := range docs {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d...)
	}
	return b
}

// ThingOf gives the row of a Thing as a type; AppendThing writes the same bytes faster.
func ThingOf(t *feeds.Thing) Thing {
	row := Thing{ID: t.ID, Feed: t.Feed, Kind: t.Kind, Name: t.Name, Cell: t.Cell, State: make(map[string]Reading, len(t.State)),
		At: t.At, StaleAfter: t.StaleAfter, Simulated: t.Simulated, Attribution: t.Attribution}
	if t.Placed {
		lng, lat := t.Position.Lng, t.Position.Lat
		row.Lng, row.Lat = &lng, &lat
	}
	for k, r := range t.State {
		row.State[k] = Reading{r.Value.Any(), r.Unit, r.At, r.ReceivedAt, r.Quality}
	}
	return row
}
