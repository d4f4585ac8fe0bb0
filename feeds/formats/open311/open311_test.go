package open311

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
)

func recorded(t testing.TB) []string { return feedtest.Recorded(t, "open311/*") }

func TestRecorded(t *testing.T) { feedtest.Golden(t, Format{}, recorded(t)) }

func TestContract(t *testing.T) {
	for _, file := range recorded(t) {
		t.Run(filepath.Base(file), func(t *testing.T) { feedtest.Document(t, Format{}, feedtest.Read(t, file)) })
	}
}

func decode(t testing.TB, f feeds.Format, body string) feeds.Batch {
	t.Helper()
	b, err := f.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	good = `{"service_request_id":"14-01","status":"open","service_name":"Jalan rusak","service_code":"7","description":"Lubang di depan pasar","requested_datetime":"2026-11-25T10:58:43+07:00",` +
		`"updated_datetime":"2026-11-25T11:00:00+07:00","address":"Jl. Lembang","lat":-0.83,"long":100.63,"email":"a@example.org","phone":"0812"}`
	goodXML = `<request><service_request_id>14-01</service_request_id><status>open</status><service_name>Jalan rusak</service_name><service_code>7</service_code><description/>` +
		`<requested_datetime>2026-11-25T10:58:43+07:00</requested_datetime><address>Jl. Lembang</address><lat>-0.83</lat><long>100.63</long></request>`
)

func TestRequest(t *testing.T) {
	r := decode(t, Format{}, "["+good+"]").Reports[0]
	if r.ID != "14-01" || r.Channel != "open311" || r.Text != "Lubang di depan pasar" || r.Type != "Jalan rusak" || !r.Placed || r.Position.Lat != -0.83 ||
		r.At.String() != "2026-11-25T03:58:43.000Z" || r.Address != "Jl. Lembang" || r.ReceivedAt.IsZero() {
		t.Errorf("got %+v", r)
	}
	x := decode(t, Format{}, "<service_requests>"+goodXML+"</service_requests>").Reports[0]
	if x.Text != "Jalan rusak" || x.Position != r.Position || x.At != r.At {
		t.Errorf("got %+v", x)
	}
}

// A closure says when, by whom and why; it is of the same request. Lines of an account stay lines.
func TestClosure(t *testing.T) {
	closed := strings.NewReplacer(`"open"`, `"Closed"`, `"address"`, `"status_notes":"Duplicate of 13-99","agency_responsible":"PUPR","address"`, "Lubang di depan pasar", `Lubang\r\ndi depan pasar`).Replace(good)
	r := decode(t, Format{}, "["+closed+"]").Reports[0]
	if r.ID != "14-01" || r.Status != "closed" || r.StatusNotes != "Duplicate of 13-99" || r.Responsible != "PUPR" || r.UpdatedAt.String() != "2026-11-25T04:00:00.000Z" ||
		r.At.String() != "2026-11-25T03:58:43.000Z" || !strings.HasPrefix(r.Text, "Lubang") || !strings.HasSuffix(r.Text, "di depan pasar") {
		t.Errorf("got %+v", r)
	}
	empty := decode(t, Format{}, "<service_requests>"+strings.Replace(goodXML, "<address>", "<updated_datetime/><status_notes></status_notes><address>", 1)+"</service_requests>").Reports[0]
	if !empty.UpdatedAt.IsZero() || empty.StatusNotes != "" || empty.Status != "open" {
		t.Errorf("empty elements: %+v", empty)
	}
}

