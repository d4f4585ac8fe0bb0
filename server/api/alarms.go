package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"kentongan/alerts/alarm"
	"kentongan/alerts/store"
	"kentongan/feeds/cap"
	"kentongan/geo/moment"
	"kentongan/server/access"
	"kentongan/server/auth"
	"kentongan/server/problem"
	"kentongan/server/scope"
)

// mostAtOnce bounds how many alarms one call acknowledges.
const mostAtOnce = 200

func (s *server) alarms() {
	const root = "/api/v1/alarms"
	operation(s, needs(access.ReadAlarms), "GET", root, "alarms", "Alarms, the newest raised first: presented or not, standing or over", http.StatusOK, s.listAlarms)
	operation(s, needs(access.ReadAlarms), "GET", root+"/health", "alarm-health", "The figures of alarm management (EEMUA 191, ISA-18.2) of every desk and of the house", http.StatusOK, s.alarmHealth)
	operation(s, needs(access.ReadAlarms), "GET", root+"/{id}", "alarm", "One alarm, with what may be asked of it now", http.StatusOK, s.oneAlarm)
	operation(s, needs(access.ActAlarms), "POST", root+"/{id}/acknowledge", "acknowledge-alarm", "Take note of an alarm, and of all that it stands for; its incident stays as it is", http.StatusOK, s.acknowledgeAlarm)
	operation(s, needs(access.ActAlarms), "POST", root+"/{id}/shelve", "shelve-alarm", "Take an alarm out of the queue for a time, for a reason", http.StatusOK, s.shelveAlarm)
	operation(s, needs(access.ActAlarms), "POST", root+"/{id}/unshelve", "unshelve-alarm", "Return an alarm to the queue before its time", http.StatusOK, s.unshelveAlarm)
	operation(s, needs(access.ActAlarms), "POST", root+"/acknowledge", "acknowledge-alarms", "Take note of several alarms at once; P1 never", http.StatusOK, s.acknowledgeAlarms)
	operation(s, needs(access.ActAlarms), "POST", root+"/mute", "mute-alarms", "Note that a desk is silent for a time, ten minutes at most, or sounds again", http.StatusOK, s.muteAlarms)
}

type alarmsIn struct {
	State     string    `query:"state" enum:"open,raised,acknowledged,cleared,shelved,suppressed" doc:"open: all that stand, so every one but those that are over"`
	Priority  string    `query:"priority" enum:"P1,P2,P3"`
	Severity  string    `query:"severity" enum:"Extreme,Severe,Moderate,Minor,Unknown"`
	Desk      string    `query:"desk" doc:"Of this desk, or of every desk"`
	Agency    string    `query:"agency" maxLength:"64" doc:"Its own queue: of types that it leads or supports, and of its units"`
	Presented string    `query:"presented" enum:"true,false" doc:"Stands in a queue; false: kept as evidence, withheld says why"`
	Type      string    `query:"type" doc:"Of incident"`
	Thing     string    `query:"thing"`
	Incident  string    `query:"incident"`
	Group     string    `query:"group" doc:"Those that this alarm stands for"`
	Code      string    `query:"code" enum:"flood,group,chattering,feed" doc:"The house's own"`
	Simulated string    `query:"simulated" enum:"true,false"`
	From      time.Time `query:"from" doc:"Raised at or after"`
	To        time.Time `query:"to" doc:"Raised before"`
	Q         string    `query:"q" maxLength:"200" doc:"Part of event, place, source or type"`
	Limit     int       `query:"limit" minimum:"0" maximum:"1000" doc:"Default 100"`
	Page      string    `query:"page"`
}

func (s *server) listAlarms(ctx context.Context, in *alarmsIn) (*body[List[alarm.Alarm]], error) {
	q := store.AlarmQuery{Query: store.Query{Status: in.State, Severity: cap.Severity(in.Severity), Agency: in.Agency, Type: in.Type, From: in.From, To: in.To, Simulated: either(in.Simulated), Text: in.Q, Limit: in.Limit, Page: in.Page},
		Priority: alarm.Priority(in.Priority), Desk: in.Desk, Presented: either(in.Presented), Group: in.Group, Incident: in.Incident, Thing: in.Thing, Code: alarm.Code(in.Code)}
	v := s.sees(ctx)
	q.See = func(a alarm.Alarm) (alarm.Alarm, bool) { return scope.AlarmAt(v.alarmLevel(&a), &a) }
	items, next, err := s.Cases.Alarms(ctx, q)
	if err != nil {
		return nil, s.fault(err)
	}
	return listOf(items, next), nil
}

// either reads a word of a query that may be missing.
func either(word string) *bool {
	if word == "" {
		return nil
	}
	is := word == "true"
	return &is
}

