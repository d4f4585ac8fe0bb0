package api

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/feeds/cap"
	"kentongan/geo"
	"kentongan/server/access"
)

// govern lets the governor of alarms run for a test.
func (h *house) govern() {
	h.t.Helper()
	ctx, cancel := context.WithCancel(h.t.Context())
	done := make(chan error, 1)
	of := func(rule string) alarm.Definition { return alarm.Definition{Type: rule} }
	go func() {
		done <- h.cases.Read(ctx, h.cases.AlarmReader(store.Governing{Options: alarm.Options{Define: of}}))
	}()
	h.t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			h.t.Error(err)
		}
	})
}

// opened opens an incident as a person does, and gives its alarm.
func (h *house) opened(typ, title string, s cap.Severity) alarm.Alarm {
	h.t.Helper()
	lng, lat := 100.63, -0.83
	in, err := h.cases.Create(h.t.Context(), incident.Draft{Type: typ, Title: title, Severity: s, Lng: &lng, Lat: &lat}, audit.Actor{Subject: "user:anna"})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.alarmOf(store.AlarmQuery{Incident: in.ID})
}

func (h *house) alarmOf(q store.AlarmQuery) alarm.Alarm {
	h.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		list, _, err := h.cases.Alarms(h.t.Context(), q)
		if err != nil {
			h.t.Fatal(err)
		}
		if len(list) == 1 && list[0].Presented {
			return list[0]
		}
	}
	h.t.Fatalf("%+v has no alarm", q)
	return alarm.Alarm{}
}

// An alarm of a restricted type is not there for who is not named: not by its id, in no list and search, for no act, in no figure.
func TestAlarmsOfARestrictedType(t *testing.T) {
	const words = "Bu Rina dipukuli"
	h := build(t)
	h.govern()
	rule := rules.Rule{ID: "domestic_violence", Alert: rules.AlertBlock{Event: words, Category: "Safety", Severity: cap.Extreme, Urgency: "Immediate", Certainty: "Observed"}} // the governor above takes its name for its type
	if err := h.cases.Fire(t.Context(), store.Firing{Rule: &rule, Fire: true, At: time.Now(), Since: time.Now(), Thing: &feeds.Thing{ID: "button:7", Feed: "button", Position: geo.Position{Lat: -0.83, Lng: 100.63}, Placed: true}}); err != nil {
		t.Fatal(err)
	}
	a := h.alarmOf(store.AlarmQuery{Thing: "button:7"})
	path := "/api/v1/alarms/" + a.ID
	for name, who := range map[string]asker{
		"operator": h.person("op", "", access.Grant{Role: access.Operator}), "supervisor": h.person("sv", "", access.Grant{Role: access.Supervisor}),
		"another type": h.person("other", "", access.Grant{Role: access.Operator, Types: []string{"corruption_tip"}}),
	} {
		for _, c := range []struct{ method, path, body string }{
			{"GET", path, ""}, {"POST", path + "/acknowledge", `{"version":1}`}, {"POST", path + "/shelve", `{"version":1,"reason":"x","minutes":5}`}, {"POST", path + "/unshelve", `{"version":1}`},
		} {
			w := who(c.method, c.path, c.body)
			if h.want(w, 404); strings.Contains(w.Body.String(), words) {
				t.Errorf("%s: %s %s: %s", name, c.method, c.path, w.Body)
			}
		}
		for _, query := range []string{"", "?state=open", "?type=domestic_violence", "?q=rina", "?thing=button:7"} {
			if list := h.want(who("GET", "/api/v1/alarms"+query, ""), 200)["items"].([]any); len(list) != 0 {
				t.Errorf("%s: %s: %v", name, query, list)
			}
		}
		several := h.want(who("POST", "/api/v1/alarms/acknowledge", fmt.Sprintf(`{"ids":[%q,"nosuch"]}`, a.ID)), 200)
		refused := several["refused"].([]any)
		one, none := refused[0].(map[string]any)["reason"].(string), refused[1].(map[string]any)["reason"].(string)
		if len(several["items"].([]any)) != 0 || strings.ReplaceAll(one, a.ID, "nosuch") != none {
			t.Errorf("%s: it says that it is there: %v", name, several)
		}
	}
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		w := h.admin("GET", "/api/v1/alarms/health", "")
		if strings.Contains(w.Body.String(), words) || strings.Contains(w.Body.String(), "domestic") {
			t.Fatalf("the figures name it: %s", w.Body)
		}
		if w.Code == 200 && h.want(w, 200)["house"].(map[string]any)["raised_24h"] == 1.0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("it is not counted: %s", w.Body)
		}
	}
	named := h.person("named", "", access.Grant{Role: access.Operator, Types: []string{"domestic_violence"}})
	if got := h.want(named("GET", path, ""), 200); got["event"] != words {
		t.Errorf("%v", got)
	}
	if got := h.want(named("POST", path+"/acknowledge", fmt.Sprintf(`{"version":%d}`, a.Version)), 200); got["state"] != "acknowledged" {
		t.Errorf("%v", got)
	}
}

