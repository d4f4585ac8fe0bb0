// Package feedtest is the contract every format keeps, and the golden loop over recorded files.
package feedtest

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"kentongan/feeds"
	"kentongan/geo"
)

var update = flag.Bool("update", false, "rewrite golden files; a person reads the difference")

// Secret stands in the feed's address while the contract runs: no error and no reason may repeat it.
const Secret = "s3cr3t-t0ken"

// Meta is the delivery the tests are made with.
func Meta() feeds.Meta {
	return feeds.Meta{Feed: "test", Agency: "test", Kind: "thing", URL: "https://feed.example/dir/index.xml?key=" + Secret,
		ReceivedAt: time.Date(2026, 11, 25, 9, 0, 0, 0, time.UTC)}
}

// Root is the module's folder: the nearest one above that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
}

// Recorded lists the files of recorded data that match the patterns, such as "cap/*.xml". The data lies in shared/data beside the
// repository; where it is absent the test is skipped.
func Recorded(t testing.TB, patterns ...string) []string {
	t.Helper()
	data := filepath.Join(Root(t), "..", "shared", "data")
	if _, err := os.Stat(data); err != nil {
		t.Skip("no recorded data: shared/data is not beside the repository")
	}
	var out []string
	for _, p := range patterns {
		files, err := filepath.Glob(filepath.Join(data, p))
		if err != nil || len(files) == 0 {
			t.Fatalf("recorded data: nothing matches %q", p)
		}
		out = append(out, files...)
	}
	return out
}

// Read reads a file or fails.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	body, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// Summary is a reviewed golden result: how many of each, and the first of each kind whole.
type Summary struct {
	Error        string              `json:"error,omitempty"`
	Alerts       int                 `json:"alerts"`
	Observations int                 `json:"observations"`
	Reports      int                 `json:"reports"`
	Positions    int                 `json:"positions"`
	Ignored      int                 `json:"ignored"`
	Rejected     int                 `json:"rejected"`
	Follow       int                 `json:"follow"`
	Alert        *feeds.Alert        `json:"first_alert,omitempty"`
	Epicentre    *geo.Position       `json:"first_epicentre,omitempty"`
	Observation  *feeds.Observation  `json:"first_observation,omitempty"`
	Report       *feeds.Report       `json:"first_report,omitempty"`
	Position     *feeds.UnitPosition `json:"first_position,omitempty"`
	Next         int                 `json:"next,omitempty"`
	FirstNext    string              `json:"first_next,omitempty"`
	Refusals     map[string]int      `json:"refusals,omitempty"` // reasons of refusal, with their number
	FirstFollow  string              `json:"first_follow,omitempty"`
	Severities   map[string]int      `json:"severities,omitempty"` // of every info of every alert
}

// Summarise counts a batch.
func Summarise(b feeds.Batch, err error) Summary {
	s := Summary{Alerts: len(b.Alerts), Observations: len(b.Observations), Reports: len(b.Reports), Positions: len(b.Positions),
		Ignored: len(b.Ignored), Rejected: len(b.Rejected), Follow: len(b.Follow), Refusals: map[string]int{}, Severities: map[string]int{}}
	if err != nil {
		s.Error = err.Error()
	}
	for _, r := range append(append([]feeds.Refusal{}, b.Ignored...), b.Rejected...) {
		s.Refusals[r.Reason]++
	}
	for _, a := range b.Alerts {
		for _, i := range a.Message.Infos {
			s.Severities[string(i.Severity)]++
		}
	}
	if len(b.Alerts) > 0 {
		if s.Alert = &b.Alerts[0]; s.Alert.Quake != nil {
			s.Epicentre = &s.Alert.Quake.Position
		}
	}
	if len(b.Observations) > 0 {
		s.Observation = &b.Observations[0]
	}
	if len(b.Reports) > 0 {
		s.Report = &b.Reports[0]
	}
	if len(b.Positions) > 0 {
		s.Position = &b.Positions[0]
	}
	if len(b.Follow) > 0 {
		s.FirstFollow = b.Follow[0]
	}
	if s.Next = len(b.Next); s.Next > 0 {
		s.FirstNext = b.Next[0]
	}
	return s
}

