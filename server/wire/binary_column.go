package wire

import (
	"encoding/binary"
	"math"
	"sync"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/feeds"
)

// group is one Column that is being gathered.
type group struct {
	property, unit              string
	kind                        feeds.ValueType
	slots, values, agos, judged []byte
	texts                       []string
	bad                         bool // a reading is not good
}

// gathering is the columns of one frame; kept for the next one.
type gathering struct{ groups []group }

var gatherings = sync.Pool{New: func() any { return &gathering{} }}

// appendColumns writes the state of rows that ask for it, a Column for each property, unit and type of value.
func appendColumns(b []byte, baseMS int64, rows []Row) []byte {
	g := gatherings.Get().(*gathering)
	defer gatherings.Put(g)
	g.groups = g.groups[:0]
	var room [16]string
	for i := range rows {
		if !rows[i].Values {
			continue
		}
		for _, name := range sortedKeys(room[:0], rows[i].Thing.State) {
			r := rows[i].Thing.State[name]
			if !Motion(name, r) {
				g.add(name, rows[i].Slot, baseMS, r)
			}
		}
	}
	for i := range g.groups {
		b = appendGroup(b, &g.groups[i])
	}
	return b
}

func (g *gathering) add(property string, slot uint32, baseMS int64, r feeds.Reading) {
	c := g.find(property, r.Unit, r.Value.Type)
	c.slots = binary.LittleEndian.AppendUint32(c.slots, slot)
	c.agos = binary.LittleEndian.AppendUint32(c.agos, ago(baseMS, r.At.Milli()))
	judged := byte(0)
	for i, q := range qualities {
		if q == r.Quality {
			judged = byte(i)
		}
	}
	c.bad = c.bad || judged != 0
	c.judged = append(c.judged, judged)
	if r.Value.Type == feeds.Text {
		c.texts = append(c.texts, r.Value.Text)
		return
	}
	c.values = binary.LittleEndian.AppendUint64(c.values, math.Float64bits(r.Value.Num))
}

func (g *gathering) find(property, unit string, kind feeds.ValueType) *group {
	for i := range g.groups {
		if c := &g.groups[i]; c.property == property && c.unit == unit && c.kind == kind {
			return c
		}
	}
	if n := len(g.groups); n < cap(g.groups) {
		g.groups = g.groups[:n+1] // with the room of an earlier frame
	} else {
		g.groups = append(g.groups, group{})
	}
	c := &g.groups[len(g.groups)-1]
	clear(c.texts)
	*c = group{property: property, unit: unit, kind: kind, slots: c.slots[:0], values: c.values[:0], agos: c.agos[:0], judged: c.judged[:0], texts: c.texts[:0]}
	return c
}

func appendGroup(b []byte, c *group) []byte {
	b, at := open(b, 10)
	b = appendText(b, 1, c.property)
	b = appendText(b, 2, c.unit)
	b = append(column(b, 3, len(c.slots)), c.slots...)
	if c.kind != feeds.Text {
		b = append(column(b, 4, len(c.values)), c.values...)
	}
	b = append(column(b, 5, len(c.agos)), c.agos...)
	if c.bad {
		b = append(column(b, 6, len(c.judged)), c.judged...)
	}
	for _, t := range c.texts {
		b = protowire.AppendString(protowire.AppendTag(b, 7, protowire.BytesType), t)
	}
	if c.kind == feeds.Bool {
		b = appendInt(b, 8, 1)
	}
	return shut(b, at)
}
