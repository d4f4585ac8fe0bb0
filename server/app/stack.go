package app

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rs/zerolog"
)

// stack is what must be stopped, the newest first.
type stack struct {
	log   zerolog.Logger
	steps []step
}

type step struct {
	name string
	stop func(context.Context) error
}

func (s *stack) push(name string, stop func(context.Context) error) {
	s.steps = append(s.steps, step{name, stop})
}

// stop runs every step, also after one that failed, within one time limit. A second call finds nothing to do.
func (s *stack) stop(ctx context.Context) error {
	var errs []error
	steps := s.steps
	s.steps = nil
	for _, st := range slices.Backward(steps) {
		s.log.Debug().Str("part", st.name).Msg("stopping")
		if err := st.stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop %s: %w", st.name, err))
		}
	}
	return errors.Join(errs...)
}
