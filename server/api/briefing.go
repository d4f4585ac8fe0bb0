package api

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"kentongan/alerts/figures"
	"kentongan/alerts/status"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/problem"
)

// briefing is the few figures that leadership reads at 07.30.
func (s *server) briefing() {
	operation(s, needs(access.ReadBriefing), "GET", "/api/v1/briefing", "briefing", "The figures of a period by the formulas of the field, each with how many incidents it rests on, as of when, and the query of /incidents that lists them", http.StatusOK, s.brief)
}

// The morning to which a briefing reaches where nobody says otherwise (domain.md section 10), and the longest period.
const (
	morning     = 7 // local hour
	longestDays = 366
	recurDays   = 365 // of places that recur
)

type briefingIn struct {
	From time.Time `query:"from" doc:"First signals at or after. Default: a day before to"`
	To   time.Time `query:"to" doc:"And before. Default: the last 07.00 of the house's zone"`
	AsOf time.Time `query:"as_of" doc:"How the record stood then: asked again, the same record gives the same answer. Default: to, at most now"`
	Lang string    `query:"lang" enum:"id,en" doc:"Words in this language alone; default: both"`
}

// asked is a period as somebody asks for it, and how the record stood when.
type asked struct {
	From, To, AsOf time.Time
}

// period fills in what was left out, and refuses what cannot be told.
func (in *briefingIn) period(now time.Time, zone *time.Location) (asked, error) {
	p := asked{in.From, in.To, in.AsOf}
	switch local := now.In(zone); {
	case !p.To.IsZero():
	case !p.From.IsZero():
		p.To = now
	default:
		p.To = time.Date(local.Year(), local.Month(), local.Day(), morning, 0, 0, 0, zone)
		if p.To.After(now) {
			p.To = p.To.AddDate(0, 0, -1)
		}
	}
	if p.From.IsZero() {
		p.From = p.To.In(zone).AddDate(0, 0, -1)
	}
	if p.AsOf.IsZero() {
		p.AsOf = p.To
		if p.AsOf.After(now) {
			p.AsOf = now.Truncate(time.Second)
		}
	}
	return p, p.check(now)
}

func (p asked) check(now time.Time) error {
	wrong := func(field, why string) error {
		return problem.New(problem.Invalid, "there is no such period", problem.At("query."+field, problem.Wrong, why))
	}
	switch {
	case !p.From.Before(p.To):
		return wrong("from", "must be before to")
	case p.To.Sub(p.From) > longestDays*24*time.Hour:
		return wrong("from", fmt.Sprintf("the period is longer than %d days", longestDays))
	case p.AsOf.After(now.Add(time.Minute)):
		return wrong("as_of", "lies ahead")
	}
	return nil
}

// since is from when on the record is needed: places that recur are held against their own year, counts against four weeks before.
func (p asked) since() time.Time {
	year, weeks := p.AsOf.AddDate(0, 0, -recurDays), p.From.AddDate(0, 0, -7*figures.Weeks-1)
	if weeks.Before(year) {
		return weeks
	}
	return year
}

// until is the end of what is needed.
func (p asked) until() time.Time {
	if p.AsOf.After(p.To) {
		return p.AsOf
	}
	return p.To
}

// Briefing is what GET /briefing answers. Every figure carries n, when it was as it is told, and the query that lists its incidents.
type Briefing struct {
	AsOf       moment.Time            `json:"as_of"`
	Period     BriefingPeriod         `json:"period"`
	Zone       string                 `json:"zone"`
	Began      moment.Time            `json:"record_began" doc:"First signal that the record holds; null: it is empty"`
	Status     []status.Status        `json:"status" doc:"The level of each hazard as it stood, and why"`
	Counts     BriefingCounts         `json:"counts"`
	Times      map[string]TimesFigure `json:"times" doc:"Detection, ack, dispatch, turnout, travel, response, resolve"`
	Response   []ResponseFigure       `json:"response" doc:"Response by lead agency, by kecamatan, by type, by hours of the day, by service class"`
	SLA        map[string]ShareFigure `json:"sla" doc:"Overall, and ack, dispatch, scene, resolve apart"`
	Backlog    TimesFigure            `json:"backlog" doc:"Open incidents past due, and their age"`
	Rates      map[string]ShareFigure `json:"rates" doc:"Verification, override, reopen, dispute, false_alarm, false_alarm_{person,report,sensor,agency}, auto_detected; the query lists what they are shares of"`
	Places     []PlaceFigure          `json:"places" doc:"Cells with the most incidents of the period, at most 5"`
	Recurrent  []RecurringFigure      `json:"recurrent" doc:"Cells with 3 or more incidents of one type in 90 days, twice what their own year has"`
	Recurring  bool                   `json:"recurrent_known" doc:"False: the record holds less than half a year"`
	Open       []OpenCase             `json:"open" doc:"Open Extreme and Severe incidents, the oldest first"`
	DataHealth DataHealth             `json:"data_health"`
	Outlook    []Outlook              `json:"outlook" doc:"What agencies warn of and authorities have said, in force now"`
	Decisions  []Decision             `json:"decisions"`
	Unmeasured []string               `json:"unmeasured" doc:"Figures of the field that nothing is recorded for yet"`

	graveLate, unverified int // of the decisions

	Hash string `json:"hash" doc:"SHA-256 of all that comes from the record: the same record gives the same, whoever asks whenever"`
}

