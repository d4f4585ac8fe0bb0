package api

import (
	"slices"
	"strings"
	"testing"

	"kentongan/server/access"
)

// What kentongan routes prints is what the server has: a route that is missing there is missing to whoever reviews.
func TestRoutesAreThoseOfTheServer(t *testing.T) {
	h := build(t)
	list, err := Routes(screens(), 1000)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range h.handler.(*table).routes {
		if !slices.Contains(list, r) {
			t.Errorf("%+v is served and not listed", r)
		}
	}
	for i, r := range list {
		if i > 0 && list[i-1].Path() > r.Path() {
			t.Errorf("%s stands after %s", r.Path(), list[i-1].Path())
		}
		if (r.Who == "public") != r.Public || r.Public != (r.Right == "") || r.Body <= 0 {
			t.Errorf("%+v", r)
		}
		if !r.Public && !slices.Contains(access.Actions(), r.Right) {
			t.Errorf("%s needs what access does not know", r.Pattern)
		}
		if strings.HasPrefix(r.Path(), "/api/v1/incidents/{") && r.Object != "incident" || strings.HasPrefix(r.Path(), "/api/v1/things/{") && r.Object != "thing" ||
			strings.HasPrefix(r.Path(), "/api/v1/reports/{") && r.Object != "report" {
			t.Errorf("%s is not about its object", r.Pattern)
		}
	}
}
