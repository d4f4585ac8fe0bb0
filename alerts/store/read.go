package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
)

// Query chooses incidents, alerts or reports; empty members choose all.
type Query struct {
	Channel             string       // of a report
	Feed                string       // of a report
	Status              string       // "open", or one status; for alerts "active" or one state
	Severity            cap.Severity // exactly
	Agency              string       // leads or supports
	Type                string       // incident type; for alerts the category
	Bound               *geo.Bound
	From, To            time.Time // opened (alerts: received) at or after, and before
	Simulated, Exercise *bool     // nil: both; exercises are incidents' alone
	Text                string    // part of title, number, place, event or headline, in any case
	Limit               int       // 0: 100, at most 1000
	Page                string    // of the answer before

	// What the one who asks sees of a document, and false where nothing: the rest of the query judges that, so that nobody finds a
	// document by what they do not see of it, and pages are full of what is seen. Nil: everything. The document itself stays as it is.
	SeeIncident func(*incident.Incident) (incident.Incident, bool)
	SeeReport   func(*report.Report) (report.Report, bool)
}

const (
	defaultLimit = 100
	maxLimit     = 1000
	batch        = 200 // documents loaded at once
)

// ErrQuery marks a query that cannot be answered: 422.
var ErrQuery = errors.New("not a query")

func limitOf(n int) int {
	if n <= 0 {
		return defaultLimit
	}
	return min(n, maxLimit)
}

// Incident by id; ErrNotFound.
func (s *Store) Incident(ctx context.Context, id string) (incident.Incident, error) {
	k, err := s.incidentOf(ctx, id)
	return k.doc, err
}

// Alert by id; ErrNotFound.
func (s *Store) Alert(ctx context.Context, id string) (alerts.Alert, error) {
	k, err := loadOne(ctx, s, s.alertForm(), id, ErrNotFound)
	return k.doc, err
}

// Incidents lists, newest opened first. Next is the page after, empty at the end.
func (s *Store) Incidents(ctx context.Context, q Query) (items []incident.Incident, next string, err error) {
	from := shelf[incident.Incident]{
		index: s.keys.Incidents(), set: s.keys.IncidentsOpen(), load: s.incidentsOf,
		live: q.Status == "open" || q.Status != "" && incident.Status(q.Status).Open(),
		id:   func(in incident.Incident) string { return in.ID }, score: func(in incident.Incident) int64 { return in.OpenedAt.Milli() },
	}
	return list(ctx, s, q, from, q.seenIncident)
}

// Alerts lists, newest received first; logged ones only where asked for.
func (s *Store) Alerts(ctx context.Context, q Query) (items []alerts.Alert, next string, err error) {
	if q.Status == "open" {
		q.Status = string(alerts.Active)
	}
	from := shelf[alerts.Alert]{
		index: s.keys.Alerts(), set: s.keys.AlertsActive(), load: s.alertsOf, live: q.Status == string(alerts.Active),
		id: func(a alerts.Alert) string { return a.ID }, score: func(a alerts.Alert) int64 { return a.ReceivedAt.Milli() },
	}
	return list(ctx, s, q, from, func(a alerts.Alert) (alerts.Alert, bool) { return a, q.alert(a) })
}

func (q Query) seenIncident(in incident.Incident) (incident.Incident, bool) {
	if q.SeeIncident != nil {
		whole := in // its own, so that who sees everything pays for no copy
		seen, any := q.SeeIncident(&whole)
		if !any {
			return in, false
		}
		in = seen
	}
	return in, q.incident(in)
}

func (q Query) incident(in incident.Incident) bool {
	p, placed := in.Position()
	switch {
	case q.Status == "open" && !in.Status.Open(), q.Status != "" && q.Status != "open" && string(in.Status) != q.Status:
	case q.Severity != "" && in.Severity != q.Severity, q.Type != "" && in.Type != q.Type:
	case q.Agency != "" && in.LeadAgency != q.Agency && !slices.Contains(in.Support, q.Agency):
	case !isAs(q.Simulated, in.Simulated), !isAs(q.Exercise, in.Exercise):
	case q.Bound != nil && (!placed || !q.Bound.Contains(p)):
	case !q.holds(append(in.ExternalIDs(), in.Title, in.Number, in.AreaName)...):
	default:
		return true
	}
	return false
}

