package api

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"kentongan/alerts/figures"
	"kentongan/alerts/statement"
	"kentongan/alerts/store"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// mostOutlook is how many warnings and statements one page holds.
const mostOutlook = 6

// DataHealth is how the sources fare, now: how they fared is not recorded.
type DataHealth struct {
	AsOf  moment.Time `json:"as_of"`
	Fresh int         `json:"fresh" doc:"Feeds that are as fresh as they should be"`
	N     int         `json:"n" doc:"Feeds that are on"`
	Feeds []FeedCare  `json:"feeds" doc:"Those that are not fresh first"`
}

// FeedCare is one feed.
type FeedCare struct {
	Name        string          `json:"name"`
	Agency      string          `json:"agency"`
	State       feeds.FeedState `json:"state"`
	LastSuccess moment.Time     `json:"last_success"`
	IntervalS   float64         `json:"interval_s" doc:"0: not known yet"`
}

// Outlook is a warning or statement in force.
type Outlook struct {
	Kind     string      `json:"kind" doc:"alert, or statement"`
	Title    string      `json:"title" doc:"As its author wrote it"`
	Source   string      `json:"source"`
	Severity string      `json:"severity,omitempty"`
	Scale    string      `json:"scale,omitempty"`
	Step     string      `json:"step,omitempty"`
	Area     string      `json:"area_name,omitempty"`
	At       moment.Time `json:"at"`
	Until    moment.Time `json:"until"`
}

// Decision is what somebody has to decide.
type Decision struct {
	Code    string      `json:"code" doc:"level, grave_late, unverified, feeds"`
	N       int         `json:"n"`
	Who     []string    `json:"who" doc:"Roles"`
	ID      string      `json:"id,omitempty" doc:"In Indonesian"`
	EN      string      `json:"en,omitempty" doc:"In English"`
	AsOf    moment.Time `json:"as_of"`
	Records string      `json:"records,omitempty"`
}

// living fills in what is so now, and what follows of it.
func (s *server) living(ctx context.Context, b *Briefing, lang string) error {
	b.DataHealth = s.dataHealth()
	var err error
	if b.Outlook, err = s.outlook(ctx); err != nil {
		return err
	}
	b.Decisions = s.decisions(b)
	for i := range b.Decisions {
		switch lang {
		case "id":
			b.Decisions[i].EN = ""
		case "en":
			b.Decisions[i].ID = ""
		}
	}
	return nil
}

func (s *server) dataHealth() DataHealth {
	out := DataHealth{AsOf: moment.Of(s.Now()), Feeds: []FeedCare{}}
	for _, f := range s.Feeds() {
		if f.State == feeds.FeedOff || f.Simulated {
			continue
		}
		out.N++
		if f.State == feeds.FeedOK {
			out.Fresh++
		}
		out.Feeds = append(out.Feeds, FeedCare{f.Name, f.Agency, f.State, f.LastSuccess, f.IntervalS})
	}
	bad := map[feeds.FeedState]int{feeds.FeedFailing: -2, feeds.FeedLate: -1}
	slices.SortFunc(out.Feeds, func(a, b FeedCare) int {
		return cmp.Or(bad[a.State]-bad[b.State], cmp.Compare(a.Name, b.Name))
	})
	return out
}

func (s *server) outlook(ctx context.Context) ([]Outlook, error) {
	out := []Outlook{}
	said, _, err := s.Cases.Statements(ctx, store.StatementQuery{State: statement.InForce})
	if err != nil {
		return nil, s.fault(err)
	}
	for _, x := range said {
		if !x.Simulated {
			out = append(out, Outlook{Kind: "statement", Title: x.Name, Source: x.Source, Scale: x.Scale, Step: x.Step, Area: x.AreaName, At: x.StatedAt, Until: x.ValidUntil})
		}
	}
	warned, _, err := s.Cases.Alerts(ctx, store.Query{Status: "open"})
	if err != nil {
		return nil, s.fault(err)
	}
	for _, a := range warned {
		if a.Relevant && !a.Simulated && a.Rule == "" && a.Quake == nil {
			out = append(out, Outlook{Kind: "alert", Title: cmp.Or(a.Headline, a.Event), Source: cmp.Or(strings.Join(a.Sources, ", "), a.Sender), Severity: string(a.Severity),
				Area: a.Area.Properties.Name, At: a.Sent, Until: a.Expires})
		}
	}
	return out[:min(len(out), mostOutlook)], nil
}

// decisions are what the figures and levels ask of somebody.
func (s *server) decisions(b *Briefing) []Decision {
	out := []Decision{}
	for _, one := range b.Status {
		if p := one.Proposal; p != nil {
			name := func(lang string) string { return cmp.Or(one.Names[lang], one.Hazard) }
			out = append(out, Decision{Code: "level", N: p.Level, Who: p.Who, AsOf: b.AsOf,
				ID: fmt.Sprintf("%s: tetap %s, atau tetapkan %s seperti diusulkan aturan", name("id"), s.levelName(one.Level, "id"), s.levelName(p.Level, "id")),
				EN: fmt.Sprintf("%s: stay at %s, or set %s as the rules propose", name("en"), s.levelName(one.Level, "en"), s.levelName(p.Level, "en"))})
		}
	}
	at := asked{AsOf: b.AsOf.Time}
	if late := b.graveLate; late > 0 {
		out = append(out, Decision{Code: "grave_late", N: late, Who: []string{"supervisor"}, AsOf: b.AsOf, Records: at.query(figures.Choice{Figure: figures.GraveLate}),
			ID: fmt.Sprintf("%d insiden kritis atau tinggi lewat tenggat: tambah regu atau alihkan", late),
			EN: fmt.Sprintf("%s past due: add units or hand them over", many(late, "critical or high incident", "critical or high incidents"))})
	}
	if n := b.unverified; n > 0 {
		out = append(out, Decision{Code: "unverified", N: n, Who: []string{"supervisor", "liaison"}, AsOf: b.AsOf, Records: at.query(figures.Choice{Figure: figures.Unverified}),
			ID: fmt.Sprintf("%d insiden tertangani lebih dari sehari belum diverifikasi: periksa dan tutup", n),
			EN: fmt.Sprintf("%s resolved over a day ago not verified yet: check and close", many(n, "incident", "incidents"))})
	}
	var failing []string
	for _, f := range b.DataHealth.Feeds {
		if f.State == feeds.FeedFailing {
			failing = append(failing, f.Name)
		}
	}
	if len(failing) > 0 {
		names := strings.Join(failing[:min(3, len(failing))], ", ")
		out = append(out, Decision{Code: "feeds", N: len(failing), Who: []string{"admin"}, AsOf: b.DataHealth.AsOf,
			ID: fmt.Sprintf("%d sumber data gagal (%s): wilayahnya tidak terpantau", len(failing), names),
			EN: fmt.Sprintf("%s (%s): what they see is not observed", many(len(failing), "data source fails", "data sources fail"), names)})
	}
	return out
}

// many is a number with what it counts, in English: Indonesian has one form for both.
func many(n int, one, more string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, more)
}

// levelName is a level with its number, never a bare one.
func (s *server) levelName(level int, lang string) string {
	for _, l := range s.Profile.Levels.Status {
		if l.Level == level {
			return fmt.Sprintf("%d %s", level, cmp.Or(l.Names[lang], l.Code))
		}
	}
	return fmt.Sprint(level)
}
