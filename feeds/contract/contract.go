// Package contract is what a feed is expected to say: a profile that is learned or declared, and the verdict on a delivery that breaks it; pure.
//
// A delivery is read once into figures (sample.go); Judge holds the figures against the Profile and gives findings a person can read; a Watch
// joins both for one feed, and knows that a feed of single readings must be judged over several deliveries. Nothing here touches a network, a
// store or a clock.
package contract

import (
	"fmt"
	"math"
	"slices"

	"kentongan/geo"
)

// Config is what an operator declares of a feed (contract: in a feed's entry). Its zero value learns everything from what comes.
type Config struct {
	Off        bool                `yaml:"off" json:"off,omitempty"`               // judge nothing
	Learn      *bool               `yaml:"learn" json:"learn,omitempty"`           // false: judge only what is declared
	Properties map[string]Property `yaml:"properties" json:"properties,omitempty"` // by ObservedProperty
	Things     Span                `yaml:"things" json:"things,omitzero"`          // Things in one delivery
	Items      Span                `yaml:"items" json:"items,omitzero"`            // items in one delivery
	Bbox       []float64           `yaml:"bbox" json:"bbox,omitempty"`             // west, south, east, north
}

// Property is what is declared of a property.
type Property struct {
	Unit     string   `yaml:"unit" json:"unit,omitempty"` // UCUM; empty: any
	Min      *float64 `yaml:"min" json:"min,omitempty"`   // what physics allows, not what is usual: a flood must fit
	Max      *float64 `yaml:"max" json:"max,omitempty"`
	Required bool     `yaml:"required" json:"required,omitempty"` // every Thing sends it
}

// Span bounds a count; 0 is no bound.
type Span struct {
	Min int `yaml:"min" json:"min,omitempty"`
	Max int `yaml:"max" json:"max,omitempty"`
}

// Fault is one fault of a Config; Key is the place below contract.
type Fault struct{ Key, Reason string }

// Validate gives every fault.
func (c Config) Validate() []Fault {
	var out []Fault
	fault := func(bad bool, key, reason string) {
		if bad {
			out = append(out, Fault{key, reason})
		}
	}
	for _, name := range sortedKeys(c.Properties) {
		p, key := c.Properties[name], "properties."+name
		fault(name == "", key, "a property without a name")
		fault(p.Min != nil && p.Max != nil && *p.Min > *p.Max, key, "min is more than max")
		fault(p.Min != nil && math.IsNaN(*p.Min) || p.Max != nil && math.IsNaN(*p.Max), key, "min and max are numbers")
	}
	for key, s := range map[string]Span{"things": c.Things, "items": c.Items} {
		fault(s.Min < 0 || s.Max < 0 || s.Max > 0 && s.Min > s.Max, key, fmt.Sprintf("min %d and max %d: want 0 or more, min not above max", s.Min, s.Max))
	}
	if len(c.Bbox) > 0 {
		b, ok := c.bound()
		fault(!ok, "bbox", "want four numbers: west, south, east, north")
		if ok {
			if err := b.Validate(); err != nil {
				fault(true, "bbox", err.Error())
			}
		}
	}
	return out
}

func (c Config) bound() (geo.Bound, bool) {
	if len(c.Bbox) != 4 {
		return geo.Bound{}, false
	}
	return geo.Bound{West: c.Bbox[0], South: c.Bbox[1], East: c.Bbox[2], North: c.Bbox[3]}, true
}

func (c Config) learns() bool { return c.Learn == nil || *c.Learn }

func sortedKeys[V any](m map[string]V) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}
