package hub

import (
	"encoding/json"
	"testing"
	"time"

	"kentongan/server/access"
	"kentongan/server/wire"
)

// Junk of every noun keeps its offset, is nobody's, and says nothing of what was known before.
func TestJunkIsNobodysAndHidesNothing(t *testing.T) {
	all := &audience{who: access.Subject{Whole: true}}
	for _, noun := range append([]string{wire.TypeReport, ""}, kept...) {
		for name, doc := range map[string]string{"none": "", "no JSON": "{", "another form": `[1]`, "no id": `{"state":"active","status":"new"}`} {
			c := newCases()
			known := &change{offset: 7, noun: noun, id: "x", doc: json.RawMessage(`{"id":"x"}`)}
			if noun != "" && noun != wire.TypeReport {
				c.reset(7, []change{*known}, false)
			} else {
				c.reset(7, nil, false)
			}
			ch := &change{offset: 8, noun: noun, id: "x", doc: json.RawMessage(doc)}
			if !c.apply(ch) || c.offset != 8 || !ch.sight.junk {
				t.Errorf("%s, %s: offset %d, junk %v", noun, name, c.offset, ch.sight.junk)
			}
			if got := all.level(ch, time.Now()); got != access.None {
				t.Errorf("%s, %s: shown at level %v", noun, name, got)
			}
			if docs := c.open[noun]; docs != nil && docs["x"] == nil {
				t.Errorf("%s, %s: what was known before is gone", noun, name)
			}
			if list, ok := c.since(7); !ok || len(list) != 1 {
				t.Errorf("%s, %s: a gap in what is remembered", noun, name)
			}
		}
	}
}