// The alarm of an incident that a person opened says no more than the incident does to the same reader.
func TestWordsOfAPersonInAlarms(t *testing.T) {
	const words = "Rumah Pak Ahmad"
	h := build(t)
	h.govern()
	a := h.opened("fire_building", words, cap.Extreme)
	path := "/api/v1/alarms/" + a.ID
	_, read := h.key(`{"name":"dashboard","scope":"read"}`)
	whole := h.person("op", "", access.Grant{Role: access.Operator})
	if got := h.want(whole("POST", path+"/acknowledge", fmt.Sprintf(`{"version":%d,"note":"kata Bu Sari"}`, a.Version)), 200); got["event"] != words || got["ack"].(map[string]any)["note"] != "kata Bu Sari" {
		t.Errorf("%v", got)
	}
	program := func(method, path, body string) *httptest.ResponseRecorder {
		return h.ask(method, path, body, bearer(read)...)
	}
	for name, who := range map[string]asker{"a program that reads": program, "another agency": h.person("liaison", "", access.Grant{Role: access.Liaison, Agency: "pupr"}),
		"who leads": h.person("damkar", "", access.Grant{Role: access.Liaison, Agency: "damkar"}), "auditor": h.person("auditor", "", access.Grant{Role: access.Auditor})} {
		w := who("GET", path, "")
		got := h.want(w, 200)
		if got["event"] != "kebakaran bangunan" || got["lat"] == -0.83 || got["state"] == "raised" || strings.Contains(w.Body.String(), "Sari") || strings.Contains(w.Body.String(), "user:") || strings.Contains(w.Body.String(), "-0.83,") {
			t.Errorf("%s: %s", name, w.Body)
		}
		for query, want := range map[string]int{"?q=ahmad": 0, "?q=kebakaran": 1, "?agency=damkar": 1, "?agency=pupr": 0, "?agency=nobody": 0} {
			if list := h.want(who("GET", "/api/v1/alarms"+query, ""), 200)["items"].([]any); len(list) != want {
				t.Errorf("%s: %s finds %d, want %d", name, query, len(list), want)
			}
		}
	}
	configures := h.person("admin", "", access.Grant{Role: access.Admin}) // who sees no incident sees none in an alarm
	h.want(configures("GET", path, ""), 404)
	elsewhere := h.person("talang", "", access.Grant{Role: access.Operator, Areas: []string{"Gunung Talang"}})
	h.want(elsewhere("GET", path, ""), 404)
	h.want(elsewhere("POST", path+"/acknowledge", `{"version":2}`), 404)
	agency := h.person("op-pupr", "", access.Grant{Role: access.Operator, Agency: "pupr"})
	if w := agency("POST", path+"/acknowledge", `{"version":1}`); w.Code != 409 || strings.Contains(w.Body.String(), words) || strings.Contains(w.Body.String(), "Sari") {
		t.Errorf("a late act brings what is not seen otherwise: %d %s", w.Code, w.Body)
	}
}

func TestShelvingOverHTTP(t *testing.T) {
	h := build(t, func(_ *house, d *Deps) { d.Alarms = alarm.DefaultConfig() })
	h.govern()
	a := h.opened("flood", "Banjir", cap.Unknown)
	path := "/api/v1/alarms/" + a.ID + "/shelve"
	who := h.person("op", "", access.Grant{Role: access.Operator})
	for _, c := range []struct{ name, body, at string }{
		{"for years", `{"version":1,"reason":"x","minutes":153722867280913}`, "body.minutes"}, // nanoseconds wrap
		{"for longer than it may", `{"version":1,"reason":"x","minutes":481}`, "body.until"},
		{"into the past", fmt.Sprintf(`{"version":1,"reason":"x","until":%q}`, in(-time.Hour)), "body.until"},
		{"without a word", `{"version":1,"reason":"  ","minutes":5}`, "body.reason"},
		{"neither", `{"version":1,"reason":"x"}`, "body.until"},
		{"of no version", `{"reason":"x","minutes":5}`, "body.version"},
	} {
		if got := places(h.want(who("POST", path, c.body), 422)); got != c.at {
			t.Errorf("%s: at %s, want %s", c.name, got, c.at)
		}
	}
	if got := h.want(who("POST", path, `{"version":1,"reason":"perbaikan","minutes":5}`), 200); got["state"] != "shelved" || !slices.Equal(got["allowed"].([]any), []any{"unshelve"}) {
		t.Errorf("%v", got)
	}
	grave := h.opened("fire_building", "Kebakaran", cap.Extreme)
	h.want(who("POST", "/api/v1/alarms/"+grave.ID+"/shelve", `{"version":1,"reason":"x","minutes":5}`), 403)
	h.want(h.person("sv", "", access.Grant{Role: access.Supervisor})("POST", "/api/v1/alarms/"+grave.ID+"/shelve", `{"version":1,"reason":"x","minutes":60}`), 200)
}

func TestMutingIsBoundedAndLogged(t *testing.T) {
	h := build(t, func(h *house, d *Deps) { d.Privacy = &Privacy{Record: h.cases.Record} })
	who := h.person("op", "", access.Grant{Role: access.Operator})
	if got := places(h.want(who("POST", "/api/v1/alarms/mute", `{"minutes":11}`), 422)); got != "body.minutes" {
		t.Errorf("at %s", got)
	}
	if got := h.want(who("POST", "/api/v1/alarms/mute", `{"minutes":10}`), 200); got["until"] == nil {
		t.Errorf("%v", got)
	}
	if got := h.want(who("POST", "/api/v1/alarms/mute", `{"minutes":0}`), 200); got["until"] != nil {
		t.Errorf("%v", got)
	}
	h.want(h.person("auditor", "", access.Grant{Role: access.Auditor})("POST", "/api/v1/alarms/mute", `{"minutes":1}`), 403)
	var log []string
	for _, r := range h.want(h.admin("GET", "/api/v1/audit", ""), 200)["items"].([]any) {
		if r := r.(map[string]any); strings.HasPrefix(r["action"].(string), "alarms.") {
			log = append(log, fmt.Sprint(r["action"], " ", r["object"], " ", r["reason"]))
		}
	}
	if want := []string{"alarms.sound desk:none ", "alarms.muted desk:none 10 min"}; !slices.Equal(log, want) {
		t.Errorf("the log has %q, want %q", log, want)
	}
}
