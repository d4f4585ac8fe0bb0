package hub

import (
	"encoding/json"

	"github.com/gorilla/websocket"

	"kentongan/geo/index"
	"kentongan/server/wire"
)

// form is how messages are written for one sort of client. Nothing else of the hub knows bytes. All but id and sorted append to b.
type form interface {
	id() int      // place in the caches of encoded rows, below forms
	opcode() int  // of the frames
	sorted() bool // rows stand in the order of ids
	rows(b []byte, nowMS int64, kind string, rows []wire.Row) []byte
	cellRows(b []byte, nowMS int64, layer string, rows []wire.CellRow) []byte
	things(b []byte, chunks [][]byte, removed []*index.Entry) []byte
	cells(b []byte, chunks [][]byte) []byte
	snapshot(b []byte, s wire.BinarySnapshot) ([]byte, error)
	change(b []byte, noun, cursor string, doc json.RawMessage) []byte
	control(b []byte, v any) ([]byte, error)
}

// forms counts the forms there are.
const forms = 2

// formOf gives the form that a client asked for.
func formOf(json bool) form {
	if json {
		return jsonForm{}
	}
	return binaryForm{}
}

type jsonForm struct{}

func (jsonForm) id() int      { return 0 }
func (jsonForm) opcode() int  { return websocket.TextMessage }
func (jsonForm) sorted() bool { return true }

func (jsonForm) rows(b []byte, _ int64, _ string, rows []wire.Row) []byte {
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.AppendThing(b, rows[i].Thing)
	}
	return b
}

func (jsonForm) cellRows(b []byte, _ int64, layer string, rows []wire.CellRow) []byte {
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = wire.AppendCell(b, layer, rows[i])
	}
	return b
}

func (jsonForm) things(b []byte, chunks [][]byte, removed []*index.Entry) []byte {
	ids := make([]string, len(removed))
	for i, e := range removed {
		ids[i] = e.ID
	}
	return wire.AppendThings(b, chunks, ids)
}

func (jsonForm) cells(b []byte, chunks [][]byte) []byte { return wire.AppendCells(b, chunks) }

func (jsonForm) snapshot(b []byte, s wire.BinarySnapshot) ([]byte, error) {
	return wire.AppendSnapshot(b, wire.RawSnapshot(s))
}

func (jsonForm) change(b []byte, noun, cursor string, doc json.RawMessage) []byte {
	return wire.AppendCase(b, noun, cursor, doc)
}

func (jsonForm) control(b []byte, v any) ([]byte, error) {
	j, err := json.Marshal(v)
	return append(b, j...), err
}

type binaryForm struct{}

func (binaryForm) id() int      { return 1 }
func (binaryForm) opcode() int  { return websocket.BinaryMessage }
func (binaryForm) sorted() bool { return false }

func (binaryForm) rows(b []byte, nowMS int64, kind string, rows []wire.Row) []byte {
	return wire.AppendThingFrame(b, nowMS, kind, rows)
}

func (binaryForm) cellRows(b []byte, nowMS int64, layer string, rows []wire.CellRow) []byte {
	return wire.AppendCellFrame(b, nowMS, layer, rows)
}

func (binaryForm) things(b []byte, chunks [][]byte, removed []*index.Entry) []byte {
	slots := make([]uint32, len(removed))
	for i, e := range removed {
		slots[i] = e.Slot
	}
	return wire.AppendThingsMessage(b, chunks, slots)
}

func (binaryForm) cells(b []byte, chunks [][]byte) []byte { return wire.AppendCellsMessage(b, chunks) }

func (binaryForm) snapshot(b []byte, s wire.BinarySnapshot) ([]byte, error) {
	return wire.AppendBinarySnapshot(b, s)
}

func (binaryForm) change(b []byte, noun, cursor string, doc json.RawMessage) []byte {
	return wire.AppendBinaryCase(b, noun, cursor, doc)
}

func (binaryForm) control(b []byte, v any) ([]byte, error) { return wire.AppendBinaryControl(b, v) }
