package storm

import (
	"encoding/json"

	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

// Native writes an item as one line of the native format, as its feed would push it.
func (i *Item) Native() ([]byte, error) {
	switch {
	case i.Observation != nil:
		o := i.Observation
		doc := map[string]any{"thing": o.Thing, "property": o.Property, "value": o.Value.Any(), "at": o.At, "kind": o.Kind, "name": o.Name, "lng": o.Position.Lng, "lat": o.Position.Lat}
		if o.Unit != "" {
			doc["unit"] = o.Unit
		}
		return json.Marshal(doc)
	case i.Report != nil:
		r := i.Report
		doc := map[string]any{"record": "report", "id": r.ID, "channel": r.Channel, "text": r.Text, "at": r.At}
		for key, word := range map[string]string{"type": r.Type, "service_code": r.Code, "address": r.Address} {
			if word != "" {
				doc[key] = word
			}
		}
		if r.Placed {
			doc["lng"], doc["lat"] = r.Position.Lng, r.Position.Lat
		}
		return json.Marshal(doc)
	}
	return json.Marshal(i.alert())
}

func (i *Item) alert() map[string]any {
	msg := i.Alert.Message
	doc := map[string]any{"record": "alert", "identifier": msg.Identifier, "sender": msg.Sender, "sent": msg.Sent, "status": msg.Status, "msg_type": msg.MsgType, "scope": msg.Scope}
	if len(msg.References) > 0 {
		doc["references"] = msg.References
	}
	info := msg.Infos[0]
	for key, word := range map[string]string{"language": info.Language, "event": info.Event, "urgency": info.Urgency, "severity": string(info.Severity), "certainty": info.Certainty,
		"headline": info.Headline, "description": info.Description} {
		if word != "" {
			doc[key] = word
		}
	}
	for key, at := range map[string]moment.Time{"onset": info.Onset, "expires": info.Expires} {
		if !at.IsZero() {
			doc[key] = at
		}
	}
	if len(info.Categories) > 0 {
		doc["category"] = info.Categories[0]
	}
	if len(info.Areas) > 0 {
		doc["area"] = feature(info.Areas[0])
	}
	if q := i.Alert.Quake; q != nil {
		doc["quake"] = map[string]any{"origin_at": q.OriginAt, "lng": q.Position.Lng, "lat": q.Position.Lat, "depth_km": q.DepthKm, "magnitude": *q.Magnitude, "place": q.Place}
	}
	return doc
}

func feature(a cap.Area) any {
	return struct {
		Type       string            `json:"type"`
		Geometry   geo.Shape         `json:"geometry"`
		Properties map[string]string `json:"properties"`
	}{"Feature", a.Shape, map[string]string{"name": a.Name}}
}
