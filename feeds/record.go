package feeds

import (
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/geo/moment"
)

// recordVersion of a Thing's record. Version n reads n-1; unknown fields are passed over.
const recordVersion = 1

// Field numbers of a Thing's record, and of a reading inside its state. They are never used again for something else.
const (
	thingVersion     = 1
	thingFeed        = 2
	thingName        = 3
	thingAt          = 4
	thingReceivedAt  = 5
	thingStaleAfter  = 6
	thingSimulated   = 7
	thingAttribution = 8
	thingState       = 9

	stateProperty   = 1
	stateNum        = 2
	stateText       = 3
	stateBool       = 4
	stateUnit       = 5
	stateAt         = 6
	stateReceivedAt = 7
	stateQuality    = 8
)

// AppendRecord appends the Thing as the store keeps it (protobuf). Id, kind and place are not in it: the index keeps them beside it.
func (t *Thing) AppendRecord(b []byte) []byte {
	b = AppendVarint(b, thingVersion, recordVersion)
	b = AppendText(b, thingFeed, t.Feed)
	b = AppendText(b, thingName, t.Name)
	b = AppendVarint(b, thingAt, t.At.Milli())
	b = AppendVarint(b, thingReceivedAt, t.ReceivedAt.Milli())
	b = AppendVarint(b, thingStaleAfter, t.StaleAfter.Milli())
	if t.Simulated {
		b = AppendVarint(b, thingSimulated, 1)
	}
	b = AppendText(b, thingAttribution, t.Attribution)
	var room [256]byte
	for name, r := range t.State {
		in := AppendText(room[:0], stateProperty, name)
		in = AppendValue(in, r.Value, stateNum, stateText, stateBool)
		in = AppendText(in, stateUnit, r.Unit)
		in = AppendVarint(in, stateAt, r.At.Milli())
		in = AppendVarint(in, stateReceivedAt, r.ReceivedAt.Milli())
		in = AppendText(in, stateQuality, string(r.Quality))
		b = protowire.AppendTag(b, thingState, protowire.BytesType)
		b = protowire.AppendBytes(b, in)
	}
	return b
}

// ReadRecord fills the Thing from what AppendRecord wrote. Id, kind and place stay as they are.
func (t *Thing) ReadRecord(b []byte) error {
	t.State = map[string]Reading{}
	return t.readRecord(b, func(part []byte) error {
		name, r, err := readReading(part)
		t.State[name] = r
		return err
	})
}

// readRecord fills all but the state, whose parts it hands over.
func (t *Thing) readRecord(b []byte, state func([]byte) error) error {
	return EachField(b, func(n protowire.Number, v Field) error {
		switch n {
		case thingVersion:
			if v.Int > recordVersion {
				return fmt.Errorf("record of version %d: this server reads up to %d", v.Int, recordVersion)
			}
		case thingFeed:
			t.Feed = internBytes(v.Bytes)
		case thingName:
			t.Name = string(v.Bytes)
		case thingAt:
			t.At = moment.OfMilli(v.Int)
		case thingReceivedAt:
			t.ReceivedAt = moment.OfMilli(v.Int)
		case thingStaleAfter:
			t.StaleAfter = moment.OfMilli(v.Int)
		case thingSimulated:
			t.Simulated = v.Int != 0
		case thingAttribution:
			t.Attribution = internBytes(v.Bytes)
		case thingState:
			return state(v.Bytes)
		}
		return nil
	})
}

func readReading(b []byte) (name string, r Reading, err error) {
	err = EachField(b, func(n protowire.Number, v Field) error {
		switch n {
		case stateProperty:
			name = internBytes(v.Bytes)
		case stateNum:
			r.Value = Value{Type: Number, Num: v.Float}
		case stateText:
			r.Value = Value{Type: Text, Text: string(v.Bytes)}
		case stateBool:
			r.Value = Value{Type: Bool, Num: float64(v.Int)}
		case stateUnit:
			r.Unit = internBytes(v.Bytes)
		case stateAt:
			r.At = moment.OfMilli(v.Int)
		case stateReceivedAt:
			r.ReceivedAt = moment.OfMilli(v.Int)
		case stateQuality:
			r.Quality = qualityOf(v.Bytes)
		}
		return nil
	})
	return name, r, err
}

// qualityOf makes no garbage of the qualities there are.
func qualityOf(b []byte) Quality {
	for _, q := range qualities {
		if string(q) == string(b) {
			return q
		}
	}
	return Quality(b)
}

// Field is the content of one protobuf field: the member that its wire type fills.
type Field struct {
	Int   int64
	Float float64
	Bytes []byte
}

// EachField walks a protobuf message; the error names the field that could not be read.
func EachField(b []byte, each func(protowire.Number, Field) error) error {
	for len(b) > 0 {
		num, typ, n := protowire.ConsumeTag(b)
		if n < 0 {
			return fmt.Errorf("record: tag: %w", protowire.ParseError(n))
		}
		b = b[n:]
		var f Field
		switch typ {
		case protowire.VarintType:
			var v uint64
			v, n = protowire.ConsumeVarint(b)
			f.Int = int64(v)
		case protowire.Fixed64Type:
			var v uint64
			v, n = protowire.ConsumeFixed64(b)
			f.Float = math.Float64frombits(v)
		case protowire.BytesType:
			f.Bytes, n = protowire.ConsumeBytes(b)
		default:
			n = protowire.ConsumeFieldValue(num, typ, b)
		}
		if n < 0 {
			return fmt.Errorf("record: field %d: %w", num, protowire.ParseError(n))
		}
		b = b[n:]
		if err := each(num, f); err != nil {
			return err
		}
	}
	return nil
}

// AppendVarint appends a field unless it is zero.
func AppendVarint(b []byte, num protowire.Number, v int64) []byte {
	if v == 0 {
		return b
	}
	return protowire.AppendVarint(protowire.AppendTag(b, num, protowire.VarintType), uint64(v))
}

// AppendText appends a field unless it is empty.
func AppendText(b []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return b
	}
	return protowire.AppendString(protowire.AppendTag(b, num, protowire.BytesType), s)
}

// AppendDouble appends a field, zero included.
func AppendDouble(b []byte, num protowire.Number, f float64) []byte {
	return protowire.AppendFixed64(protowire.AppendTag(b, num, protowire.Fixed64Type), math.Float64bits(f))
}

// AppendValue appends a value under the number that its type has.
func AppendValue(b []byte, v Value, num, text, truth protowire.Number) []byte {
	switch v.Type {
	case Text:
		return protowire.AppendString(protowire.AppendTag(b, text, protowire.BytesType), v.Text)
	case Bool:
		return protowire.AppendVarint(protowire.AppendTag(b, truth, protowire.VarintType), uint64(v.Num))
	default:
		return AppendDouble(b, num, v.Num)
	}
}
