package rules

// Kind is what a rule looks for.
type Kind string

// The kinds of rules; each has its block, a threshold has none.
const (
	KindThreshold Kind = "threshold"
	KindRate      Kind = "rate"
	KindAbsence   Kind = "absence"
	KindCount     Kind = "count"
	KindFence     Kind = "fence"
	KindAnomaly   Kind = "anomaly"
	KindRegrade   Kind = "regrade"
	KindFault     Kind = "fault" // the built-in rule, and the one that replaces it
)

// Kind of the rule.
func (r *Rule) Kind() Kind {
	if r.ID == FaultRule {
		return KindFault
	}
	if k := r.kinds(); len(k) > 0 {
		return k[0]
	}
	return KindThreshold
}

// kinds lists the blocks that are written.
func (r *Rule) kinds() []Kind {
	var out []Kind
	for _, b := range []struct {
		written bool
		kind    Kind
	}{
		{r.Rate != nil, KindRate}, {r.Absence != nil, KindAbsence}, {r.Count != nil, KindCount}, {r.Fence != nil, KindFence},
		{r.Anomaly != nil, KindAnomaly}, {r.Regrade != nil, KindRegrade},
	} {
		if b.written {
			out = append(out, b.kind)
		}
	}
	return out
}

// On tells a rule that is switched on.
func (r *Rule) On() bool { return r.Enabled == nil || *r.Enabled }

// sampled is how many consecutive readings must agree: a rule on instruments wants two, one on places or silence one.
func (r *Rule) sampled() int {
	switch {
	case r.Samples > 0:
		return r.Samples
	case r.Kind() == KindThreshold || r.Kind() == KindRate || r.Kind() == KindAnomaly:
		return DefaultSamples
	}
	return 1
}
