package app

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pquerna/otp/totp"

	"kentongan/server/oidc/oidctest"
)

// handshake asks for a live socket and gives the status of the answer.
func handshake(t *testing.T, addr string, headers ...string) int {
	t.Helper()
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(10 * time.Second))
	fmt.Fprintf(c, "GET /api/v1/live?format=json HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: kentongan.v1\r\n%s\r\n",
		addr, strings.Join(headers, ""))
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode
}

// TestHandshakes asks the running house for a live socket in 36 ways: 12 kinds of Origin, each with a cookie, with a bearer and with nothing.
func TestHandshakes(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, t.TempDir())
	host, port, _ := net.SplitHostPort(r.Addr())
	own := "http://" + r.Addr()
	origin := func(v string) string { return "Origin: " + v + "\r\n" }
	cookie, bearer := "Cookie: "+r.session()+"\r\n", "Authorization: Bearer "+token+"\r\n"
	tried, opened := 0, 0
	for _, c := range []struct {
		name, header           string
		cookie, bearer, nobody int
	}{
		{"exact", origin(own), 101, 101, 401},
		{"another port", origin("http://" + host + ":1"), 403, 403, 401},
		{"no port", origin("http://" + host), 403, 403, 401},
		{"another scheme", origin("https://" + r.Addr()), 403, 403, 401},
		{"a subdomain", origin("http://evil." + r.Addr()), 403, 403, 401},
		{"our name before another's", origin("http://" + host + ".evil.example:" + port), 403, 403, 401},
		{"another site", origin("https://evil.example"), 403, 403, 401},
		{"null", origin("null"), 403, 403, 401},
		{"upper case", origin("HTTP://" + r.Addr()), 403, 403, 401},
		{"two headers", origin(own) + origin("https://evil.example"), 403, 403, 401},
		{"empty", "Origin:\r\n", 403, 403, 401},
		{"missing", "", 403, 101, 401},
	} {
		for who, of := range map[string]struct {
			header string
			want   int
		}{"cookie": {cookie, c.cookie}, "bearer": {bearer, c.bearer}, "nothing": {"", c.nobody}} {
			got := handshake(t, r.Addr(), c.header, of.header)
			if got != of.want {
				t.Errorf("Origin %s with %s: %d, want %d", c.name, who, got, of.want)
			}
			if tried++; got == http.StatusSwitchingProtocols {
				opened++
			}
		}
	}
	if tried != 36 || opened != 3 {
		t.Errorf("%d handshakes, %d opened", tried, opened)
	}
}

// The door for profiles is of this machine, under its own name: a page elsewhere that makes a browser here ask is refused.
func TestDebugDoor(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", settings, []string{"KENTONGAN_DATA_DIR=" + t.TempDir(), "KENTONGAN_DEBUG_LISTEN=127.0.0.1:0"})
	at := regexp.MustCompile(`"addr":"([^"]+)","message":"debug listening"`).FindStringSubmatch(r.log.String())
	if at == nil {
		t.Fatal(r.log)
	}
	_, port, _ := net.SplitHostPort(at[1])
	for host, want := range map[string]int{"localhost:" + port: 200, at[1]: 200, "[::1]:" + port: 200, "evil.example": 403, "rebound.example:" + port: 403, "localhost.evil.example": 403, "192.0.2.1": 403} {
		req, _ := http.NewRequest("GET", "http://"+at[1]+"/metrics", nil)
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("asked as %s: %d, want %d", host, resp.StatusCode, want)
		}
	}
	if code, _ := r.ask("GET", "/debug/pprof/", ""); code != 404 {
		t.Errorf("profiles at the door of everybody: %d", code)
	}
}

