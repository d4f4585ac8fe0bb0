package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"kentongan/alerts"
	"kentongan/feeds"
	"kentongan/geo/moment"
)

// maxCores bounds how many earlier solutions of an earthquake are remembered.
const maxCores = 50

// quakeBucket holds the ids of the earthquakes of one minute.
func (p *putting) quakeBucket(minute int64) string {
	return p.keys.AlertKey(p.hashed("minute " + strconv.FormatInt(minute, 10)))
}

// quake stores an earthquake, or joins it to the one it reports again: revised in place by its own sender, otherwise one source more.
func (p *putting) quake(ctx context.Context) (Result, error) {
	st := p.newStep(p.now)
	st.check("rev", p.keys.Alert(p.a.ID), "", "")
	k, err := p.known(ctx, st)
	if err != nil {
		return Result{}, err
	}
	full, core := solution(p.in.Quake)
	if k == nil {
		p.own.Seen, p.own.Cores = map[string]string{p.m.Feed: full}, []string{core}
		return p.finish(ctx, st, "", nil, "alert.stored")
	}
	if k.own.Seen[p.m.Feed] == full && containsAll(k.doc.Keys, p.a.Keys) {
		return Result{Kind: Duplicate, Alert: k.doc.ID, Incident: k.doc.Incident}, p.rest(ctx, "rev", p.keys.Alert(k.doc.ID), "", k.rev)
	}
	return p.revise(ctx, k, full, core)
}

// known finds the earthquake by key and by minute. It writes this report's names into the step for the case that it is new.
func (p *putting) known(ctx context.Context, st *step) (*kept[alerts.Alert], error) {
	var ids []string
	claim := func(key string, write bool) error {
		was, err := p.get(ctx, key)
		if err != nil {
			return err
		}
		ids = append(ids, strings.Fields(was)...)
		st.check("str", key, "", was)
		if write {
			st.set(key, strings.TrimSpace(was+" "+p.a.ID), keyLife)
		}
		return nil
	}
	for _, k := range p.a.Keys {
		if err := claim(p.nameKey("event "+k), true); err != nil {
			return nil, err
		}
	}
	minute := p.a.Quake.OriginAt.Unix() / 60
	for _, m := range []int64{minute, minute - 1, minute + 1} {
		if err := claim(p.quakeBucket(m), m == minute); err != nil {
			return nil, err
		}
	}
	list, err := p.alertsOf(ctx, ids)
	if err != nil {
		return nil, err
	}
	for i := range list {
		if alerts.SameQuake(&list[i].doc, &p.a) {
			return &list[i], nil
		}
	}
	return nil, nil
}

// revise joins a report to a known earthquake.
func (p *putting) revise(ctx context.Context, k *kept[alerts.Alert], full, core string) (Result, error) {
	before := k.doc
	_, heard := k.own.Seen[p.m.Feed]
	owner := k.doc.Sender == p.a.Sender && (k.own.Feed == p.m.Feed || k.own.Agency == p.m.Agency)
	// What another list of the same agency repeats of an earlier solution is late, not a step back.
	fresh := owner && (heard || !slices.Contains(k.own.Cores, core)) && !older(&p.a, &before)
	a := before
	if fresh {
		a = p.a
	}
	p.merge(&a, before, fresh)
	changes := alerts.QuakeChanges(before.Quake, a.Quake)
	revised := len(changes) > 0 || !reflect.DeepEqual(before.Quake.Felt, a.Quake.Felt) || before.Quake.Tsunami != a.Quake.Tsunami
	if revised {
		a.Revision, a.Changes, a.UpdatedAt = before.Revision+1, changes, moment.Of(p.now)
		if len(changes) == 0 {
			a.Changes = []string{"felt reports"}
		}
	} else {
		keys, sources := a.Keys, a.Sources
		a = before
		a.Keys, a.Sources = keys, sources
	}
	p.a, p.own = a, k.own.heard(p.m.Feed, full, core)
	st := p.newStep(p.now)
	st.check("rev", p.keys.Alert(a.ID), "", k.rev)
	if err := p.names(ctx, st, a); err != nil {
		return Result{}, err
	}
	if revised {
		if err := p.remark(ctx, st, &a, p.who.Subject, "alert_revised", strings.Join(a.Changes, ", ")); err != nil {
			return Result{}, err
		}
		return p.finish(ctx, st, k.rev, before, "alert.revised")
	}
	out := Result{Kind: Duplicate, Alert: a.ID, Incident: a.Incident}
	news := len(a.Sources) > len(before.Sources)
	if err := p.putAlert(st, k.rev, &a, p.own, !news); err != nil {
		return Result{}, err
	}
	if news {
		if err := st.audited(p.who, "alert.heard", "alert:"+a.ID, "also by feed "+p.m.Feed, before, a); err != nil {
			return Result{}, err
		}
	}
	return out, p.run(ctx, st)
}

