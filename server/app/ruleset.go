package app

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/server/config"
)

// rulesEvery is how often the store is asked whether rules have changed, and the configuration file looked at; the word of another server makes
// it at once.
const rulesEvery = time.Second

// takenWithin is how long a change waits for the evaluator here to take it up.
const takenWithin = 500 * time.Millisecond

// ruleSet is the rules of the file, which change with the file, and those of the store, which are changed through the interface: it keeps what is
// in force in step with both. Safe for concurrent use.
type ruleSet struct {
	app    *App
	log    zerolog.Logger
	places rules.Places
	from   config.Source
	poke   chan struct{} // another server says that there is something new
	apply  sync.Mutex    // one change of the program at a time
	test   sync.Mutex    // held by the back-test that runs

	mu       sync.Mutex
	file     []rules.Rule
	stored   map[string]store.KeptRule // as they were seen last
	inForce  map[string]rules.Rule     // those of stored that can run and are not in the file
	revision string
	stamp    string // of the configuration file
	warnings []string
	trouble  string // why rules that the file has today are not in force
	awaits   bool   // one of them names a property that may yet be said, or could not run beside what the store had then
	looked   time.Time

	properties knownProperties
	firing     knownFiring
}

func newRuleSet(a *App, places rules.Places) *ruleSet {
	return &ruleSet{app: a, log: a.log.With().Str("component", "rules").Logger(), places: places, poke: make(chan struct{}, 1), file: a.cfg.Rules,
		stored: map[string]store.KeptRule{}, inForce: map[string]rules.Rule{}}
}

// Source tells where the configuration comes from, so that the rules follow the file. Call it before Run.
func (a *App) Source(from config.Source) {
	a.ruleSet.from, a.ruleSet.stamp = from, fileStamp(from.Path())
}

// follow keeps in step with the store and the file until ctx ends.
func (s *ruleSet) follow(ctx context.Context) error {
	tick := time.NewTicker(rulesEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-s.poke:
		}
		s.reload()
		if err := s.refresh(ctx); err != nil && ctx.Err() == nil {
			s.log.Debug().Err(err).Msg("the rules of the store cannot be seen now")
		}
	}
}

// wake makes follow look now.
func (s *ruleSet) wake() {
	select {
	case s.poke <- struct{}{}:
	default:
	}
}

// fileStamp changes when the file does; empty where there is none.
func fileStamp(path string) string {
	info, err := os.Stat(path)
	if path == "" || err != nil {
		return ""
	}
	return fmt.Sprint(info.ModTime().UnixNano(), " ", info.Size())
}

// reload takes up the rules of the configuration file where it has changed. All else in it waits for the next start. With any fault in the file the
// rules stay as they were; a rule that cannot run here is refused by itself, and the one of before stays.
func (s *ruleSet) reload() {
	stamp := fileStamp(s.from.Path())
	s.mu.Lock()
	again := s.awaits && time.Since(s.looked) > propertiesFor // an instrument that was yet to come may have come
	same := stamp == s.stamp && !again || stamp == ""         // a file that is not there is being replaced
	s.mu.Unlock()
	if same {
		return
	}
	next, faults := config.Load(s.from)
	s.apply.Lock()
	defer s.apply.Unlock()
	if len(faults) > 0 {
		s.noted(stamp, "the configuration file was changed and has faults; its rules of before stay in force: "+strings.ReplaceAll(faults.Error(), "\n", "; "), false)
		return
	}
	list, refused, awaits := s.sift(next.Rules)
	if err := s.take(list, s.kept()); err != nil {
		s.noted(stamp, "the rules of the configuration file cannot run with those of the interface; those of before stay in force: "+err.Error(), true)
		return
	}
	s.noted(stamp, strings.Join(refused, "; "), awaits)
	s.log.Info().Int("rules", len(list)).Msg("rules of the configuration file read anew")
}
func (s *ruleSet) kept() []store.KeptRule {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Collect(maps.Values(s.stored))
}

