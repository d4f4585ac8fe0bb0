package rules

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/feeds"
	"kentongan/geo/moment"
)

// brief writes decisions down so that two lists of them can be compared.
func brief(ds []Decision) string {
	var b strings.Builder
	for _, d := range ds {
		fmt.Fprintf(&b, "%s %s %v %s since %s withdrawn %v %v %v %s\n", d.Rule.ID, d.Key, d.Fire, d.At.Format(time.RFC3339Nano), d.Since.Format(time.RFC3339Nano), d.Withdrawn, d.Sources, d.Inputs, d.Thing.ID)
	}
	return b.String()
}

// How often time passes between readings makes no difference, to the order of what is decided.
func TestTickMakesNoDifference(t *testing.T) {
	p := program(t, mixed)
	rapid.Check(t, func(t *rapid.T) {
		list := soiled(t, story(t))
		want := brief(played(NewEngine(p), list))
		e := NewEngine(p)
		var got []Decision
		last := noon
		for _, g := range list {
			for range rapid.IntRange(0, 3).Draw(t, "ticks") {
				between := last.Add(time.Duration(rapid.Int64Range(0, int64(g.arrives.Sub(last))).Draw(t, "when")))
				got = append(got, e.Tick(between)...)
			}
			got = append(got, g.give(e)...)
			last = g.arrives
		}
		got = append(got, e.Tick(noon.Add(4*time.Hour))...)
		if s := brief(got); s != want {
			t.Fatalf("without ticks and with: %s", parting(want, s))
		}
	})
}

// merged lays the fields of a Save over those of earlier ones, as the store does.
func merged(to, from map[string][]byte) {
	for k, v := range from {
		if v == nil {
			delete(to, k)
		} else {
			to[k] = v
		}
	}
}

// apart names the fields in which two states differ.
func apart(a, b map[string][]byte) (out []string) {
	for k := range a {
		if !bytes.Equal(a[k], b[k]) {
			out = append(out, k)
		}
	}
	for k := range b {
		if a[k] == nil {
			out = append(out, k)
		}
	}
	slices.Sort(out)
	return out
}

// parting is where two texts part.
func parting(a, b string) string {
	x, y := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range x {
		if i >= len(y) || x[i] != y[i] {
			return fmt.Sprintf("line %d:\n%s\n%s", i, x[i], strings.Join(y[min(i, len(y)):min(i+1, len(y))], ""))
		}
	}
	return "the second goes on: " + y[len(x)]
}

// whole saves everything there is.
func whole(e *Engine) map[string][]byte {
	e.fresh = true
	for _, s := range e.states {
		for i := range shards {
			s.dirty[i], s.urgent[i] = true, true
		}
		if s.piles != nil {
			s.piles.moved = true
		}
		if s.near != nil {
			s.near.moved = true
		}
		for _, u := range s.usual {
			u.dirty = true
		}
	}
	for i := range shards {
		e.tracks.dirty[i] = true
	}
	out := map[string][]byte{}
	merged(out, e.Save())
	return out
}

// An engine that dies at any moment goes on in another from what was saved bit by bit, and decides the same; equal states are equal bytes.
func TestStateGoesOnInAnother(t *testing.T) {
	p := program(t, mixed)
	rapid.Check(t, func(t *rapid.T) {
		list := soiled(t, story(t))
		want := brief(played(NewEngine(p), list))
		e := NewEngine(p)
		kept := map[string][]byte{}
		var got []Decision
		for _, g := range list {
			got = append(got, g.give(e)...)
			switch rapid.IntRange(0, 9).Draw(t, "save or die") {
			case 0:
				merged(kept, e.Save())
			case 1:
				merged(kept, e.Save())
				next := NewEngine(p)
				if err := next.Restore(kept); err != nil {
					t.Fatal(err)
				}
				if a, b := whole(e), whole(next); !maps.EqualFunc(a, b, bytes.Equal) {
					t.Fatalf("%v differ", apart(a, b))
				}
				e = next
			}
		}
		got = append(got, e.Tick(noon.Add(4*time.Hour))...)
		if s := brief(got); s != want {
			t.Fatalf("in one life and in several: %s", parting(want, s))
		}
	})
}

