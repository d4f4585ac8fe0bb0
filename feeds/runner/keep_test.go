package runner

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds"
	"kentongan/feeds/archive"
	"kentongan/geo/moment"
)

// kept is what the archive holds of a feed.
func kept(t *testing.T, a *archive.Archive, dir string) []archive.Delivery {
	t.Helper()
	a.Flush()
	paths, err := archive.Expand([]string{dir})
	if err != nil {
		t.Fatal(err)
	}
	var out []archive.Delivery
	for _, p := range paths {
		if err := archive.Read(p, func(d archive.Delivery) error { out = append(out, d); return nil }); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func TestEveryDeliveryIsKeptWithWhatBecameOfIt(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "raw")
	sink := &store{}
	a, err := archive.Open(archive.Config{Dir: dir, Keeps: func(string) time.Duration { return time.Hour }, Spare: 1, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	c := DefaultConfig()
	c.Name, c.Format = "awlr", "native"
	secret := DefaultConfig()
	secret.Name, secret.Format, secret.Keep = "secret", "native", 0
	lapor := DefaultConfig()
	lapor.Name, lapor.Format = "lapor", "open311"
	r, err := New([]FeedConfig{c, secret, lapor}, sink, Options{Log: zerolog.Nop(), Archive: a, KeepRaw: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	good, bad := []byte(`{"thing":"a","property":"p","value":1}`), []byte(`{"thing":"a"`)
	send := func(feed string, body []byte, meta feeds.Meta) {
		_, _ = r.Deliver(context.Background(), feed, body, meta)
	}
	send("awlr", good, feeds.Meta{ContentType: "application/json", Peer: "10.0.0.7"})
	send("awlr", bad, feeds.Meta{})
	send("awlr", good, feeds.Meta{Dry: true})
	send("secret", good, feeds.Meta{})
	send("lapor", []byte(`[]`), feeds.Meta{})
	sink.err = feeds.ErrBusy
	send("awlr", good, feeds.Meta{})
	got := kept(t, a, dir)
	if len(got) != 2 {
		t.Fatalf("%d deliveries are kept: %+v", len(got), got)
	}
	if d := got[0]; d.Outcome != archive.Stored || d.Accepted != 1 || string(d.Body) != string(good) || d.ContentType != "application/json" || d.Peer != "10.0.0.7" || d.At.IsZero() {
		t.Errorf("%+v", d)
	}
	if d := got[1]; d.Outcome != archive.Refused || d.Reason == "" || string(d.Body) != string(bad) {
		t.Errorf("%+v", d)
	}
	sink.err = nil
	before := len(sink.batches)
	receipt, err := r.Again(t.Context(), got[0])
	if err != nil || receipt.Accepted != 1 || len(sink.batches) != before+1 || !sink.metas[before].ReceivedAt.Equal(got[0].At.Time) || sink.metas[before].Peer != "10.0.0.7" {
		t.Errorf("again: %+v %v", receipt, err)
	}
	if n := len(kept(t, a, dir)); n != 2 {
		t.Errorf("taken again, and kept twice: %d", n)
	}
}

// An old list that is read at last says nothing of what began since, and a feed that is dead stays dead.
func TestTheArchiveEndsNothingAndRevivesNoFeed(t *testing.T) {
	r, sink, clock := build(t, entry("snap", func(c *FeedConfig) { c.Interval = time.Minute }))
	if _, err := r.Deliver(t.Context(), "snap", []byte("a b"), feeds.Meta{}); err != nil || !sink.batches[0].AllAlerts || !sink.batches[0].Snapshot {
		t.Fatalf("%+v %v", sink.batches, err)
	}
	began := clock.now()
	clock.move(time.Hour)
	for _, body := range []string{"c", "", "bad"} {
		if _, err := r.Again(t.Context(), archive.Delivery{Feed: "snap", At: moment.Of(began), Body: []byte(body)}); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
	}
	for _, b := range sink.batches[1:] {
		if b.AllAlerts || b.Snapshot {
			t.Errorf("it ends what it does not name: %+v", b)
		}
	}
	if _, err := r.Again(t.Context(), archive.Delivery{Feed: "snap", At: moment.Of(began), Body: []byte("<")}); err == nil {
		t.Error("what cannot be read was taken")
	}
	if s := r.Status()[0]; s.State != feeds.FeedFailing || !strings.HasPrefix(s.Reason, "silence") || !s.LastSuccess.Equal(began) || s.Rejects != 0 {
		t.Errorf("%+v", s)
	}
}
