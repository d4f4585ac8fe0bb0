package alertmanager

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "alertmanager/*.json") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

const one = `{"status":"firing","labels":{"alertname":"DiskFull","severity":"critical","instance":"db1:9100"},"annotations":{"summary":"Disk of db1 is full","description":"97 %"},` +
	`"startsAt":"2026-11-25T16:00:00.123456789+07:00","endsAt":"0001-01-01T00:00:00Z","generatorURL":"http://prom:9090/graph?g0","fingerprint":"c6eadffa33fcdf37"}`

func group(alerts ...string) string {
	return `{"version":"4","status":"firing","receiver":"kentongan","groupLabels":{},"alerts":[` + "\n" + strings.Join(alerts, ",\n") + `]}`
}

func decode(t *testing.T, body string) feeds.Batch {
	t.Helper()
	b, err := Format{}.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFiring(t *testing.T) {
	m := decode(t, group(one)).Alerts[0].Message
	i := m.Infos[0]
	if m.Identifier != "c6eadffa33fcdf37-20261125T090000.123" || m.Sender != "alertmanager.test" || m.Sent.String() != "2026-11-25T09:00:00.123Z" || m.MsgType != "Alert" {
		t.Errorf("got %+v", m)
	}
	if i.Event != "DiskFull" || i.Severity != cap.Severe || i.Headline != "Disk of db1 is full" || i.Description != "97 %" || i.Web != "http://prom:9090/graph?g0" ||
		i.Areas[0].Name != "db1:9100" || i.Expires.String() != "2026-11-27T09:00:00.123Z" || i.Onset != m.Sent {
		t.Errorf("got %+v", i)
	}
}

func TestResolvedCancelsWhatFired(t *testing.T) {
	fired := decode(t, group(one)).Alerts[0].Message
	resolved := strings.NewReplacer("firing", "resolved", "0001-01-01T00:00:00Z", "2026-11-25T10:00:00Z").Replace(one)
	m := decode(t, group(resolved)).Alerts[0].Message
	if m.MsgType != "Cancel" || len(m.References) != 1 || m.References[0] != fired.Reference() || m.Sent.String() != "2026-11-25T10:00:00.000Z" || m.Identifier == fired.Identifier {
		t.Errorf("got %+v", m)
	}
	again := decode(t, group(strings.Replace(one, "16:00", "17:00", 1))).Alerts[0].Message
	if again.Identifier == fired.Identifier {
		t.Error("a new start of the same labels is a new episode")
	}
	changed := decode(t, group(strings.Replace(one, "97 %", "98 %", 1))).Alerts[0].Message
	if changed.Reference() != fired.Reference() {
		t.Error("a repeat names the same message")
	}
	// An alert without a status of its own is as the notification; the year 1 is no end.
	whole := strings.Replace(group(strings.Replace(one, `"status":"firing",`, "", 1)), `"status":"firing"`, `"status":"resolved"`, 1)
	if m := decode(t, whole).Alerts[0].Message; m.MsgType != "Cancel" || m.Sent != fired.Sent {
		t.Errorf("got %+v", m)
	}
}

func TestFiringForDays(t *testing.T) {
	at := func(hours int) cap.Message {
		meta := feedtest.Meta()
		meta.ReceivedAt = meta.ReceivedAt.Add(time.Duration(hours) * time.Hour)
		body := group(one)
		if hours == 60 {
			body = strings.ReplaceAll(body, "firing", "resolved")
		}
		b, err := Format{}.Decode([]byte(body), meta)
		if err != nil {
			t.Fatal(err)
		}
		return b.Alerts[0].Message
	}
	first, same, second, third, end := at(0), at(23), at(26), at(50), at(60)
	if same.Reference() != first.Reference() || second.MsgType != "Update" || second.References[0] != first.Reference() || second.Sent.String() != "2026-11-26T09:00:00.123Z" ||
		third.References[0] != second.Reference() || second.Infos[0].Onset != first.Sent {
		t.Errorf("got %+v, %+v, %+v", same, second, third)
	}
	if end.MsgType != "Cancel" || !slices.Contains(end.References, third.Reference()) || !slices.Contains(end.References, second.Reference()) {
		t.Errorf("end: %+v", end)
	}
}

func TestComputedFingerprint(t *testing.T) {
	// The case of prometheus/common, model/signature_test.go.
	if got := computed([]cap.Value{{Name: "fear", Value: "love is not enough"}, {Name: "name", Value: "garland, briggs"}}); got != fmt.Sprintf("%016x", uint64(5799056148416392346)) {
		t.Errorf("got %s", got)
	}
	b := decode(t, group(strings.Replace(one, `,"fingerprint":"c6eadffa33fcdf37"`, "", 1), strings.Replace(strings.Replace(one, `,"fingerprint":"c6eadffa33fcdf37"`, "", 1), "db1:", "db2:", 1)))
	if b.Alerts[0].Message.Identifier == b.Alerts[1].Message.Identifier {
		t.Error("other labels, the same fingerprint")
	}
}

func TestSeverities(t *testing.T) {
	for word, want := range map[string]cap.Severity{"critical": cap.Severe, "Critical": cap.Severe, "warning": cap.Moderate, "info": cap.Minor, "none": cap.Unknown, "page": cap.Unknown, "": cap.Unknown} {
		if got := decode(t, group(strings.Replace(one, `"critical"`, `"`+word+`"`, 1))).Alerts[0].Message.Infos[0].Severity; got != want {
			t.Errorf("%q: %s, want %s", word, got, want)
		}
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(one, old, new, 1) }
	cases := []struct {
		name, alert, reason string
		ignored             bool
	}{
		{"watchdog", swap("DiskFull", "Watchdog"), "fires always", true},
		{"no name", swap(`"alertname":"DiskFull",`, ""), "alertname is missing", false},
		{"no start", swap("startsAt", "sendsAt"), "startsAt is missing", false},
		{"start without zone", swap("+07:00", ""), "is not a time", false},
		{"a status of tomorrow", swap("firing", "pending"), "not firing or resolved", false},
		{"a label that is a number", swap(`"critical"`, "1"), "labels.severity is not a string", false},
		{"a fingerprint with a comma", swap("c6ea", "c6,a"), "fingerprint", false},
		{"label twice", swap(`"severity"`, `"severity":"info","severity"`), "given twice", false},
		{"other letters", swap(`"startsAt"`, `"StartsAt"`), `should be written "startsAt"`, false},
		{"not an object", "7", "not an object", false},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, group(c.alert, one))
			refused := b.Rejected
			if c.ignored {
				refused = b.Ignored
			}
			if len(b.Alerts) != 1 || b.Alerts[0].Index != 1 || len(refused) != 1 || !strings.Contains(refused[0].Reason, c.reason) || !c.ignored && !strings.Contains(refused[0].Reason, "line 2") {
				t.Errorf("got %d alerts, ignored %v, rejected %v; want %q", len(b.Alerts), b.Ignored, b.Rejected, c.reason)
			}
		})
	}
	feedtest.OneBad(t, Format{}, []byte(group(one, "{}")), 1, "line 3")
}

