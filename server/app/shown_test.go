package app

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
	"github.com/gorilla/websocket"

	"kentongan/frontend"
	"kentongan/geo/redistest"
	"kentongan/server/api"
	"kentongan/server/authority"
)

// soon is a second, and what a busy machine adds.
const soon = 2 * aSecond

// secured writes a server's certificate for this machine, and gives who trusts it and the settings that name it.
func secured(t *testing.T) (roots *x509.CertPool, env []string) {
	t.Helper()
	dir := t.TempDir()
	ca, err := authority.Open(dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ca.Server([]string{"localhost"}, []netip.Addr{netip.MustParseAddr("127.0.0.1")}); err != nil {
		t.Fatal(err)
	}
	return ca.Pool(), []string{"KENTONGAN_TLS_CERT=" + filepath.Join(dir, "server.pem"), "KENTONGAN_TLS_KEY=" + filepath.Join(dir, "server.key")}
}

// gateway is a device of the broker with its key.
type gateway struct {
	t     *testing.T
	r     *running
	roots *x509.CertPool
	id    string
	key   *ecdsa.PrivateKey
	pair  *tls.Certificate // nil: none
}

func (g *gateway) request() string {
	g.t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{}, g.key)
	if err != nil {
		g.t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
}

// over asks a server that speaks TLS, and gives the status, the document and the cookies.
func over(t *testing.T, roots *x509.CertPool, r *running, method, path string, doc any, headers ...string) (int, map[string]any, []*http.Cookie) {
	t.Helper()
	text, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(method, "https://"+r.Addr()+path, bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}, DisableKeepAlives: true}, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	var out map[string]any
	_ = json.Unmarshal(b, &out)
	if to := resp.Header.Get("Location"); to != "" {
		out = map[string]any{"location": to}
	}
	return resp.StatusCode, out, resp.Cookies()
}

var asAdmin = []string{"Authorization", "Bearer " + token}

// enrol makes a gateway known by a one-time token and gives it its certificate.
func enrol(t *testing.T, r *running, roots *x509.CertPool, topics ...string) *gateway {
	t.Helper()
	g := &gateway{t: t, r: r, roots: roots}
	var err error
	if g.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	code, doc, _ := over(t, roots, r, "POST", "/api/v1/devices", map[string]any{"kind": "broker", "name": "gateway", "feed": "awlr", "topics": topics}, asAdmin...)
	if code != http.StatusCreated {
		t.Fatal(code, doc)
	}
	code, given, _ := over(t, roots, r, "POST", "/api/v1/session/device", map[string]any{"token": doc["token"], "csr": g.request()})
	if code != http.StatusOK {
		t.Fatal(code, given)
	}
	g.id = fmt.Sprint(given["id"])
	g.carry(fmt.Sprint(given["certificate"]))
	return g
}

func (g *gateway) carry(certificate string) {
	g.t.Helper()
	c, err := authority.ParsePEM([]byte(certificate))
	if err != nil {
		g.t.Fatal(err)
	}
	g.pair = &tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: g.key, Leaf: c}
}

// connect signs in at the broker over TLS by version 5.
func (g *gateway) connect(r *running, say *paho.Connect) (*paho.Client, *paho.Connack, error) {
	g.t.Helper()
	eventually(g.t, 20*time.Second, "the broker listens", func() bool { return r.broker.Addr() != nil })
	cfg := &tls.Config{RootCAs: g.roots, ServerName: "localhost"}
	if g.pair != nil {
		cfg.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return g.pair, nil } // asked for or not
	}
	conn, err := tls.DialWithDialer(&net.Dialer{Timeout: 20 * time.Second}, "tcp", r.broker.Addr().String(), cfg)
	if err != nil {
		return nil, nil, err
	}
	g.t.Cleanup(func() { _ = conn.Close() })
	c := paho.NewClient(paho.ClientConfig{Conn: conn, PacketTimeout: 30 * time.Second})
	say.ClientID, say.CleanStart, say.KeepAlive = "gateway", true, 30
	ctx, cancel := context.WithTimeout(g.t.Context(), slower*30*time.Second)
	defer cancel()
	answer, err := c.Connect(ctx, say)
	return c, answer, err
}

