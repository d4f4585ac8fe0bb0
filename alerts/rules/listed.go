package rules

import "time"

// Listed is a rule as GET /rules shows it.
type Listed struct {
	Rule
	ForS         float64  `json:"for_s"`
	ActWithinS   float64  `json:"act_within_s,omitempty"`
	ExpiresS     float64  `json:"expires_s"`
	MergeWindowS float64  `json:"merge_window_s,omitempty"`
	Source       string   `json:"source"` // file: read-only here
	State        string   `json:"state"`  // normal, pending, firing
	Firing       []string `json:"firing"` // Things on which it fires
	Warnings     []string `json:"warnings"`
	Undefined    bool     `json:"undefined"` // one of consequence, response, act_within, owner, review is missing
	Errors       int64    `json:"errors"`    // evaluations that ended in an error other than a missing or text value
}

// listed is the rule with its defaults filled in.
func listed(r *Rule) Listed {
	l := Listed{
		Rule: *r, ForS: r.For.Seconds(), ActWithinS: r.ActWithin.Seconds(), ExpiresS: r.Expiry().Seconds(), Source: "file", State: "normal",
		Firing: []string{}, Warnings: []string{},
	}
	if l.Samples == 0 {
		l.Samples = DefaultSamples
	}
	if r.Incident != nil {
		b := *r.Incident
		b.MergeRadiusM = b.Radius()
		l.Rule.Incident, l.MergeWindowS = &b, b.Window().Seconds()
	}
	for _, f := range []struct {
		key     string
		missing bool
	}{
		{"consequence", r.Consequence == ""}, {"response", r.Response == ""}, {"act_within", r.ActWithin == 0},
		{"owner", r.Owner == ""}, {"review", r.Review == ""},
	} {
		if f.missing {
			l.Undefined = true
			l.Warnings = append(l.Warnings, f.key+" is not written")
		}
	}
	return l
}

// Expiry is how long after its crossing the rule's alert expires.
func (r *Rule) Expiry() time.Duration {
	if r.Alert.Expires == 0 {
		return DefaultExpires
	}
	return r.Alert.Expires
}
