package api

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/contact"
	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/geo"
	"kentongan/geo/area"
	"kentongan/server/access"
	"kentongan/server/privacy"
	"kentongan/server/problem"
	"kentongan/server/profile"
	"kentongan/server/scope"
)

// contacts is whom to call.
func (s *server) contacts() {
	const root = "/api/v1/contacts"
	operation(s, needs(access.ReadContacts), "GET", root, "contacts", "Duty officers, facilities and heavy equipment; personal numbers of other agencies masked", http.StatusOK, s.listContacts)
	operation(s, needs(access.ReadContacts), "GET", root+"/duty", "on-duty", "Whom to call now for a place and type: who names them first, then the nearest", http.StatusOK, s.onDuty)
	operation(s, needs(access.WriteContacts), "POST", root, "add-contact", "Add a contact", http.StatusCreated, s.addContact)
	operation(s, needs(access.WriteContacts), "PUT", root+"/{id}", "edit-contact", "Say a contact anew, all of it, of the version that you saw", http.StatusOK, s.editContact)
	operation(s, needs(access.WriteContacts), "DELETE", root+"/{id}", "delete-contact", "Delete a contact, of the version that you saw", http.StatusNoContent, s.dropContact)
}

// seesContact is a contact as somebody sees it; false: not at all.
func (v view) seesContact(c contact.Contact) (contact.Contact, bool) {
	level := v.who.May(access.ReadContacts, scope.Contact(&c), v.now).Level
	if level < access.Full && c.Personal {
		c.Phone = privacy.MaskPhone(c.Phone)
	}
	return c, level > access.None
}

// contacts are those that the one who asks sees.
func (v view) contacts(ctx context.Context) ([]contact.Contact, error) {
	all, err := v.s.Cases.Contacts(ctx)
	if err != nil {
		return nil, v.s.fault(err)
	}
	out := []contact.Contact{}
	for _, c := range all {
		if seen, any := v.seesContact(c); any {
			out = append(out, seen)
		}
	}
	return out, nil
}

type contactsIn struct {
	Kind   string `query:"kind" enum:"duty_officer,facility,equipment"`
	Agency string `query:"agency" maxLength:"64"`
	Q      string `query:"q" maxLength:"200" doc:"Part of name, role, note or what it provides, in any case"`
}

func (s *server) listContacts(ctx context.Context, in *contactsIn) (*body[List[contact.Contact]], error) {
	all, err := s.sees(ctx).contacts(ctx)
	if err != nil {
		return nil, err
	}
	want := strings.ToLower(in.Q)
	all = slices.DeleteFunc(all, func(c contact.Contact) bool {
		said := strings.ToLower(strings.Join(append([]string{c.Name, c.Role, c.Note}, c.Provides...), "\n"))
		return in.Kind != "" && string(c.Kind) != in.Kind || in.Agency != "" && c.Agency != in.Agency || !strings.Contains(said, want)
	})
	return listOf(all, ""), nil
}

type dutyIn struct {
	Type string    `query:"type" maxLength:"64" doc:"Of the incident; left out: who is there for every type"`
	Area string    `query:"area" maxLength:"200" doc:"area_name; left out: that of the place"`
	Near string    `query:"near" doc:"lng,lat in degrees"`
	At   time.Time `query:"at" doc:"Now where it is left out"`
}

func (s *server) onDuty(ctx context.Context, in *dutyIn) (*body[List[contact.Duty]], error) {
	v := s.sees(ctx)
	n := contact.Need{Area: in.Area, Type: in.Type, When: in.At}
	if in.Near != "" {
		at, err := numbers(in.Near, 2)
		if err == nil {
			n.At = &geo.Position{Lng: at[0], Lat: at[1]}
			err = n.At.Validate()
		}
		if err != nil {
			return nil, problem.New(problem.Invalid, "near is lng,lat", problem.At("query.near", problem.Form, err.Error()))
		}
		if n.Area == "" {
			n.Area = v.areaOf(n.At)
		}
	}
	if n.When.IsZero() {
		n.When = v.now
	}
	if zone := s.Profile.Zone; zone != nil {
		n.When = n.When.In(zone)
	}
	all, err := v.contacts(ctx)
	if err != nil {
		return nil, err
	}
	return listOf(contact.OnDuty(all, n), ""), nil
}