func FuzzRestore(f *testing.F) {
	p := program(f, mixed+"- {id: odd, when: 'obs.property == \"level\"', anomaly: {least: 1}, alert: *a}\n")
	e := NewEngine(p)
	for i := range 200 {
		thing := []string{"a:1", "a:2", "a:3", "a:car"}[i%4]
		o := feeds.Observation{Property: "level", Value: feeds.Value{Num: 3.4 - float64(i%5)/10}, At: moment.Of(noon.Add(time.Duration(i*7) * time.Second))}
		if thing == "a:car" {
			o.Property, o.Placed, o.Position = "gps", true, where["a:1"]
		}
		given{thing, o, o.At.Time}.give(e)
	}
	fields := whole(e)
	names := slices.Sorted(maps.Keys(fields))
	for i, name := range names {
		f.Add(uint8(i), fields[name])
	}
	f.Fuzz(func(t *testing.T, n uint8, b []byte) {
		e := NewEngine(p)
		name := names[int(n)%len(names)]
		if err := e.Restore(map[string][]byte{name: b}); err != nil && !strings.Contains(err.Error(), name) {
			t.Fatalf("the error does not name %q: %v", name, err)
		}
		// Whatever was taken up, the engine lives on with it.
		for i := range 4 {
			for _, thing := range []string{"a:1", "a:2", "a:car"} {
				o := feeds.Observation{Property: "level", Value: feeds.Value{Num: 3.4}, At: moment.Of(noon.Add(time.Duration(i) * 11 * time.Minute))}
				if thing == "a:car" {
					o.Property, o.Placed, o.Position = "gps", true, where["a:1"]
				}
				given{thing, o, o.At.Time}.give(e)
			}
		}
		e.Tick(noon.Add(30 * time.Hour))
		e.List()
		again := NewEngine(p)
		kept := whole(e)
		if err := again.Restore(kept); err != nil {
			t.Fatalf("what it saves it does not read: %v", err)
		}
		if !maps.EqualFunc(whole(again), kept, bytes.Equal) {
			t.Fatal("read and written again it is another")
		}
	})
}

// A condition that is nothing but comparisons says the same as CEL's own interpreter.
func TestQuickConditionsAgreeWithCEL(t *testing.T) {
	envs, err := newEnvironments()
	if err != nil {
		t.Fatal(err)
	}
	texts := []string{"level", "x", ""}
	var expr func(t *rapid.T, depth int) string
	expr = func(t *rapid.T, depth int) string {
		kind := rapid.IntRange(0, 9).Draw(t, "kind")
		if depth <= 0 {
			kind = kind % 7
		}
		op := rapid.SampledFrom([]string{"==", "!=", "<", "<=", ">", ">="}).Draw(t, "op")
		number := rapid.SampledFrom([]string{"1", "1.5", "-2", "0", "3.0", "9007199254740993"}).Draw(t, "number")
		text := fmt.Sprintf("%q", rapid.SampledFrom(texts).Draw(t, "text"))
		name := rapid.SampledFrom([]string{"obs.property", "obs.unit", "thing.id", "thing.kind", "thing.feed", "thing.name", "area.code", "area.name", "area.kind"}).Draw(t, "name")
		eq := rapid.SampledFrom([]string{"==", "!="}).Draw(t, "eq")
		switch kind {
		case 0:
			return "obs.value " + op + " " + number
		case 1:
			return number + " " + op + " obs.value"
		case 2:
			return "obs.rate " + op + " 1.5"
		case 3:
			return name + " " + eq + " " + text
		case 4:
			return "obs.value " + eq + " " + rapid.SampledFrom([]string{text, "true", "false"}).Draw(t, "literal")
		case 5:
			return name + " in [" + text + `, "level"]`
		case 6:
			return rapid.SampledFrom([]string{"true", "false", "area.ours", name + ".startsWith(" + text + ")", name + ".contains(" + text + ")", name + ".endsWith(" + text + ")"}).Draw(t, "other")
		case 7:
			return "!(" + expr(t, depth-1) + ")"
		case 8:
			return "(" + expr(t, depth-1) + " && " + expr(t, depth-1) + ")"
		}
		return "(" + expr(t, depth-1) + " || " + expr(t, depth-1) + ")"
	}
	rapid.Check(t, func(t *rapid.T) {
		text := expr(t, 4)
		c, err := newCond(envs.rate, text)
		if err != nil {
			t.Fatal(text, err)
		}
		for range 8 {
			value := rapid.SampledFrom([]feeds.Value{{Num: 1}, {Num: 1.5}, {Num: -2}, {Num: 9007199254740992}, {Type: feeds.Text, Text: "x"}, {Type: feeds.Bool, Num: 1}, {Type: feeds.Bool}}).Draw(t, "value")
			word := func(n string) string { return rapid.SampledFrom(texts).Draw(t, n) }
			v := &view{thing: &feeds.Thing{ID: word("id"), Kind: word("kind"), Feed: word("feed"), Name: word("name")},
				obs:  &feeds.Observation{Property: word("property"), Unit: word("unit"), Value: value},
				rate: rapid.SampledFrom([]float64{0, 1.5, 3}).Draw(t, "rate"), rated: rapid.Bool().Draw(t, "rated")}
			quick, slow := c.holds(v), c.eval(v)
			if quick != slow {
				t.Fatalf("%s of %+v %+v: quick %v, CEL %v", text, v.thing, v.obs, quick, slow)
			}
		}
		if !strings.Contains(text, "9007199254740993") && c.quick == nil {
			t.Fatalf("%s is left to CEL", text)
		}
	})
}

