//go:build !race

package app

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kentongan/alerts/audit"
	"kentongan/alerts/incident"
	"kentongan/feeds/cap"
	"kentongan/server/auth"
)

const matrixSettings = `
listen: 127.0.0.1:0
mqtt_listen: 127.0.0.1:0
profile: solok
trusted_proxies: [127.0.0.1]
feeds:
  - {name: awlr, format: native, transport: push, kind: river_gauge}
  - {name: kota, format: native, transport: push, kind: unit, agency: bpbd}
  - {name: damkar, format: native, transport: push, kind: unit, agency: damkar}
  - {name: gauge, format: native, transport: mqtt, topic: "gauge/+/up", kind: river_gauge, agency: bpbd}
  - {name: pump, format: native, transport: mqtt, topic: "pump/+/up", kind: river_gauge, agency: damkar}
`

// whom is one subject of the table: what it carries, and who it is.
type whom struct {
	name    string
	person  string // id of the account
	header  http.Header
	session bool // by a cookie of an account
	subject string
	end     func() // takes back what it carries
}

// cast is the running house with everybody and everything in it that the table names.
type cast struct {
	*running
	t        *testing.T
	subjects map[string]*whom
	proposer *whom // of changes that others decide
	incident map[string]incident.Incident
	report   map[string]string
	count    atomic.Int64
	address  atomic.Int64
}

// answered is what the house said.
type answered struct {
	code     int
	body     string
	doc      map[string]any
	location string
}

// try asks as a subject. What a busy store did not answer tells nothing of rights: it is asked again, as the answer says.
func (c *cast) try(who *whom, method, path, body string) answered {
	got := c.once(who, method, path, body)
	for n := 0; n < 3 && method == "GET" && got.code == http.StatusServiceUnavailable && strings.Contains(got.body, "the store does not answer"); n++ {
		got = c.once(who, method, path, body)
	}
	return got
}

