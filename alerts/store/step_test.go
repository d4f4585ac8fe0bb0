package store

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/geo/redistest"
)

// stepHouse is a store, and everything that Redis holds of it as text.
func stepHouse(t *testing.T) (s *Store, dump func() string) {
	t.Helper()
	rdb, keys := redistest.Start(t), redistest.Keys(t)
	s = New(rdb, keys, Options{Now: time.Now, Log: zerolog.Nop()})
	return s, func() string {
		var out strings.Builder
		for _, key := range []string{s.keys.Case(), s.keys.CaseOffset(), s.keys.Audit(), s.keys.AuditSeq(), s.keys.Incident("1"), s.keys.Incident("2"), s.keys.IncidentsOpen(), s.keys.Figures(), s.keys.FigureCase(), s.keys.AuditWords()} {
			out.WriteString(key + "=" + rdb.Dump(context.Background(), key).Val() + "\n")
		}
		return out.String()
	}
}

// act is a step of every kind of write, one record and one event.
func (s *Store) act(ctx context.Context, rev string) error {
	st := s.newStep(s.now())
	st.check("rev", s.keys.Incident("1"), "", rev)
	st.doc(s.keys.Incident("1"), nextRev(rev), []byte(`{"id":"1"}`), "", "")
	st.write("inside", s.keys.Incident("2"), "1", "")
	st.write("sadd", s.keys.IncidentsOpen(), "1")
	st.write("zadd", s.keys.Figures(), "1764349017000", "1")
	st.write("hset", s.keys.FigureCase(), "1", "figures")
	st.event("incident", "1", []byte(`{"id":"1"}`))
	if err := st.audited(audit.Actor{Subject: "user:anna"}, "incident.edited", "incident:1", "kata", nil, nil); err != nil {
		return err
	}
	return s.run(ctx, st)
}

// Where one of its keys is of another type, a step writes nothing at all.
func TestAStepWithAKeyOfAnotherTypeWritesNothing(t *testing.T) {
	s, dump := stepHouse(t)
	for _, key := range []string{s.keys.Case(), s.keys.Audit(), s.keys.Incident("1"), s.keys.Incident("2"), s.keys.IncidentsOpen(), s.keys.Figures(), s.keys.FigureCase(), s.keys.AuditWords()} {
		s.rdb.Set(t.Context(), key, "another", 0)
		was := dump()
		if err := s.act(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "WRONGTYPE") {
			t.Errorf("%s of another type: %v", key, err)
		}
		if got := dump(); got != was {
			t.Errorf("%s of another type, and something is written:\n%q\n%q", key, was, got)
		}
		s.rdb.Del(t.Context(), key)
	}
	for _, key := range []string{s.keys.Audit(), s.keys.AuditWords()} { // of a record alone
		s.rdb.Set(t.Context(), key, "another", 0)
		was := dump()
		if err := s.Record(t.Context(), audit.Record{Actor: "user:anna", Action: "reporter.revealed", Object: "report:1", Reason: "kata"}); err == nil || dump() != was {
			t.Errorf("%s of another type: %v", key, err)
		}
		s.rdb.Del(t.Context(), key)
	}
	if err := s.act(t.Context(), ""); err != nil {
		t.Error(err)
	}
}

// What stands already is not written again; what somebody has taken away or changed is put back by the next act.
func TestAStepPutsBackWhatIsMissing(t *testing.T) {
	s, _ := stepHouse(t)
	ctx := t.Context()
	if err := s.act(ctx, ""); err != nil {
		t.Fatal(err)
	}
	s.rdb.SRem(ctx, s.keys.IncidentsOpen(), "1")
	s.rdb.ZIncrBy(ctx, s.keys.Figures(), 5, "1")
	s.rdb.HSet(ctx, s.keys.FigureCase(), "1", "bent")
	if err := s.act(ctx, "1"); err != nil {
		t.Fatal(err)
	}
	score := s.rdb.ZScore(ctx, s.keys.Figures(), "1").Val()
	if open, text := s.rdb.SIsMember(ctx, s.keys.IncidentsOpen(), "1").Val(), s.rdb.HGet(ctx, s.keys.FigureCase(), "1").Val(); !open || score != 1764349017000 || text != "figures" {
		t.Errorf("open %t, score %f, figures %q", open, score, text)
	}
	entries := s.rdb.XRange(ctx, s.keys.Case(), "-", "+").Val()
	if len(entries) != 2 || entries[1].Values["doc"] != `{"id":"1"}` {
		t.Errorf("told: %v", entries)
	}
}

// What stands before the step tells nothing of what stands after its first write.
func TestAStepThatWritesAKeyTwice(t *testing.T) {
	s, _ := stepHouse(t)
	ctx := t.Context()
	s.rdb.SAdd(ctx, s.keys.IncidentsOpen(), "1")
	st := s.newStep(s.now())
	st.write("del", s.keys.IncidentsOpen())
	st.write("sadd", s.keys.IncidentsOpen(), "1")
	if err := s.run(ctx, st); err != nil || !s.rdb.SIsMember(ctx, s.keys.IncidentsOpen(), "1").Val() {
		t.Errorf("it is open no more, %v", err)
	}
}
