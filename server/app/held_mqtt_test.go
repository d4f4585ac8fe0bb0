package app

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/eclipse/paho.golang/paho"

	"kentongan/feeds/contract"
)

// A full quarantine gives a publisher no PUBACK: the sender keeps the message. Once somebody has decided
// the same message is taken, and is held.
func TestAFullQuarantineGivesNoPuback(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", strings.Replace(publishedTo, "kind: river_gauge", "kind: river_gauge, contract: {properties: {water_level: {unit: m}}}", 1), []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	code, doc := r.ask("POST", "/api/v1/keys", `{"name":"gateway","scope":"ingest","feed":"awlr"}`)
	if code != http.StatusCreated {
		t.Fatal(code, doc)
	}
	c, _ := publisher(t, r, fmt.Sprint(doc["token"]))
	for i := range contract.MostCauses {
		h := heldAt(time.Now(), fmt.Sprint("full-", i))
		if _, err := r.quarantine.Hold(t.Context(), h, []byte(lied(i, "km"))); err != nil {
			t.Fatal(err)
		}
	}
	began := make(chan error, 1)
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		defer cancel()
		answer, err := c.Publish(ctx, &paho.Publish{Topic: "awlr/1/up", QoS: 1, Payload: []byte(lied(1, "km"))})
		if err == nil && answer.ReasonCode != 0 {
			err = fmt.Errorf("answered %d", answer.ReasonCode)
		}
		began <- err
	}()
	eventually(t, 20*time.Second, "the feed says that it is full", func() bool {
		_, feed := r.ask("GET", "/api/v1/feeds/awlr", "")
		status, _ := feed["status"].(map[string]any)
		return strings.HasPrefix(fmt.Sprint(status["reason"]), "full: ")
	})
	select {
	case err := <-began:
		t.Fatalf("acknowledged though nothing holds it: %v", err)
	case <-time.After(1500 * time.Millisecond): // more than one try of the lane
	}
	_, feed := r.ask("GET", "/api/v1/feeds/awlr", "")
	for _, one := range feed["quarantine"].([]any)[:2] {
		if code, got := r.ask("POST", fmt.Sprintf("/api/v1/feeds/awlr/quarantine/%v", one.(map[string]any)["id"]), `{"do":"keep"}`); code != http.StatusOK {
			t.Fatal(code, got)
		}
	}
	select {
	case err := <-began:
		if err != nil {
			t.Fatal(err)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("there is room, and the message was not taken again")
	}
	list, err := r.quarantine.list(t.Context(), "awlr")
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for i := range list {
		if !strings.HasPrefix(list[i].Fingerprint, "full-") {
			held += int(list[i].Deliveries)
		}
	}
	if held != 1 {
		t.Errorf("%d are held of what was acknowledged, want the one", held)
	}
}
