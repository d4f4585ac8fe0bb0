package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/server/access"
)

// problem answers as RFC 9457 has it.
func problem(w http.ResponseWriter, status int, title, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Del("ETag")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(huma.ErrorModel{Status: status, Title: title, Detail: detail})
}

// answerFault writes an error as its answer.
func (s *server) answerFault(w http.ResponseWriter, err error) {
	var doc huma.StatusError
	if !errors.As(err, &doc) {
		if err = s.fault(err); !errors.As(err, &doc) {
			doc = huma.Error500InternalServerError("this is our fault")
		}
	}
	var h huma.HeadersError // of a store that does not answer: when to ask again
	if errors.As(err, &h) {
		for name, values := range h.GetHeaders() {
			w.Header()[name] = values
		}
	}
	w.Header().Set("Content-Type", "application/problem+json")
	if w.Header().Get("Cache-Control") == "" {
		w.Header().Set("Cache-Control", "no-store")
	}
	w.WriteHeader(doc.GetStatus())
	_ = json.NewEncoder(w).Encode(doc)
}

// answer writes a document.
func answer(w http.ResponseWriter, status int, doc any) {
	b, err := json.Marshal(doc)
	if err != nil {
		problem(w, http.StatusInternalServerError, "this is our fault", "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// conflict is the 409 of a transition that came too late or is not allowed: it brings what one needs to go on.
type conflict struct {
	Title   string               `json:"title"`
	Status  int                  `json:"status"`
	Detail  string               `json:"detail"`
	Current incident.Incident    `json:"current"`
	Allowed []incident.Status    `json:"allowed"`
	Missing []incident.ProofKind `json:"missing,omitempty"` // kinds of proof of which a closure needs more
}

// Error, GetStatus and ContentType are what huma asks of an error that is its own answer.
func (c *conflict) Error() string { return c.Detail }

// GetStatus is 409.
func (c *conflict) GetStatus() int { return c.Status }

// ContentType is the problem form of JSON.
func (c *conflict) ContentType(string) string { return "application/problem+json" }

// fault turns an error of the rooms below into an answer. What failed inside is for the log, not for the caller.
func (s *server) fault(err error) error {
	var c *store.Conflict
	var d *denied
	var told huma.StatusError
	switch {
	case errors.As(err, &d):
		return d
	case errors.As(err, &told): // by whoever was asked whether it may be done, in the middle of it
		return err
	case errors.As(err, &c):
		return huma.Error409Conflict(err.Error()) // a transition tells more, in the form in which the incident is seen
	case errors.Is(err, store.ErrNotFound), errors.Is(err, store.ErrNoReport), errors.Is(err, store.ErrNoAlarm):
		return huma.Error404NotFound(err.Error())
	case errors.Is(err, store.ErrQuery), errors.Is(err, store.ErrKeyReused):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, incident.ErrInvalid):
		return huma.Error422UnprocessableEntity(err.Error())
	case errors.Is(err, incident.ErrSeparation):
		return deny(access.CloseIncident, err.Error())
	case errors.Is(err, store.ErrUnreadable):
		s.Log.Error().Err(err).Msg("a record that is asked for cannot be read")
		return huma.Error500InternalServerError(err.Error())
	case errors.Is(err, feeds.ErrBusy):
		s.Log.Warn().Err(err).Msg("the store does not answer")
		return huma.ErrorWithHeaders(huma.Error503ServiceUnavailable("the store does not answer"), http.Header{"Retry-After": {"2"}})
	default:
		s.Log.Error().Err(err).Msg("a request failed")
		return huma.Error500InternalServerError("this is our fault")
	}
}
