package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/incident"
	"kentongan/feeds"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/book"
	"kentongan/server/people"
	"kentongan/server/problem"
)

func (s *server) users() {
	const root, one = "/api/v1/users", "/api/v1/users/{id}"
	operation(s, needs(access.ReadPeople), "GET", root, "users", "Every account, by login", http.StatusOK, s.listUsers)
	operation(s, needs(access.ReadPeople), "GET", "/api/v1/grants", "grants", "What a grant may name: roles, and types of incidents with those that only people named for them may see", http.StatusOK, listGrantable)
	operation(s, needs(access.WritePeople), "POST", root, "make-user", "Make an account; its one-time invitation, or the code of a break-glass account, is told this once", http.StatusCreated, s.makeUser)
	operation(s, needs(access.ReadPeople), "GET", one, "user", "One account", http.StatusOK, s.oneUser)
	operation(s, needs(access.WritePeople), "PATCH", one, "change-user", "Change an account; 202: a second person must approve the change of roles", http.StatusOK, s.changeUser)
	operation(s, needs(access.WritePeople), "POST", one+"/disable", "disable-user", "Shut an account: its sessions and sockets end at once", http.StatusOK, s.disableUser)
	operation(s, needs(access.WritePeople), "POST", one+"/enable", "enable-user", "Open an account that was shut", http.StatusOK, s.enableUser)
	operation(s, needs(access.WritePeople), "POST", one+"/invite", "invite-user", "Another one-time invitation for an account that nobody can sign in to yet", http.StatusCreated, s.inviteUser)
	operation(s, needs(access.WritePeople), "POST", one+"/seal", "seal-user", "Another code for a break-glass account, told this once; the old one opens nothing", http.StatusCreated, s.sealUser)
	operation(s, needs(access.Witness), "POST", one+"/reset", "reset-user", "As a witness: make a code by which somebody who lost password or second factor gets in again", http.StatusCreated, s.resetUser)
	operation(s, needs(access.ReadPeople), "GET", one+"/sessions", "user-sessions", "Somebody's sessions, the newest first", http.StatusOK, s.userSessions)
	operation(s, needs(access.WritePeople), "DELETE", one+"/sessions", "end-user-sessions", "End all of somebody's sessions and sockets", http.StatusNoContent, s.endUserSessions)
	operation(s, needs(access.WritePeople), "DELETE", one+"/sessions/{sid}", "end-user-session", "End one of somebody's sessions and its sockets", http.StatusNoContent, s.endUserSession)
}

type personID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) listUsers(ctx context.Context, _ *struct{}) (*body[List[people.Public]], error) {
	list, err := s.People.List(ctx)
	if err != nil {
		return nil, s.personFault(err)
	}
	out := []people.Public{}
	for _, p := range list {
		out = append(out, p.Public())
	}
	return listOf(out, ""), nil
}

// grantable is what a grant may name. Who gives roles need not see incidents, and must be able to name the restricted types.
type grantable struct {
	Roles []access.Role   `json:"roles"`
	Types []incident.Type `json:"types"`
}

func listGrantable(context.Context, *struct{}) (*body[grantable], error) {
	roles := slices.DeleteFunc(access.Roles(), func(r access.Role) bool { return !r.Personal() })
	return &body[grantable]{grantable{roles, incident.Types}}, nil
}

func (s *server) oneUser(ctx context.Context, in *personID) (*body[people.Public], error) {
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	return &body[people.Public]{p.Public()}, nil
}

// grantIn is a role as somebody asks for it.
type grantIn struct {
	Role   access.Role `json:"role" enum:"calltaker,operator,dispatcher,supervisor,liaison,field,leader,pio,admin,auditor"`
	Agency string      `json:"agency,omitempty" maxLength:"41" doc:"Slug; liaison and field need one"`
	Areas  []string    `json:"areas,omitempty" maxItems:"200" doc:"Names of kecamatan; absent: all"`
	Types  []string    `json:"types,omitempty" maxItems:"200" doc:"Of incidents; absent: all that are not restricted"`
	Until  *time.Time  `json:"until,omitempty" doc:"Of help for a time"`
}

