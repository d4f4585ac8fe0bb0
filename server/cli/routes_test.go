package cli

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestRoutes(t *testing.T) {
	code, out, errOut := run("routes")
	lines := strings.Split(strings.TrimSpace(out), "\n")
	if code != 0 || errOut != "" || len(lines) < 40 {
		t.Fatalf("code %d, %d lines, %s", code, len(lines), errOut)
	}
	for _, line := range lines {
		if n := len(strings.Fields(line)); n != 6 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"POST /api/v1/incidents/{id}/transitions interface incident.act incident 1048576",
		"GET /api/v1/incidents/{id} interface incident.read incident 1048576",
		"GET /api/v1/things/{id}/observations interface thing.read thing 1048576",
		"GET /healthz public - - 1048576", "GET /wall page thing.read - 1048576", "GET /metrics interface metrics - 1048576",
		"POST /api/v1/ingest/{feed} sender ingest - 16777216",
	} {
		if !strings.Contains("\n"+squeeze(out), "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
	code, out, errOut = run("routes", "--json")
	var list []map[string]any
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || errOut != "" || len(list) != len(lines)-1 {
		t.Errorf("code %d, %d objects, %v %s", code, len(list), err, errOut)
	}
	for i, one := range list {
		if len(one) != 6 || one["method"] == "" || one["who"] == "" || !strings.HasPrefix(one["path"].(string), "/") {
			t.Errorf("%d: %v", i, one)
		}
	}
}

func squeeze(s string) string {
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.Join(strings.Fields(lines[i]), " ")
	}
	return strings.Join(lines, "\n")
}
