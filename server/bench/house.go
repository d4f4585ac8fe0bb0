package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
	"kentongan/alerts/incident"
	"kentongan/feeds/simulator/storm"
	"kentongan/feeds/simulator/storm/tally"
	"kentongan/server/bench/rage"
)

// stormNow is a storm whose last item comes in now, and the ground that it rages on.
func stormNow(seed uint64) (*rage.Ground, *storm.Storm, error) {
	g, err := rage.NewGround()
	if err != nil {
		return nil, nil, err
	}
	return g, g.MakeAt(seed, time.Now().Add(-4*time.Hour-2*time.Minute)), nil
}

// portion is what a feed has to say in a while.
type portion struct {
	feed  string
	body  []byte
	items int
}

// portions cuts a storm into pieces of so much of its time, each by feed, in the order of delivery.
func portions(s *storm.Storm, length time.Duration) ([][]portion, error) {
	var out [][]portion
	var at map[string]int
	end := s.Items[0].Delivered
	for i := range s.Items {
		item := &s.Items[i]
		if !item.Delivered.Before(end) {
			out, at, end = append(out, nil), map[string]int{}, item.Delivered.Add(length)
		}
		line, err := item.Native()
		if err != nil {
			return nil, err
		}
		last := &out[len(out)-1]
		n, known := at[item.Feed]
		if !known {
			n = len(*last)
			at[item.Feed] = n
			*last = append(*last, portion{feed: item.Feed})
		}
		p := &(*last)[n]
		p.body = append(append(p.body, line...), '\n')
		p.items++
	}
	return out, nil
}

// together pushes what several feeds have to say at once, as they do.
func together(part []portion, push func(portion) error) error {
	var all errgroup.Group
	for _, p := range part {
		all.Go(func() error {
			if err := push(p); err != nil {
				return fmt.Errorf("%s: %w", p.feed, err)
			}
			return nil
		})
	}
	return all.Wait()
}

// list reads a whole list of the interface.
func list[T any](s *server, path string) ([]T, error) {
	var out []T
	for page := ""; ; {
		code, b, err := s.request("GET", path+page, nil)
		if err != nil {
			return nil, err
		}
		var got struct {
			Items    []T    `json:"items"`
			NextPage string `json:"next_page"`
		}
		if code != http.StatusOK {
			return nil, fmt.Errorf("%s answered %d: %.200s", path, code, b)
		}
		if err := json.Unmarshal(b, &got); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		out = append(out, got.Items...)
		if got.NextPage == "" {
			return out, nil
		}
		page = "&page=" + url.QueryEscape(got.NextPage)
	}
}

// desk does what rage's desk does, by the interface: it opens what is proposed and joins what the house is sure of.
func desk(s *server) (did int, err error) {
	open, err := list[fusion.Suggestion](s, "/api/v1/suggestions?state=offered&limit=500")
	if err != nil {
		return 0, err
	}
	for _, g := range open {
		sure := g.Kind == fusion.Open
		if g.Kind == fusion.Join {
			sure = true
			for _, p := range g.Evidence {
				sure = sure && p.Weight >= fusion.JoinAt
			}
		}
		if !sure {
			continue
		}
		code, b, err := s.do("POST", "/api/v1/suggestions/"+g.ID+"/accept", map[string]any{"version": g.Version})
		if err != nil {
			return did, err
		}
		switch code {
		case http.StatusOK:
			did++
		case http.StatusConflict, http.StatusNotFound, http.StatusUnprocessableEntity: // it has grown or gone in between: next time
		default:
			return did, fmt.Errorf("accept %s answered %d: %.200s", g.ID, code, b)
		}
	}
	return did, nil
}

// do asks with a JSON body.
func (s *server) do(method, path string, doc any) (int, []byte, error) {
	b, err := json.Marshal(doc)
	if err != nil {
		return 0, nil, err
	}
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(b))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	var out bytes.Buffer
	_, err = out.ReadFrom(resp.Body)
	return resp.StatusCode, out.Bytes(), err
}

// standing is what a house made of a storm, as its interface tells it.
type standing struct {
	incidents   []incident.Incident
	alerts      map[string]alerts.Alert
	suggestions map[string]fusion.Suggestion
}

func readStanding(s *server) (*standing, error) {
	out := &standing{alerts: map[string]alerts.Alert{}, suggestions: map[string]fusion.Suggestion{}}
	var err error
	if out.incidents, err = list[incident.Incident](s, "/api/v1/incidents?limit=200"); err != nil {
		return nil, err
	}
	all, err := list[alerts.Alert](s, "/api/v1/alerts?limit=500")
	if err != nil {
		return nil, err
	}
	for _, a := range all {
		out.alerts[a.ID] = a
	}
	offers, err := list[fusion.Suggestion](s, "/api/v1/suggestions?state=offered&limit=500")
	for _, g := range offers {
		out.suggestions[g.ID] = g
	}
	return out, err
}

func (o *standing) groups() []tally.Group {
	in := make([]*incident.Incident, len(o.incidents))
	for i := range o.incidents {
		in[i] = &o.incidents[i]
	}
	return rage.GroupsOf(in, o.suggestions, o.piece)
}

func (o *standing) piece(kind, ref string, at time.Time) tally.Piece {
	if a, ok := o.alerts[ref]; ok && kind == "alert" {
		ref = a.Sender + "," + a.Identifier
	}
	return tally.Piece{Kind: kind, Ref: ref, At: at}
}

