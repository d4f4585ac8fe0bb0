package notify

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"kentongan/geo/fault"
	"kentongan/geo/moment"
)

// ErrInvalid marks a receiver that cannot be taken: 422. Its text begins with the field.
var ErrInvalid = errors.New("the receiver is not complete")

// Bounds of receivers.
const (
	MostWebhooks      = 50
	MostSubscriptions = 5000
	mostAddress       = 2048 // bytes
)

// Events lists what a webhook may be told of.
func Events() []string {
	return []string{"incident.created", "incident.updated", "incident.closed", "alarm.raised",
		"dispatch.offered", "dispatch.accepted", "dispatch.declined", "dispatch.expired", "dispatch.en_route", "dispatch.on_scene", "dispatch.done", "dispatch.cancelled"}
}

// Webhook is a program that is told of what happens (https://www.standardwebhooks.com). It sees what a key with scope read and its agency sees.
type Webhook struct {
	V         int         `json:"v"`
	ID        string      `json:"id"` // ULID
	Name      string      `json:"name"`
	URL       string      `json:"url"`
	Events    []string    `json:"events"`           // empty: all
	Agency    string      `json:"agency,omitempty"` // slug; empty: the whole house's
	Secret    string      `json:"secret,omitempty"` // sealed; with it every message is signed
	CreatedAt moment.Time `json:"created_at"`
	CreatedBy string      `json:"created_by"`
	Off       string      `json:"off,omitempty"` // why it is told nothing any more; empty: it is
}

// Wants tells whether the webhook is told of an event.
func (w *Webhook) Wants(event string) bool {
	return w.Off == "" && (len(w.Events) == 0 || slices.Contains(w.Events, event))
}

// To is the webhook as a delivery names it.
func (w *Webhook) To() string { return string(ByWebhook) + ":" + w.ID }

// Check names what is wrong with a webhook. plain: http is taken, too. Errors: ErrInvalid.
func (w *Webhook) Check(plain bool) error {
	if name := strings.TrimSpace(w.Name); name == "" || len(name) > 100 {
		return fault.In(ErrInvalid, "name", fault.Between, fault.Range{1, 100}, "want 1 to 100 bytes")
	}
	if err := checkAddress("url", w.URL, plain); err != nil {
		return err
	}
	for i, e := range w.Events {
		if !slices.Contains(Events(), e) {
			return fault.In(ErrInvalid, fmt.Sprintf("events[%d]", i), fault.OneOf, strings.Join(Events(), ", "), "%.40q is none of %s", e, strings.Join(Events(), ", "))
		}
	}
	return nil
}

func checkAddress(field, text string, plain bool) error {
	u, err := url.Parse(text)
	switch {
	case len(text) > mostAddress:
		return fault.In(ErrInvalid, field, fault.Long, mostAddress, "longer than %d bytes", mostAddress)
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		return fault.In(ErrInvalid, field, fault.Form, "https://host/path", "no address such as https://host/path without user and fragment")
	case u.Scheme == "https", plain && u.Scheme == "http":
		return nil
	}
	return fault.In(ErrInvalid, field, fault.Form, "https://host/path", "want https")
}
