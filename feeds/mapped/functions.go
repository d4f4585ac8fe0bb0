package mapped

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a bare container knows no zones
)

// num is a number out of what producers write for one: a number, or a text such as "35.67"; null and an empty text stay null. Anything
// else is an error, as jq's tonumber.
func num(v any, _ []any) any {
	switch t := v.(type) {
	case nil, int, float64, json.Number:
		return v
	case string:
		s := strings.TrimSpace(t)
		if s == "" {
			return nil
		}
		if f, err := strconv.ParseFloat(s, 64); err == nil && !math.IsNaN(f) && !math.IsInf(f, 0) && !strings.ContainsAny(s, "xX_pP") {
			return f
		}
		return fmt.Errorf("num: %.40q is no number", t)
	}
	return fmt.Errorf("num: %T is no number", v)
}

// layouts of times that say no zone.
var layouts = []string{"2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02T15:04", "2006-01-02 15:04", "2006-01-02"}

// Indonesia's zones by the names that its agencies write.
var indonesian = map[string]string{"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}

var offset = regexp.MustCompile(`^[+-][0-2][0-9]:[0-5][0-9]$`)

// zoned is a local time that says no zone, such as "2026-01-26 15:57:02", told as RFC 3339 in UTC: its zone is named, as "Asia/Jakarta",
// "WIB" or "+07:00". null and an empty text stay null; a text that says its own offset keeps its meaning.
func zoned(v any, args []any) any {
	name, ok := args[0].(string)
	if !ok {
		return fmt.Errorf("zoned: the zone is a text")
	}
	where, err := Zone(name)
	if err != nil {
		return err
	}
	if v == nil {
		return nil
	}
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("zoned: %T is no text", v)
	}
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	t, err := time.Parse(time.RFC3339, s)
	for i := 0; err != nil && i < len(layouts); i++ {
		t, err = time.ParseInLocation(layouts[i], s, where)
	}
	if err != nil {
		return fmt.Errorf("zoned: %.40q is no time such as 2026-01-26 15:57:02", s)
	}
	return t.UTC().Format("2006-01-02T15:04:05.999Z")
}

// Zone gives the place of a zone by its name: "Asia/Jakarta", "WIB" or "+07:00". It knows its own zones and not those of the machine.
func Zone(name string) (*time.Location, error) {
	if name == "" || name == "Local" {
		return nil, fmt.Errorf("zoned: %q is no zone", name)
	}
	if full, ok := indonesian[name]; ok {
		name = full
	}
	if offset.MatchString(name) {
		t, err := time.Parse("-07:00", name)
		if err != nil {
			return nil, fmt.Errorf("zoned: %q is no zone", name)
		}
		_, seconds := t.Zone()
		return time.FixedZone(name, seconds), nil
	}
	where, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("zoned: %.40q is no zone such as Asia/Jakarta, WIB or +07:00", name)
	}
	return where, nil
}
