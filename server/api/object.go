package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo"
	"kentongan/geo/index"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
	"kentongan/server/wire"
)

// view is the stores as one person sees them. Handlers reach incidents, reports and Things only through it, so that nothing is answered
// that nobody asked Can about; a test holds every other file to that.
type view struct {
	s      *server
	who    auth.Identity
	client string // for the audit log
	tried  auth.Asked
	now    time.Time
	routed object // that the route names; the zero one: none
}

// sees gives the view of whoever sent the current request.
func (s *server) sees(ctx context.Context) view {
	who, _ := auth.FromContext(ctx)
	r, _ := ctx.Value(requestKey{}).(request)
	return view{s, who, r.client, askedFor(ctx), s.Now(), objectOf(ctx)}
}

// object is what a route names, loaded before its handler runs.
type object struct {
	access   access.Object
	read     access.Action // what seeing it needs
	level    access.Level  // how far it is seen
	incident *incident.Incident
	sent     *dispatch.Dispatch // of an incident: by which the unit of whoever asks was sent to it; nil: it was not
	report   *report.Report
	entry    *index.Entry
}

type objectKey struct{}

// objectOf gives what the route of the current request names; a route whose policy names none has the zero object, of which nothing is seen.
func objectOf(ctx context.Context) object {
	o, _ := ctx.Value(objectKey{}).(object)
	return o
}

// seenReport is the report that a route names, as it is seen.
func (o object) seenReport() report.Report {
	out, _ := scope.ReportAt(o.level, o.report)
	return out
}

// errNotHere means that there is no such object, or none for the one who asks: the answer is the same.
var errNotHere = errors.New("it is not here")

// load finds the object of a noun.
func (v view) load(ctx context.Context, noun, id string) (object, error) {
	switch noun {
	case scope.NounIncident:
		one, err := v.s.Cases.Incident(ctx, id)
		if errors.Is(err, store.ErrNotFound) {
			return object{}, errNotHere
		}
		if err != nil {
			return object{}, err
		}
		d, err := v.sentTo(ctx, &one)
		return object{access: given(&one, d), read: access.ReadIncidents, incident: &one, sent: d}, err
	case scope.NounReport:
		one, err := v.s.Cases.Report(ctx, id)
		if errors.Is(err, store.ErrNoReport) {
			return object{}, errNotHere
		}
		return object{access: v.reportObject(&one), read: access.ReadReports, report: &one}, err
	case scope.NounThing:
		e := v.s.Picture.Get(id)
		if e == nil || thingOf(e) == nil {
			return object{}, errNotHere
		}
		read, o := scope.Thing(e.ID, e.Kind, v.agencyOf)
		return object{access: o, read: read, entry: e}, nil
	}
	return object{}, fmt.Errorf("a policy names the noun %q, which cannot be loaded", noun)
}

// judge asks Can about an object that a route names: whether it may be known at all, and then whether the act may be done.
func (v view) judge(ctx context.Context, o *object, right access.Action, noun string) error {
	d := v.who.May(o.read, o.access, v.now)
	if o.level = d.Level; o.level == access.None {
		v.forbid(ctx, o.read, d.Reason)
		return errNotHere
	}
	if right == o.read || right == generic[noun] {
		return nil
	}
	return v.may(ctx, right, o.access)
}

// generic is what reading some object of a noun needs; which object needs more, scope tells.
var generic = map[string]access.Action{scope.NounIncident: access.ReadIncidents, scope.NounReport: access.ReadReports, scope.NounThing: access.ReadThings}

// may tells whether an act on an object is allowed, and keeps the refusal.
func (v view) may(ctx context.Context, right access.Action, o access.Object) error {
	d := v.who.May(right, o, v.now)
	if d.Allowed() {
		return nil
	}
	reason := cmp.Or(d.Reason, "it is seen only in part")
	v.forbid(ctx, right, reason)
	return deny(right, reason)
}

