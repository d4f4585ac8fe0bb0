// Package devices is walls, field devices and gateways of the broker: how they are let in, and which of them are known.
//
// A device is let in by a code that it shows and an administrator types, or by a token that an administrator made. A wall and a field
// device then carry a cookie, a gateway a certificate. Whoever is removed is out at every server within a second.
package devices

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"kentongan/feeds/transports/mqtt"
	"kentongan/geo/fault"
	"kentongan/geo/moment"
	"kentongan/server/access"
)

// Kind is what a device is for.
type Kind string

// The kinds.
const (
	Wall   Kind = "wall"   // a big screen: reads what role wall reads
	Field  Kind = "field"  // a phone or tablet of a crew, bound to a person or a unit
	Broker Kind = "broker" // a gateway that publishes to the MQTT broker by certificate
)

// Kinds lists them.
func Kinds() []Kind { return []Kind{Wall, Field, Broker} }

// Bounds of devices.
const (
	Most        = 2000 // at once; one more is refused
	mostPending = 100  // that ask to be let in
	mostFrom    = 5    // of them from one address
	nameLength  = 100  // bytes
	mostTopics  = 20
	removedKept = 90 * 24 * time.Hour // how long one that was removed is listed
	TokenLife   = 24 * time.Hour      // of a token that lets in once
)

// Grant is what an administrator says of a device.
type Grant struct {
	Name   string   `json:"name" maxLength:"100" doc:"For people: where it hangs, who carries it"`
	Screen string   `json:"screen,omitempty" maxLength:"40" doc:"Of a wall: the screen it is bound to, as ?screen= names it"`
	Person string   `json:"person,omitempty" maxLength:"64" doc:"Of a field device: id of the account that carries it, or else unit"`
	Unit   string   `json:"unit,omitempty" maxLength:"128" doc:"Of a field device: the unit it rides with, as bpbd/trc-1"`
	Feed   string   `json:"feed,omitempty" maxLength:"63" doc:"Of a gateway: the feed it brings"`
	Topics []string `json:"topics,omitempty" maxItems:"20" doc:"Of a gateway: topic filters within the feed's; none: all of the feed's"`
}

// Device is one as people see it.
type Device struct {
	ID   string `json:"id"`
	Kind Kind   `json:"kind" enum:"wall,field,broker"`
	Grant
	CreatedAt  moment.Time `json:"created_at"`
	CreatedBy  string      `json:"created_by"`
	EnrolledAt moment.Time `json:"enrolled_at" doc:"null: it has not fetched what lets it in"`
	ExpiresAt  moment.Time `json:"expires_at" doc:"End of its cookie, its newest certificate or, before it is enrolled, of its token or code"`
	RemovedAt  moment.Time `json:"removed_at" doc:"null: it is known"`

	Certificates []Certificate `json:"certificates,omitempty" doc:"Of a gateway: those that have not ended, the newest last"`

	LastSeenAt moment.Time `json:"last_seen_at" doc:"To the minute; null: never"`
	Address    string      `json:"address" doc:"From where it was seen last"`
	Version    string      `json:"version" doc:"What it calls itself"`
	Addresses  []Address   `json:"addresses" doc:"From where it was seen of late, the newest first"`
	Elsewhere  bool        `json:"elsewhere" doc:"It was seen from two addresses within ten minutes: has its cookie been copied?"`
}

// Certificate is one of a gateway's.
type Certificate struct {
	Serial string      `json:"serial"`
	Until  moment.Time `json:"until"`
}

// Address is a place that a device was seen from.
type Address struct {
	From string      `json:"from"`
	At   moment.Time `json:"at"`
}

// kept is a device as the store holds it: of what it carries only hashes.
type kept struct {
	V int `json:"v"`
	Device
	Cookie string `json:"cookie,omitempty"` // SHA-256 of its secret
	Key    string `json:"key,omitempty"`    // fingerprint of its public key
	Token  string `json:"token,omitempty"`  // SHA-256 of the secret that lets it in once
}

// Fault is what a device may not be. Field is the JSON field at fault.
type Fault = fault.Fault

