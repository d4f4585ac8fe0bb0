package load

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"kentongan/geo/moment"
	"kentongan/server/wire/live"
)

// mostSlots bounds what a viewer remembers, whatever a server sends.
const mostSlots = 1 << 24

// takeBinary reads a message of the binary form. Viewers that are not measured look only at its type and at cases.
func (v *viewer) takeBinary(b []byte, now time.Time) {
	kind, _, n := protowire.ConsumeTag(b)
	if n < 0 {
		return
	}
	const snapshot, things, cells, change = 2, 3, 4, 5
	switch kind {
	case snapshot:
		v.answered(now)
	case change:
		v.incident(b, now)
	}
	if !v.measured || kind != snapshot && kind != things && kind != cells {
		return
	}
	var m live.ServerMessage
	if err := proto.Unmarshal(b, &m); err != nil {
		v.r.fault(err)
		return
	}
	counts := v.r.beganMS.Load() > 0
	for _, f := range append(m.GetThings().GetFrames(), m.GetSnapshot().GetThings()...) {
		if counts {
			v.r.rows.Add(int64(len(f.Slot) / 4))
		}
		for i := 0; i+4 <= len(f.Slot) && i+4 <= len(f.Ago); i += 4 {
			slot, ago := binary.LittleEndian.Uint32(f.Slot[i:]), binary.LittleEndian.Uint32(f.Ago[i:])
			if slot >= mostSlots {
				continue
			}
			for int(slot) >= len(v.at) {
				v.at = append(v.at, make([]int64, max(1024, len(v.at)))...)
			}
			if kind == snapshot { // what stood before is no news
				v.at[slot] = max(v.at[slot], f.BaseMs-int64(ago))
				continue
			}
			v.told(&v.at[slot], f.BaseMs-int64(ago), now)
		}
	}
	for _, f := range append(m.GetCells().GetFrames(), m.GetSnapshot().GetCells()...) {
		if counts {
			v.r.rows.Add(int64(len(f.Slot) / 4))
		}
	}
}

// takeJSON is the same for the JSON form.
func (v *viewer) takeJSON(b []byte, now time.Time) {
	snapshot := bytes.HasPrefix(b, []byte(`{"type":"snapshot"`))
	if snapshot {
		v.answered(now)
	} else if bytes.HasPrefix(b, []byte(`{"type":"incident"`)) {
		v.incident(b, now)
	}
	if !v.measured || !snapshot && !bytes.HasPrefix(b, []byte(`{"type":"things"`)) && !bytes.HasPrefix(b, []byte(`{"type":"cells"`)) {
		return
	}
	var m struct {
		Things []struct {
			ID string      `json:"id"`
			At moment.Time `json:"at"`
		} `json:"things"`
		Cells []struct{} `json:"cells"`
	}
	if err := json.Unmarshal(b, &m); err != nil {
		v.r.fault(err)
		return
	}
	if v.r.beganMS.Load() > 0 {
		v.r.rows.Add(int64(len(m.Things) + len(m.Cells)))
	}
	for _, t := range m.Things {
		last := v.byID[t.ID]
		if snapshot {
			v.byID[t.ID] = max(last, t.At.Milli())
			continue
		}
		v.told(&last, t.At.Milli(), now)
		v.byID[t.ID] = last
	}
}