func (v view) forbid(ctx context.Context, right access.Action, reason string) {
	v.s.Auth.ForbidFor(ctx, v.who, v.client, v.tried, right, reason)
}

// reportObject is a report as an object; the house knows whose its feed is.
func (v view) reportObject(r *report.Report) access.Object {
	var agencies []string
	if r.Agency == "" {
		if agency := v.agencyOf(r.Feed); agency != "" {
			agencies = []string{agency}
		}
	}
	o := scope.Report(r, agencies)
	o.Fresh = v.now.Sub(r.ReceivedAt.Time) < 24*time.Hour
	return o
}

func (v view) agencyOf(feed string) string {
	for _, f := range v.s.Feeds() {
		if f.Name == feed {
			return f.Agency
		}
	}
	return ""
}

// incidents lists what is seen of incidents, in the form in which it is seen.
func (v view) incidents(ctx context.Context, q store.Query) ([]incident.Incident, string, error) {
	if !v.who.Who.Whole {
		q.SeeIncident = func(in *incident.Incident) (incident.Incident, bool) {
			return scope.IncidentAt(v.who.May(access.ReadIncidents, scope.Incident(in), v.now).Level, in)
		}
	}
	return v.s.Cases.Incidents(ctx, q)
}

// reports lists what is seen of reports.
func (v view) reports(ctx context.Context, q store.Query) ([]report.Report, string, error) {
	if !v.who.Who.Whole {
		q.SeeReport = func(r *report.Report) (report.Report, bool) {
			return scope.ReportAt(v.who.May(access.ReadReports, v.reportObject(r), v.now).Level, r)
		}
	}
	return v.s.Cases.Reports(ctx, q)
}

// form gives an incident as it is seen; whoever has just acted on it sees at least that it is there.
func (v view) form(in *incident.Incident) incident.Incident {
	level := v.who.May(access.ReadIncidents, scope.Incident(in), v.now).Level
	out, _ := scope.IncidentAt(max(level, access.Coarse), in)
	return out
}

// allowed keeps of what an incident allows now what this person may ask of it.
func (v view) allowed(in *incident.Incident, all []incident.Status) []incident.Status {
	out, o := []incident.Status{}, scope.Incident(in)
	for _, to := range all {
		ok := v.who.May(actOf(to, ""), v.movedAs(in, to), v.now).Allowed()
		if to == incident.Cancelled {
			ok = ok || v.who.May(access.MergeIncident, o, v.now).Allowed()
		}
		if ok {
			out = append(out, to)
		}
	}
	return out
}

// actOf is the action that a transition needs. Duplicate is the one reason of a cancellation that is an act of its own.
func actOf(to incident.Status, reason string) access.Action {
	switch to {
	case incident.Acknowledged:
		return access.AcknowledgeIncident
	case incident.Dispatched:
		return access.DispatchIncident
	case incident.OnScene:
		return access.ArriveIncident
	case incident.Resolved:
		return access.ResolveIncident
	case incident.Closed:
		return access.CloseIncident
	case incident.Cancelled:
		if reason == "duplicate" {
			return access.MergeIncident
		}
		return access.CancelIncident
	case incident.Reopened:
		return access.ReopenIncident
	}
	return "" // there is no such action: nobody may
}

// units tells which Things are seen: nil means all, for units are the only ones that some see and others do not.
func (v view) units() func(e *index.Entry) bool {
	if v.who.Who.Guests {
		return func(e *index.Entry) bool { return access.Open(e.Kind) }
	}
	if v.allUnits() {
		return nil
	}
	if !v.who.May(access.ReadUnits, access.Object{}, v.now).Allowed() {
		return func(e *index.Entry) bool { return e.Kind != scope.KindUnit }
	}
	agencies := map[string]string{}
	for _, f := range v.s.Feeds() {
		agencies[f.Name] = f.Agency
	}
	return func(e *index.Entry) bool {
		if e.Kind != scope.KindUnit {
			return true
		}
		read, o := scope.Thing(e.ID, e.Kind, func(feed string) string { return agencies[feed] })
		return v.who.May(read, o, v.now).Allowed()
	}
}

