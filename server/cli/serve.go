package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/rs/zerolog"

	"kentongan/feeds/runner"
	"kentongan/feeds/simulator"
	"kentongan/server/app"
	"kentongan/server/config"
)

// drainTime is how long a drain may take (INTERFACES section 1).
const drainTime = 9 * time.Second

type serve struct {
	settings
	Replay   string `help:"Play the recorded files of a folder instead of asking outside; all of it is marked as simulated." placeholder:"DIR" type:"existingdir"`
	Scenario string `help:"Let a scenario happen in the simulated city from the start: galodo, ashfall, quake or truck." placeholder:"NAME"`
	Things   int    `help:"How many Things the simulated city has, 150 to 50000." placeholder:"N"`
	OpenLink bool   `help:"Print one address to open, which signs in."`
}

func (s *serve) Run(w *world) error {
	cfg, faults := s.load(w.env)
	if len(faults) > 0 {
		return faults
	}
	log := logger(cfg, w.err)
	if s.Replay != "" {
		recorded, err := app.Replay(s.Replay, cfg.Feeds)
		if err != nil {
			return err
		}
		cfg.Feeds, cfg.Replaying = recorded, true
	}
	if err := s.city(cfg.Feeds); err != nil {
		return err
	}
	ctx, stop := untilSignal(log)
	defer stop()
	go pace(ctx)
	var emptied time.Time
	for {
		again, err := s.once(ctx, &cfg, log, w, emptied)
		if !again {
			return err
		}
		emptied = time.Now()
	}
}

// city applies what the flags say of the simulated city, and refuses what cannot be.
func (s *serve) city(list []runner.FeedConfig) error {
	if s.Scenario == "" && s.Things == 0 {
		return nil
	}
	i := slices.IndexFunc(list, func(f runner.FeedConfig) bool { return f.Transport == runner.Simulator })
	if i < 0 {
		return fmt.Errorf("--scenario and --things: %w", app.ErrNoCity)
	}
	if s.Scenario != "" && !simulator.Known(s.Scenario) {
		return fmt.Errorf("--scenario: %q is none of galodo, ashfall, quake, truck", s.Scenario)
	}
	if s.Things != 0 {
		list[i].Things = s.Things
	}
	return errors.Join(list[i].Validate()...)
}

// once serves one life of the store. Again means that the store came back empty and everything must be built anew.
func (s *serve) once(ctx context.Context, cfg *config.Config, log zerolog.Logger, w *world, emptied time.Time) (again bool, err error) {
	a, err := begin(ctx, cfg, log, emptied)
	if err == nil {
		a.Source(s.source(w.env))
	}
	if err != nil && ctx.Err() != nil {
		log.Info().Err(err).Msg("stopped before the start was done")
		return false, nil
	}
	if err != nil {
		return false, err
	}
	run, cancel := context.WithCancel(ctx)
	told := make(chan struct{})
	go func() {
		defer close(told)
		select {
		case <-a.Ready():
			s.link(run, a, log, w)
			if s.Scenario != "" {
				if err := a.StartScenario(run, s.Scenario); err != nil {
					log.Error().Err(err).Str("scenario", s.Scenario).Msg("the scenario does not begin")
				}
			}
		case <-run.Done():
		}
	}()
	err = a.Run(run)
	cancel()
	<-told
	again = errors.Is(err, app.ErrNewEpoch)
	if again {
		log.Error().Err(err).Msg("EMPTY: all that was kept is gone; beginning a new life")
		cfg.Listen, err = a.Addr(), nil
	} else if err != nil {
		log.Error().Err(err).Msg("cannot go on")
	}
	late, done := context.WithTimeoutCause(context.WithoutCancel(ctx), drainTime, errors.New("the drain took too long"))
	defer done()
	stopped := a.Stop(late)
	if stopped != nil {
		log.Error().Err(stopped).Msg("not everything was stopped in order")
	} else {
		log.Info().Msg("stopped")
	}
	return again, errors.Join(err, stopped)
}

// anewFor is how long a new life is tried for after the store was lost: it may still be on its way up.
const anewFor = time.Minute

// begin builds the house. A first start fails at once, so that whoever sits before it sees why.
func begin(ctx context.Context, cfg *config.Config, log zerolog.Logger, emptied time.Time) (*app.App, error) {
	for {
		reg := prometheus.NewRegistry()
		reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		a, err := app.New(ctx, *cfg, Version, log, reg)
		if err == nil && !emptied.IsZero() {
			a.Emptied(emptied)
		}
		if err == nil || emptied.IsZero() || time.Since(emptied) > anewFor {
			return a, err
		}
		log.Error().Err(err).Msg("the new life does not begin yet; trying again")
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
}

// link says how to sign in while no administrator can, or where --open-link asks for it.
func (s *serve) link(ctx context.Context, a *app.App, log zerolog.Logger, w *world) {
	make := a.SetupLink
	if s.OpenLink {
		make = a.SignInLink
	}
	url, err := make(ctx)
	if err != nil {
		log.Error().Err(err).Msg("no sign-in link")
		return
	}
	if url == "" {
		return
	}
	if s.OpenLink {
		fmt.Fprintf(w.out, "\n  %s\n\n", url)
		return
	}
	log.Info().Str("url", url).Msg("sign-in link")
}

// untilSignal ends with the first SIGTERM or SIGINT; the second ends the process at once.
func untilSignal(log zerolog.Logger) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, os.Interrupt)
	go func() {
		select {
		case got := <-signals:
			log.Info().Str("signal", got.String()).Msg("draining; a second signal ends at once")
			cancel()
		case <-ctx.Done():
		}
		<-signals
		os.Exit(exitFailed)
	}()
	return ctx, func() { cancel(); signal.Stop(signals) }
}

// logger writes JSON, or lines for people on a terminal.
func logger(cfg config.Config, out io.Writer) zerolog.Logger {
	level, err := zerolog.ParseLevel(cfg.LogLevel)
	if err != nil {
		level = zerolog.InfoLevel
	}
	format := cfg.LogFormat
	if f, ok := out.(*os.File); ok && format == "" {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			format = "console"
		}
	}
	if format == "console" {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: time.TimeOnly}
	}
	return zerolog.New(out).Level(level).With().Timestamp().Logger()
}
