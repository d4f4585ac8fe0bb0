package native

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"kentongan/feeds"
)

// What is encoded decodes to what it was.
func TestEncodedRecordsDecodeToTheSame(t *testing.T) {
	meta := feeds.Meta{Feed: "f", Kind: "k", ReceivedAt: time.Date(2026, 11, 23, 7, 4, 11, 0, time.UTC)}
	body := `[
	 {"thing":"a","property":"p","value":1.5,"unit":"m","at":"2026-11-23T07:00:00Z","lng":100.6,"lat":-0.8,"name":"A","quality":"suspect","attrs":{"x":[1]},"id":"7"},
	 {"thing":"a","property":"q","value":"tinggi"}, {"thing":"a","property":"r","value":true,"kind":"gate"},
	 {"record":"alert","identifier":"i1","sender":"s","sent":"2026-11-23T07:00:00Z","event":"Banjir","severity":"Severe","urgency":"Immediate","certainty":"Observed","category":["Met"],
	  "references":[{"sender":"s","identifier":"i0","sent":"2026-11-23T06:00:00Z"}],"expires":"2026-11-23T09:00:00Z","headline":"h","area":{"type":"Feature","geometry":{"type":"Polygon","coordinates":[[[100,-1],[101,-1],[101,0],[100,-1]]]},"properties":{"name":"Kubung"}}},
	 {"record":"alert","identifier":"i2","sent":"2026-11-23T07:00:00Z","event":"Gempa","quake":{"origin_at":"2026-11-23T06:59:00Z","lng":100,"lat":-1,"depth_km":10,"magnitude":5.1,"place":"Solok","felt":[{"place":"Solok","low":3,"high":4}]}},
	 {"record":"report","id":"r1","channel":"chat","text":"air naik","type":"flood","at":"2026-11-23T07:00:00Z","lng":100.6,"lat":-0.8},
	 {"record":"position","unit":"trc-1","at":"2026-11-23T07:00:00Z","lng":100.6,"lat":-0.8,"speed_mps":3,"heading":90}]`
	first, err := Format{}.Decode([]byte(body), meta)
	if err != nil || len(first.Rejected) > 0 {
		t.Fatal(err, first.Rejected)
	}
	records, err := Encode(&first, 100)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, list := range [][]string{texts(records.Observations), texts(records.Alerts), texts(records.Reports), texts(records.Positions)} {
		all = append(all, list...)
	}
	again, err := Format{}.Decode([]byte("["+strings.Join(all, ",")+"]"), meta)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(first, again) {
		t.Errorf("decoded\n%+v\nand once more\n%+v", first, again)
	}
	if few, err := Encode(&first, 1); err != nil || len(few.Observations) != 1 || len(few.Alerts) != 1 {
		t.Errorf("%v %+v", err, few)
	}
	if none, err := Encode(&feeds.Batch{}, 1); err != nil || none.Observations == nil || none.Positions == nil {
		t.Errorf("%v %+v", err, none)
	}
}

func texts[T ~[]byte](in []T) []string {
	var out []string
	for _, b := range in {
		out = append(out, string(b))
	}
	return out
}
