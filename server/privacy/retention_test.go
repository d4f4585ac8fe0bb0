package privacy

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/rs/zerolog"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/geo/moment"
)

var center = geo.Position{Lat: -0.79, Lng: 100.65}

var flood = rules.Rule{ID: "muka-air", Alert: rules.AlertBlock{Event: "Muka air tinggi", Category: "Met", Severity: cap.Severe, Urgency: "Immediate", Certainty: "Observed"},
	Incident: &rules.IncidentBlock{Type: "flood", MergeRadiusM: 1, MergeWindow: time.Minute}}

// age fills the house with one of everything, each bearing the tag in its words. What is told to stay open stays open.
func (h *house) age(tag string, open bool) {
	h.t.Helper()
	must := func(err error) {
		h.t.Helper()
		if err != nil {
			h.t.Fatal(err)
		}
	}
	ctx := h.t.Context()
	m := cap.Message{Identifier: "cap-" + tag, Sender: "bmkg@example.org", Sent: moment.Of(h.now), Status: "Actual", MsgType: "Alert", Scope: "Public",
		Infos: []cap.Info{{Language: "id", Categories: []string{"Met"}, Event: "Hujan", Urgency: "Immediate", Severity: cap.Severe, Certainty: "Observed", Headline: "Hujan " + tag,
			Expires: moment.Of(h.now.Add(time.Hour)), Areas: []cap.Area{{Name: "Kubung", Shape: geo.Circle(center, 2000)}}}}}
	_, err := h.cases.PutAgencyAlert(ctx, feeds.Alert{Message: m, Keys: []string{"key-" + tag}}, feeds.Meta{Feed: "bmkg", ReceivedAt: h.now})
	must(err)
	h.report("r-"+tag, "banjir "+tag, feeds.Reporter{Name: "Budi " + tag, Phone: "0812 3456 7789"})
	_, err = h.reporters.Reveal(ctx, "lapor:r-"+tag, Revealed{By: "user:a", Name: "Anna " + tag, At: moment.Of(h.now)}, func() error { return nil })
	must(err)
	f := store.Firing{Rule: &flood, Fire: true, At: h.now, Since: h.now, Thing: &feeds.Thing{ID: "awlr:" + tag, Feed: "awlr", Name: "Pos " + tag, Position: center, Placed: true},
		Inputs: []incident.Input{{Thing: "awlr:" + tag, Property: "water_level", Value: 3.4, At: moment.Of(h.now)}}}
	must(h.cases.Fire(ctx, f))
	h.now = h.now.Add(2 * time.Hour)
	f.Fire, f.At = false, h.now
	must(h.cases.Clear(ctx, f))
	_, err = h.cases.ExpireAlerts(ctx, h.now)
	must(err)
	list, _, err := h.cases.Incidents(ctx, store.Query{Status: "open"})
	must(err)
	i := slices.IndexFunc(list, func(in incident.Incident) bool { return strings.Contains(in.Title, tag) })
	if i < 0 {
		h.t.Fatalf("no incident of %s: %v", tag, list)
	}
	if !open {
		_, err = h.cases.Transition(ctx, list[i].ID, incident.Act{To: incident.Cancelled, Reason: "false", Note: "ternyata " + tag, Version: 1}, audit.Actor{Subject: "user:a"})
		must(err)
	}
}

// old fills a house with what is old, with what is old but still stands, and with what is young, and makes it six years later.
func old(t *testing.T) *house {
	h := newHouse(t)
	run := func() {
		if _, err := h.retention.Run(t.Context(), h.cases); err != nil {
			t.Fatal(err)
		}
	}
	run() // as every hour
	h.age("tua-sekali", false)
	h.age("berdiri-lama", true)
	run()
	h.now = h.now.Add(6 * 365 * day)
	return h
}

// left is where a tag still stands, the audit log apart: it is never deleted.
func (h *house) left(tag string) []string {
	return slices.DeleteFunc(h.holds(tag), func(s string) bool { return strings.HasSuffix(s, h.keys.Audit()) })
}