// refused tells what a gateway hears that is not let in: the alert of the handshake, or the reason of the CONNACK.
func (g *gateway) refused(r *running) string {
	g.t.Helper()
	eventually(g.t, 20*time.Second, "the broker listens", func() bool { return r.broker.Addr() != nil })
	conn, err := tls.Dial("tcp", r.broker.Addr().String(), &tls.Config{RootCAs: g.roots, ServerName: "localhost",
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return g.pair, nil }})
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := conn.Write([]byte{0x10, 13, 0, 4, 'M', 'Q', 'T', 'T', 5, 2, 0, 30, 0, 0, 0}); err != nil { // CONNECT, no name, no password
		return err.Error()
	}
	answer := make([]byte, 200)
	n, err := conn.Read(answer)
	return fmt.Sprintf("%q %v", answer[:n], err)
}

func (g *gateway) publish(c *paho.Client, topic string) byte {
	g.t.Helper()
	ctx, cancel := context.WithTimeout(g.t.Context(), slower*30*time.Second)
	defer cancel()
	answer, err := c.Publish(ctx, &paho.Publish{Topic: topic, QoS: 1, Payload: []byte(`{"thing":"dev","property":"water_level","value":1,"lat":-0.83,"lng":100.63}`)})
	if answer == nil {
		g.t.Fatalf("%s: %v", topic, err)
	}
	return answer.ReasonCode
}

