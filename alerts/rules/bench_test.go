package rules

import (
	"fmt"
	"syscall"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var benchAlert = AlertBlock{Event: "x", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"}

// manyRules is rules of which some can match a reading of p0.
func manyRules(n, match int) []Rule {
	var list []Rule
	for i := range n {
		property := fmt.Sprintf("p%d", i)
		if i < match {
			property = "p0"
		}
		list = append(list, Rule{ID: fmt.Sprintf("r%d", i), When: fmt.Sprintf(`obs.property == %q && obs.value >= %d.0`, property, 3+i%7), Clear: "obs.value < 2.5", Alert: benchAlert})
	}
	return list
}

// manyFences is fences from a radius of 200 m on over the regency, each larger by a step than the one before, for ten.
func manyFences(n int, step float64) []Rule {
	var list []Rule
	for i := range n {
		mid := geo.Position{Lng: 100.45 + float64(i%40)*0.02, Lat: -1.3 + float64(i/40)*0.03}
		shape := geo.Circle(mid, 200+float64(i%10)*step)
		list = append(list, Rule{ID: fmt.Sprintf("f%d", i), When: `thing.kind == "bus"`, Fence: &Fence{On: FenceInside, Polygon: &Polygon{shape}}, Alert: benchAlert})
	}
	return list
}

// benchEngine is an engine of a program that is compiled once: a thousand fences take longer to cover with cells than they are measured.
func benchEngine(b *testing.B, name string, list func() []Rule) *Engine {
	b.Helper()
	p := benchPrograms[name]
	if p == nil {
		var err error
		if p, err = Compile(list(), nil); err != nil {
			b.Fatal(err)
		}
		benchPrograms[name] = p
	}
	return NewEngine(p)
}

var benchPrograms = map[string]*Program{}

// warm is how many readings an engine has judged before it is measured: twenty minutes of each instrument, so that it holds the history it will
// always hold, and lets go as much as it takes up.
const warm = 120_000

// A thousand instruments and buses speak in turn, every ten seconds each; now and then one is high.
func feed(b *testing.B, e *Engine, kind string) {
	things := make([]*feeds.Thing, 1000)
	for i := range things {
		things[i] = &feeds.Thing{ID: fmt.Sprintf("a:%d", i), Feed: "a", Kind: kind, Placed: true, Position: geo.Position{Lng: 100.45 + float64(i)*0.0007, Lat: -1.2 + float64(i%30)*0.02}}
	}
	i, decided := 0, 0
	speak := func() {
		t := things[i%1000]
		at := noon.Add(time.Duration(i) * 10 * time.Millisecond)
		o := feeds.Observation{Property: "p0", Quality: feeds.Good, At: moment.Of(at), Value: feeds.Value{Num: 1 + float64(i*7919%100)/100}, Placed: true, Position: t.Position}
		if i%1000 < 5 {
			o.Value.Num = 4
		}
		o.Position.Lng += float64(i/1000%50) * 0.0002
		decided += len(e.Reading(t, o, at))
		i++
	}
	for range warm {
		speak()
	}
	if decided == 0 {
		b.Fatal("no rule decided anything: nothing is measured")
	}
	b.ReportAllocs()
	cpu := processor(b)
	for b.Loop() {
		speak()
	}
	b.ReportMetric(float64(b.N)/(processor(b)-cpu).Seconds(), "readings/cpu-s")
}

// processor is the time that the process has had a processor, its garbage collector included: on a busy machine the wall clock tells of others.
func processor(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func BenchmarkReadings(b *testing.B) {
	for _, c := range []struct {
		name, kind string
		rules      func() []Rule
	}{
		{"1000 rules of which 10 match", "gauge", func() []Rule { return manyRules(1000, 10) }},
		{"1000 rules of which 10 match and 1000 fences", "bus", func() []Rule { return append(manyRules(1000, 10), manyFences(1000, 60)...) }},
		{"the same with fences that lie five deep over each other", "bus", func() []Rule { return append(manyRules(1000, 10), manyFences(1000, 300)...) }},
	} {
		b.Run(c.name, func(b *testing.B) { feed(b, benchEngine(b, c.name, c.rules), c.kind) })
	}
}

// BenchmarkMatch is only what it costs to find and try the rules on a reading.
func BenchmarkMatch(b *testing.B) {
	e := benchEngine(b, "100 rules of which 5 match", func() []Rule { return manyRules(100, 5) })
	p := e.Program()
	v := &view{thing: &feeds.Thing{ID: "a:1", Kind: "gauge"}, obs: &feeds.Observation{Property: "p0", Value: feeds.Value{Num: 1.5}}}
	b.ReportAllocs()
	cpu := processor(b)
	for b.Loop() {
		for _, name := range p.keys {
			for _, c := range p.index[name][fields[name].text(v)] {
				if c.tied(v) {
					c.says(v)
				}
			}
		}
	}
	b.ReportMetric(float64(processor(b)-cpu)/float64(b.N), "cpu-ns/op")
}

// BenchmarkFenceTest is a bus that drives through a thousand fences, ten metres at a time.
func BenchmarkFenceTest(b *testing.B) {
	e := benchEngine(b, "1000 fences", func() []Rule { return manyFences(1000, 300) })
	f := e.Program().fences
	var room []*compiled
	var l geo.Locator
	b.ReportAllocs()
	i := 0
	cpu := processor(b)
	for b.Loop() {
		p := geo.Position{Lng: 100.45 + float64(i%9000)*0.00009, Lat: -1.3 + float64(i/9000%25)*0.03}
		i++
		cell, _ := l.CellNear(p, geo.ResMatch)
		room = f.holding(room[:0], p, cell)
	}
	b.ReportMetric(float64(processor(b)-cpu)/float64(b.N), "cpu-ns/op")
}

func BenchmarkSave(b *testing.B) {
	e := benchEngine(b, "1000 rules", func() []Rule { return manyRules(1000, 10) })
	n := 0
	for b.Loop() {
		for i := range 100 {
			at := noon.Add(time.Duration(n*100+i) * 10 * time.Millisecond)
			e.Reading(&feeds.Thing{ID: fmt.Sprintf("a:%d", (n*100+i)%1000)}, feeds.Observation{Property: "p0", At: moment.Of(at), Value: feeds.Value{Num: 1}}, at)
		}
		n++
		e.Save()
	}
}