// refresh brings the program in step with the store, where anything has changed.
func (s *ruleSet) refresh(ctx context.Context) error {
	s.apply.Lock()
	defer s.apply.Unlock()
	ctx, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	revision, err := s.app.cases.RuleRevision(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	same := revision == s.revision
	s.mu.Unlock()
	if same {
		return nil
	}
	list, revision, err := s.app.cases.Rules(ctx)
	if err != nil {
		return err
	}
	s.mu.Lock()
	file := s.file
	s.mu.Unlock()
	if err := s.take(file, list); err != nil {
		s.log.Error().Err(err).Msg("the rules cannot run together; those of before stay in force")
	}
	s.mu.Lock()
	s.revision = revision
	s.mu.Unlock()
	return nil
}

// inStep brings the program in step with the file and the store before this server judges: with rules of before it would clear what fires under those
// of today, and raise it again. It tries until the store answers; the error is that of ctx.
func (s *ruleSet) inStep(ctx context.Context) error {
	s.reload()
	for {
		err := s.refresh(ctx)
		if err == nil {
			return nil
		}
		if !pause(ctx, takenWithin) {
			return context.Cause(ctx)
		}
		s.log.Warn().Err(err).Msg("the rules of the store cannot be seen; this server does not judge by those of before")
	}
}

// take makes a program of the file's rules and of those that the store lists. One of the store that cannot run is left out, and told. With an error
// everything is as it was.
func (s *ruleSet) take(file []rules.Rule, list []store.KeptRule) error {
	slices.SortFunc(list, func(a, b store.KeptRule) int { return strings.Compare(a.ID, b.ID) })
	s.mu.Lock()
	before, was, running := s.file, s.stored, s.inForce
	s.mu.Unlock()
	stored, inForce := map[string]store.KeptRule{}, map[string]rules.Rule{}
	var warnings []string
	all := slices.Clone(file)
	for _, one := range list {
		stored[one.ID] = one
		if slices.ContainsFunc(file, func(r rules.Rule) bool { return r.ID == one.ID }) {
			warnings = append(warnings, fmt.Sprintf("rule %s: the configuration file has a rule of this id, and the interface has made one as well: the file's is in force", one.ID))
			continue
		}
		r, known := running[one.ID]
		if seen := was[one.ID]; !known || seen.Version != one.Version || seen.Act != one.Act {
			var err error
			if r, err = s.read(one); err != nil {
				warnings = append(warnings, fmt.Sprintf("rule %s: what the store says of it (version %d) cannot be used here: %v", one.ID, one.Version, err))
				continue
			}
		}
		inForce[one.ID] = r
		all = append(all, r)
	}
	program, err := rules.Compile(all, s.places)
	if err != nil { // each by itself can run
		s.note(before, stored, running, append(warnings, "the rules cannot run together; those of before stay in force: "+err.Error()))
		return err
	}
	taken := s.app.pipeline.SetRules(program)
	s.note(file, stored, inForce, warnings)
	select { // whoever asked for it sees it; an evaluator that waits for the store holds nobody up
	case <-taken:
	case <-time.After(takenWithin):
	}
	return nil
}

// read reads and checks what was kept.
func (s *ruleSet) read(one store.KeptRule) (rules.Rule, error) {
	if one.Unreadable {
		return rules.Rule{}, errors.New("it cannot be read; was it a newer server that wrote it? Put another in its place, or remove it (with any version)")
	}
	r, faults := config.ReadRule(one.Config, one.ID)
	faults.Check(r, s.places)
	if len(faults.Faults) > 0 {
		return r, errors.New(strings.ReplaceAll(faults.Error(), "\n", "; "))
	}
	return r, nil
}

func (s *ruleSet) note(file []rules.Rule, stored map[string]store.KeptRule, inForce map[string]rules.Rule, warnings []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range warnings {
		if !slices.Contains(s.warnings, w) {
			s.log.Warn().Msg(w)
		}
	}
	s.file, s.stored, s.inForce, s.warnings = file, stored, inForce, warnings
}

// warned lists what /readyz warns of.
func (s *ruleSet) warned() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.warnings)
	if s.trouble != "" {
		out = append(out, s.trouble)
	}
	return out
}

// all lists the rules in force, those of the file first.
func (s *ruleSet) all() []rules.Rule {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := slices.Clone(s.file)
	for _, id := range slices.Sorted(maps.Keys(s.inForce)) {
		out = append(out, s.inForce[id])
	}
	return out
}

// filed tells a rule of the configuration file.
func (s *ruleSet) filed(id string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.file, func(r rules.Rule) bool { return r.ID == id })
}

// version of a rule that was made through the interface and is in force; 0: it is none.
func (s *ruleSet) version(id string) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.inForce[id]; ok {
		return s.stored[id].Version
	}
	return 0
}