func (c *cast) once(who *whom, method, path, body string) answered {
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	req, err := http.NewRequest(method, "http://"+c.Addr()+path, from)
	if err != nil {
		panic(err) // a fault of routes.tsv
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	n := c.address.Add(1) // failed tries and paces are counted by address: everybody has their own
	req.Header.Set("X-Forwarded-For", fmt.Sprintf("10.%d.%d.%d", n>>16&255, n>>8&255, n&255))
	for k, v := range who.header {
		req.Header[k] = v
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return answered{body: err.Error()}
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return answered{body: err.Error()}
	}
	out := answered{code: resp.StatusCode, body: string(text), location: resp.Header.Get("Location")}
	_ = json.Unmarshal(text, &out.doc)
	for _, k := range resp.Cookies() {
		if out.doc == nil {
			out.doc = map[string]any{}
		}
		out.doc["cookie"] = k.Name + "=" + k.Value
	}
	return out
}

// must asks and ends the test where the answer is another.
func (c *cast) must(who *whom, method, path string, body any, want ...int) map[string]any {
	c.t.Helper()
	var text bytes.Buffer
	if body != nil {
		if err := json.NewEncoder(&text).Encode(body); err != nil {
			c.t.Fatal(err)
		}
	}
	got := c.try(who, method, path, text.String())
	if !slices.Contains(want, got.code) {
		c.t.Fatalf("%s: %s %s %s: %d %s", who.name, method, path, text.String(), got.code, got.body)
	}
	return got.doc
}

func bearer(name, secret string) *whom {
	return &whom{name: name, header: http.Header{"Authorization": {"Bearer " + secret}}}
}

func (c *cast) carrying(name, cookie string) *whom {
	return &whom{name: name, header: http.Header{"Cookie": {cookie}, "Origin": {"http://" + c.Addr()}}}
}

type grants = []map[string]any

// account makes one through the doors that people use: an administrator makes it, its invitation opens it, a password and a second factor
// are set up, and where roles wait for a second person one approves.
func (c *cast) account(admin, approver *whom, name, unit string, factor bool, roles grants) *whom {
	c.t.Helper()
	login := strings.NewReplacer("@", "-opd").Replace(name)
	body := map[string]any{"login": login, "name": login, "grants": roles}
	if unit != "" {
		body["unit"] = unit
	}
	made := c.must(admin, "POST", "/api/v1/users", body, http.StatusCreated)
	link, err := url.Parse(made["link"].(string))
	if err != nil {
		c.t.Fatal(err)
	}
	if change, waits := made["change"].(map[string]any); waits {
		c.must(approver, "POST", fmt.Sprintf("/api/v1/changes/%v/approve", change["id"]), map[string]any{}, http.StatusOK)
	}
	id := made["user"].(map[string]any)["id"].(string)
	who := c.carrying(name, "")
	who.carries(c.must(who, "POST", "/api/v1/session", map[string]any{"code": link.Query().Get("code")}, http.StatusOK))
	who.carries(c.must(who, "POST", "/api/v1/session/password", map[string]any{"new": newPassword}, http.StatusNoContent))
	if factor {
		begun := c.must(who, "POST", "/api/v1/session/totp", map[string]any{}, http.StatusOK)
		code, err := totp.GenerateCode(begun["secret"].(string), time.Now())
		if err != nil {
			c.t.Fatal(err)
		}
		who.carries(c.must(who, "POST", "/api/v1/session/totp", map[string]any{"code": code}, http.StatusOK))
	}
	return c.seat(name, id)
}

// carries keeps the cookie that an answer has set.
func (w *whom) carries(doc map[string]any) {
	if cookie, ok := doc["cookie"].(string); ok {
		w.header.Set("Cookie", cookie)
	}
}

// seat opens another session of an account, of somebody who has just shown who they are.
func (c *cast) seat(name, id string) *whom {
	c.t.Helper()
	p, err := c.people.Get(c.t.Context(), id)
	if err != nil {
		c.t.Fatal(err)
	}
	r := httptest.NewRequest("POST", "http://"+c.Addr()+"/api/v1/session", nil)
	o := auth.Opening{Elevated: true}
	if p.TOTP != nil {
		o = auth.Opening{Factor: "totp"}
	}
	_, secret, err := c.auth.OpenFor(c.t.Context(), r, p, "by password", o)
	if err != nil {
		c.t.Fatal(err)
	}
	cookie := c.auth.Cookie(r, secret)
	who := c.carrying(name, cookie.Name+"="+cookie.Value)
	who.person, who.session, who.subject = id, true, "user:"+id
	who.end = func() {
		c.must(c.subjects["token"], "DELETE", "/api/v1/users/"+id+"/sessions", nil, http.StatusNoContent)
	}
	return who
}

// admit lets a device in by a token.
func (c *cast) admit(name string, grant map[string]any) *whom {
	c.t.Helper()
	made := c.must(c.subjects["token"], "POST", "/api/v1/devices", grant, http.StatusCreated)
	who := c.carrying(name, "")
	who.carries(c.must(who, "POST", "/api/v1/session/device", map[string]any{"token": made["token"]}, http.StatusOK))
	who.end = func() {
		c.must(c.subjects["token"], "DELETE", fmt.Sprintf("/api/v1/devices/%v", made["id"]), nil, http.StatusNoContent)
	}
	return who
}

func (c *cast) key(name string, of map[string]any) *whom {
	c.t.Helper()
	of["name"] = name
	made := c.must(c.subjects["token"], "POST", "/api/v1/keys", of, http.StatusCreated)
	who := bearer(name, made["token"].(string))
	who.subject = fmt.Sprintf("key:%v", made["id"])
	who.end = func() {
		c.must(c.subjects["token"], "DELETE", fmt.Sprintf("/api/v1/keys/%v", made["id"]), nil, http.StatusNoContent)
	}
	return who
}

// secretType is restricted while the matrix runs: the types that always are cannot be opened.
const secretType = "tourism"

// kanari begins every word that only who sees a thing whole may read; the places of incidents are unlike any other.
const kanari = "kanari"

// place of the objects: Kubung, and Gunung Talang.
var place = map[string][2]float64{"own": {100.63111, -0.83111}, "support": {100.63222, -0.83222}, "other": {100.63333, -0.83333}, "grave own": {100.63444, -0.83444},
	"grave other": {100.63555, -0.83555}, "far": {100.62111, -0.97111}, "restricted": {100.63666, -0.83666}}

var typeOf = map[string]string{"own": "flood", "support": "wildfire", "other": "fire_building", "grave own": "flood", "grave other": "fire_building", "far": "flood", "restricted": secretType}

var opener = audit.Actor{Subject: "user:pembuka"}

// open opens an incident of an object of the table.
func (c *cast) open(object string, severity cap.Severity) incident.Incident {
	at := place[object]
	one, err := c.cases.Create(c.t.Context(), incident.Draft{Type: typeOf[object], Title: kanari + " " + object, Severity: severity, Lng: &at[0], Lat: &at[1], Note: kanari + " catatan"}, opener)
	if err != nil {
		panic(err)
	}
	return one
}

// secret is a row of incident.Types, restricted or not. The test that does it runs alone.
func secret(hidden bool) {
	i := slices.IndexFunc(incident.Types, func(one incident.Type) bool { return one.Code == secretType })
	incident.Types[i].Restricted = hidden
}

// newCast fills a house.
func newCast(t *testing.T) *cast {
	t.Helper()
	needRedis(t)
	c := &cast{running: launch(t, "test", matrixSettings, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()}), t: t, subjects: map[string]*whom{}, incident: map[string]incident.Incident{}, report: map[string]string{}}
	add := func(w *whom) *whom { c.subjects[w.name] = w; return w }
	tok := bearer("token", token)
	tok.subject = "token:admin"
	add(tok)
	add(&whom{name: "anonymous", header: http.Header{}})

	// The first administrator comes in by the link that the first start prints.
	link, err := c.SetupLink(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	first, err := url.Parse(link)
	if err != nil {
		t.Fatal(err)
	}
	founder := c.carrying("founder", "")
	founder.carries(c.must(founder, "POST", "/api/v1/session", map[string]any{"code": first.Query().Get("code")}, http.StatusOK))
	as := func(role, agency string, more ...any) map[string]any {
		g := map[string]any{"role": role}
		if agency != "" {
			g["agency"] = agency
		}
		for i := 0; i+1 < len(more); i += 2 {
			g[more[i].(string)] = more[i+1]
		}
		return g
	}
	plain := []string{"calltaker", "operator", "pio", "dispatcher", "leader", "auditor", "supervisor"}
	until := time.Now().Add(4 * time.Second)
	expired := c.account(founder, nil, "expired", "", false, grants{as("operator", "", "until", until.UTC().Format(time.RFC3339))})
	add(expired)
	disabled := add(c.account(founder, nil, "disabled", "", false, grants{as("operator", "")}))
	add(c.account(founder, nil, "two", "", false, grants{as("operator", ""), as("liaison", "bpbd")}))
	add(c.account(founder, nil, "elsewhere", "", false, grants{as("operator", "", "areas", []string{"Gunung Talang"})}))
	add(c.account(founder, nil, "othertype", "", false, grants{as("operator", "", "types", []string{"fire_building"})}))
	add(c.account(founder, nil, "liaison@", "", false, grants{as("liaison", "bpbd")}))
	add(c.account(founder, nil, "field@", "bpbd/trc-1", false, grants{as("field", "bpbd")}))
	for _, role := range plain[:6] {
		factor := slices.Contains([]string{"dispatcher", "leader", "auditor"}, role)
		add(c.account(founder, nil, role, "", factor, grants{as(role, "")}))
		add(c.account(founder, nil, role+"@", "", factor, grants{as(role, "bpbd")}))
	}
	// The link is shut once somebody leads. From here on there may be two who approve, and the roles of the next wait for one of them.
	c.proposer = c.account(founder, nil, "proposer", "", true, grants{as("admin", "")})
	approver := c.account(c.proposer, nil, "approver", "", true, grants{as("admin", "")})
	for _, a := range []struct {
		name string
		of   grants
	}{
		{"admin", grants{as("admin", "")}}, {"admin@", grants{as("admin", "bpbd")}}, {"supervisor", grants{as("supervisor", "")}}, {"supervisor@", grants{as("supervisor", "bpbd")}},
		{"dual", grants{as("dispatcher", ""), as("admin", "")}}, {"named", grants{as("supervisor", "", "types", []string{secretType})}},
	} {
		add(c.account(c.proposer, approver, a.name, "", true, a.of))
	}
	add(c.account(c.proposer, approver, "unready", "", false, grants{as("supervisor", "")}))
	c.must(c.proposer, "POST", "/api/v1/users/"+disabled.person+"/disable", nil, http.StatusOK)

	add(c.key("key:ingest", map[string]any{"scope": "ingest", "feed": "kota"}))
	add(c.key("key:agency", map[string]any{"scope": "ingest", "agency": "bpbd"}))
	add(c.key("key:read", map[string]any{"scope": "read"}))
	add(c.key("key:metrics", map[string]any{"scope": "metrics"}))
	add(c.key("key:automation", map[string]any{"scope": "automation"}))
	add(c.admit("wall", map[string]any{"kind": "wall", "name": "Lobi", "screen": "lobi"}))
	add(c.admit("fielddevice", map[string]any{"kind": "field", "name": "Tablet TRC 1", "unit": "bpbd/trc-1"}))

	for feed, body := range map[string]string{
		"awlr": `{"thing":"sensor-1","name":"sensor-1","property":"water_level","value":1.2,"lat":-0.83,"lng":100.63}`,
		"kota": `{"thing":"bpbd/trc-1","name":"regu own","property":"speed","value":1,"lat":-0.8307,"lng":100.6307}` + "\n" +
			`{"record":"report","id":"1","channel":"chat","text":"` + kanari + ` own","lat":-0.8307,"lng":100.6307}`,
		"damkar": `{"thing":"damkar/1","name":"regu other","property":"speed","value":1,"lat":-0.8308,"lng":100.6308}` + "\n" +
			`{"record":"report","id":"1","channel":"chat","text":"` + kanari + ` other","lat":-0.8308,"lng":100.6308}`,
	} {
		if got := c.try(tok, "POST", "/api/v1/ingest/"+feed, body); got.code != http.StatusAccepted {
			t.Fatalf("%s: %d %s", feed, got.code, got.body)
		}
	}
	c.report["own"], c.report["other"] = "kota:1", "damkar:1"
	c.report["house"] = c.call(tok, "house")
	for object, severity := range map[string]cap.Severity{"own": cap.Moderate, "support": cap.Moderate, "other": cap.Moderate, "grave own": cap.Extreme, "grave other": cap.Extreme, "far": cap.Moderate, "restricted": cap.Moderate} {
		c.incident[object] = c.open(object, severity)
	}
	// A grant that has ended shows in the rights.
	eventually(t, 15*time.Second, "a grant ends", func() bool {
		got := c.try(expired, "GET", "/api/v1/session", "")
		rights, _ := got.doc["rights"].([]any)
		return got.code == http.StatusOK && len(rights) == 0 && time.Now().After(until)
	})
	return c
}

// call enters a report that somebody took by telephone.
func (c *cast) call(who *whom, text string) string {
	got := c.try(who, "POST", "/api/v1/reports", `{"channel":"call","text":"`+kanari+` `+text+`","lng":100.6309,"lat":-0.8309,"reporter":{"name":"Pelapor Kanariwan","phone":"0812-7777-4321"}}`)
	if got.code != http.StatusCreated {
		return ""
	}
	return fmt.Sprint(got.doc["id"])
}
