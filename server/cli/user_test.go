package cli

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

func TestUserAddPrintsWhatOpensTheAccountAlone(t *testing.T) {
	var asked struct {
		Login, Name string
		Grants      []struct{ Role, Agency string }
		BreakGlass  bool `json:"break_glass"`
	}
	answer, status := "", http.StatusCreated
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != "POST" || r.URL.Path != "/api/v1/users" || r.Header.Get("Authorization") != "Bearer "+adminToken {
			t.Errorf("%s %s %v", r.Method, r.URL, r.Header)
		}
		_ = json.NewDecoder(r.Body).Decode(&asked)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(answer))
	}))
	defer server.Close()
	add := func(args ...string) (int, string, string) {
		var out, err bytes.Buffer
		code := Main(append([]string{"user", "add", "--url", server.URL}, args...), []string{"KENTONGAN_ADMIN_TOKEN=" + adminToken}, &out, &err)
		return code, out.String(), err.String()
	}
	answer = `{"user":{},"link":"http://x/login?code=c"}`
	if code, out, err := add("--login", "sari", "--name", "Sari", "--role", "liaison", "--role", "operator", "--agency", "bpbd"); code != 0 || out != "http://x/login?code=c\n" || err != "" {
		t.Errorf("%d %q %q", code, out, err)
	}
	if asked.Login != "sari" || len(asked.Grants) != 2 || asked.Grants[1].Role != "operator" || asked.Grants[1].Agency != "bpbd" || asked.BreakGlass {
		t.Errorf("%+v", asked)
	}
	answer = `{"user":{},"code":"AAAA-BBBB","change":{"summary":"Amplop: no role -> admin"}}`
	if code, out, err := add("--login", "amplop", "--name", "Amplop", "--role", "admin", "--break-glass"); code != 0 || out != "AAAA-BBBB\n" || !strings.Contains(err, "second person") {
		t.Errorf("%d %q %q", code, out, err)
	}
	if !asked.BreakGlass {
		t.Error("the server is not told that it is for an envelope")
	}
	answer, status = `{"title":"Conflict","status":409,"detail":"the login is taken"}`, http.StatusConflict
	if code, out, err := add("--login", "sari", "--name", "Sari"); code != 1 || out != "" || !strings.Contains(err, "taken") {
		t.Errorf("%d %q %q", code, out, err)
	}
	if code, _, _ := add("--name", "Sari"); code != 2 {
		t.Errorf("without a login: %d", code)
	}
}
