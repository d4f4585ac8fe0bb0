package public

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"kentongan/geo"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// anything draws Things as they may come: crowded, so that cells fill, and with all that must not be shown.
func anything(t *rapid.T) []Thing {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Thing {
		return Thing{
			ID: fmt.Sprintf("f:%d", rapid.IntRange(0, 60).Draw(t, "id")), Kind: rapid.SampledFrom([]string{"bus", "bus", "bus", "train", "unit", "river_gauge", ""}).Draw(t, "kind"),
			Position: geo.Position{Lat: -0.8 + float64(rapid.IntRange(0, 3).Draw(t, "lat"))*0.03, Lng: 100.6 + float64(rapid.IntRange(0, 3).Draw(t, "lng"))*0.03},
			At:       noon.Add(-time.Duration(rapid.IntRange(-5, 45).Draw(t, "age")) * time.Minute), Simulated: rapid.IntRange(0, 9).Draw(t, "sim") == 0,
		}
	}), 0, 300).Draw(t, "things")
}

func options(t *rapid.T) Options {
	return Options{Kinds: rapid.SampledFrom([][]string{nil, {"bus"}, {"bus", "train"}, {"unit", "bus"}, {"unit"}}).Draw(t, "kinds"), Resolution: geo.Resolution(rapid.IntRange(-1, 15).Draw(t, "res")),
		Delay: time.Duration(rapid.IntRange(-5, 30).Draw(t, "delay")) * time.Minute, Together: rapid.IntRange(-1, 9).Draw(t, "k"), Window: time.Duration(rapid.IntRange(0, 30).Draw(t, "window")) * time.Minute}
}

// in counts, without the function under test, the distinct Things that could stand behind a cell.
func in(c Crowd, things []Thing, now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, t := range things {
		cell, err := geo.CellAt(t.Position, geo.Resolution(c.Cell.Resolution()))
		if err == nil && cell == c.Cell && t.Kind == c.Kind && t.Kind != "unit" && !t.Simulated && !t.At.After(now.Add(-15*time.Minute)) {
			out[t.ID] = true
		}
	}
	return out
}

func TestWhateverIsAskedTheBoundsHold(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		things, o := anything(t), options(t)
		for _, c := range Cells(things, noon, o) {
			behind := in(c, things, noon)
			switch {
			case c.Cell.Resolution() > 7:
				t.Fatalf("resolution %d", c.Cell.Resolution())
			case c.Kind == "unit":
				t.Fatal("units are shown")
			case c.Count < 5 || len(behind) < c.Count:
				t.Fatalf("%d are shown, %d are there, late enough", c.Count, len(behind))
			case c.Count%max(o.Together, 5) != 0:
				t.Fatalf("count %d is not rounded", c.Count)
			}
		}
	})
}

func TestNeitherOrderNorRepetitionCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		things, o := anything(t), options(t)
		want := Cells(things, noon, o)
		again := append(slices.Clone(things), things...)
		slices.Reverse(again)
		if got := Cells(again, noon, o); !slices.Equal(got, want) {
			t.Fatalf("%v, want %v", got, want)
		}
	})
}

// Taking one Thing away, with all that was heard of it, changes at most the cell that it was counted in.
func TestOneThingChangesNoOtherCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		things, o := anything(t), options(t)
		if len(things) == 0 {
			return
		}
		gone := things[rapid.IntRange(0, len(things)-1).Draw(t, "gone")].ID
		rest := slices.DeleteFunc(slices.Clone(things), func(t Thing) bool { return t.ID == gone })
		was, is := byPlace(Cells(things, noon, o)), byPlace(Cells(rest, noon, o))
		changed := 0
		for p := range union(was, is) {
			if was[p] == is[p] {
				continue
			}
			if changed++; is[p] > was[p] || was[p]-is[p] != max(o.Together, 5) {
				t.Fatalf("%v: %d became %d", p, was[p], is[p])
			}
		}
		if changed > 1 {
			t.Fatalf("%d cells changed with one Thing", changed)
		}
	})
}

