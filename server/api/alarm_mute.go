package api

import (
	"context"
	"fmt"
	"time"

	"kentongan/alerts/audit"
	"kentongan/geo/moment"
)

type muteIn struct {
	Body struct {
		Minutes int    `json:"minutes" minimum:"0" maximum:"10" doc:"For how long; 0: it sounds again"`
		Desk    string `json:"desk,omitempty" doc:"For who has chosen no desk"`
	}
}

type muteOut struct {
	Until moment.Time `json:"until" doc:"When it sounds again; null: it sounds"`
}

// muteAlarms notes that a desk is silent and for how long: ten minutes at most, and logged (domain.md section 9). The sound itself is the
// browser's. 422: a longer time, or a desk that there is not.
func (s *server) muteAlarms(ctx context.Context, in *muteIn) (*body[muteOut], error) {
	desk, err := s.seat(ctx, in.Body.Desk)
	if err != nil {
		return nil, err
	}
	if desk == "" {
		desk = "none" // the whole room hears it
	}
	var out muteOut
	who, action, lasts := actor(ctx), "alarms.sound", ""
	if in.Body.Minutes > 0 {
		out.Until = moment.Of(s.sees(ctx).now.Add(time.Duration(in.Body.Minutes) * time.Minute))
		action, lasts = "alarms.muted", fmt.Sprintf("%d min", in.Body.Minutes)
	}
	err = s.Privacy.Record(ctx, audit.Record{Actor: who.Subject, Agency: who.Agency, Action: action, Object: "desk:" + desk, Reason: lasts, Request: who.Request})
	if err != nil {
		return nil, s.fault(err)
	}
	return &body[muteOut]{out}, nil
}
