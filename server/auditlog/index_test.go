package auditlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/geo/keyspace"
	"kentongan/geo/moment"
	"kentongan/server/book"
	"kentongan/server/people"
)

// found checks as the house does every 20 s, and gives what of the store differs: key -> how.
func (h *house) found() map[string]string {
	h.Helper()
	c, _, err := h.log.check(h.Context(), 0, false)
	if err != nil {
		h.Fatal(err)
	}
	h.log.tellDifferences(h.Context(), h.cases, c)
	out := map[string]string{}
	for _, d := range c.Differences {
		if out[d.Key] != "" {
			out[d.Key] += " "
		}
		out[d.Key] += d.What
	}
	return out
}

func (h *house) want(want map[string]string) {
	h.Helper()
	if got := h.found(); !maps.Equal(got, want) {
		h.Errorf("found %v, want %v", got, want)
	}
}

// TestIndexesAreHeldAgainstTheLog takes an open incident out of the index that screens begin with, and puts others in.
func TestIndexesAreHeldAgainstTheLog(t *testing.T) {
	h := newHouse(t)
	ids := h.acts(3)
	in, err := h.cases.Incident(t.Context(), ids[2])
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.Transition(t.Context(), ids[2], incident.Act{To: incident.Cancelled, Reason: "false", Note: "salah", Version: in.Version}, anna); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	open := h.keys.IncidentsOpen()
	h.rdb.SRem(t.Context(), open, ids[0])
	h.rdb.SAdd(t.Context(), open, ids[2], "01NEVER")
	h.rdb.SAdd(t.Context(), h.keys.AlarmsOpen(), "01NOALARM")
	h.rdb.SAdd(t.Context(), h.keys.Units(), "nobody")
	want := map[string]string{
		open + " " + ids[0]: "unlisted", open + " " + ids[2]: "listed", open + " 01NEVER": "listed", h.keys.AlarmsOpen() + " 01NOALARM": "listed", h.keys.Units() + " nobody": "listed",
	}
	h.want(want)
	h.want(want) // and still
	if c, err := h.log.Check(t.Context()); err != nil || len(c.Differences) != len(want) {
		t.Errorf("the whole check: %+v, %v", c.Differences, err)
	}
	if w := h.log.Warnings(); len(w) != 1 || !strings.Contains(w[0], "5 places") {
		t.Errorf("warnings: %q", w)
	}
	told, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "", func(r *audit.Record) bool { return r.Action == audit.Differs })
	if err != nil || len(told) != len(want) {
		t.Errorf("%d are in the log, %v", len(told), err)
	}
	h.open() // another server, that has seen none of them
	h.want(want)
	h.rdb.Del(t.Context(), open)
	if got := h.found(); got[open+" "+ids[1]] != "unlisted" {
		t.Errorf("no index at all: %v", got)
	}
	h.rdb.SAdd(t.Context(), open, ids[0], ids[1])
	h.rdb.SRem(t.Context(), h.keys.AlarmsOpen(), "01NOALARM")
	h.rdb.SRem(t.Context(), h.keys.Units(), "nobody")
	h.want(nil)
}

// TestANewIncidentIsMissedAtOnce hides one that was opened since the last check.
func TestANewIncidentIsMissedAtOnce(t *testing.T) {
	h := newHouse(t)
	h.acts(2)
	h.want(nil)
	hidden := h.acts(1)[0]
	h.rdb.SRem(t.Context(), h.keys.IncidentsOpen(), hidden)
	h.want(map[string]string{h.keys.IncidentsOpen() + " " + hidden: "unlisted"})
}