// Who reported goes beside the report: nothing of it stands in the report, or in what is printed of the batch.
func TestReporterGoesBeside(t *testing.T) {
	who := `"first_name":"Rina","last_name":"Nurhaliza","device_id":"dev-77","account_id":"acc-9"`
	asXML := "<email>rina@example.org</email><phone>0812-3456-7890</phone><first_name>Rina</first_name><last_name>Nurhaliza</last_name><device_id>dev-77</device_id>"
	for _, body := range []string{
		"[" + strings.TrimSuffix(strings.Replace(good, "a@example.org", "rina@example.org", 1), "}") + "," + who + "}]",
		"<service_requests>" + strings.Replace(goodXML, "</request>", asXML+"</request>", 1) + "</service_requests>",
	} {
		b := decode(t, Format{}, body)
		if len(b.Reports) != 1 {
			t.Fatalf("%+v", b)
		}
		want := feeds.Reporter{Name: "Rina Nurhaliza", Phone: map[bool]string{true: "0812", false: "0812-3456-7890"}[body[0] == '['], Email: "rina@example.org", Device: "dev-77"}
		if len(b.Reporters) != 1 || b.Reporters[0] != want {
			t.Errorf("%q %q", b.Reporters[0].Name, b.Reporters[0].Phone)
		}
		whole, err := json.Marshal(b)
		if err != nil || strings.Contains(string(whole), "Rina") {
			t.Errorf("%s %v", whole, err)
		}
		for _, secret := range []string{"rina", "0812", "Nurhaliza", "dev-77", "acc-9"} {
			if said := fmt.Sprintf("%+v", b); strings.Contains(strings.ToLower(said), strings.ToLower(secret)) {
				t.Errorf("%q comes through: %s", secret, said)
			}
		}
	}
}

func TestItems(t *testing.T) {
	swap := func(old, new string) string { return strings.Replace(good, old, new, 1) }
	for _, c := range []struct{ name, item, reason, kind string }{
		{"closed", swap(`"open"`, `"closed"`), "", "placed"},
		{"a token only", swap(`"service_request_id":"14-01"`, `"token":"abc"`), "a token", "ignored"},
		{"neither id nor token", swap(`"service_request_id":"14-01",`, ""), "no service_request_id", "ignored"},
		{"no place, no address", swap(`"address":"Jl. Lembang","lat":-0.83,"long":100.63`, `"address":"","lat":null,"long":null`), "neither place nor address", "ignored"},
		{"0,0 with an address", swap(`-0.83,"long":100.63`, `0.0,"long":0`), "", "unplaced"},
		{"null place with an address", swap(`-0.83,"long":100.63`, `null,"long":null`), "", "unplaced"},
		{"numbers in quotes", swap(`-0.83,"long":100.63`, `"-0.83","long":"100.63"`), "", "placed"},
		{"on the equator", swap(`-0.83`, `0`), "", "placed"},
		{"a number as id", swap(`"14-01"`, `1401`), "", "placed"},
		{"no description", swap(`"Lubang di depan pasar"`, `null`), "", "placed"},
		{"no time", swap(`"2026-11-25T10:58:43+07:00"`, `""`), "", "placed"},
		{"swapped", swap(`-0.83,"long":100.63`, `100.63,"long":-0.83`), "seem swapped", "rejected"},
		{"half a place", swap(`-0.83`, `null`), "one is missing", "rejected"},
		{"a place of words", swap(`-0.83`, `"near"`), `"near" is no number`, "rejected"},
		{"no zone", swap(`+07:00`, ``), "says no offset: set the option zone", "rejected"},
		{"no time at all", swap(`2026-11-25T10:58:43+07:00`, `yesterday`), "requested_datetime", "rejected"},
		{"other letters", swap(`"lat"`, `"Lat"`), `should be written "lat"`, "rejected"},
		{"given twice", swap(`"lat"`, `"lat":1,"lat"`), "given twice", "rejected"},
		{"no object", `7`, "not an object", "rejected"},
		{"no request", `{"a":1}`, "not a service request", "rejected"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := decode(t, Format{}, "["+good+",\n"+c.item+"]")
			var got string
			refused := append(append([]feeds.Refusal{}, b.Ignored...), b.Rejected...)
			switch {
			case len(b.Ignored) == 1:
				got = "ignored"
			case len(b.Rejected) == 1:
				got = "rejected"
			case len(b.Reports) == 2 && b.Reports[1].Placed:
				got = "placed"
			case len(b.Reports) == 2:
				got = "unplaced"
			}
			if got != c.kind {
				t.Fatalf("%s, want %s: %+v", got, c.kind, b)
			}
			if c.reason != "" && (refused[0].Index != 1 || !strings.Contains(refused[0].Reason, c.reason) || got == "rejected" && !strings.Contains(refused[0].Reason, "line 2")) {
				t.Errorf("refused %+v, want %q", refused, c.reason)
			}
		})
	}
}

