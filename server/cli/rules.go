package cli

import (
	"encoding/json"
	"errors"
	"fmt"

	"kentongan/alerts/rules"
	"kentongan/alerts/rules/ruletest"
	"kentongan/server/profile"
)

// rulesCmd is kentongan rules.
type rulesCmd struct {
	Test rulesTest `cmd:"" help:"Run tests of rules, written in YAML, without a server."`
}

// rulesTest is kentongan rules test.
type rulesTest struct {
	Files   []string `arg:"" name:"file" help:"Files of tests." type:"existingfile"`
	Profile string   `help:"The city whose areas the rules name: solok, bandung, or a profile file." placeholder:"NAME"`
	Lang    string   `help:"Language of what is printed." enum:"id,en" default:"id"`
	JSON    bool     `name:"json" help:"As JSON: an array of objects, one a file."`
}

// errTests means that some test did not end as expected; what, has been printed.
var errTests = errors.New("rules do not do what their tests expect")

func (c *rulesTest) Run(w *world) error {
	city, err := profile.Load(c.Profile)
	if err != nil {
		return err
	}
	results, failed := []ruletest.Result{}, false
	for _, file := range c.Files {
		r, err := ruletest.RunIn(file, rules.PlacesOf(city.Areas))
		if err != nil {
			return err
		}
		results, failed = append(results, r), failed || !r.Passed()
		if !c.JSON {
			if _, err := fmt.Fprint(w.out, r.Text(c.Lang)); err != nil {
				return err
			}
		}
	}
	if c.JSON {
		e := json.NewEncoder(w.out)
		e.SetIndent("", "  ")
		if err := e.Encode(results); err != nil {
			return err
		}
	}
	if failed {
		return errTests
	}
	return nil
}
