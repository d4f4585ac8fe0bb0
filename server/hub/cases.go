package hub

import (
	"encoding/json"
	"sort"
)

// change is one change of a case as the stream of the store tells it.
type change struct {
	offset int64
	noun   string // incident, alert, report
	id     string
	doc    json.RawMessage
	sight  *sight // worked out when it is first asked for
}

// What the hub itself remembers of past changes, for screens that come back; older ones are asked of the store.
const (
	mostRemembered      = 8192
	mostRememberedBytes = 16 << 20
)

// cases is every open incident, active alert and standing report, kept by following the stream, and the newest changes. The hub's goroutine owns it.
type cases struct {
	agencyOf func(feed string) string // whose a feed is; may be nil
	offset   int64
	open     map[string]map[string]*change // noun -> id -> its newest
	sorted   map[string][]*change          // by id, newest first; nil: to be built
	reports  reports
	past     []change // without a gap, up to offset
	from     int64    // changes after this offset are in past
	pastLen  int      // bytes
}

func newCases() *cases {
	return &cases{open: map[string]map[string]*change{"incident": {}, "alert": {}}, reports: newReports(), sorted: map[string][]*change{}}
}

// standing tells whether a document belongs into a snapshot.
func standing(c *change) bool {
	var d struct {
		Status string `json:"status"`
		State  string `json:"state"`
	}
	if json.Unmarshal(c.doc, &d) != nil {
		return false
	}
	if c.noun == "incident" {
		return d.Status != "closed" && d.Status != "cancelled"
	}
	return d.State == "active"
}

// reset starts from what the store holds at an offset.
func (c *cases) reset(offset int64, list []change, cut bool) {
	c.offset, c.from, c.past, c.pastLen = offset, offset, nil, 0
	c.open = map[string]map[string]*change{"incident": {}, "alert": {}}
	c.reports = newReports()
	clear(c.sorted)
	for _, ch := range list {
		if ch.noun == "report" {
			c.reports.take(&ch)
		} else {
			c.open[ch.noun][ch.id] = &ch
		}
	}
	if cut {
		c.reports.missing()
	}
}

// apply follows the stream. It gives false for a change that is known already.
func (c *cases) apply(ch *change) bool {
	if ch.offset <= c.offset {
		return false
	}
	c.offset = ch.offset
	ch.seen(c.agencyOf) // so that all copies of the change share it
	if ch.noun == "report" {
		c.reports.take(ch)
	}
	if docs := c.open[ch.noun]; docs != nil {
		if standing(ch) {
			docs[ch.id] = ch
		} else {
			delete(docs, ch.id)
		}
		delete(c.sorted, ch.noun)
	}
	c.past = append(c.past, *ch)
	c.pastLen += len(ch.doc)
	for len(c.past) > mostRemembered || c.pastLen > mostRememberedBytes && len(c.past) > 1 {
		c.pastLen -= len(c.past[0].doc)
		c.from = c.past[0].offset
		c.past[0] = change{}
		c.past = c.past[1:]
	}
	return true
}

// since gives the changes after an offset; false where the hub does not remember that far.
func (c *cases) since(offset int64) ([]change, bool) {
	if offset < c.from {
		return nil, false
	}
	i := sort.Search(len(c.past), func(i int) bool { return c.past[i].offset > offset })
	return c.past[i:], true
}

// standing gives what stands of a noun, newest id first.
func (c *cases) standing(noun string) []*change {
	if list, ok := c.sorted[noun]; ok {
		return list
	}
	ids := make([]string, 0, len(c.open[noun]))
	for id := range c.open[noun] {
		ids = append(ids, id)
	}
	sort.Sort(sort.Reverse(sort.StringSlice(ids)))
	list := make([]*change, len(ids))
	for i, id := range ids {
		list[i] = c.open[noun][id]
	}
	c.sorted[noun] = list
	return list
}
