// Package store is alerts, incidents, reports, units and dispatches kept in Redis, each step atomic with its audit record.
package store

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/alerts/plan"
	"kentongan/alerts/report"
	"kentongan/alerts/rules"
	"kentongan/alerts/statement"
	"kentongan/alerts/status"
	"kentongan/alerts/unit"
	"kentongan/geo/keyspace"
)

// Consent is an entry of the profile's list of agency alerts that open an incident.
type Consent = rules.Consent

// Firing is a rule that begins to fire on a Thing, or clears there.
type Firing = rules.Decision

// Options of a store.
type Options struct {
	Place    alerts.Place
	Zone     *time.Location // of the incident numbers' year; nil: UTC
	Prefix   string         // of the incident numbers, "SLK"
	Consents []Consent
	Rules    []string         // ids of the rules in force: Firing looks at them even where the store has not noted that they fire (stores of part 1)
	Status   StatusSettings   // of the area's status
	Fusion   FusionSettings   // of joining accounts to incidents
	Terms    TermsOf          // by which an incident of a type in an area is worked; nil: domain.md section 4, no zone, no checklist
	Regrade  Regrader         // grades agencies' alerts anew as they come in; nil: nobody does
	Now      func() time.Time // nil: time.Now
	Log      zerolog.Logger
}

// TermsOf gives the terms of a type of incident in an area, named as area_name.
type TermsOf func(kind, area string) incident.Terms

// Regrader grades an agency's alert anew by a site's rules, and names the rule in its parameters. False: no rule speaks of it.
type Regrader interface {
	Regrade(*alerts.Alert) (rule string, ok bool)
}

// Store keeps the cases of one jurisdiction. Safe for concurrent use, by several servers too.
type Store struct {
	rdb      redis.UniversalClient
	keys     keyspace.Keys
	place    alerts.Place
	zone     *time.Location
	prefix   string
	consents *rules.Consents
	wrong    error // the consents do not compile: agency alerts are refused rather than silently not acted on
	now      func() time.Time
	log      zerolog.Logger
	rules    []string
	status   StatusSettings
	fusion   FusionSettings
	terms    TermsOf
	regrade  Regrader
	opened   *opened
	warned   *warned
	expiring *expiring
	unread   *unread                                        // what was passed over; shared with Fenced stores
	forged   *atomic.Pointer[func(key, hash, found string)] // who is told of forged documents; shared with Fenced stores
	bent     *bent                                          // shared with Fenced stores
	roster   *roster                                        // shared with Fenced stores
	fence    *Fence                                         // nil: anybody may act
	needed   *atomic.Int32                                  // replicas that must confirm an act; shared with Fenced stores
}

