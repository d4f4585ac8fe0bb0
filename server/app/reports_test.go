package app

import (
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const inlets = `
listen: 127.0.0.1:0
profile: solok
feeds:
  - {name: lapor, format: open311, transport: push, agency: pupr}
  - {name: banjir, format: petabencana, transport: push}
  - {name: warga, format: native, transport: push}
  - {name: ponsel, format: owntracks, transport: push}
  - {name: lacak, format: traccar, transport: push}
  - {name: tim, format: cot, transport: push}
  - {name: angkot, format: native, transport: push, kind: bus}
  - {name: jalan, format: wzdx, transport: push}
  - {name: gdacs, format: georss, transport: push}
  - {name: layanan, format: gtfsrt, transport: push}
  - {name: siri, format: siri, transport: push}
  - {name: sepeda, format: gbfs, transport: push}
`

const callers = `[{"service_request_id":"14-01","status":"%s","service_name":"Jalan rusak","service_code":"7","description":"Lubang di depan pasar",
 "requested_datetime":"2026-11-25T10:58:43+07:00","lat":-0.83,"long":100.63,"email":"rina@example.org","phone":"0812-3456-7890",
 "first_name":"Rina","last_name":"Nurhaliza","device_id":"dev-77-secret","account_id":"acc-99-secret"}]`

const speaker = `{"type":"FeatureCollection","features":[{"type":"Feature","geometry":{"type":"Point","coordinates":[100.63,-0.83]},
 "properties":{"pkey":"77","created_at":"2026-11-25T03:00:00Z","source":"twitter","status":"confirmed","text":"@rina_nurhaliza telp 0812-3456-7890 banjir setinggi lutut"}}]}`

func (r *running) push(feed, body string, want int) map[string]any {
	r.t.Helper()
	status, doc := r.ask("POST", "/api/v1/ingest/"+feed, body)
	if status != 202 || doc["accepted"] != float64(want) {
		r.t.Fatalf("%s: %d %v, want %d accepted", feed, status, doc, want)
	}
	return doc
}

// items of a list.
func (r *running) items(path string) []map[string]any {
	r.t.Helper()
	status, doc := r.ask("GET", path, "")
	if status != 200 {
		r.t.Fatalf("%s: %d %v", path, status, doc)
	}
	var out []map[string]any
	for _, i := range doc["items"].([]any) {
		out = append(out, i.(map[string]any))
	}
	return out
}

// A report goes from the feed's bytes to the list and the live socket; who gave it reaches neither the store nor an answer.
func TestReportsFromFeedToDesk(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := launch(t, "test", inlets, []string{"KENTONGAN_DATA_DIR=" + dir})
	live := r.sit(t)
	r.push("lapor", fmt.Sprintf(callers, "open"), 1)
	heard := []string{live.until(t, `"type":"report"`)}
	again := r.push("lapor", fmt.Sprintf(callers, "open"), 0)
	if again["duplicates"] != 1.0 {
		t.Errorf("again %v", again)
	}
	r.push("banjir", speaker, 1)
	heard = append(heard, live.until(t, `"type":"report"`))
	r.push("lapor", fmt.Sprintf(callers, "closed"), 1)
	if last := live.until(t, `"type":"report"`); !strings.Contains(last, `"status":"closed"`) || !strings.Contains(last, `"revision":2`) {
		t.Errorf("revised: %s", last)
	}
	r.push("warga", `{"record":"report","text":"Tanah retak","channel":"chat","address":"Jorong Guguk"}`, 1)
	list := r.items("/api/v1/reports")
	if len(list) != 3 {
		t.Fatalf("listed %v", list)
	}
	one := list[slices.IndexFunc(list, func(i map[string]any) bool { return i["id"] == "lapor:14-01" })]
	refs := fmt.Sprint(one["external_refs"])
	if one["status"] != "closed" || one["state"] != "new" || one["cell"] == "" || one["area_name"] == "" || refs != "[map[agency:pupr id:14-01]]" {
		t.Errorf("kept as %v", one)
	}
	said := strings.Join(heard, "\n") + fmt.Sprint(list)
	for _, q := range []string{"/api/v1/reports/" + url.PathEscape("lapor:14-01"), "/api/v1/audit", "/api/v1/feeds"} {
		_, doc := r.ask("GET", q, "")
		said += fmt.Sprint(doc)
	}
	for _, key := range r.rdb.Keys(t.Context(), "*").Val() {
		said += key
		if strings.Contains(key, ":raw") || strings.Contains(key, "archive") {
			continue // the bytes as they came are kept apart, for days, for whoever may administer feeds
		}
		value, err := r.rdb.Dump(t.Context(), key).Result()
		if err != nil {
			t.Fatal(err)
		}
		said += value
	}
	for _, secret := range []string{"rina", "Nurhaliza", "08123456", "0812-3456", "0812 3456", "dev-77", "acc-99"} {
		if at := strings.Index(strings.ToLower(said), strings.ToLower(secret)); at >= 0 {
			t.Errorf("%q has come through: …%q…", secret, said[max(0, at-60):min(len(said), at+60)])
		}
	}
}

// seat is a client in the JSON form.
type chair struct{ *websocket.Conn }

func (r *running) sit(t *testing.T) chair {
	t.Helper()
	c, _, err := (&websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}).Dial("ws://"+r.Addr()+"/api/v1/live?format=json",
		map[string][]string{"Authorization": {"Bearer " + token}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-1.5,101.5,0],"zoom":11,"layers":["*"]}`)); err != nil {
		t.Fatal(err)
	}
	s := chair{c}
	s.until(t, `"type":"snapshot"`)
	return s
}

// until gives the next message that holds the words.
func (s chair) until(t *testing.T, words string) string {
	t.Helper()
	for {
		_ = s.SetReadDeadline(time.Now().Add(20 * time.Second))
		_, b, err := s.ReadMessage()
		if err != nil {
			t.Fatalf("waiting for %s: %v", words, err)
		}
		if strings.Contains(string(b), words) {
			return string(b)
		}
	}
}

// Positions of crews are Things of kind unit, whatever format they come in; a feed with a kind makes that of them.
func TestUnitsAreThings(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", inlets, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	now := time.Now().UTC()
	stamp := now.Format(time.RFC3339)
	for feed, body := range map[string]string{
		"ponsel": fmt.Sprintf(`{"_type":"location","tid":"t1","topic":"owntracks/bpbd/trc-1","lat":-0.83,"lon":100.63,"tst":%d}`, now.Unix()),
		"lacak":  fmt.Sprintf(`{"device":{"id":1,"name":"TRC 2","uniqueId":"trc-2"},"position":{"deviceId":1,"fixTime":%q,"latitude":-0.84,"longitude":100.64,"speed":3,"course":90,"valid":true}}`, stamp),
		"tim": fmt.Sprintf(`<event version="2.0" uid="trc-3" type="a-f-G-U-C" how="m-g" time=%[1]q start=%[1]q stale=%[2]q><point lat="-0.85" lon="100.65" hae="0" ce="9" le="9"/>`+
			`<detail><contact callsign="TRC 3"/></detail></event>`, stamp, now.Add(time.Minute).Format(time.RFC3339)),
		"warga":  fmt.Sprintf(`{"record":"position","unit":"trc-4","lat":-0.86,"lng":100.66,"at":%q}`, stamp),
		"angkot": fmt.Sprintf(`{"record":"position","unit":"b-1","lat":-0.87,"lng":100.67,"at":%q}`, stamp),
	} {
		status, doc := r.ask("POST", "/api/v1/ingest/"+feed, body)
		if status/100 != 2 {
			t.Fatalf("%s: %d %v", feed, status, doc)
		}
	}
	want := map[string]string{"ponsel": "unit", "lacak": "unit", "tim": "unit", "warga": "unit"}
	for _, thing := range r.items("/api/v1/things?kind=unit") {
		feed := thing["feed"].(string)
		if thing["kind"] != want[feed] || thing["lng"] == nil || thing["cell"] == "" {
			t.Errorf("%v", thing)
		}
		delete(want, feed)
	}
	if len(want) > 0 {
		t.Errorf("no unit of %v", want)
	}
	if buses := r.items("/api/v1/things?kind=bus"); len(buses) != 1 || buses[0]["id"] != "angkot:b-1" {
		t.Errorf("buses %v", buses)
	}
}

// zone is a WZDx feed with the road events of these ids, each with its date.
func zone(events ...string) string {
	var out []string
	for _, e := range events {
		id, at, _ := strings.Cut(e, "@")
		out = append(out, fmt.Sprintf(`{"id":%q,"type":"Feature","geometry":{"type":"LineString","coordinates":[[100.6,-0.8],[100.61,-0.81]]},"properties":{"core_details":{"event_type":"work-zone",`+
			`"road_names":["Jl. Lintas"],"direction":"northbound","update_date":%q},"start_date":"2026-01-01T00:00:00Z","end_date":"2099-01-01T00:00:00Z","vehicle_impact":"all-lanes-closed"}}`, id, at))
	}
	return `{"type":"FeatureCollection","feed_info":{"publisher":"PUPR","version":"4.2","update_date":"2026-06-01T00:00:00Z","data_sources":[]},"features":[` + strings.Join(out, ",") + `]}`
}

func services(alerts ...string) string {
	var out []string
	for i, text := range alerts {
		out = append(out, fmt.Sprintf(`{"id":"a%d","alert":{"informed_entity":[{"route_id":"r1"}],"header_text":{"translation":[{"text":%q,"language":"id"}]}}}`, i, text))
	}
	return fmt.Sprintf(`{"header":{"gtfs_realtime_version":"2.0","incrementality":"FULL_DATASET","timestamp":%d},"entity":[%s]}`, time.Now().Unix(), strings.Join(out, ","))
}

func bikes(alerts ...string) string {
	var out []string
	for i, text := range alerts {
		out = append(out, fmt.Sprintf(`{"alert_id":"b%d","type":"SYSTEM_CLOSURE","summary":%q}`, i, text))
	}
	return fmt.Sprintf(`{"last_updated":%d,"ttl":60,"version":"2.3","data":{"alerts":[%s]}}`, time.Now().Unix(), strings.Join(out, ","))
}

func disasters(items ...string) string {
	var out []string
	for _, i := range items {
		id, rest, _ := strings.Cut(i, "-")
		episode, at, _ := strings.Cut(rest, "@")
		out = append(out, fmt.Sprintf(`<item><title>Flood</title><pubDate>%[3]s</pubDate><gdacs:eventtype>FL</gdacs:eventtype><gdacs:eventid>%[1]s</gdacs:eventid>`+
			`<gdacs:episodeid>%[2]s</gdacs:episodeid><gdacs:alertlevel>Orange</gdacs:alertlevel><georss:point>-0.8 100.6</georss:point></item>`, id, episode, at))
	}
	return `<rss version="2.0" xmlns:gdacs="http://www.gdacs.org" xmlns:georss="http://www.georss.org/georss"><channel>` + strings.Join(out, "") + `</channel></rss>`
}

func situations(list ...string) string {
	var out []string
	for _, s := range list {
		id, version, _ := strings.Cut(s, "@")
		out = append(out, fmt.Sprintf(`<PtSituationElement><CreationTime>2026-06-01T0%[2]s:00:00Z</CreationTime><ParticipantRef>ORG</ParticipantRef><SituationNumber>%[1]s</SituationNumber><Version>%[2]s</Version>`+
			`<ValidityPeriod><StartTime>2026-01-01T00:00:00Z</StartTime></ValidityPeriod><Summary>v%[2]s</Summary></PtSituationElement>`, id, version))
	}
	return `<Siri xmlns="http://www.siri.org.uk/siri" version="2.0"><ServiceDelivery><ResponseTimestamp>` + time.Now().UTC().Format(time.RFC3339) + `</ResponseTimestamp><SituationExchangeDelivery>` +
		`<Situations>` + strings.Join(out, "") + `</Situations></SituationExchangeDelivery></ServiceDelivery></Siri>`
}

// Versions of one event supersede each other by the producer's key, and what a whole list no longer holds has ended there.
func TestAlertsFollowTheirLists(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", inlets, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	rfc := func(ago time.Duration) string { return time.Now().Add(-ago).UTC().Format(time.RFC3339) }
	rfc822 := func(ago time.Duration) string {
		return time.Now().Add(-ago).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")
	}
	for _, c := range []struct {
		feed                         string
		first, second, third, fourth string // two events; the first in a new version; without the second; the first in its old version
	}{
		{"jalan", zone("w1@"+rfc(3*time.Hour), "w2@"+rfc(3*time.Hour)), zone("w1@"+rfc(time.Hour), "w2@"+rfc(3*time.Hour)), zone("w1@" + rfc(time.Hour)), zone("w1@" + rfc(3*time.Hour))},
		{"layanan", services("Halte tutup", "Jalur dialihkan"), services("Halte tutup sampai Jumat", "Jalur dialihkan"), services("Halte tutup sampai Jumat"), ""},
		{"sepeda", bikes("Tutup", "Pindah"), bikes("Tutup lama", "Pindah"), bikes("Tutup lama"), ""},
		{"gdacs", disasters("1-1@"+rfc822(3*time.Hour), "2-1@"+rfc822(3*time.Hour)), disasters("1-2@"+rfc822(time.Hour), "2-1@"+rfc822(3*time.Hour)),
			disasters("1-2@" + rfc822(time.Hour)), disasters("1-1@" + rfc822(3*time.Hour))},
		{"siri", situations("s1@1", "s2@1"), situations("s1@2", "s2@1"), situations("s1@2"), situations("s1@1")},
	} {
		t.Run(c.feed, func(t *testing.T) {
			states := func() (active, updated, expired int, newest map[string]any) {
				t.Helper()
				for _, a := range r.items("/api/v1/alerts?limit=1000") {
					if fmt.Sprint(a["sources"]) != "["+c.feed+"]" {
						continue
					}
					switch a["state"] {
					case "active":
						active++
						if a["revision"] != 1.0 {
							newest = a
						}
					case "updated":
						updated++
					case "expired":
						expired++
						if a["end_reason"] != "no longer listed by "+c.feed {
							t.Errorf("end_reason %v", a["end_reason"])
						}
					}
				}
				return active, updated, expired, newest
			}
			r.push(c.feed, c.first, 2)
			if active, updated, expired, _ := states(); active != 2 || updated+expired != 0 {
				t.Fatalf("after the first list: %d active, %d updated, %d expired", active, updated, expired)
			}
			r.push(c.feed, c.second, 1)
			active, updated, expired, newest := states()
			if active != 2 || updated != 1 || expired != 0 || newest["revision"] != 2.0 {
				t.Fatalf("after a new version: %d active, %d updated, %d expired, %v", active, updated, expired, newest)
			}
			r.push(c.feed, c.third, 0)
			if active, updated, expired, _ := states(); active != 1 || updated != 1 || expired != 1 {
				t.Fatalf("after the list without one: %d active, %d updated, %d expired", active, updated, expired)
			}
			if c.fourth != "" {
				r.push(c.feed, c.fourth, 0)
				if active, _, _, still := states(); active != 1 || still["id"] != newest["id"] {
					t.Errorf("an older version steps back: %d active, %v", active, still)
				}
			}
		})
	}
}

// A flood of reports holds up no alert. KENTONGAN_FLOOD names another number of reports; the figures are logged.
func TestAFloodOfReports(t *testing.T) {
	n := 2000
	if s := os.Getenv("KENTONGAN_FLOOD"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			t.Fatal(err)
		}
	}
	r := launch(t, "test", inlets, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	var body strings.Builder
	for i := range n {
		fmt.Fprintf(&body, `{"record":"report","id":"r-%d","text":"Air naik di rumah %d","channel":"chat","lat":-0.8,"lng":100.6}`+"\n", i, i)
	}
	done := make(chan time.Duration, 1)
	began := time.Now()
	go func() {
		status, doc := r.ask("POST", "/api/v1/ingest/warga", body.String())
		if status != 202 || doc["accepted"] != float64(n) {
			t.Errorf("%d %v", status, doc)
		}
		done <- time.Since(began)
	}()
	var waits []time.Duration
	for i := 0; ; i++ {
		select {
		case took := <-done:
			slices.Sort(waits)
			if len(waits) == 0 {
				t.Fatal("no alert came beside it")
			}
			p99 := waits[len(waits)*99/100]
			t.Logf("%d reports in %s, %.0f/s; %d alerts beside them: p50 %s, p99 %s", n, took.Round(time.Millisecond), float64(n)/took.Seconds(), len(waits),
				waits[len(waits)/2].Round(time.Millisecond), p99.Round(time.Millisecond))
			if p99 > 5*time.Second {
				t.Errorf("an alert waited %s", p99)
			}
			return
		default:
			at := time.Now()
			r.push("angkot", fmt.Sprintf(`{"record":"alert","identifier":"x-%d","sent":%q,"event":"Uji"}`, i, at.UTC().Format(time.RFC3339)), 1)
			waits = append(waits, time.Since(at))
		}
	}
}