// What is answered while there are no routes yet carries the headers too.
func TestHeadersWhileStarting(t *testing.T) {
	a := &App{}
	reason := "store"
	a.reason.Store(&reason)
	for _, path := range []string{"/healthz", "/readyz", "/wall"} {
		w := httptest.NewRecorder()
		a.route(w, httptest.NewRequest("GET", path, nil))
		if h := w.Header(); h.Get("X-Content-Type-Options") != "nosniff" || !strings.Contains(h.Get("Content-Security-Policy"), "default-src 'none'") || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
			t.Errorf("%s: %d %v", path, w.Code, h)
		}
	}
}

// Nothing secret is told: the whole house runs with secrets in every place that has one, and log, metrics, the interface's document, lists and
// error answers are searched for them.
func TestNoSecretIsTold(t *testing.T) {
	t.Parallel()
	needRedis(t)
	idp := oidctest.Start(t)
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
		return path
	}
	feeds := fmt.Sprintf(`  - {name: tarik, format: json, map: ".", transport: poll, url: "https://127.0.0.1:1/x?api_key=rahasia-kueri", allow_private: true, every: 1s, auth: {user: ani, password: rahasia-alamat}, headers: {X-Kunci: rahasia-kepala}}
  - {name: pikul, format: json, map: ".", transport: poll, url: "https://127.0.0.1:1/y", allow_private: true, every: 1s, auth: {bearer_file: %s}}
  - {name: tanda, format: native, transport: push, hmac: {secret: rahasia-tanda-tangan}}
  - {name: lapor, format: open311, transport: push}
rules:`, file("bearer", "rahasia-pembawa"))
	r := launch(t, "test", strings.Replace(settings, "rules:", feeds, 1)+fmt.Sprintf(`
oidc:
  issuer: %s
  client_id: %s
  client_secret_file: %s
  allow_private: true
  roles: [{group: pusdalops, role: operator}]
`, idp.URL, oidctest.ClientID, file("client", oidctest.ClientSecret)), []string{"KENTONGAN_DATA_DIR=" + filepath.Join(dir, "data")})
	secrets := map[string]string{"admin token": token, "feed password": "rahasia-alamat", "query": "rahasia-kueri", "header": "rahasia-kepala", "bearer file": "rahasia-pembawa", "hmac": "rahasia-tanda",
		"client secret": oidctest.ClientSecret, "password": newPassword, "wrong password": "rahasia-salah", "phone": "81277770099", "phone as given": "0812-7777-0099"}
	told, others := strings.Builder{}, strings.Builder{} // everybody; whoever is no administrator
	say := func(c *caller, method, path string, body any) map[string]any {
		code, doc := c.ask(r, method, path, body)
		if text, _ := json.Marshal(doc); code >= 400 || method == "GET" {
			told.Write(text)
			if c.cookies != nil {
				others.Write(text)
			}
		}
		return doc
	}
	admin := &caller{t: t}

	_, sari := newPerson(t, r, "sari", "calltaker")
	sari.must(r, "POST", "/api/v1/session/elevate", map[string]any{"password": newPassword}, 200)
	setup := sari.must(r, "POST", "/api/v1/session/totp", map[string]any{}, 200)
	secrets["totp"] = setup["secret"].(string)
	code, err := totp.GenerateCode(secrets["totp"], time.Now())
	if err != nil {
		t.Fatal(err)
	}
	done := sari.must(r, "POST", "/api/v1/session/totp", map[string]any{"code": code}, 200)
	for i, c := range done["codes"].([]any) {
		secrets[fmt.Sprint("recovery ", i)] = c.(string)
	}
	for name, value := range sari.cookies {
		secrets["cookie "+name] = value
	}
	key := admin.must(r, "POST", "/api/v1/keys", map[string]any{"name": "kunci", "feed": "awlr"}, 201)
	_, secrets["key"], _ = strings.Cut(strings.TrimPrefix(key["token"].(string), "kt_"), "_")
	device := admin.must(r, "POST", "/api/v1/devices", map[string]any{"kind": "wall", "name": "dinding", "screen": "a"}, 201)
	secrets["device token"] = device["token"].(string)
	asked := admin.must(r, "POST", "/api/v1/session/device", map[string]any{"kind": "wall"}, 200)
	secrets["device poll"], secrets["device code"] = asked["poll"].(string), asked["code"].(string)
	report := admin.must(r, "POST", "/api/v1/reports", map[string]any{"channel": "call", "text": "banjir", "lng": 100.63, "lat": -0.83, "reporter": map[string]any{"name": "Kanari", "phone": "0812-7777-0099"}}, 201)

	// Whoever errs hears what was wrong, not what was written.
	stranger := &caller{t: t, cookies: map[string]string{}}
	for _, body := range []any{map[string]any{"login": "sari", "password": "rahasia-salah"}, map[string]any{"login": "sari", "password": newPassword, "x": 1}, map[string]any{"login": "sari", "password": []string{newPassword}},
		map[string]any{"code": "rahasia-salah"}, newPassword} {
		say(stranger, "POST", "/api/v1/session", body)
	}
	say(stranger, "POST", "/api/v1/session/second", map[string]any{"pending": "rahasia-salah", "recovery": secrets["recovery 0"]})
	say(stranger, "POST", "/api/v1/session/device/poll", map[string]any{"poll": "rahasia-salah"})
	say(sari, "POST", "/api/v1/session/password", map[string]any{"old": "rahasia-salah", "new": "x"})
	say(admin, "POST", "/api/v1/keys", map[string]any{"name": "x", "feed": "awlr", "secret": "rahasia-salah"})
	say(admin, "PUT", "/api/v1/feeds/tarik", map[string]any{"config": map[string]any{"name": "tarik", "url": "https://ani:rahasia-alamat@x", "auth": 7}, "version": 1})
	say(admin, "POST", "/api/v1/ingest/tanda", "rahasia-salah")
	for _, path := range []string{"/api/v1/session", "/api/v1/session/list", "/api/v1/session/ways", "/api/v1/keys", "/api/v1/devices", "/api/v1/walls", "/api/v1/users", "/api/v1/feeds", "/api/v1/feeds/tarik", "/api/v1/feeds/pikul", "/api/v1/feeds/tanda",
		"/api/v1/audit", "/api/v1/changes", "/api/v1/reports", "/api/v1/reports/" + report["id"].(string), "/api/v1/reports/" + report["id"].(string) + "/reporter", "/api/v1/privacy/map", "/api/openapi.json", "/readyz", "/api/v1/rules"} {
		say(admin, "GET", path, nil)
		say(sari, "GET", path, nil)
	}
	for until := time.Now().Add(15 * time.Second); !strings.Contains(r.log.String(), `"tarik"`) && time.Now().Before(until); {
		time.Sleep(50 * time.Millisecond)
	}
	if !strings.Contains(r.log.String(), `"tarik"`) {
		t.Error("the feed that cannot be reached is not in the log: the search proves nothing")
	}
	req, _ := http.NewRequest("GET", "http://"+r.Addr()+"/metrics", nil)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	metrics, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if len(metrics) < 1000 || told.Len() < 10_000 {
		t.Errorf("%d bytes of metrics, %d of answers: too few to prove anything", len(metrics), told.Len())
	}
	if err := r.end(); err != nil {
		t.Error(err)
	}
	for what, secret := range secrets {
		if len(secret) < 8 {
			t.Fatalf("%s is %q", what, secret)
		}
		for where, text := range map[string]string{"the log": r.log.String(), "metrics": string(metrics), "an answer": told.String()} {
			if where == "an answer" && what == "query" {
				text = others.String() // whoever may change feeds reads the whole address; see deploy/SECURITY.md
			}
			if at := strings.Index(text, secret); at >= 0 {
				t.Errorf("%s stands in %s: …%.200s", what, where, text[max(0, at-100):])
			}
		}
	}
	t.Logf("%d secrets searched in %d bytes of log, %d of metrics, %d of answers", len(secrets), len(r.log.String()), len(metrics), told.Len())
}
