package gtfsrt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/MobilityData/gtfs-realtime-bindings/golang/gtfs"

	"kentongan/feeds"
)

// about is what a delay is about.
type about struct {
	Trip        string `json:"trip_id,omitempty"`
	Route       string `json:"route_id,omitempty"`
	StartDate   string `json:"start_date,omitempty"`
	StartTime   string `json:"start_time,omitempty"` // may pass 24:00:00
	Stop        string `json:"stop_id,omitempty"`    // where the delay holds
	Uncertainty int32  `json:"uncertainty_s,omitempty"`
}

// trip reads a trip update: the delay of its vehicle in seconds, positive is late, or that the trip does not run.
func (d *decoder) trip(i int, u *gtfs.TripUpdate) (pass string, err error) {
	if u == nil {
		return "", nil
	}
	if u.Trip == nil {
		return "", errors.New("trip is missing")
	}
	o := feeds.Observation{Index: i, Kind: d.kindOf(u.Trip), Name: name(u.Vehicle)}
	if o.Thing, err = thing(u.Vehicle, u.Trip); err != nil {
		return "", err
	}
	if o.At, err = d.when(u.Timestamp); err != nil {
		return "", err
	}
	a := about{Trip: clean(u.Trip.GetTripId()), Route: clean(u.Trip.GetRouteId()), StartDate: clean(u.Trip.GetStartDate()), StartTime: clean(u.Trip.GetStartTime())}
	switch r := u.Trip.GetScheduleRelationship(); r {
	case gtfs.TripDescriptor_CANCELED:
		o.Property, o.Value = "schedule_relationship", feeds.Value{Type: feeds.Text, Text: strings.ToLower(r.String())}
	default:
		delay, ok := d.delay(u, &a)
		if !ok && timed(u) {
			return "trip update without a delay: its times mean nothing without the timetable", nil
		}
		if !ok {
			return "trip update without a time: its stops are skipped, or nothing is known of them", nil
		}
		if delay < -maxDelay || delay > maxDelay {
			return "", fmt.Errorf("delay %d s is not within a week", delay)
		}
		o.Property, o.Unit, o.Value = "delay", "s", feeds.Value{Num: float64(delay)}
	}
	if o.Attrs, err = json.Marshal(a); err != nil {
		return "", err
	}
	d.batch.Observations = append(d.batch.Observations, o)
	return "", nil
}

func clean(s string) string {
	if bad(s) {
		return ""
	}
	return s
}

// timed tells whether a stop of the trip has a time.
func timed(u *gtfs.TripUpdate) bool {
	for _, s := range u.StopTimeUpdate {
		if s.GetArrival().GetTime() != 0 || s.GetDeparture().GetTime() != 0 {
			return true
		}
	}
	return false
}

// delay is the trip's own, else that at the first stop that lies ahead, else that at the last stop. A stop that is skipped or without
// data has none; times without a delay have one by the timetable.
func (d *decoder) delay(u *gtfs.TripUpdate, a *about) (int32, bool) {
	if u.Delay != nil {
		return *u.Delay, true
	}
	now := u.GetTimestamp()
	if now == 0 {
		now = d.now
	}
	delay, found := int32(0), false
	for _, s := range u.StopTimeUpdate {
		if s.GetScheduleRelationship() != gtfs.TripUpdate_StopTimeUpdate_SCHEDULED {
			continue
		}
		late, e, ok := d.late(u.Trip, s)
		if !ok {
			continue
		}
		delay, found = late, true
		a.Stop, a.Uncertainty = clean(s.GetStopId()), e.GetUncertainty()
		if max(s.GetArrival().GetTime(), s.GetDeparture().GetTime()) >= int64(now) {
			break
		}
	}
	return delay, found
}

// late is the delay of the arrival at a stop, else of the departure.
func (d *decoder) late(t *gtfs.TripDescriptor, s *gtfs.TripUpdate_StopTimeUpdate) (int32, *gtfs.TripUpdate_StopTimeEvent, bool) {
	for _, e := range []*gtfs.TripUpdate_StopTimeEvent{s.Arrival, s.Departure} {
		switch {
		case e == nil:
		case e.Delay != nil:
			return *e.Delay, e, true
		case e.GetTime() >= firstSecond && e.GetTime() <= lastSecond:
			if late, ok := d.static.delay(t.GetTripId(), t.GetStartDate(), s.StopSequence, s.GetStopId(), e == s.Arrival, e.GetTime()); ok {
				return late, e, true
			}
		}
	}
	return 0, nil, false
}
