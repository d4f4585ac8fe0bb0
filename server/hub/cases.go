package hub

import (
	"encoding/json"
	"sort"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/statement"
	"kentongan/server/wire"
)

// change is one change of a case as the stream of the store tells it.
type change struct {
	offset int64
	noun   string // one of nouns, or report
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
	return &cases{open: shelves(), reports: newReports(), sorted: map[string][]*change{}}
}

// kept are the nouns of which everything that stands is kept here; reports are kept by themselves.
var kept = []string{wire.TypeIncident, wire.TypeAlert, wire.TypeAlarm, wire.TypeSuggestion, wire.TypePlan, wire.TypeStatement, wire.TypeStatus, wire.TypeUnit, wire.TypeDispatch}

func shelves() map[string]map[string]*change {
	out := make(map[string]map[string]*change, len(kept))
	for _, noun := range kept {
		out[noun] = map[string]*change{}
	}
	return out
}

// standing tells whether a document belongs into a snapshot.
func standing(c *change) bool {
	var d struct {
		Status  string `json:"status"`
		State   string `json:"state"`
		Latched bool   `json:"latched"`
	}
	if json.Unmarshal(c.doc, &d) != nil {
		return false
	}
	switch c.noun {
	case wire.TypeIncident:
		return d.Status != string(incident.Closed) && d.Status != string(incident.Cancelled)
	case wire.TypeAlarm:
		return d.State != string(alarm.Cleared) || d.Latched
	case wire.TypeSuggestion:
		return d.State == string(fusion.Offered)
	case wire.TypePlan:
		return d.State == string(plan.Planned) || d.State == string(plan.Running)
	case wire.TypeDispatch:
		return dispatch.Status(d.Status).Open()
	case wire.TypeStatement:
		return d.State == string(statement.InForce)
	case wire.TypeStatus, wire.TypeUnit:
		return true
	}
	return d.State == string(alerts.Active)
}

// reset starts from what the store holds at an offset.
func (c *cases) reset(offset int64, list []change, cut bool) {
	c.offset, c.from, c.past, c.pastLen = offset, offset, nil, 0
	c.open = shelves()
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
	junk := ch.seen(c.agencyOf).junk // all copies of the change share it
	if ch.noun == "report" && !junk {
		c.reports.take(ch)
	}
	if docs := c.open[ch.noun]; docs != nil && !junk {
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
