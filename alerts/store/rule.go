package store

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// ErrRuleVersion says that a rule is not as that of which the change was made.
var ErrRuleVersion = errors.New("the rule was changed meanwhile")

// RuleVersionsKept is how many versions of a rule are kept.
const RuleVersionsKept = 20

// ruleRevision is the field of the rules' hash that changes with every change; no rule can have this id.
const ruleRevision = ":revision"

// KeptRule is a rule that was made through the interface, as it is kept. Config is JSON by the keys of the configuration file, which the store
// does not look into.
type KeptRule struct {
	V       int             `json:"v"`
	ID      string          `json:"id"`
	Version int64           `json:"version"` // 1 and up; goes on after a removal
	At      moment.Time     `json:"at"`
	By      string          `json:"by"`
	Removed bool            `json:"removed,omitempty"`
	Config  json.RawMessage `json:"config,omitempty"`
	Act     string          `json:"act"` // of the change that wrote it

	Unreadable bool `json:"-"` // nobody can read what is kept: whatever version a change names, it replaces it
}

// RuleChange is a change of one rule. Version is that of what it was made of, 0 where there was none; Config nil removes the rule.
type RuleChange struct {
	ID      string
	Version int64
	Config  json.RawMessage
	Reason  string
}

// PutRule keeps a change with its audit record, in one step. Errors: ErrRuleVersion, feeds.ErrBusy.
func (s *Store) PutRule(ctx context.Context, c RuleChange, who audit.Actor) (KeptRule, error) {
	act := rand.Text()
	var out KeptRule
	err := s.retry(ctx, func() error {
		raw, revision, err := s.ruleNow(ctx, c.ID)
		if err != nil {
			return err
		}
		current := keptRule(c.ID, raw)
		versions, err := s.ruleVersions(ctx, c.ID)
		if err != nil {
			return err
		}
		last := current.Version
		for _, v := range versions {
			if last = max(last, v.Version); v.Act == act { // an earlier try whose answer was lost
				out = v
				return nil
			}
		}
		if current.Version != c.Version && !current.Unreadable {
			return fmt.Errorf("%w: it has version %d, not %d", ErrRuleVersion, current.Version, c.Version)
		}
		now := s.now()
		out = KeptRule{V: 1, ID: c.ID, Version: last + 1, At: moment.Of(now), By: who.Subject, Removed: c.Config == nil, Config: c.Config, Act: act}
		st, err := s.ruleStep(c, out, raw, revision, versions)
		if err != nil {
			return err
		}
		action := "rule.changed"
		switch {
		case out.Removed:
			action = "rule.removed"
		case c.Version == 0 && !current.Unreadable:
			action = "rule.made"
		}
		if err := st.audited(who, action, "rule:"+c.ID, c.Reason, nil, nil); err != nil {
			return err
		}
		text := ""
		if !out.Removed {
			doc, err := marshal(out)
			if err != nil {
				return err
			}
			text = string(doc)
		}
		if err := s.keep(ctx, st, raw, text); err != nil {
			return err
		}
		return s.run(ctx, st)
	})
	return out, err
}

// ruleStep writes a rule and its version, and forgets versions that are too old.
func (s *Store) ruleStep(c RuleChange, next KeptRule, raw, revision string, versions []KeptRule) (*step, error) {
	doc, err := marshal(next)
	if err != nil {
		return nil, err
	}
	st := s.newStep(next.At.Time)
	st.check("field", s.keys.RuleConfig(), c.ID, raw)
	st.check("field", s.keys.RuleConfig(), ruleRevision, revision)
	if next.Removed {
		st.write("hdel", s.keys.RuleConfig(), c.ID)
	} else {
		st.write("hset", s.keys.RuleConfig(), c.ID, string(doc))
	}
	st.write("hset", s.keys.RuleConfig(), ruleRevision, nextRev(revision))
	st.write("hset", s.keys.RuleVersions(c.ID), strconv.FormatInt(next.Version, 10), string(doc))
	for _, v := range versions {
		if v.Version <= next.Version-RuleVersionsKept {
			st.write("hdel", s.keys.RuleVersions(c.ID), strconv.FormatInt(v.Version, 10))
		}
	}
	return st, nil
}