func TestTruncated(t *testing.T) {
	b := decode(t, strings.Replace(group(one), `"version"`, `"truncatedAlerts":12,"version"`, 1))
	if len(b.Alerts) != 1 || len(b.Ignored) != 1 || !strings.Contains(b.Ignored[0].Reason, "12 alerts") {
		t.Errorf("got %+v", b)
	}
}

func TestOtherDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "[]", "{}", group(one) + "x", `{"alerts":[]}`, `{"alerts":[],"status":"firing"}`, `{"alerts":{},"status":"firing","receiver":"x"}`,
		`{"alerts":[],"alerts":[],"status":"firing","receiver":"x"}`, `{"Alerts":[],"alerts":[],"status":"firing","receiver":"x"}`, "<x/>"} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil {
			t.Errorf("%.60q: want an error, got %+v", body, b)
		}
		feedtest.Check(t, b, err)
	}
	if b := decode(t, group()); b.Records() != 0 || len(b.Rejected) != 0 {
		t.Errorf("no alerts: %+v", b)
	}
}

func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob("testdata/seed/*")
	if err != nil || len(files) == 0 {
		f.Fatal("no seeds under testdata/seed")
	}
	for _, file := range files {
		f.Add(feedtest.Read(f, file))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		b, err := Format{}.Decode(body, feedtest.Meta())
		feedtest.Check(t, b, err)
	})
}
