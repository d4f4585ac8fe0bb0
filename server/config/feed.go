package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"kentongan/feeds/runner"
	"kentongan/server/strict"
)

// ReadFeed reads the settings of one feed out of a text, YAML or JSON: a whole configuration or one that holds only feeds, a list of entries,
// or one entry. name picks it; empty: there must be one. The path of each fault is the feed's key alone; faults of other feeds are not
// told. The settings are what could be read, and are not checked beyond that.
func ReadFeed(source, text, name string) (runner.FeedConfig, *FeedFaults) {
	r := &FeedFaults{reader: strict.New(source)}
	r.reader.Base(reflect.TypeFor[runner.FeedConfig](), func() reflect.Value { return reflect.ValueOf(runner.DefaultConfig()) })
	var all []runner.FeedConfig
	prefix := "feeds"
	switch shapeOf(text) {
	case "list":
		prefix = ""
		r.reader.Read([]byte(text), &all)
	case "entry":
		one := runner.DefaultConfig()
		r.reader.Read([]byte(text), &one)
		r.Faults = r.reader.Faults
		if name != "" && one.Name != name {
			r.Add("name", fmt.Sprintf("there is no feed %q here", name))
		}
		return one, r
	default:
		cfg := Default()
		r.reader.Read([]byte(text), &cfg)
		all = cfg.Feeds
	}
	var names []string
	at := -1
	for i, f := range all {
		names = append(names, f.Name)
		switch {
		case name != "" && f.Name != name:
		case at >= 0 && name != "":
			r.Add("name", fmt.Sprintf("%q is given to two feeds", name))
		default:
			at = i
		}
	}
	picked := at >= 0 && (name != "" || len(all) == 1)
	if r.prefix, r.none = prefix, true; picked {
		r.prefix, r.none = fmt.Sprintf("%s[%d].", prefix, at), false
	}
	for _, f := range r.reader.Faults {
		inside, ours := strings.CutPrefix(f.Path, r.prefix)
		if !picked || ours || f.Path == "" || f.Path+"." == r.prefix || f.Path == "feeds" {
			f.Path = inside
			r.Faults = append(r.Faults, f)
		}
	}
	switch {
	case picked:
		return all[at], r
	case len(r.Faults) > 0:
	case name != "":
		r.Add("name", fmt.Sprintf("there is no feed %q here; there are: %s", name, strings.Join(names, ", ")))
	case len(all) == 0:
		r.Add("", "holds no feed")
	default:
		r.Add("name", "holds several feeds; name one of: "+strings.Join(names, ", "))
	}
	return runner.DefaultConfig(), r
}

// ReadFeedChange reads {"config": the settings, "version": what they were made of} of a feed of this name, as strictly as the file.
func ReadFeedChange(text, name string) (c runner.FeedConfig, version int64, faults *FeedFaults) {
	r := &FeedFaults{reader: strict.New(""), prefix: "config."}
	var in struct {
		Config  runner.FeedConfig `yaml:"config"`
		Version int64             `yaml:"version"`
	}
	in.Config = runner.DefaultConfig()
	r.reader.Read([]byte(text), &in)
	for _, f := range r.reader.Faults {
		f.Path = strings.TrimPrefix(f.Path, r.prefix)
		r.Faults = append(r.Faults, f)
	}
	switch in.Config.Name {
	case "":
		in.Config.Name = name
	case name:
	default:
		r.Add("name", fmt.Sprintf("%q is not the name in the address, %q", in.Config.Name, name))
	}
	return in.Config, in.Version, r
}

// FeedFaults is what is wrong with the settings of a feed. The path of each is the feed's key.
type FeedFaults struct {
	Faults
	reader *strict.Reader
	prefix string
	none   bool // no feed was picked: there is nothing to check
}

// Add adds a fault at a key, unless that key is known to be wrong already.
func (r *FeedFaults) Add(key, text string) {
	for _, f := range r.Faults {
		if key != "" && (f.Path == key || strings.HasPrefix(f.Path, key+".") || strings.HasPrefix(f.Path, key+"[")) {
			return
		}
	}
	at := r.reader.Locate(r.prefix + key)
	r.Faults = append(r.Faults, Fault{Source: r.reader.Source, Path: key, Text: text, Line: at.Line, Column: at.Column})
}

// Check adds what a check of the settings has found; nothing where the text held none.
func (r *FeedFaults) Check(found []error) {
	if r.none {
		return
	}
	for _, err := range found {
		var at *runner.ConfigError
		if errors.As(err, &at) {
			r.Add(at.Key, at.Reason)
		} else {
			r.Add("", err.Error())
		}
	}
	r.Faults = r.Sorted()
}

// ProfileOf gives the profile that a configuration names; empty where the text is none, or names none.
func ProfileOf(text string) string {
	cfg := Default()
	if shapeOf(text) == "file" {
		strict.New("").Read([]byte(text), &cfg)
	}
	return cfg.Profile
}

// shapeOf tells what a text holds: entry, list, or else file.
func shapeOf(text string) string {
	file, err := parser.ParseBytes([]byte(text), 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return "file"
	}
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case *ast.SequenceNode:
			return "list"
		case *ast.MappingNode:
			for _, v := range body.Values {
				if key := v.Key.GetToken().Value; key == "format" || key == "name" {
					return "entry"
				}
			}
			return "file"
		case *ast.MappingValueNode:
			if key := body.Key.GetToken().Value; key == "format" || key == "name" {
				return "entry"
			}
			return "file"
		}
	}
	return "file"
}

// FeedTree gives what the settings of a feed say, as the keys of the configuration file; secrets as runner.Shown, or with reveal as they are.
func FeedTree(c runner.FeedConfig, reveal bool) map[string]any {
	return strict.Tree(c, runner.DefaultConfig(), reveal)
}

// FeedJSON is FeedTree as JSON, which ReadFeed reads.
func FeedJSON(c runner.FeedConfig, reveal bool) ([]byte, error) {
	b, err := json.Marshal(FeedTree(c, reveal))
	if err != nil {
		return nil, fmt.Errorf("settings of feed %q: %w", c.Name, err)
	}
	return b, nil
}
