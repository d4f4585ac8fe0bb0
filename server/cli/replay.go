package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"kentongan/feeds/archive"
	"kentongan/feeds/runner"
	"kentongan/server/api"
	"kentongan/server/config"
)

// replay is kentongan replay: raw bytes of the archive, read once more.
type replay struct {
	Files []string `arg:"" optional:"" help:"Files or folders of an archive (data_dir/raw): read them with today's decoders and print what is different. Nothing is stored." type:"path"`
	Rules string   `help:"Instead of differences: print the alerts that the rules of this file raise on what was recorded." placeholder:"FILE" type:"path"`
	Feed  string   `help:"Only this feed." placeholder:"NAME"`
	Shown int      `help:"How many differences are printed." default:"20"`
	JSON  bool     `help:"Print every difference, or every alert of --rules, as a line of JSON."`

	Store bool          `help:"Instead of reading files: let the server take its refused deliveries of --feed again, and store them."`
	From  time.Time     `help:"With --store: received from here on (RFC 3339); default: a day before --to. With --rules: alerts from here on; default: all." placeholder:"TIME"`
	To    time.Time     `help:"With --store: and before; default: now. With --rules: up to here; default: all." placeholder:"TIME"`
	Span  time.Duration `hidden:"" default:"24h"`
	where
}

func (c *replay) Run(w *world) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case c.Store && c.Rules != "":
		return errors.New("--store takes no rules: the server judges by its own")
	case c.Store && (len(c.Files) > 0 || c.Feed == ""):
		return errors.New("--store takes no files; it needs --feed")
	case c.Store:
		return c.store(ctx, w)
	case len(c.Files) == 0:
		return errors.New("name files or folders of an archive, such as data/raw; or --store with --feed")
	}
	if c.Rules != "" {
		return c.judge(ctx, w)
	}
	return c.reread(ctx, w)
}

// store asks the server, again and again until the span is done.
func (c *replay) store(ctx context.Context, w *world) error {
	server, err := c.remote(w)
	if err != nil {
		return err
	}
	if c.To.IsZero() {
		c.To = time.Now()
	}
	if c.From.IsZero() {
		c.From = c.To.Add(-c.Span)
	}
	total := api.Replayed{Reasons: map[string]int{}}
	for from := c.From; ; {
		var part api.Replayed
		if err := server.ask(ctx, "/api/v1/feeds/"+c.Feed+"/replay", map[string]time.Time{"from": from, "to": c.To}, http.StatusOK, &part); err != nil {
			return err
		}
		total.Add(part)
		if part.Next == nil {
			break
		}
		from = part.Next.Time
	}
	_, err = fmt.Fprintf(w.out, "%d deliveries taken again: %d items stored, %d known already, %d passed over, %d refused; %d deliveries are refused still\n",
		total.Deliveries, total.Accepted, total.Duplicates, total.Ignored, total.Rejected, total.Refused)
	for reason, n := range total.Reasons {
		_, _ = fmt.Fprintf(w.out, "%6d  %s\n", n, reason)
	}
	return err
}

// difference is a delivery that reads otherwise than it did.
type difference struct {
	At   string `json:"at"`
	Feed string `json:"feed"`
	Was  string `json:"was"`
	Now  string `json:"now"`
	File string `json:"file"`
}

// tally is what was read of one feed.
type tally struct{ deliveries, same, better, worse, other int }

// reread reads files with the feeds of the configuration.
func (c *replay) reread(ctx context.Context, w *world) error {
	cfg, faults := settings{Config: c.Config}.load(w.env)
	if len(faults) > 0 {
		return faults
	}
	feeds, err := reader(cfg)
	if err != nil {
		return err
	}
	paths, err := archive.Expand(c.Files)
	if err != nil {
		return err
	}
	out := &rereading{replay: c, w: w, feeds: feeds, tallies: map[string]*tally{}, unknown: map[string]int{}}
	for _, path := range paths {
		err := archive.Read(path, func(d archive.Delivery) error { return out.delivery(ctx, path, d) })
		if errors.Is(err, archive.ErrTorn) {
			fmt.Fprintln(w.err, "kentongan:", err)
		} else if err != nil {
			return err
		}
	}
	return out.end()
}

