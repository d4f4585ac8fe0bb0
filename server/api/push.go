package api

import (
	"context"
	"net/http"
	"time"

	"kentongan/alerts/dispatch"
	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/scope"
)

func (s *server) pushes() {
	const root = "/api/v1/push"
	operation(s, needs(access.ReadThings), "GET", root+"/key", "push-key", "The key with which a browser subscribes to Web Push (applicationServerKey)", http.StatusOK, s.pushKey)
	operation(s, needs(access.ReadThings), "POST", root+"/subscriptions", "subscribe", "Let this browser ring for whoever is signed in, and for the unit they ride with", http.StatusCreated, s.subscribe)
	operation(s, needs(access.ReadThings), "DELETE", root+"/subscriptions", "unsubscribe", "Let this browser ring no more", http.StatusNoContent, s.unsubscribe)
	operation(s, needs(access.ActIncidents), "POST", "/api/v1/dispatches/{id}/receipt", "receive-dispatch", "Say that an order has come to its crew's device, or that the crew has opened it; what was said before stays", http.StatusOK, s.receiveDispatch)
}

type pushKeyOut struct {
	Key string `json:"key" doc:"Uncompressed point on P-256 in base64url"`
}

func (s *server) pushKey(ctx context.Context, _ *struct{}) (*body[pushKeyOut], error) {
	key, err := s.Outbox.PushKey(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[pushKeyOut]{pushKeyOut{key}}, nil
}

type subscribeIn struct {
	Body struct {
		Endpoint       string   `json:"endpoint" minLength:"1" maxLength:"2048"`
		ExpirationTime *float64 `json:"expirationTime,omitempty" nullable:"true" doc:"Ignored: a push service says itself when a subscription has ended"`
		Keys           struct {
			P256DH string `json:"p256dh" minLength:"1" maxLength:"128"`
			Auth   string `json:"auth" minLength:"1" maxLength:"64"`
		} `json:"keys"`
		Lang string `json:"lang,omitempty" enum:"id,en" doc:"Of what it shows. Absent: as the account, else Indonesian"`
	}
}

type subscribedOut struct {
	ID   string `json:"id"`
	Unit string `json:"unit" doc:"For which it rings; empty: none"`
}

func (s *server) subscribe(ctx context.Context, in *subscribeIn) (*body[subscribedOut], error) {
	who, err := ringable(ctx)
	if err != nil {
		return nil, err
	}
	b := in.Body
	one := notify.Subscription{V: 1, ID: notify.SubscriptionID(b.Endpoint), Endpoint: b.Endpoint, P256DH: b.Keys.P256DH, Auth: b.Keys.Auth,
		Subject: who.Subject, Person: who.Person, Device: who.Device, Unit: who.Who.Unit, Lang: b.Lang, CreatedAt: moment.Of(s.Now())}
	if one.Lang == "" {
		one.Lang = who.Lang
	}
	if err := one.Check(s.Outbox.Plain()); err != nil {
		return nil, s.receiverFault(err)
	}
	if err := s.Cases.Subscribe(ctx, one, actor(ctx)); err != nil {
		return nil, s.receiverFault(err)
	}
	return &body[subscribedOut]{subscribedOut{one.ID, one.Unit}}, nil
}

// ringable is a person, or a device of a crew: a program and a wall have nobody to ring for.
func ringable(ctx context.Context) (auth.Identity, error) {
	who, _ := auth.FromContext(ctx)
	if who.Person == "" && (who.Device == "" || who.Who.Unit == "") {
		return who, deny(access.ReadThings, "only a person, or a device of a crew, is rung for")
	}
	return who, nil
}

type unsubscribeIn struct {
	Body struct {
		Endpoint string `json:"endpoint" minLength:"1" maxLength:"2048"`
	}
}

func (s *server) unsubscribe(ctx context.Context, in *unsubscribeIn) (*struct{}, error) {
	if _, err := ringable(ctx); err != nil {
		return nil, err
	}
	if err := s.Cases.Unsubscribe(ctx, notify.SubscriptionID(in.Body.Endpoint), actor(ctx)); err != nil {
		return nil, s.receiverFault(err)
	}
	return nil, nil
}

type receiptIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Step string    `json:"step" enum:"delivered,seen" doc:"delivered: it is on the device; seen: somebody has opened it"`
		At   time.Time `json:"at,omitzero" doc:"When, by the device; absent: now"`
	}
}

// receiveDispatch takes the word of the crew's side alone: nobody else can say that an order has come to them.
func (s *server) receiveDispatch(ctx context.Context, in *receiptIn) (*body[dispatch.Dispatch], error) {
	v := s.sees(ctx)
	one, err := s.Cases.Receipt(ctx, in.ID, in.Body.Step == "seen", in.Body.At, func(d *dispatch.Dispatch) error {
		if !v.seesDispatch(d) {
			return store.ErrNoDispatch
		}
		if v.who.Who.Unit != d.Unit {
			return deny(access.ArriveIncident, "only the unit that is sent has its order")
		}
		return v.may(ctx, access.ArriveIncident, scope.Dispatch(d))
	})
	if err != nil {
		return nil, v.dispatchFault(err)
	}
	return &body[dispatch.Dispatch]{one}, nil
}
