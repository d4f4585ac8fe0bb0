//go:build !race

// Some hundred thousand recorded rows in one goroutine: the race detector would find nothing here and take six times as long (make go-test-plain).

package runner

import (
	"testing"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/feedtest"
	"kentongan/feeds/formats"
	"kentongan/feeds/register"
)

// asFeed decodes as the feed would: its kind, its register.
type asFeed struct {
	config FeedConfig
	format feeds.Format
	known  *register.Register
}

func (f asFeed) Decode(body []byte, meta feeds.Meta) (feeds.Batch, error) {
	meta.Kind, meta.Feed = f.config.Kind, f.config.Name
	if bounded.IsGzip(body) { // as the transport does
		var err error
		if body, err = bounded.Gunzip(body, bounded.DefaultInflated); err != nil {
			return feeds.Batch{}, err
		}
	}
	b, err := f.format.Decode(body, meta)
	if err == nil {
		f.known.Apply(&b, meta.Kind)
	}
	return b, err
}

// The maps that are shipped read the files that were recorded from the producers they are for.
func TestShippedMaps(t *testing.T) {
	for file, feedsOf := range map[string]map[string]string{
		"river.yaml":      {"ea-level": "river/uk-ea-latest-*", "ea-stations": "river/uk-ea-stations-*", "nwis": "river/usgs-nwis-*", "waterml": "river/usgs-waterml1-*"},
		"airquality.yaml": {"openaq-v1": "airquality/openaq-v1-*", "openaq-v3": "airquality/openaq-v3-*", "purpleair": "airquality/purpleair-*", "airrohr": "airquality/sensor-community-*"},
		"replay-incidents.yaml": {"montgomery-911": "replay-incidents/montgomery-*", "chicago": "replay-incidents/chicago-*", "cincinnati": "replay-incidents/cincinnati-*",
			"san-francisco": "replay-incidents/sanfrancisco-*", "nyc-311": "replay-incidents/nyc-311-*"},
		"replay-other.yaml": {"lille-bikes": "replay-other/lille-*"},
		"replay-gps.yaml": {"liverpool-bus": "replay-gps/liverpool-*", "wmata-bus": "replay-gps/wmata-bus-avl-*", "wmata-bus-8062": "replay-gps/wmata-bus-8062-*",
			"edinburgh-vehicles": "vehicles-other/edinburgh-*"},
	} {
		all := shipped(t, file)
		if len(all) != len(feedsOf) {
			t.Errorf("%s: %d feeds, the test knows %d", file, len(all), len(feedsOf))
		}
		for name, pattern := range feedsOf {
			t.Run(name, func(t *testing.T) {
				c, ok := all[name]
				if !ok {
					t.Fatal("no such feed")
				}
				format, err := formats.New(c.Format, c.formatOptions())
				if err != nil {
					t.Fatal(err)
				}
				feedtest.Golden(t, asFeed{c, format, nil}, feedtest.Recorded(t, pattern))
				for _, recorded := range feedtest.Recorded(t, pattern) {
					if body := feedtest.Read(t, recorded); len(body) < 200<<10 { // the contract reads it many times over
						feedtest.Contract(t, asFeed{c, format, nil}, body)
					}
				}
			})
		}
	}
}
