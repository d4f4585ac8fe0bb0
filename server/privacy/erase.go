package privacy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"kentongan/alerts/audit"
	"kentongan/alerts/store"
	"kentongan/feeds"
)

// ErrNothing means that an erasure names nobody of whom anything is kept.
var ErrNothing = errors.New("nothing is kept of whom this names")

// Erasure is whom to forget: who gave one report, or one person in all of theirs. Two persons agree on it.
type Erasure struct {
	Report    string `json:"report,omitempty"`
	PersonRef string `json:"person_ref,omitempty"`
	Words     bool   `json:"words" doc:"What they said too: text, address, exact place"`
	Reason    string `json:"reason"`
}

// Erased is what an erasure did.
type Erased struct {
	Reports   []string `json:"reports"`
	Reporters int      `json:"reporters" doc:"Data keys that were deleted"`
	Words     int64    `json:"words" doc:"Words of acts that were erased from the audit log"`
	Raw       int      `json:"raw" doc:"Hours of raw bytes, and samples in quarantine, that were removed"`
}

// Eraser forgets people. Purge removes what is kept of a feed as it came, from a time on, and counts what that was; nil: none are kept.
type Eraser struct {
	Reporters *Reporters
	Cases     *store.Store
	Purge     func(ctx context.Context, feed string, from time.Time) (int, error)
	Compact   func(ctx context.Context) error // lets the store's own log forget what was deleted; nil: it has none
}

// Find lists the reports that an erasure is about. Errors: ErrNothing, of the store.
func (e *Eraser) Find(ctx context.Context, what Erasure) ([]string, error) {
	list, err := e.Reporters.ReportsOf(ctx, what.PersonRef)
	if err != nil {
		return nil, err
	}
	if what.Report != "" {
		_, known := e.Reporters.Masked(ctx, what.Report)
		_, there := e.Cases.Report(ctx, what.Report)
		switch {
		case errors.Is(known, feeds.ErrBusy):
			return nil, known
		case there != nil && !errors.Is(there, store.ErrNoReport):
			return nil, there
		case known == nil || there == nil:
			list = append(list, what.Report)
		}
	}
	slices.Sort(list)
	if list = slices.Compact(list); len(list) == 0 {
		return nil, ErrNothing
	}
	return list, nil
}

// Names tells whether a reason says who it is about: it is kept for years, and would be what the erasure is to take away.
func (e *Eraser) Names(ctx context.Context, reports []string, reason string) (bool, error) {
	said := strings.ToLower(reason)
	digits := strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' {
			return r
		}
		return -1
	}, reason)
	for _, id := range reports {
		_, who, err := e.Reporters.open(ctx, id)
		if errors.Is(err, ErrGone) || errors.Is(err, ErrNoReporter) {
			continue
		} else if err != nil {
			return false, err
		}
		for _, word := range strings.FieldsFunc(strings.ToLower(who.Name+" "+who.Email), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if len(word) > 3 && strings.Contains(said, word) {
				return true, nil
			}
		}
		if n := strings.TrimPrefix(Normal(who.Phone), "+"+homeCode); len(n) > 5 && strings.Contains(digits, strings.TrimPrefix(n, "+")) {
			return true, nil
		}
	}
	return false, nil
}

// Do erases. What was done before an error stays done, and doing it again does the rest.
func (e *Eraser) Do(ctx context.Context, what Erasure, who audit.Actor) (Erased, error) {
	list, err := e.Find(ctx, what)
	if errors.Is(err, ErrNothing) {
		return Erased{Reports: []string{}}, e.compact(ctx) // it was done before, and whoever did it may have been killed then
	} else if err != nil {
		return Erased{}, err
	}
	out := Erased{Reports: list}
	oldest := map[string]time.Time{} // by feed
	objects := map[string]bool{}
	for _, id := range list {
		objects["report:"+id] = true
		one, err := e.Cases.Report(ctx, id)
		switch {
		case err == nil:
			if at, ok := oldest[one.Feed]; !ok || one.ReceivedAt.Before(at) {
				oldest[one.Feed] = one.ReceivedAt.Time
			}
		case !errors.Is(err, store.ErrNoReport):
			return out, err
		}
		if what.Words && err == nil {
			if _, err := e.Cases.EraseReport(ctx, id, who); err != nil {
				return out, err
			}
		}
	}
	if out.Words, err = e.Cases.EraseWords(ctx, func(w audit.Words) bool { return objects[w.Object] }); err != nil {
		return out, err
	}
	if e.Purge != nil {
		for feed, from := range oldest {
			n, err := e.Purge(ctx, feed, from)
			if out.Raw += n; err != nil {
				return out, err
			}
		}
	}
	for _, id := range list { // last: by them the rest is found again after a kill
		record := audit.Record{Actor: who.Subject, Agency: who.Agency, Action: "erasure.done", Object: "report:" + id, Request: who.Request}
		if err := e.Cases.Record(ctx, record); err != nil { // before it is so: what was forgotten and never recorded, nobody would find again
			return out, err
		}
		had, err := e.Reporters.Forget(ctx, id, "erased")
		if err != nil {
			return out, err
		}
		if had {
			out.Reporters++
		}
	}
	return out, e.compact(ctx)
}

// compact lets the store's own log forget what was deleted.
func (e *Eraser) compact(ctx context.Context) error {
	if e.Compact == nil {
		return nil
	}
	if err := e.Compact(ctx); err != nil {
		return fmt.Errorf("erased, but the store's own log still holds what was: %w", err)
	}
	return nil
}
