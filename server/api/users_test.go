package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/alerts/audit"
	"kentongan/server/people"
)

// member is an account that is signed in by password, with its cookies.
func (h *house) member(login string, roles ...string) (id, cookie string) {
	h.t.Helper()
	var grants []string
	for _, r := range roles {
		grants = append(grants, fmt.Sprintf(`{"role":%q}`, r))
	}
	made := h.want(h.admin("POST", "/api/v1/users", fmt.Sprintf(`{"login":%q,"name":"Warga %s"}`, login, login)), http.StatusCreated)
	id = made["user"].(map[string]any)["id"].(string)
	// The roles are given by the store: how they are changed is another test's.
	if _, err := h.people.Change(h.t.Context(), id, 0, func(p *people.Person) error {
		return json.Unmarshal([]byte("["+strings.Join(grants, ",")+"]"), &p.Grants)
	}); err != nil {
		h.t.Fatal(err)
	}
	_, code, _ := strings.Cut(made["link"].(string), "code=")
	w := h.ask("POST", "/api/v1/session/reset", fmt.Sprintf(`{"code":%q,"password":"tiga ekor kerbau di sawah"}`, code))
	h.want(w, http.StatusOK)
	for _, c := range w.Result().Cookies() {
		cookie += c.Name + "=" + c.Value + "; "
	}
	return id, cookie
}

// as asks with somebody's cookies, from a page of ours.
func (h *house) as(cookie, method, path, body string, want int) map[string]any {
	h.t.Helper()
	return h.want(h.ask(method, path, body, "Cookie", cookie, "Origin", "http://127.0.0.1:8080", "Content-Type", "application/json"), want)
}

// elevate shows the password again and gives the new cookie.
func (h *house) elevate(cookie string) string {
	h.t.Helper()
	w := h.ask("POST", "/api/v1/session/elevate", `{"password":"tiga ekor kerbau di sawah"}`, "Cookie", cookie, "Origin", "http://127.0.0.1:8080")
	h.want(w, http.StatusOK)
	for _, c := range w.Result().Cookies() {
		cookie = c.Name + "=" + c.Value + "; " + cookie
	}
	return cookie
}

// Roles take two persons, who have shown lately who they are; a stale version, a field out of nothing and an unknown role are refused.
func TestRolesTakeTwoPersons(t *testing.T) {
	h := build(t)
	_, first := h.member("admin-1", "admin")
	_, second := h.member("admin-2", "admin")
	op, _ := h.member("budi", "operator")
	path := "/api/v1/users/" + op
	version := int(h.as(first, "GET", path, "", http.StatusOK)["version"].(float64))
	body := fmt.Sprintf(`{"version":%d,"grants":[{"role":"supervisor"}]}`, version)
	if doc := h.as(first, "PATCH", path, body, http.StatusForbidden); doc["type"] != "urn:kentongan:elevate" {
		t.Errorf("%v", doc)
	}
	first, second = h.elevate(first), h.elevate(second)
	for _, bad := range []string{`"grants":[{"role":"king"}]`, `"grants":[{"role":"liaison"}]`, `"grants":[{"role":"liaison","agency":"nowhere"}]`, `"password":"x"`, `"disabled":false`, `"grants":[{"role":"wall"}]`} {
		h.as(first, "PATCH", path, fmt.Sprintf(`{"version":%d,%s}`, version, bad), http.StatusUnprocessableEntity)
	}
	if doc := h.as(first, "PATCH", path, fmt.Sprintf(`{"version":%d,"name":"x"}`, version-1), http.StatusConflict); doc["current"].(map[string]any)["version"] != float64(version) {
		t.Errorf("%v", doc)
	}
	change := h.as(first, "PATCH", path, body, http.StatusAccepted)["change"].(map[string]any)
	approve := "/api/v1/changes/" + change["id"].(string) + "/approve"
	h.as(first, "POST", approve, "", http.StatusForbidden)
	if c := h.as(second, "POST", approve, "", http.StatusOK); c["state"] != "approved" || c["applied_at"] == nil {
		t.Errorf("%v", c)
	}
	h.as(second, "POST", approve, "", http.StatusConflict)
	if p := h.as(first, "GET", path, "", http.StatusOK); fmt.Sprint(p["grants"]) != "[map[role:supervisor]]" {
		t.Errorf("%v", p["grants"])
	}
	for _, secret := range []string{"argon2", "recovery\":[", "known"} {
		if w := h.admin("GET", "/api/v1/users", ""); strings.Contains(w.Body.String(), secret) {
			t.Errorf("the list shows %s", secret)
		}
	}
}

