package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
	"kentongan/feeds/archive"
	"kentongan/server/backtest"
	"kentongan/server/config"
	"kentongan/server/ingest"
	"kentongan/server/profile"
)

// judge gives the deliveries of files to rules, through the engine that judges live, and prints the alerts that it raises.
func (c *replay) judge(ctx context.Context, w *world) error {
	cfg, faults := settings{Config: c.Config}.load(w.env)
	if len(faults) > 0 {
		return faults
	}
	list, places, err := readRules(c.Rules, cfg.Profile)
	if err != nil {
		return err
	}
	program, err := rules.Compile(list, places)
	if err != nil {
		return err
	}
	reader, err := reader(cfg)
	if err != nil {
		return err
	}
	paths, err := archive.Expand(c.Files)
	if err != nil {
		return err
	}
	unknown := map[string]int{}
	ask := backtest.Ask{Program: program, Lead: 2 * program.LongestFor(), From: c.From, To: c.To, Now: time.Now(), Span: ingest.DeliverySpan}
	read := backtest.ReaderOf(reader)
	if c.Feed != "" {
		read = backtest.Only(c.Feed, read)
	}
	got, err := backtest.Run(ctx, ask, backtest.Files(backtest.SourceFiles, paths, read, unknown))
	if err != nil {
		return err
	}
	for feed, n := range unknown {
		fmt.Fprintf(w.err, "kentongan: %d deliveries of feed %q are not read: the configuration has no such feed\n", n, feed)
	}
	for _, text := range got.Warnings {
		fmt.Fprintln(w.err, "kentongan:", text)
	}
	if c.JSON {
		return printLines(w, got.Alerts)
	}
	return printRaised(w, got)
}

// readRules reads a file of rules, with the areas of a profile.
func readRules(path, city string) ([]rules.Rule, rules.Places, error) {
	where, err := profile.Load(city)
	if err != nil {
		return nil, nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, config.Faults{{Source: path, Text: "cannot be read: " + err.Error()}}
	}
	places := rules.PlacesOf(where.Areas)
	list, faults := config.ReadRules(path, text, places)
	if len(faults) > 0 {
		return nil, nil, faults
	}
	return list, places, nil
}

func printLines(w *world, list []backtest.Raised) error {
	e := json.NewEncoder(w.out)
	e.SetEscapeHTML(false)
	for _, a := range list {
		if err := e.Encode(a); err != nil {
			return err
		}
	}
	return nil
}

// printRaised prints alerts for people: when, which rule, on what, until when, and by which readings.
func printRaised(w *world, got backtest.Result) error {
	for _, a := range got.Alerts {
		until := "stands at the end"
		if a.Until != nil {
			until = "until " + a.Until.String()
		}
		if a.Withdrawn {
			until += ", disproved by a late reading"
		}
		var inputs []string
		for _, in := range a.Inputs {
			inputs = append(inputs, strings.TrimSpace(fmt.Sprintf("%s %v %s", in.Property, in.Value, in.Unit)))
		}
		fmt.Fprintf(w.out, "%s  %s  %s  %s; %s\n", a.At, a.Rule, a.Key, strings.Join(inputs, ", "), until)
	}
	things := make([]string, 0, len(got.ByThing))
	for key := range got.ByThing {
		things = append(things, key)
	}
	slices.SortFunc(things, func(a, b string) int {
		if d := got.ByThing[b] - got.ByThing[a]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	_, err := fmt.Fprintf(w.out, "%d alerts on %d readings in %d ms\n", got.Fired, got.Readings, got.TookMs)
	for _, key := range things[:min(10, len(things))] {
		fmt.Fprintf(w.out, "%6d  %s\n", got.ByThing[key], key)
	}
	return err
}
