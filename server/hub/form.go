package hub

import (
	"encoding/json"

	"github.com/gorilla/websocket"

	"kentongan/feeds"
	"kentongan/server/wire"
)

// form is how messages are written for one sort of client. JSON is the first; a further form is one more value here, and nothing else of
// the hub knows bytes.
type form interface {
	id() int          // place in the caches of encoded rows, below forms
	messageType() int // of gorilla
	row(b []byte, t *feeds.Thing) []byte
	things(b []byte, chunks [][]byte, removed []string) []byte
	snapshot(b []byte, s wire.RawSnapshot) ([]byte, error)
	change(b []byte, noun, cursor string, doc json.RawMessage) []byte
	control(v any) ([]byte, error)
}

// forms counts the forms there are.
const forms = 1

type jsonForm struct{}

func (jsonForm) id() int                             { return 0 }
func (jsonForm) messageType() int                    { return websocket.TextMessage }
func (jsonForm) row(b []byte, t *feeds.Thing) []byte { return wire.AppendThing(b, t) }
func (jsonForm) control(v any) ([]byte, error)       { return json.Marshal(v) }
func (jsonForm) things(b []byte, chunks [][]byte, removed []string) []byte {
	return wire.AppendThings(b, chunks, removed)
}
func (jsonForm) snapshot(b []byte, s wire.RawSnapshot) ([]byte, error) {
	return wire.AppendSnapshot(b, s)
}
func (jsonForm) change(b []byte, noun, cursor string, doc json.RawMessage) []byte {
	return wire.AppendCase(b, noun, cursor, doc)
}
