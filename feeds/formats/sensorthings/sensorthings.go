// Package sensorthings is OGC SensorThings API 1.1: Observations as lists, as MQTT payloads, or inside the Datastreams and Things they belong to.
//
// A reading needs its Datastream: from the answer ($expand=Datastream($expand=Thing($expand=Locations),ObservedProperty)), from the entity
// around it, or from the address or topic it came by, as v1.1/Datastreams(5)/Observations. Its place is that of the FeatureOfInterest, else
// the Thing's. @iot.nextLink leads to the next page (Batch.Next), also of the Datastreams of a Thing; what lies behind the Observations of a
// Datastream is its history and is not asked for. A phenomenonTime that is an interval ends where the reading is dated; where there is none,
// resultTime stands in and attrs says so. A result that is an object gives a reading for each of its values, null gives none.
package sensorthings

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// The format's own limits: bytes of a name and of a text, links of one answer, values of one object.
const (
	maxName   = 256
	maxText   = 4096
	maxNext   = 100
	maxValues = 100
	maxAttrs  = 4096
)

// Format reads SensorThings entities. It is safe for concurrent use.
type Format struct{}

// New gives the format. It has no options.
func New(options map[string]any) (feeds.Format, error) {
	return Format{}, feeds.NoOptions("sensorthings", options)
}

// Decode reads an entity, an array of them, or a page of a list. Any other document is an error.
func (Format) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	body = bounded.TrimBOM(body)
	items, link, err := page(body)
	if err != nil {
		return feeds.Batch{}, fmt.Errorf("sensorthings: %w", err)
	}
	r := &reader{meta: meta, received: moment.Of(meta.ReceivedAt)}
	start := origin(meta.Topic, meta.URL, link)
	lines := &bounded.Lines{Body: body}
	foreign := 0
	for _, item := range items {
		line, _ := lines.At(item.From)
		r.where = fmt.Sprintf("entity at line %d: ", line)
		err := bounded.JSONItem(lines, item)
		if err == nil {
			err = r.entity(body[item.From:item.To], start)
		}
		if errors.Is(err, errForeign) {
			foreign++
		}
		if err != nil {
			r.refuse(err)
		}
	}
	if foreign > 0 && foreign == len(items) {
		return feeds.Batch{}, errors.New("sensorthings: the document holds no Observation, Datastream or Thing")
	}
	r.next(link)
	return r.batch, nil
}

// page finds the entities of a document, and the link to the page after it.
func page(body []byte) (items []bounded.Span, link string, err error) {
	if err := bounded.JSONDocument(body); err != nil {
		return nil, "", err
	}
	at := 0
	for body[at] == ' ' || body[at] == '\n' || body[at] == '\r' || body[at] == '\t' {
		at++
	}
	switch body[at] {
	case '[':
		items, err = bounded.Elements(body, at)
		return items, "", err
	case '{':
	default:
		return nil, "", errors.New("the document is no entity and no list")
	}
	top, err := bounded.Members(body, at)
	if err != nil {
		return nil, "", err
	}
	list, ok := top["value"]
	if !ok {
		end, err := bounded.JSONValue(body, at, bounded.DefaultDepth)
		return []bounded.Span{{From: at, To: end}}, "", err
	}
	if body[list.From] != '[' {
		return nil, "", errors.New("value is not a list of entities")
	}
	if s, ok := top["@iot.nextLink"]; ok && json.Unmarshal(body[s.From:s.To], &link) != nil {
		return nil, "", errors.New("@iot.nextLink is not a string")
	}
	items, err = bounded.Elements(body, list.From)
	return items, link, err
}

// collectionOf finds the Datastream whose Observations an address lists.
var collectionOf = regexp.MustCompile(`Datastreams\('?([^()'/]{1,200})'?\)/Observations`)

// origin is what the topic or an address says of the Datastream.
func origin(addresses ...string) stream {
	for _, a := range addresses {
		if u, err := url.PathUnescape(a); err == nil {
			a = u
		}
		if m := collectionOf.FindStringSubmatch(a); m != nil {
			return stream{id: m[1]}
		}
	}
	return stream{}
}

