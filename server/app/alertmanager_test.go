package app

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const pushedAlerts = `
listen: 127.0.0.1:0
feeds:
  - {name: it, format: alertmanager, transport: push, agency: kominfo}
`

// A real Alertmanager calls our webhook with a key of its own: what it fires is an alert of the feed, and what it resolves is over.
func TestRealAlertmanagerDelivers(t *testing.T) {
	t.Parallel()
	needRedis(t)
	bin, err := exec.LookPath("prometheus-alertmanager")
	if err != nil {
		t.Skip("no prometheus-alertmanager on PATH (Debian package prometheus-alertmanager)")
	}
	r := launch(t, "test", pushedAlerts, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	code, made := r.ask("POST", "/api/v1/keys", `{"name":"alertmanager","feed":"it","scope":"ingest"}`)
	if code != http.StatusCreated {
		t.Fatalf("%d %v", code, made)
	}
	base := alertmanager(t, bin, fmt.Sprintf(`
route: {receiver: kentongan, group_wait: 0s, group_interval: 1s, repeat_interval: 1h}
receivers:
  - name: kentongan
    webhook_configs:
      - url: %s/api/v1/ingest/it
        send_resolved: true
        http_config: {authorization: {credentials: %s}}
`, r.BaseURL(), made["token"]))
	began := time.Now().Add(-time.Minute).UTC().Format(time.RFC3339)
	fire := func(ends string) {
		body := fmt.Sprintf(`[{"startsAt":"`+began+`","labels":{"alertname":"PompaMati","severity":"critical","instance":"pompa-3"},"annotations":{"summary":"Pompa 3 tidak menjawab"}%s}]`, ends)
		resp, err := http.Post(base+"/api/v2/alerts", "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != http.StatusOK {
			t.Fatalf("the Alertmanager answers %d", resp.StatusCode)
		}
	}
	fire("")
	alert := r.alert(t, func(a map[string]any) bool { return a["state"] == "active" })
	if alert["event"] != "PompaMati" || alert["severity"] != "Severe" || alert["sources"].([]any)[0] != "it" {
		t.Errorf("%v", alert)
	}
	fire(`,"endsAt":"` + time.Now().Add(-time.Second).UTC().Format(time.RFC3339) + `"`)
	r.alert(t, func(a map[string]any) bool { return a["id"] == alert["id"] && a["state"] != "active" })
}

// alert waits for one that is as wanted.
func (r *running) alert(t *testing.T, wanted func(map[string]any) bool) map[string]any {
	t.Helper()
	var last any
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		_, list := r.ask("GET", "/api/v1/alerts", "")
		last = list
		items, _ := list["items"].([]any)
		for _, one := range items {
			if a, ok := one.(map[string]any); ok && wanted(a) {
				return a
			}
		}
	}
	t.Fatalf("no such alert within 20 s; there are %v", last)
	return nil
}

// alertmanager runs the Debian package's program on a free port of loopback, and gives its address once it answers.
func alertmanager(t *testing.T, bin, settings string) string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(file, []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	out := &logged{}
	cmd := exec.Command(bin, "--config.file="+file, "--storage.path="+dir, "--web.listen-address="+addr, "--cluster.listen-address=")
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Signal(syscall.SIGTERM); _ = cmd.Wait() })
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		if resp, err := http.Get("http://" + addr + "/-/ready"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return "http://" + addr
			}
		}
	}
	t.Fatalf("no Alertmanager within 20 s: %s", out)
	return ""
}
