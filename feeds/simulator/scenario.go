package simulator

import (
	"embed"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"

	"kentongan/geo"
)

//go:embed scenarios
var files embed.FS

// Scenario is a disaster as data: what happens, in times from its beginning. It says nothing of what should be noticed; that stands in
// its truth, which the model never reads.
type Scenario struct {
	ID       string            `yaml:"id"`
	Names    map[string]string `yaml:"names"` // by language
	About    map[string]string `yaml:"about"`
	Duration time.Duration     `yaml:"duration"`

	Rains []struct {
		At, For, Rise time.Duration
		Over          string  // a spot
		Peak          float64 // mm/h
		Radius        float64 // km
	} `yaml:"rains"`
	Waves []struct {
		At     time.Duration
		From   string  // a gauge of the first river
		Above  float64 // km upstream of it
		Volume float64 // m3
		Speed  float64 // m/s
	} `yaml:"waves"`
	Floods []struct {
		At, For time.Duration
		On      string // a spot on a road
		Depth   float64
	} `yaml:"floods"`
	Blocks []struct {
		At, For time.Duration
		On      string
	} `yaml:"blocks"`
	Quakes []struct {
		At        time.Duration
		On        string
		Depth     float64 // km
		Magnitude float64
	} `yaml:"quakes"`
	Plumes []struct {
		At, For time.Duration
		Rate    float64
	} `yaml:"plumes"`
	Cuts []struct {
		At, For time.Duration
		Around  string
		Km      float64
	} `yaml:"cuts"`
	Shifts []struct {
		At       time.Duration
		Property string
		Factor   float64
	} `yaml:"shifts"`
	Chase []struct{ At time.Duration } `yaml:"chase"`
	Trips []struct {
		At, Stay time.Duration
		Role     role
		To       string
	} `yaml:"trips"`
	Alerts  []alertOf  `yaml:"alerts"`
	Reports []reportOf `yaml:"reports"`
}

// alertOf is what an agency publishes. With quake it is about that shock (numbered from 1), whose solution it carries.
type alertOf struct {
	At          time.Duration
	Expires     time.Duration // after At
	Sender      string
	SenderName  string `yaml:"sender_name"`
	Event       string
	Category    string
	Urgency     string
	Severity    string
	Certainty   string
	Headline    string
	Description string
	Instruction string
	Over        string  // a spot
	Radius      float64 // km; 0: the spot alone
	Quake       int
}

// reportOf is what citizens send.
type reportOf struct {
	At      time.Duration
	Near    string
	Channel string
	Type    string
	Text    string
}

// Scenarios lists what can be run, in the order in which screens show them.
func Scenarios() []Scenario {
	out := make([]Scenario, 0, len(scenarioNames))
	for _, name := range scenarioNames {
		s, err := scenario(name)
		if err != nil {
			panic(err) // embedded, and held by a test
		}
		out = append(out, s)
	}
	return out
}

var scenarioNames = []string{"galodo", "ashfall", "quake", "truck"}

// Known tells whether there is a scenario of that name.
func Known(name string) bool { return slices.Contains(scenarioNames, name) }

func scenario(name string) (Scenario, error) {
	var s Scenario
	return s, read("scenarios/"+name+".yaml", &s)
}

func read(file string, into any) error {
	text, err := files.ReadFile(file)
	if err != nil {
		return err
	}
	if err := yaml.UnmarshalWithOptions(text, into, yaml.Strict()); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}

// spot is a place that a scenario names.
type spot struct {
	name string
	pos  geo.Position
	road int // -1: on none
	km   float64
}

// spot finds a place by its word, so that one scenario plays anywhere:
//
//	slope            where the first river rises, on the volcano
//	crater, crash    of the volcano; where the truck ends
//	fault@0.5        so far along the fault
//	gauge:1          the n-th gauge of the first river, from upstream
//	valley:1         the valley's road where it is nearest to that gauge
//	town:3           the n-th town; where there are fewer, the count goes round
func (c *City) spot(word string) (spot, error) {
	head, arg, _ := strings.Cut(word, ":")
	head, share, _ := strings.Cut(head, "@")
	n, _ := strconv.Atoi(arg)
	river := &c.land.rivers[0]
	switch head {
	case "slope":
		return spot{"lereng " + c.land.volcano.Name, river.line.points[0], -1, 0}, nil
	case "crater":
		return spot{c.land.volcano.Name, c.land.volcano.Position, -1, 0}, nil
	case "crash":
		w := &c.land.roads[c.land.descent.road]
		return spot{w.name + " (turunan)", c.along(&w.line, c.crash()), c.land.descent.road, c.crash()}, nil
	case "fault":
		x, err := strconv.ParseFloat(share, 64)
		if err != nil {
			return spot{}, fmt.Errorf("spot %q: %w", word, err)
		}
		p := c.along(&c.land.fault, x*c.land.fault.length())
		return spot{c.near(p), p, -1, 0}, nil
	case "gauge", "valley":
		if n < 1 || n > len(river.gauges) {
			return spot{}, fmt.Errorf("spot %q: %s has %d gauges", word, river.name, len(river.gauges))
		}
		g := river.gauges[n-1]
		p := c.along(&river.line, g.km)
		if head == "gauge" {
			return spot{g.name, p, -1, g.km}, nil
		}
		w := &c.land.roads[c.land.valley]
		km := w.line.nearest(p)
		at := c.along(&w.line, km)
		return spot{w.name + " dekat " + c.near(at), at, c.land.valley, km}, nil
	case "town":
		if n < 1 {
			return spot{}, fmt.Errorf("spot %q: towns are numbered from 1", word)
		}
		t := c.land.towns[(n-1)%len(c.land.towns)]
		road, km := c.onRoad(t.Position)
		return spot{t.Name, t.Position, road, km}, nil
	}
	return spot{}, fmt.Errorf("spot %q is none of slope, crater, crash, fault@x, gauge:n, valley:n, town:n", word)
}