// allUnits tells whoever sees even a unit that belongs to nobody, and so every one.
func (v view) allUnits() bool {
	return v.who.May(access.ReadUnits, access.Object{Noun: scope.NounUnit}, v.now).Allowed()
}

// cells gives Things by cell. A sum says nothing of whose units it counts, so only who sees all of them sees that layer.
func (v view) cells(ctx context.Context, bound geo.Bound, res geo.Resolution, layers []string) ([]wire.Cell, error) {
	if v.who.Who.Guests {
		open := slices.DeleteFunc(slices.Clone(layers), func(kind string) bool { return !access.Open(kind) })
		if len(layers) == 0 || slices.Contains(layers, "*") {
			open = access.OpenKinds()
		}
		if layers = open; len(layers) == 0 {
			return []wire.Cell{}, nil
		}
	}
	return v.s.Cells(ctx, bound, res, layers, v.allUnits())
}

// picture is where Things are looked up; what is found must pass units.
func (v view) picture() *index.Picture { return v.s.Picture }

// denied is the 403 of an act that access refuses.
type denied struct {
	problem.Head
	Reason string `json:"reason"`
}

func deny(right access.Action, reason string) *denied {
	return &denied{problem.Of(problem.Denied, "the right "+string(right)+" is needed").With("right", right), reason}
}

// Error says why too.
func (d *denied) Error() string { return d.Title + ": " + d.Reason }

// notHere answers for an object that is not there, or not for the one who asks.
func notHere(noun, id string) error {
	return problem.New(problem.NotFound, fmt.Sprintf("there is no such %s: %.80q", noun, id))
}

// named loads the object that a route names and judges it; where it may not be used, the answer is given.
func (t *table) named(p policy, w http.ResponseWriter, r *http.Request) (*http.Request, bool) {
	v, id := t.s.sees(r.Context()), r.PathValue("id")
	o, err := v.load(r.Context(), p.object, id)
	if err == nil {
		err = v.judge(r.Context(), &o, p.right, p.object)
	}
	switch {
	case errors.Is(err, errNotHere):
		err = notHere(p.object, id)
	case errors.Is(err, feeds.ErrBusy):
		w.Header().Set("Retry-After", "2")
	}
	if err != nil {
		t.s.answerFault(w, err)
		return r, false
	}
	return r.WithContext(context.WithValue(r.Context(), objectKey{}, o)), true
}

// mayOpen asks whether an incident may be opened as it is drafted: of its type, in its place.
func (v view) mayOpen(ctx context.Context, d incident.Draft) error {
	t, _ := incident.TypeOf(d.Type) // Validate has found it
	in := incident.Incident{Type: d.Type, Severity: cmp.Or(d.Severity, t.Severity), LeadAgency: t.Lead, Support: t.Support, AreaName: v.areaOf(d.Position())}
	return v.may(ctx, access.CreateIncident, scope.Incident(&in))
}

func (v view) areaOf(p *geo.Position) string {
	if p == nil {
		return ""
	}
	a, _ := v.s.Profile.Areas.Find(*p)
	return a.Name
}

// open opens an incident that mayOpen allowed, under an Idempotency-Key where one is given.
func (v view) open(ctx context.Context, key string, d incident.Draft) (incident.Incident, error) {
	return v.s.Cases.CreateOnce(ctx, key, d, actor(ctx))
}

// tries bounds how often an act without a version follows the incident's own changes.
const tries = 5