// ruleNow gives what is kept of a rule, empty where nothing is, and the revision of all.
func (s *Store) ruleNow(ctx context.Context, id string) (raw, revision string, err error) {
	got, err := s.rdb.HMGet(ctx, s.keys.RuleConfig(), id, ruleRevision).Result()
	if err != nil {
		return "", "", fmt.Errorf("%w: rule %s: %w", feeds.ErrBusy, id, err)
	}
	raw, _ = got[0].(string)
	revision, _ = got[1].(string)
	return raw, revision, nil
}

func ruleOf(raw string) (r KeptRule, err error) {
	if raw == "" {
		return r, nil
	}
	if err := json.Unmarshal([]byte(raw), &r); err != nil {
		return r, fmt.Errorf("a rule as it is kept: %w", err)
	}
	return r, nil
}

// RuleOf gives one rule; ok is false where none of this id was made through the interface.
func (s *Store) RuleOf(ctx context.Context, id string) (r KeptRule, ok bool, err error) {
	raw, _, err := s.ruleNow(ctx, id)
	if err != nil || raw == "" {
		return KeptRule{}, false, err
	}
	return keptRule(id, raw), true, nil
}

// keptRule gives what is kept of a rule; none where there is nothing. What cannot be read, as a newer server may have written it, says so: it can be
// replaced and removed, though not shown.
func keptRule(id, raw string) KeptRule {
	r, err := ruleOf(raw)
	if raw != "" && (err != nil || r.ID != id || r.Version <= 0) {
		return KeptRule{ID: id, Unreadable: true}
	}
	return r
}

// RuleRevision changes with every change of any rule; empty: there never was one.
func (s *Store) RuleRevision(ctx context.Context) (string, error) {
	revision, err := s.rdb.HGet(ctx, s.keys.RuleConfig(), ruleRevision).Result()
	if err != nil && !errors.Is(err, redis.Nil) {
		return "", fmt.Errorf("%w: revision of the rules: %w", feeds.ErrBusy, err)
	}
	return revision, nil
}

// Rules gives every rule that was made through the interface, by id, and their revision. One that cannot be read says so.
func (s *Store) Rules(ctx context.Context) (list []KeptRule, revision string, err error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.RuleConfig()).Result()
	if err != nil {
		return nil, "", fmt.Errorf("%w: rules: %w", feeds.ErrBusy, err)
	}
	for id, raw := range all {
		if id == ruleRevision {
			revision = raw
			continue
		}
		list = append(list, keptRule(id, raw))
	}
	slices.SortFunc(list, func(a, b KeptRule) int { return cmp.Compare(a.ID, b.ID) })
	return list, revision, nil
}

// RuleVersions gives what a rule said lately, the newest first; empty where there never was one.
func (s *Store) RuleVersions(ctx context.Context, id string) ([]KeptRule, error) {
	list, err := s.ruleVersions(ctx, id)
	slices.SortFunc(list, func(a, b KeptRule) int { return cmp.Compare(b.Version, a.Version) })
	return list, err
}

func (s *Store) ruleVersions(ctx context.Context, id string) ([]KeptRule, error) {
	all, err := s.rdb.HGetAll(ctx, s.keys.RuleVersions(id)).Result()
	if err != nil {
		return nil, fmt.Errorf("%w: versions of rule %s: %w", feeds.ErrBusy, id, err)
	}
	var out []KeptRule
	for number, raw := range all {
		r, err := ruleOf(raw)
		if n, bad := strconv.ParseInt(number, 10, 64); err != nil && bad == nil {
			r = KeptRule{ID: id, Version: n, Unreadable: true} // its number is taken
		}
		out = append(out, r)
	}
	return out, nil
}

// Recorded gives every change of the cases that the case stream still holds, the oldest first. An error of give ends it. Errors: feeds.ErrBusy.
func (s *Store) Recorded(ctx context.Context, give func(Change) error) error {
	from := "-"
	for {
		page, err := s.rdb.XRangeN(ctx, s.keys.Case(), from, "+", 1000).Result()
		if err != nil {
			return fmt.Errorf("%w: case stream: %w", feeds.ErrBusy, err)
		}
		list, err := s.changes(page)
		if err != nil {
			return err
		}
		for _, c := range list {
			if err := give(c); err != nil {
				return err
			}
		}
		if len(page) < 1000 {
			return nil
		}
		from = "(" + page[len(page)-1].ID
	}
}
