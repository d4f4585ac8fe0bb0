package wire

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/feeds"
)

// The binary form (server/wire/proto) is written by hand: a frame once per cell and tick, a client's message by putting frames together.
// server/wire/live holds the same schema as generated types; a test reads with them all that is written here.

// Field numbers of ServerMessage.
const (
	inHello, inSnapshot, inThings, inCells, inCase = 1, 2, 3, 4, 5
	inFeeds, inStats, inError, inPong, inWall      = 6, 7, 8, 9, 10
)

// Row is one Thing of a frame.
type Row struct {
	Slot  uint32
	Thing *feeds.Thing
	// Announce writes its static attributes: it is new to those who read the frame.
	Announce bool
	// Values writes all its state in columns (snapshot, new, entered, changed); false: its place, heading, speed and time only.
	Values bool
}

// The words for "not known" in columns.
const (
	unplaced   = math.MinInt32
	unknown16  = 0xffff
	neverAgo   = 0xffffffff
	longestAgo = 0xfffffffe
	unknownIn  = math.MaxInt32
)

// Qualities are written as their place in this list.
var qualities = [...]feeds.Quality{feeds.Good, feeds.Received, feeds.ClockSkew, feeds.Suspect}

// AppendThingFrame writes Things of one kind as one field of Things or of Snapshot, tag and length included, so that frames can be put
// together as they are. baseMS is the server's time, milliseconds since 1970; all rows are of the kind; their order is kept. Heading and
// speed are the Thing's properties of these names (Motion).
func AppendThingFrame(b []byte, baseMS int64, kind string, rows []Row) []byte {
	b, at := open(b, 1)
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), kind)
	for _, r := range rows {
		baseMS = max(baseMS, r.Thing.At.Milli()) // a word may be dated a little ahead; no age is negative
	}
	b = appendInt(b, 2, baseMS)
	values := false
	for i := range rows {
		values = values || rows[i].Values
		if rows[i].Announce {
			b = appendAnnouncement(b, &rows[i])
		}
	}
	b = appendMotion(b, baseMS, rows)
	if values {
		b = appendColumns(b, baseMS, rows)
	}
	return shut(b, at)
}

func appendAnnouncement(b []byte, r *Row) []byte {
	t := r.Thing
	b, at := open(b, 3)
	b = appendInt(b, 1, int64(r.Slot))
	b = appendText(b, 2, t.ID)
	b = appendText(b, 3, t.Feed)
	b = appendText(b, 4, t.Name)
	b = appendText(b, 5, t.Attribution)
	if t.Simulated {
		b = appendInt(b, 6, 1)
	}
	b = appendInt(b, 7, StaleMS(t))
	return shut(b, at)
}

// StaleMS is how long a Thing's word holds from its event time, in milliseconds, as announcements say it; 0: not known.
func StaleMS(t *feeds.Thing) int64 {
	if t.At.IsZero() || t.StaleAfter.IsZero() {
		return 0
	}
	return min(max(t.StaleAfter.Milli()-t.At.Milli(), 1), math.MaxUint32)
}

// appendMotion writes the columns that every row has.
func appendMotion(b []byte, baseMS int64, rows []Row) []byte {
	b = column(b, 4, 4*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, rows[i].Slot)
	}
	b = column(b, 5, 4*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, uint32(micro(rows[i].Thing.Placed, rows[i].Thing.Position.Lng)))
	}
	b = column(b, 6, 4*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, uint32(micro(rows[i].Thing.Placed, rows[i].Thing.Position.Lat)))
	}
	b = motion(b, 7, rows, headingOf)
	b = motion(b, 8, rows, speedOf)
	b = column(b, 9, 4*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, ago(baseMS, rows[i].Thing.At.Milli()))
	}
	return b
}

// motion writes one u16 column, or nothing where no row knows it.
func motion(b []byte, field protowire.Number, rows []Row, of func(*feeds.Thing) uint16) []byte {
	start, any := len(b), false
	b = column(b, field, 2*len(rows))
	for i := range rows {
		v := of(rows[i].Thing)
		any = any || v != unknown16
		b = binary.LittleEndian.AppendUint16(b, v)
	}
	if !any {
		return b[:start]
	}
	return b
}

// Motion tells whether a property travels with a Thing's place: a reading of heading or speed that its column can hold. It then stands
// in no column of its own.
func Motion(property string, r feeds.Reading) bool {
	switch property {
	case "heading":
		return r.Quality == feeds.Good && heading(r) != unknown16
	case "speed":
		return r.Quality == feeds.Good && speed(r) != unknown16
	}
	return false
}

func headingOf(t *feeds.Thing) uint16 {
	if r, ok := t.State["heading"]; ok {
		return heading(r)
	}
	return unknown16
}

func speedOf(t *feeds.Thing) uint16 {
	if r, ok := t.State["speed"]; ok {
		return speed(r)
	}
	return unknown16
}

// heading in 0.01 degrees clockwise from north.
func heading(r feeds.Reading) uint16 {
	v := r.Value.Num
	if r.Value.Type != feeds.Number || !(math.Abs(v) <= 720) {
		return unknown16
	}
	h := math.Round(math.Mod(v, 360) * 100)
	if h < 0 {
		h += 36000
	}
	if h >= 36000 {
		h = 0
	}
	return uint16(h)
}

