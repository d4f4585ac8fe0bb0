package store

import (
	"fmt"
	"testing"

	"github.com/redis/go-redis/v9"

	"kentongan/geo/redistest"
)

// A list that grows while it is read gives nothing twice and leaves nothing out.
func TestListGrowsWhileItIsRead(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	add := func(from, to int) {
		for i := from; i < to; i++ {
			if err := s.rdb.ZAdd(t.Context(), s.keys.Incidents(), redis.Z{Score: float64(i), Member: fmt.Sprint("in", i)}).Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	const before = 2*batch + 50
	add(0, before)
	got, calls := map[string]int{}, 0
	err := s.walkIndex(t.Context(), s.keys.Incidents(), Query{}, page{}, func(ids []string) (bool, error) {
		for _, id := range ids {
			got[id]++
		}
		add(before+7*calls, before+7*(calls+1))
		calls++
		return true, nil
	})
	if err != nil || calls < 3 {
		t.Fatalf("%d batches, %v", calls, err)
	}
	for i := range before {
		if id := fmt.Sprint("in", i); got[id] != 1 {
			t.Errorf("%s is given %d times", id, got[id])
		}
	}
}