// grants brings roles as asked for into the form in which they are kept. Errors: *people.Fault.
func (s *server) grants(in []grantIn) ([]access.Grant, error) {
	out := []access.Grant{}
	for i, g := range in {
		at := fmt.Sprintf("grants[%d]", i)
		switch {
		case g.Agency == "" && (g.Role == access.Liaison || g.Role == access.Field):
			return nil, &people.Fault{Field: at + ".agency", Code: fault.Missing, Reason: "role " + string(g.Role) + " means nothing without one"}
		case g.Agency != "" && !s.knownAgency(g.Agency):
			return nil, &people.Fault{Field: at + ".agency", Code: fault.Unknown, Reason: fmt.Sprintf("there is no agency %q", g.Agency)}
		case g.Until != nil && !s.Now().Before(*g.Until):
			return nil, &people.Fault{Field: at + ".until", Code: fault.Over, Reason: "is over"}
		}
		for _, a := range g.Areas {
			if s.Profile.Areas != nil && len(s.Profile.Areas.ByName(a)) == 0 {
				return nil, &people.Fault{Field: at + ".areas", Code: fault.Unknown, Reason: fmt.Sprintf("there is no area %q", a)}
			}
		}
		for _, code := range g.Types {
			if !slices.ContainsFunc(incident.Types, func(t incident.Type) bool { return t.Code == code }) {
				return nil, &people.Fault{Field: at + ".types", Code: fault.Unknown, Reason: fmt.Sprintf("there is no type %q", code)}
			}
		}
		one := access.Grant{Role: g.Role, Agency: g.Agency, Areas: g.Areas, Types: g.Types}
		if g.Until != nil {
			one.Until = g.Until.UTC().Truncate(time.Second)
		}
		out = append(out, one)
	}
	return out, nil
}

// knownAgency tells an agency of the profile; where that names none, any is.
func (s *server) knownAgency(slug string) bool {
	for _, a := range s.Profile.Agencies {
		if a.Slug == slug || slices.Contains(a.ActsAs, slug) {
			return true
		}
	}
	return len(s.Profile.Agencies) == 0
}

// lately refuses whoever has not shown lately who they are, for acts on what is other people's.
func (s *server) lately(ctx context.Context) error {
	who, _ := auth.FromContext(ctx)
	if s.Auth.Elevated(who) {
		return nil
	}
	return elevate()
}

type makeUserIn struct {
	Body struct {
		Login      string    `json:"login" minLength:"2" maxLength:"64" doc:"An e-mail address or a short name"`
		Name       string    `json:"name" minLength:"1" maxLength:"100"`
		Lang       string    `json:"lang,omitempty" enum:"id,en"`
		Grants     []grantIn `json:"grants,omitempty" maxItems:"20"`
		Unit       string    `json:"unit,omitempty" maxLength:"100" doc:"Whom a field role rides with: bpbd/trc-1"`
		BreakGlass bool      `json:"break_glass,omitempty" doc:"A code for an envelope in place of a password: without a second factor, and every use is an alarm"`
	}
}

// madeUser is a new account, with what opens it.
type madeUser struct {
	User   people.Public  `json:"user"`
	Link   string         `json:"link,omitempty" doc:"Of the invitation: once, within 24 h"`
	Code   string         `json:"code,omitempty" doc:"Of a break-glass account: for the envelope"`
	Change *people.Change `json:"change,omitempty" doc:"The roles wait for a second person"`
}