// settledHouse waits until the desk has nothing to do and nothing changes.
func settledHouse(s *server) error {
	quiet := 0
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		did, err := desk(s)
		if err != nil {
			return err
		}
		if quiet++; did > 0 {
			quiet = 0
		}
		if quiet >= 6 {
			return nil
		}
	}
	return fmt.Errorf("the desk found something to do for 60 s")
}

// benchHouse lets one storm come in by HTTP over the real binary, and tells what it made of it and how one incident grew.
func benchHouse(bin string, short bool) ([]figure, error) {
	seeds, err := stormSeeds(1)
	if err != nil {
		return nil, err
	}
	seed := seeds[0]
	g, s, err := stormNow(seed)
	if err != nil {
		return nil, err
	}
	dir, done, err := scratch()
	if err != nil {
		return nil, err
	}
	defer done()
	house, err := startOn(bin, dir, storm.Settings, everysec)
	if err != nil {
		return nil, err
	}
	defer house.kill()
	pieces, err := portions(s, time.Minute)
	if err != nil {
		return nil, err
	}
	began := time.Now()
	for n, part := range pieces {
		if err := together(part, func(p portion) error { return house.push(p.feed, p.body, p.items) }); err != nil {
			return nil, fmt.Errorf("minute %d: %w", n, err)
		}
		if n%2 == 1 {
			if _, err := desk(house); err != nil {
				return nil, err
			}
		}
	}
	took := time.Since(began)
	if err := settledHouse(house); err != nil {
		return nil, err
	}
	stands, err := readStanding(house)
	if err != nil {
		return nil, err
	}
	truth := tally.Of(s)
	score := truth.Judge(stands.groups())
	pure := rage.NewHouse(g)
	pure.Rage(s.Items)
	core := truth.Judge(pure.Groups())
	fmt.Fprintf(os.Stderr, "  seed %d, real binary (four hours in minutes: ignore its times to open): %s\n%s  seed %d, pure core:   %s\n", seed, score.String(), score.Detail(s), seed, core.String())
	file := scratchFile(fmt.Sprintf("kentongan-storm-%d.md", seed))
	if err := os.WriteFile(file, []byte(timelines(stands, truth, s)), 0o600); err != nil {
		return nil, err
	}
	fmt.Fprintf(os.Stderr, "  the storm told from the first drop: %s\n", file)
	shares := func(x *tally.Score) string {
		return fmt.Sprintf("precision %.3f, recall %.3f, over-merged %.3f, missed %d of %d", x.Joins.Value(), x.WantedTold.Value(), x.Over.Value(), len(x.Missed), x.Lives)
	}
	return []figure{
		{fmt.Sprintf("storm %d through the real binary: joins", seed), "0.95, 0.95, 0.01, 0", shares(&score)},
		{fmt.Sprintf("storm %d through the pure core: joins", seed), "0.95, 0.95, 0.01, 0", shares(&core)},
		{"storm through the real binary: items acknowledged", "-", fmt.Sprintf("%d in %s (four hours of storm)", len(s.Items), took.Round(time.Second))},
		{"storm told as a timeline", "-", file},
	}, nil
}

// timelines tells the three incidents, each of another type, that grew of the most different accounts.
func timelines(o *standing, truth *tally.Truths, s *storm.Storm) string {
	mixed := func(in incident.Incident) int {
		kinds := map[string]bool{}
		for _, e := range in.Evidence {
			kinds[e.Kind] = true
		}
		return 1000*len(kinds) + len(in.Evidence)
	}
	list := slices.SortedFunc(slices.Values(o.incidents), func(a, b incident.Incident) int { return cmp.Compare(mixed(b), mixed(a)) })
	var b strings.Builder
	told := map[string]bool{}
	for i := range list {
		if in := &list[i]; len(told) < 3 && !told[in.Type] {
			told[in.Type] = true
			tell(&b, in, o, truth, s)
		}
	}
	return b.String()
}

// wib is the time as people in Solok read it.
func wib(t time.Time) string { return t.In(time.FixedZone("WIB", 7*3600)).Format("15.04.05") }

func tell(b *strings.Builder, in *incident.Incident, o *standing, truth *tally.Truths, s *storm.Storm) {
	fmt.Fprintf(b, "\n# %s: %s\n\n%s, %s, %s. %d pieces of evidence. Storm of seed %d.\n\n", in.Number, in.Title, in.Type, in.Severity, in.Status, len(in.Evidence), s.Seed)
	fmt.Fprintf(b, "## From the first drop\n\n| it was | account | of | weight | why it joined | truth |\n|---|---|---|---|---|---|\n")
	list := append([]incident.Evidence(nil), in.Evidence...)
	slices.SortStableFunc(list, func(a, b incident.Evidence) int { return a.At.Compare(b.At.Time) })
	for _, e := range list {
		about := truth.About(o.piece(e.Kind, e.Ref, e.At.Time))
		if about == "" {
			about = "nothing"
		}
		fmt.Fprintf(b, "| %s | %s | %s | %.2f | %s | %s |\n", wib(e.At.Time), cell(e.Text), e.Kind+" "+cell(e.Ref), e.Weight, cell(e.Reason), about)
	}
	fmt.Fprintf(b, "\n## As the house wrote it down\n\n| at | who | what | note |\n|---|---|---|---|\n")
	for _, t := range in.Timeline {
		fmt.Fprintf(b, "| %s | %s | %s | %s |\n", wib(t.At.Time), t.Actor, t.Act, cell(t.Note))
	}
}

func cell(s string) string { return strings.ReplaceAll(strings.ReplaceAll(s, "|", "/"), "\n", " ") }
