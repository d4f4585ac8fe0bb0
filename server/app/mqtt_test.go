package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"
)

const publishedTo = `
listen: 127.0.0.1:0
mqtt_listen: 127.0.0.1:0
profile: solok
feeds:
  - {name: awlr, format: native, transport: mqtt, topic: "awlr/+/up", kind: river_gauge}
`

// publisher signs in at the broker by version 5; lost is closed when the connection ends.
func publisher(t *testing.T, r *running, key string) (c *paho.Client, lost <-chan struct{}) {
	t.Helper()
	eventually(t, 10*time.Second, "the broker listens", func() bool { return r.broker.Addr() != nil })
	conn, err := net.Dial("tcp", r.broker.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	c = paho.NewClient(paho.ClientConfig{Conn: conn, PacketTimeout: 30 * time.Second})
	answer, err := c.Connect(t.Context(), &paho.Connect{ClientID: "gateway", CleanStart: true, KeepAlive: 30, Username: "awlr", UsernameFlag: true, Password: []byte(key), PasswordFlag: true})
	if err != nil || answer.ReasonCode != 0 {
		t.Fatalf("%v %+v", err, answer)
	}
	return c, c.Done()
}

// TestPublished publishes while the store does not move, and finds each reading once; then the key is revoked.
func TestPublished(t *testing.T) {
	t.Parallel()
	needRedis(t)
	dir := filepath.Join(t.TempDir(), "data")
	r := launch(t, "test", publishedTo, []string{"KENTONGAN_DATA_DIR=" + dir})
	code, doc := r.ask("POST", "/api/v1/keys", `{"name":"gateway","scope":"ingest","feed":"awlr"}`)
	if code != http.StatusCreated {
		t.Fatal(code, doc)
	}
	key, id := fmt.Sprint(doc["token"]), fmt.Sprint(doc["id"])
	if inner, ok := doc["key"].(map[string]any); ok {
		id = fmt.Sprint(inner["id"])
	}
	c, lost := publisher(t, r, key)
	text, err := os.ReadFile(filepath.Join(dir, "store.pid"))
	if err != nil {
		t.Fatal(err)
	}
	store, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		t.Fatal(err)
	}
	const n = 60
	began := time.Now().Add(-time.Minute)
	var all sync.WaitGroup
	for i := range n {
		if i == n/3 {
			if err := syscall.Kill(store, syscall.SIGSTOP); err != nil {
				t.Fatal(err)
			}
			time.AfterFunc(1500*time.Millisecond, func() { _ = syscall.Kill(store, syscall.SIGCONT) })
		}
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			defer cancel()
			at := began.Add(time.Duration(i) * time.Second / 2).UTC().Format(time.RFC3339Nano)
			body := fmt.Sprintf(`{"thing":"dev","property":"water_level","value":%d,"unit":"m","at":"%s","lat":-0.83,"lng":100.63}`, i, at)
			answer, err := c.Publish(ctx, &paho.Publish{Topic: fmt.Sprintf("awlr/%d/up", i%7), QoS: byte(1 + i%2), Payload: []byte(body)})
			if err != nil || answer.ReasonCode != 0 {
				t.Errorf("reading %d: %v %+v", i, err, answer)
			}
		})
	}
	all.Wait()
	_, list := r.ask("GET", "/api/v1/things/awlr:dev/observations?limit=1000", "")
	seen := map[any]int{}
	for _, o := range list["items"].([]any) {
		seen[o.(map[string]any)["value"]]++
	}
	for i := range n {
		if seen[float64(i)] != 1 {
			t.Errorf("reading %d is there %d times", i, seen[float64(i)])
		}
	}
	if answer, err := c.Publish(t.Context(), &paho.Publish{Topic: "other/1/up", QoS: 1, Payload: []byte("{}")}); answer == nil || answer.ReasonCode != 0x87 {
		t.Errorf("another topic: %v %+v", err, answer)
	}
	revoked := time.Now()
	if code, doc := r.ask("DELETE", "/api/v1/keys/"+id, ""); code/100 != 2 {
		t.Fatal(code, doc)
	}
	select {
	case <-lost:
		t.Logf("ended %s after its key was revoked", time.Since(revoked).Round(time.Millisecond))
	case <-time.After(5 * aSecond):
		t.Error("connected 5 s after its key was revoked")
	}
}
