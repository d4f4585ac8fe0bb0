package ingest

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// readingVersion of a reading's record. Version n reads n-1; unknown fields are passed over.
const readingVersion = 1

// Field numbers of a reading's record. They are never used again for something else.
const (
	readingVersionField = 1
	readingThing        = 2
	readingProperty     = 3
	readingNum          = 4
	readingText         = 5
	readingBool         = 6
	readingUnit         = 7
	readingAt           = 8
	readingReceivedAt   = 9
	readingQuality      = 10
	readingID           = 11
	readingLat          = 12
	readingLng          = 13
	readingAttrs        = 14
	readingStoredAt     = 15
)

// Reading is one line of a Thing's history.
type Reading struct {
	Thing      string // "<feed>:<native id>"
	ID         string // the producer's own, may be empty
	Property   string
	Value      feeds.Value
	Unit       string
	At         moment.Time
	ReceivedAt moment.Time
	Quality    feeds.Quality
	Position   geo.Position
	Placed     bool
	Attrs      []byte      // a JSON object, may be nil
	StoredAt   moment.Time // of the batch it was stored in; later batches have later stamps
}

// appendReading appends the record of a reading.
func appendReading(b []byte, thing string, o *feeds.Observation, stamp int64) []byte {
	b = feeds.AppendVarint(b, readingVersionField, readingVersion)
	b = feeds.AppendText(b, readingThing, thing)
	b = feeds.AppendText(b, readingProperty, o.Property)
	b = feeds.AppendValue(b, o.Value, readingNum, readingText, readingBool)
	b = feeds.AppendText(b, readingUnit, o.Unit)
	b = feeds.AppendVarint(b, readingAt, o.At.Milli())
	b = feeds.AppendVarint(b, readingReceivedAt, o.ReceivedAt.Milli())
	if o.Quality != feeds.Good {
		b = feeds.AppendText(b, readingQuality, string(o.Quality))
	}
	b = feeds.AppendText(b, readingID, o.ID)
	if o.Placed {
		b = feeds.AppendDouble(b, readingLat, o.Position.Lat)
		b = feeds.AppendDouble(b, readingLng, o.Position.Lng)
	}
	if len(o.Attrs) > 0 {
		b = protowire.AppendBytes(protowire.AppendTag(b, readingAttrs, protowire.BytesType), o.Attrs)
	}
	return feeds.AppendVarint(b, readingStoredAt, stamp)
}

// errEnough ends the walk through a record.
var errEnough = errors.New("enough")

// propertyOf reads the property of a record of history, and little else.
func propertyOf(b []byte) (name string, err error) {
	err = feeds.EachField(b, func(n protowire.Number, v feeds.Field) error {
		if n != readingProperty {
			return nil
		}
		name = string(v.Bytes)
		return errEnough
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return name, err
}

// thingIn reads the Thing of a record that is not whole, as far as that can be read.
func thingIn(b []byte) (id string) {
	_ = feeds.EachField(b, func(n protowire.Number, v feeds.Field) error {
		if n == readingThing {
			id = string(v.Bytes)
			return errEnough
		}
		return nil
	})
	return id
}

// DecodeReading reads a record of history. The result keeps nothing of b.
func DecodeReading(b []byte) (Reading, error) {
	r := Reading{Quality: feeds.Good}
	err := feeds.EachField(b, func(n protowire.Number, v feeds.Field) error {
		switch n {
		case readingVersionField:
			if v.Int > readingVersion {
				return fmt.Errorf("reading of version %d: this server reads up to %d", v.Int, readingVersion)
			}
		case readingThing:
			r.Thing = string(v.Bytes)
		case readingProperty:
			r.Property = string(v.Bytes)
		case readingNum:
			r.Value = feeds.Value{Type: feeds.Number, Num: v.Float}
		case readingText:
			r.Value = feeds.Value{Type: feeds.Text, Text: string(v.Bytes)}
		case readingBool:
			r.Value = feeds.Value{Type: feeds.Bool, Num: float64(v.Int)}
		case readingUnit:
			r.Unit = string(v.Bytes)
		case readingAt:
			r.At = moment.OfMilli(v.Int)
		case readingReceivedAt:
			r.ReceivedAt = moment.OfMilli(v.Int)
		case readingQuality:
			r.Quality = feeds.Quality(v.Bytes)
		case readingID:
			r.ID = string(v.Bytes)
		case readingLat:
			r.Position.Lat, r.Placed = v.Float, true
		case readingLng:
			r.Position.Lng, r.Placed = v.Float, true
		case readingAttrs:
			r.Attrs = append([]byte(nil), v.Bytes...)
		case readingStoredAt:
			r.StoredAt = moment.OfMilli(v.Int)
		}
		return nil
	})
	return r, err
}
