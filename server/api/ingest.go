package api

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds"
	"kentongan/feeds/transports/push"
	"kentongan/server/auth"
	"kentongan/server/problem"
)

func (s *server) ingest() {
	s.table.handle("POST /api/v1/ingest/{feed}", pusher(s.MaxBody), s.push)
	receipt := s.docs.OpenAPI().Components.Schemas.Schema(typeOf[feeds.Receipt](), true, "Receipt")
	s.docs.OpenAPI().AddOperation(&huma.Operation{
		Method: "POST", Path: "/api/v1/ingest/{feed}", OperationID: "ingest", Summary: "Push a feed's bytes in the feed's format",
		Description: "Answers after the batch is in the store. The key of the feed stands as bearer, as Basic password beside any user name, or in X-Api-Key; where the feed has hmac, " +
			"every delivery is signed, and the signature may stand in the key's place. gzip is accepted. A format may own the reply of a delivery that is taken (owntracks: 200 []).",
		Parameters: []*huma.Param{
			{Name: "feed", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}},
			{Name: "dry_run", In: "query", Description: "1: store nothing, answer what would be stored", Schema: &huma.Schema{Type: "string"}},
		},
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/octet-stream": {}}},
		Responses: map[string]*huma.Response{
			"202": {Description: "Stored", Content: map[string]*huma.MediaType{"application/json": {Schema: receipt}}},
			"400": {Description: "The document does not parse; nothing is stored"}, "401": {Description: "Who are you? Or: not signed as it must be"}, "403": {Description: "The key is of another feed"}, "404": {Description: "No such feed"},
			"408": {Description: "The body came too slowly"}, "413": {Description: "Too large; or it breaks the feed's contract and is too large to be held"}, "415": {Description: "A Content-Encoding other than gzip"},
			"422": {Description: "Every item was refused"}, "503": {Description: "The store does not take writes now; or the delivery breaks the feed's contract, and its quarantine is full until somebody decides (Retry-After: 60)"},
		},
		Security: []map[string][]string{{"bearer": {}}},
	})
}

func (s *server) push(w http.ResponseWriter, r *http.Request) {
	push.Pace(w, r)
	feed := r.PathValue("feed")
	meta := feeds.Meta{Feed: feed, ContentType: r.Header.Get("Content-Type"), ReceivedAt: s.Now().UTC()}
	switch dry := r.URL.Query().Get("dry_run"); dry {
	case "1", "true":
		meta.Dry = true
	case "", "0", "false":
	default:
		tell(w, problem.BadRequest, "dry_run is 1 or is left out")
		return
	}
	out, err := s.take(r, feed, &meta)
	switch {
	case errors.Is(err, push.ErrSignature):
		if refusal := s.Auth.Refuse(r, err.Error()); errors.Is(refusal, auth.ErrTooMany) {
			refused(w, refusal)
			return
		}
	case err != nil && !errors.Is(err, feeds.ErrPermanent) && !errors.Is(err, push.ErrUnknownFeed) && !errors.Is(err, push.ErrNotPush):
		s.Log.Warn().Err(err).Str("feed", feed).Msg("a push was not stored")
	}
	_ = push.Respond(out, err).Taken(s.Door(feed).Reply, meta.Dry).Write(w) // an error means that the sender has gone
}

// take reads a delivery, holds its signature against it where the feed has one, inflates and delivers it.
func (s *server) take(r *http.Request, feed string, meta *feeds.Meta) (out feeds.Outcome, err error) {
	door := s.Door(feed)
	if door.Headed != nil {
		meta.Topic = door.Headed.TopicOf(r.Header.Get)
	}
	if door.Signed != nil {
		if err := door.Signed.Claimed(r.Header, s.Now()); err != nil {
			return out, err
		}
	}
	body, err := push.Read(r, s.MaxBody)
	if err != nil {
		return out, err
	}
	if door.Signed != nil {
		again, unproven := s.proven(r, feed, door.Signed, body, meta.Dry)
		if unproven != nil {
			return out, unproven
		}
		defer func() {
			if err != nil && !errors.Is(err, feeds.ErrPermanent) {
				again()
			}
		}()
	}
	body, done, err := s.gzips.Inflate(r.Context(), body, r.Header.Get("Content-Encoding"))
	if err != nil {
		return out, err
	}
	defer done()
	return s.Deliver(r.Context(), feed, body, *meta)
}

// signs tells a request that bears what the feed takes for a signature.
func (s *server) signs(feed string, r *http.Request) bool {
	signed := s.Door(feed).Signed
	return signed != nil && signed.Borne(r.Header)
}

// proven checks the signature of a delivery, and that it is not a copy of one taken before. Again lets it come once more.
func (s *server) proven(r *http.Request, feed string, signed *push.Signature, body []byte, dry bool) (again func(), err error) {
	again = func() {}
	proof, err := signed.Check(r.Header, body, s.Now())
	if err != nil || proof.Once == "" || dry { // a dry run does nothing that could be done twice
		return again, err
	}
	name := "push " + feed + " " + proof.Once
	first, err := s.Auth.Once(r.Context(), name, proof.Life)
	switch {
	case err != nil:
		return again, err
	case !first:
		return again, fmt.Errorf("%s: it has come before: %w", signed.Header, push.ErrSignature)
	}
	return func() { s.Auth.Again(r.Context(), name) }, nil
}
