package app

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
	"kentongan/feeds/formats"
	"kentongan/feeds/runner"
	"kentongan/server/config"
)

// Each sample that /admin begins a try with is accepted by its decoder. Of json and csv one reading is no number: the page shows a refusal.
func TestTheSamplesOfThePageAreRead(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../frontend/src/features/feeds-admin/samples.json")
	if err != nil {
		t.Fatal(err)
	}
	var samples map[string]struct {
		Kind, ContentType, Topic, Each string
		Map, Body                      []string
	}
	if err := json.Unmarshal(text, &samples); err != nil {
		t.Fatal(err)
	}
	if got, want := slices.Sorted(maps.Keys(samples)), slices.Sorted(slices.Values(formats.Names())); !slices.Equal(got, want) {
		t.Errorf("samples of %v, formats %v", got, want)
	}
	now := time.Now().UTC()
	offset := "2006-01-02T15:04:05+00:00"
	present := strings.NewReplacer("@NOW@", now.Format("2006-01-02T15:04:05.000Z"), "@SOON@", now.Add(5*time.Minute).Format("2006-01-02T15:04:05.000Z"),
		"@OFFSET@", now.Format(offset), "@LATER@", now.Add(6*time.Hour).Format(offset), "@UNIX@", fmt.Sprint(now.Unix()), "@UNIXMS@", fmt.Sprint(now.UnixMilli()),
		"@RFC822@", now.Format(http.TimeFormat))
	refused := map[string]int{"json": 1, "csv": 1}
	for format, s := range samples {
		t.Run(format, func(t *testing.T) {
			settings := map[string]any{"name": "coba", "format": format, "transport": "push", "kind": s.Kind}
			if s.Map != nil {
				settings["map"] = strings.Join(s.Map, "\n")
			}
			if s.Each != "" {
				settings["options"] = map[string]any{"each": s.Each}
			}
			entry, err := json.Marshal(settings)
			if err != nil {
				t.Fatal(err)
			}
			c, faults := config.ReadFeed("", string(entry), "")
			got := Trial{Config: c, Faults: faults, Body: []byte(present.Replace(strings.Join(s.Body, "\n") + "\n")), Foreign: true,
				Meta: feeds.Meta{ContentType: s.ContentType, Topic: s.Topic}, Options: runner.Options{Version: "0"}}.Run(t.Context())
			if len(got.Faults) > 0 || got.Receipt == nil {
				t.Fatalf("%v", got.Faults)
			}
			r := got.Receipt
			if r.Accepted == 0 || len(r.Ignored) > 0 || len(r.Rejected) != refused[format] {
				t.Errorf("accepted %d, ignored %v, rejected %v", r.Accepted, r.Ignored, r.Rejected)
			}
		})
	}
}
