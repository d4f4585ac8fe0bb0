package mqtt

import (
	"errors"
	"strings"
	"testing"

	"kentongan/feeds/bounded"
)

func TestFilters(t *testing.T) {
	for _, good := range []string{"awlr", "awlr/#", "awlr/+/up", "awlr/+/+/#", "v1.1/Datastreams(5)/Observations", "a//b"} {
		if err := CheckFilter(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for _, bad := range []string{"", "#", "+", "+/up", "/awlr", "$SYS/#", "$share/g/awlr", "awlr/#/up", "awlr/u#", "awlr/+up", "awl+", "awlr/\x00", "awlr/\xff"} {
		if CheckFilter(bad) == nil {
			t.Errorf("%q passes", bad)
		}
	}
	covers(t)
	for _, c := range []struct {
		filter, topic string
		want          bool
	}{
		{"awlr/#", "awlr", true}, {"awlr/#", "awlr/", true}, {"awlr/#", "awlr/1/2", true}, {"awlr/#", "awlrx/1", false}, {"awlr/#", "", false},
		{"awlr/+/up", "awlr/1/up", true}, {"awlr/+/up", "awlr//up", true}, {"awlr/+/up", "awlr/1/2/up", false}, {"awlr/+/up", "awlr/1", false}, {"awlr/+/up", "awlr/1/up/", false},
		{"awlr/+", "awlr", false}, {"awlr/+", "awlr/", true}, {"awlr/+/#", "awlr/1", true}, {"awlr/+/#", "awlr", false}, {"awlr", "awlr", true}, {"awlr", "awlr/1", false},
	} {
		if got := Matches(c.filter, c.topic); got != c.want {
			t.Errorf("%s over %q: %v", c.filter, c.topic, got)
		}
	}
}

// covers holds Covers against Matches, over every filter and topic of three levels.
func covers(t *testing.T) {
	t.Helper()
	var filters, topics []string
	var grow func(path string, levels []string, depth int, out *[]string)
	grow = func(path string, levels []string, depth int, out *[]string) {
		*out = append(*out, path)
		if depth == 0 || strings.HasSuffix(path, "#") {
			return
		}
		for _, l := range levels {
			grow(path+"/"+l, levels, depth-1, out)
		}
	}
	for _, first := range []string{"a", "b"} {
		grow(first, []string{"a", "b", "", "+", "#"}, 2, &filters)
		grow(first, []string{"a", "b", "c", ""}, 3, &topics)
	}
	n := 0
	for _, outer := range filters {
		for _, inner := range filters {
			want := true
			for _, topic := range topics {
				want = want && (!Matches(inner, topic) || Matches(outer, topic))
			}
			if got := Covers(outer, inner); got != want {
				t.Errorf("%s covers %s: %v", outer, inner, got)
			}
			n++
		}
	}
	if n < 1000 {
		t.Errorf("only %d pairs", n)
	}
}

// TestACL is the whole access control of a sender, in one table.
func TestACL(t *testing.T) {
	feed := acl{feed: "awlr/+/up"}
	device := acl{feed: "awlr/#", own: []string{"awlr/7/#", "awlr/8/up"}}
	narrowed := acl{feed: "awlr/+/up", own: []string{"awlr/#"}} // its feed has been narrowed since
	for _, c := range []struct {
		acl   acl
		topic string
		want  bool
	}{
		{feed, "awlr/7/up", true}, {feed, "awlr//up", true}, {feed, "awlr/7/down", false}, {feed, "awlr", false}, {feed, "other/7/up", false},
		{feed, "awlr/+/up", false}, {feed, "awlr/#", false}, {feed, "#", false}, {feed, "+/7/up", false}, {feed, "", false}, {feed, "/awlr/7/up", false},
		{feed, "$SYS/broker/uptime", false}, {feed, "$share/g/awlr/7/up", false}, {feed, "$SYS", false}, {feed, "awlr/\x00/up", false}, {feed, "awlr/\xff/up", false},
		{device, "awlr/7/up", true}, {device, "awlr/7", true}, {device, "awlr/7/a/b", true}, {device, "awlr/8/up", true},
		{device, "awlr/8/down", false}, {device, "awlr/9/up", false}, {device, "awlr/77/up", false}, {device, "awlr", false}, {device, "awlr/+/up", false}, {device, "awlr/7/#", false},
		{device, "$share/g/awlr/7/up", false}, {device, "AWLR/7/up", false},
		{narrowed, "awlr/7/up", true}, {narrowed, "awlr/7/down", false},
		{acl{feed: "$SYS/#"}, "$SYS/x", false}, {acl{}, "", false}, {acl{}, "awlr", false},
	} {
		if err := c.acl.admits(c.topic, 1, 1); (err == nil) != c.want {
			t.Errorf("%v on %q: %v", c.acl, c.topic, err)
		}
	}
	if err := feed.admits("awlr/7/up", 2, 1); !errors.Is(err, bounded.ErrTooLarge) {
		t.Errorf("too large: %v", err)
	}
}
