package api

import (
	"context"
	"errors"
	"net/http"

	"kentongan/alerts/audit"
	"kentongan/feeds/simulator"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// Simulator runs scenarios in the simulated city. Each act is kept in the audit log before it is answered.
type Simulator interface {
	State(ctx context.Context) (SimulatorState, error)
	Start(ctx context.Context, scenario string, who audit.Actor) (SimulatorRun, error) // ErrScenario, ErrRunning
	Stop(ctx context.Context, id string, who audit.Actor) (SimulatorRun, error)        // ErrNoRun
}

// What a Simulator refuses.
var (
	ErrScenario = errors.New("there is no such scenario")
	ErrRunning  = errors.New("this scenario is running already")
	ErrNoRun    = errors.New("there is no such run")
)

// SimulatorState is the simulated city as screens see it.
type SimulatorState struct {
	Feed      string              `json:"feed"`
	Things    int                 `json:"things"`
	Kinds     map[string]int      `json:"kinds" doc:"How many Things by kind"`
	Scenarios []SimulatorScenario `json:"scenarios"`
	Runs      []SimulatorRun      `json:"runs" doc:"The newest first; those that ended more than a day ago are forgotten"`
}

// SimulatorScenario is what can be run.
type SimulatorScenario struct {
	ID        string            `json:"id"`
	Names     map[string]string `json:"names" doc:"By language"`
	About     map[string]string `json:"about" doc:"By language"`
	DurationS float64           `json:"duration_s"`
}

// SimulatorRun is one playing of a scenario, with its ground truth in absolute time.
type SimulatorRun struct {
	simulator.Run
	Names map[string]string `json:"names" doc:"Of its scenario, by language"`
	State string            `json:"state" enum:"running,stopped,ended"`
	Truth simulator.Truth   `json:"truth" doc:"What really happens, where and when, and what a perfect system would open"`
}

func (s *server) simulator() {
	const root = "/api/v1/simulator"
	operation(s, needs(access.ReadFeeds), "GET", root, "simulator", "The simulated city: its scenarios, and its runs with their truth", http.StatusOK, s.simulatorState)
	operation(s, needs(access.RunSimulator), "POST", root+"/runs", "start-run", "Let a scenario happen in the simulated city", http.StatusCreated, s.startRun)
	operation(s, needs(access.RunSimulator), "DELETE", root+"/runs/{id}", "stop-run", "Stop a run", http.StatusOK, s.stopRun)
}

// city gives the simulator, or says why there is none.
func (s *server) city() (Simulator, error) {
	if s.Simulator == nil {
		return nil, problem.New(problem.NoCity, "there is no simulated city here: no feed has transport simulator")
	}
	return s.Simulator, nil
}

func (s *server) simulatorState(ctx context.Context, _ *struct{}) (*body[SimulatorState], error) {
	city, err := s.city()
	if err != nil {
		return nil, err
	}
	state, err := city.State(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[SimulatorState]{state}, nil
}

type runIn struct {
	Body struct {
		Scenario string `json:"scenario" minLength:"1" maxLength:"64" doc:"One of GET /simulator's scenarios, such as galodo"`
	}
}

func (s *server) startRun(ctx context.Context, in *runIn) (*body[SimulatorRun], error) {
	city, err := s.city()
	if err != nil {
		return nil, err
	}
	run, err := city.Start(ctx, in.Body.Scenario, actor(ctx))
	switch {
	case errors.Is(err, ErrScenario):
		return nil, problem.New(problem.Invalid, err.Error(), problem.At("body.scenario", problem.Unknown, err.Error()))
	case errors.Is(err, ErrRunning):
		return nil, problem.New(problem.ScenarioRunning, err.Error())
	case err != nil:
		return nil, s.fault(err)
	}
	return &body[SimulatorRun]{run}, nil
}

type stopIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) stopRun(ctx context.Context, in *stopIn) (*body[SimulatorRun], error) {
	city, err := s.city()
	if err != nil {
		return nil, err
	}
	run, err := city.Stop(ctx, in.ID, actor(ctx))
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[SimulatorRun]{run}, nil
}
