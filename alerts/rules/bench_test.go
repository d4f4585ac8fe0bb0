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

func benchEngine(b *testing.B, list []Rule) *Engine {
	b.Helper()
	p, err := Compile(list, nil)
	if err != nil {
		b.Fatal(err)
	}
	return NewEngine(p)
}

// A thousand instruments and buses speak in turn, every ten seconds each; now and then one is high.
func feed(b *testing.B, e *Engine, kind string) {
	things := make([]*feeds.Thing, 1000)
	for i := range things {
		things[i] = &feeds.Thing{ID: fmt.Sprintf("a:%d", i), Feed: "a", Kind: kind, Placed: true, Position: geo.Position{Lng: 100.45 + float64(i)*0.0007, Lat: -1.2 + float64(i%30)*0.02}}
	}
	b.ReportAllocs()
	b.ResetTimer()
	cpu := processor(b)
	for i := range b.N {
		t := things[i%1000]
		at := noon.Add(time.Duration(i) * 10 * time.Millisecond)
		o := feeds.Observation{Property: "p0", Quality: feeds.Good, At: moment.Of(at), Value: feeds.Value{Num: 1 + float64(i*7919%100)/100}, Placed: true, Position: t.Position}
		if i%1000 < 5 {
			o.Value.Num = 4
		}
		o.Position.Lng += float64(i/1000%50) * 0.0002
		e.Reading(t, o, at)
	}
	b.StopTimer()
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
	b.Run("1000 rules of which 10 match", func(b *testing.B) { feed(b, benchEngine(b, manyRules(1000, 10)), "gauge") })
	b.Run("1000 rules of which 10 match and 1000 fences", func(b *testing.B) {
		feed(b, benchEngine(b, append(manyRules(1000, 10), manyFences(1000, 60)...)), "bus")
	})
	b.Run("the same with fences that lie five deep over each other", func(b *testing.B) {
		feed(b, benchEngine(b, append(manyRules(1000, 10), manyFences(1000, 300)...)), "bus")
	})
}

// BenchmarkMatch is only what it costs to find and try the rules on a reading.
func BenchmarkMatch(b *testing.B) {
	e := benchEngine(b, manyRules(100, 5))
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
	e := benchEngine(b, manyFences(1000, 300))
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
	e := benchEngine(b, manyRules(1000, 10))
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
