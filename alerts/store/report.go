package store

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

//go:embed purge.lua
var purgeSource string

var purgeScript = redis.NewScript(purgeSource)

// MostReports is how many reports a screen starts with, the newest received first.
const MostReports = 2000

// DeskFeed stands for the feed of reports that people enter here.
const DeskFeed = "desk"

// ErrNoReport means that there is no report of that id: 404.
var ErrNoReport = errors.New("there is no such report")

// ErrKeyReused means that an Idempotency-Key came with another report than the first time: 422.
var ErrKeyReused = errors.New("the Idempotency-Key was used for another report")

// reportDoc is the stored form, version 1.
type reportDoc struct {
	V int `json:"v"`
	report.Report
}

func (s *Store) reportForm() form[report.Report] {
	return formOf(s.keys.Report, func(d *reportDoc) (report.Report, string) { return d.Report, d.ID })
}

func (s *Store) reportsOf(ctx context.Context, ids []string) ([]kept[report.Report], error) {
	return load(ctx, s, s.reportForm(), ids)
}

// reportsAtOnce are put in one step, each with a record of its own: a flood of reports waits for the disk a fiftieth as often, and an alert
// beside it waits for no more than fifty.
const reportsAtOnce = 50

// PutReports takes what a feed says of reports, in order, a few in each step: a new one is stored, a repeat is a duplicate, a changed one
// is a revision. After an error the results are of those that were taken before it; sent again these are duplicates. With Meta.Dry the
// same is decided and nothing is written.
func (s *Store) PutReports(ctx context.Context, list []feeds.Report, m feeds.Meta) ([]Result, error) {
	if m.ReceivedAt.IsZero() {
		m.ReceivedAt = s.now()
	}
	out := make([]Result, 0, len(list))
	for part := range slices.Chunk(list, reportsAtOnce) {
		said := make([]report.Report, len(part))
		for i := range part {
			said[i] = report.From(part[i], m, s.areaOf)
		}
		var became []Result
		err := s.retry(ctx, func() (err error) {
			became, err = s.putReports(ctx, said, m)
			return err
		})
		if err != nil {
			return out, err
		}
		out = append(out, became...)
	}
	return out, nil
}

// putReports is one try to take a few reports.
func (s *Store) putReports(ctx context.Context, said []report.Report, m feeds.Meta) ([]Result, error) {
	ids := make([]string, len(said))
	for i := range said {
		ids[i] = said[i].ID
	}
	list, err := s.reportsOf(ctx, slices.Compact(slices.Sorted(slices.Values(ids))))
	if err != nil {
		return nil, err
	}
	known := make(map[string]kept[report.Report], len(list))
	for _, k := range list {
		known[k.doc.ID] = k
	}
	st := s.newStep(s.now())
	for _, id := range ids {
		if _, twice := st.index[s.keys.Report(id)]; !twice {
			st.check("rev", s.keys.Report(id), "", known[id].rev)
		}
	}
	who := audit.Actor{Subject: "feed:" + m.Feed, Agency: m.Agency}
	out := make([]Result, len(said))
	for i := range said {
		k, found := known[said[i].ID]
		doc, action, reason := said[i], "report.stored", ""
		if !found {
			k.own.Salt = rand.Text()
		}
		if found {
			revised, changes := k.doc.Revise(said[i])
			if len(changes) == 0 {
				out[i].Kind = Duplicate
				continue
			}
			doc, action, reason = revised, "report.revised", strings.Join(changes, ", ")
		}
		out[i].Kind = Stored
		if err := s.putReport(st, k, found, &doc, k.own); err != nil {
			return nil, err
		}
		var before any
		if found {
			before = salted(k.own, k.doc)
		}
		if err := st.audited(who, action, "report:"+doc.ID, reason, before, salted(k.own, doc)); err != nil {
			return nil, err
		}
		known[doc.ID] = kept[report.Report]{doc: doc, own: k.own, rev: nextRev(k.rev)}
	}
	if m.Dry || st.nWrite == 0 && s.needed.Load() == 0 {
		return out, nil
	}
	if st.nWrite == 0 {
		st.set(s.keys.Confirm(), "", 0)
	} else {
		st.write("zcut", s.keys.ReportsOpen(), strconv.FormatInt(st.now.Add(-report.Fresh).UnixMilli(), 10))
	}
	return out, s.run(ctx, st)
}