type reader struct {
	meta     feeds.Meta
	received moment.Time
	where    string
	index    int
	batch    feeds.Batch
}

func (r *reader) refuse(err error) {
	r.batch.Rejected = append(r.batch.Rejected, feeds.Refusal{Index: r.index, Reason: r.where + err.Error()})
	r.index++
}

func (r *reader) pass(reason string) {
	r.batch.Ignored = append(r.batch.Ignored, feeds.Refusal{Index: r.index, Reason: reason})
	r.index++
}

// next keeps a link to more, resolved against the address of this answer.
func (r *reader) next(link string) {
	if link == "" || len(r.batch.Next) >= maxNext {
		return
	}
	u, err := url.Parse(link)
	if base, wrong := url.Parse(r.meta.URL); err == nil && wrong == nil {
		u = base.ResolveReference(u)
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil {
		r.pass("a link to the next page that is no http address")
		return
	}
	r.batch.Next = append(r.batch.Next, u.String())
}

// errForeign marks an object that is no entity we read.
var errForeign = errors.New("no Observation, Datastream or Thing")

// entity reads one entity with all that lies inside.
func (r *reader) entity(raw []byte, s stream) error {
	o, err := fields.Read(raw)
	if err != nil {
		return err
	}
	_, result := has(raw, "result")
	switch {
	case result && (o.Has("phenomenonTime") || o.Has("resultTime") || o.Has("@iot.id")):
		return r.observation(o, raw, s)
	case o.Has("unitOfMeasurement") && (o.Has("Observations") || o.Has("observationType") || o.Has("@iot.id")):
		return r.datastream(o, s)
	case o.Has("Datastreams"):
		return r.thing(o)
	case o.Has("MultiDatastreams") || o.Has("multiObservationDataTypes"):
		r.pass("a MultiDatastream is not read")
		return nil
	case o.Has("@iot.selfLink") || o.Has("location") && o.Has("encodingType"):
		r.pass("an entity without readings")
		return nil
	}
	return errForeign
}

// has tells a member that is there, be it null.
func has(raw []byte, name string) (json.RawMessage, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil {
		return nil, false
	}
	v, ok := members[name]
	return v, ok
}

func (r *reader) thing(o *fields.Object) error {
	var s stream
	s.of(o)
	if err := o.Fault(); err != nil {
		return err
	}
	for _, raw := range o.List("Datastreams") {
		d, err := fields.Read(raw)
		if err == nil {
			err = r.datastream(d, s)
		}
		if err != nil {
			r.refuse(err)
		}
	}
	r.next(o.Text("Datastreams@iot.nextLink", maxText))
	return o.Fault()
}

func (r *reader) datastream(o *fields.Object, s stream) error {
	s.stream(o)
	if err := o.Fault(); err != nil {
		return err
	}
	list := o.List("Observations")
	if len(list) == 0 && o.Fault() == nil {
		r.pass("a Datastream without Observations: ask with $expand=Observations")
	}
	for _, raw := range list {
		one, err := fields.Read(raw)
		if err == nil {
			err = r.observation(one, raw, s)
		}
		if err != nil {
			r.refuse(err)
		}
	}
	return o.Fault()
}

// values of a result by the name that stands behind the property: "" for a plain one.
func values(o *fields.Object, raw []byte) (out []fields.Leaf, pass string) {
	result, ok := has(raw, "result")
	if !ok {
		o.Fail("result is missing")
		return nil, ""
	}
	switch result[0] {
	case 'n':
		return nil, "result is null"
	case '[':
		return nil, "a list of results (MultiDatastream) is not read"
	case '{':
		if out = o.Object("result").Leaves(3, maxValues, maxText); len(out) == 0 && o.Fault() == nil {
			return nil, "result is an object without values"
		}
		return out, ""
	case '"':
		return []fields.Leaf{{Value: o.Text("result", maxText)}}, ""
	case 't', 'f':
		return []fields.Leaf{{Value: o.Bool("result")}}, ""
	}
	if n := o.Number("result"); n != nil {
		out = []fields.Leaf{{Value: *n}}
	}
	return out, ""
}

func (r *reader) observation(o *fields.Object, raw []byte, s stream) error {
	if d := o.Object("Datastream"); o.Has("Datastream") {
		s.stream(d)
	}
	if f := o.Object("FeatureOfInterest"); f.Has("feature") {
		s.at(f.Raw("feature"))
	}
	at, attrs := times(o)
	quality, word := qualityOf(o)
	if word != nil {
		attrs["result_quality"] = word
	}
	found, pass := values(o, raw)
	id := o.Label("@iot.id", maxName)
	switch err := o.Fault(); {
	case err != nil:
		return err
	case pass != "":
		r.pass(pass)
		return nil
	case s.id == "" && s.thing == "":
		return errors.New("of no known Datastream: ask with $expand=Datastream($expand=Thing,ObservedProperty), or by the address of one Datastream")
	case s.fault != nil:
		return s.fault
	}
	thing, name, property := s.names()
	base := feeds.Observation{Index: r.index, Thing: thing, Name: name, Unit: s.unit, At: at, ReceivedAt: r.received, Position: s.position, Placed: s.placed,
		Kind: r.meta.Kind, Quality: quality}
	if at.IsZero() {
		base.Quality = feeds.Received
	}
	if len(attrs) > 0 {
		if text, err := json.Marshal(attrs); err == nil && len(text) <= maxAttrs {
			base.Attrs = text
		}
	}
	for _, v := range found {
		one := base
		one.Property = property
		if v.Name != "" {
			one.Property = fields.Cut(property+"."+v.Name, 2*maxName)
		}
		switch {
		case s.id != "" && !at.IsZero():
			one.ID = fmt.Sprintf("Datastreams(%s)/%s%s", s.id, at, strings.TrimPrefix(one.Property, property))
		case id != "":
			one.ID = fmt.Sprintf("Observations(%s)%s", id, strings.TrimPrefix(one.Property, property))
		}
		switch t := v.Value.(type) {
		case float64:
			one.Value.Num = t
		case bool:
			if one.Value.Type = feeds.Bool; t {
				one.Value.Num = 1
			}
		case string:
			one.Value = feeds.Value{Type: feeds.Text, Text: t}
		}
		r.batch.Observations = append(r.batch.Observations, one)
	}
	r.index++
	return nil
}

// times gives when the reading holds, with what must be said of that.
func times(o *fields.Object) (moment.Time, map[string]any) {
	attrs := map[string]any{}
	s := o.Text("phenomenonTime", maxName)
	if start, end, interval := strings.Cut(s, "/"); interval {
		attrs["phenomenon_start"] = start
		s = end
	}
	if s == "" {
		if s = o.Text("resultTime", maxName); s == "" {
			return moment.Time{}, attrs
		}
		attrs["time_quality"] = "result"
	}
	at, err := fields.RFC3339(s)
	if err != nil {
		o.Fail("phenomenonTime %w", err)
	}
	return at, attrs
}

// doubtful are words by which producers say that a reading is not to be trusted.
var doubtful = regexp.MustCompile(`(?i)bad|suspect|invalid|poor|error|fail|doubt|reject`)

// qualityOf judges resultQuality, which may be any JSON; what says nothing bad is good.
func qualityOf(o *fields.Object) (feeds.Quality, any) {
	raw := o.Raw("resultQuality")
	if raw == nil {
		return feeds.Good, nil
	}
	var v any
	if json.Unmarshal(raw, &v) != nil {
		return feeds.Good, nil
	}
	word := v
	if m, ok := v.(map[string]any); ok {
		word = m["quality"]
	}
	if s, ok := word.(string); ok && doubtful.MatchString(s) {
		return feeds.Suspect, v
	}
	return feeds.Good, v
}