// BriefingPeriod is from at or after, to before.
type BriefingPeriod struct {
	From moment.Time `json:"from"`
	To   moment.Time `json:"to"`
}

// Stand is what every figure carries beside its value.
type Stand struct {
	AsOf    moment.Time `json:"as_of"`
	Records string      `json:"records" doc:"Query of /api/v1/incidents that lists exactly the incidents that the figure rests on"`
}

// BriefingCounts are numbers of incidents.
type BriefingCounts struct {
	Incidents CountFigure  `json:"incidents"`
	Grave     CountFigure  `json:"grave" doc:"Extreme and Severe"`
	Open      CountFigure  `json:"open" doc:"At as_of, whenever they began"`
	GraveOpen CountFigure  `json:"grave_open"`
	Series    []SlotFigure `json:"series" doc:"The period by hours, days or months, whichever suits its length"`
}

// CountFigure is a number that stands by itself.
type CountFigure struct {
	figures.Count
	Stand
}

// SlotFigure is a part of the series.
type SlotFigure struct {
	figures.Slot
	Stand
}

// TimesFigure is durations that stand by themselves.
type TimesFigure struct {
	figures.Durations
	Stand
}

// ResponseFigure is a group that stands by itself.
type ResponseFigure struct {
	figures.Group
	Stand
	SLARecords string `json:"sla_records" doc:"Query of the incidents whose service is judged"`
}

// ShareFigure is a share that stands by itself.
type ShareFigure struct {
	figures.Share
	Stand
}

// PlaceFigure is a place that stands by itself.
type PlaceFigure struct {
	figures.Place
	Stand
}

// RecurringFigure is a place that recurs.
type RecurringFigure struct {
	figures.Recurring
	Stand
}

// OpenCase is an open incident as a briefing names it; title as the reader sees it.
type OpenCase struct {
	ID       string       `json:"id"`
	Number   string       `json:"number"`
	Title    string       `json:"title"`
	Type     string       `json:"type"`
	Severity cap.Severity `json:"severity"`
	Lead     string       `json:"lead_agency"`
	Area     string       `json:"area_name"`
	Since    moment.Time  `json:"t_signal"`
	Late     bool         `json:"late" doc:"A step of its service is past due"`
}

func (s *server) brief(ctx context.Context, in *briefingIn) (*body[Briefing], error) {
	p, err := in.period(s.Now(), s.Profile.Zone)
	if err != nil {
		return nil, err
	}
	v := s.sees(ctx)
	record, err := v.record(ctx, p.since(), p.until())
	if err != nil {
		return nil, err
	}
	b := composed(record, p, s.Profile.Zone)
	if b.Status, err = s.statusAsOf(ctx, p.AsOf); err != nil {
		return nil, err
	}
	if b.Hash, err = b.sealed(); err != nil {
		return nil, err
	}
	if err := v.titles(ctx, b.Open); err != nil {
		return nil, err
	}
	if err := s.living(ctx, &b, in.Lang); err != nil {
		return nil, err
	}
	return &body[Briefing]{b}, nil
}

// sealed is the hash of what comes from the record. What is so now and was never recorded, and words, are not in it.
func (b Briefing) sealed() (string, error) {
	b.DataHealth, b.Outlook, b.Decisions, b.Hash = DataHealth{}, nil, nil, ""
	text, err := json.Marshal(b)
	if err != nil {
		return "", fmt.Errorf("briefing: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:]), nil
}

// statusAsOf gives the level of each hazard as its history has it. What is simulated is in no briefing.
func (s *server) statusAsOf(ctx context.Context, asOf time.Time) ([]status.Status, error) {
	all, err := s.Cases.AreaStatus(ctx)
	if err != nil {
		return nil, s.statusFault(err)
	}
	out := []status.Status{}
	for _, one := range all {
		if one.Simulated {
			continue
		}
		for page := ""; ; {
			entries, next, err := s.Cases.StatusHistory(ctx, one.ID, 0, page)
			if err != nil {
				return nil, s.statusFault(err)
			}
			found := false
			for _, e := range entries {
				if !e.At.After(asOf) {
					out, found = append(out, e.Status), true
					break
				}
			}
			if page = next; found || page == "" {
				break
			}
		}
	}
	return out, nil
}
