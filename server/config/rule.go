package config

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/server/strict"
)

// RuleFaults is what is wrong with one rule that was sent or kept. The path of each is the rule's key alone; lines count from the text's first.
type RuleFaults struct {
	Faults
	reader *strict.Reader
	prefix string
}

// RuleAsk is what is asked of one rule.
type RuleAsk struct {
	Rule     rules.Rule
	Config   json.RawMessage // the rule as it was written, by the keys of the configuration file
	Version  int64           // of what it was made of; 0: there is none
	From, To time.Time       // of a back-test
}

// ReadRuleChange reads {"config": the rule, "version": what it was made of}, as strictly as the file; id is the address's.
func ReadRuleChange(text []byte, id string) (RuleAsk, *RuleFaults) {
	var in struct {
		Config  rules.Rule `yaml:"config"`
		Version int64      `yaml:"version"`
	}
	r := &RuleFaults{reader: strict.New(""), prefix: "config."}
	r.reader.Read(text, &in)
	r.take()
	out := RuleAsk{Rule: in.Config, Version: in.Version, Config: r.raw(text, "config")}
	switch in.Config.ID {
	case "":
		out.Rule.ID = id
	case id:
	default:
		r.Add("id", fmt.Sprintf("%q is not the id in the address, %q", in.Config.ID, id))
	}
	return out, r
}

// ReadBackTest reads {"rule": the rule, "from", "to"}, as strictly as the file.
func ReadBackTest(text []byte) (RuleAsk, *RuleFaults) {
	var in struct {
		Rule rules.Rule `yaml:"rule"`
		From string     `yaml:"from"`
		To   string     `yaml:"to"`
	}
	r := &RuleFaults{reader: strict.New(""), prefix: "rule."}
	r.reader.Read(text, &in)
	r.take()
	out := RuleAsk{Rule: in.Rule, Config: r.raw(text, "rule")}
	for _, t := range []struct {
		key, text string
		to        *time.Time
	}{{"from", in.From, &out.From}, {"to", in.To, &out.To}} {
		var err error
		if *t.to, err = time.Parse(time.RFC3339Nano, t.text); err != nil {
			r.Faults = append(r.Faults, Fault{Path: t.key, Text: fmt.Sprintf("%.40q is no time such as 2026-11-27T06:00:00Z", t.text), Line: r.reader.Locate(t.key).Line})
		}
	}
	if out.Rule.ID == "" {
		out.Rule.ID = "draft"
	}
	return out, r
}

// ReadRule reads a rule as it was kept.
func ReadRule(text []byte, id string) (rules.Rule, *RuleFaults) {
	var out rules.Rule
	r := &RuleFaults{reader: strict.New("")}
	r.reader.Read(text, &out)
	r.take()
	if out.ID == "" {
		out.ID = id
	}
	return out, r
}

// take gives the reader's faults the paths of the rule's keys.
func (r *RuleFaults) take() {
	for _, f := range r.reader.Faults {
		f.Path = strings.TrimPrefix(f.Path, r.prefix)
		r.Faults = append(r.Faults, f)
	}
}

// raw is the part of a JSON text under a key. A rule is sent as JSON; what is YAML only is kept nowhere.
func (r *RuleFaults) raw(text []byte, key string) json.RawMessage {
	var all map[string]json.RawMessage
	if err := json.Unmarshal(text, &all); err != nil && len(r.Faults) == 0 {
		r.Faults = append(r.Faults, Fault{Text: "the body is no JSON: " + err.Error()})
	}
	return all[key]
}

// Add adds a fault at a key, unless that key is known to be wrong already.
func (r *RuleFaults) Add(key, text string) {
	for _, f := range r.Faults {
		if key != "" && (f.Path == key || strings.HasPrefix(f.Path, key+".") || strings.HasPrefix(f.Path, key+"[")) {
			return
		}
	}
	at := r.reader.Locate(r.prefix + key)
	r.Faults = append(r.Faults, Fault{Path: key, Text: text, Line: at.Line, Column: at.Column})
}

// Check compiles the rule by itself, and adds what is wrong with it.
func (r *RuleFaults) Check(rule rules.Rule, places rules.Places) {
	if _, err := rules.Compile([]rules.Rule{rule}, places); err != nil {
		for _, f := range findings(rule.ID, err) {
			r.Add(f.key, f.text)
		}
	}
}

// Define adds what the definition of an alarm lacks: without it a rule cannot be switched on (INTERFACES, section 3).
func (r *RuleFaults) Define(rule rules.Rule) {
	if !rule.On() || rule.Regrade != nil {
		return
	}
	for _, f := range []struct {
		key     string
		missing bool
	}{
		{"consequence", rule.Consequence == ""}, {"response", rule.Response == ""}, {"act_within", rule.ActWithin == 0},
		{"owner", rule.Owner == ""}, {"review", rule.Review == ""},
	} {
		if f.missing {
			r.Add(f.key, "is required of a rule that is switched on: what happens if nobody acts, what to do, within which time, who answers for it, and when it is looked at again")
		}
	}
	if _, err := time.Parse(time.DateOnly, rule.Review); err != nil && rule.Review != "" {
		r.Add("review", fmt.Sprintf("%.40q is no date such as 2027-06-01", rule.Review))
	}
}

// ReadRules reads the rules of a text: a whole configuration, or one that holds only rules, or a list of them. Every fault has its line; faults of
// other parts of a configuration are not told.
func ReadRules(source string, text []byte, places rules.Places) ([]rules.Rule, Faults) {
	r := strict.New(source)
	var all []rules.Rule
	prefix := "rules"
	if shapeOf(string(text)) == "list" {
		prefix = ""
		r.Read(text, &all)
	} else {
		cfg := Default()
		r.Read(text, &cfg)
		all = cfg.Rules
	}
	faults := r.Faults
	r.Faults = nil
	for _, f := range faults {
		if prefix == "" || f.Path == "" || strings.HasPrefix(f.Path, prefix) {
			r.Faults = append(r.Faults, f)
		}
	}
	c := &checker{Reader: r}
	c.list(prefix, all, places)
	if len(all) == 0 && len(r.Faults) == 0 {
		r.Faults = append(r.Faults, Fault{Source: source, Text: "holds no rules"})
	}
	return all, r.Faults.Sorted()
}
