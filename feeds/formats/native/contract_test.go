package native

import (
	"strings"
	"testing"

	"kentongan/feeds/feedtest"
)

func TestContract(t *testing.T) {
	document := []byte("[" + good + `,{"record":"alert","identifier":"a","sent":"2026-11-23T07:00:00Z","event":"Banjir"},{}]`)
	feedtest.Contract(t, Format{}, document)
	for cut := 1; cut < len(document); cut++ { // an empty body is no document, and no fault
		if _, err := (Format{}).Decode(document[:cut], feedtest.Meta()); err == nil {
			t.Errorf("cut at byte %d: want an error", cut)
		}
	}
	feedtest.Contract(t, Format{}, []byte(strings.Repeat(good+"\n", 20)))
}

// Nothing of another system's data is taken for ours, whatever its kind.
func TestRecordedDataOfOthersIsRefused(t *testing.T) {
	files := feedtest.Recorded(t, "cap/*", "earthquake/*", "river/*", "airquality/*", "cot/*", "gtfs-rt/*.pb", "ais/*", "alertmanager/*", "owntracks/*", "open311/*", "replay-gps/*")
	for _, file := range files {
		body := feedtest.Read(t, file)
		for tenth := range 11 {
			b, err := Format{}.Decode(body[:len(body)*tenth/10], feedtest.Meta())
			feedtest.Check(t, b, err)
			if b.Records() > 0 {
				t.Errorf("%s cut at %d tenths: %d records", file, tenth, b.Records())
			}
			if tenth == 10 && err == nil && len(b.Rejected) == 0 && len(body) > 2 {
				t.Errorf("%s: taken without a word", file)
			}
		}
	}
}
