package hub

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"google.golang.org/protobuf/proto"

	"kentongan/alerts/report"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/wire"
	"kentongan/server/wire/live"
)

func docOf(id string, status report.Status, at time.Time) json.RawMessage {
	b, err := json.Marshal(report.Report{ID: id, Status: status, ReceivedAt: moment.Of(at)})
	if err != nil {
		panic(err) // a plain struct
	}
	return b
}

// report puts a change of a report into the stream.
func (f *fakeStream) report(id string, status report.Status, at time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.list = append(f.list, store.Change{Offset: f.base + int64(len(f.list)) + 1, Type: "report", ID: id, Doc: docOf(id, status, at)})
	close(f.wake)
	f.wake = make(chan struct{})
}

// heardCase is what a seat hears of cases.
type heardCase struct {
	Type    string
	Cursor  string
	Resumed bool
	Report  report.Report
	Reports []report.Report
	Cut     bool `json:"reports_cut"`
}

func (s *seat) cases(types ...string) heardCase {
	s.t.Helper()
	for {
		_ = s.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, b, err := s.ReadMessage()
		if err != nil {
			s.t.Fatalf("read: %v", err)
		}
		var m heardCase
		if err := json.Unmarshal(b, &m); err != nil {
			s.t.Fatalf("%v: %.200s", err, b)
		}
		if slices.Contains(types, m.Type) {
			return m
		}
	}
}

func TestReportsComeInOrderAndResume(t *testing.T) {
	stream := newStream()
	r := newRoom(t, stream, "e1", quick())
	s := r.sit(t)
	s.say(here)
	if m := s.cases("snapshot"); m.Reports == nil || len(m.Reports) != 0 {
		t.Fatalf("snapshot %+v", m)
	}
	now := time.Now()
	stream.report("lapor:1", report.Open, now)
	stream.put(1)
	stream.report("lapor:2", report.Open, now.Add(time.Second))
	stream.report("lapor:1", report.Closed, now)
	var cursor string
	var heard []string
	for range 4 {
		m := s.cases("report", "incident")
		heard = append(heard, strings.TrimSpace(m.Type+" "+m.Report.ID+" "+string(m.Report.Status)))
		if len(heard) == 1 {
			cursor = m.Cursor
		}
	}
	want := []string{"report lapor:1 open", "incident", "report lapor:2 open", "report lapor:1 closed"}
	if !slices.Equal(heard, want) {
		t.Errorf("heard %v, want %v", heard, want)
	}

	back := r.sit(t)
	back.say(strings.Replace(here, `}`, fmt.Sprintf(`,"cursor":%q}`, cursor), 1))
	for _, id := range want[1:] {
		if m := back.cases("report", "incident", "snapshot"); strings.TrimSpace(m.Type+" "+m.Report.ID+" "+string(m.Report.Status)) != id {
			t.Errorf("missed %+v, want %s", m, id)
		}
	}
	if m := back.cases("snapshot"); !m.Resumed || len(m.Reports) != 1 || m.Reports[0].ID != "lapor:2" || m.Cut {
		t.Errorf("snapshot after it %+v", m)
	}
}

// Whoever may not read reports is sent none, in no form.
func TestReportsNeedTheirRight(t *testing.T) {
	stream := newStream()
	r := newRoom(t, stream, "e1", quick())
	stream.report("lapor:1", report.Open, time.Now())
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.Serve(w, req, auth.Of(access.Subject{ID: "user:x", Actions: []access.Action{access.ReadIncidents}}, "x", time.Time{}), true)
	}))
	t.Cleanup(srv.Close)
	c, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial("ws"+strings.TrimPrefix(srv.URL, "http"), nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &seat{t, c}
	s.say(here)
	if m := s.cases("snapshot"); len(m.Reports) != 0 {
		t.Errorf("snapshot %+v", m)
	}
	stream.report("lapor:2", report.Open, time.Now())
	stream.put(1)
	if m := s.cases("report", "incident"); m.Type != "incident" {
		t.Errorf("heard %+v", m)
	}
}

func TestReportsInTheBinaryForm(t *testing.T) {
	stream := newStream()
	stream.report("lapor:1", report.Open, time.Now())
	r := newRoom(t, stream, "e1", quick())
	c, _, err := (&websocket.Dialer{Subprotocols: []string{wire.Subprotocol}}).Dial("ws"+strings.TrimPrefix(r.server.URL, "http")+"?format=binary", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	s := &seat{t, c}
	s.say(here)
	hear := func(want func(*live.ServerMessage) bool) {
		t.Helper()
		for {
			_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
			_, b, err := c.ReadMessage()
			if err != nil {
				t.Fatal(err)
			}
			var m live.ServerMessage
			if err := proto.Unmarshal(b, &m); err != nil {
				t.Fatal(err)
			}
			if want(&m) {
				return
			}
		}
	}
	hear(func(m *live.ServerMessage) bool { return m.GetSnapshot() != nil })
	stream.report("lapor:2", report.Open, time.Now())
	hear(func(m *live.ServerMessage) bool {
		return m.GetCase().GetNoun() == "report" && strings.Contains(string(m.GetCase().GetDoc()), `"lapor:2"`)
	})
	s.say(here)
	hear(func(m *live.ServerMessage) bool {
		docs := m.GetSnapshot().GetReports()
		return len(docs) >= 1 && strings.Contains(string(docs[0]), `"lapor:2"`) && !m.GetSnapshot().GetReportsCut()
	})
}

func TestStandingReportsAreBounded(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	r := newReports()
	for i := range 5 * store.MostReports {
		id := fmt.Sprintf("lapor:%05d", i)
		r.take(&change{noun: "report", id: id, doc: docOf(id, report.Open, now.Add(time.Duration(i)*time.Millisecond))})
	}
	later := now.Add(time.Hour)
	docs, cut := r.standing(later)
	if len(docs) != store.MostReports || !cut || len(r.docs) > 2*store.MostReports {
		t.Errorf("%d of %d, cut %t", len(docs), len(r.docs), cut)
	}
	if !strings.Contains(string(docs[0].doc), fmt.Sprintf(`"lapor:%05d"`, 5*store.MostReports-1)) {
		t.Errorf("the first is %s", docs[0].doc)
	}
	if docs, cut = r.standing(now.Add(report.Fresh + time.Minute)); len(docs) != 0 || cut || len(r.docs) != 0 {
		t.Errorf("a day later %d, cut %t, %d kept", len(docs), cut, len(r.docs))
	}
	// What the store had no room for is still said to be missing.
	c := newCases()
	c.reset(1, []change{{offset: 1, noun: "report", id: "a", doc: docOf("a", report.Open, now)}}, true)
	if docs, cut := c.reports.standing(now.Add(time.Minute)); len(docs) != 1 || !cut {
		t.Errorf("after a cut start %d, cut %t", len(docs), cut)
	}
}
