package cot

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"kentongan/feeds/feedtest"
)

const oneUnit = `<event version="2.0" uid="u%d" type="a-f-G" time="2026-11-25T08:59:00Z" start="2026-11-25T08:59:00Z" stale="2026-11-25T09:01:00Z" how="m-g"><point lat="-0.8" lon="100.6" hae="0" ce="5" le="5"/></event>`

func TestNextEvent(t *testing.T) {
	const one = `<event uid="1"><detail/></event>`
	for _, c := range []struct {
		name, data string
		end        int
		fault      string
	}{
		{"nothing", "", 0, ""},
		{"half", one[:len(one)-1], 0, ""},
		{"whole", one, len(one), ""},
		{"two", one + one, len(one), ""},
		{"a declaration before it", "\r\n<?xml version='1.0'?>\n" + one, 24 + len(one), ""},
		{"white space in the tag", "<event></event \n>x", len("<event></event \n>"), ""},
		{"another element", "<event></events><a/>", 0, ""},
		{"another element, then ours", "<event></events></event>", len("<event></events></event>"), ""},
		{"protobuf", "\xbf\x01\xbfabc", 0, "protobuf"},
		{"protobuf after white space", "\n\xbf\x0babc", 0, "protobuf"},
	} {
		for seen := range len(c.data) + 1 {
			if c.end > 0 && seen >= c.end {
				break
			}
			end, err := next([]byte(c.data), seen)
			if end != c.end || (err != nil) != (c.fault != "") || err != nil && !strings.Contains(err.Error(), c.fault) {
				t.Fatalf("%s, %d seen: end %d, %v; want %d", c.name, seen, end, err, c.end)
			}
		}
	}
}

func TestAFaultyEventOfAStreamCostsItself(t *testing.T) {
	meta := feedtest.Meta()
	meta.ContentType = streamed
	body := fmt.Sprintf(oneUnit, 1) + "\n<?xml version=\"1.0\"?>" + fmt.Sprintf(oneUnit, 2) + "garbage </event>" + `<!DOCTYPE x><event></event>` + fmt.Sprintf(oneUnit, 3) + "<event uid="
	b, err := Format{}.Decode([]byte(body), meta)
	feedtest.Check(t, b, err)
	if err != nil || len(b.Positions) != 3 || len(b.Rejected) != 3 || b.Rejected[0].Index != 2 || b.Positions[2].Unit != "u3" {
		t.Errorf("%+v, %v", b, err)
	}
	if b, err := (Format{}).Decode([]byte("\xbf\x01"), meta); err == nil {
		t.Errorf("protobuf: %+v", b)
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte("<event></event>"), uint(3))
	f.Fuzz(func(t *testing.T, data []byte, seen uint) {
		whole, _ := next(data, 0)
		end, err := next(data, int(seen%uint(len(data)+1)))
		if err == nil && (end < 0 || end > len(data) || end > 0 && (whole == 0 || data[end-1] != '>')) {
			t.Errorf("end %d of %d bytes, %d from the beginning", end, len(data), whole)
		}
		if err == nil && whole > 0 && !bytes.Contains(data[:whole], endTag) {
			t.Error("ended without a tag")
		}
	})
}
