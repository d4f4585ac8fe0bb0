package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/runner"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// Replay takes a feed's refused deliveries again; app.App does.
type Replay func(ctx context.Context, feed string, from, to time.Time, who audit.Actor) (Replayed, error)

// Replayed says what became of deliveries that were taken again.
type Replayed struct {
	Deliveries int            `json:"deliveries" doc:"How many were taken again"`
	Refused    int            `json:"refused" doc:"How many of them are refused still"`
	Accepted   int            `json:"accepted" doc:"Items, as in a receipt"`
	Duplicates int            `json:"duplicates"`
	Ignored    int            `json:"ignored"`
	Rejected   int            `json:"rejected"`
	Reasons    map[string]int `json:"reasons" doc:"Of those that are refused still: how many by reason, at most 20"`
	Next       *moment.Time   `json:"next" doc:"There is more: ask again from here; null: done"`
}

// mostReasons bounds the reasons told.
const mostReasons = 20

// Count adds what became of one delivery. It gives the error on which the rest cannot be taken either: the store does not take writes.
func (r *Replayed) Count(receipt feeds.Receipt, err error) error {
	if err != nil && !errors.Is(err, feeds.ErrPermanent) {
		return err
	}
	r.Deliveries++
	reason := ""
	switch {
	case err != nil:
		reason = err.Error()
	case receipt.Barren():
		reason = receipt.Rejected[0].Reason
	}
	if reason != "" {
		r.Refused++
		if _, known := r.Reasons[reason]; known || len(r.Reasons) < mostReasons {
			r.Reasons[reason]++
		}
	}
	r.Accepted += receipt.Accepted
	r.Duplicates += receipt.Duplicates
	r.Ignored += len(receipt.Ignored)
	r.Rejected += len(receipt.Rejected)
	return nil
}

// Add adds the part that another request has done.
func (r *Replayed) Add(part Replayed) {
	r.Deliveries += part.Deliveries
	r.Refused += part.Refused
	r.Accepted += part.Accepted
	r.Duplicates += part.Duplicates
	r.Ignored += part.Ignored
	r.Rejected += part.Rejected
	for reason, n := range part.Reasons {
		r.Reasons[reason] += n
	}
	r.Next = part.Next
}

func (s *server) replay() {
	operation(s, needs(access.WriteFeeds), "POST", "/api/v1/feeds/{name}/replay", "replay-feed",
		"Take the deliveries of a feed that were refused once more, from this server's archive", http.StatusOK, s.replayFeed)
}

type replayIn struct {
	Name string `path:"name" maxLength:"64"`
	Body struct {
		From time.Time `json:"from" doc:"Received from here on"`
		To   time.Time `json:"to" doc:"and before"`
	}
}

func (s *server) replayFeed(ctx context.Context, in *replayIn) (*body[Replayed], error) {
	if !in.Body.From.Before(in.Body.To) {
		return nil, problem.New(problem.Invalid, "from must be before to", problem.At("body.from", problem.Late, "not before to"))
	}
	out, err := s.Replay(ctx, in.Name, in.Body.From, in.Body.To, actor(ctx))
	switch {
	case errors.Is(err, runner.ErrUnknownFeed):
		return nil, problem.New(problem.NotFound, fmt.Sprintf("no feed has the name %q", in.Name))
	case err != nil:
		return nil, s.fault(err)
	}
	return &body[Replayed]{out}, nil
}
