// Package ngsi is entities of FIWARE context brokers: NGSI v2 and NGSI-LD, normalized, key-values or GeoJSON, alone, in lists and in notifications.
//
// Every attribute that is a number, a bool or a short word becomes an Observation of the entity; what only names or describes it does not.
// An Alert or WeatherAlert becomes an Alert, a Vehicle a unit position beside its readings. Times are the attribute's own (observedAt, the
// metadata timestamp or TimeInstant), else the entity's (dateObserved and the like), else modifiedAt, else notifiedAt; the last two are told in
// attrs. A time without an offset is UTC, as brokers hold it. An id that ends in a time names a reading: without it, it names the Thing.
//
// Option: zone, such as "WIB", for producers whose times without an offset are local.
package ngsi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/mapped"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of names and texts, attributes of an entity.
const (
	maxName       = 256
	maxText       = 4096
	maxAttributes = 500
)

// Format reads NGSI entities. It is safe for concurrent use.
type Format struct{ zone *time.Location }

// New gives the format. Its option is zone.
func New(options map[string]any) (feeds.Format, error) {
	f := Format{time.UTC}
	for key, v := range options {
		if key != "zone" {
			return nil, &mapped.Fault{Key: key, Reason: "the format ngsi has no such option; it has zone"}
		}
		name, _ := v.(string)
		zone, err := mapped.Zone(name)
		if err != nil {
			return nil, &mapped.Fault{Key: key, Reason: fmt.Sprintf("%.40q is no zone such as Asia/Jakarta, WIB or +07:00", name)}
		}
		f.zone = zone
	}
	return f, nil
}

// errForeign marks an object that is no entity.
var errForeign = errors.New("not an entity: a text id and type are missing")

// Decode reads an entity, a list, a notification or GeoJSON of entities. Any other document is an error.
func (f Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	items, notified, err := entities(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("ngsi: %w", err)
	}
	r := &reader{zone: f.zone, meta: meta, received: moment.Of(meta.ReceivedAt)}
	if notified != "" {
		if r.notified, err = r.parse(notified); err != nil {
			return feeds.Batch{}, fmt.Errorf("ngsi: notifiedAt %w", err)
		}
	}
	lines := &bounded.Lines{Body: body}
	foreign := 0
	for i, item := range items {
		r.index = i
		line, _ := lines.At(item.From)
		err := bounded.JSONItem(lines, item)
		if err == nil {
			err = r.entity(body[item.From:item.To])
		}
		if errors.Is(err, errForeign) {
			foreign++
		}
		if err != nil {
			r.batch.Rejected = append(r.batch.Rejected, feeds.Refusal{Index: i, Reason: fmt.Sprintf("entity at line %d: %v", line, err)})
		}
	}
	if foreign > 0 && foreign == len(items) {
		return feeds.Batch{}, errors.New("ngsi: the document holds no entity with a text id and type")
	}
	return r.batch, nil
}

// entities finds the entities of a document, and when a notification was made.
func entities(body []byte) (items []bounded.Span, notified string, err error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, "", err
	}
	from := len(body) - len(bytes.TrimLeft(body, " \t\r\n"))
	switch body[from] {
	case '[':
		items, err = bounded.Elements(body, from)
		return items, "", err
	case '{':
	default:
		return nil, "", errors.New("the document is no entity and no list")
	}
	top, err := bounded.Members(body, from)
	if err != nil {
		return nil, "", err
	}
	text := func(name string) (s string) {
		if v, ok := top[name]; ok {
			_ = json.Unmarshal(body[v.From:v.To], &s) // what is no text is not what we look for
		}
		return s
	}
	list, ok := top["data"]
	at := text("notifiedAt")
	if ok && (text("type") == "Notification" || text("subscriptionId") != "") {
		switch body[list.From] {
		case '[':
			items, err = bounded.Elements(body, list.From)
			return items, at, err
		case '{':
			if top, err = bounded.Members(body, list.From); err != nil {
				return nil, "", err
			}
			notified, from = at, list.From
		}
	}
	if text("type") == "FeatureCollection" {
		features, ok := top["features"]
		if !ok || body[features.From] != '[' {
			return nil, "", errors.New("a FeatureCollection without features")
		}
		items, err = bounded.Elements(body, features.From)
		return items, notified, err
	}
	end, err := bounded.JSONValue(body, from, bounded.DefaultDepth)
	return []bounded.Span{{From: from, To: end}}, notified, err
}