// transition does an act on the incident that the route names, where the one who asks may: what is judged is the revision that is changed.
// Without a version the act follows the incident.
func (v view) transition(ctx context.Context, id, key string, act incident.Act) (incident.Incident, error) {
	may := func(in *incident.Incident) error {
		if err := v.may(ctx, actOf(act.To, act.Reason), v.movedAs(in, act.To)); err != nil || act.Override == "" {
			return err
		}
		return v.may(ctx, access.OverrideClosure, scope.Incident(in))
	}
	follow := act.Version == 0
	if follow {
		act.Version = objectOf(ctx).incident.Version
	}
	for i := 0; ; i++ {
		one, err := v.s.Cases.TransitionOnce(ctx, id, key, act, actor(ctx), may)
		if err == nil {
			return one, nil
		}
		var late *store.Conflict
		if !errors.As(err, &late) {
			return incident.Incident{}, v.s.fault(err)
		}
		if !follow || !errors.Is(err, incident.ErrStale) || i == tries {
			return incident.Incident{}, v.conflict(late)
		}
		act.Version = late.Current.Version
	}
}

// conflict tells an act that came too late what it needs to go on.
func (v view) conflict(c *store.Conflict) error {
	return &conflict{standing(c), v.form(&c.Current), v.allowed(&c.Current, c.Allowed), c.Missing}
}

// enter takes a report that somebody enters: for the house, or for an agency whose desk they sit at. Who gave it is kept first.
func (v view) enter(ctx context.Context, r feeds.Report, key string, given *reporterDraft) (report.Report, error) {
	var at *geo.Position
	if r.Placed {
		at = &r.Position
	}
	who := actor(ctx)
	who.Agency = ""
	o := access.Object{Noun: scope.NounReport, Area: v.areaOf(at), Feed: store.DeskFeed}
	if !v.who.May(access.WriteReports, o, v.now).Allowed() {
		for _, g := range v.who.Who.Grants {
			if o.Agencies = []string{g.Agency}; g.Agency != "" && v.who.May(access.WriteReports, o, v.now).Allowed() {
				who.Agency = g.Agency
				break
			}
		}
		if who.Agency == "" {
			return report.Report{}, v.may(ctx, access.WriteReports, o)
		}
	}
	one, _, err := v.s.Cases.EnterReportBeside(ctx, r, key, who, func(ctx context.Context, id string) error { return v.s.keepReporter(ctx, id, given) })
	if err != nil {
		return one, v.s.fault(err)
	}
	return one, nil
}

// knowsThing tells the Things that this person sees.
func (v view) knowsThing() func(id string) bool {
	seen := v.units()
	return func(id string) bool {
		e := v.picture().Get(id)
		return e != nil && (seen == nil || seen(e))
	}
}

// planAgencies are the agencies for which this person writes plans; everywhere: for each, and for none.
func (v view) planAgencies() (own []string, everywhere bool) {
	if v.who.Who.Whole || len(v.who.Who.Actions) > 0 && v.who.Who.Agency == "" {
		return nil, true
	}
	if v.who.Who.Agency != "" {
		own = append(own, v.who.Who.Agency)
	}
	for _, g := range v.who.Who.Grants {
		alone := access.Subject{ID: v.who.Subject, Grants: []access.Grant{g}}
		if !access.Can(alone, access.WritePlans, access.Object{}, v.now).Allowed() {
			continue
		}
		if g.Agency == "" {
			return nil, true
		}
		own = append(own, g.Agency)
	}
	return own, false
}

// planAgency is the agency of a plan that somebody writes: whoever writes for one agency alone writes its plans.
func (v view) planAgency(ctx context.Context, given string) (string, error) {
	own, everywhere := v.planAgencies()
	switch {
	case everywhere || slices.Contains(own, given):
		return given, nil
	case given == "" && len(own) > 0:
		return own[0], nil
	}
	return "", v.notTheirPlan(ctx, given)
}

// notTheirPlan refuses a plan of another agency, and keeps the refusal.
func (v view) notTheirPlan(ctx context.Context, agency string) error {
	reason := cmp.Or(agency, "the house") + " announces its own plans"
	v.forbid(ctx, access.WritePlans, reason)
	return deny(access.WritePlans, reason)
}
