package incident

import (
	"strings"

	"kentongan/feeds/cap"
)

// Type is a kind of incident: who leads, who helps, how bad it is until somebody judges, and how fast it must be served.
type Type struct {
	Code       string       `json:"code"`
	ID         string       `json:"id"` // its name in Indonesian
	EN         string       `json:"en"` // its name in English
	Lead       string       `json:"lead"`
	Support    []string     `json:"support"`
	Severity   cap.Severity `json:"severity"`
	Class      string       `json:"class"`                // of service, A to E
	Restricted bool         `json:"restricted,omitempty"` // only named people may see it
}

// Types is domain.md section 4, row by row. Lead is empty where the agency depends on the case.
var Types = []Type{
	row("eq", "gempa bumi", "earthquake", "bpbd", cap.Severe, "A", "damkar", "dinkes", "dinsos", "pupr", "dishub", "polres", "basarnas", "pmi"),
	row("landslide", "tanah longsor", "landslide", "bpbd", cap.Severe, "A", "pupr", "polres"),
	row("flash_flood", "banjir bandang / galodo", "flash flood, debris flow", "bpbd", cap.Extreme, "A", "basarnas", "pupr"),
	row("flood", "banjir", "flood", "bpbd", cap.Severe, "B", "dinsos", "pupr"),
	row("river_high", "muka air tinggi", "river level high", "bpbd", cap.Moderate, "E", "pupr"),
	row("volcano", "aktivitas gunung api", "volcanic activity", "bpbd", cap.Severe, "E", "pvmbg"),
	row("ashfall", "hujan abu", "ash fall", "bpbd", cap.Moderate, "C", "dinkes"),
	row("wildfire", "kebakaran hutan/lahan", "forest or land fire", "damkar", cap.Severe, "B", "bpbd", "kph"),
	row("wind", "angin kencang / puting beliung", "strong wind", "bpbd", cap.Moderate, "B", "pln"),
	row("tree_down", "pohon tumbang", "fallen tree", "bpbd", cap.Moderate, "B", "dlh", "pln"),
	row("drought", "kekeringan", "drought, water shortage", "bpbd", cap.Minor, "D", "pdam"),
	row("fish_kill", "kematian ikan massal", "mass fish death", "perikanan", cap.Moderate, "C", "dlh"),
	row("water_quality", "pencemaran air", "water pollution", "dlh", cap.Moderate, "C"),
	row("air_quality", "kualitas udara buruk", "poor air quality", "dlh", cap.Moderate, "E", "dinkes"),
	row("fire_building", "kebakaran bangunan", "building fire", "damkar", cap.Extreme, "A", "dinkes", "pln"),
	row("fire_vehicle", "kebakaran kendaraan", "vehicle fire", "damkar", cap.Severe, "A", "polres"),
	row("hazmat", "bahan berbahaya / kebocoran gas", "hazardous spill, gas leak", "damkar", cap.Severe, "A", "dlh", "polres"),
	row("rescue_tech", "penyelamatan (terjebak, sumur)", "technical rescue", "damkar", cap.Severe, "A", "basarnas"),
	row("animal", "evakuasi hewan", "animal rescue", "damkar", cap.Minor, "C", "bksda"),
	row("traffic_injury", "kecelakaan lalu lintas, korban", "road crash with injury", "polres", cap.Extreme, "A", "dinkes"),
	row("traffic_damage", "kecelakaan tanpa korban", "road crash, damage only", "polres", cap.Moderate, "B", "dishub"),
	row("truck_stall", "truk mogok / terguling", "truck stalled or overturned", "polres", cap.Moderate, "B", "dishub", "bpjn"),
	row("road_blocked", "jalan tertutup", "road blocked", "pupr", cap.Severe, "B", "dishub", "polres"),
	row("congestion", "kemacetan", "congestion", "dishub", cap.Minor, "C", "polres"),
	row("road_damage", "jalan rusak", "road damage", "pupr", cap.Minor, "D"),
	row("bridge_damage", "jembatan rusak", "bridge damage", "pupr", cap.Severe, "B"),
	row("streetlight", "lampu jalan / lalu lintas mati", "street or traffic light out", "dishub", cap.Minor, "D"),
	row("medical", "gawat darurat medis", "medical emergency", "dinkes", cap.Extreme, "A"),
	row("outbreak", "kejadian luar biasa", "disease outbreak", "dinkes", cap.Severe, "C"),
	row("missing_person", "orang hilang / terseret", "missing or swept away", "basarnas", cap.Extreme, "A", "bpbd"),
	row("crime", "tindak kriminal", "crime in progress", "polres", cap.Extreme, "A"),
	row("public_order", "gangguan ketertiban", "public order", "satpolpp", cap.Moderate, "B", "polres"),
	row("crowd", "kerumunan / acara", "crowd, event", "satpolpp", cap.Minor, "C", "dishub"),
	restricted(row("domestic_violence", "KDRT / kekerasan anak", "domestic or child violence", "dp3a", cap.Extreme, "A", "polres")),
	row("power_out", "listrik padam", "power outage", "pln", cap.Moderate, "C"),
	row("water_out", "air bersih mati", "water supply outage", "pdam", cap.Minor, "C"),
	row("telecom_out", "gangguan telekomunikasi", "telecom outage", "kominfo", cap.Moderate, "C"),
	row("waste", "sampah menumpuk / liar", "waste pile, illegal dump", "dlh", cap.Minor, "D"),
	row("price_spike", "lonjakan harga pangan", "food price spike", "disdagin", cap.Minor, "D", "pertanian"),
	row("tourism", "insiden wisata (danau, gunung)", "tourism incident", "dispar", cap.Severe, "B", "basarnas", "bpbd"),
	row("service_complaint", "pengaduan layanan", "service complaint", "", cap.Minor, "D"),
	restricted(row("corruption_tip", "laporan pungli / KKN", "bribery or corruption tip", "inspektorat", cap.Moderate, "D")),
	row("sensor_fault", "gangguan sensor / CCTV", "sensor or camera fault", "kominfo", cap.Minor, "D"),
}

func row(code, id, en, lead string, s cap.Severity, class string, support ...string) Type {
	return Type{Code: code, ID: id, EN: en, Lead: lead, Support: append([]string{}, support...), Severity: s, Class: class}
}

func restricted(t Type) Type { t.Restricted = true; return t }

// TypeOf finds a type by its code.
func TypeOf(code string) (Type, bool) {
	for _, t := range Types {
		if t.Code == code {
			return t, true
		}
	}
	return Type{}, false
}

// Codes lists the types by code, for who named none of them.
func Codes() string {
	var out []string
	for _, t := range Types {
		if !t.Restricted {
			out = append(out, t.Code)
		}
	}
	return strings.Join(out, ", ")
}