func (q Query) alert(a alerts.Alert) bool {
	switch {
	case q.Status != "" && string(a.State) != q.Status, q.Status == "" && a.State == alerts.Logged:
	case q.Severity != "" && a.Severity != q.Severity, q.Type != "" && !strings.EqualFold(a.Category, q.Type):
	case !isAs(q.Simulated, a.Simulated):
	case q.Bound != nil && (a.Area.Geometry.IsZero() || !q.Bound.Intersects(a.Area.Geometry.Bound())):
	case !q.holds(a.Event, a.Headline, a.Description, a.Area.Properties.Name):
	default:
		return true
	}
	return false
}

// isAs tells whether something is as it is asked for; nil: either.
func isAs(want *bool, is bool) bool { return want == nil || *want == is }

func (q Query) holds(texts ...string) bool {
	if q.Text == "" {
		return true
	}
	want := strings.ToLower(q.Text)
	for _, t := range texts {
		if strings.Contains(strings.ToLower(t), want) {
			return true
		}
	}
	return false
}

// shelf is where a noun's documents stand.
type shelf[T any] struct {
	index, set string // sorted set of all, set of the live ones
	live       bool   // only the live ones are asked for
	load       func(context.Context, []string) ([]kept[T], error)
	id         func(T) string
	score      func(T) int64
}

// list gives what the query keeps, in the form in which it keeps it, the newest first. A page names the last entry given: SCORE-ID.
func list[T any](ctx context.Context, s *Store, q Query, from shelf[T], keep func(T) (T, bool)) ([]T, string, error) {
	last, err := pageOf(q.Page)
	if err != nil {
		return nil, "", err
	}
	limit, out := limitOf(q.Limit), []T{}
	take := func(docs []kept[T]) bool {
		for _, d := range docs {
			at := from.score(d.doc)
			past := q.Page != "" && (at > last.score || at == last.score && from.id(d.doc) >= last.id)
			outside := !q.From.IsZero() && at < q.From.UnixMilli() || !q.To.IsZero() && at >= q.To.UnixMilli()
			if past || outside {
				continue
			}
			doc, kept := keep(d.doc)
			if !kept {
				continue
			}
			if out = append(out, doc); len(out) > limit {
				return false
			}
		}
		return true
	}
	if from.live {
		err = s.walkSet(ctx, from.set, func(ids []string) (bool, error) { return ofSet(ctx, from, ids, take) })
	} else {
		err = s.walkIndex(ctx, from.index, q, last, func(ids []string) (bool, error) {
			docs, err := from.load(ctx, ids)
			return err == nil && take(docs), err
		})
	}
	if err != nil || len(out) <= limit {
		return out, "", err
	}
	out = out[:limit]
	end := out[limit-1]
	return out, fmt.Sprintf("%d-%s", from.score(end), from.id(end)), nil
}

// ofSet loads a whole set, which is bounded by what is live, and sorts it as the index would be.
func ofSet[T any](ctx context.Context, from shelf[T], ids []string, take func([]kept[T]) bool) (bool, error) {
	docs, err := from.load(ctx, ids)
	if err != nil {
		return false, err
	}
	slices.SortFunc(docs, func(a, b kept[T]) int {
		return cmp.Or(cmp.Compare(from.score(b.doc), from.score(a.doc)), strings.Compare(from.id(b.doc), from.id(a.doc)))
	})
	return take(docs), nil
}

type page struct {
	score int64
	id    string
}

func pageOf(s string) (page, error) {
	if s == "" {
		return page{}, nil
	}
	score, id, ok := strings.Cut(s, "-")
	n, err := strconv.ParseInt(score, 10, 64)
	if !ok || err != nil {
		return page{}, fmt.Errorf("%w: page %.60q is not one of ours", ErrQuery, s)
	}
	return page{n, id}, nil
}

