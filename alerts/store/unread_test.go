package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts"
	"kentongan/alerts/alarm"
	"kentongan/alerts/ladder"
	"kentongan/alerts/statement"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/redistest"
)

// furnished is a store in which something of every noun stands.
func furnished(t *testing.T, s *Store) {
	t.Helper()
	ctx := t.Context()
	rostered(t, s, "trc-1", "trc-2")
	in := flooded(t, s)
	flooded(t, s)
	units, err := s.Units(ctx)
	if err != nil || len(units) != 2 {
		t.Fatal(units, err)
	}
	if _, err := s.Send(ctx, Order{Incident: in.ID, Unit: units[0].ID}, sender, anyUnit); err != nil {
		t.Fatal(err)
	}
	for _, thing := range []string{"awlr:1", "awlr:2"} {
		if err := s.Fire(ctx, plain(cap.Extreme, thing, noon)); err != nil {
			t.Fatal(err)
		}
	}
	s.mustReports(t, feeds.Meta{Agency: "pupr"}, []feeds.Report{account("14-01", nil), caller("14-02", "banjir", geo.Position{Lat: -0.83, Lng: 100.63}, noon)}, Stored, Stored)
	works(t, s, 60, 120)
	declare(t, s, statement.Draft{Scale: "pvmbg", Subject: "talang", Step: "III", Source: "PVMBG", StatedAt: minute(-10)})
	following(t, s)
	s.follow(t, nil)
	s.fused(t)
}

// counts tells how many of each noun a screen starts with.
func counts(o *Open) string {
	return fmt.Sprintf("incidents %d alerts %d reports %d alarms %d suggestions %d plans %d statements %d statuses %d units %d dispatches %d",
		len(o.Incidents), len(o.Alerts), len(o.Reports), len(o.Alarms), len(o.Suggestions), len(o.Plans), len(o.Statements), len(o.Statuses), len(o.Units), len(o.Dispatches))
}

func total(o *Open) int {
	return len(o.Incidents) + len(o.Alerts) + len(o.Reports) + len(o.Alarms) + len(o.Suggestions) + len(o.Plans) + len(o.Statements) + len(o.Statuses) + len(o.Units) + len(o.Dispatches)
}

