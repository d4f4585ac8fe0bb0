package ais

import (
	"strings"
	"testing"
)

func TestUnfinishedMessagesWait(t *testing.T) {
	const (
		single = "!AIVDM,1,1,,A,33P;Tw0tjBQO22:E7dm66DrB20UP,0*2E\r\n"
		first  = "!AIVDM,2,1,3,B,55P5TL01VIaAL@7W,0*00\r\n"
		second = "!AIVDM,2,2,3,B,88888888880,2*00\r\n"
		other  = "\\s:a*00\\!BSVDM,2,1,3,A,55P5TL01VIaAL@7W,0*00\r\n"
	)
	for _, c := range []struct{ name, done, waits string }{
		{"nothing", "", ""},
		{"single sentences", single + single, ""},
		{"both parts", first + second, ""},
		{"a first part", single, first},
		{"something between", single, first + single + single},
		{"of two messages one is whole", single, other + first + second},
		{"a second part alone", second, ""},
		{"a first part twice", first, first},
		{"lost long ago", first + strings.Repeat(single, waiting), ""},
		{"no line end", single, strings.TrimSpace(first)},
		{"not of several", "!AIVDM,1,2,,A,x,0*00\n!AIVDM,9,,,\nVDM,2,1,1,A,x\n", ""},
	} {
		if got := unfinished([]byte(c.done + c.waits)); got != len(c.done) {
			t.Errorf("%s: waits from %d, want %d", c.name, got, len(c.done))
		}
	}
}