// Errors of devices.
var (
	ErrNoDevice = errors.New("no device has this id")
	ErrFull     = fmt.Errorf("%d devices are known; remove one first", Most)
	ErrPending  = errors.New("too many devices ask to be let in; wait ten minutes")
	ErrNoCode   = errors.New("no device shows this code now")
	ErrTries    = errors.New("too many wrong codes; wait ten minutes")
	ErrWaiting  = errors.New("nobody has approved it yet")
	ErrGone     = errors.New("what lets it in has ended or was used; ask anew")
	ErrNoCA     = errors.New("this house gives no certificates: mqtt_listen with TLS is needed")
	ErrEarly    = errors.New("its certificate is young; renew it within 60 days of its end")
)

var (
	screenForm = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,39}$`)
	unitForm   = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,62}/[a-z0-9][a-z0-9._-]{0,62}$`)
)

// check tells why a grant does not fit its kind. filter gives the topic filter of a feed that is published to the broker; false: there is
// no such feed. Errors: *Fault.
func (g *Grant) check(kind Kind, filter func(feed string) (string, bool)) error {
	g.Name = strings.TrimSpace(g.Name)
	of := func(k Kind, field string, set bool) error {
		if set && kind != k {
			return fault.At(field, fault.Unasked, nil, "only a device of kind %s has one", k)
		}
		return nil
	}
	if err := errors.Join(of(Wall, "screen", g.Screen != ""), of(Field, "person", g.Person != ""), of(Field, "unit", g.Unit != ""), of(Broker, "feed", g.Feed != ""),
		of(Broker, "topics", len(g.Topics) > 0)); err != nil {
		var f *Fault
		errors.As(err, &f)
		return f
	}
	switch {
	case !slices.Contains(Kinds(), kind):
		return fault.At("kind", fault.OneOf, fault.List(Kinds()), "want one of %v", Kinds())
	case g.Name == "" || len(g.Name) > nameLength:
		return fault.At("name", fault.Between, fault.Range{1, nameLength}, "want 1 to %d bytes", nameLength)
	case kind == Wall && !screenForm.MatchString(g.Screen):
		return fault.At("screen", fault.Form, "north-1", "want the name of a screen, such as north-1")
	case kind == Field && (g.Person == "") == (g.Unit == ""):
		return fault.At("unit", fault.Either, nil, "a field device is bound to a person or to a unit, and to one of them only")
	case kind == Field && g.Unit != "" && !unitForm.MatchString(g.Unit):
		return fault.At("unit", fault.Form, "bpbd/trc-1", "want agency/call-sign, such as bpbd/trc-1")
	case kind != Broker:
		return nil
	}
	outer, ok := filter(g.Feed)
	if !ok {
		return fault.At("feed", fault.Unknown, nil, "%.63q: no feed of this name is published to the broker", g.Feed)
	}
	if len(g.Topics) > mostTopics {
		return fault.At("topics", fault.Long, mostTopics, "at most %d", mostTopics)
	}
	for _, t := range g.Topics {
		if err := mqtt.CheckFilter(t); err != nil {
			return fault.At("topics", fault.Form, outer, "%.100q %v", t, err)
		}
		if !mqtt.Covers(outer, t) {
			return fault.At("topics", fault.Form, outer, "%.100q reaches beyond %s, which is the feed's", t, outer)
		}
	}
	return nil
}

// subject is who a device is to access.Can. grants are those of the person that carries it.
func (d *Device) subject(grants []access.Grant, unit string) access.Subject {
	s := access.Subject{ID: string(d.Kind) + ":" + d.ID}
	switch d.Kind {
	case Wall:
		s.Grants = []access.Grant{{Role: access.Wall}}
	case Field:
		s.Unit, s.Grants = unit, slices.DeleteFunc(slices.Clone(grants), func(g access.Grant) bool { return g.Role != access.Field })
		if d.Unit != "" {
			agency, _, _ := strings.Cut(d.Unit, "/")
			s.Unit, s.Grants = d.Unit, []access.Grant{{Role: access.Field, Agency: agency}}
		}
	case Broker:
		s.Actions, s.Feed = []access.Action{access.Ingest}, d.Feed
	}
	return s
}

// over tells whether a device opens nothing and never will: it was removed, or never fetched what lets it in.
func (k *kept) over(now time.Time) bool {
	return !k.RemovedAt.IsZero() || k.EnrolledAt.IsZero() && !now.Before(k.ExpiresAt.Time)
}