// putReport writes a report into the step. One that comes closed already calls nobody: it is no change of a case.
func (s *Store) putReport(st *step, k kept[report.Report], found bool, r *report.Report, own origin) error {
	doc, err := marshal(reportDoc{1, *r})
	if err != nil {
		return err
	}
	inside, err := json.Marshal(own)
	if err != nil {
		return fmt.Errorf("internals of report %s: %w", r.ID, err)
	}
	score := strconv.FormatInt(r.ReceivedAt.Milli(), 10)
	st.doc(s.keys.Report(r.ID), nextRev(k.rev), doc, string(inside), own.Salt)
	if !found {
		st.write("zadd", s.keys.Reports(), score, r.ID)
	}
	if r.Status == report.Closed {
		st.write("zrem", s.keys.ReportsOpen(), r.ID)
	} else {
		st.write("zadd", s.keys.ReportsOpen(), score, r.ID)
	}
	if found || r.Status != report.Closed {
		st.event("report", r.ID, doc)
	}
	return nil
}

// EnterReport stores a report that a person or an automation enters. With a key (an Idempotency-Key) the same subject gets the same report
// each time; ErrKeyReused where it says something else. New is false where it was there already.
func (s *Store) EnterReport(ctx context.Context, in feeds.Report, key string, who audit.Actor) (out report.Report, created bool, err error) {
	return s.EnterReportBeside(ctx, in, key, who, func(context.Context, string) error { return nil })
}

