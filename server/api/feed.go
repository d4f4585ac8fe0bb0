package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/feeds/contract"
	"kentongan/feeds/runner"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
)

// Contracts shows a feed with its contract, and takes decisions on what is held; app.App has one.
type Contracts interface {
	Feed(ctx context.Context, name string) (FeedDetail, error)
	Body(ctx context.Context, feed, id string) ([]byte, error)
	// Personal tells whether the bytes may name people: whoever sees them sees reporters whole.
	Personal(ctx context.Context, feed, id string) (bool, error)
	Accept(ctx context.Context, feed, id, note string, who audit.Actor) (contract.Held, error)
	Keep(ctx context.Context, feed, id, note string, who audit.Actor) (contract.Held, error)
}

// Why a decision on what is held is refused.
var (
	ErrNotHeld = errors.New("nothing is held under this id")
	ErrDecided = errors.New("it cannot be decided any more")
)

// decideTime is what one request may take to store what is held.
const decideTime = 20 * time.Second

// FeedDetail is one feed, whole.
type FeedDetail struct {
	Status     feeds.FeedStatus `json:"status"`
	Config     map[string]any   `json:"config" doc:"As its entry is written; secrets are <secret>"`
	Source     string           `json:"source" enum:"file,api"`
	Version    int64            `json:"version" doc:"Of an entry made through the API; 0: of the file"`
	Contract   contract.Shown   `json:"contract"`
	Quarantine []contract.Held  `json:"quarantine" doc:"The causes for which deliveries are held, the newest first"`
	Room       contract.Room    `json:"room" doc:"How full the quarantine is; once it is full, what breaks the contract is refused with 503 until somebody decides"`
}

func (s *server) feed() {
	const root = "/api/v1/feeds/{name}"
	operation(s, needs(access.ReadFeeds), "GET", root, "feed", "One feed: how it fares, what is expected of it, and what is held of it", http.StatusOK, s.oneFeed)
	s.table.handle("GET "+root+"/quarantine/{id}/body", needs(access.WriteFeeds), s.heldBody)
	text := &huma.Schema{Type: "string"}
	s.docs.OpenAPI().AddOperation(&huma.Operation{
		Method: "GET", Path: root + "/quarantine/{id}/body", OperationID: "held-body", Summary: "The bytes of the newest delivery that is held for a cause",
		Parameters: []*huma.Param{{Name: "name", In: "path", Required: true, Schema: text}, {Name: "id", In: "path", Required: true, Schema: text}},
		Responses: map[string]*huma.Response{
			"200": {Description: "The bytes as they came, as an attachment", Content: map[string]*huma.MediaType{"application/octet-stream": {}}},
			"401": {Description: "Who are you?"}, "403": {Description: "The right feed.write is needed; of a format that names people reporter.reveal too"}, "404": {Description: "No such delivery"},
		},
		Security: []map[string][]string{{"bearer": {}}, {"session": {}}},
	})
	operation(s, needs(access.WriteFeeds).within(decideTime), "POST", root+"/quarantine/{id}", "decide-held", "Accept all that is held for a cause, so that the contract learns it, or set it aside; where the answer still says held, ask again: it goes on", http.StatusOK, s.decideHeld)
}

func (s *server) oneFeed(ctx context.Context, in *struct {
	Name string `path:"name" maxLength:"64"`
}) (*body[FeedDetail], error) {
	out, err := s.Contracts.Feed(ctx, in.Name)
	if err != nil {
		return nil, s.feedFault(in.Name, err)
	}
	return &body[FeedDetail]{out}, nil
}

func (s *server) feedFault(name string, err error) error {
	switch {
	case errors.Is(err, runner.ErrUnknownFeed):
		return problem.New(problem.NotFound, fmt.Sprintf("no feed has the name %q", name))
	case errors.Is(err, feeds.ErrPermanent) && caused(err) == nil:
		return problem.New(problem.HeldStays, err.Error())
	}
	return s.fault(err)
}

// heldBody gives bytes that somebody sent: always as a file, never as a page.
func (s *server) heldBody(w http.ResponseWriter, r *http.Request) {
	name, id := r.PathValue("name"), r.PathValue("id")
	var b []byte
	personal, err := s.Contracts.Personal(r.Context(), name, id)
	if err == nil && personal {
		err = s.revealHeld(r.Context(), name, id)
	}
	if err == nil {
		b, err = s.Contracts.Body(r.Context(), name, id)
	}
	var no *denied
	switch {
	case errors.As(err, &no):
		problem.Write(w, no)
		return
	case errors.Is(err, ErrNotHeld):
		tell(w, problem.NotHeld, "")
		return
	case err != nil:
		s.Log.Warn().Err(err).Msg("held bytes are not to be had")
		w.Header().Set("Retry-After", "2")
		tell(w, problem.Unavailable, "")
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Disposition", `attachment; filename="held.bin"`)
	_, _ = w.Write(b)
}

// revealHeld asks whether somebody may see whom held bytes name, and keeps that they did: without a record they see nothing.
func (s *server) revealHeld(ctx context.Context, feed, id string) error {
	a := act(ctx)
	if !a.Actor.Can(access.Reveal) {
		const reason = "the feed's format names people who report"
		s.Auth.ForbidFor(ctx, a.Actor, a.From, auth.Asked{Route: "feed:" + feed}, access.Reveal, reason)
		return deny(access.Reveal, reason)
	}
	return s.Privacy.Record(ctx, audit.Record{Actor: a.Actor.Subject, Agency: a.Actor.Agency, Action: "held.revealed", Object: "feed:" + feed, Reason: id, Request: a.Request})
}

type decideIn struct {
	Name string `path:"name" maxLength:"64"`
	ID   string `path:"id" maxLength:"26"`
	Body struct {
		Do   string `json:"do" enum:"accept,keep"`
		Note string `json:"note,omitempty" maxLength:"4000"`
	}
}

func (s *server) decideHeld(ctx context.Context, in *decideIn) (*body[contract.Held], error) {
	decide := s.Contracts.Keep
	if in.Body.Do == "accept" {
		decide = s.Contracts.Accept
	}
	out, err := decide(ctx, in.Name, in.ID, in.Body.Note, actor(ctx))
	if err != nil {
		return nil, s.feedFault(in.Name, err)
	}
	return &body[contract.Held]{out}, nil
}