// TestGatewaysByCertificate lives a gateway's life at the broker over TLS: enrolled by token, bound to its topics, renewed, removed.
func TestGatewaysByCertificate(t *testing.T) {
	t.Parallel()
	needRedis(t)
	roots, env := secured(t)
	r := launch(t, "test", strings.Replace(publishedTo, `"awlr/+/up"`, `"awlr/#"`, 1), append(env, "KENTONGAN_DATA_DIR="+t.TempDir()))
	g := enrol(t, r, roots, "awlr/7/#")
	c, _, err := g.connect(r, &paho.Connect{})
	if err != nil {
		t.Fatal(err)
	}
	for topic, want := range map[string]byte{"awlr/7/up": 0, "awlr/8/up": 0x87, "siren/7/up": 0x87, "$SYS/x": 0x87} {
		if got := g.publish(c, topic); got != want {
			t.Errorf("%s: %#x, want %#x", topic, got, want)
		}
	}
	if code, doc, _ := over(t, roots, r, "GET", "/api/v1/things/awlr:dev", nil, asAdmin...); code != http.StatusOK {
		t.Errorf("what it brought: %d %v", code, doc)
	}
	_, made, _ := over(t, roots, r, "POST", "/api/v1/keys", map[string]any{"name": "n", "feed": "awlr"}, asAdmin...)
	key := []byte(fmt.Sprint(made["token"]))
	for name, try := range map[string]struct {
		say  paho.Connect
		want string // in the reason; empty: let in
	}{
		"its feed's name":        {paho.Connect{Username: "awlr", UsernameFlag: true}, ""},
		"another feed's name":    {paho.Connect{Username: "siren", UsernameFlag: true}, "another feed"},
		"certificate and key":    {paho.Connect{Username: "awlr", UsernameFlag: true, Password: key, PasswordFlag: true}, ""},
		"a wrong key beside it":  {paho.Connect{Username: "awlr", UsernameFlag: true, Password: []byte("wrong"), PasswordFlag: true}, "bad username or password"},
		"another feed, good key": {paho.Connect{Username: "siren", UsernameFlag: true, Password: key, PasswordFlag: true}, "another feed"},
	} {
		_, answer, err := g.connect(r, &try.say)
		if try.want == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if try.want != "" && (err == nil || answer == nil || answer.Properties == nil || !strings.Contains(answer.Properties.ReasonString, try.want)) {
			t.Errorf("%s: %v %+v", name, err, answer)
		}
	}
	// Whoever has no certificate shows a key, over TLS too; whoever has neither is out.
	none := &gateway{t: t, r: r, roots: roots}
	if c, _, err := none.connect(r, &paho.Connect{Username: "awlr", UsernameFlag: true, Password: key, PasswordFlag: true}); err != nil {
		t.Errorf("a key over TLS: %v", err)
	} else if got := none.publish(c, "awlr/9/up"); got != 0 {
		t.Errorf("a key over TLS publishes: %#x", got)
	}
	if _, _, err := none.connect(r, &paho.Connect{Username: "awlr", UsernameFlag: true}); err == nil {
		t.Error("neither certificate nor key")
	}
	if code, doc, _ := over(t, roots, r, "POST", "/api/v1/session/device", map[string]any{"certificate": string(authority.PEM(g.pair.Leaf)), "csr": g.request()}); code != http.StatusConflict {
		t.Errorf("renewed at once: %d %v", code, doc)
	}
	c, _, err = g.connect(r, &paho.Connect{})
	if err != nil {
		t.Fatal(err)
	}
	removed := time.Now()
	if code, _, _ := over(t, roots, r, "DELETE", "/api/v1/devices/"+g.id, nil, asAdmin...); code != http.StatusNoContent {
		t.Fatal(code)
	}
	select {
	case <-c.Done():
		t.Logf("ended %v after it was removed", time.Since(removed).Round(time.Millisecond))
		if time.Since(removed) > soon {
			t.Error("too late")
		}
	case <-time.After(10 * time.Second):
		t.Error("connected 10 s after it was removed")
	}
	if _, answer, err := g.connect(r, &paho.Connect{}); err == nil || answer == nil || !strings.Contains(answer.Properties.ReasonString, "taken back") {
		t.Errorf("removed: %v %+v", err, answer)
	}
	if code, doc, _ := over(t, roots, r, "GET", "/api/v1/devices", nil, asAdmin...); code != 200 || !strings.Contains(fmt.Sprint(doc), "127.0.0.1") || !strings.Contains(fmt.Sprint(doc), "MQTT 5") {
		t.Errorf("where it was seen: %v", doc)
	}
	seen := known(t, r.rdb)
	for _, pattern := range []string{"kt:device:{J}", "kt:device-change:{J}", "kt:device-seen:{J}", "kt:serial-denied:{J}", "kt:key-uses:{J}:HOUR"} {
		if !seen[pattern] {
			t.Errorf("no key of %s", pattern)
		}
	}
}

