package cli

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"kentongan/feeds/archive"
	"kentongan/geo/moment"
)

// archived writes deliveries into an archive and gives its folder.
func archived(t *testing.T, list ...archive.Delivery) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "raw")
	a, err := archive.Open(archive.Config{Dir: dir, Keeps: func(string) time.Duration { return time.Hour }, Spare: 1, Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		d.At = moment.Of(time.Date(2026, 11, 27, 1, 2, 3, 0, time.UTC))
		a.Keep(d)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Run(ctx); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestReplayTellsWhatReadsOtherwise(t *testing.T) {
	dir := archived(t,
		archive.Delivery{Feed: "sungai", Outcome: archive.Refused, Reason: "json: the map did not know tma", Body: []byte(`{"kode":"LB-1","tma":"3.4"}`)},
		archive.Delivery{Feed: "sungai", Outcome: archive.Stored, Accepted: 1, Body: []byte(`{"kode":"LB-2","tma":"1"}`)},
		archive.Delivery{Feed: "sungai", Outcome: archive.Stored, Duplicates: 1, Body: []byte(`{"kode":"LB-3","tma":"x"}`)},
		archive.Delivery{Feed: "sungai", Outcome: archive.Refused, Reason: "json: cut", Body: []byte(`{"kode":`)},
		archive.Delivery{Feed: "gone", Outcome: archive.Stored, Body: []byte(`{}`)},
	)
	config := filepath.Join(t.TempDir(), "k.yaml")
	text := "feeds:\n  - name: sungai\n    format: json\n    transport: push\n    map: '{thing: .kode, property: \"water_level\", unit: \"m\", value: (.tma | num)}'\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) (int, string, string) {
		var out, errOut strings.Builder
		code := Main(append([]string{"replay", dir, "--config", config}, args...), nil, &out, &errOut)
		return code, out.String(), errOut.String()
	}
	code, out, errOut := run()
	for _, want := range []string{
		"was refused: json: the map did not know tma\n    now 1 items, 0 passed over, 0 refused",
		"was 1 items, 0 passed over, 0 refused\n    now refused: map: num: \"x\" is no number",
		"feed  deliveries  same  now read  now refused  otherwise",
		"sungai           4     2         1            1          0",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("%q is not in\n%s", want, out)
		}
	}
	if code != exitOK || !strings.Contains(errOut, `1 deliveries of feed "gone"`) {
		t.Errorf("%d %s", code, errOut)
	}
	if _, out, _ := run("--json"); strings.Count(out, "\n") != 2 || !strings.Contains(out, `"feed":"sungai"`) {
		t.Errorf("as JSON: %s", out)
	}
	if _, out, _ := run("--shown", "1"); !strings.Contains(out, "and 1 more") {
		t.Errorf("cut: %s", out)
	}
	if code, _, errOut := run("--store"); code != exitFailed || !strings.Contains(errOut, "--store takes no files") {
		t.Errorf("files and --store: %d %s", code, errOut)
	}
	if code, _, errOut := run("--feed", "other"); code != exitOK || errOut != "" {
		t.Errorf("another feed: %d %s", code, errOut)
	}
}

func TestReplayNamesWhatIsNoArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "notes.txt")
	if err := os.WriteFile(file, []byte("not an archive at all, but some words"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"replay"}, {"replay", file}, {"replay", file + ".gone"}} {
		var out, errOut strings.Builder
		code := Main(args, nil, &out, &errOut)
		if len(args) > 1 && !strings.Contains(errOut.String(), "notes.txt") || len(args) == 1 && code != exitFailed {
			t.Errorf("%v: %d %s", args, code, &errOut)
		}
	}
}
