package runner

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"kentongan/feeds"
	"kentongan/feeds/feedtest"
	"kentongan/feeds/formats"
)

// shipped reads the feeds of a file of deploy/feeds.
func shipped(t *testing.T, name string) map[string]FeedConfig {
	t.Helper()
	var file struct {
		Feeds []map[string]any `yaml:"feeds"`
	}
	if err := yaml.Unmarshal(feedtest.Read(t, filepath.Join(feedtest.Root(t), "deploy", "feeds", name)), &file); err != nil {
		t.Fatal(err)
	}
	out := map[string]FeedConfig{}
	for _, one := range file.Feeds {
		c := DefaultConfig()
		text, err := yaml.Marshal(one)
		if err == nil {
			err = yaml.UnmarshalWithOptions(text, &c, yaml.Strict())
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, fault := range c.Validate() {
			t.Errorf("%s: feed %s: %v", name, c.Name, fault)
		}
		out[c.Name] = c
	}
	return out
}

// A vehicle without a fix stands at the origin of the British grid, as others stand at 0,0; one without a time has that of receipt.
func TestVehiclesAtTheOriginOfTheGrid(t *testing.T) {
	c := shipped(t, "replay-gps.yaml")["edinburgh-vehicles"]
	format, err := formats.New(c.Format, c.formatOptions())
	if err != nil {
		t.Fatal(err)
	}
	vehicle := func(id, lat, lng, at string) string {
		return `{"vehicleID":"` + id + `","coordinate":{"latitude":` + lat + `,"longitude":` + lng + `},"lastUpdated":` + at + `,"bearing":10}`
	}
	body := `{"vehicles":[` + vehicle("1", "49.766807", "-7.557159", "null") + "," + vehicle("2", "55.95", "-3.2", `"2026-07-01T12:00:00"`) + "," +
		vehicle("3", "55.95", "-3.2", "null") + "," + vehicle("4", "null", "null", "null") + `]}`
	b, err := format.Decode([]byte(body), feedtest.Meta())
	feedtest.Check(t, b, err)
	if err != nil || len(b.Positions) != 2 || len(b.Ignored) != 2 || b.Positions[0].Unit != "2" || b.Positions[0].At.String() != "2026-07-01T11:00:00.000Z" || !b.Positions[1].At.Equal(feedtest.Meta().ReceivedAt) {
		t.Errorf("%+v, %v", b, err)
	}
}

// What the recorded files do not show of their producers' habits.
func TestShippedMapsAndHabits(t *testing.T) {
	register := filepath.Join(t.TempDir(), "sensors.csv")
	if err := os.WriteFile(register, []byte("thing,lat,lng,name\n12041741,-0.8,100.6,Balai kota\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file, feed, body string
		check            func(o feeds.Observation) bool
	}{
		{"river.yaml", "ea-level", `{"items":[{"value":[0.4,0.3],"dateTime":"2026-08-20T02:00:00Z","measure":{"parameter":"level","unitName":"mAOD","stationReference":"1"}}]}`,
			func(o feeds.Observation) bool {
				return o.Value.Num == 0.4 && o.Property == "water_level_above_datum" && o.Unit == "m"
			}},
		{"river.yaml", "nwis", `{"value":{"timeSeries":[{"sourceInfo":{"siteName":"X","siteCode":[{"value":"01"}],"geoLocation":{"geogLocation":{"latitude":40.1,"longitude":-87.6}}},"variable":
			{"variableCode":[{"value":"00065"}],"noDataValue":-999999.0},"values":[{"value":[{"value":"-999999","dateTime":"2018-01-24T00:00:00.000-05:00"},{"value":"3.5","dateTime":"2018-01-24T00:15:00.000-05:00"}]}]}]}}`,
			func(o feeds.Observation) bool { return o.Value.Num == 3.5 && o.Placed && o.Property == "water_level" }},
		{"airquality.yaml", "openaq-v1", `{"results":[{"country":"SE","city":"Växjö","location":"\tDalbo","coordinates":null,"measurements":[{"parameter":"pm10","value":-999,"unit":"µg/m³","lastUpdated":"2020-03-21T08:00:00Z"},
			{"parameter":"o3","value":-99,"unit":"µg/m³","lastUpdated":"2020-03-21T08:00:00Z"},{"parameter":"pm25","value":12,"unit":"µg/m³","lastUpdated":"2016-03-21T08:00:00Z"}]}]}`,
			func(o feeds.Observation) bool {
				return o.Thing == "SE/Växjö/Dalbo" && o.Property == "pm25" && o.Unit == "ug/m3" && !o.Placed && o.At.Year() == 2016
			}},
		{"airquality.yaml", "purpleair", `{"data_time_stamp":1667503531,"fields":["sensor_index","name","latitude","longitude","pm2.5"],"data":[[7,"x",-0.8,100.6,12.5]]}`,
			func(o feeds.Observation) bool {
				return o.Thing == "7" && o.Property == "pm25" && o.Value.Num == 12.5 && o.Placed && o.At.Milli() == 1667503531000
			}},
		{"airquality.yaml", "airrohr", `{"esp8266id":12041741,"sensordatavalues":[{"value_type":"SDS_P2","value":"17.00"}]}`,
			func(o feeds.Observation) bool {
				return o.Placed && o.Name == "Balai kota" && o.Value.Num == 17 && o.Quality == feeds.Received && o.Kind == "air_quality"
			}},
	} {
		t.Run(c.feed, func(t *testing.T) {
			config := shipped(t, c.file)[c.feed]
			config.Transport, config.URL, config.Register = Push, "", register
			s := &store{}
			r, err := New([]FeedConfig{config}, s, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := r.Deliver(t.Context(), c.feed, []byte(c.body), feeds.Meta{}); err != nil {
				t.Fatal(err)
			}
			if len(s.batches) != 1 || len(s.batches[0].Observations) != 1 || !c.check(s.batches[0].Observations[0]) {
				t.Errorf("got %+v", s.batches)
			}
		})
	}
}

func TestMapAndRegisterFaultsNameTheirKeys(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.csv")
	if err := os.WriteFile(bad, []byte("thing,lat,lng\na,1,\nb,0,0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change func(*FeedConfig)
		want   []string
	}{
		{func(c *FeedConfig) { c.Map = "." }, []string{"map: only a feed with format csv, geojson, json or xml has one"}},
		{func(c *FeedConfig) { c.Format = "json" }, []string{"map: a jq program is required"}},
		{func(c *FeedConfig) { c.Format, c.Map = "json", "env | now" }, []string{"map: env: ", "map: now: "}},
		{func(c *FeedConfig) {
			c.Format, c.Map, c.Options = "csv", ".", map[string]any{"delimiter": "", "each": "."}
		}, []string{"options.delimiter: ", "options.each: "}},
		{func(c *FeedConfig) { c.Options = map[string]any{"depth": 1} }, []string{"options: native: option \"depth\""}},
		{func(c *FeedConfig) { c.Format, c.Options = "json", map[string]any{"map": "."} }, []string{"options: map stands beside options"}},
		{func(c *FeedConfig) { c.Register = bad }, []string{"register: " + bad + " line 2: ", "register: " + bad + " line 3: "}},
		{func(c *FeedConfig) { c.Register = bad + ".gone" }, []string{"register: "}},
		{func(c *FeedConfig) { c.Format, c.Map, c.Options = "json", "{thing: .a}", map[string]any{"each": ".[]"} }, nil},
	} {
		faults := entry("ok", c.change).Validate()
		var got []string
		for _, f := range faults {
			got = append(got, f.Error())
		}
		if len(got) != len(c.want) {
			t.Errorf("faults %q, want %q", got, c.want)
			continue
		}
		found := strings.Join(got, "\n")
		for _, want := range c.want {
			if !strings.Contains(found, want) {
				t.Errorf("%q do not say %q", got, want)
			}
		}
	}
}
