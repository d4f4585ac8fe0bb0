package hub

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/report"
	"kentongan/alerts/store"
)

// reports are those that a screen starts with: open, of the last day, the newest received first and at most store.MostReports. Beyond
// that room twice over the oldest are forgotten. The hub's goroutine owns it.
type reports struct {
	docs   map[string]standingReport
	sorted []standingReport // nil: to be built
	gone   time.Time        // receipt of the newest one that was forgotten, or that the store did not give
}

type standingReport struct {
	id  string
	at  time.Time // of receipt
	now *change
}

func newReports() reports { return reports{docs: map[string]standingReport{}} }

// take follows one change of a report.
func (r *reports) take(ch *change) {
	var d report.Report
	if json.Unmarshal(ch.doc, &d) != nil {
		return
	}
	r.sorted = nil
	if d.Status == report.Closed {
		delete(r.docs, ch.id)
		return
	}
	r.docs[ch.id] = standingReport{ch.id, d.ReceivedAt.Time, ch}
	if len(r.docs) > 2*store.MostReports {
		list := r.list()
		r.forget(list[store.MostReports:])
		r.sorted = nil
	}
}

func (r *reports) forget(list []standingReport) {
	for _, s := range list {
		delete(r.docs, s.id)
		if s.at.After(r.gone) {
			r.gone = s.at
		}
	}
}

// missing notes that the store holds older ones than the oldest here.
func (r *reports) missing() {
	if list := r.list(); len(list) > 0 {
		r.gone = list[len(list)-1].at
	}
}

// list gives all, the newest received first.
func (r *reports) list() []standingReport {
	if r.sorted == nil {
		r.sorted = make([]standingReport, 0, len(r.docs))
		for _, s := range r.docs {
			r.sorted = append(r.sorted, s)
		}
		slices.SortFunc(r.sorted, func(a, b standingReport) int {
			return cmp.Or(b.at.Compare(a.at), strings.Compare(b.id, a.id))
		})
	}
	return r.sorted
}

// standing gives the reports of a snapshot; cut tells that there are more.
func (r *reports) standing(now time.Time) (docs []*change, cut bool) {
	list := r.list()
	fresh := len(list)
	for fresh > 0 && now.Sub(list[fresh-1].at) >= report.Fresh {
		fresh--
	}
	if fresh < len(list) {
		for _, s := range list[fresh:] {
			delete(r.docs, s.id)
		}
		r.sorted = list[:fresh:fresh]
		list = r.sorted
	}
	cut = len(list) > store.MostReports || now.Sub(r.gone) < report.Fresh
	for _, s := range list[:min(len(list), store.MostReports)] {
		docs = append(docs, s.now)
	}
	return docs, cut
}
