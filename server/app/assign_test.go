package app

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds"
)

// What the house alone says: none of it is taken from a body.
var ours = []string{"role", "roles", "agency", "actor", "id", "lead_agency", "created_by", "simulated", "subject", "status", "version", "grants", "rights", "ROLE", "__proto__"}

// document is what the test reads of the OpenAPI document.
type document struct {
	Paths map[string]map[string]struct {
		RequestBody *struct {
			Content map[string]struct{ Schema schema }
		}
	}
	Components struct{ Schemas map[string]schema }
}

type schema struct {
	Ref                  string `json:"$ref"`
	Type                 any
	Properties           map[string]schema
	Required             []string
	Items                *schema
	Enum                 []any
	MinLength            int
	AdditionalProperties any
}

func (d *document) schema(s schema) schema {
	for s.Ref != "" {
		s = d.Components.Schemas[s.Ref[strings.LastIndexByte(s.Ref, '/')+1:]]
	}
	return s
}

// sample writes what a schema asks for, and no more.
func (d *document) sample(s schema) any {
	s = d.schema(s)
	kind, _ := s.Type.(string)
	switch {
	case len(s.Enum) > 0:
		return s.Enum[0]
	case kind == "object":
		out := map[string]any{}
		for _, name := range s.Required {
			out[name] = d.sample(s.Properties[name])
		}
		return out
	case kind == "array":
		return []any{}
	case kind == "integer", kind == "number":
		return 1
	case kind == "boolean":
		return true
	}
	return strings.Repeat("a", max(1, s.MinLength))
}

// Every body that the running server's document knows is sent once more with each field that the house alone says. It is refused, and the
// answer names the field; below /session, where bodies hold secrets, it is refused without a word of it.
func TestNoBodySaysWhoOrWhatForTheHouse(t *testing.T) {
	needRedis(t)
	h := serve(t, t.TempDir())
	in, err := h.cases.Create(t.Context(), incident.Draft{Type: "flood"}, audit.Actor{Subject: "user:a"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := h.cases.PutReports(t.Context(), []feeds.Report{{ID: "1", Text: "lubang"}}, feeds.Meta{Feed: "lapor"}); err != nil {
		t.Fatal(err)
	}
	var d document
	if status, text := h.send("GET", "/api/openapi.json", "", ""); status != http.StatusOK || json.Unmarshal([]byte(text), &d) != nil {
		t.Fatal(status)
	}
	cookie := h.session()
	tried := map[string]int{}
	for _, path := range slices.Sorted(maps.Keys(d.Paths)) {
		for method, op := range d.Paths[path] {
			if op.RequestBody == nil {
				continue
			}
			method = strings.ToUpper(method)
			media, isJSON := op.RequestBody.Content["application/json"]
			if !isJSON {
				// The bytes of a feed are in the feed's own format; a provider's word that somebody left is a signed form.
				if path != "/api/v1/ingest/{feed}" && path != "/api/v1/session/oidc/logout" {
					t.Errorf("%s %s takes %v, which nobody holds to a schema", method, path, slices.Collect(maps.Keys(op.RequestBody.Content)))
				}
				continue
			}
			shape, inSession := d.schema(media.Schema), strings.HasPrefix(path, "/api/v1/session")
			address := strings.NewReplacer("/incidents/{id}", "/incidents/"+in.ID, "/reports/{id}", "/reports/lapor:1", "{id}", "01JD0000000000000000000000", "{name}", "baru").Replace(path)
			plain, _ := d.sample(shape).(map[string]any)
			for _, field := range ours {
				if _, known := shape.Properties[field]; known {
					continue
				}
				body := maps.Clone(plain)
				if body == nil {
					body = map[string]any{}
				}
				body[field] = "supervisor"
				b, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				who := ""
				if inSession {
					who = cookie
				}
				status, text := h.send(method, address, string(b), who)
				for until := time.Now().Add(20 * time.Second); status == http.StatusTooManyRequests && !inSession && time.Now().Before(until); {
					time.Sleep(20 * time.Millisecond) // the server bounds how fast one asks, and says so
					status, text = h.send(method, address, string(b), who)
				}
				tried[path]++
				switch {
				case inSession && status >= 400 && status < 500:
				case !inSession && (status == http.StatusBadRequest || status == http.StatusUnprocessableEntity) && strings.Contains(text, field):
				default:
					t.Errorf("%s %s with %q: %d %.300s", method, address, field, status, text)
				}
			}
		}
	}
	t.Logf("%d routes with bodies: %v", len(tried), slices.Sorted(maps.Keys(tried)))
	for _, path := range []string{"/api/v1/incidents", "/api/v1/incidents/{id}/transitions", "/api/v1/reports", "/api/v1/keys", "/api/v1/feeds/{name}", "/api/v1/session"} {
		if tried[path] < len(ours)/2 {
			t.Errorf("%s was tried with %d fields", path, tried[path])
		}
	}
	if now, err := h.cases.Incident(t.Context(), in.ID); err != nil || now.Version != 1 {
		t.Errorf("a refused body changed the incident: %+v %v", now, err)
	}
}

// session signs in with the admin token and gives the cookie.
func (r *running) session() string {
	r.t.Helper()
	req, err := http.NewRequest("POST", r.BaseURL()+"/api/v1/session", nil)
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if len(resp.Cookies()) == 0 {
		r.t.Fatalf("signed in with %d and no cookie", resp.StatusCode)
	}
	return resp.Cookies()[0].Name + "=" + resp.Cookies()[0].Value
}

// send asks with a cookie, as a page of ours, or with the admin token.
func (r *running) send(method, path, body, cookie string) (int, string) {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.BaseURL()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		req.Header.Set("Cookie", cookie)
		req.Header.Set("Origin", r.BaseURL())
	} else {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := (&http.Client{Timeout: 30 * time.Second}).Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
