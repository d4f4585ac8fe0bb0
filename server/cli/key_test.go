package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kentongan/server/config"
)

const adminToken = "0123456789abcdef0123456789abcdef"

func TestKeyAddPrintsTheTokenAlone(t *testing.T) {
	var asked map[string]string
	answer, status := `{"id":"01J","token":"kt_01J_secret"}`, http.StatusCreated
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.Path != "/api/v1/keys" || r.Header.Get("Authorization") != "Bearer "+adminToken {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		asked = nil
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.Header().Set("Location", "http://127.0.0.1:1/")
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	file := filepath.Join(t.TempDir(), "k.yaml")
	if err := os.WriteFile(file, []byte("public_url: "+server.URL+"\nadmin_token: "+adminToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"KENTONGAN_ADMIN_TOKEN=" + adminToken}
	add := func(env []string, args ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := Main(append([]string{"key", "add"}, args...), env, &out, &err)
		return code, out.String(), err.String()
	}
	if code, out, err := add(env, "--name", "gateway", "--feed", "awlr", "--url", server.URL+"/"); code != 0 || out != "kt_01J_secret\n" || err != "" {
		t.Errorf("%d %q %q", code, out, err)
	}
	if asked["name"] != "gateway" || asked["feed"] != "awlr" || asked["scope"] != "ingest" {
		t.Errorf("%v", asked)
	}
	if code, out, err := add(nil, "--config", file, "--name", "prometheus", "--scope", "metrics"); code != 0 || out != "kt_01J_secret\n" {
		t.Errorf("by a file: %d %q %q", code, out, err)
	}
	for _, c := range []struct {
		status      int
		answer, err string
	}{
		{422, `{"title":"Unprocessable Entity","status":422,"detail":"feed: \"x\": no feed has this name"}`, "no feed has this name"},
		{200, `<html>`, "is it Kentongan?"}, {302, ``, "302"}, {201, `{}`, "no key"},
	} {
		status, answer = c.status, c.answer
		if code, out, err := add(env, "--name", "n", "--feed", "x", "--url", server.URL); code != 1 || out != "" || !strings.Contains(err, c.err) {
			t.Errorf("%d: %d %q %q", c.status, code, out, err)
		}
	}
	if code, out, err := add(nil, "--name", "n", "--url", server.URL); code != 1 || out != "" || !strings.Contains(err, "KENTONGAN_ADMIN_TOKEN") {
		t.Errorf("without a token: %d %q %q", code, out, err)
	}
	if code, _, _ := add(env, "--feed", "x"); code != 2 {
		t.Errorf("without a name: %d", code)
	}
}

func TestWhereTheServerIs(t *testing.T) {
	for _, c := range []struct {
		flag, public, listen, cert, want string
		abroad                           bool
	}{
		{"", "", "127.0.0.1:8080", "", "http://127.0.0.1:8080", false},
		{"", "", "0.0.0.0:80", "", "http://127.0.0.1:80", false},
		{"", "", "[::]:80", "c", "https://127.0.0.1:80", false},
		{"", "https://ops.example", ":80", "", "https://ops.example", false},
		{"http://10.0.0.5:1/", "https://ops.example", ":80", "", "http://10.0.0.5:1", true},
		{"", "", ":0", "", "", false},
		{"ops.example", "", ":80", "", "", false},
	} {
		cfg := config.Config{PublicURL: c.public, Listen: c.listen, TLSCert: c.cert}
		u, err := serverURL(c.flag, cfg)
		if (err != nil) != (c.want == "") || err == nil && (u.String() != c.want || plainAbroad(u) != c.abroad) {
			t.Errorf("%+v: %v %v", c, u, err)
		}
	}
}

func TestBoundsOfAKeyAreSent(t *testing.T) {
	var asked map[string]any
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path, asked = r.URL.Path, nil
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.WriteHeader(http.StatusCreated)
		_, _ = w.Write([]byte(`{"token":"kt_01J_secret"}`))
	}))
	defer server.Close()
	run := func(args ...string) {
		t.Helper()
		var out, err bytes.Buffer
		if code := Main(append(append([]string{"key"}, args...), "--url", server.URL), []string{"KENTONGAN_ADMIN_TOKEN=" + adminToken}, &out, &err); code != 0 || out.String() != "kt_01J_secret\n" {
			t.Fatalf("%v: %d %s %s", args, code, &out, &err)
		}
	}
	run("add", "--name", "n", "--agency", "bpbd", "--range", "192.0.2.0/24", "--range", "fd00::/8", "--rate", "600", "--expires", "2160h")
	at, err := time.Parse(time.RFC3339, fmt.Sprint(asked["expires_at"]))
	if left := time.Until(at); err != nil || left < 2159*time.Hour || left > 2160*time.Hour {
		t.Errorf("%v %v", asked["expires_at"], err)
	}
	if path != "/api/v1/keys" || asked["agency"] != "bpbd" || asked["rate"] != 600.0 || fmt.Sprint(asked["ranges"]) != "[192.0.2.0/24 fd00::/8]" || asked["feed"] != "" {
		t.Errorf("%s %v", path, asked)
	}
	run("add", "--name", "n", "--feed", "awlr")
	if len(asked) != 3 {
		t.Errorf("what was not given is sent: %v", asked)
	}
	run("rotate", "01J", "--overlap", "48h")
	if path != "/api/v1/keys/01J/rotate" || asked["overlap"] != "48h0m0s" {
		t.Errorf("%s %v", path, asked)
	}
}
