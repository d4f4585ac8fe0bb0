package profile

import (
	"fmt"
	"reflect"
	"strings"
)

const sampleHead = `# A place for Kentongan, with every key. Generated from the types (go test ./server/profile -run Sample -update): copy it, do not edit it here.
#
# Lines with ## explain. The values make a small made-up city; replace them all, and name the file in the configuration:
#   profile: ./my-city.yaml
# "kentongan check --config FILE" names every fault of the configuration and of this file, each with its line. Unknown keys are refused.
# Sources of figures are marked as in the built-in profiles: V: who says so, G general knowledge, D our default.
`

// samples are the values of the sample, by key.
var samples = map[string]string{
	"slug":        `slug: kota-contoh`,
	"name":        `name: Kota Contoh`,
	"names":       `names: {id: Kota Contoh, en: Example City}`,
	"codes":       `codes: {kemendagri: "99.01", bps: "9901"}`,
	"center":      `center: {lat: -0.50, lng: 100.50}`,
	"bbox":        `bbox: [100.40, -0.60, 100.60, -0.40]`,
	"margin_km":   `margin_km: 28`,
	"time_zone":   `time_zone: Asia/Jakarta`,
	"prefix":      `prefix: CTH`,
	"languages":   `languages: [id, en]`,
	"phone_area":  `phone_area: "0755"`,
	"code_system": `code_system: bps`,
	"areas_file":  `# areas_file: my-areas.geojson`,
	"attribution": `attribution: "Batas indikatif, sumber: ..."`,
	"felt_names":  `felt_names: [Kota Contoh, Contoh]`,
	"provinces":   `provinces: [Sumatera Barat, West Sumatra]`,
	"coastal":     `coastal: false`,
	"areas": `areas:
  - code: id9901010
    codes: {bps: "9901010", kemendagri: "99.01.01"}
    name: Contoh Barat
    kind: district
    seat: Simpang Barat
    geometry: {type: Polygon, coordinates: [[[100.40, -0.60], [100.50, -0.60], [100.50, -0.40], [100.40, -0.40], [100.40, -0.60]]]}
  - code: id9901020
    codes: {bps: "9901020", kemendagri: "99.01.02"}
    name: Contoh Timur
    seat: Simpang Timur
    geometry: {type: Polygon, coordinates: [[[100.50, -0.60], [100.60, -0.60], [100.60, -0.40], [100.50, -0.40], [100.50, -0.60]]]}
  - code: id9902
    name: Kota Sebelah
    kind: neighbour
    cells: [888cd31537fffff]`,
	"neighbours": `neighbours:
  - slug: kota-sebelah
    name: Kota Sebelah
    codes: {kemendagri: "99.02", bps: "9902"}
    relation: borders
    areas: [id9902]
    emergency_number: "112"
    note: {id: "Limpahkan lewat 112 mereka.", en: "Hand over by their 112."}`,
	"agencies": `agencies:
  - slug: bpbd
    name: BPBD
    names: {id: BPBD, en: Disaster management agency}
    role: {id: penanggulangan bencana, en: disaster response}
  - slug: damkar
    name: Satpol PP & Damkar
    acts_as: [satpolpp]
    hotline: "113"
  - {slug: polres, name: Polres Contoh, hotline: "110", partner: true}`,
	"capabilities": `capabilities:
  - {code: trc, names: {id: tim reaksi cepat, en: rapid response team}}
  - {code: boat, names: {id: perahu, en: boat}}`,
	"units": `units:
  - agency: bpbd
    call_sign: trc-1
    name: TRC 1
    capabilities: [trc, boat]
    post: {name: Posko Contoh, lat: -0.50, lng: 100.50}
    example: true`,
	"desks": `desks: [desk-1, desk-2, desk-3, desk-4]`,
	"hazard_sites": `hazard_sites:
  - slug: kawah-contoh
    name: Kawah Contoh
    kind: volcano
    lat: -0.45
    lng: 100.55
    radius_m: 2000
    elevation_m: 2597
    note: {id: Radius aman 2 km., en: Safety ring of 2 km.}
    source: G
  - {slug: tanjakan, name: Tanjakan Sebelah, kind: road, lat: -0.50, lng: 100.65, radius_m: 1500, neighbour: kota-sebelah, source: D}`,
	"levels": `levels:
  status:
    - {level: 1, code: normal, names: {id: Normal, en: Normal}, colour: "#5E7F6E", set_by: {id: otomatis, en: automatic}}
    - level: 2
      code: waspada
      names: {id: Waspada, en: Advisory}
      colour: "#F0E442"
      rules: {id: ["≥ 1 insiden Kritis terbuka"], en: ["≥ 1 open Critical incident"]}
      set_by: {id: supervisor sif, en: shift supervisor}
  scales:
    - scale: river_gate
      names: {id: Siaga pintu air, en: River gate alert}
      hazard: flood
      direction: down
      steps:
        - {code: IV, names: {id: Siaga IV (normal), en: Siaga IV (normal)}, colour: "#009E73", status: 1}
        - {code: I, names: {id: Siaga I (terburuk), en: Siaga I (worst)}, colour: "#E5243B", severity: Extreme, status: 2}
  status_rules:
    - id: one-extreme
      level: 2
      hazards: [area, flood]
      when: open_extreme >= 1
      names: {id: "≥ 1 insiden Kritis terbuka", en: "≥ 1 open Critical incident"}
      who: [supervisor]
    - id: gate-siaga-i
      level: 2
      hazards: [flood]
      when: gate_step == "I"
      names: {id: pintu air Siaga I, en: a river gate at Siaga I}
  lower_after: 15m`,
	"sla": `sla:
  default_zone: town
  zones:
    - {code: town, names: {id: kota, en: town}}
    - {code: rural, names: {id: perdesaan, en: rural}, areas: [id9901010]}
  classes:
    - {code: A, names: {id: nyawa, en: life}, ack_min: 1, dispatch_min: 2, on_scene_min: {town: 15, rural: 30}}
    - {code: D, names: {id: layanan, en: service}, ack_min: 60, dispatch_min: 360, done_min: 10080}
    - {code: E, names: {id: pantau, en: watch}, ack_min: 15, decide_min: 30}`,
	"checklists": `checklists:
  - types: [flood, flash_flood]
    lines:
      - {key: evacuate, names: {id: Warga di tempat rendah diungsikan, en: People in low places are evacuated}}
      - {key: power, names: {id: PLN diminta memutus aliran, en: The power company is asked to cut the power}}`,
	"attach": `attach: [flood, landslide]`,
	"consents": `consents:
  - id: mmi-vi
    when: quake.known && quake.mmi_here >= 6
    incident: {type: eq}
  - id: gate-siaga-i
    when: alert.relevant && alert.event.matches("(?i)pintu air") && alert.severity == "Extreme"
    incident: {type: river_high, severity: Extreme, merge_radius_m: 1500, merge_window: 30m}`,
}

// Sample writes the documented profile file: every key, explained, with a value.
func Sample() string {
	var b strings.Builder
	b.WriteString(sampleHead)
	for _, f := range reflect.VisibleFields(reflect.TypeFor[file]()) {
		b.WriteString("\n")
		for line := range strings.SplitSeq(f.Tag.Get("doc"), "\n") {
			fmt.Fprintf(&b, "## %s\n", line)
		}
		fmt.Fprintln(&b, samples[f.Tag.Get("yaml")])
	}
	return b.String()
}
