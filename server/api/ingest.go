package api

import (
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/feeds"
	"kentongan/feeds/transports/push"
)

// pushTime is how long a push may take, both ways: 16 MiB over a slow line, and a commit under load.
const pushTime = 2 * time.Minute

func (s *server) ingest() {
	s.table.handle("POST /api/v1/ingest/{feed}", pusher(s.MaxBody), s.push)
	receipt := s.docs.OpenAPI().Components.Schemas.Schema(typeOf[feeds.Receipt](), true, "Receipt")
	s.docs.OpenAPI().AddOperation(&huma.Operation{
		Method: "POST", Path: "/api/v1/ingest/{feed}", OperationID: "ingest", Summary: "Push a feed's bytes in the feed's format",
		Description: "Answers after the batch is in the store. The key may stand as bearer, Basic password or X-Api-Key. gzip is accepted.",
		Parameters: []*huma.Param{
			{Name: "feed", In: "path", Required: true, Schema: &huma.Schema{Type: "string"}},
			{Name: "dry_run", In: "query", Description: "1: store nothing, answer what would be stored", Schema: &huma.Schema{Type: "string"}},
		},
		RequestBody: &huma.RequestBody{Content: map[string]*huma.MediaType{"application/octet-stream": {}}},
		Responses: map[string]*huma.Response{
			"202": {Description: "Stored", Content: map[string]*huma.MediaType{"application/json": {Schema: receipt}}},
			"400": {Description: "The document does not parse; nothing is stored"}, "401": {Description: "Who are you?"}, "404": {Description: "No such feed"},
			"413": {Description: "Too large"}, "415": {Description: "A Content-Encoding other than gzip"},
			"422": {Description: "Every item was refused"}, "503": {Description: "The store does not take writes now"},
		},
		Security: []map[string][]string{{"bearer": {}}},
	})
}

func (s *server) push(w http.ResponseWriter, r *http.Request) {
	longAnswer(w, pushTime)
	feed := r.PathValue("feed")
	meta := feeds.Meta{Feed: feed, ContentType: r.Header.Get("Content-Type"), ReceivedAt: s.Now().UTC()}
	switch dry := r.URL.Query().Get("dry_run"); dry {
	case "1", "true":
		meta.Dry = true
	case "", "0", "false":
	default:
		problem(w, http.StatusBadRequest, "dry_run is 1 or is left out", "")
		return
	}
	bytes, err := push.Read(r, s.MaxBody, s.MaxInflated)
	var out feeds.Outcome
	if err == nil {
		out, err = s.Deliver(r.Context(), feed, bytes, meta)
	}
	if err != nil && !errors.Is(err, feeds.ErrPermanent) && !errors.Is(err, push.ErrUnknownFeed) && !errors.Is(err, push.ErrNotPush) {
		s.Log.Warn().Err(err).Str("feed", feed).Msg("a push was not stored")
	}
	_ = push.Respond(out, err).Write(w) // an error means that the sender has gone
}