// Whoever compares two releases cannot tell that one Thing came or went: for every pair of counts that may be shown, the true differences
// behind it are many. The table is made by asking the function itself.
func TestDifferencesTellOfNobody(t *testing.T) {
	shown := map[int][]int{} // what is shown -> the true counts behind it
	for n := range 60 {
		var things []Thing
		for i := range n {
			things = append(things, Thing{ID: fmt.Sprint(i), Kind: "bus", Position: geo.Position{Lat: -0.8, Lng: 100.6}, At: noon.Add(-20 * time.Minute)})
		}
		count := 0
		if cells := Cells(things, noon, Options{Resolution: 7}); len(cells) == 1 {
			count = cells[0].Count
		}
		shown[count] = append(shown[count], n)
	}
	if len(shown) != 12 {
		t.Fatalf("%v", shown)
	}
	for a, before := range shown {
		for b, after := range shown {
			differences := map[int]bool{}
			for _, x := range before {
				for _, y := range after {
					differences[y-x] = true
				}
			}
			if len(differences) < 2*LeastTogether-1 {
				t.Errorf("%d then %d tells that %v came or went", a, b, slices.Collect(maps.Keys(differences)))
			}
		}
	}
}

func TestEverybodySeesTheSameUntilTheNextRelease(t *testing.T) {
	w := NewWindow(Options{Resolution: 9, Delay: time.Minute})
	if o := w.Options(); o.Resolution != 7 || o.Delay != 15*time.Minute || o.Together != 5 {
		t.Fatalf("%+v", o)
	}
	crowd := func(n int, at time.Time) (out []Thing) {
		for i := range n {
			out = append(out, Thing{ID: fmt.Sprint(i), Kind: "bus", Position: geo.Position{Lat: -0.8, Lng: 100.6}, At: at})
		}
		return append(out, Thing{ID: "u", Kind: "unit", Position: geo.Position{Lat: -0.8, Lng: 100.6}, At: at})
	}
	w.Take(crowd(7, noon), noon)
	for minute, want := range map[int]int{0: 0, 14: 0, 15: 5, 16: 5, 25: 5, 31: 5, 35: 0} {
		fresh := NewWindow(Options{})
		fresh.seen = w.seen
		cells, at := fresh.Release(noon.Add(time.Duration(minute) * time.Minute))
		got := 0
		for _, c := range cells {
			got += c.Count
		}
		if got != want {
			t.Errorf("minute %d: %d of the moment %s, want %d", minute, got, at, want)
		}
	}
	first, _ := w.Release(noon.Add(15 * time.Minute))
	w.Take(crowd(30, noon.Add(-time.Minute)), noon.Add(16*time.Minute))
	if again, _ := w.Release(noon.Add(19 * time.Minute)); !slices.Equal(first, again) {
		t.Errorf("%v, then %v", first, again)
	}
	if next, _ := w.Release(noon.Add(20 * time.Minute)); slices.Equal(first, next) {
		t.Error("the next release is the last one")
	}
}

func byPlace(list []Crowd) map[string]int {
	out := map[string]int{}
	for _, c := range list {
		out[c.Cell.String()+c.Kind] = c.Count
	}
	return out
}

func union(a, b map[string]int) map[string]int {
	out := maps.Clone(a)
	maps.Copy(out, b)
	return out
}

func TestUnitsAreNeverShown(t *testing.T) {
	var crew []Thing
	for i := range 50 {
		crew = append(crew, Thing{ID: fmt.Sprint(i), Kind: "unit", Position: geo.Position{Lat: -0.8, Lng: 100.6}, At: noon.Add(-20 * time.Minute)})
	}
	if got := Cells(crew, noon, Options{Kinds: []string{"unit", "bus"}}); len(got) > 0 {
		t.Errorf("%v", got)
	}
}