func TestZone(t *testing.T) {
	f, err := New(map[string]any{"zone": "WIB"})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"2026-11-25T10:58:43", "2026-11-25 10:58:43"} {
		if r := decode(t, f, "["+strings.Replace(good, "2026-11-25T10:58:43+07:00", s, 1)+"]"); len(r.Reports) != 1 || r.Reports[0].At.String() != "2026-11-25T03:58:43.000Z" {
			t.Errorf("got %+v", r)
		}
	}
	for _, bad := range []map[string]any{{"zone": "Moon"}, {"zone": 7}, {"jurisdiction": "x"}} {
		if _, err := New(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
}

func TestXML(t *testing.T) {
	wrap := func(s ...string) string {
		return "<service_requests>\n" + strings.Join(s, "\n") + "</service_requests>"
	}
	for name, c := range map[string]struct{ item, reason string }{
		"given twice":     {strings.Replace(goodXML, "<status>", "<status>closed</status><status>", 1), "<status> is given twice"},
		"not a request":   {"<service/>", "<service> is no <request>"},
		"elements inside": {strings.Replace(goodXML, "<address>", "<address><street/>", 1), "<address> holds elements"},
		"no number":       {strings.Replace(goodXML, "-0.83", "0x1", 1), "<lat>"},
	} {
		t.Run(name, func(t *testing.T) {
			feedtest.OneBad(t, Format{}, []byte(wrap(goodXML, c.item)), 1, c.reason, "line 3")
		})
	}
	if b := decode(t, Format{}, wrap(strings.Replace(strings.Replace(goodXML, "-0.83", "0.0", 1), "100.63", "0.0", 1))); len(b.Reports) != 1 || b.Reports[0].Placed {
		t.Errorf("0.0 stands for unknown: %+v", b)
	}
}

func TestDocuments(t *testing.T) {
	for _, body := range []string{"", "null", "{}", `{"a":[]}`, good, "[" + good, "[" + good + "]x", `[1,2]`, `[{"a":1}]`, `[{"code":403,"description":"no"}]`, "<rss/>", "<errors><error><code>403</code></error></errors>",
		"<service_requests>", `<!DOCTYPE a><service_requests/>`, `<service_requests xmlns="urn:x"/>`, "<service_requests/><a/>"} {
		b, err := Format{}.Decode([]byte(body), feedtest.Meta())
		if err == nil && len(b.Rejected) == 0 {
			t.Errorf("%.60q was taken: %+v", body, b)
		}
		if b.Records() > 0 {
			t.Errorf("%.60q: records", body)
		}
		feedtest.Check(t, b, err)
	}
	for _, quiet := range []string{"[]", "<service_requests/>"} {
		if b := decode(t, Format{}, quiet); b.Records()+len(b.Ignored)+len(b.Rejected) > 0 {
			t.Errorf("%s: %+v", quiet, b)
		}
	}
	if b := decode(t, Format{}, "["+strings.Replace(good, "Lubang", strings.Repeat("é", maxProse), 1)+"]"); len(b.Reports) != 1 || len(b.Reports[0].Text) > maxProse {
		t.Error("a long account was lost")
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
		for _, r := range b.Reports {
			if r.ID == "" || r.Text == "" || !r.Placed && r.Address == "" || r.Placed && r.Position.Validate() != nil {
				t.Errorf("a report without its parts: %+v", r)
			}
		}
	})
}
