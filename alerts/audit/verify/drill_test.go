package verify_test

import (
	"fmt"
	"testing"

	"kentongan/alerts/audit/verify/verifytest"
)

// Each way of bending a log, at random places: it is always found. With a witness's tiles the first bad record is always named; without
// them it is named, or the range since the last checkpoint that holds is, and it is in there.
func TestEveryBentLogIsFound(t *testing.T) {
	keys, err := verifytest.NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	times := 50
	if testing.Short() {
		times = 6
	}
	for _, way := range verifytest.Ways {
		t.Run(way, func(t *testing.T) {
			named, within := 0, 0
			for seed := range uint64(times) {
				d, err := verifytest.Bend(way, seed, 400, keys)
				if err != nil {
					t.Fatal(err)
				}
				for _, tiles := range []bool{true, false} {
					r, err := d.Verify(tiles)
					if err != nil {
						t.Fatal(err)
					}
					where := fmt.Sprintf("drill %d (thorough %v, tiles %v): bad from record %d on", seed, d.Thorough, tiles, d.First)
					f := r.First
					switch {
					case r.OK || f == nil:
						t.Errorf("%s: nothing was found", where)
					case f.Seq == d.First:
						if !tiles {
							named++
						}
					case f.Seq == 0 && !tiles && f.From <= d.First && d.First <= f.To:
						within++
					default:
						t.Errorf("%s, but found: %+v of %+v", where, *f, r.Findings)
					}
				}
			}
			t.Logf("without tiles: %d named, %d in a range", named, within)
		})
	}
}
