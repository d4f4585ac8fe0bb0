package api

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"github.com/oklog/ulid/v2"

	"kentongan/alerts/notify"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
	"kentongan/server/profile"
)

// Outbox is what sends messages out of the house.
type Outbox interface {
	PushKey(ctx context.Context) (string, error)              // public key of VAPID, base64url
	SealSecret(secret []byte, webhook string) (string, error) // closes the secret of a webhook for the store
	Plain() bool                                              // receivers may be addressed by plain http
	Poke()                                                    // there is something new to send
}

func (s *server) webhooks() {
	const root = "/api/v1/webhooks"
	operation(s, needs(access.WriteKeys), "GET", root, "webhooks", "Programs that are told of what happens, the oldest first, without their secrets", http.StatusOK, s.listWebhooks)
	operation(s, needs(access.WriteKeys), "POST", root, "make-webhook", "Tell a program of what happens, signed as Standard Webhooks says; its secret is told this once. It sees what a key with scope read sees", http.StatusCreated, s.makeWebhook)
	operation(s, needs(access.WriteKeys), "DELETE", root+"/{id}", "remove-webhook", "Tell a program nothing any more", http.StatusNoContent, s.removeWebhook)
	operation(s, needs(access.WriteKeys), "GET", root+"/{id}/deliveries", "webhook-deliveries", "Messages to a webhook of the last days, the newest first: sent, still tried, or dead", http.StatusOK, s.listDeliveries)
	operation(s, needs(access.WriteKeys), "POST", root+"/{id}/deliveries/{did}/retry", "retry-delivery", "Send a message once more that is over, under its old id", http.StatusOK, s.retryDelivery)
}

func (s *server) listWebhooks(ctx context.Context, _ *struct{}) (*body[List[notify.Webhook]], error) {
	list, err := s.Cases.Webhooks(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	for i := range list {
		list[i].Secret = ""
	}
	return listOf(list, ""), nil
}

type webhookIn struct {
	Body struct {
		Name   string   `json:"name" minLength:"1" maxLength:"100" doc:"For people: whose program it is"`
		URL    string   `json:"url" minLength:"1" maxLength:"2048" doc:"https://…; addresses in private networks only where the configuration allows them"`
		Events []string `json:"events,omitempty" maxItems:"32" doc:"incident.created, incident.updated, incident.closed, alarm.raised, dispatch.offered … Absent: all"`
		Agency string   `json:"agency,omitempty" maxLength:"63" doc:"Slug: it sees what a key of this agency sees"`
	}
}

// webhookOut is a new webhook with its secret, which nobody can ask for again.
type webhookOut struct {
	notify.Webhook
	Secret string `json:"secret" doc:"whsec_ and 32 bytes in base64. Webhook-Signature is v1, and HMAC-SHA256 with those bytes over Webhook-Id.Webhook-Timestamp.body"`
}

func (s *server) makeWebhook(ctx context.Context, in *webhookIn) (*body[webhookOut], error) {
	who := actor(ctx)
	w := notify.Webhook{V: 1, ID: ulid.Make().String(), Name: strings.TrimSpace(in.Body.Name), URL: in.Body.URL, Events: in.Body.Events, Agency: in.Body.Agency,
		CreatedAt: moment.Of(s.Now()), CreatedBy: who.Subject}
	if err := w.Check(s.Outbox.Plain()); err != nil {
		return nil, s.receiverFault(err)
	}
	if w.Events == nil {
		w.Events = []string{}
	}
	if w.Agency != "" && !slices.ContainsFunc(s.Profile.Agencies, func(a profile.Agency) bool { return a.Slug == w.Agency }) {
		return nil, problem.New(problem.Invalid, "agency: there is no such agency", problem.At("body.agency", problem.Unknown, "is none of the profile's agencies"))
	}
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return nil, s.fault(err)
	}
	sealed, err := s.Outbox.SealSecret(secret, w.ID)
	if err != nil {
		return nil, s.fault(err)
	}
	w.Secret = sealed
	if err := s.Cases.AddWebhook(ctx, w, who); err != nil {
		return nil, s.receiverFault(err)
	}
	w.Secret = ""
	return &body[webhookOut]{webhookOut{w, "whsec_" + base64.StdEncoding.EncodeToString(secret)}}, nil
}

type webhookID struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) removeWebhook(ctx context.Context, in *webhookID) (*struct{}, error) {
	if err := s.Cases.RemoveWebhook(ctx, in.ID, actor(ctx)); err != nil {
		return nil, s.receiverFault(err)
	}
	return nil, nil
}

type deliveriesIn struct {
	webhookID
	Limit int `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
}

func (s *server) listDeliveries(ctx context.Context, in *deliveriesIn) (*body[List[notify.Delivery]], error) {
	w, err := s.Cases.Webhook(ctx, in.ID)
	if err != nil {
		return nil, s.receiverFault(err)
	}
	list, err := s.Cases.Deliveries(ctx, w.To(), in.Limit)
	if err != nil {
		return nil, s.receiverFault(err)
	}
	for i := range list {
		list[i].Body = "" // whoever makes webhooks is not therefore one who reads incidents
	}
	return listOf(list, ""), nil
}

type deliveryID struct {
	webhookID
	Delivery string `path:"did" maxLength:"64"`
}

func (s *server) retryDelivery(ctx context.Context, in *deliveryID) (*body[notify.Delivery], error) {
	w, err := s.Cases.Webhook(ctx, in.ID)
	if err != nil {
		return nil, s.receiverFault(err)
	}
	d, err := s.Cases.Resend(ctx, w.To(), in.Delivery, actor(ctx))
	if err != nil {
		return nil, s.receiverFault(err)
	}
	s.Outbox.Poke()
	d.Body = ""
	return &body[notify.Delivery]{d}, nil
}

func (s *server) receiverFault(err error) error {
	return s.fault(err)
}
