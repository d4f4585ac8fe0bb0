package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/runner"
	"kentongan/server/api"
	"kentongan/server/app"
	"kentongan/server/config"
	"kentongan/server/profile"
	"kentongan/server/strict"
)

// feedCmd is kentongan feed.
type feedCmd struct {
	Try feedTry `cmd:"" help:"Show what a feed's bytes become, without a server and without storing."`
}

// feedTry is kentongan feed try. It ends with 0 where something would be stored, 1 where nothing, 2 on faults of the configuration.
type feedTry struct {
	Config      string  `arg:"" help:"Configuration file, or one that holds only feeds." type:"path"`
	Feed        string  `help:"The feed's name, where the file has several." placeholder:"NAME"`
	Body        string  `help:"File with the bytes; - is the standard input, which is taken where nothing is said." placeholder:"FILE"`
	Fetch       bool    `help:"Ask the feed's url once for the bytes."`
	JSON        bool    `help:"Print JSON, as POST /api/v1/feeds/try answers."`
	ContentType string  `help:"Content type of the bytes." placeholder:"TYPE"`
	Topic       string  `help:"MQTT topic or file name of the bytes." placeholder:"TOPIC"`
	Profile     *string `help:"solok, bandung, or a profile file, instead of the configuration's." placeholder:"NAME"`
}

// errNothing is why a try ends with 1.
var errNothing = errors.New("nothing would be stored")

func (f *feedTry) Run(w *world) error {
	text, err := os.ReadFile(f.Config)
	if err != nil {
		return config.Faults{{Source: f.Config, Text: "cannot be read: " + err.Error()}}
	}
	settings, faults := config.ReadFeed(f.Config, string(text), f.Feed)
	where, err := f.profile(string(text))
	if err != nil {
		return err
	}
	if faults.Check(settings.Validate()); len(faults.Faults) > 0 {
		return faults.Faults
	}
	body, err := f.read(w)
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	got := app.Trial{Config: settings, Faults: faults, Body: body, Fetch: f.Fetch, Meta: feeds.Meta{ContentType: f.ContentType, Topic: f.Topic},
		Profile: where, Options: runner.Options{Version: Version}}.Run(ctx)
	if f.JSON {
		e := json.NewEncoder(w.out)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		err = e.Encode(got)
	} else {
		err = printTried(w.out, settings, got)
	}
	if err == nil && (got.Receipt == nil || got.Receipt.Accepted == 0) {
		return errNothing
	}
	return err
}

// profile gives the areas that places are held against: of the flag, else of the file.
func (f *feedTry) profile(text string) (*profile.Profile, error) {
	name := config.ProfileOf(text)
	if f.Profile != nil {
		name = *f.Profile
	}
	p, err := profile.Load(name)
	var faults strict.Faults
	if err != nil && !errors.As(err, &faults) {
		return nil, config.Faults{{Source: f.Config, Path: "profile", Text: err.Error()}}
	}
	return p, err
}

// read gives the bytes to try.
func (f *feedTry) read(w *world) ([]byte, error) {
	switch {
	case f.Fetch && f.Body != "":
		return nil, errors.New("--body and --fetch: one of them is enough")
	case f.Fetch:
		return nil, nil
	case f.Body == "" || f.Body == "-":
		return bounded.ReadAll(w.in, bounded.DefaultInflated)
	}
	file, err := os.Open(f.Body)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return bounded.ReadAll(file, bounded.DefaultInflated)
}

// shownRows is how many records and refusals are printed one by one.
const shownRows = 20

// printTried writes a try for people.
func printTried(out io.Writer, c runner.FeedConfig, got api.FeedTried) error {
	p := printer{out: out}
	p.line("feed %s: format %s over %s, %d bytes", c.Name, c.Format, c.Transport, got.Bytes)
	if got.URL != "" {
		p.line("from %s", got.URL)
	}
	for _, f := range got.Faults {
		p.line("%s: %s", f.Key, f.Text)
	}
	if r := got.Receipt; r != nil {
		p.totals(got)
		p.records("observation", got.Totals.Observations, got.Records.Observations)
		p.records("alert", got.Totals.Alerts, got.Records.Alerts)
		p.records("report", got.Totals.Reports, got.Records.Reports)
		p.records("position", got.Totals.Positions, got.Records.Positions)
		p.refusals("ignored", got.Totals.Ignored, r.Ignored)
		p.refusals("rejected", got.Totals.Rejected, r.Rejected)
		p.follow(got.Follow)
	}
	if len(got.Faults) > 0 && got.FirstBytes != "" {
		p.line("\nthe bytes begin:\n%s", got.FirstBytes)
	}
	return p.err
}

// printer writes lines until one cannot be written.
type printer struct {
	out io.Writer
	err error
}

func (p *printer) line(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format+"\n", args...)
	}
}

func (p *printer) totals(got api.FeedTried) {
	t, r := got.Totals, got.Receipt
	p.line("\nrecords   %d observations, %d alerts, %d reports, %d positions", t.Observations, t.Alerts, t.Reports, t.Positions)
	p.line("items     %d would be stored, %d ignored, %d rejected", r.Accepted, t.Ignored, t.Rejected)
	if n := got.Places; n.Inside+n.Outside+n.Unplaced > 0 {
		p.line("places    %d inside the area, %d outside, %d without a place", n.Inside, n.Outside, n.Unplaced)
	}
	for i, m := range got.Properties[:min(len(got.Properties), shownRows)] {
		head, unit := "measured ", m.Unit
		if i > 0 {
			head = "         "
		}
		if unit == "" {
			unit = "without a unit"
		}
		p.line("%s %s (%s) x %d", head, m.Property, unit, m.Count)
	}
}

func (p *printer) records(kind string, total int, list []json.RawMessage) {
	if total == 0 {
		return
	}
	n := min(len(list), shownRows)
	p.line("\n%ss, %d of %d:", kind, n, total)
	for _, raw := range list[:n] {
		p.line("  %s", raw)
	}
}

func (p *printer) refusals(what string, total int, list []feeds.Refusal) {
	if total == 0 {
		return
	}
	n := min(len(list), shownRows)
	p.line("\n%s, %d of %d:", what, n, total)
	for _, r := range list[:n] {
		p.line("  item %d: %s", r.Index, r.Reason)
	}
}

func (p *printer) follow(list []string) {
	if len(list) == 0 {
		return
	}
	n := min(len(list), shownRows)
	p.line("\nwould be asked next, %d of %d:", n, len(list))
	for _, link := range list[:n] {
		p.line("  %s", link)
	}
}