// Golden decodes each file and holds the summary against testdata/recorded/<file>.json; files of one name in several folders have the
// folder's name before their own.
func Golden(t *testing.T, format feeds.Format, files []string) {
	t.Helper()
	bases := map[string]int{}
	for _, file := range files {
		bases[filepath.Base(file)]++
	}
	for _, file := range files {
		name := filepath.Base(file)
		if bases[name] > 1 {
			name = filepath.Base(filepath.Dir(file)) + "-" + name
		}
		t.Run(name, func(t *testing.T) {
			b, err := format.Decode(Read(t, file), Meta())
			var got bytes.Buffer
			e := json.NewEncoder(&got)
			e.SetEscapeHTML(false)
			e.SetIndent("", " ")
			if err := e.Encode(Summarise(b, err)); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "recorded", name+".json")
			if *update {
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(Read(t, path)), got.String()); diff != "" {
				t.Errorf("golden %s (-want +got):\n%s", path, diff)
			}
		})
	}
}

// Contract holds a format to what every format promises over one readable sample: equal bytes give an equal batch, the bytes stay
// as they are, a cut at any tenth does not panic, an error comes with an empty batch, and no reason repeats the feed's secret.
func Contract(t *testing.T, format feeds.Format, sample []byte) {
	t.Helper()
	keep := bytes.Clone(sample)
	first, err1 := format.Decode(sample, Meta())
	second, err2 := format.Decode(sample, Meta())
	if !reflect.DeepEqual(first, second) || fmt.Sprint(err1) != fmt.Sprint(err2) {
		t.Error("equal bytes gave two results")
	}
	if !bytes.Equal(keep, sample) {
		t.Error("Decode changed its input")
	}
	Check(t, first, err1)
	for tenth := range 10 {
		b, err := format.Decode(sample[:len(sample)*tenth/10], Meta())
		Check(t, b, err)
	}
}

// Document is Contract for formats of one document, for which every cut is an error.
func Document(t *testing.T, format feeds.Format, sample []byte) {
	t.Helper()
	Contract(t, format, sample)
	whole := bytes.TrimRight(sample, " \t\r\n")
	for tenth := range 10 {
		if _, err := format.Decode(whole[:len(whole)*tenth/10], Meta()); err == nil {
			t.Errorf("cut at %d tenths: want an error", tenth)
		}
	}
}

// Check holds one result against the contract.
func Check(t testing.TB, b feeds.Batch, err error) {
	t.Helper()
	if err != nil {
		if !reflect.DeepEqual(b, feeds.Batch{}) {
			t.Errorf("error %q came with a batch", err)
		}
		if strings.Contains(err.Error(), Secret) || len(err.Error()) > 1000 {
			t.Errorf("error repeats a secret or is too long: %.1000q", err)
		}
	}
	for _, r := range append(append([]feeds.Refusal{}, b.Ignored...), b.Rejected...) {
		if r.Reason == "" || len(r.Reason) > 1000 || strings.Contains(r.Reason, Secret) {
			t.Errorf("item %d: reason is empty, too long or repeats a secret: %.1000q", r.Index, r.Reason)
		}
	}
	for _, a := range b.Alerts {
		if a.Message.Identifier == "" || a.Message.Sender == "" || a.Message.Sent.IsZero() || a.Message.Status == "" || a.Message.MsgType == "" {
			t.Errorf("item %d: an alert without identity: %+v", a.Index, a.Message)
		}
		if a.Quake != nil && a.Quake.Position.Validate() != nil {
			t.Errorf("item %d: epicentre nowhere: %v", a.Index, a.Quake.Position)
		}
	}
}

// OneBad decodes a delivery of which exactly one item is faulty: it is rejected by its index, the others are kept, and the reason
// says what and where. The batch is returned for closer looks.
func OneBad(t testing.TB, format feeds.Format, body []byte, bad int, reasons ...string) feeds.Batch {
	t.Helper()
	b, err := format.Decode(body, Meta())
	Check(t, b, err)
	if err != nil {
		t.Fatalf("one faulty item cost the whole delivery: %v", err)
	}
	if len(b.Rejected) != 1 || b.Rejected[0].Index != bad || b.Records()+len(b.Follow)+len(b.Next) == 0 {
		t.Fatalf("got %d records, %d links, rejected %v; want item %d rejected and the others kept", b.Records(), len(b.Follow), b.Rejected, bad)
	}
	for _, want := range reasons {
		if !strings.Contains(b.Rejected[0].Reason, want) {
			t.Errorf("reason %q does not say %q", b.Rejected[0].Reason, want)
		}
	}
	return b
}
