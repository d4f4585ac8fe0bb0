package app

import (
	"encoding/base64"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/geo/redistest"
)

// as asks with any headers, and gives the status and the body.
func (r *running) as(method, path, body string, headers http.Header) (int, string) {
	r.t.Helper()
	req, err := http.NewRequest(method, "http://"+r.Addr()+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header = headers
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// A key that is revoked at one server opens nothing at the other within a second, and its socket there is closed.
func TestARevokedKeyIsOutAtEveryServer(t *testing.T) {
	store := redistest.Private(t).URL()
	a, b := beside(t, "a", store, several), beside(t, "b", store, several)
	made := map[string]map[string]any{}
	for scope, feed := range map[string]string{"read": "", "ingest": "awlr"} {
		code, doc := a.ask("POST", "/api/v1/keys", `{"name":"`+scope+`","feed":"`+feed+`","scope":"`+scope+`"}`)
		if code != http.StatusCreated {
			t.Fatal(code, doc)
		}
		made[scope] = doc
	}
	bearer := func(scope string) http.Header {
		return http.Header{"Authorization": {"Bearer " + made[scope]["token"].(string)}}
	}
	const reading = `{"thing":"k1","property":"rain","value":1}`
	if code, text := b.as("POST", "/api/v1/ingest/awlr", reading, bearer("ingest")); code != http.StatusAccepted {
		t.Fatal(code, text)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	socket, _, err := dialer.Dial("ws://"+b.Addr()+"/api/v1/live?format=json", bearer("read"))
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	for scope := range made {
		if code, doc := a.ask("DELETE", "/api/v1/keys/"+made[scope]["id"].(string), ""); code != http.StatusNoContent {
			t.Fatal(code, doc)
		}
	}
	revoked := time.Now()
	eventually(t, 5*time.Second, "b refuses the ingest key", func() bool {
		code, _ := b.as("POST", "/api/v1/ingest/awlr", reading, bearer("ingest"))
		return code == http.StatusUnauthorized
	})
	took := time.Since(revoked)
	_ = socket.SetReadDeadline(time.Now().Add(5 * time.Second))
	for err == nil {
		_, _, err = socket.ReadMessage()
	}
	if !websocket.IsCloseError(err, websocket.ClosePolicyViolation) {
		t.Errorf("the socket of a revoked key: %v", err)
	}
	t.Logf("refused %v after the revocation, its socket closed within %v", took.Round(time.Millisecond), time.Since(revoked).Round(time.Millisecond))
	if took > 2*aSecond { // one, and what a busy machine adds
		t.Errorf("refused after %v", took)
	}
}

// A phone in HTTP mode hears what it waits for, and is known by what its headers say.
func TestAPhonePushesAsItsAppDoes(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", strings.Replace(settings, "rules:", "  - {name: phones, format: owntracks, transport: push}\nrules:", 1), []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	code, made := r.ask("POST", "/api/v1/keys", `{"name":"phones of BPBD","feed":"phones"}`)
	if code != http.StatusCreated {
		t.Fatal(code, made)
	}
	phone := http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte("rani:"+made["token"].(string)))},
		"X-Limit-U": {"rani"}, "X-Limit-D": {"hp"}, "Content-Type": {"application/json"}}
	if code, text := r.as("POST", "/api/v1/ingest/phones", `{"_type":"location","tid":"rh","lat":-0.8,"lon":100.6,"tst":1795000000,"batt":80}`, phone); code != 200 || strings.TrimSpace(text) != "[]" {
		t.Errorf("%d %s", code, text)
	}
	if code, text := r.as("POST", "/api/v1/ingest/phones", `{"_type":"location","tid":"rh","lat":99,"lon":100.6,"tst":1795000000}`, phone); code != 422 {
		t.Errorf("%d %s", code, text)
	}
	if code, text := r.as("POST", "/api/v1/ingest/phones", `{"_type":`, phone); code != 400 {
		t.Errorf("%d %s", code, text)
	}
	if code, text := r.as("POST", "/api/v1/ingest/awlr", `{}`, phone); code != 403 {
		t.Errorf("at another feed: %d %s", code, text)
	}
	eventually(t, 5*time.Second, "the phone by its name", func() bool { code, _ := r.ask("GET", "/api/v1/things/phones:rani%2Fhp", ""); return code == 200 })
}