// older tells a report that its sender has overtaken already: USGS stamps its versions (`updated`), and caches on the way may give an
// earlier one after a later. A sender without versions stamps the origin itself, which a revision may move either way.
func older(report, before *alerts.Alert) bool {
	versioned := !report.Sent.Equal(report.Quake.OriginAt.Time) && !before.Sent.Equal(before.Quake.OriginAt.Time)
	return versioned && report.Sent.Before(before.Sent.Time)
}

// merge carries on what stands and fills in what only one report knows. A sender that is not the first one's changes nothing that the
// first has said, and never lowers the severity.
func (p *putting) merge(a *alerts.Alert, before alerts.Alert, fresh bool) {
	q := *before.Quake
	if fresh {
		q = *p.a.Quake
	}
	for _, other := range []*alerts.Quake{before.Quake, p.a.Quake} {
		if len(q.Felt) == 0 {
			q.Felt = other.Felt
		}
		if q.Tsunami == "" {
			q.Tsunami = other.Tsunami
		}
		if q.Place == "" {
			q.Place = other.Place
		}
	}
	a.Quake = &q
	a.ID, a.Identifier, a.ReceivedAt, a.Incident, a.Revision = before.ID, before.Identifier, before.ReceivedAt, before.Incident, before.Revision
	a.Keys, a.Sources = union(before.Keys, p.a.Keys), union(before.Sources, []string{p.m.Feed})
	if before.State == alerts.Cancelled {
		a.State = before.State
	}
	a.Judge(p.place)
	if p.regrade != nil {
		p.regrade.Regrade(a)
	}
	if !fresh && a.Severity.Rank() > before.Severity.Rank() {
		a.Severity = before.Severity
	}
}

// names makes the earthquake found by every key it has gained and by its present minute.
func (p *putting) names(ctx context.Context, st *step, a alerts.Alert) error {
	keys := []string{p.quakeBucket(a.Quake.OriginAt.Unix() / 60)}
	for _, k := range a.Keys {
		keys = append(keys, p.nameKey("event "+k))
	}
	for _, key := range keys {
		was, err := p.get(ctx, key)
		if err != nil {
			return err
		}
		if slices.Contains(strings.Fields(was), a.ID) {
			continue
		}
		st.check("str", key, "", was)
		st.set(key, strings.TrimSpace(was+" "+a.ID), keyLife)
	}
	return nil
}

func (o origin) heard(feed, full, core string) origin {
	seen := map[string]string{feed: full}
	for k, v := range o.Seen {
		if k != feed {
			seen[k] = v
		}
	}
	o.Seen = seen
	if !slices.Contains(o.Cores, core) && len(o.Cores) < maxCores {
		o.Cores = append(slices.Clone(o.Cores), core)
	}
	return o
}

// solution gives hashes of all that a report says, and of where, when and how strong alone.
func solution(q *feeds.Quake) (full, core string) {
	magnitude := "?"
	if q.Magnitude != nil {
		magnitude = strconv.FormatFloat(*q.Magnitude, 'g', -1, 64)
	}
	core = digest(fmt.Sprint(q.OriginAt, q.Position, q.DepthKm, magnitude))
	felt, err := json.Marshal(q.Felt)
	if err != nil {
		felt = nil // a list of texts and integers always marshals
	}
	return digest(fmt.Sprint(core, q.Place, q.Tsunami, q.Reviewed, string(felt))), core
}

func digest(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}

func union(a, b []string) []string {
	out := slices.Clone(a)
	for _, v := range b {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

func containsAll(all, some []string) bool {
	for _, v := range some {
		if !slices.Contains(all, v) {
			return false
		}
	}
	return true
}
