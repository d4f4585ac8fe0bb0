package stream

import (
	"errors"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/formats/ais"
	"kentongan/feeds/formats/cot"
)

func TestCutter(t *testing.T) {
	event := func(id string) string { return `<event uid="` + id + `"><point/></event>` }
	for _, c := range []struct {
		name    string
		framing feeds.Framing
		in      string
		want    []string
		rest    string
		fault   string
	}{
		{"nothing", feeds.Framing{}, "", nil, "", ""},
		{"lines", feeds.Framing{}, "a\r\nb\nc", []string{"a\r\n", "b\n"}, "c", ""},
		{"blank lines are nothing", feeds.Framing{}, "\n\r\n \na\n\n", []string{"a\n"}, "", ""},
		{"a line as long as may be", feeds.Framing{}, strings.Repeat("x", 99) + "\n", []string{strings.Repeat("x", 99) + "\n"}, "", ""},
		{"a line too long", feeds.Framing{}, "a\n" + strings.Repeat("x", 100) + "\n", []string{"a\n"}, "", "too large"},
		{"a line that never ends", feeds.Framing{}, "a\n" + strings.Repeat("x", 101), []string{"a\n"}, "", "too large"},
		{"events", cot.Format{}.Framing(), event("1") + "\n<?xml version='1.0'?>\n" + event("2") + "\n" + `<event uid="3">`, []string{event("1"), "<?xml version='1.0'?>\n" + event("2")}, "<event uid=\"3\">", ""},
		{"events kept open by white space", cot.Format{}.Framing(), event("1") + strings.Repeat("\n", 500), []string{event("1")}, "", ""},
		{"an event that never ends", cot.Format{}.Framing(), event("1") + "<event>" + strings.Repeat("<a>", 40), []string{event("1")}, "", "too large"},
		{"the protobuf of TAK", cot.Format{}.Framing(), "\xbf\x01\xbf\x0a", nil, "", "protobuf"},
	} {
		for _, piece := range []int{1, 3, 7, 1000} {
			cut := newCutter(c.framing, 100)
			var got []string
			var fault error
			for at := 0; at < len(c.in) && fault == nil; at += piece {
				cut.write([]byte(c.in[at:min(at+piece, len(c.in))]))
				for {
					m, err := cut.message()
					if fault = err; m == nil {
						break
					}
					got = append(got, string(m))
				}
			}
			if strings.Join(got, "|") != strings.Join(c.want, "|") {
				t.Errorf("%s in pieces of %d: %q, want %q", c.name, piece, got, c.want)
			}
			if (fault != nil) != (c.fault != "") || fault != nil && !strings.Contains(fault.Error(), c.fault) {
				t.Errorf("%s in pieces of %d: fault %v, want %q", c.name, piece, fault, c.fault)
			}
			if rest := string(cut.rest()); fault == nil && strings.TrimSpace(rest) != strings.TrimSpace(c.rest) {
				t.Errorf("%s in pieces of %d: rest %q, want %q", c.name, piece, rest, c.rest)
			}
			if c.fault == "too large" && !errors.Is(fault, bounded.ErrTooLarge) {
				t.Errorf("%s: %v is not ErrTooLarge", c.name, fault)
			}
		}
	}
}

// A byte at a time costs no more looking than all at once.
func TestCutterLooksAtEachByteOnce(t *testing.T) {
	looked := 0
	next := func(data []byte, seen int) (int, error) {
		looked += len(data) - seen
		return feeds.NextLine(data, seen)
	}
	cut := newCutter(feeds.Framing{Next: next}, 1<<20)
	for range 100_000 {
		cut.write([]byte{'x'})
		if m, err := cut.message(); m != nil || err != nil {
			t.Fatal(m, err)
		}
	}
	if looked > 100_000 {
		t.Errorf("looked at %d bytes of 100000", looked)
	}
}

func TestBatch(t *testing.T) {
	const (
		first  = "!AIVDM,2,1,3,B,55P5TL01VIaAL@7W,0*00\n"
		second = "!AIVDM,2,2,3,B,88888888880,2*00\n"
		single = "!AIVDM,1,1,,A,33P;Tw0tjBQO22:E7dm66DrB20UP,0*2E\n"
	)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	b := batch{framing: ais.Format{}.Framing()}
	add := func(m string) bool { return b.add([]byte(m), now, now) }
	take := func(last bool) string { return string(b.take(now, last)) }

	add(single)
	add(first)
	if got := take(false); got != single || string(b.body) != first {
		t.Errorf("the first part goes without the second: %q, kept %q", got, b.body)
	}
	now = now.Add(together)
	add(second)
	if got := take(false); got != first+second {
		t.Errorf("both parts: %q", got)
	}
	add(first)
	if got := take(false); got != "" {
		t.Errorf("a first part alone goes at once: %q", got)
	}
	if now = b.due; take(false) != first {
		t.Error("a part whose other never comes waits for ever")
	}
	add(first)
	take(false)
	waited := time.Duration(0)
	for sent := ""; sent == ""; waited += together {
		now = now.Add(together)
		add(single)
		sent = take(false)
	}
	if waited > maxHeld+together {
		t.Errorf("held for %v where other lines come", waited)
	}
	add(first)
	if take(true) != first || len(b.body) != 0 {
		t.Error("the last delivery keeps something back")
	}
	for i := range maxFrames {
		if full := add(single); full != (i == maxFrames-1) {
			t.Fatalf("full after %d: %v", i+1, full)
		}
	}
	take(true)
	if !add(strings.Repeat("x", maxBytes)) {
		t.Error("not full by its bytes")
	}
	alone := batch{}
	if !alone.add([]byte("{}"), now, now) {
		t.Error("a document a line is not a delivery")
	}
}