// reader has the feeds of a configuration, and no way in.
func reader(cfg config.Config) (*runner.Runner, error) {
	return runner.New(cfg.Feeds, nil, runner.Options{MaxBody: int64(cfg.Limits.Body), MaxInflated: int64(cfg.Limits.Inflated), Version: Version})
}

type rereading struct {
	*replay
	w       *world
	feeds   *runner.Runner
	tallies map[string]*tally
	unknown map[string]int // deliveries by feed that the configuration does not have
	printed int
}

func (r *rereading) delivery(ctx context.Context, path string, d archive.Delivery) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if r.Feed != "" && d.Feed != r.Feed {
		return nil
	}
	now, err := r.feeds.Reread(ctx, d)
	if errors.Is(err, runner.ErrUnknownFeed) {
		r.unknown[d.Feed]++
		return nil
	}
	t := r.tallies[d.Feed]
	if t == nil {
		t = &tally{}
		r.tallies[d.Feed] = t
	}
	was, is := told(d), read(now, err)
	t.deliveries++
	switch verdict(was, is) {
	case same:
		t.same++
		return nil
	case better:
		t.better++
	case worse:
		t.worse++
	default:
		t.other++
	}
	return r.print(difference{At: d.At.String(), Feed: d.Feed, Was: was.String(), Now: is.String(), File: path})
}

func (r *rereading) print(d difference) error {
	if r.JSON {
		return json.NewEncoder(r.w.out).Encode(d)
	}
	if r.printed++; r.printed > r.Shown {
		return nil
	}
	_, err := fmt.Fprintf(r.w.out, "%s %s\n    was %s\n    now %s\n", d.At, d.Feed, d.Was, d.Now)
	return err
}

func (r *rereading) end() error {
	for feed, n := range r.unknown {
		fmt.Fprintf(r.w.err, "kentongan: %d deliveries of feed %q are not read: the configuration has no such feed\n", n, feed)
	}
	if r.JSON {
		return nil
	}
	if more := r.printed - r.Shown; more > 0 {
		fmt.Fprintf(r.w.out, "and %d more (--shown, --json)\n", more)
	}
	return r.table(r.w.out)
}

func (r *rereading) table(out io.Writer) error {
	names := make([]string, 0, len(r.tallies))
	for name := range r.tallies {
		names = append(names, name)
	}
	slices.Sort(names)
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "feed\tdeliveries\tsame\tnow read\tnow refused\totherwise\t")
	for _, name := range names {
		n := r.tallies[name]
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%d\t%d\t\n", name, n.deliveries, n.same, n.better, n.worse, n.other)
	}
	return t.Flush()
}

// reading is what became of a delivery: a refusal, or how many items were taken, passed over and refused.
type reading struct {
	refused                 string
	taken, ignored, rejects int
}

func (r reading) String() string {
	if r.refused != "" {
		return "refused: " + strings.ReplaceAll(r.refused, "\n", " ")
	}
	return fmt.Sprintf("%d items, %d passed over, %d refused", r.taken, r.ignored, r.rejects)
}

// told is what the archive says. What was known already counts as taken: a decoder knows no store.
func told(d archive.Delivery) reading {
	r := reading{taken: d.Accepted + d.Duplicates, ignored: d.Ignored, rejects: d.Rejected}
	if d.Outcome == archive.Refused {
		if r.refused = d.Reason; r.refused == "" {
			r.refused = "it does not say why"
		}
	}
	return r
}

func read(now runner.Tried, err error) reading {
	switch {
	case err != nil:
		return reading{refused: err.Error()}
	case now.Receipt.Barren():
		return reading{refused: now.Receipt.Rejected[0].Reason, rejects: len(now.Receipt.Rejected)}
	}
	return reading{taken: now.Receipt.Accepted, ignored: len(now.Receipt.Ignored), rejects: len(now.Receipt.Rejected)}
}

// How a delivery reads beside how it did.
const (
	same = iota
	better
	worse
	otherwise
)

func verdict(was, now reading) int {
	switch {
	case was.refused != "" && now.refused != "":
		return same
	case was.refused != "":
		return better
	case now.refused != "":
		return worse
	case was.rejects == now.rejects && was.taken+was.ignored == now.taken+now.ignored:
		return same
	}
	return otherwise
}
