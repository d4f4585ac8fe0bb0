package ngsi

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"kentongan/feeds/fields"
	"kentongan/geo/moment"
)

// attribute is one attribute of an entity, whichever way it was written.
type attribute struct {
	name         string
	value        any // as encoding/json gives it; texts of @value are taken out
	raw          json.RawMessage
	unit         string
	at           moment.Time
	modified     moment.Time
	dataset      string // NGSI-LD datasetId: one of several values of a name
	relationship bool
}

// form is an attribute in normalized form, of NGSI v2 or NGSI-LD.
type form struct {
	Type       json.RawMessage `json:"type"`
	Value      json.RawMessage `json:"value"`
	Object     json.RawMessage `json:"object"`
	Languages  json.RawMessage `json:"languageMap"`
	UnitCode   string          `json:"unitCode"`
	ObservedAt string          `json:"observedAt"`
	ModifiedAt string          `json:"modifiedAt"`
	DatasetID  string          `json:"datasetId"`
	Metadata   map[string]struct {
		Value any `json:"value"`
	} `json:"metadata"`
}

// read gives the attribute's values; NGSI-LD may give several, each with its datasetId.
func (r *reader) read(name string, raw json.RawMessage) ([]attribute, error) {
	if len(raw) > 0 && raw[0] == '[' {
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) == nil && len(list) > 0 && len(list) <= maxAttributes && normalized(list[0]) {
			var out []attribute
			for _, one := range list {
				a, err := r.one(name, one)
				if err != nil {
					return nil, err
				}
				out = append(out, a)
			}
			return out, nil
		}
	}
	a, err := r.one(name, raw)
	return []attribute{a}, err
}

func normalized(raw json.RawMessage) bool {
	var members map[string]json.RawMessage
	if len(raw) == 0 || raw[0] != '{' || json.Unmarshal(raw, &members) != nil {
		return false
	}
	kind := members["type"]
	_, value := members["value"]
	_, object := members["object"]
	_, languages := members["languageMap"]
	return len(kind) > 0 && kind[0] == '"' && (value || object || languages)
}

func (r *reader) one(name string, raw json.RawMessage) (a attribute, err error) {
	a = attribute{name: short(name), raw: raw}
	if !normalized(raw) {
		return a, a.plain(raw)
	}
	var f form
	if err := json.Unmarshal(raw, &f); err != nil {
		return a, fmt.Errorf("%.60s cannot be read as an attribute", name)
	}
	a.relationship, a.dataset = f.Object != nil || string(f.Type) == `"Relationship"`, f.DatasetID
	if f.Value == nil {
		return a, nil
	}
	a.raw = f.Value
	code := f.UnitCode
	if s, ok := f.Metadata["unitCode"].Value.(string); ok && code == "" {
		code = s
	}
	a.unit = unit(code)
	times := []string{f.ObservedAt}
	for _, key := range []string{"observedAt", "timestamp", "TimeInstant"} {
		s, _ := f.Metadata[key].Value.(string)
		times = append(times, s)
	}
	for _, s := range times {
		if s == "" || !a.at.IsZero() {
			continue
		}
		if a.at, err = r.parse(s); err != nil {
			return a, fmt.Errorf("%.60s: its time %w", name, err)
		}
	}
	modified := f.ModifiedAt
	if s, ok := f.Metadata["dateModified"].Value.(string); ok && modified == "" {
		modified = s
	}
	if modified != "" {
		if a.modified, err = r.parse(modified); err != nil {
			return a, fmt.Errorf("%.60s: modifiedAt %w", name, err)
		}
	}
	return a, a.plain(f.Value)
}

// plain takes a value as it is; {"@type", "@value"} is what stands in @value.
func (a *attribute) plain(raw json.RawMessage) error {
	if err := json.Unmarshal(raw, &a.value); err != nil {
		return fmt.Errorf("%.60s is beyond what a number can hold", a.name)
	}
	if m, ok := a.value.(map[string]any); ok {
		if v, ok := m["@value"]; ok {
			a.value = v
		}
	}
	return nil
}

// text of an attribute, empty where it is something else.
func (a attribute) text() string {
	s, _ := a.value.(string)
	return strings.TrimSpace(s)
}

// short is the last part of a name that was expanded to an address.
func short(name string) string {
	if strings.Contains(name, "://") {
		name = name[strings.LastIndexAny(name, "/#")+1:]
	}
	return name
}

// parse reads a time, or the end of an interval; without an offset it is in the format's zone.
func (r *reader) parse(s string) (moment.Time, error) {
	if _, end, interval := strings.Cut(s, "/"); interval {
		s = end
	}
	at, err := fields.RFC3339(s)
	if err == nil {
		return at, nil
	}
	local, wrong := time.ParseInLocation("2006-01-02T15:04:05", s, r.zone)
	if wrong != nil {
		return moment.Time{}, err
	}
	return fields.RFC3339(local.Format(time.RFC3339Nano))
}

// unece are codes of UN/CEFACT recommendation 20, as UCUM writes them.
var unece = map[string]string{
	"GP": "mg/m3", "GQ": "ug/m3", "59": "[ppm]", "61": "[ppb]", "C62": "1", "P1": "%", "CEL": "Cel", "KEL": "K", "FAH": "[degF]", "MTR": "m", "CMT": "cm", "MMT": "mm",
	"KMT": "km", "MTS": "m/s", "KMH": "km/h", "KNT": "[kn_i]", "DD": "deg", "PAL": "Pa", "A97": "hPa", "MBR": "mbar", "KGM": "kg", "GRM": "g", "TNE": "t", "SEC": "s", "MIN": "min",
	"HUR": "h", "VLT": "V", "AMP": "A", "WTT": "W", "KWT": "kW", "KWH": "kW.h", "LTR": "L", "MTQ": "m3", "MQH": "m3/h", "MQS": "m3/s", "LUX": "lx", "2N": "dB", "HTZ": "Hz", "H67": "mm/h", "D54": "W/m2",
}

// unit gives UCUM; a code that is not known stands in braces, by which UCUM marks what has no unit of its own.
func unit(code string) string {
	if code == "" || len(code) > 40 {
		return ""
	}
	if u, ok := unece[code]; ok {
		return u
	}
	return "{" + strings.NewReplacer("{", "", "}", "").Replace(code) + "}"
}
