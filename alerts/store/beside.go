package store

import (
	"context"
	"slices"
	"strings"

	"kentongan/alerts"
	"kentongan/alerts/fusion"
)

// WarningKey is the parameter by which warnings over adjoining areas name the first of them: they are one line on a screen and one incident,
// and each of them is kept.
const WarningKey = "warning"

// mostBeside bounds how many warnings of one sender and event are held against a new one: the latest.
const mostBeside = 64

// beside finds the warnings that this one belongs with, notes the first of them in its parameters, and remembers the incidents that they
// opened. What belongs with one of them belongs with all. Those of one sender and event are found by a name of their own.
func (p *putting) beside(ctx context.Context, st *step) error {
	a := &p.a
	if a.Area.Geometry.IsZero() || a.Quake != nil || a.State != alerts.Active || a.Status != "Actual" || !a.Relevant {
		return nil
	}
	key := p.nameKey("warnings of\x00" + a.Sender + "\x00" + strings.ToLower(strings.TrimSpace(a.Event)))
	was, err := p.get(ctx, key)
	if err != nil {
		return err
	}
	ids := strings.Fields(was)
	list, err := p.warned.of(ctx, p.Store, p.alertForm(), ids)
	if err != nil {
		return err
	}
	p.besides = map[string]string{}
	first := ""
	for i := range list {
		o := &list[i].doc
		if o.State != alerts.Active && o.State != alerts.Updated || !fusion.Beside(a, o) {
			continue
		}
		if name := Warned(o); first == "" || name < first {
			first = name
		}
		if o.Incident != "" {
			p.besides[o.Incident] = o.Event
		}
	}
	if first != "" {
		a.Parameters = with(a.Parameters, WarningKey, first)
	}
	if slices.Contains(ids, a.ID) {
		return nil
	}
	st.check("str", key, "", was)
	ids = append(ids, a.ID)
	st.set(key, strings.Join(ids[max(0, len(ids)-mostBeside):], " "), life(a, p.now))
	return nil
}

// with is parameters and one more; those that were given stay as they are.
func with(parameters map[string]string, name, value string) map[string]string {
	out := make(map[string]string, len(parameters)+1)
	for k, v := range parameters {
		out[k] = v
	}
	out[name] = value
	return out
}

// Warned tells under which warning an alert stands: the first of those over adjoining areas, else itself.
func Warned(a *alerts.Alert) string {
	if name := a.Parameters[WarningKey]; name != "" {
		return name
	}
	return a.ID
}
