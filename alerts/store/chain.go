package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"kentongan/alerts"
	"kentongan/feeds/cap"
	"kentongan/geo/keyspace"
)

// maxWaiting bounds how many messages wait for one reference, so that nobody can push out the one that is entitled without end.
const maxWaiting = 16

// waiter is an Update or Cancel that came before what it names.
type waiter struct {
	Act    string `json:"act"` // update, cancel
	Feed   string `json:"feed"`
	Agency string `json:"agency,omitempty"`
	Sender string `json:"sender"`
	Alert  string `json:"alert,omitempty"` // the alert that an update made
}

func capReference(a alerts.Alert) cap.Reference {
	return cap.Reference{Sender: a.Sender, Identifier: a.Identifier, Sent: a.Sent}
}

func (p *putting) pendingKey(name string) string { return p.keys.AlertPending(p.hashed(name)) }

func (p *putting) waiters(ctx context.Context, key string) (list []waiter, was string, err error) {
	if was, err = p.get(ctx, key); err != nil || was == "" {
		return nil, was, err
	}
	if err := json.Unmarshal([]byte(was), &list); err != nil {
		return nil, was, fmt.Errorf("pending %s: %w", key, err)
	}
	return list, was, nil
}

// wait remembers the message for each reference that has not come yet.
func (p *putting) wait(ctx context.Context, st *step, missing []string, act string) error {
	for _, name := range missing {
		key := p.pendingKey(name)
		list, was, err := p.waiters(ctx, key)
		if err != nil {
			return err
		}
		w := waiter{Act: act, Feed: p.m.Feed, Agency: p.m.Agency, Sender: p.a.Sender}
		if act == "update" {
			w.Alert = p.a.ID
		}
		if len(list) >= maxWaiting || slices.Contains(list, w) {
			continue
		}
		doc, err := marshal(append(list, w))
		if err != nil {
			return err
		}
		st.check("str", key, "", was)
		st.set(key, string(doc), keyspace.PendingLifetime)
	}
	return nil
}

// waited lets the messages that waited for this alert act on it, those that are entitled.
func (p *putting) waited(ctx context.Context, st *step) error {
	key := p.pendingKey(p.in.Message.Reference().String())
	list, was, err := p.waiters(ctx, key)
	if err != nil {
		return err
	}
	st.check("str", key, "", was)
	if was != "" {
		st.write("del", key)
	}
	for _, w := range list {
		if w.Sender != p.a.Sender || w.Feed != p.m.Feed {
			continue
		}
		if w.Act == "cancel" {
			if p.a.State == alerts.Active || p.a.State == alerts.Updated {
				p.a.State = alerts.Cancelled
			}
			continue
		}
		if p.a.State == alerts.Active {
			p.a.State = alerts.Updated
		}
		if err := p.succeed(ctx, st, w.Alert); err != nil {
			return err
		}
	}
	return nil
}

// succeed tells the alert that came early what it supersedes.
func (p *putting) succeed(ctx context.Context, st *step, id string) error {
	next, err := p.alertsOf(ctx, []string{id})
	if err != nil || len(next) == 0 {
		return err
	}
	n := next[0].doc
	if _, written := st.index[p.keys.Alert(id)]; written || slices.Contains(n.Supersedes, p.a.ID) {
		return nil
	}
	n.Supersedes = append(slices.Clone(n.Supersedes), p.a.ID)
	n.UpdatedAt = st.now
	return p.putAlert(st, next[0].rev, &n, next[0].own, false)
}

// superseded gives what this message replaces and may replace.
func (p *putting) superseded(ctx context.Context) (out []kept[alerts.Alert], missing []string, err error) {
	switch {
	case p.a.MsgType == "Update" && len(p.in.Message.References) == 0:
		out, err = p.guess(ctx, func(k kept[alerts.Alert]) bool {
			return p.entitled(k) && k.doc.Area.Geometry.Bound().Intersects(p.a.Area.Geometry.Bound()) && !k.doc.Area.Geometry.IsZero() && !p.a.Area.Geometry.IsZero()
		})
		if len(out) > 0 {
			if p.a.Parameters == nil {
				p.a.Parameters = map[string]string{}
			}
			p.a.Parameters["supersedes"] = "guess"
		}
		return out, nil, err
	case p.a.MsgType == "Update":
		found, missing, err := p.parents(ctx)
		if err != nil {
			return nil, nil, err
		}
		return slices.DeleteFunc(found, func(k kept[alerts.Alert]) bool { return !p.entitled(k) }), missing, nil
	case strings.HasPrefix(p.a.Identifier, bmkgOID) && len(p.in.Message.References) == 0:
		return p.nowcast(ctx)
	}
	return nil, nil, nil
}

// guess looks among the active alerts of the same sender for the same event.
func (p *putting) guess(ctx context.Context, same func(kept[alerts.Alert]) bool) ([]kept[alerts.Alert], error) {
	active, err := p.active(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(active, func(k kept[alerts.Alert]) bool {
		return !p.sameSender(k) || k.doc.Event != p.a.Event || k.doc.Status != p.a.Status || !same(k)
	}), nil
}

// nowcast is BMKG's rule: one province and event with overlapping validity, the newest sent is current. The index of either language may
// bring the next one first, so feeds of one agency count as one here.
func (p *putting) nowcast(ctx context.Context) ([]kept[alerts.Alert], []string, error) {
	same, err := p.guess(ctx, func(k kept[alerts.Alert]) bool {
		ours := k.own.Feed == p.m.Feed || p.m.Agency != "" && k.own.Agency == p.m.Agency
		return ours && k.doc.Area.Properties.Name == p.a.Area.Properties.Name && k.doc.Effective.Before(p.a.Expires.Time) &&
			p.a.Effective.Before(k.doc.Expires.Time) && strings.HasPrefix(k.doc.Identifier, bmkgOID)
	})
	if err != nil {
		return nil, nil, err
	}
	for _, k := range same {
		if k.doc.Sent.After(p.a.Sent.Time) && p.a.State == alerts.Active {
			p.a.State = alerts.Updated // it was overtaken on the way
		}
	}
	return slices.DeleteFunc(same, func(k kept[alerts.Alert]) bool { return k.doc.Sent.After(p.a.Sent.Time) }), nil, nil
}
