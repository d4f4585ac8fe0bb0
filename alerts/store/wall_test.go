package store

import (
	"errors"
	"slices"
	"sync"
	"testing"
)

func TestWallsChangeTogetherOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		both := func(to string) func(map[string]string) ([]WallChange, error) {
			return func(now map[string]string) ([]WallChange, error) {
				var list []WallChange
				for _, id := range []string{"a", "b"} {
					list = append(list, WallChange{ID: id, Doc: []byte(to), Action: "wall.steered", Before: now[id], After: to, Reason: to})
				}
				return list, nil
			}
		}
		if err := s.ChangeWalls(t.Context(), anna, both("1")); err != nil {
			t.Fatal(err)
		}
		no := errors.New("no")
		if err := s.ChangeWalls(t.Context(), anna, func(map[string]string) ([]WallChange, error) { return nil, no }); !errors.Is(err, no) {
			t.Errorf("refused: %v", err)
		}
		// Somebody else was faster: it is decided anew, on what stands then.
		var seen []string
		err := s.ChangeWalls(t.Context(), budi, func(now map[string]string) ([]WallChange, error) {
			if seen = append(seen, now["b"]); len(seen) == 1 {
				if err := s.ChangeWalls(t.Context(), anna, both("2")); err != nil {
					t.Fatal(err)
				}
			}
			return both(now["b"] + "3")(now)
		})
		if all, err2 := s.Walls(t.Context()); err != nil || err2 != nil || all["a"] != "23" || all["b"] != "23" || !slices.Equal(seen, []string{"1", "2"}) {
			t.Errorf("%v %v: %v, decided on %v", err, err2, all, seen)
		}
		if err := s.ChangeWalls(t.Context(), anna, func(now map[string]string) ([]WallChange, error) {
			return []WallChange{{ID: "a", Action: "wall.removed", Before: now["a"]}}, nil
		}); err != nil {
			t.Error(err)
		}
		if all, err := s.Walls(t.Context()); err != nil || len(all) != 1 || all["b"] != "23" {
			t.Errorf("left %v %v", all, err)
		}
		if got := acts(t, s, "wall:a"); len(got) != 4 || !slices.Contains(got, "wall.removed") {
			t.Errorf("records of a: %v", got)
		}
		if got := acts(t, s, "wall:b"); len(got) != 3 {
			t.Errorf("records of b: %v", got)
		}
	})
}

// Many who steer at once: each change is made on the one before, and none is lost.
func TestWallsAreSteeredByManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) {
		var wg sync.WaitGroup
		for range 12 {
			wg.Go(func() {
				err := s.ChangeWalls(t.Context(), anna, func(now map[string]string) ([]WallChange, error) {
					return []WallChange{{ID: "a", Doc: []byte(now["a"] + "."), Action: "wall.steered"}}, nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if all, err := s.Walls(t.Context()); err != nil || all["a"] != "............" {
			t.Errorf("%q %v", all["a"], err)
		}
		if got := acts(t, s, "wall:a"); len(got) != 12 {
			t.Errorf("%d records", len(got))
		}
	})
}
