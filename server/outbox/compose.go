package outbox

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"kentongan/alerts/alarm"
	"kentongan/alerts/dispatch"
	"kentongan/alerts/incident"
	"kentongan/alerts/notify"
	"kentongan/alerts/store"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/scope"
)

// climbFresh is how long after an alarm has climbed a telephone still rings for it.
const climbFresh = 10 * time.Minute

// Compose makes the messages of one change of the cases: to every webhook what it may see, and to browsers what their holders must know now.
// What is simulated leaves by no channel.
func (b *Box) Compose(ctx context.Context, c *store.Change, hooks []notify.Webhook, browsers []notify.Subscription, now time.Time) ([]notify.Delivery, error) {
	switch c.Type {
	case "incident":
		if in, ok := read[incident.Incident](b, c); ok && !in.Simulated && c.Offset >= 0 {
			return ofIncident(in, c.Offset, hooks, now)
		}
	case "alarm":
		if a, ok := read[alarm.Alarm](b, c); ok && !a.Simulated {
			out, err := ofAlarm(a, hooks, now, c.Offset >= 0)
			if err != nil {
				return nil, err
			}
			calls, err := b.ofClimb(ctx, a, browsers, now)
			return append(out, calls...), err
		}
	case "dispatch":
		if d, ok := read[dispatch.Dispatch](b, c); ok && !d.Simulated {
			out, err := ofDispatch(d, hooks, now, c.Offset >= 0)
			if err != nil {
				return nil, err
			}
			orders, err := b.ofOrder(ctx, d, browsers, now)
			return append(out, orders...), err
		}
	}
	return nil, nil
}

// read gives the document of a change; one of a newer server is passed over, and said.
func read[T any](b *Box, c *store.Change) (*T, bool) {
	doc := new(T)
	if err := json.Unmarshal(c.Doc, doc); err != nil {
		b.d.Log.Error().Err(err).Int64("offset", c.Offset).Str("noun", c.Type).Str("id", c.ID).Msg("a change cannot be read, and no message is made of it")
		return nil, false
	}
	return doc, true
}

// program is who a webhook is to access.Can: a key with scope read, and its agency.
func program(w *notify.Webhook) access.Subject {
	return access.Subject{ID: w.To(), Actions: []access.Action{access.ReadIncidents, access.ReadAlarms, access.ReadUnits}, Agency: w.Agency}
}

// tell makes the message of an event to a webhook.
func tell(w *notify.Webhook, event, noun, id, key string, doc any, now time.Time) (notify.Delivery, error) {
	body, err := json.Marshal(map[string]any{"type": event, "timestamp": moment.Of(now), "data": map[string]any{noun: doc}})
	if err != nil {
		return notify.Delivery{}, fmt.Errorf("message %s of %s: %w", event, id, err)
	}
	return notify.New(w.To(), event, noun+":"+id, key, string(body), now), nil
}

