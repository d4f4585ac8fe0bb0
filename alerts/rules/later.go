package rules

import (
	"errors"
	"kentongan/alerts"
	"kentongan/alerts/report"
	"time"
)

const (
	baselineWeeks = 8
	tracksField   = "#track"
	usualPart     = "u/"
)

type shape struct{}
type fences struct{}

func newFences([]*compiled) *fences                    { return nil }
func shapeOf(*Fence, Places) (*shape, error)           { return nil, errors.New("area: fences are not ready") }
func (e *Engine) fenced(*Program, *view, int64, int64) {}

type tracks struct{}

func newTracks() *tracks                  { return nil }
func (*tracks) save(func(string, []byte)) {}
func (*tracks) restore([]byte) error      { return nil }

type pile struct {
	rule *compiled
	key  string
}
type piles struct{}

func newPiles(*compiled) *piles                      { return nil }
func (*piles) encode(*writer, int) bool              { return false }
func (*piles) decode(*reader)                        {}
func (e *Engine) armPiles(*standing)                 {}
func (e *Engine) endPiles(*standing)                 {}
func (s *standing) takePiles(*compiled)              {}
func (e *Engine) ring(*pile, int64)                  {}
func (e *Engine) countThing(*standing, *view, int64) {}

type usual struct{}

func (s *standing) saveUsual(func(string, []byte))              {}
func (e *Engine) restoreUsual(id, thing string, b []byte) error { return nil }
func (e *Engine) anomalous(s *standing, v *view, at, lag int64) {}

// Report judges a report by the rules that count reports. Now is our clock when it was stored.
func (e *Engine) Report(r *report.Report, now time.Time) []Decision { return e.Tick(now) }

// Alert judges an agency's alert by the rules that count alerts. Now is our clock when it was stored.
func (e *Engine) Alert(a *alerts.Alert, now time.Time) []Decision { return e.Tick(now) }
