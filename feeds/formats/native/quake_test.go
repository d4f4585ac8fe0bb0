package native

import (
	"strings"
	"testing"
)

const shock = `{"record":"alert","identifier":"q1","sent":"2026-11-23T07:03:00Z","event":"Gempa Bumi","quake":QUAKE}`

func TestQuake(t *testing.T) {
	b := decode(t, "["+strings.Replace(shock, "QUAKE", `{"origin_at":"2026-11-23T07:00:12Z","lng":100.63,"lat":-0.77,"depth_km":10,"magnitude":6.4,"place":"Solok","felt":[{"place":"Solok","low":6,"high":7}]}`, 1)+"]", meta())
	if len(b.Alerts) != 1 || b.Alerts[0].Quake == nil {
		t.Fatalf("%+v", b)
	}
	q := b.Alerts[0].Quake
	if q.Position.Lng != 100.63 || *q.Magnitude != 6.4 || q.DepthKm != 10 || len(q.Felt) != 1 || q.Felt[0].High != 7 || q.OriginAt.String() != "2026-11-23T07:00:12.000Z" {
		t.Errorf("%+v", q)
	}
	for name, bad := range map[string]string{
		"no place": `{"origin_at":"2026-11-23T07:00:12Z"}`, "no time": `{"lng":1,"lat":1}`, "no object": `7`, "near miss": `{"origin_at":"2026-11-23T07:00:12Z","longitude":1,"lat":1}`,
		"intensity": `{"origin_at":"2026-11-23T07:00:12Z","lng":1,"lat":1,"felt":[{"place":"x","low":0,"high":13}]}`, "magnitude": `{"origin_at":"2026-11-23T07:00:12Z","lng":1,"lat":1,"magnitude":11}`,
	} {
		if b := decode(t, "["+strings.Replace(shock, "QUAKE", bad, 1)+"]", meta()); len(b.Alerts) != 0 || len(b.Rejected) != 1 || !strings.Contains(b.Rejected[0].Reason, "quake") {
			t.Errorf("%s: %+v", name, b)
		}
	}
}