func (s *server) makeUser(ctx context.Context, in *makeUserIn) (*body[madeUser], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	grants, err := s.grants(in.Body.Grants)
	if err != nil {
		return nil, s.personFault(err)
	}
	a := act(ctx)
	said := map[bool]string{true: "break-glass account ", false: ""}[in.Body.BreakGlass] + people.Login(in.Body.Login)
	p, err := s.People.Create(acting(ctx, "person.made", said), people.Person{Login: in.Body.Login, Name: in.Body.Name, Lang: in.Body.Lang, Grants: []access.Grant{}, BreakGlass: in.Body.BreakGlass, CreatedBy: a.Actor.Subject})
	if err != nil {
		return nil, s.personFault(err)
	}
	var out madeUser
	if len(grants) > 0 || in.Body.Unit != "" {
		if p, out.Change, err = s.changeRoles(ctx, p, grants, in.Body.Unit); err != nil {
			return nil, err
		}
	}
	if p.BreakGlass {
		p, out.Code, err = s.Auth.SealPerson(acting(ctx, "person.sealed", p.Login), p.ID)
	} else {
		out.Link, err = s.invitation(ctx, p)
	}
	if err != nil {
		return nil, s.personFault(err)
	}
	out.User = p.Public()
	return &body[madeUser]{out}, nil
}

// changeRoles proposes other roles for somebody; the change is nil where it was applied at once.
func (s *server) changeRoles(ctx context.Context, p people.Person, grants []access.Grant, unit string) (people.Person, *people.Change, error) {
	doc := people.Roles{Person: p.ID, Seen: p.Grants, Grants: grants, Unit: unit}
	c, applied, err := s.Changes.Propose(ctx, people.KindRoles, doc.Summary(p.Name), doc, act(ctx).Actor.Subject)
	if err != nil {
		return p, nil, s.personFault(err)
	}
	if !applied {
		return p, &c, nil
	}
	if p, err = s.People.Get(ctx, p.ID); err != nil {
		return p, nil, s.personFault(err)
	}
	return p, nil, nil
}

func (s *server) invitation(ctx context.Context, p people.Person) (string, error) {
	code, err := s.Auth.Invite(ctx, p, act(ctx).Actor.Subject)
	if err != nil {
		return "", err
	}
	return baseOf(ctx) + "/login?code=" + url.QueryEscape(code), nil
}

func (s *server) inviteUser(ctx context.Context, in *personID) (*body[madeUser], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	if p.CanEnter() || p.Disabled || p.BreakGlass {
		return nil, problem.New(problem.EntersAlready, "only an account that nobody can sign in to yet is invited; make a reset instead")
	}
	link, err := s.invitation(ctx, p)
	if err != nil {
		return nil, s.personFault(err)
	}
	s.recordPerson(ctx, "person.invited", p, p.Login)
	return &body[madeUser]{madeUser{User: p.Public(), Link: link}}, nil
}

func (s *server) sealUser(ctx context.Context, in *personID) (*body[madeUser], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	if !p.BreakGlass {
		return nil, problem.New(problem.NotSealed, "only a break-glass account has a sealed code")
	}
	if act(ctx).Actor.Person == p.ID {
		return nil, problem.New(problem.SealOwn, "whoever has opened the envelope does not seal it")
	}
	p, code, err := s.Auth.SealPerson(acting(ctx, "person.sealed", p.Login), p.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	return &body[madeUser]{madeUser{User: p.Public(), Code: code}}, nil
}

type changeUserIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Version int64      `json:"version" minimum:"1" doc:"The version that was seen"`
		Name    *string    `json:"name,omitempty" minLength:"1" maxLength:"100"`
		Lang    *string    `json:"lang,omitempty" enum:",id,en"`
		Grants  *[]grantIn `json:"grants,omitempty" maxItems:"20" doc:"All of them, as they shall be"`
		Unit    *string    `json:"unit,omitempty" maxLength:"100"`
	}
}

// changedUser is an account after a change, and what of it waits for a second person.
type changedUser struct {
	User   people.Public  `json:"user"`
	Change *people.Change `json:"change,omitempty" doc:"With 202: waits for a second person"`
}

type changedUserOut struct {
	Status int
	Body   changedUser
}