// ofIncident tells of an incident: that it is there once, that it has ended once each time, all else as it comes.
func ofIncident(in *incident.Incident, offset int64, hooks []notify.Webhook, now time.Time) (out []notify.Delivery, err error) {
	event, key := "incident.updated", fmt.Sprint(offset)
	last := incident.Entry{}
	if n := len(in.Timeline); n > 0 {
		last = in.Timeline[n-1]
	}
	switch {
	case len(in.Timeline) <= 1 && in.Status == incident.New:
		event, key = "incident.created", ""
	case !in.Status.Open() && last.Act == string(in.Status):
		event, key = "incident.closed", last.At.String()
	}
	for i := range hooks {
		if !hooks[i].Wants(event) {
			continue
		}
		seen, ok := scope.IncidentAt(access.Can(program(&hooks[i]), access.ReadIncidents, scope.Incident(in), now).Level, in)
		if !ok {
			continue
		}
		d, err := tell(&hooks[i], event, "incident", in.ID, key, seen, now)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

func ofAlarm(a *alarm.Alarm, hooks []notify.Webhook, now time.Time, fresh bool) (out []notify.Delivery, err error) {
	const event = "alarm.raised"
	if !fresh || a.State != alarm.Raised || !a.Presented {
		return nil, nil
	}
	for i := range hooks {
		if !hooks[i].Wants(event) {
			continue
		}
		who := program(&hooks[i])
		level := access.Can(who, access.ReadAlarms, scope.Alarm(a), now).Level
		if o, words := scope.CaseOf(a); words {
			level = min(level, access.Can(who, access.ReadIncidents, o, now).Level)
		}
		seen, ok := scope.AlarmAt(level, a)
		if !ok {
			continue
		}
		d, err := tell(&hooks[i], event, "alarm", a.ID, "", seen, now)
		if err != nil {
			return nil, err
		}
		out = append(out, d)
	}
	return out, nil
}

// ofDispatch tells of each status of a dispatch once, without people's words.
func ofDispatch(d *dispatch.Dispatch, hooks []notify.Webhook, now time.Time, fresh bool) (out []notify.Delivery, err error) {
	event := "dispatch." + string(d.Status)
	for i := range hooks {
		if !fresh || !hooks[i].Wants(event) || !access.Can(program(&hooks[i]), access.ReadUnits, scope.Dispatch(d), now).Allowed() {
			continue
		}
		seen := *d
		seen.Note, seen.Reason, seen.By = "", "", incident.Redacted(d.By)
		one, err := tell(&hooks[i], event, "dispatch", d.ID, "", seen, now)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// Pushed is what a service worker gets: enough to show, and where to go. It stands on a locked screen, so it says no more.
type Pushed struct {
	Kind  string      `json:"kind"` // dispatch, alarm
	ID    string      `json:"id"`
	Title string      `json:"title"`
	Body  string      `json:"body"`
	URL   string      `json:"url"`
	Tag   string      `json:"tag"` // what is newer takes the place of what bears the same
	At    moment.Time `json:"at"`
}

func push(s *notify.Subscription, event, object, key string, p Pushed, now time.Time) (notify.Delivery, error) {
	body, err := json.Marshal(p)
	if err != nil {
		return notify.Delivery{}, fmt.Errorf("message %s of %s: %w", event, object, err)
	}
	return notify.New(s.To(), event, object, key, string(body), now), nil
}

// ofOrder calls the crew of a unit that is sent, or called back: every device whose holder rides with it now.
func (b *Box) ofOrder(ctx context.Context, d *dispatch.Dispatch, browsers []notify.Subscription, now time.Time) (out []notify.Delivery, err error) {
	offered := d.Status == dispatch.Offered && d.Receipt.Sent.IsZero() && now.Before(d.ExpiresAt.Time)
	if !offered && (d.Status != dispatch.Cancelled || now.Sub(d.Times.Cancelled.Time) > climbFresh) {
		return nil, nil
	}
	for i := range browsers {
		s := &browsers[i]
		if s.Unit != d.Unit {
			continue
		}
		holder, err := b.d.Holder(ctx, s)
		if err != nil {
			return nil, err
		}
		if holder.Unit != d.Unit {
			continue
		}
		at := d.Times.Offered
		if !offered {
			at = d.Times.Cancelled
		}
		title, text := orderWords(s.Lang, d.Type, offered)
		one, err := push(s, "dispatch."+string(d.Status), "dispatch:"+d.ID, "", Pushed{"dispatch", d.ID, title, text, "/field?dispatch=" + d.ID, "dispatch:" + d.ID, at}, now)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// callees are the roles whose telephones a rung of the ladder rings.
var callees = map[string][]access.Role{"duty": {access.Supervisor}, "leadership": {access.Leader}}

// ofClimb rings where an alarm has climbed to somebody's telephone.
func (b *Box) ofClimb(ctx context.Context, a *alarm.Alarm, browsers []notify.Subscription, now time.Time) (out []notify.Delivery, err error) {
	for _, c := range a.Climbed {
		roles := callees[string(c.To)]
		if len(roles) == 0 || a.Seen != nil || now.Sub(c.At.Time) > climbFresh {
			continue
		}
		for i := range browsers {
			s := &browsers[i]
			holder, err := b.d.Holder(ctx, s)
			if err != nil {
				return nil, err
			}
			if !slices.ContainsFunc(holder.Grants, func(g access.Grant) bool {
				return slices.Contains(roles, g.Role) && (g.Until.IsZero() || now.Before(g.Until))
			}) {
				continue
			}
			title, text := climbWords(s.Lang, a)
			one, err := push(s, "alarm.climbed", "alarm:"+a.ID, string(c.To), Pushed{"alarm", a.ID, title, text, "/console?alarm=" + a.ID, "alarm:" + a.ID, c.At}, now)
			if err != nil {
				return nil, err
			}
			out = append(out, one)
		}
	}
	return out, nil
}
