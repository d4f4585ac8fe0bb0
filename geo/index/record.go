package index

import (
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/geo"
)

// version of Last and Blob in record.proto.
const version = 1

// ErrRecord marks bytes in the store that are not a record of record.proto, or one of a newer version.
var ErrRecord = errors.New("not a record of the index")

// errPassed ends the walk through a group that nobody wants.
var errPassed = errors.New("passed over")

// stay is a shard that a Thing has left, and when, in milliseconds since 1970.
type stay struct {
	shard geo.Cell
	until int64
}

// last is the message Last.
type last struct {
	Stored
	trail   []stay
	written uint64
}

// appendLast writes a Last with the payload's record.
func appendLast(b []byte, e *Entry, payload Payload, trail []stay, written uint64) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), version)
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), e.Kind)
	if e.Placed {
		b = protowire.AppendFixed64(protowire.AppendTag(b, 3, protowire.Fixed64Type), math.Float64bits(e.Position.Lat))
		b = protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), math.Float64bits(e.Position.Lng))
		b = protowire.AppendFixed64(protowire.AppendTag(b, 5, protowire.Fixed64Type), uint64(e.Cell))
	}
	for _, s := range trail {
		b = protowire.AppendVarint(protowire.AppendTag(b, 7, protowire.BytesType), uint64(9+1+protowire.SizeVarint(uint64(s.until))))
		b = protowire.AppendFixed64(protowire.AppendTag(b, 1, protowire.Fixed64Type), uint64(s.shard))
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), uint64(s.until))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 8, protowire.VarintType), written)
	if payload == nil {
		return b
	}
	// The payload comes last and its length is written before it is known: room for five bytes, the rest closed up.
	b = protowire.AppendTag(b, 6, protowire.BytesType)
	start := len(b)
	b = payload.AppendRecord(append(b, 0, 0, 0, 0, 0))
	n := len(b) - start - 5
	size := protowire.SizeVarint(uint64(n))
	copy(b[start+size:], b[start+5:])
	protowire.AppendVarint(b[:start], uint64(n))
	return b[:start+size+n]
}

// readLast reads a Last. The payload is part of b.
func readLast(id string, b []byte) (last, error) {
	l := last{Stored: Stored{ID: id}}
	var v uint64
	err := fields(b, func(num protowire.Number, n uint64, part []byte) error {
		switch num {
		case 1:
			v = n
		case 2:
			l.Kind = string(part)
		case 3:
			l.Position.Lat, l.Placed = math.Float64frombits(n), true
		case 4:
			l.Position.Lng = math.Float64frombits(n)
		case 5:
			l.Cell = geo.Cell(n)
		case 6:
			l.Payload = part
		case 7:
			var s stay
			if err := fields(part, func(num protowire.Number, n uint64, _ []byte) error {
				switch num {
				case 1:
					s.shard = geo.Cell(n)
				case 2:
					s.until = int64(n)
				}
				return nil
			}); err != nil {
				return err
			}
			l.trail, l.Trail = append(l.trail, s), append(l.Trail, s.shard)
		case 8:
			l.written = n
		}
		return nil
	})
	if err == nil && v != version {
		err = fmt.Errorf("%w: version %d, this server reads %d", ErrRecord, v, version)
	}
	return l, err
}

// appendBlob starts a Blob. A publisher of 0 is nobody's name.
func appendBlob(b []byte, written, publisher uint64) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), version)
	b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), written)
	if publisher == 0 {
		return b
	}
	return protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), publisher)
}

// publisherOf reads who wrote a Blob; 0 where it does not say.
func publisherOf(b []byte) (publisher uint64, err error) {
	err = fields(b, func(num protowire.Number, n uint64, _ []byte) error {
		switch num {
		case 2: // the groups come last
			return errPassed
		case 4:
			publisher = n
		}
		return nil
	})
	if errors.Is(err, errPassed) {
		err = nil
	}
	return publisher, err
}

// appendGroup adds one Thing's readings to a Blob.
func appendGroup(b []byte, id string, readings [][]byte) []byte {
	size := 1 + protowire.SizeBytes(len(id))
	for _, r := range readings {
		size += 1 + protowire.SizeBytes(len(r))
	}
	b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.BytesType), uint64(size))
	b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), id)
	for _, r := range readings {
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), r)
	}
	return b
}