// TestAForgedCaseIsToldThoughAnActFollows forges an incident with its hash, and lets a person act on it before the next check.
func TestAForgedCaseIsToldThoughAnActFollows(t *testing.T) {
	h := newHouse(t)
	id := h.acts(1)[0]
	h.want(nil)
	key := h.keys.Incident(id)
	doc := h.rdb.HGet(t.Context(), key, "doc").Val()
	forged := strings.Replace(doc, `"severity":"Severe"`, `"severity":"Minor"`, 1)
	h.rdb.HSet(t.Context(), key, "doc", forged, "hash", audit.HashOf([]byte(forged), "")) // as whoever knows how hashes are made
	in, err := h.cases.Edit(t.Context(), id, "incident.edited", "", anna, func(*incident.Incident) error { return nil }, func(in *incident.Incident, _ time.Time) (incident.Incident, error) {
		next := in.Clone()
		next.Title = "banjir"
		return next, nil
	})
	if err != nil || in.Severity != cap.Minor {
		t.Fatalf("%v, %v", in.Severity, err)
	}
	h.want(map[string]string{key: overtaken})
	h.open()
	h.want(map[string]string{key: overtaken})
}

// TestAForgedAccountIsToldThoughAWriteFollows forges an account, which its holder's next sign-in writes anew.
func TestAForgedAccountIsToldThoughAWriteFollows(t *testing.T) {
	h := newHouse(t)
	s := people.NewStore(h.rdb, h.keys, time.Now)
	s.Book(book.New(h.rdb, h.keys, time.Now, nil))
	p, err := s.Create(t.Context(), people.Person{Login: "andi", Name: "Andi"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.Baseline(t.Context()); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	text := h.rdb.HGet(t.Context(), h.keys.Person(), p.ID).Val()
	h.rdb.HSet(t.Context(), h.keys.Person(), p.ID, strings.Replace(text, "Andi", "FORGED", 1))
	if p, err = s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil || p.Name != "FORGED" {
		t.Fatalf("%+v, %v", p, err)
	}
	key := h.keys.Person() + " " + p.ID
	h.want(map[string]string{key: overtaken})
	if _, err = s.Change(t.Context(), p.ID, 0, func(*people.Person) error { return nil }); err != nil {
		t.Fatal(err)
	}
	h.open()
	h.want(map[string]string{key: overtaken})
	h.rdb.HSet(t.Context(), h.keys.PersonLogin(), "andi", "P2")
	h.want(map[string]string{key: overtaken, h.keys.PersonLogin() + " " + p.ID: "unlisted", h.keys.PersonLogin() + " P2": "listed"})
}

// older writes what a release left that hashed nothing, or the bare settings: accounts without a record, a key and a feed with records that
// name no hash, a rule whose record hashes its settings alone.
func (h *house) older() {
	h.Helper()
	after, err := audit.Hash(json.RawMessage(`{"id":"old"}`))
	if err != nil {
		h.Fatal(err)
	}
	for _, r := range []audit.Record{
		{Actor: "user:a", Action: "rule.made", Object: "rule:old", AfterHash: after},
		{Actor: "user:a", Action: "rule.made", Object: "rule:gone", AfterHash: after},
		{Actor: "user:a", Action: "rule.removed", Object: "rule:gone", BeforeHash: after},
		{Actor: "user:a", Action: "key.made", Object: "key:OLD"},
		{Actor: "user:a", Action: "key.made", Object: "key:FORGOTTEN"},
		{Actor: "anonymous", Action: "session.denied", Object: "feed:fake"},
	} {
		r.Time = moment.Of(time.Now())
		head, middle, tail := r.Parts()
		n := h.rdb.Incr(h.Context(), h.keys.AuditSeq()).Val()
		entry := string(head) + r.BeforeHash + string(middle) + fmt.Sprint(n) + string(tail)
		h.rdb.XAdd(h.Context(), &redis.XAddArgs{Stream: h.keys.Audit(), ID: fmt.Sprintf("%d-0", n), Values: []string{"record", entry}})
	}
	h.rdb.HSet(h.Context(), h.keys.RuleConfig(), "old", `{"v":1,"id":"old","version":1,"config":{"id":"old"}}`, ":revision", "3")
	h.rdb.HSet(h.Context(), h.keys.FeedConfig(), "before", `{"v":1,"name":"before","version":1,"config":"s"}`, ":revision", "1")
	h.rdb.HSet(h.Context(), h.keys.Key(), "OLD", `{"scope":"read"}`)
	h.rdb.HSet(h.Context(), h.keys.Person(), "P0", `{"id":"P0","login":"budi"}`)
	h.rdb.HSet(h.Context(), h.keys.PersonLogin(), "budi", "P0")
	h.rdb.HSet(h.Context(), h.keys.Device(), "D0", `{"id":"D0"}`)
}

// TestAStoreOfAnOlderServerIsHonestAndHeld starts on a store that an older release wrote: nothing is told, and nothing is passed over after it.
func TestAStoreOfAnOlderServerIsHonestAndHeld(t *testing.T) {
	h := newHouse(t)
	h.older()
	h.want(nil) // nothing is judged that nobody has looked at
	if err := h.log.baseline(t.Context(), h.cases); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	length := h.rdb.XLen(t.Context(), h.keys.Audit()).Val()
	h.open()
	if err := h.log.baseline(t.Context(), h.cases); err != nil || h.rdb.XLen(t.Context(), h.keys.Audit()).Val() != length {
		t.Errorf("a second start writes another baseline: %v", err)
	}
	for object, text := range map[string]string{
		"feed:fake": `{"v":1,"name":"fake","version":1,"config":{"url":"http://evil"}}`, "feed:before": `{"v":1,"name":"before","version":1,"config":"t"}`,
		"rule:old": `{"v":1,"id":"old","version":1,"config":{"id":"old","forged":true}}`, "key:OLD": `{"scope":"automation"}`, "person:P0": `{"id":"P0","login":"budi","admin":true}`,
		"device:D0": `{"id":"D0","forged":true}`, "person:P1": `{"id":"P1"}`,
	} {
		key, field := keyspace.Kept(h.keys, object)
		h.rdb.HSet(t.Context(), key, field, text)
	}
	k := h.keys
	h.want(map[string]string{
		k.FeedConfig() + " fake": "added", k.FeedConfig() + " before": "changed", k.RuleConfig() + " old": "changed", k.Key() + " OLD": "changed", k.Person() + " P0": "changed",
		k.Device() + " D0": "changed", k.Person() + " P1": "added",
	})
}

// TestABaselineGoesOnWhereItStopped has every account written anew while it is taken, and stops it half way.
func TestABaselineGoesOnWhereItStopped(t *testing.T) {
	h := newHouse(t)
	for n := range 40 {
		h.rdb.HSet(t.Context(), h.keys.Person(), fmt.Sprint(n), `{"id":"`+fmt.Sprint(n)+`"}`)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		for h.rdb.HLen(t.Context(), h.keys.AuditKept()).Val() < 5 {
			time.Sleep(time.Millisecond)
		}
		stop()
		done <- nil
	}()
	_, err := h.cases.Baseline(ctx)
	<-done
	if err == nil {
		t.Skip("it came to its end before it was stopped")
	}
	b := book.New(h.rdb, h.keys, time.Now, nil)
	if err := b.Write(t.Context(), h.rdb, func(p redis.Pipeliner) error {
		book.Keep(t.Context(), p, "person", "39", []byte(`{"id":"39","name":"x"}`))
		p.HSet(t.Context(), h.keys.Person(), "39", `{"id":"39","name":"x"}`)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(h.log.baseline(t.Context(), h.cases), h.log.baseline(t.Context(), h.cases)); err != nil {
		t.Fatal(err)
	}
	h.want(nil)
	list, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	var objects []string
	for _, r := range list {
		if r.Action == "person.found" {
			objects = append(objects, r.Object)
		}
	}
	slices.Sort(objects)
	if n := len(slices.Compact(slices.Clone(objects))); n != len(objects) || n < 39 {
		t.Errorf("%d records of %d accounts", len(objects), n)
	}
}
