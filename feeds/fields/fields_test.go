package fields

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"kentongan/geo"
)

func read(t *testing.T, body string) *Object {
	t.Helper()
	o, err := Read([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestRead(t *testing.T) {
	o := read(t, `{"a":" x ","n":1.5,"id":385,"b":true,"none":null,"in":{"t":"2024-05-10T10:45:34.984+02:00"},"list":[{"s":1440395361},{}],"lat":-0.7,"lon":100.6}`)
	list := o.Objects("list")
	p, placed := o.Place("lat", "lon")
	if o.Text("a", 9) != "x" || *o.Number("n") != 1.5 || o.Label("id", 9) != "385" || o.Label("a", 9) != "x" || !o.Bool("b") || o.Has("none") ||
		o.Object("in").Time("t").String() != "2024-05-10T08:45:34.984Z" || len(list) != 2 || list[0].Seconds("s").Milli() != 1440395361000 ||
		!list[1].Seconds("s").IsZero() || !placed || p != (geo.Position{Lat: -0.7, Lng: 100.6}) || o.Number("absent") != nil || o.Object("absent").Has("x") {
		t.Errorf("got something else of %v", o.members)
	}
	if err := o.Fault(); err != nil {
		t.Error(err)
	}
	for _, body := range []string{"", "[]", "null", "7", `"x"`} {
		if _, err := Read([]byte(body)); err == nil {
			t.Errorf("%q: want an error", body)
		}
	}
}

func TestLeaves(t *testing.T) {
	o := read(t, `{"b":{"c":2,"d":{"e":"x"}},"a":true,"list":[1],"none":null}`)
	want := []Leaf{{"a", true}, {"b.c", 2.0}, {"b.d.e", "x"}}
	if diff := cmp.Diff(want, o.Leaves(2, 3, 9)); diff != "" || o.Fault() != nil {
		t.Error(diff, o.Fault())
	}
	for _, most := range []struct {
		depth, count, max int
		want              string
	}{{1, 3, 9, "b.d lies too deep"}, {2, 2, 9, "more than 2"}, {2, 3, 0, "b.d.e is longer"}} {
		o := read(t, `{"b":{"c":2,"d":{"e":"x"}},"a":true}`)
		o.Leaves(most.depth, most.count, most.max)
		if o.Fault() == nil || !strings.Contains(o.Fault().Error(), most.want) {
			t.Errorf("got %v, want %q", o.Fault(), most.want)
		}
	}
}

func TestFaults(t *testing.T) {
	cases := []struct {
		body, want string
		ask        func(o *Object)
	}{
		{`{"Lat":1}`, `"Lat" should be written "lat"`, func(o *Object) { o.Number("lat") }},
		{`{"in":{"A":1}}`, `"in.A" should be written "a"`, func(o *Object) { o.Object("in").Number("a") }},
		{`{"a":"1"}`, "a is not a number", func(o *Object) { o.Number("a") }},
		{`{"a":1e999}`, "a is not a number", func(o *Object) { o.Number("a") }},
		{`{"a":7}`, "a is not a string", func(o *Object) { o.Text("a", 9) }},
		{`{"a":1.5}`, "a is not a whole number", func(o *Object) { o.Label("a", 9) }},
		{`{"a":"long"}`, "a is longer than 3 bytes", func(o *Object) { o.Text("a", 3) }},
		{`{"a":""}`, "a is missing", func(o *Object) { o.Need("a", 3) }},
		{`{"a":[]}`, "a is not an object", func(o *Object) { o.Object("a") }},
		{`{"a":{}}`, "a is not an array", func(o *Object) { o.Objects("a") }},
		{`{"a":[7]}`, "a[0] is not an object", func(o *Object) { o.Objects("a") }},
		{`{"a":1}`, "a is not true or false", func(o *Object) { o.Bool("a") }},
		{`{"a":400}`, "a 400 is not within 0..360", func(o *Object) { o.Between("a", 0, 360) }},
		{`{"a":1440395361000}`, "seconds since 1970", func(o *Object) { o.Seconds("a") }},
		{`{"a":-5}`, "seconds since 1970", func(o *Object) { o.Seconds("a") }},
		{`{"a":1440395361}`, "milliseconds since 1970", func(o *Object) { o.Millis("a") }},
		{`{"a":"2024-05-10 10:45"}`, "is not a time", func(o *Object) { o.Time("a") }},
		{`{"a":1}`, "one is missing", func(o *Object) { o.Place("a", "b") }},
		{`{"a":100.6,"b":-0.7}`, "seem swapped", func(o *Object) { o.Place("a", "b") }},
		{`{"a":0,"b":0}`, "unknown place", func(o *Object) { o.Place("a", "b") }},
		{`{"a":100,"b":200}`, "latitude 100", func(o *Object) { o.Place("a", "b") }},
	}
	for _, c := range cases {
		o := read(t, c.body)
		c.ask(o)
		if o.Fault() == nil || !strings.Contains(o.Fault().Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.body, o.Fault(), c.want)
		}
		o.Fail("a later one")
		if strings.Contains(o.Fault().Error(), "later") {
			t.Errorf("%s: the first fault was lost", c.body)
		}
	}
	if got := Cut("aé", 2); got != "a" {
		t.Errorf("cut: %q", got)
	}
}
