package store

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/geo/redistest"
)

// asked is what somebody asks of the one incident: a claim or another transition, at the version that they saw, or a unit to be sent.
type asked struct {
	who     string
	to      incident.Status
	version int
	unit    string
}

// answer is what they were told.
type answer struct {
	ok      bool
	status  incident.Status
	version int
	owner   string
}

// stood is what the incident is, as one who does one act after the other would have it.
type stood struct {
	status  incident.Status
	version int
	owner   string
	units   string // that are bound, sorted
}

// next is the sequential meaning of an act: what is answered, and how the incident stands after it.
func (s stood) next(a asked) (answer, stood) {
	out := s
	if a.unit != "" {
		bound := strings.Fields(s.units)
		if slices.Contains(bound, a.unit) || !slices.Contains([]incident.Status{incident.New, incident.Acknowledged, incident.Dispatched}, s.status) {
			return answer{}, s
		}
		bound = append(bound, a.unit)
		slices.Sort(bound)
		out.units = strings.Join(bound, " ")
		if s.status != incident.Dispatched {
			out.version++
			if out.status = incident.Dispatched; s.status == incident.New {
				out.owner = a.who
			}
		}
		return answer{ok: true}, out
	}
	allowed := map[incident.Status][]incident.Status{
		incident.New:          {incident.Acknowledged, incident.Cancelled},
		incident.Acknowledged: {incident.Resolved, incident.Cancelled},
		incident.Dispatched:   {incident.Cancelled},
		incident.Resolved:     {incident.Reopened, incident.Cancelled},
	}
	if a.version != s.version || !slices.Contains(allowed[s.status], a.to) {
		return answer{}, s
	}
	out.version++
	switch out.status = a.to; a.to {
	case incident.Acknowledged:
		out.owner = a.who
	case incident.Reopened:
		out.status = incident.Acknowledged
	}
	return answer{true, out.status, out.version, out.owner}, out
}

var oneIncident = porcupine.Model{
	Init: func() any { return stood{status: incident.New, version: 1} },
	Step: func(state, input, output any) (bool, any) {
		want, after := state.(stood).next(input.(asked))
		return want == output.(answer), after
	},
	DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
}

// Whatever people ask of one incident at once, what they are told is what they would have been told one after the other.
func TestActsOnOneIncidentAreLinearizable(t *testing.T) {
	const people, acts, rounds = 5, 6, 6
	s, _ := newStore(t, redistest.Start(t))
	refused := 0
	for round := range rounds {
		var signs []string
		for i := range 3 {
			signs = append(signs, fmt.Sprintf("r%d-%d", round, i))
		}
		rostered(t, s, signs...)
		in := flooded(t, s)
		var mu sync.Mutex
		var history []porcupine.Operation
		begin := time.Now()
		var all sync.WaitGroup
		for p := range people {
			all.Go(func() {
				who := audit.Actor{Subject: fmt.Sprintf("user:%d", p)}
				for i := range acts {
					now, err := s.Incident(t.Context(), in.ID)
					if err != nil {
						t.Error(err)
						return
					}
					a := asked{who: who.Subject, version: now.Version}
					if (p+i)%3 == 0 {
						a.unit = "bpbd/" + signs[(p+i)%len(signs)]
						a.version = 0
					} else {
						a.to = []incident.Status{incident.Acknowledged, incident.Resolved, incident.Reopened, incident.Acknowledged, incident.Cancelled}[(p*2+i)%5]
						if a.to == incident.Cancelled && i < acts-1 { // only the last act ends it, so that there is something to contend for
							a.to = incident.Acknowledged
						}
					}
					call := time.Since(begin).Nanoseconds()
					got, err := act(t, s, in.ID, a, who)
					if err != nil {
						t.Error(err)
						return
					}
					back := time.Since(begin).Nanoseconds()
					mu.Lock()
					if !got.ok {
						refused++
					}
					history = append(history, porcupine.Operation{ClientId: p, Input: a, Call: call, Output: got, Return: back})
					mu.Unlock()
				}
			})
		}
		all.Wait()
		if t.Failed() {
			return
		}
		if got := porcupine.CheckOperationsTimeout(oneIncident, history, 20*time.Second); got != porcupine.Ok {
			for _, o := range history {
				t.Logf("%d: %d to %d: %s", o.ClientId, o.Call, o.Return, oneIncident.DescribeOperation(o.Input, o.Output))
			}
			t.Fatalf("round %d: the history is %s", round, got)
		}
	}
	if refused == 0 || refused == people*acts*rounds {
		t.Errorf("%d of %d acts were refused: nobody contended", refused, people*acts*rounds)
	}
}

// act asks the store, and tells what it said; a refusal is an answer, anything else an error.
func act(t *testing.T, s *Store, id string, a asked, who audit.Actor) (answer, error) {
	t.Helper()
	var late *Conflict
	var taken *UnitConflict
	if a.unit != "" {
		_, err := s.Send(t.Context(), Order{Incident: id, Unit: a.unit}, who, anyUnit)
		if errors.As(err, &late) || errors.As(err, &taken) {
			return answer{}, nil
		}
		return answer{ok: true}, err
	}
	out, err := s.Transition(t.Context(), id, incident.Act{To: a.to, Version: a.version}, who)
	if errors.As(err, &late) {
		return answer{}, nil
	}
	return answer{true, out.Status, out.Version, out.Owner}, err
}

// The check sees what it is for: two who are both told that they were first.
func TestTheCheckFindsTwoClaims(t *testing.T) {
	claim := func(who string, call int64) porcupine.Operation {
		return porcupine.Operation{Input: asked{who: who, to: incident.Acknowledged, version: 1}, Call: call, Output: answer{true, incident.Acknowledged, 2, who}, Return: call + 10}
	}
	if porcupine.CheckOperations(oneIncident, []porcupine.Operation{claim("user:1", 0), claim("user:2", 5)}) {
		t.Error("two claims of one version passed")
	}
}