// documents lists the keys of every document that is kept.
func documents(t *testing.T, s *Store) (keys []string) {
	t.Helper()
	err := s.scan(t.Context(), "*", func(list []string) error {
		for _, key := range list {
			if s.rdb.Type(t.Context(), key).Val() == "hash" && s.rdb.HExists(t.Context(), key, "doc").Val() {
				keys = append(keys, key)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(keys)
	return slices.Compact(keys)
}

// junk is what may lie where a document was; each writes it and gives what undoes that.
var junk = map[string]func(t *testing.T, s *Store, key string) (undo func()){
	"no JSON":              field("doc", "\x00\xff{{"),
	"JSON of another form": field("doc", `{"v":1,"id":17,"status":[]}`),
	"nothing":              field("doc", `null`),
	"another's document":   field("doc", `{"v":1,"id":"01JXXXXXXXXXXXXXXXXXXXXXXX"}`),
	"internals":            field("own", `[`),
	"no hash": func(t *testing.T, s *Store, key string) func() {
		t.Helper()
		kept := s.rdb.Dump(t.Context(), key).Val()
		if err := s.rdb.Del(t.Context(), key).Err(); err != nil {
			t.Fatal(err)
		}
		if err := s.rdb.Set(t.Context(), key, "junk", 0).Err(); err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := s.rdb.RestoreReplace(t.Context(), key, 0, kept).Err(); err != nil {
				t.Fatal(err)
			}
		}
	},
}

func field(name, text string) func(t *testing.T, s *Store, key string) func() {
	return func(t *testing.T, s *Store, key string) func() {
		t.Helper()
		was, err := s.rdb.HGet(t.Context(), key, name).Result()
		if err != nil && !errors.Is(err, redis.Nil) {
			t.Fatal(err)
		}
		put := func(v string) {
			if err := s.rdb.HSet(t.Context(), key, name, v).Err(); err != nil {
				t.Fatal(err)
			}
		}
		put(text)
		return func() { put(was) }
	}
}

// Whatever document is junk, and whatever the junk: every other one is given, and this one is named until it can be read again.
func TestOneUnreadableDocumentHidesNoOther(t *testing.T) {
	s, _ := newStore(t, redistest.Start(t))
	furnished(t, levelled(t, s))
	whole, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	nouns := map[string]bool{}
	shown := 0
	for _, key := range documents(t, s) {
		for name, spoil := range junk {
			undo := spoil(t, s, key)
			got, err := s.Snapshot(t.Context())
			if err != nil {
				t.Fatalf("%s is junk (%s), and nobody is shown anything: %v", key, name, err)
			}
			if missing := total(&whole) - total(&got); missing > 1 {
				t.Errorf("%s is junk (%s): %s, without it %s", key, name, counts(&whole), counts(&got))
			} else if missing == 1 {
				shown++
				nouns[strings.Split(key, ":")[1]] = true
				if list := s.Unreadable(); len(list) != 1 || list[0].Key != key || list[0].Reason == "" {
					t.Errorf("%s is junk (%s), and is named so: %v", key, name, list)
				}
			}
			undo()
			again, err := s.Snapshot(t.Context())
			if err != nil || counts(&again) != counts(&whole) {
				t.Fatalf("%s is whole again: %s, %v", key, counts(&again), err)
			}
			if list := s.Unreadable(); len(list) != 0 {
				t.Errorf("%s is whole again, and still named: %v", key, list)
			}
		}
	}
	for _, n := range []int{len(whole.Incidents), len(whole.Alerts), len(whole.Reports), len(whole.Alarms), len(whole.Suggestions), len(whole.Plans), len(whole.Statements), len(whole.Statuses), len(whole.Units), len(whole.Dispatches)} {
		if n == 0 {
			t.Errorf("the store is not furnished: %s", counts(&whole))
		}
	}
	if shown < 10*4 {
		t.Errorf("only %d of the junk was met, of %v: nothing is tried", shown, nouns)
	}
}

// Asked for by its name an unreadable document says so, which is not that it is not there; and the readers of the cases go on without it.
func TestUnreadableIsNotMissing(t *testing.T) {
	s, c := newStore(t, redistest.Start(t))
	furnished(t, levelled(t, s))
	open, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range documents(t, s) {
		if err := s.rdb.HSet(t.Context(), key, "doc", "{").Err(); err != nil {
			t.Fatal(err)
		}
	}
	who := open.Incidents[0].ID
	if _, err := s.Incident(t.Context(), who); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), who) {
		t.Errorf("incident: %v", err)
	}
	if _, err := s.Incident(t.Context(), "01JXXXXXXXXXXXXXXXXXXXXXXX"); !errors.Is(err, ErrNotFound) {
		t.Errorf("none: %v", err)
	}
	if _, err := s.Alarm(t.Context(), open.Alarms[0].ID); !errors.Is(err, ErrUnreadable) {
		t.Errorf("alarm: %v", err)
	}
	if items, _, err := s.Incidents(t.Context(), Query{}); err != nil || len(items) != 0 {
		t.Errorf("%d incidents, %v", len(items), err)
	}
	// The same crossings again, the same roster again: what is there is not written over.
	if err := s.Fire(t.Context(), plain(cap.Extreme, "awlr:1", noon)); err != nil {
		t.Errorf("a crossing again: %v", err)
	}
	// Every reader begins and goes on; what is new is dealt with.
	readers := []Reader{s.AlarmReader(Governing{Options: alarm.Options{Config: alarm.DefaultConfig()}}), s.StatusReader(), s.DispatchReader(nil, nil), s.LadderReader(Climbing{Config: ladder.DefaultConfig()}), s.FusionReader()}
	if err := s.Fire(t.Context(), plain(cap.Extreme, "awlr:9", noon.Add(time.Minute))); err != nil {
		t.Fatal(err)
	}
	for _, r := range readers {
		m := &marking{Store: s, r: r}
		if err := m.begin(t.Context()); err != nil {
			t.Errorf("%s does not begin: %v", r.Name(), err)
			continue
		}
		for range 3 {
			list, ok, err := s.Since(t.Context(), m.at, 10_000)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			if len(list) > 0 {
				if err := m.take(t.Context(), list); err != nil {
					t.Errorf("%s does not go on: %v", r.Name(), err)
				}
			}
			if err := r.Tick(t.Context(), c.now()); err != nil {
				t.Errorf("%s: %v", r.Name(), err)
			}
			c.add(2 * time.Second)
		}
	}
	now, err := s.Snapshot(t.Context())
	if err != nil || len(now.Alarms) == 0 || now.Alarms[0].Thing != "awlr:9" {
		t.Errorf("the new alert is no alarm: %s, %v", counts(&now), err)
	}
	// Retention keeps what it cannot read, and what that may rest on.
	before := len(documents(t, s))
	for _, drop := range []func() (int, error){
		func() (int, error) { return s.DropIncidents(t.Context(), c.now().Add(time.Hour)) },
		func() (int, error) {
			return s.DropReports(t.Context(), c.now().Add(time.Hour), func(_ context.Context, ids []string) error {
				return fmt.Errorf("deleted what others keep of %v", ids)
			})
		},
	} {
		if n, err := drop(); n != 0 || err != nil {
			t.Errorf("dropped %d, %v", n, err)
		}
	}
	if after := len(documents(t, s)); after != before {
		t.Errorf("%d documents, before %d", after, before)
	}
}

// An open incident that nobody can read still holds the reports that it names.
func TestWhatAnUnreadableIncidentNamesIsKept(t *testing.T) {
	s, c := newStore(t, redistest.Start(t))
	s.mustReports(t, feeds.Meta{Agency: "pupr"}, []feeds.Report{account("14-01", nil), account("a-report-of-others", nil)}, Stored, Stored)
	list, _, err := s.Reports(t.Context(), Query{})
	if err != nil || len(list) != 2 {
		t.Fatal(list, err)
	}
	in := flooded(t, s)
	if err := s.rdb.HSet(t.Context(), s.keys.Incident(in.ID), "doc", `{"evidence":[{"ref":"`+strings.Repeat("A", 26)+`"},{"kind":"report","ref":"`+list[0].ID+`"}]`).Err(); err != nil {
		t.Fatal(err)
	}
	keep, err := s.standing(t.Context())
	if err != nil || !keep.incidents[in.ID] || !keep.refs[strings.Repeat("A", 26)] {
		t.Errorf("%+v, %v", keep, err)
	}
	if n, err := s.DropReports(t.Context(), c.now().Add(time.Hour), nil); err != nil || n != 1 { // which it does not name
		t.Errorf("dropped %d, %v", n, err)
	}
	if _, err := s.Report(t.Context(), list[0].ID); err != nil {
		t.Errorf("the one that it names: %v", err)
	}
}

// An entry of the case stream that is no change keeps its offset, so that whoever follows goes on; it is named.
func TestJunkInTheCaseStreamEndsNobody(t *testing.T) {
	s, c := newStore(t, redistest.Start(t))
	flooded(t, s)
	for i, values := range [][]any{{"type", "incident", "id", "x", "doc", "{"}, {"type", "alarm", "id", "x"}, {"nothing", "at all"}, {"type", "alert", "id", "y", "doc", `[1]`}} {
		last, err := s.rdb.Incr(t.Context(), s.keys.CaseOffset()).Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.rdb.XAdd(t.Context(), &redis.XAddArgs{Stream: s.keys.Case(), ID: streamID(last), Values: values}).Err(); err != nil {
			t.Fatal(i, err)
		}
	}
	in := flooded(t, s)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var offsets []int64
	err := s.Tail(ctx, 0, func(ch Change) error {
		offsets = append(offsets, ch.Offset)
		if ch.Doc != nil && !json.Valid(ch.Doc) {
			t.Errorf("junk is handed over: %+v", ch)
		}
		if ch.ID == in.ID {
			cancel()
		}
		return nil
	})
	if err != nil || len(offsets) < 6 || offsets[0] != 1 || offsets[len(offsets)-1] != int64(len(offsets)) {
		t.Errorf("offsets %v, %v", offsets, err)
	}
	if got := s.Unreadable(); len(got) != 3 || !strings.HasPrefix(got[0].Key, s.keys.Case()+" ") {
		t.Errorf("named: %v", got)
	}
	c.add(25 * time.Hour)
	if got := s.Unreadable(); len(got) != 0 {
		t.Errorf("the stream has forgotten them by now: %v", got)
	}
	for _, r := range []Reader{s.AlarmReader(Governing{Options: alarm.Options{Config: alarm.DefaultConfig()}}), s.DispatchReader(nil, nil), s.LadderReader(Climbing{Config: ladder.DefaultConfig()}), s.FusionReader(), levelled(t, s).StatusReader()} {
		list, ok, err := s.Since(t.Context(), 0, 1000)
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		m := &marking{Store: s, r: r}
		if err := m.begin(t.Context()); err != nil {
			t.Fatal(r.Name(), err)
		}
		if err := r.Take(t.Context(), list); err != nil {
			t.Errorf("%s: %v", r.Name(), err)
		}
	}
}

// What cannot be read may stand still: a governor that begins anew clears no alarm of it, a rule that clears keeps where it fires and tells of the
// next crossing, the guard before resolving stays shut, and a crew is helped all the same.
func TestWhatCannotBeReadIsNotOver(t *testing.T) {
	s, c := newStore(t, redistest.Start(t))
	furnished(t, levelled(t, s))
	open, err := s.Snapshot(t.Context())
	if err != nil || len(open.Alarms) == 0 || len(open.Dispatches) != 1 {
		t.Fatal(counts(&open), err)
	}
	spoil := func(key string) {
		if err := s.rdb.HSet(t.Context(), key, "doc", "{").Err(); err != nil {
			t.Fatal(err)
		}
	}
	d := open.Dispatches[0]
	spoil(s.keys.Dispatch(d.ID))
	in, err := s.Incident(t.Context(), d.Incident)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.served(t.Context(), &in); !errors.Is(err, ErrUnreadable) || !strings.Contains(err.Error(), d.ID) {
		t.Errorf("served: %v", err)
	}
	if u, err := s.CallForHelp(t.Context(), d.Unit, Help{}, sender, anyChange); err != nil || u.Panic == nil || u.Panic.Incident == "" || u.Panic.Incident == d.Incident {
		t.Errorf("help: %+v %v", u.Panic, err)
	}
	for i := range open.Alerts {
		spoil(s.keys.Alert(open.Alerts[i].ID))
	}
	for i := range open.Incidents {
		spoil(s.keys.Incident(open.Incidents[i].ID))
	}
	c.add(time.Minute)
	now, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.AlarmReader(Governing{Options: alarm.Options{Config: alarm.DefaultConfig()}}).(Starter).Start(t.Context(), now.Offset, &now); err != nil {
		t.Fatal(err)
	}
	for i := range open.Alarms {
		if a, err := s.Alarm(t.Context(), open.Alarms[i].ID); err != nil || !a.Active || a.Ack != nil {
			t.Errorf("%s: active %t, acknowledged %v, %v", a.Event, a.Active, a.Ack, err)
		}
	}
	f := plain(cap.Extreme, "awlr:1", noon)
	was, err := s.firingOn(t.Context(), f)
	if err != nil || was == "" {
		t.Fatal(was, err)
	}
	off := plain(cap.Extreme, "awlr:1", noon.Add(time.Minute))
	off.Fire = false
	if err := s.Clear(t.Context(), off); err != nil {
		t.Fatal(err)
	}
	if is, err := s.firingOn(t.Context(), f); err != nil || is != was {
		t.Errorf("it fires by %q, before %q, %v", is, was, err)
	}
	anew := plain(cap.Extreme, "awlr:1", noon.Add(2*time.Minute))
	if err := s.Fire(t.Context(), anew); err != nil {
		t.Fatal(err)
	}
	id, _ := identify(anew)
	if a, err := s.Alert(t.Context(), id); err != nil || a.State != alerts.Active {
		t.Errorf("the next crossing: %s %v", a.State, err)
	}
}
