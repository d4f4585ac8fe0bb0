package ruletest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"kentongan/alerts/rules"
)

// document is one file of tests.
type document struct {
	RulesFile string       `yaml:"rules_file"` // a configuration or a list of rules, beside the file of tests
	Rules     []rules.Rule `yaml:"rules"`      // or written here
	Start     string       `yaml:"start"`      // RFC 3339; empty: 2026-03-02T00:00:00Z, a Monday
	Tests     []test       `yaml:"tests"`
}

// test is one case. Every time is counted from the start.
type test struct {
	Name    string        `yaml:"name"`
	Things  []thing       `yaml:"things"`
	Series  []seriesSpec  `yaml:"series"`
	Reports []reportSpec  `yaml:"reports"`
	Alerts  []alertSpec   `yaml:"alerts"`
	Expect  []expectation `yaml:"expect"`
	Not     []denial      `yaml:"not"`
	Others  string        `yaml:"others"` // "allowed": alerts that expect does not name are no failure
	Until   time.Duration `yaml:"until"`  // when the case ends; 0: a minute after the last time it names
}

// thing says what is known of a Thing; one that is only named in a series has its id for a name and no place.
type thing struct {
	ID   string   `yaml:"id"`
	Kind string   `yaml:"kind"`
	Name string   `yaml:"name"`
	Lng  *float64 `yaml:"lng"`
	Lat  *float64 `yaml:"lat"`
}

// seriesSpec is the readings of one property of one Thing.
type seriesSpec struct {
	Thing     string        `yaml:"thing"`
	Property  string        `yaml:"property"`
	Unit      string        `yaml:"unit"`
	Values    string        `yaml:"values"`    // 2.8+0.1x10 every 1m
	Positions string        `yaml:"positions"` // 100.60,-0.80 to 100.70,-0.80 x10 every 1m
	From      time.Duration `yaml:"from"`
	Delay     time.Duration `yaml:"delay"` // how much later than its own time each reading arrives
}

// reportSpec is a report of a citizen or an officer.
type reportSpec struct {
	ID      string        `yaml:"id"`
	At      time.Duration `yaml:"at"`
	Delay   time.Duration `yaml:"delay"`
	Type    string        `yaml:"type"`
	Code    string        `yaml:"code"`
	Channel string        `yaml:"channel"`
	Text    string        `yaml:"text"`
	Lng     *float64      `yaml:"lng"`
	Lat     *float64      `yaml:"lat"`
}

// alertSpec is an agency's alert.
type alertSpec struct {
	ID         string            `yaml:"id"`
	At         time.Duration     `yaml:"at"`
	Delay      time.Duration     `yaml:"delay"`
	Event      string            `yaml:"event"`
	Headline   string            `yaml:"headline"`
	Sender     string            `yaml:"sender"`
	Severity   string            `yaml:"severity"`
	Urgency    string            `yaml:"urgency"`
	Certainty  string            `yaml:"certainty"`
	Category   string            `yaml:"category"`
	Parameters map[string]string `yaml:"parameters"`
	Lng        *float64          `yaml:"lng"`
	Lat        *float64          `yaml:"lat"`
}

// expectation is one alert that must be raised, or one agency's alert that must be graded anew.
type expectation struct {
	Rule   string         `yaml:"rule"`
	On     string         `yaml:"on"`     // the Thing or the cell; empty: any one
	At     *time.Duration `yaml:"at"`     // when it is raised; empty: whenever
	Clears *time.Duration `yaml:"clears"` // when it clears; empty: whenever, or not at all
	Give   time.Duration  `yaml:"give"`   // how far off either time may be

	Alert     string `yaml:"alert"` // id of the agency's alert that the rule grades anew
	Severity  string `yaml:"severity"`
	Urgency   string `yaml:"urgency"`
	Certainty string `yaml:"certainty"`
}

// denial is one alert that must not be raised.
type denial struct {
	Rule   string         `yaml:"rule"`
	On     string         `yaml:"on"`
	Before *time.Duration `yaml:"before"` // only earlier than this
	After  *time.Duration `yaml:"after"`  // only later than this
}

// loaded is a file that was read, and where each part of it stands.
type loaded struct {
	document
	path string
	tree *ast.File
	list []rules.Rule
	zero time.Time
}

// ErrFile marks a file that is no file of tests.
var ErrFile = errors.New("not a file of rule tests")

func load(path string) (*loaded, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	l := &loaded{path: path}
	if l.tree, err = parser.ParseBytes(b, 0); err == nil {
		err = yaml.UnmarshalWithOptions(b, &l.document, yaml.Strict())
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %s", ErrFile, path, yaml.FormatError(err, false, true))
	}
	if l.zero, err = startOf(l.Start); err != nil {
		return nil, fmt.Errorf("%w: %s:%d: start: %w", ErrFile, path, l.line("$.start"), err)
	}
	switch {
	case l.RulesFile != "" && len(l.Rules) > 0:
		return nil, fmt.Errorf("%w: %s:%d: rules_file and rules: want one of them", ErrFile, path, l.line("$.rules_file"))
	case l.RulesFile != "":
		if l.list, err = LoadRules(filepath.Join(filepath.Dir(path), filepath.FromSlash(l.RulesFile))); err != nil {
			return nil, fmt.Errorf("%w: %s:%d: rules_file: %w", ErrFile, path, l.line("$.rules_file"), err)
		}
	case len(l.Rules) > 0:
		l.list = l.Rules
	default:
		return nil, fmt.Errorf("%w: %s: want rules_file or rules", ErrFile, path)
	}
	if len(l.Tests) == 0 {
		return nil, fmt.Errorf("%w: %s: it has no tests", ErrFile, path)
	}
	return l, nil
}

func startOf(text string) (time.Time, error) {
	if text == "" {
		return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%.40q: want RFC 3339, such as 2026-03-02T00:00:00Z", text)
	}
	return t.UTC(), nil
}

// line is where a part of the file stands; 0 where it is not written.
func (l *loaded) line(path string) int {
	p, err := yaml.PathString(path)
	if err != nil {
		return 0
	}
	n, err := p.FilterFile(l.tree)
	if err != nil || n == nil || n.GetToken() == nil {
		return 0
	}
	if m, ok := n.(*ast.MappingNode); ok && len(m.Values) > 0 { // the token of a mapping is the colon behind its first key
		return m.Values[0].Key.GetToken().Position.Line
	}
	return n.GetToken().Position.Line
}

// LoadRules reads rules from a configuration (its key rules) or from a file that is a list of rules. Unknown keys are errors, with their line.
func LoadRules(path string) ([]rules.Rule, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	tree, err := parser.ParseBytes(b, 0)
	if err != nil {
		return nil, fmt.Errorf("%s: %s", path, yaml.FormatError(err, false, true))
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil, fmt.Errorf("%s: it is empty", path)
	}
	node := tree.Docs[0].Body
	if node.Type() != ast.SequenceType {
		p, err := yaml.PathString("$.rules")
		if err == nil {
			node, err = p.FilterFile(tree)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: it has no key rules, and is no list of rules", path)
		}
	}
	var list []rules.Rule
	if err := yaml.NodeToValue(node, &list, yaml.Strict()); err != nil {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	return list, nil
}
