package api

import (
	"kentongan/geo/fault"
	"kentongan/server/problem"
)

// stale is the 409 of a change that came too late or is not allowed any more: it brings what stands.
type stale[T any] struct {
	problem.Head
	Current T `json:"current"`
}

func staleOf[T any](cause error, current T) *stale[T] {
	return &stale[T]{standing(cause), current}
}

// invalid is the 422 of a draft: each fault names its field.
func invalid(title string, faults ...*fault.Fault) error {
	var places []*problem.Place
	for _, f := range faults {
		places = append(places, placeOf(f))
	}
	return problem.New(problem.Invalid, title, places...)
}

// placeOf is a fault as a place in the body.
func placeOf(f *fault.Fault) *problem.Place {
	return problem.AtLimit("body."+f.Field, problem.Fault(f.Code), f.Limit, f.Reason)
}