// check holds the house to it: nothing old is left, nothing young is lost, and what is old and stands is there.
func (h *house) check(when string, young []string) {
	h.t.Helper()
	if found := h.left("tua-sekali"); len(found) > 0 {
		h.t.Errorf("%s: %v", when, found)
	}
	found := h.left("berdiri-lama")
	if !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, ":incident:") }) || !slices.ContainsFunc(found, func(s string) bool { return strings.Contains(s, ":alert:") }) {
		h.t.Errorf("%s: an open incident, or the alert it rests on, is gone: %v", when, found)
	}
	if got := h.left("masih-muda"); !slices.Equal(slices.Sorted(slices.Values(got)), young) {
		h.t.Errorf("%s: of what is young\n is %v\nwas %v", when, got, young)
	}
}

func TestNothingOldRemainsAndNothingYoungIsLost(t *testing.T) {
	t.Parallel()
	h := old(t)
	h.age("masih-muda", false)
	h.now = h.now.Add(30 * time.Minute)
	young := slices.Sorted(slices.Values(h.left("masih-muda")))
	if len(young) < 6 || len(h.left("tua-sekali")) < 6 {
		t.Fatalf("the test has too little to look at: %v\n%v", young, h.left("tua-sekali"))
	}
	done, err := h.retention.Run(t.Context(), h.cases)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%v", done)
	h.check("after a run", young)
	if done["alerts"] < 2 || done["reports"] != 2 || done["reporters"] != 2 || done["incidents"] != 1 {
		t.Errorf("%v", done)
	}
	log, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 1, "")
	if err != nil || log[0].Action != "retention.applied" || !strings.Contains(log[0].Reason, "reports 2") {
		t.Errorf("%+v %v", log, err)
	}
	if done, err = h.retention.Run(t.Context(), h.cases); err != nil || len(h.left("masih-muda")) != len(young) {
		t.Errorf("a second run: %v %v", done, err)
	}
	if again, _, _ := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 1, ""); again[0].Seq != log[0].Seq {
		t.Error("a run that deletes nothing is recorded")
	}
}

// dying is a connection that ends for good after so many commands, as a server that is killed.
type dying struct{ left *atomic.Int64 }

var errKilled = errors.New("killed")

func (d dying) DialHook(next redis.DialHook) redis.DialHook {
	return func(ctx context.Context, network, addr string) (net.Conn, error) { return next(ctx, network, addr) }
}
func (d dying) ProcessHook(next redis.ProcessHook) redis.ProcessHook {
	return func(ctx context.Context, cmd redis.Cmder) error {
		if d.left.Add(-1) < 0 {
			cmd.SetErr(errKilled)
			return errKilled
		}
		return next(ctx, cmd)
	}
}
func (d dying) ProcessPipelineHook(next redis.ProcessPipelineHook) redis.ProcessPipelineHook {
	return func(ctx context.Context, cmds []redis.Cmder) error {
		if d.left.Add(-1) < 0 {
			for _, c := range cmds {
				c.SetErr(errKilled)
			}
			return errKilled
		}
		return next(ctx, cmds)
	}
}

func TestRetentionGoesOnAfterAKill(t *testing.T) {
	t.Parallel()
	for at := int64(1); ; at += 3 {
		h := old(t)
		h.age("masih-muda", false)
		h.now = h.now.Add(30 * time.Minute)
		young := slices.Sorted(slices.Values(h.left("masih-muda")))
		client := redis.NewClient(h.rdb.(*redis.Client).Options())
		defer client.Close()
		d := dying{&atomic.Int64{}}
		d.left.Store(at)
		client.AddHook(d)
		clock := func() time.Time { return h.now }
		reporters := NewReporters(client, h.keys, h.ring, jakarta, clock)
		_, err := NewRetention(client, h.keys, reporters, nil, clock, zerolog.Nop(), nil).Run(t.Context(), store.New(client, h.keys, store.Options{Now: clock, Log: zerolog.Nop()}))
		if err == nil {
			if at < 20 {
				t.Errorf("the run has only %d commands: the test kills nothing", at)
			}
			t.Logf("killed at every third of %d commands", at)
			return
		}
		if _, err := h.retention.Run(t.Context(), h.cases); err != nil {
			t.Fatal(err)
		}
		h.check("killed, and run again", young)
		if t.Failed() {
			t.Fatalf("killed at command %d", at)
		}
	}
}