// New makes a store. Consents should have been checked with rules.CompileConsents before; where they do not compile, Check says so.
func New(rdb redis.UniversalClient, keys keyspace.Keys, o Options) *Store {
	if o.Zone == nil {
		o.Zone = time.UTC
	}
	if o.Prefix == "" {
		o.Prefix = "INC"
	}
	if o.Terms == nil {
		o.Terms = func(string, string) incident.Terms { return incident.Terms{} }
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	s := &Store{rdb: rdb, keys: keys, place: o.Place, zone: o.Zone, prefix: o.Prefix, now: o.Now, log: o.Log, rules: o.Rules, status: o.Status, fusion: o.Fusion, terms: o.Terms, regrade: o.Regrade, opened: &opened{}, warned: &warned{most: mostWarnings}, expiring: &expiring{}, roster: newRoster(), unread: newUnread(o.Log, o.Now), needed: &atomic.Int32{}, forged: &atomic.Pointer[func(key, hash, found string)]{}, bent: &bent{}}
	s.consents, s.wrong = rules.CompileConsents(o.Consents)
	return s
}

// Check gives the fault of the consents, nil where there is none.
func (s *Store) Check() error { return s.wrong }

// Faults of an act; those of package incident (ErrInvalid, ErrSeparation) come through as they are.
var ErrNotFound = errors.New("there is no such incident") // 404

// Conflict is an act that came too late or is not allowed now: 409.
type Conflict struct {
	Current incident.Incident
	Allowed []incident.Status
	Missing []incident.ProofKind // kinds of proof of which a closure needs more
	Cause   error
}

func (c *Conflict) Error() string { return c.Cause.Error() }
func (c *Conflict) Unwrap() error { return c.Cause }

// Kind is what became of an agency's message.
type Kind string

// What can become of a message.
const (
	Stored    Kind = "stored"
	Duplicate Kind = "duplicate"
	Ignored   Kind = "ignored"
)

// Result says what became of an agency's message, and why where it was ignored.
type Result struct {
	Kind     Kind
	Reason   string
	Alert    string // id of the alert it made, changed or repeated, may be empty
	Incident string // id of the incident it opened or joined, may be empty
}

// Change is one event of the case stream.
type Change struct {
	Offset int64           `json:"offset"`
	Type   string          `json:"type"` // incident, alert, alarm, report, suggestion, plan, statement, status, unit, dispatch; empty: nobody can read it
	ID     string          `json:"id"`
	Doc    json.RawMessage `json:"doc"` // the whole new state
}

// Open is everything a screen starts with. Every change after Offset is still to come; some may already be within.
type Open struct {
	Incidents   []incident.Incident
	Alerts      []alerts.Alert
	Reports     []report.Report       // open ones of the last day, the newest received first
	Cut         bool                  // there are more reports than MostReports
	Alarms      []alarm.Alarm         // not over, and latched
	Suggestions []fusion.Suggestion   // offered
	Plans       []plan.Plan           // planned and running
	Statements  []statement.Statement // in force
	Statuses    []status.Status
	Units       []unit.Unit         // all of the roster
	Dispatches  []dispatch.Dispatch // that bind their unit
	Offset      int64
}

// incidentDoc and alertDoc are the stored forms, version 1.
type incidentDoc struct {
	V int `json:"v"`
	incident.Incident
}

type alertDoc struct {
	V int `json:"v"`
	alerts.Alert
}

// origin is what the store alone needs to know of an alert or a report.
type origin struct {
	Feed   string            `json:"feed"`             // the first source
	Agency string            `json:"agency,omitempty"` // of the first source
	Seen   map[string]string `json:"seen,omitempty"`   // feed -> hash of what it last said of an earthquake
	Cores  []string          `json:"cores,omitempty"`  // hashes of every solution of an earthquake so far
	// Unlisted: it was ended because its feed's list no longer held it; listed again it goes on.
	Unlisted bool   `json:"unlisted,omitempty"`
	Draft    string `json:"draft,omitempty"` // of a report that was entered here: hash of what was said
	Salt     string `json:"salt,omitempty"`  // of the hashes of a report in the audit log: erased with its words

	Keys   map[string]answered `json:"keys,omitempty"`   // of a dispatch: Idempotency-Key -> what was answered
	Memory *status.Memory      `json:"memory,omitempty"` // of a status: what the engine remembers of it
	Roster string              `json:"roster,omitempty"` // of a unit: hash of what the profile last said of it, so that a person's edit outlives a start
}

type kept[T any] struct {
	doc    T
	own    origin
	inside string // own as it is stored
	rev    string
}

func (s *Store) incidentForm() form[incident.Incident] {
	return formOf(s.keys.Incident, func(d *incidentDoc) (incident.Incident, string) {
		d.Fill()
		return d.Incident, d.ID
	})
}

func (s *Store) incidentOf(ctx context.Context, id string) (kept[incident.Incident], error) {
	return loadOne(ctx, s, s.incidentForm(), id, ErrNotFound)
}

// incidentsOf loads documents in the order of the ids; missing and unreadable ones are left out. The others of this form do likewise.
func (s *Store) incidentsOf(ctx context.Context, ids []string) ([]kept[incident.Incident], error) {
	return load(ctx, s, s.incidentForm(), ids)
}

func (s *Store) alertForm() form[alerts.Alert] {
	return formOf(s.keys.Alert, func(d *alertDoc) (alerts.Alert, string) { return d.Alert, d.ID })
}

func (s *Store) alertsOf(ctx context.Context, ids []string) ([]kept[alerts.Alert], error) {
	return load(ctx, s, s.alertForm(), ids)
}

// nextRev is one more; revisions count every write, unlike an incident's version.
func nextRev(rev string) string {
	n, _ := strconv.ParseInt(rev, 10, 64) // "" is 0
	return strconv.FormatInt(n+1, 10)
}

// Record writes an audit record of an act that changes no case, such as signing in. Its sequence and time are the store's.
func (s *Store) Record(ctx context.Context, r audit.Record) error {
	st := s.newStep(s.now())
	r.Time = st.now
	st.acts = []entry{{Record: r}}
	return s.run(ctx, st)
}
