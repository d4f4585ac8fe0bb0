package api

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"kentongan/geo"
)

// What nobody reaches in time, and a recommendation with a router and without.
func TestReachAndRoads(t *testing.T) {
	var fails error
	h := build(t, func(_ *house, d *Deps) {
		d.Roads = func(_ context.Context, from []geo.Position, _ geo.Position) ([]float64, error) {
			return make([]float64, len(from)), fails
		}
	})
	reach := func(query string) (int, int) {
		got := h.want(h.admin("GET", "/api/v1/units/coverage?"+query, ""), http.StatusOK)
		return len(got["items"].([]any)), int(got["cells"].(float64))
	}
	if n, all := reach("minutes=15"); n != all || n == 0 {
		t.Errorf("without units %d of %d cells", n, all)
	}
	h.rostered(t, "bpbd", "trc-1", "trc")
	n, all := reach("minutes=15")
	far, _ := reach("minutes=60")
	if n >= all || far >= n {
		t.Errorf("%d of %d cells in 15 min, %d in 60", n, all, far)
	}
	if boats, _ := reach("minutes=15&capability=boat"); boats != all {
		t.Errorf("a boat reaches %d", all-boats)
	}
	for _, query := range []string{"minutes=0", "minutes=15&capability=fly", "minutes=15&res=9"} {
		h.want(h.admin("GET", "/api/v1/units/coverage?"+query, ""), http.StatusUnprocessableEntity)
	}
	in := h.want(h.admin("POST", "/api/v1/incidents", `{"type":"flood","lng":100.63,"lat":-0.83}`), http.StatusCreated)["id"].(string)
	for _, want := range []string{"router", "distance"} {
		items := h.want(h.admin("GET", "/api/v1/incidents/"+in+"/recommendations", ""), http.StatusOK)["items"].([]any)
		if c := items[0].(map[string]any); c["travel_source"] != want {
			t.Errorf("%v, want %s", c["travel_source"], want)
		}
		fails = errors.New("it is down")
	}
}
