package api

import (
	"encoding/json"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/incident"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/server/problem"
)

// tell answers with a problem; detail may be empty.
func tell(w http.ResponseWriter, code problem.Code, detail string) {
	problem.Write(w, problem.New(code, detail))
}

// answerFault writes an error as its answer.
func (s *server) answerFault(w http.ResponseWriter, err error) {
	var doc huma.StatusError
	if !errors.As(err, &doc) {
		if err = s.fault(err); !errors.As(err, &doc) {
			doc = problem.New(problem.Internal, "")
		}
	}
	var h huma.HeadersError // of a store that does not answer: when to ask again
	if errors.As(err, &h) {
		for name, values := range h.GetHeaders() {
			w.Header()[name] = values
		}
	}
	problem.Write(w, doc)
}

// answer writes a document.
func answer(w http.ResponseWriter, status int, doc any) {
	b, err := json.Marshal(doc)
	if err != nil {
		tell(w, problem.Internal, "")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(b, '\n'))
}

// conflict is the 409 of a transition that came too late or is not allowed: it brings what one needs to go on.
type conflict struct {
	problem.Head
	Current incident.Incident    `json:"current"`
	Allowed []incident.Status    `json:"allowed"`
	Missing []incident.ProofKind `json:"missing,omitempty"` // kinds of proof of which a closure needs more
}

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
		return &problem.Document{Head: standing(c)} // a transition tells more, in the form in which the incident is seen
	case errors.Is(err, store.ErrUnreadable):
		s.Log.Error().Err(err).Msg("a record that is asked for cannot be read")
		return problem.New(problem.Unreadable, err.Error())
	case errors.Is(err, feeds.ErrBusy):
		s.Log.Warn().Err(err).Msg("the store does not answer")
		return huma.ErrorWithHeaders(problem.New(problem.Unavailable, "the store does not answer"), http.Header{"Retry-After": {"2"}})
	case caused(err) != nil:
		return caused(err)
	default:
		s.Log.Error().Err(err).Msg("a request failed")
		return problem.New(problem.Internal, "")
	}
}
