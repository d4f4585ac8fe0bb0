package api

import (
	"context"
	"fmt"
	"mime"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/store"
	"kentongan/alerts/unit"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// unitEdits is the roster as people keep it: whoever runs an agency's units all of it, a crew its own status.
func (s *server) unitEdits() {
	const one = "/api/v1/units/{agency}/{callsign}"
	shape := s.docs.OpenAPI().Components.Schemas.Schema(typeOf[unitDraft](), true, "enter-units")
	s.table.declare("POST /api/v1/units", policy{kind: interfaces, right: access.EditUnits, compress: true})
	huma.Register(s.docs, huma.Operation{
		Method: "POST", Path: "/api/v1/units", OperationID: "enter-units", DefaultStatus: http.StatusCreated, MaxBodyBytes: smallBody, SkipValidateBody: true,
		Summary: "Enter one unit (JSON: 201 with the unit), or a roster (CSV: 200 with what it comes to); a roster with a fault changes nothing, and each fault is told with its line and column",
		Errors:  []int{400, 401, 403, 409, 415, 422, 503}, Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
		RequestBody: &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{"application/json": {Schema: shape}, "text/csv": {Schema: &huma.Schema{Type: "string",
			Description: "First line: agency, call_sign, and any of name, capabilities, crew, trackers, post_name, post_lng, post_lat, shift_until. Separated by comma, semicolon or tab; several in one field by |"}}}},
	}, s.enterUnits)
	operation(s, needs(access.ReportUnits), "PATCH", one, "edit-unit", "Change a unit: its status between dispatches, by its crew too; all else by whoever runs its agency's roster", http.StatusOK, s.editUnit)
}

// unitDraft is what is said of one new unit.
type unitDraft struct {
	Agency       string   `json:"agency" doc:"Slug of an agency of the profile"`
	CallSign     string   `json:"call_sign" doc:"Small letters, digits, hyphens: trc-1"`
	Name         string   `json:"name,omitempty"`
	Capabilities []string `json:"capabilities,omitempty" doc:"Codes of the profile"`
	Crew         []string `json:"crew,omitempty"`
	Post         *postIn  `json:"post,omitempty"`
	Trackers     []string `json:"trackers,omitempty" doc:"Ids of Things that tell its place: traccar:860123"`
	ShiftUntil   string   `json:"shift_until,omitempty" doc:"RFC 3339; empty: no end"`
}

// postIn is where a unit waits.
type postIn struct {
	Name string  `json:"name"`
	Lng  float64 `json:"lng"`
	Lat  float64 `json:"lat"`
}

func (p *postIn) post() *unit.Post {
	if p == nil {
		return nil
	}
	return &unit.Post{Name: p.Name, Lng: p.Lng, Lat: p.Lat}
}

type enterUnitsIn struct {
	DryRun  string `query:"dry_run" enum:"0,1" doc:"1: nothing is written"`
	Type    string `header:"Content-Type"`
	RawBody []byte
}

// enterUnitsOut is a unit, or a RosterRead.
type enterUnitsOut struct {
	Status int
	Body   any
}

func (s *server) enterUnits(ctx context.Context, in *enterUnitsIn) (*enterUnitsOut, error) {
	kind, _, err := mime.ParseMediaType(in.Type)
	switch {
	case err == nil && kind == "application/json":
		return s.enterUnit(ctx, in)
	case err == nil && kind == "text/csv":
		return s.enterRoster(ctx, in)
	}
	return nil, problem.New(problem.UnsupportedMedia, "want application/json with one unit, or text/csv with a roster")
}

func (s *server) enterUnit(ctx context.Context, in *enterUnitsIn) (*enterUnitsOut, error) {
	v := s.sees(ctx)
	var d unitDraft
	if err := readStrict(strings.NewReader(string(in.RawBody)), &d); err != nil {
		return nil, problem.New(problem.Invalid, err.Error())
	}
	until, err := shiftEnd(d.ShiftUntil)
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	e := store.Entry{Agency: d.Agency, CallSign: d.CallSign, Edit: unit.Edit{Capabilities: &d.Capabilities, Crew: &d.Crew, Post: d.Post.post(), Trackers: &d.Trackers, ShiftUntil: &until}}
	if d.Name != "" {
		e.Name = &d.Name
	}
	if !s.knownAgency(d.Agency) {
		return nil, problem.New(problem.Invalid, fmt.Sprintf("there is no agency %.60q", d.Agency), problem.At("body.agency", problem.Unknown, "is none of the profile's"))
	}
	out, err := s.Cases.EnterUnits(ctx, []store.Entry{e}, store.Entering{Known: s.knownCapability, May: v.mayEdit(ctx), Fresh: true, Dry: in.DryRun == "1"}, actor(ctx))
	if err == nil && len(out.Faults) > 0 {
		err = out.Faults[0].Cause
	}
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	if in.DryRun == "1" {
		return &enterUnitsOut{http.StatusOK, out.Units[0]}, nil
	}
	return &enterUnitsOut{http.StatusCreated, out.Units[0]}, nil
}

