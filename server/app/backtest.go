package app

import (
	"context"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds"
	"kentongan/server/api"
	"kentongan/server/backtest"
	"kentongan/server/config"
	"kentongan/server/ingest"
	"kentongan/server/problem"
)

// longestTest is how many hours a back-test may be of.
const longestTest = 31 * 24 * time.Hour

// BackTest is api.RuleSet's. The rule is tried among all that are in force, in the place of the one of its id: what another rule says of an
// instrument (its range) counts as it does live.
func (s *ruleSet) BackTest(ctx context.Context, ask []byte) (backtest.Result, error) {
	if !s.test.TryLock() {
		return backtest.Result{}, api.ErrTesting
	}
	defer s.test.Unlock()
	in, faults := config.ReadBackTest(ask)
	faults.Check(in.Rule, s.places)
	if len(faults.Faults) == 0 {
		switch {
		case !in.From.Before(in.To):
			faults.Add("from", "is not before to")
		case in.To.Sub(in.From) > longestTest:
			faults.Add("from", fmt.Sprintf("is more than %d days before to", int(longestTest.Hours()/24)))
		}
	}
	if len(faults.Faults) > 0 {
		return backtest.Result{}, api.NewRuleFaults(ruleFaults("body.rule.", faults))
	}
	return s.try(ctx, in)
}

func (s *ruleSet) try(ctx context.Context, in config.RuleAsk) (backtest.Result, error) {
	on := true
	in.Rule.Enabled = &on
	all := slices.DeleteFunc(s.all(), func(r rules.Rule) bool { return r.ID == in.Rule.ID })
	program, err := rules.Compile(append(all, in.Rule), s.places)
	if err != nil {
		return backtest.Result{}, api.NewRuleFaults([]api.RuleFault{{Location: "body.rule", Message: err.Error(), Code: problem.Wrong}})
	}
	alone, err := rules.Compile([]rules.Rule{in.Rule}, s.places)
	if err != nil {
		return backtest.Result{}, fmt.Errorf("rule %s: %w", in.Rule.ID, err)
	}
	now := time.Now()
	a := backtest.Ask{Program: program, Rule: in.Rule.ID, Lead: 2 * alone.LongestFor(), From: in.From, To: in.To, Now: now, About: s.app.thing, Span: ingest.HistorySpan}
	source, warning, err := s.source(in, &a, alone)
	if err != nil {
		return backtest.Result{}, err
	}
	out, err := backtest.Run(ctx, a, source)
	if err == nil && warning != "" {
		out.Warnings = append(out.Warnings, warning)
	}
	if err == nil && in.To.After(now) {
		out.Warnings = append(out.Warnings, "to lies ahead: nothing is known after now")
	}
	return out, err
}

// source is where the hours are recorded: of readings in history, or in this server's archive where history no longer reaches so far.
func (s *ruleSet) source(in config.RuleAsk, a *backtest.Ask, alone *rules.Program) (backtest.Source, string, error) {
	if alone.CountsCases() {
		return backtest.Cases(s.app.cases), "reports and alerts are tried as far back as the stream of cases goes", nil
	}
	kept := a.Now.Add(-s.app.cfg.Retention.Readings)
	if !in.From.Before(kept) {
		return backtest.History(s.app.index), "", nil
	}
	short := "readings are kept for " + s.app.cfg.Retention.Readings.String() + ": what lies before " + kept.UTC().Format(time.RFC3339) + " is not tried"
	if s.app.archive == nil {
		return backtest.History(s.app.index), short, nil
	}
	s.app.archive.Flush()
	var paths []string
	for _, c := range s.app.feedSet.all() {
		list, err := s.app.archive.Files(c.Name, in.From.Add(-a.Lead), in.To)
		if err != nil {
			return backtest.Source{}, "", fmt.Errorf("%w: %w", feeds.ErrBusy, err)
		}
		paths = append(paths, list...)
	}
	if len(paths) == 0 {
		return backtest.History(s.app.index), short, nil
	}
	a.Span = ingest.DeliverySpan
	return backtest.Files(backtest.SourceArchive, paths, backtest.ReaderOf(s.app.push, s.app.pull), nil),
		"readings of before " + kept.UTC().Format(time.RFC3339) + " are no longer kept: what this server received is read from its archive, and nothing of other servers", nil
}

// thing gives a Thing of the picture.
func (a *App) thing(id string) *feeds.Thing {
	e := a.picture.Get(id)
	if e == nil {
		return nil
	}
	return feeds.Unpack(e.Payload, e.ID, e.Kind, e.Position, e.Placed, e.Cell)
}
