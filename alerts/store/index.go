package store

import (
	"context"
	"encoding/json"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/statement"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
)

// index is the ids of documents that stand, from which readers begin: what it does not name, nobody is shown, though its document is as it was.
type index struct {
	noun   string
	key    func(keyspace.Keys) string
	scored bool // a sorted set
	stands func(d *outline, now time.Time) (must, may bool)
}

// outline is what of a document tells whether it stands.
type outline struct {
	Status     string      `json:"status"`
	State      string      `json:"state"`
	Latched    bool        `json:"latched"`
	Presented  bool        `json:"presented"`
	ReceivedAt moment.Time `json:"received_at"`
}

// clockMargin is by how much clocks of servers may differ.
const clockMargin = 5 * time.Minute

// indexes are those that are held against their documents.
var indexes = []index{
	{"alarm", keyspace.Keys.AlarmsOpen, false, func(d *outline, _ time.Time) (must, may bool) { return exactly(d.alarm()) }},
	{"alarm", keyspace.Keys.AlarmsShown, false, func(d *outline, _ time.Time) (must, may bool) { return d.alarm() && d.Presented, d.alarm() }},
	{"alert", keyspace.Keys.AlertsActive, false, func(d *outline, _ time.Time) (must, may bool) { return exactly(alerts.State(d.State) == alerts.Active) }},
	{"contact", keyspace.Keys.Contacts, false, always},
	{"dispatch", keyspace.Keys.DispatchesOpen, false, func(d *outline, _ time.Time) (must, may bool) { return exactly(dispatch.Status(d.Status).Open()) }},
	{"incident", keyspace.Keys.IncidentsOpen, false, func(d *outline, _ time.Time) (must, may bool) { return exactly(incident.Status(d.Status).Open()) }},
	{"plan", keyspace.Keys.PlansStanding, false, func(d *outline, _ time.Time) (must, may bool) { return exactly(plan.State(d.State).Stands()) }},
	{"report", keyspace.Keys.ReportsOpen, true, func(d *outline, now time.Time) (must, may bool) {
		open := report.Status(d.Status) != report.Closed
		return open && now.Sub(d.ReceivedAt.Time) < report.Fresh-clockMargin, open // older ones are cut with the next that comes
	}},
	{"statement", keyspace.Keys.StatementsInForce, false, func(d *outline, _ time.Time) (must, may bool) {
		return exactly(statement.State(d.State) == statement.InForce)
	}},
	{"status", keyspace.Keys.Statuses, false, always},
	{"suggestion", keyspace.Keys.SuggestionsOffered, false, func(d *outline, _ time.Time) (must, may bool) {
		return exactly(fusion.State(d.State) == fusion.Offered)
	}},
	{"unit", keyspace.Keys.Units, false, always},
}

func exactly(is bool) (must, may bool) { return is, is }

func always(*outline, time.Time) (must, may bool) { return true, true }

func (d *outline) alarm() bool {
	a := alarm.Alarm{State: alarm.State(d.State), Latched: d.Latched}
	return a.Stands()
}

// Indexed tells whether some index must name an object while it stands.
func Indexed(object string) bool {
	noun, _, _ := strings.Cut(object, ":")
	for i := range indexes {
		if indexes[i].noun == noun {
			return true
		}
	}
	return false
}

// Listing is whether an index names an object.
type Listing struct {
	Key       string // of the index, a blank, and the member
	Listed    bool
	Must, May bool // as the object's document has it
}

// listings asks whether indexes name an object; the answers are there once the pipe has run.
func (s *Store) listings(ctx context.Context, pipe redis.Pipeliner, object string) func(doc string, there bool) []Listing {
	type asked struct {
		index
		named func() bool
	}
	var all []asked
	noun, id, _ := strings.Cut(object, ":")
	for _, x := range indexes {
		switch {
		case x.noun != noun:
		case x.scored:
			cmd := pipe.ZScore(ctx, x.key(s.keys), id)
			all = append(all, asked{x, func() bool { return cmd.Err() == nil }})
		default:
			cmd := pipe.SIsMember(ctx, x.key(s.keys), id)
			all = append(all, asked{x, cmd.Val})
		}
	}
	return func(doc string, there bool) []Listing {
		var d outline
		if there && json.Unmarshal([]byte(doc), &d) != nil {
			return nil // nobody can read it, and its hash tells whether it was so written
		}
		out := make([]Listing, 0, len(all))
		for _, a := range all {
			l := Listing{Key: a.key(s.keys) + " " + id, Listed: a.named()}
			if there {
				l.Must, l.May = a.stands(&d, s.now())
			}
			out = append(out, l)
		}
		return out
	}
}

// login tells whether an account is found by the name with which its holder signs in, and by no other: one that stands nowhere, by none.
func (s *Store) login(object string, account *redis.SliceCmd, logins map[string]string) (out []Listing) {
	id, ok := strings.CutPrefix(object, "person:")
	if !ok || account.Err() != nil {
		return nil
	}
	doc, there := account.Val()[0].(string)
	var p struct {
		Login string `json:"login"`
	}
	if there && json.Unmarshal([]byte(doc), &p) != nil {
		return nil // nobody can read it, and its hash tells whether it was so written
	}
	// Named by the account: what differs is shown to whoever asks whether the house is ready, and a login may be a person's name.
	key := s.keys.PersonLogin() + " " + id
	if p.Login != "" {
		out = append(out, Listing{Key: key, Listed: logins[p.Login] == id, Must: true, May: true})
	}
	for name, of := range logins {
		if of == id && name != p.Login {
			return append(out, Listing{Key: key, Listed: true})
		}
	}
	return out
}
