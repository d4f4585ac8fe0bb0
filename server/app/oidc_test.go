package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"kentongan/server/oidc/oidctest"
)

// Somebody signs in at a provider through redirects, opens a live socket, and is signed out there: the socket ends within a second.
func TestALogoutAtTheProviderEndsALiveSocket(t *testing.T) {
	t.Parallel()
	needRedis(t)
	idp := oidctest.Start(t)
	idp.Down(true) // the house starts without it
	file := filepath.Join(t.TempDir(), "client")
	if err := os.WriteFile(file, []byte(oidctest.ClientSecret), 0o400); err != nil {
		t.Fatal(err)
	}
	r := launch(t, "test", settings+fmt.Sprintf(`
oidc:
  issuer: %s
  client_id: %s
  client_secret_file: %s
  scopes: [profile, groups]
  allow_private: true
  roles:
    - {group: pusdalops, role: operator}
`, idp.URL, oidctest.ClientID, file), []string{"KENTONGAN_DATA_DIR=" + filepath.Join(t.TempDir(), "data")})
	base := "http://" + r.Addr()
	idp.RedirectURIs = []string{base + "/api/v1/session/oidc/callback"}
	idp.Down(false)
	idp.SignIn(oidctest.User{Subject: "s-1", Login: "sari", Name: "Sari Dewi", Groups: []string{"pusdalops"}, SID: "sid-1"})

	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	answer, err := client.Get(base + "/api/v1/session/oidc/start?next=/api/v1/session")
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	var me struct{ Name, Role string }
	if err := json.Unmarshal(text, &me); err != nil || me.Name != "Sari Dewi" || me.Role != "operator" {
		t.Fatalf("led to %s: %s", answer.Request.URL, text)
	}
	var header http.Header
	for _, c := range jar.Cookies(answer.Request.URL) {
		if c.Name == "kentongan" {
			header = http.Header{"Cookie": {c.Name + "=" + c.Value}, "Origin": {base}}
		}
	}
	dialer := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	c, _, err := dialer.Dial("ws://"+r.Addr()+"/api/v1/live?format=json", header)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	ended := make(chan time.Time, 1)
	go func() {
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				ended <- time.Now()
				return
			}
		}
	}()
	select {
	case <-ended:
		t.Fatal("the socket ended by itself")
	case <-time.After(300 * time.Millisecond): // long enough that it is open, and watched twice a second
	}
	token := idp.Signed(idp.Logout("s-1", "sid-1"))
	began := time.Now()
	if code := idp.Tell(t, base+"/api/v1/session/oidc/logout", token); code != 200 {
		t.Fatalf("%d", code)
	}
	select {
	case at := <-ended:
		if took := at.Sub(began); took > aSecond {
			t.Errorf("the socket ended after %v", took)
		} else {
			t.Logf("the socket ended after %v", took)
		}
	case <-time.After(5 * aSecond):
		t.Error("the socket goes on")
	}
	if again, err := client.Get(base + "/api/v1/session"); err != nil || again.StatusCode != 401 {
		t.Errorf("the session goes on: %v %v", again, err)
	}
	if !strings.Contains(r.log.String(), "the provider of sign-ins does not answer") || !strings.Contains(r.log.String(), `"message":"ready"`) {
		t.Errorf("it was away, and the log says nothing:\n%s", r.log)
	}
	for _, secret := range []string{oidctest.ClientSecret, token, header.Get("Cookie")} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds %s", secret)
		}
	}
}
