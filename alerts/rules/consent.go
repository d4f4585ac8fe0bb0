package rules

import (
	"fmt"

	"cel.dev/cel-go/cel"

	"kentongan/alerts"
)

// Consent is one entry of a profile's list of agency alerts that open an incident.
type Consent struct {
	ID       string        `json:"id" yaml:"id"`
	When     string        `json:"when" yaml:"when"` // CEL over alert and quake, see consentEnv
	Incident IncidentBlock `json:"incident" yaml:"incident"`
}

// Consents is a checked list.
type Consents struct {
	list []consent
}

type consent struct {
	Consent
	when cel.Program
}

// consentEnv is what a consent sees. Without an earthquake quake.known is false and its numbers are 0; quake.felt_known tells that an
// intensity was reported inside our area.
func consentEnv() (*cel.Env, error) {
	return newEnv(
		cel.Variable("alert.event", cel.StringType),
		cel.Variable("alert.headline", cel.StringType),
		cel.Variable("alert.severity", cel.StringType),
		cel.Variable("alert.urgency", cel.StringType),
		cel.Variable("alert.certainty", cel.StringType),
		cel.Variable("alert.category", cel.StringType),
		cel.Variable("alert.sender", cel.StringType),
		cel.Variable("alert.relevant", cel.BoolType),
		cel.Variable("alert.parameters", cel.MapType(cel.StringType, cel.StringType)),
		cel.Variable("quake.known", cel.BoolType),
		cel.Variable("quake.mmi_here", cel.IntType),
		cel.Variable("quake.magnitude", cel.DoubleType),
		cel.Variable("quake.depth_km", cel.DoubleType),
		cel.Variable("quake.distance_km", cel.DoubleType),
		cel.Variable("quake.felt_known", cel.BoolType),
	)
}

// CompileConsents checks a list; the errors are joined, each with its entry's id and CEL's position.
func CompileConsents(list []Consent) (*Consents, error) {
	env, err := consentEnv()
	if err != nil {
		return nil, err
	}
	out := &Consents{}
	seen := map[string]bool{}
	for _, c := range list {
		if c.ID == "" || seen[c.ID] {
			return nil, fmt.Errorf("%w: consent %q: id is empty or used twice", ErrRule, c.ID)
		}
		seen[c.ID] = true
		if errs := c.Incident.validate(); len(errs) > 0 {
			return nil, fmt.Errorf("%w: consent %q: %w", ErrRule, c.ID, errs[0])
		}
		when, _, err := compile(env, c.When)
		if err != nil {
			return nil, fmt.Errorf("%w: consent %q: when: %w", ErrRule, c.ID, err)
		}
		out.list = append(out.list, consent{c, when})
	}
	return out, nil
}

// Match gives the first entry that an alert meets.
func (c *Consents) Match(a *alerts.Alert) (*Consent, bool) {
	if c == nil {
		return nil, false
	}
	vars := consentVars(a)
	for i := range c.list {
		v, _, err := c.list[i].when.Eval(vars)
		if err != nil {
			continue
		}
		if b, ok := v.Value().(bool); ok && b {
			return &c.list[i].Consent, true
		}
	}
	return nil, false
}

func consentVars(a *alerts.Alert) map[string]any {
	parameters := a.Parameters
	if parameters == nil {
		parameters = map[string]string{}
	}
	v := map[string]any{
		"alert.event": a.Event, "alert.headline": a.Headline, "alert.severity": string(a.Severity), "alert.urgency": a.Urgency,
		"alert.certainty": a.Certainty, "alert.category": a.Category, "alert.sender": a.Sender, "alert.relevant": a.Relevant,
		"alert.parameters": parameters, "quake.known": a.Quake != nil, "quake.mmi_here": 0, "quake.magnitude": 0.0, "quake.depth_km": 0.0,
		"quake.distance_km": 0.0, "quake.felt_known": false,
	}
	if q := a.Quake; q != nil {
		v["quake.mmi_here"], v["quake.distance_km"], v["quake.depth_km"] = q.MMIHere, q.DistanceKm, q.DepthKm
		v["quake.felt_known"] = q.MMIHere > 0
		if q.Magnitude != nil {
			v["quake.magnitude"] = *q.Magnitude
		}
	}
	return v
}
