//go:build !race

package app

import (
	"encoding/base64"
	"fmt"
	"math/rand"
	"net/http"
	"strings"
	"testing"
)

// What is too large to be held is refused for good.
func TestTooLargeToBeHeldIsRefused(t *testing.T) {
	t.Parallel()
	needRedis(t)
	r := launch(t, "test", contracted, []string{"KENTONGAN_DATA_DIR=" + t.TempDir()})
	noise := rand.New(rand.NewSource(1))
	lines := []string{lied(0, "km")}
	for i := range 3500 {
		text := make([]byte, 3000)
		noise.Read(text)
		lines = append(lines, fmt.Sprintf(`{"thing":"g-%d","property":"note","value":%q,"lat":-0.8,"lng":100.6}`, i%500, base64.RawURLEncoding.EncodeToString(text)))
	}
	code, got := r.ask("POST", "/api/v1/ingest/awlr", "["+strings.Join(lines, ",")+"]")
	if code != http.StatusRequestEntityTooLarge || !strings.Contains(fmt.Sprint(got["detail"]), "too large to be held") {
		t.Errorf("%d %v", code, got["detail"])
	}
	if _, feed := r.ask("GET", "/api/v1/feeds/awlr", ""); len(feed["quarantine"].([]any)) != 0 {
		t.Errorf("%d causes", len(feed["quarantine"].([]any)))
	}
}
