package api

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"kentongan/server/hub"
)

func TestCells(t *testing.T) {
	h := build(t)
	for i := range 10 {
		h.put(fmt.Sprint("awlr:", i), "river_gauge", -0.8, 100.6, true)
	}
	h.put("awlr:bus", "bus", -0.8, 100.6, true)
	h.put("awlr:far", "bus", -0.5, 100.2, true)
	live := hub.New(hub.Deps{Picture: h.picture, Cases: h.cases, Epoch: "e", Log: zerolog.Nop()})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { _ = live.Run(ctx); close(ended) }()
	defer func() { cancel(); <-ended }()
	h.cells = live.Cells

	list := h.want(h.admin("GET", "/api/v1/cells?bbox=100.5,-0.9,100.7,-0.7&res=7", ""), 200)["items"].([]any)
	if len(list) != 2 {
		t.Fatalf("%d rows: %v", len(list), list)
	}
	row := list[1].(map[string]any)
	if row["layer"] != "river_gauge" || row["count"] != 10.0 || row["value"] != 1.5 || row["severity"] != "" || row["unobserved"] != true || len(row["cell"].(string)) != 15 || row["observed_at"] == nil {
		t.Errorf("row %v", row)
	}
	if list := h.want(h.admin("GET", "/api/v1/cells?bbox=100,-1,101,0&layer=bus", ""), 200)["items"].([]any); len(list) != 2 {
		t.Errorf("one layer: %v", list)
	}
	for query, says := range map[string]string{"": "bbox", "bbox=1,2,3": "bbox", "bbox=0,91,1,92": "bbox", "bbox=1,1,2,2&res=11": "res", "bbox=1,1,2,2&res=2": "res", "bbox=1,1,2,2&res=x": "res"} {
		w := h.admin("GET", "/api/v1/cells?"+query, "")
		h.want(w, 422)
		if !strings.Contains(w.Body.String(), says) {
			t.Errorf("%q does not say %s: %s", query, says, w.Body)
		}
	}
	h.want(h.ask("GET", "/api/v1/cells?bbox=1,1,2,2", ""), 401)
}