// EnterReportBeside is EnterReport where somebody keeps something beside the report, by its id: before it is stored, so that nobody finds a
// report without it, and again where the report was there already. An error of beside ends it, and nothing is stored.
func (s *Store) EnterReportBeside(ctx context.Context, in feeds.Report, key string, who audit.Actor, beside func(ctx context.Context, id string) error) (out report.Report, created bool, err error) {
	said, err := json.Marshal([]any{in, in.Placed, in.Position})
	if err != nil {
		return out, false, fmt.Errorf("report: %w", err)
	}
	in.ID = ulid.Make().String()
	if key != "" {
		in.ID = digest(who.Subject + "\x00" + key)
	}
	own := origin{Feed: DeskFeed, Agency: who.Agency, Draft: digest(string(said)), Salt: rand.Text()}
	err = s.retry(ctx, func() error {
		now := s.now()
		in.ReceivedAt = moment.Of(now)
		out, created = report.From(in, feeds.Meta{Feed: DeskFeed, ReceivedAt: now}, s.areaOf), true
		out.Agency = who.Agency
		out.EnteredBy = who.Subject
		known, err := s.reportsOf(ctx, []string{out.ID})
		if err = cmp.Or(err, s.legible(s.keys.Report(out.ID))); err != nil {
			return err
		}
		if len(known) > 0 {
			if known[0].own.Draft != own.Draft {
				return ErrKeyReused
			}
			out, created = known[0].doc, false
			if err := beside(ctx, out.ID); err != nil {
				return err
			}
			return s.rest(ctx, "rev", s.keys.Report(out.ID), "", known[0].rev)
		}
		if err := beside(ctx, out.ID); err != nil {
			return err
		}
		st := s.newStep(now)
		st.check("rev", s.keys.Report(out.ID), "", "")
		if err := s.putReport(st, kept[report.Report]{}, false, &out, own); err != nil {
			return err
		}
		if err := st.audited(who, "report.entered", "report:"+out.ID, "", nil, salted(own, out)); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, created, err
}

// salted is what the audit log's hash of a report is of. Words can be guessed, and a hash of them alone would tell who guesses right.
func salted(own origin, r report.Report) any {
	if own.Salt == "" {
		return r
	}
	return []any{own.Salt, r}
}

// EraseReport takes everybody's words out of a report, and out of the changes of it that screens could still ask for. What is left says
// that it was there. Errors: ErrNoReport, feeds.ErrBusy.
func (s *Store) EraseReport(ctx context.Context, id string, who audit.Actor) (out report.Report, err error) {
	err = s.retry(ctx, func() error {
		k, err := loadOne(ctx, s, s.reportForm(), id, ErrNoReport)
		if err != nil {
			return err
		}
		if out = k.doc; k.doc.Erased {
			return nil
		}
		now := s.now()
		out = k.doc.Erase(moment.Of(now))
		own := origin{Feed: k.own.Feed, Agency: k.own.Agency}
		st := s.newStep(now)
		st.check("rev", s.keys.Report(id), "", k.rev)
		if err := s.putReport(st, k, true, &out, own); err != nil {
			return err
		}
		if err := st.audited(who, "report.erased", "report:"+id, "", salted(k.own, k.doc), out); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	if err != nil {
		return out, err
	}
	return out, s.forgetChanges(ctx, "report", id)
}

// forgetChanges takes the older changes of a case out of the case stream. Whoever resumes from before them starts from a snapshot.
func (s *Store) forgetChanges(ctx context.Context, kind, id string) error {
	if err := purgeScript.Run(ctx, s.rdb, []string{s.keys.Case(), s.keys.Case() + ":purged"}, kind, id).Err(); err != nil {
		return fmt.Errorf("%w: forget changes of %s %s: %w", feeds.ErrBusy, kind, id, err)
	}
	return nil
}

// Report by id; ErrNoReport.
func (s *Store) Report(ctx context.Context, id string) (report.Report, error) {
	k, err := loadOne(ctx, s, s.reportForm(), id, ErrNoReport)
	return k.doc, err
}

// Reports lists, newest received first. Of a Query Status (open, closed), Channel, Feed, Bound, From, To (received) and Text count.
func (s *Store) Reports(ctx context.Context, q Query) (items []report.Report, next string, err error) {
	from := shelf[report.Report]{
		index: s.keys.Reports(), load: s.reportsOf,
		id: func(r report.Report) string { return r.ID }, score: func(r report.Report) int64 { return r.ReceivedAt.Milli() },
	}
	return list(ctx, s, q, from, q.seenReport)
}

func (q Query) seenReport(r report.Report) (report.Report, bool) {
	if q.SeeReport != nil {
		whole := r
		seen, any := q.SeeReport(&whole)
		if !any {
			return r, false
		}
		r = seen
	}
	return r, q.report(r)
}

func (q Query) report(r report.Report) bool {
	p, placed := r.Position()
	switch {
	case q.Status != "" && string(r.Status) != q.Status, q.Channel != "" && r.Channel != q.Channel, q.Feed != "" && r.Feed != q.Feed:
	case !isAs(q.Simulated, r.Simulated):
	case q.Bound != nil && (!placed || !q.Bound.Contains(p)):
	case !q.holds(append(r.ExternalIDs(), r.Text, r.Type, r.Address, r.AreaName, r.ID, r.StatusNotes)...):
	default:
		return true
	}
	return false
}

// standingReports gives the open reports of the last day, the newest first and at most MostReports; cut tells that there are more.
func (s *Store) standingReports(ctx context.Context, now time.Time) (out []report.Report, cut bool, err error) {
	return s.newestReports(ctx, now, MostReports)
}

// newestReports is standingReports with another bound.
func (s *Store) newestReports(ctx context.Context, now time.Time, most int) (out []report.Report, cut bool, err error) {
	ids, err := s.rdb.ZRevRangeByScore(ctx, s.keys.ReportsOpen(), &redis.ZRangeBy{
		Min: "(" + strconv.FormatInt(now.Add(-report.Fresh).UnixMilli(), 10), Max: "+inf", Count: int64(most) + 1,
	}).Result()
	if err != nil {
		return nil, false, fmt.Errorf("%w: list reports: %w", feeds.ErrBusy, err)
	}
	if cut = len(ids) > most; cut {
		ids = ids[:most]
	}
	out = []report.Report{}
	for part := range slices.Chunk(ids, batch) {
		docs, err := s.reportsOf(ctx, part)
		if err != nil {
			return nil, false, err
		}
		for _, k := range docs {
			if k.doc.Standing(now) { // else somebody closed it in between
				out = append(out, k.doc)
			}
		}
	}
	return out, cut, nil
}