func (s *server) changeUser(ctx context.Context, in *changeUserIn) (*changedUserOut, error) {
	roles := in.Body.Grants != nil || in.Body.Unit != nil
	if roles {
		if err := s.lately(ctx); err != nil {
			return nil, err
		}
	}
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	if p.Version != in.Body.Version {
		return nil, staleUser(p)
	}
	grants, unit := p.Grants, p.Unit
	if in.Body.Unit != nil {
		unit = *in.Body.Unit
	}
	if in.Body.Grants != nil {
		if grants, err = s.grants(*in.Body.Grants); err != nil {
			return nil, s.personFault(err)
		}
		after := p
		after.Grants = grants
		if err := s.People.StaysLed(ctx, p, after); err != nil { // and again when it is applied
			return nil, s.personFault(err)
		}
	}
	if in.Body.Name != nil || in.Body.Lang != nil {
		p, err = s.People.Change(acting(ctx, "person.changed", "name and language"), p.ID, in.Body.Version, func(p *people.Person) error {
			if in.Body.Name != nil {
				p.Name = *in.Body.Name
			}
			if in.Body.Lang != nil {
				p.Lang = *in.Body.Lang
			}
			return nil
		})
		if errors.Is(err, people.ErrStale) {
			return nil, s.staleNow(ctx, in.ID)
		} else if err != nil {
			return nil, s.personFault(err)
		}
	}
	out := &changedUserOut{Status: http.StatusOK}
	if roles {
		if p, out.Body.Change, err = s.changeRoles(ctx, p, grants, unit); err != nil {
			return nil, err
		}
		if out.Body.Change != nil {
			out.Status = http.StatusAccepted
		}
	}
	out.Body.User = p.Public()
	return out, nil
}

func (s *server) disableUser(ctx context.Context, in *personID) (*body[people.Public], error) {
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	p, err = s.People.Change(acting(ctx, "person.disabled", p.Login), in.ID, 0, func(p *people.Person) error {
		before := *p
		p.Disabled = true
		return s.People.StaysLed(ctx, before, *p)
	})
	if err != nil {
		return nil, s.personFault(err)
	}
	if err := s.Auth.EndPerson(ctx, p.ID, "", ending(ctx, "", "the account was shut")); err != nil {
		return nil, s.personFault(err)
	}
	return &body[people.Public]{p.Public()}, nil
}

func (s *server) enableUser(ctx context.Context, in *personID) (*body[people.Public], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	p, err = s.People.Change(acting(ctx, "person.enabled", p.Login), in.ID, 0, func(p *people.Person) error { p.Disabled = false; return nil })
	if err != nil {
		return nil, s.personFault(err)
	}
	return &body[people.Public]{p.Public()}, nil
}

type resetIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		DropFactors bool   `json:"drop_factors,omitempty" doc:"The second factors are lost too: they go when the code is used"`
		Reason      string `json:"reason" minLength:"3" maxLength:"500" doc:"How the witness knows that it is they"`
	}
}

// resetOut is what a witness reads out to whoever stands there.
type resetOut struct {
	Code      string      `json:"code"`
	ExpiresAt moment.Time `json:"expires_at"`
}

