package app

import (
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"kentongan/feeds"
	"kentongan/feeds/bounded"
	"kentongan/feeds/formats/native"
	"kentongan/feeds/runner"
	"kentongan/geo"
	"kentongan/server/api"
	"kentongan/server/config"
	"kentongan/server/profile"
)

// Bounds of a try.
const (
	tryRecords    = 200 // of each kind, and refusals of each
	tryProperties = 100
	tryBytes      = 512 // shown
	tryFetch      = 20 * time.Second
)

// Trial is bytes that are tried with a feed's settings.
type Trial struct {
	Config  runner.FeedConfig
	Faults  *config.FeedFaults // of the settings, so far
	Body    []byte
	Fetch   bool // ask the url instead of taking Body
	Meta    feeds.Meta
	Foreign bool             // the settings come from outside the configuration file
	Profile *profile.Profile // whose areas places are held against
	Sink    runner.Sink      // judges; nil: what can be decoded counts as accepted
	Options runner.Options
}

// Run tries. Nothing is stored. What is wrong with settings, source and bytes stands in the answer.
func (t Trial) Run(ctx context.Context) api.FeedTried {
	out := api.FeedTried{Faults: []api.FeedFault{}, Properties: []api.FeedProperty{}, Follow: []string{}}
	out.Records, _ = native.Encode(&feeds.Batch{}, 0) // of nothing: it cannot fail
	check := t.Config.Validate
	if t.Foreign {
		check = t.Config.ValidateForeign
	}
	t.Faults.Check(check())
	if out.Faults = faultsOf(t.Config, t.Faults); len(out.Faults) > 0 {
		return out
	}
	bad := func(key string, err error) api.FeedTried {
		out.Faults = append(out.Faults, api.FeedFault{Key: key, Text: t.Config.Scrub(strings.ToValidUTF8(err.Error(), "\uFFFD"))})
		return out
	}
	if t.Fetch {
		t.Config.Timeout = min(t.Config.Timeout, tryFetch)
		a, err := runner.Ask(ctx, t.Config, t.Options)
		if err != nil {
			return bad("url", plain(err))
		}
		t.Body, t.Meta.ContentType, t.Meta.URL, out.URL = a.Body, a.ContentType, a.URL, a.URL
	}
	out.Bytes, out.FirstBytes = len(t.Body), shown(t.Body)
	tried, err := runner.Try(ctx, t.Config, t.Body, t.Meta, t.Sink, t.Options)
	if err != nil {
		return bad("body", plain(err))
	}
	if out.Records, err = native.Encode(&tried.Batch, tryRecords); err != nil {
		return bad("body", err)
	}
	t.tell(&out, &tried)
	return out
}

// plain is an error without the name of the feed, which whoever tries knows.
func plain(err error) error {
	var fault *runner.ConfigError
	if errors.As(err, &fault) {
		return errors.New(fault.Reason)
	}
	return err
}

// tell counts what was tried.
func (t Trial) tell(out *api.FeedTried, tried *runner.Tried) {
	b, r := &tried.Batch, tried.Receipt
	out.Totals = api.FeedTotals{Observations: len(b.Observations), Alerts: len(b.Alerts), Reports: len(b.Reports), Positions: len(b.Positions),
		Ignored: len(r.Ignored), Rejected: len(r.Rejected)}
	r.Ignored, r.Rejected = r.Ignored[:min(len(r.Ignored), tryRecords)], r.Rejected[:min(len(r.Rejected), tryRecords)]
	out.Receipt = &r
	out.Follow = append(out.Follow, tried.Follow...)
	counts := map[api.FeedProperty]int{}
	for i := range b.Observations {
		o := &b.Observations[i]
		counts[api.FeedProperty{Property: o.Property, Unit: o.Unit}]++
		t.place(&out.Places, o.Position, o.Placed)
	}
	for i := range b.Reports {
		t.place(&out.Places, b.Reports[i].Position, b.Reports[i].Placed)
	}
	for i := range b.Positions {
		t.place(&out.Places, b.Positions[i].Position, true)
	}
	for p, n := range counts {
		p.Count = n
		out.Properties = append(out.Properties, p)
	}
	slices.SortFunc(out.Properties, func(x, y api.FeedProperty) int {
		return cmp.Or(cmp.Compare(y.Count, x.Count), cmp.Compare(x.Property, y.Property), cmp.Compare(x.Unit, y.Unit))
	})
	out.Properties = out.Properties[:min(len(out.Properties), tryProperties)]
}

func (t Trial) place(to *api.FeedPlaces, p geo.Position, placed bool) {
	switch {
	case !placed:
		to.Unplaced++
	case t.Profile == nil || t.Profile.Areas.Contains(p):
		to.Inside++
	default:
		to.Outside++
	}
}

// shown is how a body begins, as text.
func shown(body []byte) string {
	more := len(body) > tryBytes
	head := body[:min(len(body), tryBytes)]
	for more && len(head) > 0 && !utf8.Valid(head) && tryBytes-len(head) < utf8.UTFMax {
		head = head[:len(head)-1]
	}
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return '\uFFFD'
	}, strings.ToValidUTF8(string(head), "\uFFFD"))
}

// faultsOf gives the faults of settings as the interface tells them, without their secrets.
func faultsOf(c runner.FeedConfig, all *config.FeedFaults) []api.FeedFault {
	out := []api.FeedFault{}
	for _, f := range all.Sorted() {
		out = append(out, api.FeedFault{Key: f.Path, Text: c.Scrub(f.Text), Line: f.Line})
	}
	return out
}

// Try is api.FeedSet's: the store judges, and settings may not reach into this machine.
func (f *feedSet) Try(ctx context.Context, ask []byte) (api.FeedTried, error) {
	var in struct {
		api.FeedTry
		Config json.RawMessage `json:"config"`
	}
	d := json.NewDecoder(bytes.NewReader(ask))
	d.DisallowUnknownFields()
	err := d.Decode(&in)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("something follows the document")
		}
	}
	refuse := func(key, text string) (api.FeedTried, error) {
		return api.FeedTried{}, api.NewFeedFaults([]api.FeedFault{{Key: key, Text: text}})
	}
	body := []byte(in.Body)
	if err == nil && in.BodyBase64 != "" {
		if body, err = base64.StdEncoding.DecodeString(in.BodyBase64); err != nil {
			return refuse("body_base64", "is no base64")
		}
	}
	text := in.YAML
	switch {
	case err != nil:
		return refuse("", fmt.Sprintf("the question cannot be read: %.200s", err))
	case (len(in.Config) == 0) == (text == ""):
		return refuse("config", "give config or yaml")
	case in.Fetch && (in.Body != "" || in.BodyBase64 != "") || in.Body != "" && in.BodyBase64 != "":
		return refuse("body", "give one of body, body_base64 and fetch")
	case text == "":
		text = string(in.Config)
	}
	settings, faults := config.ReadFeed("", text, "")
	if before, ok := f.config(settings.Name); ok && f.made(settings.Name) {
		faults.Check(settings.KeepSecrets(before))
	}
	return Trial{Config: settings, Faults: faults, Body: body, Fetch: in.Fetch, Meta: feeds.Meta{ContentType: in.ContentType, Topic: in.Topic}, Foreign: true,
		Profile: f.app.profile, Sink: f.app.pipeline, Options: f.app.tryOptions()}.Run(ctx), nil
}

// tryOptions are the runner's bounds for a try.
func (a *App) tryOptions() runner.Options {
	o := a.feedOptions("")
	o.MaxInflated = min(o.MaxInflated, bounded.DefaultInflated)
	return o
}
