package storm

import "strings"

// names of types, as forms offer them.
var names = map[string]string{
	"flood": "Banjir", "flash_flood": "Banjir bandang", "landslide": "Tanah longsor", "road_blocked": "Jalan tertutup", "fire_building": "Kebakaran bangunan",
	"wildfire": "Kebakaran lahan", "fire_vehicle": "Kebakaran kendaraan", "traffic_injury": "Kecelakaan ada korban", "traffic_damage": "Kecelakaan tanpa korban",
	"truck_stall": "Truk mogok/terguling", "tree_down": "Pohon tumbang", "wind": "Angin kencang", "power_out": "Listrik padam", "medical": "Gawat darurat medis",
	"missing_person": "Orang hilang/hanyut", "rescue_tech": "Penyelamatan", "hazmat": "Kebocoran gas/B3", "animal": "Evakuasi hewan", "water_out": "Air bersih mati",
	"eq": "Gempa bumi", "river_high": "Muka air tinggi", "congestion": "Kemacetan", "streetlight": "Lampu jalan mati", "road_damage": "Jalan rusak", "waste": "Sampah",
	"service_complaint": "Pengaduan layanan", "telecom_out": "Gangguan telekomunikasi",
}

func named(code string) string { return names[code] }

// said is how people tell of an incident: formal and not, in Indonesian and in Minang. PLACE stands for the town.
var said = map[string][]string{
	"flood": {"Banjir di PLACE, air masuk rumah setinggi lutut", "air sungai meluap ke pemukiman di PLACE", "Kebanjiran pak, air sudah sepinggang di PLACE", "aia lah masuak rumah kami di PLACE, tolong",
		"rumah warga terendam, minta perahu ke PLACE", "banjir lah gadang di PLACE, ado nan takapuang", "jalan dan sawah terendam air di PLACE", "air naik terus di PLACE mohon bantuan evakuasi"},
	"flash_flood": {"Galodo! air bercampur batu di PLACE", "banjir bandang menerjang rumah di PLACE", "air bah dari bukit bawa kayu dan lumpur ke PLACE", "galodo di PLACE, banyak nan hanyuik, capek pak",
		"air besar datang tiba tiba dari hulu, PLACE habis"},
	"landslide": {"Longsor di PLACE, tanah menimpa rumah", "tebing runtuh di PLACE, material menutup jalan", "tanah longsor pak di PLACE ada yg tertimbun", "bukik taban di PLACE, jalan tatutuik",
		"ado longsor gadang di PLACE, oto ndak bisa lewat"},
	"road_blocked": {"Jalan putus di PLACE tidak bisa dilewati", "jalan tertutup material di PLACE", "jembatan darurat amblas, jalan ditutup di PLACE", "akses jalan ke PLACE terputus total", "jalan ka PLACE ndak bisa lewat, tatutuik"},
	"fire_building": {"Kebakaran rumah di PLACE", "rumah tabaka di PLACE, tolong damkar", "api besar membakar ruko dekat pasar PLACE", "ada kebakaran pak di PLACE apinya sudah ke atap", "asap tebal dan api dari rumah warga di PLACE",
		"kebakaran di PLACE, cepat pak api merambat"},
	"wildfire":       {"Kebakaran lahan di bukit PLACE", "hutan terbakar di atas PLACE, asap tebal", "rimbo tabaka di PLACE", "ladang terbakar, api menjalar di PLACE"},
	"fire_vehicle":   {"Mobil terbakar di jalan PLACE", "truk terbakar di PLACE api besar", "oto tabaka di tangah jalan PLACE", "motor terbakar habis tabrakan di PLACE"},
	"traffic_injury": {"Kecelakaan di PLACE ada korban luka", "tabrakan motor dan mobil di PLACE, korban berdarah", "laka lantas di PLACE, korban tidak sadar", "urang balago di PLACE, ado nan luko parah", "bus masuk jurang di PLACE banyak korban"},
	"traffic_damage": {"Tabrakan mobil di PLACE tidak ada korban", "mobil senggolan di PLACE jadi macet", "oto balago di PLACE, urangnyo ndak baa", "kecelakaan ringan di PLACE, mobil ringsek"},
	"truck_stall":    {"Truk mogok di tanjakan PLACE", "truk terguling di PLACE muatan tumpah", "fuso rem blong terguling di PLACE", "ado truk mogok di tangah jalan PLACE"},
	"tree_down":      {"Pohon tumbang menutup jalan di PLACE", "pohon besar roboh menimpa kabel di PLACE", "batang kayu tumbang di PLACE", "ada pohon tumbang kena mobil di PLACE"},
	"wind":           {"Angin kencang, atap rumah terbang di PLACE", "puting beliung di PLACE rumah rusak", "angin puting beliung merusak warung di PLACE", "atok rumah tabang dek angin di PLACE"},
	"power_out":      {"Listrik padam di PLACE", "mati lampu sejak tadi di PLACE", "lampu mati sakampuang di PLACE", "trafo meledak, listrik padam di PLACE", "kapan hidup listrik di PLACE pak"},
	"medical":        {"Butuh ambulans di PLACE, bapak sesak napas", "ada orang pingsan di PLACE", "ibu mau melahirkan di PLACE, minta ambulan", "serangan jantung di PLACE tolong ambulans", "urang sakik parah di PLACE, capek ambulan"},
	"missing_person": {"Anak hanyut di sungai PLACE", "orang terseret arus di PLACE", "urang hanyuik di batang aia PLACE", "kakek belum pulang dari ladang, hilang di PLACE"},
	"rescue_tech":    {"Orang jatuh ke sumur di PLACE", "pekerja terjebak di lubang di PLACE", "anak tajapik di pintu besi di PLACE", "orang terjebak di reruntuhan PLACE"},
	"hazmat":         {"Bau gas menyengat di PLACE", "tabung gas bocor di PLACE", "truk kimia tumpah di PLACE", "gas bocor pak di rumah makan PLACE"},
	"animal":         {"Ular masuk rumah di PLACE", "ada ular sanca di kamar mandi PLACE", "sarang tawon besar di PLACE", "buayo nampak di tapi batang aia PLACE"},
	"water_out":      {"Air PDAM mati di PLACE", "sudah 2 hari air tidak jalan di PLACE", "aia ledeang mati di PLACE", "pipa PDAM pecah di PLACE air mati"},
	"eq":             {"Gempa terasa kuat di PLACE", "gampo! rumah bagoyang di PLACE", "ada gempa barusan pak", "dinding rumah retak karena gempa di PLACE", "gampo kuek bana di PLACE, urang lari kalua"},
}

