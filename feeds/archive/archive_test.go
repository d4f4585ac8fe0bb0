package archive

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rs/zerolog"

	"kentongan/geo/moment"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, c Config) *Archive {
	t.Helper()
	c.Dir, c.Log = filepath.Join(t.TempDir(), "raw"), zerolog.Nop()
	if c.Keeps == nil {
		c.Keeps = func(string) time.Duration { return 48 * time.Hour }
	}
	if c.Now == nil {
		c.Now = func() time.Time { return noon }
	}
	if c.Spare == 0 {
		c.Spare = 1
	}
	a, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func read(t *testing.T, path string) ([]Delivery, error) {
	t.Helper()
	var out []Delivery
	err := Read(path, func(d Delivery) error { out = append(out, d); return nil })
	return out, err
}

func TestWhatIsKeptComesBack(t *testing.T) {
	a := open(t, Config{})
	want := []Delivery{
		{At: moment.Of(noon), Feed: "awlr", ContentType: "application/json", Outcome: Stored, Accepted: 1, Body: []byte(`{"thing":"a <b> & \"c\""}`)},
		{At: moment.Of(noon), Feed: "awlr", Topic: "awlr/1/up", Outcome: Refused, Reason: "json: line 1: does not end", Body: []byte("\n{")},
		{At: moment.Of(noon), Feed: "awlr", URL: "https://h/x", Outcome: Stored, Duplicates: 2, Ignored: 3, Rejected: 4, Body: []byte{0xff, 0, 0x80}},
		{At: moment.Of(noon), Feed: "awlr", Outcome: Stored},
	}
	for i, d := range want {
		a.Keep(d)
		if i == 1 {
			a.Flush() // two frames
		}
	}
	a.Keep(Delivery{Feed: "usgs", Body: []byte("x")})
	a.Flush()
	path := filepath.Join(a.c.Dir, "awlr", "2026-11-27T12Z.jsonl.zst")
	got, err := read(t, path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want[:3], got[:3]); d != "" || len(got) != 4 || len(got[3].Body) != 0 {
		t.Error(d, len(got))
	}
	info, _ := os.Stat(path)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v: names and places are in there", info.Mode())
	}
	list, err := a.Files("awlr", noon.Add(-time.Hour), noon.Add(time.Hour))
	if err != nil || len(list) != 1 {
		t.Errorf("%v %v", list, err)
	}
	if list, _ := a.Files("awlr", noon.Add(3*time.Hour), noon.Add(4*time.Hour)); len(list) != 0 {
		t.Errorf("hours without deliveries: %v", list)
	}
	if list, err := Expand([]string{a.c.Dir}); err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}
}

func TestMarkupIsNotBlownUp(t *testing.T) {
	d := Delivery{Body: bytes.Repeat([]byte("<a>&amp;</a>"), 1000)}
	b, err := d.MarshalJSON()
	if err != nil || len(b) > len(d.Body)+200 {
		t.Errorf("%d bytes became %d: %v", len(d.Body), len(b), err)
	}
}

func TestATornEndCostsOnlyItsFrame(t *testing.T) {
	a := open(t, Config{})
	for _, body := range []string{"one", "two"} {
		a.Keep(Delivery{Feed: "f", Body: []byte(body + strings.Repeat(" some words that vary "+body, 50))})
		a.Flush()
	}
	path := filepath.Join(a.c.Dir, "f", "2026-11-27T12Z.jsonl.zst")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < 20; cut++ {
		if err := os.WriteFile(path, whole[:len(whole)-cut], 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := read(t, path)
		if !errors.Is(err, ErrTorn) || len(got) != 1 || !bytes.HasPrefix(got[0].Body, []byte("one")) {
			t.Fatalf("cut by %d: %d deliveries, %v", cut, len(got), err)
		}
	}
}

// After a sudden end the same hour goes on in the same file: what comes then must be readable.
func TestWhatFollowsATornEndIsRead(t *testing.T) {
	a := open(t, Config{})
	rng := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 300<<10) // several blocks
	for i := range noise {
		noise[i] = byte(rng.Uint32())
	}
	for _, body := range [][]byte{[]byte("one"), bytes.Repeat([]byte("-"), 200<<10), noise} {
		a.Keep(Delivery{Feed: "f", Body: body})
		a.Flush()
	}
	path := filepath.Join(a.c.Dir, "f", "2026-11-27T12Z.jsonl.zst")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, end := range []struct {
		name  string
		bytes []byte
		kept  int
	}{
		{"whole", whole, 3}, {"cut by one", whole[:len(whole)-1], 2}, {"cut in a block", whole[:len(whole)-100<<10], 2}, {"zeros", append(bytes.Clone(whole), make([]byte, 4096)...), 3},
		{"half a header", append(bytes.Clone(whole), whole[:5]...), 3}, {"a header alone", append(bytes.Clone(whole), whole[:9]...), 3}, {"nothing", nil, 0}, {"rubbish", []byte("rubbish"), 0},
	} {
		if err := os.WriteFile(path, end.bytes, 0o600); err != nil {
			t.Fatal(err)
		}
		next, err := Open(a.c)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			next.Keep(Delivery{Feed: "f", Body: []byte("after")})
			next.Flush()
		}
		got, err := read(t, path)
		if err != nil || len(got) != end.kept+2 || string(got[len(got)-1].Body) != "after" {
			t.Errorf("%s: %d deliveries, %v", end.name, len(got), err)
		}
	}
}

func TestNoArchiveIsRefusedByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.jsonl.zst")
	if err := os.WriteFile(path, []byte("<html>not here</html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := read(t, path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("%v", err)
	}
}

func TestOldHoursGo(t *testing.T) {
	now := noon
	a := open(t, Config{Now: func() time.Time { return now }, Keeps: func(feed string) time.Duration {
		if feed == "short" {
			return 3 * time.Hour
		}
		return 24 * time.Hour
	}})
	for range 6 {
		for _, feed := range []string{"short", "long"} {
			a.Keep(Delivery{Feed: feed, Body: []byte("x")})
		}
		a.Flush()
		now = now.Add(time.Hour)
	}
	foreign := filepath.Join(a.c.Dir, "short", "notes.txt")
	if err := os.WriteFile(foreign, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	a.Sweep()
	short, _ := a.Files("short", time.Time{}, now)
	long, _ := a.Files("long", time.Time{}, now)
	if len(short) != 3 || len(long) != 6 || filepath.Base(short[0]) != "2026-11-27T15Z.jsonl.zst" {
		t.Errorf("short %v, long %v", short, long)
	}
	if _, err := os.Stat(foreign); err != nil {
		t.Errorf("what is not ours was removed: %v", err)
	}
}

func TestTheOldestGiveWayToSpace(t *testing.T) {
	now := noon
	a := open(t, Config{Now: func() time.Time { return now }, Space: 250})
	for i := range 6 {
		a.Keep(Delivery{Feed: string(rune('a' + i%2)), Body: []byte("some forty bytes that no coder shortens")})
		a.Flush()
		now = now.Add(time.Hour)
	}
	a.Sweep()
	list, err := files(a.c.Dir)
	if err != nil || len(list) == 0 || len(list) == 6 {
		t.Fatalf("%d hours, %v", len(list), err)
	}
	total := int64(0)
	for _, f := range list {
		total += f.size
	}
	if total > 250 || !list[len(list)-1].hour.Equal(noon.Add(5*time.Hour)) {
		t.Errorf("%d bytes, newest %v", total, list[len(list)-1].hour)
	}
}

func TestTheStoresRoomIsLeftAlone(t *testing.T) {
	a := open(t, Config{Spare: 1 << 62})
	for range 3 {
		a.Keep(Delivery{Feed: "f", Body: []byte("x")})
	}
	a.Flush()
	if lost, why := a.Trouble(); lost != 3 || why == nil || !strings.Contains(why.Error(), "disk") {
		t.Errorf("%d %v", lost, why)
	}
	a.c.Spare = 1
	a.Keep(Delivery{Feed: "f", Body: []byte("x")})
	a.Flush()
	if lost, why := a.Trouble(); lost != 3 || why != nil {
		t.Errorf("after it: %d %v", lost, why)
	}
}

func TestWhatWaitsIsBoundedAndWrittenAtTheEnd(t *testing.T) {
	a := open(t, Config{})
	body := make([]byte, 1<<20)
	for range 40 {
		a.Keep(Delivery{Feed: "f", Body: body})
	}
	if lost, _ := a.Trouble(); lost == 0 || a.waiting > mostWait {
		t.Errorf("%d left out, %d bytes wait", lost, a.waiting)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
	lost, _ := a.Trouble()
	got, err := read(t, filepath.Join(a.c.Dir, "f", "2026-11-27T12Z.jsonl.zst"))
	if err != nil || int64(len(got)) != 40-lost {
		t.Errorf("%d deliveries and %d left out, of 40: %v", len(got), lost, err)
	}
}

func BenchmarkKeep(b *testing.B) {
	a, err := Open(Config{Dir: b.TempDir(), Keeps: func(string) time.Duration { return time.Hour }, Log: zerolog.Nop()})
	if err != nil {
		b.Fatal(err)
	}
	d := Delivery{At: moment.Of(noon), Feed: "f", Outcome: Stored, Accepted: 1, Body: []byte(`{"thing":"dev-12","property":"water_level","value":3.4,"unit":"m","lat":-0.83,"lng":100.63}`)}
	b.ReportAllocs()
	b.SetBytes(int64(len(d.Body)))
	for b.Loop() {
		a.Keep(d)
		if a.waiting > 1<<20 {
			a.Flush()
		}
	}
}
