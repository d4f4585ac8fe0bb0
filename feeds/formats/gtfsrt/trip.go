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
	o := feeds.Observation{Index: i, Kind: d.kind, Name: name(u.Vehicle)}
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
		if !ok {
			return "trip update without a delay: its times mean nothing without the timetable", nil
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

// delay is the trip's own, else that at the first stop that lies ahead, else that at the last stop. A stop that is skipped or without
// data has none.
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
		e := s.Arrival
		if e == nil || e.Delay == nil {
			e = s.Departure
		}
		if e == nil || e.Delay == nil {
			continue
		}
		delay, found = *e.Delay, true
		a.Stop, a.Uncertainty = clean(s.GetStopId()), e.GetUncertainty()
		if max(s.GetArrival().GetTime(), s.GetDeparture().GetTime()) >= int64(now) {
			break
		}
	}
	return delay, found
}