// TestCertificatesThatDoNotHold are refused by the handshake, or by name, and the log says why.
func TestCertificatesThatDoNotHold(t *testing.T) {
	t.Parallel()
	needRedis(t)
	roots, env := secured(t)
	r := launch(t, "test", publishedTo, append(env, "KENTONGAN_DATA_DIR="+t.TempDir()))
	g := enrol(t, r, roots)
	dir := filepath.Join(r.cfg.DataDir, "authority")
	at := func(now time.Time, dir, id string) string {
		ca, err := authority.Open(dir, func() time.Time { return now })
		if err != nil {
			t.Fatal(err)
		}
		c, err := ca.Issue([]byte(g.request()), "x", authority.SANs{URI: authority.DeviceURI(id)}, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		return string(authority.PEM(c))
	}
	for name, c := range map[string]struct{ certificate, want string }{
		"expired":           {at(time.Now().Add(-2*time.Hour), dir, g.id), "tls: expired certificate"},
		"not yet valid":     {at(time.Now().Add(2*time.Hour), dir, g.id), "tls: expired certificate"}, // TLS has one word for both
		"another authority": {at(time.Now(), t.TempDir(), g.id), "tls: unknown certificate authority"},
		"of no device":      {at(time.Now(), dir, "01J00000000000000000000000"), "not known"},
		"not the device's":  {at(time.Now(), dir, g.id), "not one of the device's"},
	} {
		g.carry(c.certificate)
		if said := g.refused(r); !strings.Contains(said, c.want) {
			t.Errorf("%s: %s, want %q", name, said, c.want)
		}
	}
	for _, want := range []string{"is after", "is before", "unknown authority", "not known", "not one of the device's"} {
		if !strings.Contains(r.log.String(), want) {
			t.Errorf("the log does not say %q", want)
		}
	}
	if info, err := os.Stat(filepath.Join(dir, "authority.key")); err != nil || info.Mode().Perm() != 0o400 {
		t.Errorf("%v %v", info, err)
	}
}

// TestALeakedKey: it is revoked at one server; the other refuses it over HTTP and MQTT, and ends the MQTT session that it opened.
func TestALeakedKey(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	both := strings.Replace(several, "feeds:", "mqtt_listen: 127.0.0.1:0\nfeeds:\n  - {name: gauge, format: native, transport: mqtt, kind: river_gauge}", 1)
	a, b := beside(t, "a", store, both), beside(t, "b", store, both)
	make := func(feed string) (id, token string) {
		code, doc := a.ask("POST", "/api/v1/keys", `{"name":"leaked","feed":"`+feed+`"}`)
		if code != http.StatusCreated {
			t.Fatal(code, doc)
		}
		return doc["id"].(string), doc["token"].(string)
	}
	pushID, push := make("awlr")
	mqttID, published := make("gauge")
	eventually(t, 20*time.Second, "b's broker listens", func() bool { return b.broker.Addr() != nil })
	connect := func() (*paho.Client, error) {
		conn, err := net.Dial("tcp", b.broker.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		c := paho.NewClient(paho.ClientConfig{Conn: conn, PacketTimeout: 30 * time.Second})
		_, err = c.Connect(t.Context(), &paho.Connect{ClientID: "thief", CleanStart: true, KeepAlive: 30, Username: "gauge", UsernameFlag: true, Password: []byte(published), PasswordFlag: true})
		return c, err
	}
	session, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	bring := func() int {
		code, _ := b.as("POST", "/api/v1/ingest/awlr", `{"thing":"k1","property":"rain","value":1}`, http.Header{"Authorization": {"Bearer " + push}})
		return code
	}
	if code := bring(); code != http.StatusAccepted {
		t.Fatal(code)
	}
	revoked := time.Now()
	for _, id := range []string{pushID, mqttID} {
		if code, doc := a.ask("DELETE", "/api/v1/keys/"+id, ""); code != http.StatusNoContent {
			t.Fatal(code, doc)
		}
	}
	eventually(t, 10*time.Second, "refused over HTTP", func() bool { return bring() == http.StatusUnauthorized })
	overHTTP := time.Since(revoked)
	select {
	case <-session.Done():
	case <-time.After(10 * time.Second):
		t.Fatal("its MQTT session goes on")
	}
	ended := time.Since(revoked)
	if _, err := connect(); err == nil {
		t.Error("it opens another MQTT session")
	}
	t.Logf("at the other server: refused over HTTP after %v, MQTT session ended after %v", overHTTP.Round(time.Millisecond), ended.Round(time.Millisecond))
	if overHTTP > soon || ended > soon {
		t.Error("later than a second")
	}
}

// TestServersOfOneStoreNeedOneAuthority: one with another says so.
func TestServersOfOneStoreNeedOneAuthority(t *testing.T) {
	t.Parallel()
	store := redistest.Private(t).URL()
	r := beside(t, "a", store, several)
	var two []*App // beside it, so that nothing of it is changed while it runs
	for range 2 {
		other := &App{rdb: r.rdb, keys: r.keys, cfg: r.cfg, log: r.App.log}
		if err := other.sameAuthority(t.Context()); err != nil {
			t.Errorf("without any: %v", err)
		}
		other.cfg.DataDir = t.TempDir()
		if err := other.openAuthority(); err != nil {
			t.Fatal(err)
		}
		two = append(two, other)
	}
	a, b := two[0], two[1]
	for range 2 {
		if err := a.sameAuthority(t.Context()); err != nil {
			t.Errorf("the first: %v", err)
		}
		if err := b.sameAuthority(t.Context()); err == nil || !strings.Contains(err.Error(), "data_dir/authority") {
			t.Errorf("another: %v", err)
		}
	}
	known(t, r.rdb)
}

// TestAKeyOfAFeedDoesNothingElse walks every route of the running server, with every method that it takes.
func TestAKeyOfAFeedDoesNothingElse(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, t.TempDir())
	_, doc := r.ask("POST", "/api/v1/keys", `{"name":"n","feed":"awlr"}`)
	key := http.Header{"Authorization": {"Bearer " + fmt.Sprint(doc["token"])}, "Content-Type": {"application/json"}}
	routes, err := api.Routes(frontend.Files(), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	variable := regexp.MustCompile(`{[^}]*}`)
	walked := 0
	for _, route := range routes {
		if route.Public {
			continue
		}
		walked++
		method, path := cmp.Or(route.Method(), "GET"), variable.ReplaceAllString(strings.ReplaceAll(route.Path(), "{$}", ""), "siren")
		code, text := r.as(method, path, "{}", key.Clone())
		if code != http.StatusForbidden && code != http.StatusUnauthorized {
			t.Errorf("%s: %d %.200s", route.Pattern, code, text)
		}
	}
	if walked < 60 {
		t.Errorf("only %d routes were walked", walked)
	}
	t.Logf("%d routes refuse it", walked)
	if code, text := r.as("POST", "/api/v1/ingest/awlr", `{"thing":"k1","property":"rain","value":1}`, key); code != http.StatusAccepted {
		t.Errorf("its own feed: %d %s", code, text)
	}
	for _, path := range []string{"/api/v1/session", "/api/v1/session/device"} { // public ones give it nothing either
		if code, text := r.as("POST", path, "{}", key); code < 400 {
			t.Errorf("%s: %d %s", path, code, text)
		}
	}
}

// TestAWall is let in by code, comes back to its screen, and is out within a second once it is removed.
func TestAWall(t *testing.T) {
	t.Parallel()
	needRedis(t)
	roots, env := secured(t)
	data := t.TempDir()
	r := launch(t, "test", settings, append(env, "KENTONGAN_DATA_DIR="+data))
	code, asked, _ := over(t, roots, r, "POST", "/api/v1/session/device", map[string]any{"kind": "wall", "name": "screen"})
	if code != http.StatusOK {
		t.Fatal(code, asked)
	}
	poll := map[string]any{"poll": asked["poll"]}
	if code, doc, _ := over(t, roots, r, "POST", "/api/v1/session/device/poll", poll); code != http.StatusAccepted {
		t.Fatal(code, doc)
	}
	code, wall, _ := over(t, roots, r, "POST", "/api/v1/devices/approve", map[string]any{"code": asked["code"], "name": "north", "screen": "north-1"}, asAdmin...)
	if code != http.StatusOK {
		t.Fatal(code, wall)
	}
	code, doc, cookies := over(t, roots, r, "POST", "/api/v1/session/device/poll", poll)
	if code != http.StatusOK || len(cookies) != 1 {
		t.Fatal(code, doc, cookies)
	}
	c := cookies[0]
	if c.Name != "__Host-kentongan-enrolled" || !c.Secure || !c.HttpOnly || c.Path != "/" || c.Domain != "" || c.MaxAge != 365*24*3600 || strings.Contains(fmt.Sprint(doc), c.Value) {
		t.Errorf("%+v %v", c, doc)
	}
	cookie := []string{"Cookie", c.Name + "=" + c.Value}
	code, me, renewed := over(t, roots, r, "GET", "/api/v1/session", nil, cookie...)
	if code != 200 || me["screen"] != "north-1" || me["role"] != "wall" || !strings.HasPrefix(fmt.Sprint(me["subject"]), "wall:") || len(renewed) != 1 {
		t.Errorf("%d %v %v", code, me, renewed)
	}
	for path, want := range map[string]string{"/wall?screen=north-1": "", "/wall": "/wall?screen=north-1", "/wall?screen=other&scene=night": "/wall?scene=night&screen=north-1", "/console": "/wall?screen=north-1", "/": "/wall?screen=north-1"} {
		code, doc, _ := over(t, roots, r, "GET", path, nil, cookie...)
		if to, _ := doc["location"].(string); to != want || want == "" && code/100 == 3 {
			t.Errorf("%s: %d to %q, want %q", path, code, to, want)
		}
	}
	origin := "https://" + r.Addr()
	for path, body := range map[string]map[string]any{"/api/v1/incidents": {"type": "flood", "title": "x", "severity": "Minor", "lng": 100.6, "lat": -0.9}, "/api/v1/keys": {"name": "n", "scope": "read"}} {
		if code, doc, _ := over(t, roots, r, "POST", path, body, append(cookie, "Origin", origin)...); code != http.StatusForbidden {
			t.Errorf("a wall writes %s: %d %v", path, code, doc)
		}
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}, TLSClientConfig: &tls.Config{RootCAs: roots}}
	dial := func(origin string) (*websocket.Conn, *http.Response, error) {
		h := http.Header{"Cookie": {c.Name + "=" + c.Value}}
		if origin != "" {
			h.Set("Origin", origin)
		}
		return dialer.Dial("wss://"+r.Addr()+"/api/v1/live?format=json", h)
	}
	for _, foreign := range []string{"", "https://elsewhere.example"} {
		if _, resp, err := dial(foreign); err == nil || resp == nil || resp.StatusCode != http.StatusForbidden {
			t.Errorf("from %q: %v", foreign, err)
		}
	}
	// It survives a restart of the server.
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	r = launch(t, "test", settings, append(env, "KENTONGAN_DATA_DIR="+data))
	origin = "https://" + r.Addr()
	socket, _, err := dial(origin)
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	if _, list, _ := over(t, roots, r, "GET", "/api/v1/walls", nil, asAdmin...); !strings.Contains(fmt.Sprint(list), "127.0.0.1") || !strings.Contains(fmt.Sprint(list), "north-1") {
		t.Errorf("%v", list)
	}
	removed := time.Now()
	if code, doc, _ := over(t, roots, r, "DELETE", "/api/v1/devices/"+fmt.Sprint(wall["id"]), nil, asAdmin...); code != http.StatusNoContent {
		t.Fatal(code, doc)
	}
	_ = socket.SetReadDeadline(time.Now().Add(10 * time.Second))
	for err == nil {
		_, _, err = socket.ReadMessage()
	}
	took := time.Since(removed)
	if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) || took > soon {
		t.Errorf("its socket: %v after %v", err, took)
	}
	t.Logf("its socket ended %v after it was removed", took.Round(time.Millisecond))
	if _, _, err := dial(origin); err == nil {
		t.Error("another socket opens")
	}
	if code, _, _ := over(t, roots, r, "GET", "/api/v1/session", nil, cookie...); code != http.StatusUnauthorized {
		t.Errorf("it is known: %d", code)
	}
}

// TestAKeyThatEndsEndsItsSockets: by its time, with no word of any server.
func TestAKeyThatEndsEndsItsSockets(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := serve(t, t.TempDir())
	end := time.Now().Add(4 * time.Second)
	code, doc := r.ask("POST", "/api/v1/keys", `{"name":"n","scope":"read","expires_at":"`+end.UTC().Format(time.RFC3339Nano)+`"}`)
	if code != http.StatusCreated {
		t.Fatal(code, doc)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	socket, _, err := dialer.Dial("ws://"+r.Addr()+"/api/v1/live?format=json", http.Header{"Authorization": {"Bearer " + fmt.Sprint(doc["token"])}})
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	_ = socket.SetReadDeadline(end.Add(10 * time.Second))
	for err == nil {
		_, _, err = socket.ReadMessage()
	}
	if late := time.Since(end); !websocket.IsCloseError(err, websocket.ClosePolicyViolation) || late > soon || late < -time.Second {
		t.Errorf("%v, %v after its end", err, late)
	}
}