func (s *server) alarmHealth(ctx context.Context, _ *struct{}) (*body[alarm.Figures], error) {
	f, ok, err := s.Cases.AlarmHealth(ctx)
	if err != nil {
		return nil, s.fault(err)
	}
	if !ok { // nobody governs yet: that is not calm, so it is not said as figures
		return nil, huma.ErrorWithHeaders(problem.New(problem.NoFigures, "no figures of alarms have been taken yet"), http.Header{"Retry-After": {"2"}})
	}
	return &body[alarm.Figures]{f}, nil
}

// alarmOut is an alarm with what may be asked of it now.
type alarmOut struct {
	alarm.Alarm
	Allowed []string `json:"allowed" doc:"acknowledge, shelve, unshelve"`
}

// alarmSeen is an alarm as somebody sees it; whoever has just acted on it sees at least that.
func (v view) alarmSeen(a *alarm.Alarm) *body[alarmOut] {
	out, _ := scope.AlarmAt(max(v.alarmLevel(a), access.Facts), a)
	return &body[alarmOut]{alarmOut{out, a.Verbs()}}
}

// alarmLevel is how far an alarm is seen: that of a person's incident, whose words it has, no further than the incident.
func (v view) alarmLevel(a *alarm.Alarm) access.Level {
	level := v.who.May(access.ReadAlarms, scope.Alarm(a), v.now).Level
	if o, words := scope.CaseOf(a); words {
		level = min(level, v.who.May(access.ReadIncidents, o, v.now).Level)
	}
	return level
}

type alarmIn struct {
	ID string `path:"id" maxLength:"64"`
}

func (s *server) oneAlarm(ctx context.Context, in *alarmIn) (*body[alarmOut], error) {
	a, err := s.Cases.Alarm(ctx, in.ID)
	if err != nil {
		return nil, s.fault(err)
	}
	v := s.sees(ctx)
	if v.alarmLevel(&a) == access.None {
		return nil, s.fault(fmt.Errorf("%w: %.40q", store.ErrNoAlarm, in.ID))
	}
	return v.alarmSeen(&a), nil
}

// mayAct judges an act on an alarm at the very revision that it changes. What may not be read is not there.
func (v view) mayAct(ctx context.Context, right access.Action) func(*alarm.Alarm) error {
	return func(a *alarm.Alarm) error {
		if v.alarmLevel(a) == access.None {
			return fmt.Errorf("%w: %.40q", store.ErrNoAlarm, a.ID)
		}
		return v.may(ctx, right, scope.Alarm(a))
	}
}

// seat is the desk at which somebody acts: the one chosen at sign-in, else the one that the body names, for who has no session.
func (s *server) seat(ctx context.Context, named string) (string, error) {
	who, _ := auth.FromContext(ctx)
	if who.Desk != "" || named == "" {
		return who.Desk, nil
	}
	if !slices.Contains(s.Profile.Desks, named) {
		return "", problem.New(problem.NoDesk, "desk: there is no such desk", problem.At("body.desk", problem.Unknown, "is none of the profile's desks"))
	}
	return named, nil
}

// versioned refuses a session's act that does not say what it saw.
func versioned(ctx context.Context, version int) error {
	if who, _ := auth.FromContext(ctx); version == 0 && who.Via == auth.ViaSession {
		return problem.New(problem.VersionMissing, "version is required: the version that you saw", problem.At("body.version", problem.Missing, "is required"))
	}
	return nil
}

type acknowledgeIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Note    string `json:"note,omitempty" maxLength:"4000"`
		Version int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session, a token may leave it out"`
		Desk    string `json:"desk,omitempty" doc:"For who has chosen no desk"`
	}
}

func (s *server) acknowledgeAlarm(ctx context.Context, in *acknowledgeIn) (*body[alarmOut], error) {
	if err := versioned(ctx, in.Body.Version); err != nil {
		return nil, err
	}
	desk, err := s.seat(ctx, in.Body.Desk)
	if err != nil {
		return nil, err
	}
	who, v := actor(ctx), s.sees(ctx)
	a, err := s.Cases.AcknowledgeAlarm(ctx, in.ID, alarm.Ack{By: who.Subject, Desk: desk, Note: in.Body.Note}, in.Body.Version, who, v.mayAct(ctx, access.ActAlarms))
	if err != nil {
		return nil, v.alarmFault(err)
	}
	return v.alarmSeen(&a), nil
}

type shelveIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason  string    `json:"reason" minLength:"1" maxLength:"4000"`
		Until   time.Time `json:"until,omitempty" doc:"When it returns; P1 within an hour, others within eight, as configured"`
		Minutes int       `json:"minutes,omitempty" minimum:"0" maximum:"1440" doc:"In place of until: for how long"`
		Version int       `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
		Desk    string    `json:"desk,omitempty" doc:"For who has chosen no desk"`
	}
}

func (s *server) shelveAlarm(ctx context.Context, in *shelveIn) (*body[alarmOut], error) {
	if err := versioned(ctx, in.Body.Version); err != nil {
		return nil, err
	}
	if in.Body.Until.IsZero() == (in.Body.Minutes == 0) {
		return nil, problem.New(problem.Invalid, "say either until or minutes", problem.At("body.until", problem.Either, "either this or minutes"))
	}
	desk, err := s.seat(ctx, in.Body.Desk)
	if err != nil {
		return nil, err
	}
	who, v := actor(ctx), s.sees(ctx)
	on := alarm.Shelf{By: who.Subject, Desk: desk, Reason: in.Body.Reason}
	if !in.Body.Until.IsZero() {
		on.Until = moment.Of(in.Body.Until)
	}
	urgent := v.who.May(access.ShelveUrgent, access.Object{Noun: scope.NounAlarm}, v.now).Allowed()
	a, err := s.Cases.ShelveAlarm(ctx, in.ID, on, time.Duration(in.Body.Minutes)*time.Minute, in.Body.Version, urgent, s.Alarms, who, v.mayAct(ctx, access.ActAlarms))
	if err != nil {
		return nil, v.alarmFault(err)
	}
	return v.alarmSeen(&a), nil
}

type unshelveIn struct {
	ID   string `path:"id" maxLength:"64"`
	Body struct {
		Reason  string `json:"reason,omitempty" maxLength:"4000"`
		Version int    `json:"version,omitempty" minimum:"0" doc:"The version that was seen; required from a session"`
	}
}

func (s *server) unshelveAlarm(ctx context.Context, in *unshelveIn) (*body[alarmOut], error) {
	if err := versioned(ctx, in.Body.Version); err != nil {
		return nil, err
	}
	v := s.sees(ctx)
	a, err := s.Cases.UnshelveAlarm(ctx, in.ID, in.Body.Reason, in.Body.Version, actor(ctx), v.mayAct(ctx, access.ActAlarms))
	if err != nil {
		return nil, v.alarmFault(err)
	}
	return v.alarmSeen(&a), nil
}

type acknowledgeAllIn struct {
	Body struct {
		IDs  []string `json:"ids" minItems:"1" maxItems:"200"`
		Note string   `json:"note,omitempty" maxLength:"4000"`
		Desk string   `json:"desk,omitempty" doc:"For who has chosen no desk"`
	}
}

// acknowledgedOut says what became of each.
type acknowledgedOut struct {
	Items   []alarm.Alarm  `json:"items"`
	Refused []alarmRefused `json:"refused"`
}

type alarmRefused struct {
	ID     string `json:"id"`
	Reason string `json:"reason"`
}

// errOneByOne refuses to take note of what threatens life in passing.
var errOneByOne = errors.New("P1 is acknowledged one by one")

func (s *server) acknowledgeAlarms(ctx context.Context, in *acknowledgeAllIn) (*body[acknowledgedOut], error) {
	desk, err := s.seat(ctx, in.Body.Desk)
	if err != nil {
		return nil, err
	}
	who, v := actor(ctx), s.sees(ctx)
	judge := v.mayAct(ctx, access.ActAlarms)
	may := func(a *alarm.Alarm) error {
		if err := judge(a); err != nil {
			return err
		}
		if a.Priority == alarm.P1 {
			return errOneByOne
		}
		return nil
	}
	out := acknowledgedOut{Items: []alarm.Alarm{}, Refused: []alarmRefused{}}
	for _, id := range in.Body.IDs[:min(mostAtOnce, len(in.Body.IDs))] {
		a, err := s.Cases.AcknowledgeAlarm(ctx, id, alarm.Ack{By: who.Subject, Desk: desk, Note: in.Body.Note}, 0, who, may)
		var late *store.AlarmConflict
		var not *denied
		switch {
		case err == nil:
			out.Items = append(out.Items, v.alarmSeen(&a).Body.Alarm)
		case errors.As(err, &late), errors.As(err, &not), errors.Is(err, errOneByOne), errors.Is(err, store.ErrNoAlarm):
			out.Refused = append(out.Refused, alarmRefused{id, err.Error()})
		default:
			return nil, s.fault(err)
		}
	}
	return &body[acknowledgedOut]{out}, nil
}

// alarmConflict is the 409 of an act that came too late or is not allowed: it brings what one needs to go on.
type alarmConflict struct {
	problem.Head
	Current alarm.Alarm `json:"current"`
	Allowed []string    `json:"allowed"`
}

func (v view) alarmFault(err error) error {
	var late *store.AlarmConflict
	switch {
	case errors.As(err, &late):
		return &alarmConflict{standing(late), v.alarmSeen(&late.Current).Body.Alarm, late.Allowed}
	}
	return v.s.fault(err)
}
