package cap

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"strconv"
	"strings"

	"kentongan/geo"
	"kentongan/geo/moment"
)

// Encode writes a message as CAP 1.2. Times are written in whole seconds with offset +00:00, points as circles of radius 0 and
// polygons by their outer ring, since CAP knows no holes; an info without a category (CAP 1.0) becomes Other. It writes only what Decode would take, else it gives the same errors;
// a shape with lines cannot be written.
func Encode(m Message) ([]byte, error) {
	w := writer{}
	w.WriteString(xml.Header)
	w.WriteString(`<alert xmlns="` + Namespace12 + `">` + "\n")
	w.text("identifier", m.Identifier)
	w.text("sender", m.Sender)
	w.time("sent", m.Sent)
	w.text("status", m.Status)
	w.text("msgType", m.MsgType)
	w.text("source", m.Source)
	w.text("scope", m.Scope)
	w.text("note", m.Note)
	var refs []string
	for _, r := range m.References {
		refs = append(refs, r.Sender+","+r.Identifier+","+stamp(r.Sent))
	}
	w.text("references", strings.Join(refs, " "))
	for i := range m.Infos {
		if err := w.info(&m.Infos[i]); err != nil {
			return nil, fmt.Errorf("cap: encode: info %d: %w", i, err)
		}
	}
	w.WriteString("</alert>\n")
	if _, err := Decode(w.Bytes()); err != nil {
		return nil, fmt.Errorf("cap: encode: %w", err)
	}
	return w.Bytes(), nil
}

func stamp(t moment.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02T15:04:05+00:00")
}

type writer struct{ bytes.Buffer }

// text writes an element, or nothing where there is no text.
func (w *writer) text(name, text string) {
	if text == "" {
		return
	}
	w.WriteString("<" + name + ">")
	_ = xml.EscapeText(&w.Buffer, []byte(text)) // a Buffer gives no error
	w.WriteString("</" + name + ">\n")
}

func (w *writer) time(name string, t moment.Time) { w.text(name, stamp(t)) }

func (w *writer) values(name string, values []Value) {
	for _, v := range values {
		w.WriteString("<" + name + ">")
		w.text("valueName", v.Name)
		w.text("value", v.Value)
		w.WriteString("</" + name + ">\n")
	}
}

func (w *writer) info(i *Info) error {
	w.WriteString("<info>\n")
	w.text("language", i.Language)
	for _, c := range i.Categories {
		w.text("category", c)
	}
	if len(i.Categories) == 0 {
		w.text("category", "Other")
	}
	w.text("event", i.Event)
	for _, r := range i.Responses {
		w.text("responseType", r)
	}
	w.text("urgency", i.Urgency)
	w.text("severity", string(i.Severity))
	w.text("certainty", i.Certainty)
	w.values("eventCode", i.EventCodes)
	w.time("effective", i.Effective)
	w.time("onset", i.Onset)
	w.time("expires", i.Expires)
	w.text("senderName", i.SenderName)
	w.text("headline", i.Headline)
	w.text("description", i.Description)
	w.text("instruction", i.Instruction)
	w.text("web", i.Web)
	w.text("contact", i.Contact)
	w.values("parameter", i.Parameters)
	for _, a := range i.Areas {
		if len(a.Shape.Lines) > 0 {
			return fmt.Errorf("area %.60q: CAP has no lines", a.Name)
		}
		w.area(a)
	}
	w.WriteString("</info>\n")
	return nil
}

func (w *writer) area(a Area) {
	w.WriteString("<area>\n")
	w.text("areaDesc", a.Name)
	for _, p := range a.Shape.Polygons {
		if len(p.Rings) == 0 {
			continue
		}
		corners := make([]string, len(p.Rings[0]))
		for i, c := range p.Rings[0] {
			corners[i] = pair(c)
		}
		w.text("polygon", strings.Join(corners, " "))
	}
	for _, p := range a.Shape.Points {
		w.text("circle", pair(p)+" 0")
	}
	w.values("geocode", a.Geocodes)
	w.WriteString("</area>\n")
}

func pair(p geo.Position) string {
	return strconv.FormatFloat(p.Lat, 'f', -1, 64) + "," + strconv.FormatFloat(p.Lng, 'f', -1, 64)
}