// What the index finds is what trying every rule finds.
func TestIndexFindsWhatMatches(t *testing.T) {
	alert := AlertBlock{Event: "X", Category: "Met", Severity: "Severe", Urgency: "Immediate", Certainty: "Observed"}
	rapid.Check(t, func(t *rapid.T) {
		words := []string{"a", "b", "c"}
		part := func(n string) string {
			name := rapid.SampledFrom([]string{"thing.id", "obs.property", "thing.kind", "thing.feed"}).Draw(t, n)
			if rapid.Bool().Draw(t, n+" list") {
				return fmt.Sprintf(`%s in [%q, %q]`, name, rapid.SampledFrom(words).Draw(t, n+" 1"), rapid.SampledFrom(words).Draw(t, n+" 2"))
			}
			return fmt.Sprintf(`%s == %q`, name, rapid.SampledFrom(words).Draw(t, n+" word"))
		}
		var list []Rule
		for i := range rapid.IntRange(1, 12).Draw(t, "rules") {
			join := rapid.SampledFrom([]string{" && ", " || "}).Draw(t, "join")
			list = append(list, Rule{ID: fmt.Sprint("r", i), Samples: 1, Alert: alert, When: part("p") + join + part("q")})
		}
		indexed, err := Compile(list, nil)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := Compile(list, nil)
		if err != nil {
			t.Fatal(err)
		}
		plain.index, plain.keys, plain.any = nil, nil, true
		plain.loose = plain.list[:len(list)]
		for _, c := range plain.list {
			c.ties, c.tests = nil, nil
		}
		a, b := NewEngine(indexed), NewEngine(plain)
		for i := range 30 {
			word := func(n string) string { return rapid.SampledFrom(append(words, "d")).Draw(t, n) }
			o := feeds.Observation{Property: word("property"), At: moment.Of(noon.Add(time.Duration(i) * time.Second))}
			thing := &feeds.Thing{ID: word("thing")}
			thing.Kind, thing.Feed = map[string]string{"a": "b", "b": "c", "c": "c", "d": "a"}[thing.ID], map[string]string{"a": "a", "b": "a", "c": "d", "d": "b"}[thing.ID]
			x, y := a.Reading(thing, o, o.At.Time), b.Reading(thing, o, o.At.Time)
			sort := func(ds []Decision) []string { l := strings.Split(brief(ds), "\n"); slices.Sort(l); return l }
			if !slices.Equal(sort(x), sort(y)) {
				t.Fatalf("%s %s: %s", thing.ID, o.Property, parting(strings.Join(sort(x), "\n"), strings.Join(sort(y), "\n")))
			}
		}
	})
}