func (s *server) resetUser(ctx context.Context, in *resetIn) (*body[resetOut], error) {
	if err := s.lately(ctx); err != nil {
		return nil, err
	}
	p, err := s.People.Get(ctx, in.ID)
	if err != nil {
		return nil, s.personFault(err)
	}
	a := act(ctx)
	if d := a.Actor.May(access.Witness, access.Object{Noun: "person", By: []string{"user:" + p.ID}}, s.Now()); !d.Allowed() {
		return nil, problem.New(problem.WitnessSelf, d.Reason)
	}
	if p.BreakGlass || p.Disabled {
		return nil, problem.New(problem.SealedOrShut, "a sealed account is sealed again, a shut one is opened first")
	}
	// Whoever may only witness must not get by it what they may not do themselves.
	if !a.Actor.Can(access.WritePeople) {
		for _, right := range access.Rights(p.Subject(), s.Now()) {
			if !a.Actor.Can(right) {
				return nil, problem.New(problem.WitnessAdmin, "they may do what you may not: an administrator must be the witness")
			}
		}
		if !a.Actor.Who.Reaches(p.Held(), func(code string) bool { t, ok := incident.TypeOf(code); return !ok || t.Restricted }, s.Now()) {
			return nil, problem.New(problem.WitnessAdmin, "they see what you may not: an administrator must be the witness")
		}
	}
	code, until, err := s.Auth.ResetCode(ctx, p, in.Body.DropFactors, a.Actor.Subject, a.Actor.Name)
	if err != nil {
		return nil, s.personFault(err)
	}
	s.recordPerson(ctx, "person.reset", p, fmt.Sprintf("%s as witness for %s: %s", a.Actor.Name, p.Name, in.Body.Reason))
	return &body[resetOut]{resetOut{code, moment.Of(until)}}, nil
}

func (s *server) userSessions(ctx context.Context, in *personID) (*body[List[auth.Session]], error) {
	list, err := s.Auth.Sessions(ctx, "user:"+in.ID, act(ctx).Actor.Session)
	if err != nil {
		return nil, s.personFault(err)
	}
	return listOf(list, ""), nil
}

func (s *server) endUserSessions(ctx context.Context, in *personID) (*struct{}, error) {
	p, err := s.People.Get(ctx, in.ID)
	if err == nil {
		err = s.Auth.EndPerson(ctx, p.ID, "", ending(ctx, "person:"+p.ID, "all of them"))
	}
	if err != nil {
		return nil, s.personFault(err)
	}
	return nil, nil
}

type personSession struct {
	ID  string `path:"id" maxLength:"64"`
	SID string `path:"sid" maxLength:"64"`
}

func (s *server) endUserSession(ctx context.Context, in *personSession) (*struct{}, error) {
	p, err := s.People.Get(ctx, in.ID)
	if err == nil {
		err = s.Auth.EndSession(ctx, "user:"+p.ID, in.SID, ending(ctx, "person:"+p.ID, "session "+in.SID))
	}
	if err != nil {
		return nil, s.personFault(err)
	}
	return nil, nil
}

// ending is the act of ending sessions; an empty object: each of them is one.
func ending(ctx context.Context, object, reason string) auth.Act {
	a := act(ctx)
	a.Object, a.Reason = object, reason
	return a
}

// acting has what is changed within ctx recorded as this act, in the step of the change and in no other record.
func acting(ctx context.Context, action, reason string) context.Context {
	a := act(ctx)
	a.Action, a.Reason = action, reason
	return book.With(ctx, a.Record())
}

// recordPerson keeps an act about an account that changes nothing of it.
func (s *server) recordPerson(ctx context.Context, action string, p people.Person, reason string) {
	a := act(ctx)
	a.Action, a.Object, a.Reason = action, "person:"+p.ID, reason
	s.Auth.Record(ctx, a)
}

// personConflict is the 409 of a change that was made of an account as it no longer is.
type personConflict struct {
	problem.Head
	Current people.Public `json:"current"`
}

func staleUser(p people.Person) error {
	return &personConflict{problem.Of(problem.Changed, people.ErrStale.Error()), p.Public()}
}

func (s *server) staleNow(ctx context.Context, id string) error {
	p, err := s.People.Get(ctx, id)
	if err != nil {
		return s.personFault(err)
	}
	return staleUser(p)
}

// personFault turns an error of accounts and changes into an answer.
func (s *server) personFault(err error) error {
	var f *people.Fault
	var answered huma.StatusError
	switch {
	case errors.As(err, &answered):
		return err
	case errors.As(err, &f):
		return personal(f)
	case caused(err) != nil:
		return caused(err)
	case errors.Is(err, auth.ErrBusy), errors.Is(err, people.ErrBusy):
		return s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	}
	// What is left is the store: it is asked again.
	return s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
}