// mayEdit asks whether a unit's roster may be changed.
func (v view) mayEdit(ctx context.Context) func(*unit.Unit) error {
	return func(u *unit.Unit) error { return v.may(ctx, access.EditUnits, scope.Unit(u)) }
}

// knownCapability tells a code of the profile; a profile that lists none knows every one.
func (s *server) knownCapability(code string) bool {
	for _, c := range s.Profile.Capabilities {
		if c.Code == code {
			return true
		}
	}
	return len(s.Profile.Capabilities) == 0
}

// shiftEnd reads the end of a shift; empty is none.
func shiftEnd(text string) (moment.Time, error) {
	if text == "" {
		return moment.Time{}, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return moment.Time{}, fault.In(unit.ErrInvalid, "shift_until", fault.Form, "2026-11-27T15:00:00+07:00", "%.40q is no time as 2026-11-27T15:00:00+07:00", text)
	}
	return moment.Of(at), nil
}

// UnitPath names a unit.
type UnitPath struct {
	Agency   string `path:"agency" maxLength:"64"`
	CallSign string `path:"callsign" maxLength:"64"`
}

func (p UnitPath) id() string { return unit.ID(p.Agency, p.CallSign) }

type editUnitIn struct {
	UnitPath
	Body struct {
		Status       string    `json:"status,omitempty" enum:"available,off_duty,returning" doc:"On a dispatch it derives, and is 409"`
		Reason       string    `json:"reason,omitempty" maxLength:"500" doc:"Why it is out of service"`
		Name         *string   `json:"name,omitempty"`
		Capabilities *[]string `json:"capabilities,omitempty"`
		Crew         *[]string `json:"crew,omitempty"`
		Post         *postIn   `json:"post,omitempty"`
		Trackers     *[]string `json:"trackers,omitempty" doc:"Ids of Things that tell its place: traccar:860123"`
		ShiftUntil   *string   `json:"shift_until,omitempty" doc:"RFC 3339; empty: no end"`
		Version      int       `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session where more than the status changes"`
	}
}

func (s *server) editUnit(ctx context.Context, in *editUnitIn) (*body[unit.Unit], error) {
	v := s.sees(ctx)
	e := unit.Edit{Reason: strings.TrimSpace(in.Body.Reason), Name: in.Body.Name, Capabilities: in.Body.Capabilities, Crew: in.Body.Crew, Post: in.Body.Post.post(), Trackers: in.Body.Trackers, Version: in.Body.Version}
	if in.Body.Status != "" {
		e.Status = new(unit.Status(in.Body.Status))
	}
	if in.Body.ShiftUntil != nil {
		until, err := shiftEnd(*in.Body.ShiftUntil)
		if err != nil {
			return nil, v.dispatchFault(err)
		}
		e.ShiftUntil = &until
	}
	switch {
	case e.Status == nil && !e.Roster():
		return nil, problem.New(problem.Invalid, "nothing is said that would change the unit")
	case e.Roster() && e.Version == 0 && v.who.Via == auth.ViaSession:
		return nil, problem.New(problem.VersionMissing, "version is required: the version that you saw", problem.At("body.version", problem.Missing, "is required"))
	}
	right := access.ReportUnits
	if e.Roster() {
		right = access.EditUnits
	}
	one, err := s.Cases.EditUnit(ctx, in.id(), e, s.knownCapability, actor(ctx), v.mayOf(ctx, right))
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return v.unitBody(one), nil
}

// mayOf asks whether something may be done to a unit; where it may not be seen, it is not there.
func (v view) mayOf(ctx context.Context, right access.Action) func(*unit.Unit) error {
	return func(u *unit.Unit) error {
		if !v.who.May(access.ReadUnits, scope.Unit(u), v.now).Allowed() {
			return store.ErrNoUnit
		}
		return v.may(ctx, right, scope.Unit(u))
	}
}

// unitBody is a unit with its last place.
func (v view) unitBody(u unit.Unit) *body[unit.Unit] {
	return &body[unit.Unit]{v.s.Places.Fill([]unit.Unit{u}, v.now)[0]}
}
