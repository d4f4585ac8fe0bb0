package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/outbox"
	"kentongan/server/privacy"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// cti is computer telephony: the exchange tells that a call rings, and whoever takes it finds the number in the form.
func (s *server) cti() {
	const root = "/api/v1/cti"
	operation(s, needs(access.RingCall), "POST", root, "ring-call", "Tell of a call that rings, or is over; said again it is the same call. By a key with scope automation, and with cti_secret signed as our webhooks are. The number is sealed, and in no log", http.StatusOK, s.ringCall)
	operation(s, needs(access.TakeCalls), "GET", root, "calls", "Calls of the last quarter of an hour, the newest first, their numbers masked", http.StatusOK, s.listCalls)
	operation(s, needs(access.TakeCalls), "POST", root+"/{id}/take", "take-call", "Take a call: the answer has its number. Somebody else's is 409", http.StatusOK, s.takeCall)
}

type ringIn struct {
	WebhookID        string `header:"Webhook-Id" maxLength:"256" doc:"With cti_secret: names the message"`
	WebhookTimestamp string `header:"Webhook-Timestamp" maxLength:"20" doc:"With cti_secret: when it was signed, in seconds since 1970; within 5 minutes of now"`
	WebhookSignature string `header:"Webhook-Signature" maxLength:"1000" doc:"With cti_secret: v1, and HMAC-SHA256 with its bytes over Webhook-Id.Webhook-Timestamp.body, in base64; a signature counts once"`
	RawBody          []byte
	Body             struct {
		CallID string    `json:"call_id" minLength:"1" maxLength:"256" doc:"As the exchange names the call"`
		Number string    `json:"number,omitempty" maxLength:"64" doc:"As the exchange has it: 0812…, +62…; left out where it is withheld"`
		At     time.Time `json:"at,omitempty" doc:"When it began to ring; now where it is left out"`
		Line   string    `json:"line,omitempty" maxLength:"64" doc:"Which of the house's lines"`
		State  string    `json:"state,omitempty" enum:"ringing,over" doc:"Left out: it rings"`
	}
}

func (s *server) ringCall(ctx context.Context, in *ringIn) (*body[report.Call], error) {
	again, err := s.exchange(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.ring(ctx, in)
	if err != nil {
		again()
		return nil, err
	}
	return out, nil
}

// exchange checks that the telephone exchange signed what came, where it must (Standard Webhooks), and that it is no copy. Again lets it come
// once more.
func (s *server) exchange(ctx context.Context, in *ringIn) (again func(), err error) {
	again = func() {}
	if len(s.CTISecret) == 0 {
		return again, nil
	}
	h := http.Header{}
	h.Set("Webhook-Id", in.WebhookID)
	h.Set("Webhook-Timestamp", in.WebhookTimestamp)
	h.Set("Webhook-Signature", in.WebhookSignature)
	name, life, err := outbox.Verify(s.CTISecret, h, in.RawBody, s.Now())
	if err != nil {
		return again, problem.New(problem.Unsigned, err.Error())
	}
	name = "cti " + name
	switch first, err := s.Auth.Once(ctx, name, life); {
	case err != nil:
		return again, s.fault(fmt.Errorf("%w: %w", feeds.ErrBusy, err))
	case !first:
		return again, problem.New(problem.Unsigned, "the signature was used already: sign anew")
	}
	return func() { s.Auth.Again(ctx, name) }, nil
}

func (s *server) ring(ctx context.Context, in *ringIn) (*body[report.Call], error) {
	b, now := in.Body, s.Now()
	if b.At.IsZero() {
		b.At = now
	}
	if b.At.After(now.Add(feeds.ClockSkewLimit)) || now.Sub(b.At) > report.CallLife {
		return nil, problem.New(problem.Invalid, "the call cannot be taken", problem.At("body.at", problem.Late, "is not now: look at the clock of the exchange"))
	}
	b.Number = strings.TrimSpace(b.Number)
	who, v := actor(ctx), s.sees(ctx)
	c := report.Call{ID: store.CallID(cmp.Or(who.Agency, who.Subject), b.CallID), Line: strings.TrimSpace(b.Line), Agency: who.Agency, Number: privacy.MaskPhone(b.Number), At: moment.Of(b.At)}
	if b.Number != "" && b.State != "over" {
		ids, err := s.Privacy.Reporters.CallsOf(ctx, b.Number)
		if err != nil {
			return nil, s.fault(err)
		}
		c.Known = len(ids)
		if c.Pranks, err = v.pranks(ctx, ids, ""); err != nil {
			return nil, err
		}
		if err := s.Privacy.Reporters.KeepCall(ctx, c.ID, b.Number, report.CallLife); err != nil {
			return nil, s.fault(err)
		}
	}
	out, err := s.Cases.Ring(ctx, c, b.State == "over", who)
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[report.Call]{out}, nil
}

func (s *server) listCalls(ctx context.Context, _ *struct{}) (*body[List[report.Call]], error) {
	v := s.sees(ctx)
	list, err := s.Cases.Calls(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	list = slices.DeleteFunc(list, func(c report.Call) bool { return !v.who.May(access.TakeCalls, scope.Call(&c), v.now).Allowed() })
	return listOf(list, ""), nil
}

type callIn struct {
	ID string `path:"id" maxLength:"64"`
}

// takenCall is a call with its number, for who has taken it.
type takenCall struct {
	Call   report.Call `json:"call"`
	Number string      `json:"caller" doc:"E.164 where it could be read so; empty: withheld, or no longer kept"`
}

func (s *server) takeCall(ctx context.Context, in *callIn) (*body[takenCall], error) {
	v := s.sees(ctx)
	one, err := s.Cases.TakeCall(ctx, in.ID, actor(ctx), func(c *report.Call) error {
		if v.who.May(access.TakeCalls, scope.Call(c), v.now).Allowed() {
			return nil
		}
		return store.ErrNoCall
	})
	var late *store.CallConflict
	switch {
	case errors.As(err, &late):
		return nil, staleOf(late, late.Current)
	case errors.Is(err, store.ErrNoCall):
		return nil, notHere("call", in.ID)
	case err != nil:
		return nil, s.fault(err)
	}
	number, err := s.Privacy.Reporters.CallNumber(ctx, one.ID)
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[takenCall]{takenCall{one, number}}, nil
}
