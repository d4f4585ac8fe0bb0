package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/geo/redistest"
	"kentongan/server/wire"
)

// caller is a browser at one server: it keeps the cookies that it is given.
type caller struct {
	t       *testing.T
	cookies map[string]string
}

func (c *caller) ask(at *running, method, path string, body any) (int, map[string]any) {
	c.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	req, err := http.NewRequest(method, "http://"+at.Addr()+path, bytes.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if c.cookies == nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	for name, value := range c.cookies {
		req.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	if c.cookies != nil {
		for _, k := range resp.Cookies() {
			c.cookies[k.Name] = k.Value
		}
	}
	var doc map[string]any
	_ = json.NewDecoder(resp.Body).Decode(&doc)
	return resp.StatusCode, doc
}

// must asks again where the store is too busy, as the answer bids.
func (c *caller) must(at *running, method, path string, body any, want int) map[string]any {
	c.t.Helper()
	var code int
	var doc map[string]any
	eventually(c.t, 5*time.Second, method+" "+path+" is taken", func() bool {
		code, doc = c.ask(at, method, path, body)
		return code != http.StatusServiceUnavailable || want == code
	})
	if code != want {
		c.t.Fatalf("%s %s: %d, want %d: %v", method, path, code, want, doc)
	}
	return doc
}

const newPassword = "tiga ekor kerbau di sawah"

// newPerson makes an account, and signs in with its invitation.
func newPerson(t *testing.T, at *running, login string, roles ...string) (id string, browser *caller) {
	t.Helper()
	grants := []map[string]string{}
	for _, r := range roles {
		grants = append(grants, map[string]string{"role": r})
	}
	made := (&caller{t: t}).must(at, "POST", "/api/v1/users", map[string]any{"login": login, "name": "Sari " + login, "grants": grants}, http.StatusCreated)
	link, err := url.Parse(made["link"].(string))
	if err != nil || link.Host != at.Addr() || link.Path != "/login" {
		t.Fatalf("%v %v", made, err)
	}
	browser = &caller{t: t, cookies: map[string]string{}}
	if me := browser.must(at, "POST", "/api/v1/session", map[string]any{"code": link.Query().Get("code")}, http.StatusOK); fmt.Sprint(me["needs"]) != "[password]" || len(me["rights"].([]any)) != 0 {
		t.Fatalf("%v", me)
	}
	browser.must(at, "POST", "/api/v1/session/password", map[string]any{"new": newPassword}, http.StatusNoContent)
	return made["user"].(map[string]any)["id"].(string), browser
}

// socketLine is a live socket that notes when it heard something last.
type socketLine struct {
	mu    sync.Mutex
	last  time.Time
	heard int
	ended chan error
}

func (c *caller) listen(at *running) *socketLine {
	c.t.Helper()
	var cookies []string
	for name, value := range c.cookies {
		cookies = append(cookies, name+"="+value)
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	conn, _, err := dialer.Dial("ws://"+at.Addr()+"/api/v1/live?format=json", http.Header{"Cookie": {strings.Join(cookies, "; ")}, "Origin": {"http://" + at.Addr()}})
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { _ = conn.Close() })
	if err := conn.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[100,-2,101.5,0],"zoom":11,"layers":["*"]}`)); err != nil {
		c.t.Fatal(err)
	}
	l := &socketLine{ended: make(chan error, 1)}
	go func() {
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				l.ended <- err
				return
			}
			l.mu.Lock()
			l.last, l.heard = time.Now(), l.heard+1
			l.mu.Unlock()
		}
	}()
	return l
}

func (l *socketLine) count() int { l.mu.Lock(); defer l.mu.Unlock(); return l.heard }

// gone holds a line to its end within a second of began, with the code, and to silence after it.
func (l *socketLine) gone(t *testing.T, what string, began time.Time, code int) {
	t.Helper()
	select {
	case err := <-l.ended:
		var closed *websocket.CloseError
		if !errors.As(err, &closed) || closed.Code != code {
			t.Errorf("%s: ended with %v, want %d", what, err, code)
		}
	case <-time.After(time.Until(began.Add(3 * time.Second))):
		t.Errorf("%s: still open after 3 s", what)
	}
	if d := time.Since(began); d > aSecond {
		t.Errorf("%s: ended after %s", what, d)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if late := l.last.Sub(began); late > aSecond {
		t.Errorf("%s: a message %s later", what, late)
	}
	t.Logf("%s: ended after %s, last message after %s", what, time.Since(began).Round(time.Millisecond), l.last.Sub(began).Round(time.Millisecond))
}

// stream lets readings come until the test ends.
func stream(t *testing.T, at *running) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	t.Cleanup(func() { cancel(); done.Wait() })
	done.Go(func() {
		for n := 0; ctx.Err() == nil; n++ {
			body := fmt.Sprintf(`{"thing":"t%d","property":"water_level","value":%g,"lat":-0.83,"lng":100.63}`, n%4, 1+float64(n%90)/100)
			req, _ := http.NewRequestWithContext(ctx, "POST", "http://"+at.Addr()+"/api/v1/ingest/awlr", strings.NewReader(body))
			req.Header.Set("Authorization", "Bearer "+token)
			if resp, err := http.DefaultClient.Do(req); err == nil {
				resp.Body.Close()
			}
			time.Sleep(20 * time.Millisecond) // the pace of what is sent, not a wait
		}
	})
}

// What is taken back at one server ends the sockets at both within a second while readings stream: a session, a right, an account; and a secret
// that is another now lets the screen come back.
func TestRevocationEndsSocketsEverywhere(t *testing.T) {
	store := redistest.Private(t).URL()
	alone := several + "sign_in: {second_factor: []}\n"
	a, b := beside(t, "a", store, alone), beside(t, "b", store, alone)
	stream(t, a)
	admin := &caller{t: t}
	id, browser := newPerson(t, a, "sari", "operator")
	_, other := newPerson(t, b, "budi", "operator")
	stays := other.listen(b)
	open := func() [2]*socketLine {
		t.Helper()
		lines := [2]*socketLine{browser.listen(a), browser.listen(b)}
		for _, l := range lines {
			eventually(t, 5*time.Second, "messages stream", func() bool { return l.count() > 3 })
		}
		return lines
	}
	signIn := func() {
		t.Helper()
		browser.must(a, "POST", "/api/v1/session", map[string]any{"login": "sari", "password": newPassword}, http.StatusOK)
	}
	both := func(what string, lines [2]*socketLine, began time.Time, code int) {
		t.Helper()
		lines[0].gone(t, what+", at a", began, code)
		lines[1].gone(t, what+", at b", began, code)
	}

	lines, began := open(), time.Now()
	admin.must(a, "DELETE", "/api/v1/users/"+id+"/sessions", nil, http.StatusNoContent)
	both("an administrator ends the sessions", lines, began, wire.ClosePolicy)
	if code, _ := browser.ask(b, "GET", "/api/v1/session", nil); code != http.StatusUnauthorized {
		t.Errorf("the cookie at b: %d", code)
	}

	signIn()
	lines = open()
	version := admin.must(b, "GET", "/api/v1/users/"+id, nil, http.StatusOK)["version"]
	began = time.Now()
	admin.must(b, "PATCH", "/api/v1/users/"+id, map[string]any{"version": version, "grants": []map[string]string{{"role": "pio"}}}, http.StatusOK)
	both("a right is taken back", lines, began, wire.CloseChanged)
	eventually(t, time.Second, "the rights follow", func() bool {
		code, _ := browser.ask(a, "GET", "/api/v1/feeds", nil)
		return code == http.StatusForbidden
	})

	lines = open()
	began = time.Now()
	browser.must(b, "POST", "/api/v1/session/elevate", map[string]any{"password": newPassword}, http.StatusOK)
	both("another secret", lines, began, wire.CloseChanged)

	lines = open()
	began = time.Now()
	admin.must(a, "POST", "/api/v1/users/"+id+"/disable", nil, http.StatusOK)
	both("the account is shut", lines, began, wire.ClosePolicy)
	if code, _ := browser.ask(b, "POST", "/api/v1/session", map[string]any{"login": "sari", "password": newPassword}); code != http.StatusUnauthorized {
		t.Errorf("a shut account signs in: %d", code)
	}
	select {
	case err := <-stays.ended:
		t.Errorf("somebody else's socket has ended: %v", err)
	default:
	}
}

// A used break-glass account stands in the warnings of every server until it is sealed again. The first link is gone once somebody leads.
func TestBreakGlassIsSeenAndTheFirstLinkGoes(t *testing.T) {
	t.Parallel()
	r := launch(t, "test", settings+"sign_in: {second_factor: []}\n", []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	admin := &caller{t: t}
	if link, err := r.SetupLink(t.Context()); err != nil || link == "" {
		t.Fatal(link, err)
	}
	newPerson(t, r, "admin-1", "admin")
	eventually(t, 2*time.Second, "no first link", func() bool { link, err := r.SetupLink(t.Context()); return err == nil && link == "" })
	if link, err := r.SignInLink(t.Context()); err != nil || link == "" {
		t.Error("a link that is asked for: ", link, err)
	}
	made := admin.must(r, "POST", "/api/v1/users", map[string]any{"login": "amplop", "name": "Amplop", "break_glass": true, "grants": []map[string]string{{"role": "admin"}}}, http.StatusCreated)
	id, code := made["user"].(map[string]any)["id"].(string), made["code"].(string)
	warned := func() bool {
		_, doc := r.ask("GET", "/readyz", "")
		return strings.Contains(fmt.Sprint(doc["warnings"]), "BREAK GLASS")
	}
	if warned() {
		t.Error("a warning before it is used")
	}
	opened := &caller{t: t, cookies: map[string]string{}}
	opened.must(r, "POST", "/api/v1/session", map[string]any{"login": "amplop", "password": strings.ToLower(code)}, http.StatusOK)
	eventually(t, 2*time.Second, "the warning", warned)
	if !strings.Contains(r.log.String(), "BREAK GLASS") {
		t.Error("the log says nothing")
	}
	if status, _ := opened.ask(r, "POST", "/api/v1/users/"+id+"/seal", nil); status != http.StatusForbidden {
		t.Errorf("whoever opened it seals it: %d", status)
	}
	if sealed := admin.must(r, "POST", "/api/v1/users/"+id+"/seal", nil, http.StatusCreated); sealed["code"] == code {
		t.Error("the code is the same")
	}
	eventually(t, 2*time.Second, "no warning", func() bool { return !warned() })
	if status, _ := opened.ask(r, "GET", "/api/v1/session", nil); status != http.StatusUnauthorized {
		t.Errorf("its session goes on: %d", status)
	}
}
