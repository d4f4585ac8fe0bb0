package rules

// encode writes the instruments of a shard; false where there are none.
func (x *watch) encode(w *writer, shard int) bool {
	keys := keysOf(x.things, shard)
	w.uint(uint64(len(keys)))
	for _, k := range keys {
		i := x.things[k]
		w.text(k)
		w.thing(i.thing)
		w.uint(uint64(i.bad))
		w.uint(uint64(i.good))
		w.text(i.fault)
		w.text(i.property)
		w.int(i.since)
		w.int(i.heard)
		w.int(i.spoke)
		w.uint(uint64(len(i.series)))
		for j := range i.series {
			w.series(&i.series[j])
		}
	}
	return len(keys) > 0
}

func (w *writer) series(s *series) {
	w.text(s.property)
	w.text(s.unit)
	w.int(s.at)
	for _, v := range []float64{s.last, s.before, s.step, s.low, s.high} {
		w.num(v)
	}
	for _, v := range []uint32{s.n, s.run, s.longest, s.moves, s.calm, uint32(s.spikes), uint32(s.away)} {
		w.uint(uint64(v))
	}
	w.text(s.other.unit)
	w.uint(uint64(s.other.n))
	w.int(s.other.from)
	w.int(s.other.at)
}

// decode takes the instruments of a shard up. Version 1 did not say when they were heard: that is taken to be now.
func (x *watch) decode(r *reader, now int64) {
	for n := r.count(); n > 0 && r.err == nil; n-- {
		key := r.text()
		i := &instrument{thing: r.thing(), bad: uint8(r.uint()), good: uint8(r.uint()), fault: r.text(), property: r.text(), since: r.int(), heard: now, spoke: now}
		if r.version > 1 {
			i.heard, i.spoke = r.int(), r.int()
		}
		for m := r.count(); m > 0 && r.err == nil; m-- {
			i.series = append(i.series, r.series())
		}
		if i.fault != "" && i.thing == nil {
			r.fail()
		}
		if r.err == nil {
			x.things[key] = i
		}
	}
}

func (r *reader) series() series {
	s := series{property: r.text(), unit: r.text(), at: r.int()}
	s.sudden = sudden(s.property)
	for _, v := range []*float64{&s.last, &s.before, &s.step, &s.low, &s.high} {
		*v = r.num()
	}
	for _, v := range []*uint32{&s.n, &s.run, &s.longest, &s.moves, &s.calm} {
		*v = uint32(r.uint())
	}
	s.spikes, s.away = uint8(r.uint()), uint8(r.uint())
	if r.version > 1 {
		s.other = other{unit: r.text(), n: uint32(r.uint()), from: r.int(), at: r.int()}
	}
	return s
}