// speed in cm/s; of the units that feeds use, by UCUM.
func speed(r feeds.Reading) uint16 {
	if r.Value.Type != feeds.Number {
		return unknown16
	}
	v := r.Value.Num
	switch r.Unit {
	case "m/s", "":
		v *= 100
	case "km/h":
		v *= 100 / 3.6
	case "[kn_i]":
		v *= 100 * 1852.0 / 3600
	default:
		return unknown16
	}
	if !(v >= 0 && v <= unknown16-1) {
		return unknown16
	}
	return uint16(math.Round(v))
}

func micro(known bool, degrees float64) int32 {
	if !known || math.IsNaN(degrees) {
		return unplaced
	}
	return int32(math.Round(degrees * 1e6))
}

func ago(baseMS, at int64) uint32 {
	if at == 0 {
		return neverAgo
	}
	return uint32(min(max(baseMS-at, 0), longestAgo))
}

// AppendThingsMessage writes a whole things message around frames. Readers take removed slots away before they read the frames.
func AppendThingsMessage(b []byte, chunks [][]byte, removed []uint32) []byte {
	n := total(chunks)
	if len(removed) > 0 {
		n += columnSize(2, 4*len(removed))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, inThings, protowire.BytesType), uint64(n))
	if len(removed) > 0 {
		b = column(b, 2, 4*len(removed))
		for _, s := range removed {
			b = binary.LittleEndian.AppendUint32(b, s)
		}
	}
	return join(b, chunks)
}

// BinarySnapshot is Snapshot over encoded frames and JSON documents.
type BinarySnapshot struct {
	Documents
	Resumed       bool
	Cursor        string
	Things, Cells [][]byte // of AppendThingFrame and AppendCellFrame
	Feeds         []feeds.FeedStatus
}

// AppendBinarySnapshot writes a whole snapshot message.
func AppendBinarySnapshot(b []byte, s BinarySnapshot) ([]byte, error) {
	list := s.Feeds
	if list == nil {
		list = []feeds.FeedStatus{}
	}
	f, err := json.Marshal(list)
	if err != nil {
		return nil, fmt.Errorf("snapshot: feeds: %w", err)
	}
	b, at := open(b, inSnapshot)
	if s.Resumed {
		b = appendInt(b, 3, 1)
	}
	b = appendText(b, 4, s.Cursor)
	b = join(join(b, s.Things), s.Cells)
	b = appendEach(b, 5, s.Incidents)
	b = appendEach(b, 6, s.Alerts)
	b = appendEach(b, 7, s.Alarms)
	b = appendEach(b, 8, s.Reports)
	b = appendEach(b, 9, s.Dispatches)
	b = appendEach(b, 10, s.Units)
	b = protowire.AppendBytes(protowire.AppendTag(b, 11, protowire.BytesType), f)
	if s.ReportsCut {
		b = appendInt(b, 12, 1)
	}
	b = appendEach(b, 13, s.Suggestions)
	b = appendEach(b, 14, s.Plans)
	b = appendEach(b, 15, s.Statements)
	b = appendEach(b, 16, s.Statuses)
	return shut(b, at), nil
}

func appendEach(b []byte, field protowire.Number, docs []json.RawMessage) []byte {
	for _, d := range docs {
		b = protowire.AppendBytes(protowire.AppendTag(b, field, protowire.BytesType), d)
	}
	return b
}

// AppendBinaryCase writes a whole case message; the document travels as the JSON that the store keeps.
func AppendBinaryCase(b []byte, noun, cursor string, doc json.RawMessage) []byte {
	b, at := open(b, inCase)
	b = appendText(b, 1, noun)
	b = appendText(b, 2, cursor)
	b = protowire.AppendBytes(protowire.AppendTag(b, 3, protowire.BytesType), doc)
	return shut(b, at)
}

// AppendBinaryControl writes a Hello, Feed, Stats, WallMessage, Error or Pong; any other type is an error.
func AppendBinaryControl(b []byte, v any) ([]byte, error) {
	var at int
	switch m := v.(type) {
	case Hello:
		b, at = open(b, inHello)
		b = appendInt(b, 1, m.ServerTime.Milli())
		b = appendText(b, 2, m.Version)
		b = appendText(b, 3, m.Storage)
		for _, r := range m.Rights {
			b = protowire.AppendString(protowire.AppendTag(b, 4, protowire.BytesType), r)
		}
	case Feed:
		list := m.Feeds
		if list == nil {
			list = []feeds.FeedStatus{}
		}
		docs, err := json.Marshal(list)
		if err != nil {
			return nil, fmt.Errorf("feeds: %w", err)
		}
		b, at = open(b, inFeeds)
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), docs)
	case Stats:
		b, at = open(b, inStats)
		b = appendDouble(b, 1, m.LatencyMS.EventP50)
		b = appendDouble(b, 2, m.LatencyMS.EventP99)
		b = appendDouble(b, 3, m.LatencyMS.ReceiptP50)
		b = appendDouble(b, 4, m.LatencyMS.ReceiptP99)
	case WallMessage:
		doc, err := json.Marshal(m.Wall)
		if err != nil {
			return nil, fmt.Errorf("wall: %w", err)
		}
		b, at = open(b, inWall)
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), doc)
	case Error:
		b, at = open(b, inError)
		b = appendText(b, 1, m.Code)
		b = appendText(b, 2, m.Message)
	case Pong:
		b, at = open(b, inPong)
		b = appendInt(b, 1, m.ServerTime.Milli())
	default:
		return nil, fmt.Errorf("%T has no binary form", v)
	}
	return shut(b, at), nil
}