func (s *Store) walkSet(ctx context.Context, key string, fn func([]string) (bool, error)) error {
	ids, err := s.rdb.SMembers(ctx, key).Result()
	if err != nil {
		return fmt.Errorf("%w: list: %w", feeds.ErrBusy, err)
	}
	_, err = fn(ids)
	return err
}

func (s *Store) walkIndex(ctx context.Context, key string, q Query, last page, fn func([]string) (bool, error)) error {
	low, high := "-inf", "+inf"
	if !q.From.IsZero() {
		low = strconv.FormatInt(q.From.UnixMilli(), 10)
	}
	if q.Page != "" {
		high = strconv.FormatInt(last.score, 10)
	}
	seen := map[string]bool{} // what is new meanwhile moves the others into the next batch
	for skip := int64(0); ; skip += batch {
		ids, err := s.rdb.ZRevRangeByScore(ctx, key, &redis.ZRangeBy{Min: low, Max: high, Offset: skip, Count: batch}).Result()
		if err != nil {
			return fmt.Errorf("%w: list: %w", feeds.ErrBusy, err)
		}
		end := len(ids) < batch
		ids = slices.DeleteFunc(ids, func(id string) bool {
			was := seen[id]
			seen[id] = true
			return was
		})
		more, err := fn(ids)
		if err != nil || !more || end {
			return err
		}
	}
}

// Snapshot is every open incident, active alert and standing report, and the offset from which Tail goes on.
func (s *Store) Snapshot(ctx context.Context) (Open, error) {
	var o Open
	err := s.steady(ctx, func() (err error) {
		o, err = s.snapshot(ctx)
		return err
	})
	return o, err
}

func (s *Store) snapshot(ctx context.Context) (Open, error) {
	offset, err := s.head(ctx) // first: what changes while we read comes again by Tail
	if err != nil {
		return Open{}, err
	}
	o := Open{Offset: offset, Incidents: []incident.Incident{}, Alerts: []alerts.Alert{}}
	in, err := s.open(ctx)
	if err != nil {
		return Open{}, err
	}
	for _, k := range in {
		o.Incidents = append(o.Incidents, k.doc)
	}
	active, err := s.active(ctx)
	if err != nil {
		return Open{}, err
	}
	for _, k := range active {
		o.Alerts = append(o.Alerts, k.doc)
	}
	if o.Reports, o.Cut, err = s.standingReports(ctx, s.now()); err != nil {
		return Open{}, err
	}
	if err := s.meaning(ctx, &o); err != nil {
		return Open{}, err
	}
	if err := s.response(ctx, &o); err != nil {
		return Open{}, err
	}
	if o.Suggestions, err = s.offered(ctx); err != nil {
		return Open{}, err
	}
	if o.Alarms, err = s.shownAlarms(ctx); err != nil {
		return Open{}, err
	}
	slices.SortFunc(o.Incidents, func(a, b incident.Incident) int { return strings.Compare(b.ID, a.ID) })
	slices.SortFunc(o.Alerts, func(a, b alerts.Alert) int { return strings.Compare(b.ID, a.ID) })
	return o, nil
}

// open gives the open incidents, to be read only, without those that somebody closed between the question for the ids and that for the documents.
func (s *Store) open(ctx context.Context) (out []kept[incident.Incident], err error) {
	err = s.walkSet(ctx, s.keys.IncidentsOpen(), func(ids []string) (bool, error) {
		out, err = s.opened.of(ctx, s, s.incidentForm(), ids)
		return true, err
	})
	return slices.DeleteFunc(out, func(k kept[incident.Incident]) bool { return !k.doc.Status.Open() }), err
}

