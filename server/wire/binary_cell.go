package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// CellRow is the aggregate of one layer in one cell, as both forms write it.
type CellRow struct {
	Slot       uint32 // the hub's number of the cell
	Cell       geo.Cell
	Count      int     // 0: empty now, to be dropped
	Value      float64 // NaN: none
	Severity   string  // of CAP; "" none
	ObservedAt moment.Time
	StaleAfter moment.Time // zero: not known
	Observers  []string    // feeds
	Unobserved bool
	Outline    bool // binary only: write where it lies
}

// Severities are written as their place in this list.
var severities = [...]string{"", string(cap.Extreme), string(cap.Severe), string(cap.Moderate), string(cap.Minor), string(cap.Unknown)}

// AppendCellFrame writes cells of one layer as one field of Cells or of Snapshot, tag and length included.
func AppendCellFrame(b []byte, baseMS int64, layer string, rows []CellRow) []byte {
	b, at := open(b, 2)
	b = appendText(b, 1, layer)
	for i := range rows {
		baseMS = max(baseMS, rows[i].ObservedAt.Milli())
	}
	b = appendInt(b, 2, baseMS)
	for i := range rows {
		if rows[i].Outline {
			b = appendOutline(b, &rows[i])
		}
	}
	var room [8][]string
	sets := room[:0]
	b = column4(b, 5, rows, func(r *CellRow) uint32 { return r.Slot })
	b = column4(b, 6, rows, func(r *CellRow) uint32 { return uint32(r.Count) })
	b = column(b, 7, 8*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(rows[i].Value))
	}
	b = column(b, 8, len(rows))
	for i := range rows {
		b = append(b, byte(max(slices.Index(severities[:], rows[i].Severity), 0)))
	}
	b = column4(b, 9, rows, func(r *CellRow) uint32 { return ago(baseMS, r.ObservedAt.Milli()) })
	b = column4(b, 10, rows, func(r *CellRow) uint32 { return uint32(staleIn(baseMS, r.StaleAfter)) })
	b = column(b, 11, len(rows))
	for i := range rows {
		one := byte(0)
		if rows[i].Unobserved {
			one = 1
		}
		b = append(b, one)
	}
	b = column(b, 12, 2*len(rows))
	for i := range rows {
		n := slices.IndexFunc(sets, func(s []string) bool { return slices.Equal(s, rows[i].Observers) })
		if n < 0 {
			n = len(sets)
			sets = append(sets, rows[i].Observers)
		}
		b = binary.LittleEndian.AppendUint16(b, uint16(n))
	}
	for _, s := range sets {
		var in int
		b, in = open(b, 4)
		for _, f := range s {
			b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), f)
		}
		b = shut(b, in)
	}
	return shut(b, at)
}

func column4(b []byte, field protowire.Number, rows []CellRow, of func(*CellRow) uint32) []byte {
	b = column(b, field, 4*len(rows))
	for i := range rows {
		b = binary.LittleEndian.AppendUint32(b, of(&rows[i]))
	}
	return b
}

func staleIn(baseMS int64, at moment.Time) int32 {
	if at.IsZero() {
		return unknownIn
	}
	return int32(min(max(at.Milli()-baseMS, math.MinInt32), unknownIn-1))
}

func appendOutline(b []byte, r *CellRow) []byte {
	b, at := open(b, 3)
	b = appendInt(b, 1, int64(r.Slot))
	b = appendText(b, 2, r.Cell.String())
	ring := r.Cell.Boundary()
	b = column(b, 3, 8*len(ring))
	for _, p := range ring {
		b = binary.LittleEndian.AppendUint32(b, uint32(micro(true, p.Lng)))
		b = binary.LittleEndian.AppendUint32(b, uint32(micro(true, p.Lat)))
	}
	b = appendInt(b, 4, int64(r.Cell.Resolution()))
	return shut(b, at)
}

// AppendCellsMessage writes a whole cells message around frames.
func AppendCellsMessage(b []byte, chunks [][]byte) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, inCells, protowire.BytesType), uint64(total(chunks)))
	return join(b, chunks)
}

// AppendCell writes one row of the JSON form, as json.Marshal writes CellOf(layer, r).
func AppendCell(b []byte, layer string, r CellRow) []byte {
	b = append(b, `{"cell":"`...)
	if r.Cell != 0 {
		b = strconv.AppendUint(b, uint64(r.Cell), 16)
	}
	b = appendString(append(b, `","layer":`...), layer)
	b = strconv.AppendInt(append(b, `,"count":`...), int64(r.Count), 10)
	b = appendFloat(append(b, `,"value":`...), r.Value)
	b = appendString(append(b, `,"severity":`...), r.Severity)
	b = appendMoment(append(b, `,"observed_at":`...), r.ObservedAt)
	b = appendMoment(append(b, `,"stale_after":`...), r.StaleAfter)
	b = append(b, `,"observers":[`...)
	for i, o := range r.Observers {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, o)
	}
	return append(strconv.AppendBool(append(b, `],"unobserved":`...), r.Unobserved), '}')
}

// AppendCells writes a cells message around chunks of rows, each chunk one or more rows parted by commas.
func AppendCells(b []byte, chunks [][]byte) []byte {
	return append(appendChunks(append(b, `{"type":"cells","cells":[`...), chunks), `]}`...)
}

// CellOf gives a row as a type; AppendCell writes the same bytes faster.
func CellOf(layer string, r CellRow) Cell {
	c := Cell{Cell: r.Cell, Layer: layer, Count: r.Count, Severity: r.Severity, ObservedAt: r.ObservedAt, StaleAfter: r.StaleAfter,
		Observers: r.Observers, Unobserved: r.Unobserved}
	if c.Observers == nil {
		c.Observers = []string{}
	}
	if !math.IsNaN(r.Value) && !math.IsInf(r.Value, 0) {
		v := r.Value
		c.Value = &v
	}
	return c
}
