package app

import (
	"context"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"kentongan/alerts/alarm"
	"kentongan/alerts/rules"
	"kentongan/alerts/store"
	"kentongan/feeds"
)

// deskSeen is how long after its session was seen last a desk counts as staffed, as GET /desks says it.
const deskSeen = 2 * time.Minute

// definitionsFor is how long the governor goes by what it knows of the rules.
const definitionsFor = 2 * time.Second

// governor lets the governor of alarms follow the cases.
func (a *App) governor(cases *store.Store) func() store.Reader {
	return func() store.Reader {
		language := ""
		if len(a.profile.Languages) > 0 {
			language = a.profile.Languages[0]
		}
		return cases.AlarmReader(store.Governing{
			Options: alarm.Options{Config: a.cfg.Alarms, Define: (&definitions{list: a.listRules, now: time.Now}).of, Language: language},
			Desks:   a.staffedDesks,
			Feeds:   a.feedsDown,
			Health:  a.gauges.set,
		})
	}
}

// listRules lists the rules in force.
func (a *App) listRules() []rules.Listed { return a.ruleSet.List() }

// staffedDesks are the desks at which somebody's screens are live.
func (a *App) staffedDesks(ctx context.Context) ([]string, error) {
	staff, err := a.auth.Staffed(ctx, time.Now().Add(-deskSeen))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, s := range staff {
		out = append(out, s.Desk)
	}
	return out, nil
}

// feedsDown says how the feeds fare, as the governor asks it.
func (a *App) feedsDown() []alarm.Feed {
	list := a.feedStatus()
	out := make([]alarm.Feed, 0, len(list))
	for _, f := range list {
		out = append(out, alarm.Feed{Name: f.Name, Down: f.State == feeds.FeedFailing, Reason: f.Reason, Simulated: f.Simulated})
	}
	return out
}

// definitions are what rules say of their alarms. Asked by one goroutine, or more.
type definitions struct {
	list func() []rules.Listed
	now  func() time.Time
	mu   sync.Mutex
	at   time.Time
	by   map[string]alarm.Definition
}

func (d *definitions) of(rule string) alarm.Definition {
	d.mu.Lock()
	defer d.mu.Unlock()
	if now := d.now(); d.by == nil || now.Sub(d.at) >= definitionsFor {
		d.at, d.by = now, map[string]alarm.Definition{}
		for _, l := range d.list() {
			def := alarm.Definition{ActWithin: time.Duration(l.ActWithinS * float64(time.Second)), Response: l.Response}
			if l.Incident != nil {
				def.Type = l.Incident.Type
			}
			d.by[l.ID] = def
		}
	}
	return d.by[rule]
}

// alarmGauges are the figures of alarms as metrics, of the server that governs; desks are as few as the profile names.
type alarmGauges struct {
	presented, load, flood, share, open, raised, standing, chattering, shelved, suppressed, withheld, ack *prometheus.GaugeVec
}

func newAlarmGauges(reg prometheus.Registerer) *alarmGauges {
	gauge := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "kentongan_alarm_" + name, Help: help}, append([]string{"desk"}, labels...))
		if reg != nil {
			reg.MustRegister(v)
		}
		return v
	}
	return &alarmGauges{
		presented:  gauge("presented_10m", "Presentations at a desk within ten minutes (EEMUA 191: at most 1 is the target); desk empty: the house."),
		load:       gauge("load_per_10m", "Mean of presentations per ten minutes over the shift."),
		flood:      gauge("flood", "1 while a desk is in flood."),
		share:      gauge("flood_share", "Share of the last 24 h that was flood; the goal is below 0.01."),
		open:       gauge("open", "Alarms in the queue that nobody has acknowledged.", "priority"),
		raised:     gauge("activations_24h", "Activations of all sources within 24 h, presented or not."),
		standing:   gauge("standing", "Alarms that have been active for more than 24 h."),
		chattering: gauge("chattering", "Alarms whose source chatters."),
		shelved:    gauge("shelved", "Alarms on the shelf."),
		suppressed: gauge("suppressed", "Alarms kept back by what they follow from."),
		withheld:   gauge("withheld", "Standing alarms that are not presented, for any reason."),
		ack:        gauge("acknowledge_seconds", "From presentation to acknowledgement within 24 h.", "quantile"),
	}
}

// set takes over figures of real alarms; simulated ones enter none.
func (g *alarmGauges) set(f alarm.Figures) {
	for _, v := range []*prometheus.GaugeVec{g.presented, g.load, g.flood, g.share, g.open, g.raised, g.standing, g.chattering, g.shelved, g.suppressed, g.withheld, g.ack} {
		v.Reset() // a desk that is gone says nothing any more
	}
	for _, h := range append([]alarm.Health{f.House}, f.Desks...) {
		one := func(v *prometheus.GaugeVec, n float64, labels ...string) {
			v.WithLabelValues(append([]string{h.Desk}, labels...)...).Set(n)
		}
		one(g.presented, float64(h.New10m))
		one(g.load, h.Rate10m)
		one(g.share, h.FloodShare24h)
		one(g.raised, float64(h.Raised24h))
		one(g.standing, float64(h.Standing))
		one(g.chattering, float64(h.Chattering))
		one(g.shelved, float64(h.Shelved))
		one(g.suppressed, float64(h.Suppressed))
		one(g.withheld, float64(h.Withheld))
		flood := 0.0
		if h.Flood {
			flood = 1
		}
		one(g.flood, flood)
		for p, n := range h.Open {
			one(g.open, float64(n), string(p))
		}
		for name, ms := range map[string]*int64{"0.5": h.AckP50Ms, "0.9": h.AckP90Ms} {
			if ms != nil {
				one(g.ack, float64(*ms)/1000, name)
			}
		}
	}
}
