package contact

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"kentongan/geo"
)

var wib = time.FixedZone("WIB", 7*3600)

func TestOn(t *testing.T) {
	night := []DutyHours{{Days: []string{"fri"}, From: "16:00", To: "08:00"}}
	for _, c := range []struct {
		name  string
		hours []DutyHours
		at    time.Time // 27 November 2026 is a Friday
		want  bool
		until string
	}{
		{"always", nil, time.Date(2026, 11, 27, 3, 0, 0, 0, wib), true, "01-01 00:00"},
		{"before it begins", night, time.Date(2026, 11, 27, 15, 59, 0, 0, wib), false, ""},
		{"begins", night, time.Date(2026, 11, 27, 16, 0, 0, 0, wib), true, "11-28 08:00"},
		{"past midnight", night, time.Date(2026, 11, 28, 7, 59, 0, 0, wib), true, "11-28 08:00"},
		{"over", night, time.Date(2026, 11, 28, 8, 0, 0, 0, wib), false, ""},
		{"the night before was another's", night, time.Date(2026, 11, 27, 7, 0, 0, 0, wib), false, ""},
		{"to midnight", []DutyHours{{From: "08:00", To: "24:00"}}, time.Date(2026, 11, 27, 23, 59, 0, 0, wib), true, "11-28 00:00"},
		{"all day", []DutyHours{{From: "00:00", To: "00:00"}}, time.Date(2026, 11, 27, 12, 0, 0, 0, wib), true, "11-28 00:00"},
		{"the longer of two", []DutyHours{{From: "08:00", To: "12:00"}, {From: "10:00", To: "14:00"}}, time.Date(2026, 11, 27, 11, 0, 0, 0, wib), true, "11-27 14:00"},
	} {
		one := Contact{Hours: c.hours}
		until, ok := one.On(c.at)
		if ok != c.want || ok && until.Format("01-02 15:04") != c.until {
			t.Errorf("%s: %t until %s, want %t %s", c.name, ok, until, c.want, c.until)
		}
	}
}

func good() Contact {
	return Contact{Kind: Officer, Name: " Kalaksa ", Phone: "0812-3456-789", Hours: []DutyHours{{Days: []string{"mon"}, From: "08:00", To: "16:00"}}}
}

func TestClean(t *testing.T) {
	known := Known{Agency: func(s string) bool { return s == "bpbd" }, Area: func(s string) bool { return s == "Kubung" }, Type: func(s string) bool { return s == "flood" }}
	c, err := good().Clean(known)
	if err != nil || c.Name != "Kalaksa" || c.Areas == nil || c.Types == nil || c.Provides == nil {
		t.Errorf("%+v, %v", c, err)
	}
	lng, lat := 100.6, 91.0
	for field, change := range map[string]func(*Contact){
		"kind": func(c *Contact) { c.Kind = "friend" }, "name": func(c *Contact) { c.Name = " " }, "phone": func(c *Contact) { c.Phone = "rumah" },
		"agency": func(c *Contact) { c.Agency = "nasa" }, "areas[0]": func(c *Contact) { c.Areas = []string{"Bulan"} }, "types[0]": func(c *Contact) { c.Types = []string{"flut"} },
		"hours[0].from": func(c *Contact) { c.Hours[0].From = "25:00" }, "hours[0].to": func(c *Contact) { c.Hours[0].To = "25:00" }, "hours[1].days": func(c *Contact) {
			c.Hours = append(c.Hours, DutyHours{Days: []string{"senin"}, From: "08:00", To: "09:00"})
		},
		"capacity": func(c *Contact) { c.Capacity = -1 }, "lng": func(c *Contact) { c.Lng, c.Lat = &lng, &lat }, "note": func(c *Contact) { c.Note = strings.Repeat("a", longestNote+1) },
		"provides": func(c *Contact) { c.Provides = make([]string, mostListed+1) },
	} {
		one := good()
		change(&one)
		var faults Faults
		if _, err := one.Clean(known); !errors.As(err, &faults) || len(faults) != 1 || faults[0].Field != field {
			t.Errorf("%s: %v", field, err)
		}
	}
	for number, want := range map[string]bool{"112": true, "+62 (751) 123-456": true, "1": false, "": false, "0812x": false, "1234567890123456": false, "08+12": false} {
		if dialled(number) != want {
			t.Errorf("%q can be dialled: %t", number, !want)
		}
	}
}

func TestOnDuty(t *testing.T) {
	at := func(id string, kind Kind, change func(*Contact)) Contact {
		c := Contact{ID: id, Kind: kind, Name: id}
		if change != nil {
			change(&c)
		}
		return c
	}
	place := func(lat float64) func(*Contact) {
		return func(c *Contact) { lng := 100.63; c.Lng, c.Lat = &lng, &lat }
	}
	all := []Contact{
		at("far", Facility, place(-0.95)), at("near", Facility, place(-0.84)), at("anywhere", Officer, nil),
		at("flood", Officer, func(c *Contact) { c.Types = []string{"flood"} }), at("fire", Officer, func(c *Contact) { c.Types = []string{"fire_building"} }),
		at("both", Officer, func(c *Contact) { c.Types, c.Areas = []string{"flood"}, []string{"Kubung"} }), at("elsewhere", Officer, func(c *Contact) { c.Areas = []string{"Gunung Talang"} }),
		at("asleep", Officer, func(c *Contact) { c.Hours = []DutyHours{{From: "08:00", To: "16:00"}} }), at("digger", Equipment, nil),
	}
	var got []string
	for _, d := range OnDuty(all, Need{Area: "Kubung", Type: "flood", At: &geo.Position{Lat: -0.83, Lng: 100.63}, When: time.Date(2026, 11, 27, 20, 0, 0, 0, wib)}) {
		got = append(got, d.ID)
		if (d.DistanceM != nil) != (d.Kind == Facility) {
			t.Errorf("%s lies %v m off", d.ID, d.DistanceM)
		}
	}
	if want := "[both flood anywhere near far digger]"; fmt.Sprint(got) != want {
		t.Errorf("on duty %v, want %s", got, want)
	}
	if got := OnDuty(all, Need{When: time.Date(2026, 11, 27, 12, 0, 0, 0, wib)}); len(got) != 5 { // nothing is known: who is there for everything
		t.Errorf("for anything %d", len(got))
	}
}