// readBlob hands over each Thing's id and readings, all part of b, and gives the blob's number. An id for which want (nil: all) says no is
// passed over unread.
func readBlob(b []byte, want func(id []byte) bool, yield func(id []byte, readings [][]byte) error) (written uint64, err error) {
	var v uint64
	err = fields(b, func(num protowire.Number, n uint64, part []byte) error {
		switch num {
		case 1:
			v = n
			return nil
		case 2:
		case 3:
			written = n
			return nil
		default:
			return nil
		}
		var id []byte
		var readings [][]byte
		err := fields(part, func(num protowire.Number, _ uint64, part []byte) error {
			switch num {
			case 1:
				if id = part; want != nil && !want(id) {
					return errPassed
				}
			case 2:
				readings = append(readings, part)
			}
			return nil
		})
		if errors.Is(err, errPassed) {
			return nil
		}
		if err != nil {
			return err
		}
		return yield(id, readings)
	})
	if err == nil && v != version {
		err = fmt.Errorf("%w: blob of version %d, this server reads %d", ErrRecord, v, version)
	}
	return written, err
}

// notice is the message Live.
type notice struct {
	publisher, sequence uint64
	shard               geo.Cell
	blob                []byte
	states              []state
}

// state is a Thing's id and its Last.
type state struct {
	id   string
	last []byte
}

// appendNotice writes a Live; who and which come first, so that a server passes over its own unread. states is id, Last, id, Last ...
func appendNotice(b []byte, publisher, sequence uint64, shard geo.Cell, blob []byte, states []any) []byte {
	b = protowire.AppendVarint(protowire.AppendTag(b, 1, protowire.VarintType), version)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 2, protowire.Fixed64Type), publisher)
	b = protowire.AppendVarint(protowire.AppendTag(b, 3, protowire.VarintType), sequence)
	b = protowire.AppendFixed64(protowire.AppendTag(b, 4, protowire.Fixed64Type), uint64(shard))
	if len(blob) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, 5, protowire.BytesType), blob)
	}
	for i := 0; i+1 < len(states); i += 2 {
		id, last := states[i].(string), states[i+1].([]byte)
		size := 2 + protowire.SizeBytes(len(id)) + protowire.SizeBytes(len(last))
		b = protowire.AppendVarint(protowire.AppendTag(b, 6, protowire.BytesType), uint64(size))
		b = protowire.AppendString(protowire.AppendTag(b, 1, protowire.BytesType), id)
		b = protowire.AppendBytes(protowire.AppendTag(b, 2, protowire.BytesType), last)
	}
	return b
}

// readNotice reads a Live, all of it part of b. One of the publisher mine is passed over after its sequence.
func readNotice(b []byte, mine uint64) (notice, error) {
	var out notice
	var v uint64
	err := fields(b, func(num protowire.Number, n uint64, part []byte) error {
		switch num {
		case 1:
			v = n
		case 2:
			out.publisher = n
		case 3:
			out.sequence = n
			if out.publisher == mine {
				return errPassed
			}
		case 4:
			out.shard = geo.Cell(n)
		case 5:
			out.blob = part
		case 6:
			var s state
			err := fields(part, func(num protowire.Number, _ uint64, part []byte) error {
				switch num {
				case 1:
					s.id = string(part)
				case 2:
					s.last = part
				}
				return nil
			})
			if err != nil {
				return err
			}
			out.states = append(out.states, s)
		}
		return nil
	})
	if errors.Is(err, errPassed) {
		err = nil
	}
	if err == nil && v != version {
		err = fmt.Errorf("%w: a commit told in version %d, this server reads %d", ErrRecord, v, version)
	}
	return out, err
}

// fields walks a message; numbers come as n, bytes as part. Fields of kinds not used here are passed over.
func fields(b []byte, each func(num protowire.Number, n uint64, part []byte) error) error {
	for len(b) > 0 {
		num, typ, size := protowire.ConsumeTag(b)
		if size < 0 {
			return fmt.Errorf("%w: %w", ErrRecord, protowire.ParseError(size))
		}
		b = b[size:]
		var n uint64
		var part []byte
		switch typ {
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(b)
		case protowire.Fixed64Type:
			n, size = protowire.ConsumeFixed64(b)
		case protowire.BytesType:
			part, size = protowire.ConsumeBytes(b)
		default:
			size = protowire.ConsumeFieldValue(num, typ, b)
		}
		if size < 0 {
			return fmt.Errorf("%w: field %d: %w", ErrRecord, num, protowire.ParseError(size))
		}
		b = b[size:]
		if err := each(num, n, part); err != nil {
			return err
		}
	}
	return nil
}
