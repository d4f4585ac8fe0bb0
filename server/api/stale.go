package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// stale is the 409 of a change that came too late or is not allowed any more: it brings what stands.
type stale[T any] struct {
	Title   string `json:"title"`
	Status  int    `json:"status"`
	Detail  string `json:"detail"`
	Current T      `json:"current"`
}

func staleOf[T any](noun, detail string, current T) *stale[T] {
	return &stale[T]{"the " + noun + " has changed or does not allow that", http.StatusConflict, detail, current}
}

// Error, GetStatus and ContentType are what huma asks of an error that is its own answer.
func (s *stale[T]) Error() string { return s.Detail }

// GetStatus is 409.
func (s *stale[T]) GetStatus() int { return s.Status }

// ContentType is the problem form of JSON.
func (s *stale[T]) ContentType(string) string { return "application/problem+json" }

// invalid is the 422 of a draft: each fault names its field.
func invalid(title string, faults []fieldFault) error {
	var details []error
	for _, f := range faults {
		details = append(details, &huma.ErrorDetail{Location: "body." + f.field, Message: f.text})
	}
	return huma.Error422UnprocessableEntity(title, details...)
}

type fieldFault struct{ field, text string }
