package store

import (
	"testing"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
)

// TestACounterThatWasSetBackGoesOn changes the numbers of both streams past the server's back: the next act goes on behind what is there. What
// is of another type altogether refuses the act, and leaves nothing of it.
func TestACounterThatWasSetBackGoesOn(t *testing.T) {
	each(t, func(t *testing.T, s *Store, _ *clock) { goesOn(t, s, s.rdb) })
}

func goesOn(t *testing.T, s *Store, rdb redis.UniversalClient) {
	open := func() error {
		_, err := s.Create(t.Context(), incident.Draft{Type: "flood", Title: "Banjir", Note: "air naik"}, audit.Actor{Subject: "user:ani"})
		return err
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	last := func(stream string) string {
		list := rdb.XRevRangeN(t.Context(), stream, "+", "-", 1).Val()
		if len(list) == 0 {
			return ""
		}
		return list[0].ID
	}
	counters := []string{s.keys.CaseOffset(), s.keys.AuditSeq()}
	for _, back := range []string{"0", "none", ""} {
		for _, counter := range counters {
			if rdb.Set(t.Context(), counter, back, 0); back == "" {
				rdb.Del(t.Context(), counter)
			}
		}
		if back != "none" { // whoever begins to follow meanwhile goes on from the stream's end
			if o, err := s.Snapshot(t.Context()); err != nil || streamID(o.Offset) != last(s.keys.Case()) {
				t.Errorf("set back to %q, what stands is at %d, the stream ends with %s: %v", back, o.Offset, last(s.keys.Case()), err)
			}
		}
		if err := open(); err != nil {
			t.Errorf("set back to %q: %v", back, err)
		}
	}
	for _, counter := range counters { // of another type
		rdb.Del(t.Context(), counter)
		rdb.LPush(t.Context(), counter, "x")
		if err := open(); err != nil {
			t.Errorf("%s is a list: %v", counter, err)
		}
	}
	for i, stream := range []string{s.keys.Case(), s.keys.Audit()} {
		if got := rdb.Get(t.Context(), counters[i]).Val(); last(stream) != got+"-0" {
			t.Errorf("%s ends with %s, its counter is %s", stream, last(stream), got)
		}
	}
	was, length := rdb.Get(t.Context(), counters[1]).Val(), rdb.XLen(t.Context(), s.keys.Audit()).Val()
	rdb.Del(t.Context(), s.keys.Case())
	rdb.Set(t.Context(), s.keys.Case(), "x", redis.KeepTTL)
	if err := open(); err == nil || rdb.Get(t.Context(), counters[1]).Val() != was || rdb.XLen(t.Context(), s.keys.Audit()).Val() != length {
		t.Errorf("%v; the log has %d records, had %d", err, rdb.XLen(t.Context(), s.keys.Audit()).Val(), length)
	}
}