// active loads the active alerts, without those that somebody ended in between.
func (s *Store) active(ctx context.Context) (out []kept[alerts.Alert], err error) {
	err = s.walkSet(ctx, s.keys.AlertsActive(), func(ids []string) (bool, error) {
		out, err = s.alertsOf(ctx, ids)
		return true, err
	})
	return slices.DeleteFunc(out, func(k kept[alerts.Alert]) bool { return k.doc.State != alerts.Active }), err
}

// Firing is where rules fire: rule -> Thing -> alert id, for every rule that has ever fired or is in force.
func (s *Store) Firing(ctx context.Context) (map[string]map[string]string, error) {
	names, err := s.rdb.SMembers(ctx, s.keys.FiringRules()).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: which rules fire: %w", feeds.ErrBusy, err)
	}
	names = append(names, s.rules...)
	slices.Sort(names)
	names = slices.Compact(names)
	out := map[string]map[string]string{}
	if len(names) == 0 {
		return out, nil
	}
	pipe := s.rdb.Pipeline()
	things := make([]*redis.MapStringStringCmd, len(names))
	for i, name := range names {
		things[i] = pipe.HGetAll(ctx, s.keys.Firing(name))
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, fmt.Errorf("%w: what fires: %w", feeds.ErrBusy, err)
	}
	for i, name := range names {
		if m := things[i].Val(); len(m) > 0 {
			out[name] = m
		}
	}
	return out, nil
}

// auditScan bounds how many records one question is asked of; its answer says where to ask on.
const auditScan = 50_000

// AuditLog lists records with their words, the newest first; those of them that keep wants, where it is given. A record that cannot be read
// stands there as one, under its number.
func (s *Store) AuditLog(ctx context.Context, from, to time.Time, limit int, pageBefore string, keep ...func(*audit.Record) bool) ([]audit.Record, string, error) {
	last := "+"
	if pageBefore != "" {
		if _, err := strconv.ParseInt(pageBefore, 10, 64); err != nil {
			return nil, "", fmt.Errorf("%w: page %.60q is not one of ours", ErrQuery, pageBefore)
		}
		last = "(" + pageBefore + "-0"
	}
	limit = limitOf(limit)
	out := []audit.Record{}
	for read := 0; ; read += batch {
		entries, err := s.rdb.XRevRangeN(ctx, s.keys.Audit(), last, "-", batch).Result()
		if err != nil {
			return nil, "", fmt.Errorf("%w: audit log: %w", feeds.ErrBusy, err)
		}
		part := make([]audit.Record, 0, len(entries))
		past := false
		for _, e := range entries {
			r := s.recordOf(e)
			past = past || !from.IsZero() && !r.Time.IsZero() && r.Time.Before(from.Add(-time.Minute)) // clocks of servers may differ
			if !from.IsZero() && r.Time.Before(from) || !to.IsZero() && !r.Time.Before(to) {
				continue
			}
			part = append(part, r)
		}
		if err := s.withWords(ctx, part); err != nil {
			return nil, "", err
		}
		for _, r := range part {
			if slices.ContainsFunc(keep, func(want func(*audit.Record) bool) bool { return !want(&r) }) {
				continue
			}
			if len(out) == limit {
				return out, strconv.FormatInt(out[limit-1].Seq, 10), nil
			}
			out = append(out, r)
		}
		if len(entries) < batch || past {
			return out, "", nil
		}
		last = "(" + entries[len(entries)-1].ID
		if read >= auditScan {
			seq, _, _ := strings.Cut(entries[len(entries)-1].ID, "-")
			return out, seq, nil
		}
	}
}

// recordOf reads an entry of the log.
func (s *Store) recordOf(e redis.XMessage) audit.Record {
	text, _ := e.Values["record"].(string)
	r, err := audit.Parse([]byte(text))
	if err != nil {
		s.unread.note(s.keys.Audit()+" "+e.ID, err, true)
		seq, _, _ := strings.Cut(e.ID, "-")
		r = audit.Record{Action: "record.unreadable", Object: "record:" + seq, Reason: err.Error()}
		r.Seq, _ = strconv.ParseInt(seq, 10, 64)
	}
	return r
}
