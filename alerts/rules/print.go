package rules

import (
	"encoding/json"
	"fmt"
	"strings"
)

// printOf writes down all that a rule does: two rules with equal prints are one.
func printOf(r *Rule, area *shape) string {
	b, err := json.Marshal(struct {
		Rule          *Rule
		For, ClearFor any
		Corroborate   *Corroborate
		Rate          *Rate
		Absence       *Absence
		Count         *Count
		Fence         *Fence
		Anomaly       *Anomaly
		On            bool
		Samples       int
		Area          *shape
	}{r, r.For, r.ClearFor, r.Corroborate, r.Rate, r.Absence, r.Count, r.Fence, r.Anomaly, r.On(), r.sampled(), area})
	if err != nil { // a rule holds nothing that JSON does not know, but numbers that are none
		return fmt.Sprintf("%+v", r)
	}
	return string(b)
}

func containsAny(s string, parts ...string) bool {
	for _, p := range parts {
		if strings.Contains(s, p) {
			return true
		}
	}
	return false
}