var silences = []string{"Panggilan tanpa suara", "(tidak ada suara)", "Putus sebelum bicara", "Anak-anak bermain telepon", "Panggilan tidak jelas", "hanya tertawa lalu ditutup", "salah pencet", "silent call"}

var questions = []string{"Tanya nomor telepon puskesmas", "mau tanya cara bikin KTP", "jam berapa kantor camat buka", "tes tes apakah 112 aktif", "berapa ongkos ke Padang", "assalamualaikum pak, selamat siang",
	"info loker damkar dong", "pak apakah jalan ke Padang lancar", "kapan hujan berhenti", "Terima kasih atas bantuannya kemarin", "mau bicara dengan pak Bupati", "minta nomor PLN"}

// complaints ask for a service.
var complaints = []struct {
	code  string
	texts []string
}{
	{"streetlight", []string{"Lampu jalan di PLACE mati sudah seminggu", "PJU depan sekolah PLACE tidak nyala"}},
	{"waste", []string{"Sampah menumpuk di pasar PLACE", "sampah tidak diangkut di PLACE", "bau sampah di tapi jalan PLACE"}},
	{"road_damage", []string{"Jalan berlubang di PLACE", "aspal rusak parah di PLACE sudah lama", "jalan kampung kami di PLACE belum diaspal"}},
	{"service_complaint", []string{"Antrian puskesmas PLACE lama sekali", "pelayanan kantor nagari PLACE lambat", "bantuan sosial belum cair di PLACE", "internet kantor nagari PLACE lambat"}},
}

var hearsay = []string{"katanya galodo di Agam, benar ya pak", "saya lihat di facebook kebakaran besar di Padang", "info banjir di Pesisir Selatan bagaimana pak", "gempa di Mentawai apakah tsunami", "longsor di Sitinjau kata orang, masih macet?"}

// wording is what somebody says of an incident.
func (k *maker) wording(d dice, code, place, channel string) string {
	return spelled(d, fillIn(d.pick(said[code]), place), channel)
}

func fillIn(text, place string) string { return strings.ReplaceAll(text, "PLACE", place) }

// short forms of text messages.
var short = strings.NewReplacer(" yang ", " yg ", " tidak ", " gak ", " sudah ", " udh ", " dengan ", " dgn ", " jalan ", " jln ", " tolong", " tlg", " orang ", " org ", " di ", " d ", " rumah ", " rmh ", " ada ", " ad ")

// spelled is a text as its channel has it: desks write whole words, telephones do not.
func spelled(d dice, text, channel string) string {
	if channel == "call" || channel == "radio" {
		if d.chance(.08) {
			return mistyped(d, text)
		}
		return text
	}
	if d.chance(.4) {
		text = strings.ToLower(text)
	}
	if d.chance(.4) {
		text = short.Replace(text)
	}
	for range d.IntN(3) {
		text = mistyped(d, text)
	}
	if d.chance(.1) {
		text = strings.ToUpper(text)
	}
	if d.chance(.2) {
		text += d.pick([]string{"!!", " tolong pak", " mohon segera", " ya Allah", " 🙏", "..."})
	}
	return text
}

// mistyped drops, doubles or swaps one letter.
func mistyped(d dice, text string) string {
	r := []rune(text)
	if len(r) < 6 {
		return text
	}
	i := 1 + d.IntN(len(r)-3)
	switch d.IntN(3) {
	case 0:
		r = append(r[:i], r[i+1:]...)
	case 1:
		r = append(r[:i+1], r[i:]...)
	default:
		r[i], r[i+1] = r[i+1], r[i]
	}
	return string(r)
}
