package store

import (
	"encoding/json"
	"errors"
	"testing"

	"kentongan/alerts/audit"
)

// A rule that nobody can read, because a newer server wrote it or worse, is listed as such; it can be replaced and removed.
func TestUnreadableRulesCanBeReplacedAndRemoved(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx, who := t.Context(), audit.Actor{Subject: "sari"}
		for _, broken := range []string{`{"v":`, `{"id":"other","version":3}`, `{"id":"banjir","version":"three"}`} {
			spoil := func() {
				if err := s.rdb.HSet(ctx, s.keys.RuleConfig(), "banjir", broken).Err(); err != nil {
					t.Fatal(err)
				}
			}
			spoil()
			if err := s.rdb.HSet(ctx, s.keys.RuleVersions("banjir"), "7", broken).Err(); err != nil {
				t.Fatal(err)
			}
			if list, _, err := s.Rules(ctx); err != nil || len(list) != 1 || !list[0].Unreadable || list[0].ID != "banjir" {
				t.Errorf("%s: %+v %v", broken, list, err)
			}
			if r, there, err := s.RuleOf(ctx, "banjir"); err != nil || !there || !r.Unreadable {
				t.Errorf("%s: %+v %v %v", broken, r, there, err)
			}
			if got, err := s.PutRule(ctx, RuleChange{ID: "banjir", Config: json.RawMessage(`{"when":"true"}`)}, who); err != nil || got.Version <= 7 && broken != `{"id":"other","version":3}` {
				t.Errorf("%s replaced: %+v %v", broken, got, err)
			}
			spoil()
			if got, err := s.PutRule(ctx, RuleChange{ID: "banjir", Version: 1}, who); err != nil || !got.Removed {
				t.Errorf("%s removed: %+v %v", broken, got, err)
			}
			if _, there, err := s.RuleOf(ctx, "banjir"); err != nil || there {
				t.Errorf("%s is there: %v %v", broken, there, err)
			}
		}
	})
}

func TestRulesAreVersioned(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx, who := t.Context(), audit.Actor{Subject: "sari"}
		put := func(version int64, config string) (KeptRule, error) {
			change := RuleChange{ID: "banjir", Version: version, Reason: "why"}
			if config != "" {
				change.Config = json.RawMessage(config)
			}
			return s.PutRule(ctx, change, who)
		}
		if rev, err := s.RuleRevision(ctx); rev != "" || err != nil {
			t.Fatalf("%q %v", rev, err)
		}
		for i := range int64(3) {
			if got, err := put(i, `{"when":"true"}`); err != nil || got.Version != i+1 || got.By != "sari" {
				t.Fatalf("%+v %v", got, err)
			}
		}
		if _, err := put(2, `{}`); !errors.Is(err, ErrRuleVersion) {
			t.Errorf("a stale change: %v", err)
		}
		if _, err := put(0, `{}`); !errors.Is(err, ErrRuleVersion) {
			t.Errorf("made twice: %v", err)
		}
		before, _ := s.RuleRevision(ctx)
		if got, err := put(3, ""); err != nil || !got.Removed || got.Version != 4 {
			t.Errorf("%+v %v", got, err)
		}
		if after, _ := s.RuleRevision(ctx); after == before {
			t.Error("a removal is no change")
		}
		if _, ok, err := s.RuleOf(ctx, "banjir"); ok || err != nil {
			t.Errorf("%v %v", ok, err)
		}
		if got, err := put(0, `{"when":"false"}`); err != nil || got.Version != 5 {
			t.Errorf("made again: %+v %v", got, err)
		}
		list, _, err := s.Rules(ctx)
		if err != nil || len(list) != 1 || list[0].ID != "banjir" || string(list[0].Config) != `{"when":"false"}` {
			t.Errorf("%+v %v", list, err)
		}
		if versions, err := s.RuleVersions(ctx, "banjir"); err != nil || len(versions) != 5 || versions[0].Version != 5 || !versions[1].Removed {
			t.Errorf("%+v %v", versions, err)
		}
		records, _, err := s.AuditLog(ctx, noon.AddDate(-1, 0, 0), noon.AddDate(9, 0, 0), 10, "")
		if err != nil || len(records) != 5 || records[0].Action != "rule.made" || records[1].Action != "rule.removed" || records[4].Action != "rule.made" {
			t.Errorf("%+v %v", records, err)
		}
	})
}