// A supervisor lets an operator in again, and neither oneself nor an administrator.
func TestWitness(t *testing.T) {
	h := build(t)
	boss, _ := h.member("admin-1", "admin")
	sup, cookie := h.member("supervisor", "supervisor")
	op, _ := h.member("budi", "operator")
	const why = `{"reason":"stands before me"}`
	h.as(cookie, "POST", "/api/v1/users/"+op+"/reset", why, http.StatusForbidden)
	cookie = h.elevate(cookie)
	h.as(cookie, "POST", "/api/v1/users/"+sup+"/reset", why, http.StatusForbidden)
	h.as(cookie, "POST", "/api/v1/users/"+boss+"/reset", why, http.StatusForbidden)
	named, _ := h.member("kdrt", "operator") // sees a restricted type, which the witness does not
	if _, err := h.people.Change(t.Context(), named, 0, func(p *people.Person) error { p.Grants[0].Types = []string{"domestic_violence"}; return nil }); err != nil {
		t.Fatal(err)
	}
	h.as(cookie, "POST", "/api/v1/users/"+named+"/reset", why, http.StatusForbidden)
	code := h.as(cookie, "POST", "/api/v1/users/"+op+"/reset", why, http.StatusCreated)["code"]
	h.want(h.ask("POST", "/api/v1/session/reset", fmt.Sprintf(`{"code":%q,"password":"empat perahu di danau"}`, code)), http.StatusOK)
	h.want(h.ask("POST", "/api/v1/session", `{"login":"budi","password":"tiga ekor kerbau di sawah"}`), http.StatusUnauthorized)
	h.want(h.ask("POST", "/api/v1/session", `{"login":"budi","password":"empat perahu di danau"}`), http.StatusOK)
}

// Whoever sits down at a desk is seen there; the next at that screen keeps it, and the last administrator is not shut out.
func TestDesksAndTheLastAdministrator(t *testing.T) {
	h := build(t)
	boss, _ := h.member("admin-1", "admin")
	_, cookie := h.member("budi", "operator")
	h.member("sari", "operator")
	h.as(cookie, "PUT", "/api/v1/session/desk", `{"desk":"nowhere"}`, http.StatusUnprocessableEntity)
	h.as(cookie, "PUT", "/api/v1/session/desk", `{"desk":"desk-2"}`, http.StatusOK)
	me := h.as(cookie, "POST", "/api/v1/session", `{"login":"sari","password":"tiga ekor kerbau di sawah","switch":true}`, http.StatusOK)
	if me["desk"] != "desk-2" || me["switched"] != "Warga budi" {
		t.Errorf("%v", me)
	}
	h.as(cookie, "GET", "/api/v1/session/list", "", http.StatusUnauthorized)
	desks := h.want(h.admin("GET", "/api/v1/desks", ""), http.StatusOK)["items"].([]any)
	if len(desks) != 4 || !strings.Contains(fmt.Sprint(desks[1]), "Warga sari") || strings.Contains(fmt.Sprint(desks), "Warga budi") {
		t.Errorf("%v", desks)
	}
	h.want(h.admin("POST", "/api/v1/users/"+boss+"/disable", ""), http.StatusConflict)
}

// TestAnActOnAnAccountIsOneRecord makes, names, shuts and opens an account: the log has one record of each, that names the hash.
func TestAnActOnAnAccountIsOneRecord(t *testing.T) {
	h := build(t)
	made := h.want(h.admin("POST", "/api/v1/users", `{"login":"siti","name":"Siti"}`), http.StatusCreated)
	id := made["user"].(map[string]any)["id"].(string)
	path := "/api/v1/users/" + id
	h.want(h.admin("PATCH", path, `{"version":1,"name":"Siti A"}`), http.StatusOK)
	h.want(h.admin("POST", path+"/disable", ""), http.StatusOK)
	h.want(h.admin("POST", path+"/enable", ""), http.StatusOK)
	list, _, err := h.cases.AuditLog(t.Context(), time.Time{}, time.Time{}, 0, "", func(r *audit.Record) bool { return r.Object == "person:"+id })
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range list {
		hashed := ""
		if r.AfterHash != "" {
			hashed = " hashed"
		}
		got = append(got, r.Action+hashed+" by "+r.Actor+": "+r.Reason)
	}
	slices.Sort(got)
	want := []string{
		"person.changed hashed by token:admin: name and language", "person.disabled hashed by token:admin: siti", "person.enabled hashed by token:admin: siti",
		"person.made hashed by token:admin: siti",
	}
	for i, w := range want {
		action, reason, _ := strings.Cut(w, ": ")
		if i >= len(got) || !strings.HasPrefix(got[i], action) || !strings.HasSuffix(got[i], reason) {
			t.Errorf("got %q, want %q", got, want)
			break
		}
	}
	if len(got) != len(want) {
		t.Errorf("%d records: %q", len(got), got)
	}
}
