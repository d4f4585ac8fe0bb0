package store

import (
	"testing"
	"time"
)

// A take-over judges again what led to the case that stands: it changes nothing of it.
func TestAClearingOfBeforeTheCrossingThatStands(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx := t.Context()
		first, off, second := firing("awlr:1", center, noon), firing("awlr:1", center, noon.Add(time.Minute)), firing("awlr:1", center, noon.Add(2*time.Minute))
		off.Fire = false
		for round := range 2 { // the second is the next evaluator's, from an older checkpoint
			for _, act := range []struct {
				do func() error
			}{{func() error { return s.Fire(ctx, first) }}, {func() error { return s.Clear(ctx, off) }}, {func() error { return s.Fire(ctx, second) }}} {
				if err := act.do(); err != nil {
					t.Fatal(err)
				}
			}
			list, _, err := s.Alerts(ctx, Query{})
			if err != nil || len(list) != 2 {
				t.Fatalf("round %d: %d alerts, %v", round, len(list), err)
			}
			active := 0
			for _, a := range list {
				if a.State == "active" {
					active++
				}
			}
			if fires, _ := s.Firing(ctx); active != 1 || len(fires["muka-air"]) != 1 {
				t.Errorf("round %d: %d active, fires %v", round, active, fires)
			}
		}
		off.At = noon.Add(3 * time.Minute)
		if err := s.Clear(ctx, off); err != nil {
			t.Fatal(err)
		}
		if fires, _ := s.Firing(ctx); len(fires["muka-air"]) != 0 {
			t.Errorf("it fires on: %v", fires)
		}
	})
}

func TestRuleState(t *testing.T) {
	each(t, func(t *testing.T, s *Store, c *clock) {
		ctx := t.Context()
		if got, err := s.RuleState(ctx); err != nil || got.Kept || got.Cases != -1 || !got.At.IsZero() {
			t.Fatalf("%+v %v", got, err)
		}
		save := func(at time.Time, cases int64, parts map[string][]byte) {
			t.Helper()
			if err := s.SaveRuleState(ctx, RuleState{At: at, Cases: cases, Parts: parts}); err != nil {
				t.Fatal(err)
			}
		}
		save(noon, 7, map[string][]byte{"a/00": {0, 255, 10}, "b/00": []byte("b"), "#ahead/1": []byte("k")})
		save(noon.Add(time.Second), 9, map[string][]byte{"b/00": nil, "a/01": []byte("more")})
		got, err := s.RuleState(ctx)
		if err != nil || !got.At.Equal(noon.Add(time.Second)) || got.Cases != 9 || !got.Kept {
			t.Errorf("%+v %v", got, err)
		}
		if len(got.Parts) != 3 || string(got.Parts["a/00"]) != "\x00\xff\n" || string(got.Parts["a/01"]) != "more" || string(got.Parts["#ahead/1"]) != "k" {
			t.Errorf("%q", got.Parts)
		}
	})
}