// ContactDraft is what somebody says of a contact.
type ContactDraft struct {
	Kind     string         `json:"kind" enum:"duty_officer,facility,equipment"`
	Name     string         `json:"name" maxLength:"200"`
	Role     string         `json:"role,omitempty" maxLength:"200" doc:"What it is: Kalaksa, IGD, alat berat"`
	Agency   string         `json:"agency,omitempty" maxLength:"64" doc:"Slug; left out: the house's own"`
	Phone    string         `json:"phone" maxLength:"64"`
	Personal bool           `json:"personal,omitempty" doc:"The number is a person's own: other agencies see it masked"`
	Areas    []string       `json:"areas,omitempty" doc:"Names of areas; none: everywhere"`
	Types    []string       `json:"types,omitempty" doc:"Of incidents; none: all"`
	Hours    []ContactHours `json:"hours,omitempty" maxItems:"50" doc:"By the clock of the place; none: always"`
	Provides []string       `json:"provides,omitempty" doc:"excavator, bed, shelter …"`
	Capacity int            `json:"capacity,omitempty" minimum:"0"`
	Lng      *float64       `json:"lng,omitempty"`
	Lat      *float64       `json:"lat,omitempty"`
	Note     string         `json:"note,omitempty" maxLength:"2000"`
}

type ContactHours struct {
	Days []string `json:"days,omitempty" doc:"mon, tue, wed, thu, fri, sat, sun; none: every day"`
	From string   `json:"from" doc:"08:00"`
	To   string   `json:"to" doc:"16:00; no later than from: past midnight"`
}

// cleaned checks a draft against what there is, for whoever writes it.
func (s *server) cleaned(ctx context.Context, d *ContactDraft) (contact.Contact, error) {
	c := contact.Contact{Kind: contact.Kind(d.Kind), Name: d.Name, Role: d.Role, Agency: d.Agency, Phone: d.Phone, Personal: d.Personal, Areas: d.Areas, Types: d.Types,
		Provides: d.Provides, Capacity: d.Capacity, Lng: d.Lng, Lat: d.Lat, Note: d.Note}
	for _, h := range d.Hours {
		c.Hours = append(c.Hours, contact.DutyHours(h))
	}
	known := contact.Known{Type: func(code string) bool { _, ok := incident.TypeOf(code); return ok }}
	if len(s.Profile.Agencies) > 0 {
		known.Agency = func(slug string) bool {
			return slices.ContainsFunc(s.Profile.Agencies, func(a profile.Agency) bool { return a.Slug == slug })
		}
	}
	known.Area = func(name string) bool {
		return slices.ContainsFunc(s.Profile.Areas.Areas(), func(a area.Area) bool { return a.Name == name })
	}
	c, err := c.Clean(known)
	if err != nil {
		return c, s.contactFault(err)
	}
	v := s.sees(ctx)
	return c, s.faultOf(v.may(ctx, access.WriteContacts, scope.Contact(&c)))
}

func (s *server) addContact(ctx context.Context, in *struct{ Body ContactDraft }) (*body[contact.Contact], error) {
	c, err := s.cleaned(ctx, &in.Body)
	if err != nil {
		return nil, err
	}
	one, err := s.Cases.AddContact(ctx, c, actor(ctx))
	if err != nil {
		return nil, s.contactFault(err)
	}
	return &body[contact.Contact]{one}, nil
}

type editContactIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		ContactDraft
		Version int `json:"version" minimum:"1" doc:"The version that was seen"`
	}
}

// mayContact tells whether somebody may change a contact as it is now; whose number they see masked is none of theirs.
func (s *server) mayContact(ctx context.Context) func(*contact.Contact) error {
	v := s.sees(ctx)
	return func(c *contact.Contact) error { return v.may(ctx, access.WriteContacts, scope.Contact(c)) }
}

func (s *server) editContact(ctx context.Context, in *editContactIn) (*body[contact.Contact], error) {
	c, err := s.cleaned(ctx, &in.Body.ContactDraft)
	if err != nil {
		return nil, err
	}
	one, err := s.Cases.EditContact(ctx, in.ID, in.Body.Version, c, actor(ctx), s.mayContact(ctx))
	if err != nil {
		return nil, s.contactFault(err)
	}
	return &body[contact.Contact]{one}, nil
}

type dropContactIn struct {
	ID      string `path:"id" maxLength:"64"`
	Version int    `query:"version" minimum:"1" required:"true" doc:"The version that was seen"`
}

func (s *server) dropContact(ctx context.Context, in *dropContactIn) (*struct{}, error) {
	if err := s.Cases.DropContact(ctx, in.ID, in.Version, actor(ctx), s.mayContact(ctx)); err != nil {
		return nil, s.contactFault(err)
	}
	return nil, nil
}

func (s *server) contactFault(err error) error {
	var faults contact.Faults
	var late *store.ContactConflict
	switch {
	case errors.As(err, &faults):
		return invalid("the contact cannot be taken", faults...)
	case errors.As(err, &late):
		return staleOf(late, late.Current)
	}
	return s.fault(err)
}
