package fusion

import (
	"maps"
	"slices"
	"strings"
)

// phrase is a few words that stand for a type.
type phrase struct {
	words []string
	code  string
}

// spoken is how people, forms and agencies call each type, Indonesian and English, phrases apart by commas. A phrase counts whole words only.
var spoken = map[string]string{
	"river_high":        "muka air tinggi, muka air naik, tinggi muka air, air sungai naik, sungai naik, debit sungai, sungai meluap, siaga i, siaga ii, siaga iii, batang meluap, river high, high river, river level, river rising, water level",
	"flood":             "banjir, kebanjiran, banjir genangan, genangan, tergenang, terendam, air masuk rumah, air setinggi, luapan, banjir luapan, flood, flooding, flooded, inundation, inundated, under water, rumah terendam, aia masuak rumah, aia lah masuak, takapuang, banjir gadang, air naik terus, kabanjiran, aia gadang, air sudah sepinggang, masuk rumah setinggi, air sungai meluap, meluap ke pemukiman",
	"flash_flood":       "banjir bandang, galodo, air bah, banjir lumpur, banjir lahar, flash flood, debris flow, flash flooding, air bercampur batu, air besar dari hulu, air besar datang, banyak nan hanyuik",
	"landslide":         "longsor, tanah longsor, longsoran, tebing runtuh, tebing longsor, tanah bergerak, gerakan tanah, pergerakan tanah, tanah retak, runtuhan, landslide, landslip, mudslide, rockfall, slope failure, bukik taban, tanah menimpa, tebing taban, taban, material longsor",
	"eq":                "gempa, gempa bumi, gempabumi, goyangan, guncangan, lindu, earthquake, quake, tremor, shaking, gampo, bagoyang, gampo kuek, guncangan kuat",
	"volcano":           "gunung api, gunung berapi, erupsi, gunung meletus, letusan, volcano, volcanic, eruption, vona",
	"ashfall":           "hujan abu, abu vulkanik, ashfall, ash fall, volcanic ash",
	"wildfire":          "kebakaran hutan, kebakaran lahan, karhutla, hutan terbakar, lahan terbakar, kebun terbakar, semak terbakar, kebakaran semak, kebakaran hutan dan lahan, asap di ladang, api di ladang, lereng terbakar, wildfire, forest fire, bush fire, land fire, grass fire, hotspot, rimbo tabaka, parak tabaka, ladang tabaka, ladang terbakar, api menjalar di",
	"wind":              "angin kencang, puting beliung, angin puting beliung, angin ribut, angin topan, badai, atap terbang, atap beterbangan, strong wind, strong winds, high wind, wind, tornado, windstorm, gale, squall, gust, atok rumah tabang, atok tabang, atap rumah terbang, atap rumah",
	"tree_down":         "pohon tumbang, pohon roboh, pohon rubuh, pohon jatuh, batang pohon, dahan patah, pohon patah, pohon melintang, fallen tree, tree down, tree fell, tree fallen, tree across, batang kayu tumbang, batang tumbang, kayu tumbang, pohon besar roboh, tumbang, pohon",
	"drought":           "kekeringan, krisis air, drought, water shortage",
	"fish_kill":         "kematian ikan, ikan mati, fish kill, dead fish, fish death",
	"water_quality":     "pencemaran air, air tercemar, limbah di sungai, water pollution, polluted water",
	"air_quality":       "kualitas udara, kabut asap, udara buruk, haze, air quality, smog",
	"fire_building":     "kebakaran, kebakaran rumah, kebakaran bangunan, kebakaran gedung, kebakaran ruko, kebakaran toko, kebakaran pasar, kebakaran permukiman, rumah terbakar, rumah kebakaran, ruko terbakar, toko terbakar, kios terbakar, bangunan terbakar, gedung terbakar, dapur terbakar, asap tebal, asap mengepul, api besar, api membesar, fire, building fire, house fire, structure fire, smoke alarm, house on fire, building on fire, structure, rumah tabaka, tabaka, terbakar, api membakar, membakar ruko, api dari rumah, apinya, api merambat, alarm asap, alarm kebakaran, kepulan asap",
	"fire_vehicle":      "kebakaran kendaraan, kebakaran mobil, mobil terbakar, motor terbakar, truk terbakar, bus terbakar, kendaraan terbakar, mobil kebakaran, vehicle fire, car fire, car on fire, truck on fire, vehicle on fire, burning car, oto tabaka, onda tabaka, motor terbakar habis",
	"hazmat":            "bahan berbahaya, kebocoran gas, gas bocor, bau gas, tabung bocor, elpiji bocor, tumpahan bahan kimia, tumpahan kimia, bahan kimia, tumpahan, amonia, klorin, hazmat, hazardous, gas leak, chemical spill, smell of gas, spill, gas menyengat, tabung gas bocor, truk kimia tumpah, gas, kimia tumpah",
	"rescue_tech":       "penyelamatan, terjebak, terjepit, terperosok, jatuh ke sumur, masuk sumur, tertimpa bangunan, terkurung, lift macet, technical rescue, trapped, stuck in, rescue, fell into a well, entrapment, tajapik, evakuasi korban terjebak, jatuh ke lubang, jatuh ka sumua, sumur, reruntuhan",
	"animal":            "evakuasi hewan, ular, ular masuk rumah, sarang tawon, tawon, buaya, harimau, beruang, hewan liar, hewan, monyet, animal, snake, wasp, wild animal, hornet, animal rescue, buayo, nampak buaya, ular sanca",
	"traffic_injury":    "kecelakaan lalu lintas korban, laka lantas korban, tabrak lari, tabrakan maut, kecelakaan maut, korban kecelakaan, kecelakaan dengan korban, kecelakaan berkorban, kecelakaan luka, injury crash, crash with injury, road crash with injury, pengendara luka, pengendara terkapar, accident with injuries, balago ado nan luko, masuk jurang, luko parah",
	"traffic_damage":    "kecelakaan, kecelakaan tanpa korban, laka lantas, laka, tabrakan, ditabrak, menabrak, nabrak, serempetan, bersenggolan, senggolan, kecelakaan lalu lintas, tabrakan beruntun, crash, collision, road accident, traffic accident, accident, fender bender, balago, oto balago, urang balago, mobil senggolan, mobil ringsek, ringsek, kecelakaan ringan, kecelakaan terdeteksi",
	"truck_stall":       "truk mogok, truk terguling, truk terbalik, truk patah as, mobil mogok, bus mogok, kendaraan mogok, truk, mogok, patah as, terguling, rem blong, stalled truck, truck stalled, truck overturned, overturned truck, broken down truck, stalled, breakdown, fuso, muatan tumpah, oto mogok",
	"road_blocked":      "jalan tertutup, jalan ditutup, jalan putus, jalan terputus, akses putus, akses terputus, akses tertutup, jalan tidak bisa dilewati, tidak bisa dilewati, tidak dapat dilalui, tak bisa lewat, tidak bisa lewat, badan jalan tertutup, jalan amblas, penutupan jalan, jalan tertimbun, road blocked, road closed, road closure, blocked road, impassable, tatutuik, jalan tatutuik, ndak bisa lewat, material menutup jalan, jalan tertutup material, terputus total, terputus, amblas, dipalang",
	"congestion":        "kemacetan, macet, macet total, antrean kendaraan, antrian kendaraan, lalu lintas padat, padat merayap, congestion, traffic jam, heavy traffic, jammed",
	"road_damage":       "jalan rusak, jalan berlubang, lubang di jalan, aspal rusak, pothole, road damage, damaged road, belum diaspal, aspal rusak parah",
	"bridge_damage":     "jembatan rusak, jembatan putus, jembatan ambruk, jembatan roboh, bridge damage, bridge down, bridge collapsed",
	"streetlight":       "lampu jalan mati, lampu jalan, lampu lalu lintas mati, pju mati, pju, lampu merah mati, streetlight, street light, traffic light out, tidak nyala",
	"medical":           "gawat darurat, gawat darurat medis, darurat medis, medis, sesak napas, sesak nafas, serangan jantung, pingsan, tidak sadar, tidak sadarkan diri, kejang, stroke, melahirkan, pendarahan, orang sakit, butuh ambulans, ambulans, ambulance, medical, medical emergency, heart attack, unconscious, not breathing, chest pain, seizure, panic button, tombol darurat, ambulan, urang sakik, sakik parah, sesak, jantung, butuh ambulan, minta ambulan, mau melahirkan",
	"outbreak":          "kejadian luar biasa, klb, wabah, keracunan massal, outbreak, food poisoning",
	"missing_person":    "orang hilang, hilang terseret, terseret arus, terseret, hanyut, orang hanyut, tenggelam, anak hilang, pencarian korban, belum ditemukan, missing person, swept away, missing, drowning, drowned, hanyuik, urang hanyuik, anak hanyut, belum pulang dari ladang, belum pulang, hilang",
	"crime":             "tindak kriminal, pencurian, perampokan, rampok, begal, maling, jambret, pembacokan, penusukan, crime, robbery, burglary, theft, assault, stabbing",
	"public_order":      "gangguan ketertiban, keributan, tawuran, perkelahian, demo, unjuk rasa, public order, brawl, riot, disturbance",
	"crowd":             "kerumunan, keramaian, acara, konser, crowd, gathering",
	"domestic_violence": "kdrt, kekerasan dalam rumah tangga, kekerasan anak, kekerasan terhadap anak, penganiayaan anak, pencabulan, pelecehan seksual, perkosaan, pemerkosaan, dipukul suami, dipukuli suami, domestic violence, child abuse, sexual abuse, rape",
	"power_out":         "listrik padam, padam listrik, mati lampu, listrik mati, pemadaman, pemadaman listrik, gardu meledak, tiang listrik roboh, kabel putus, trafo meledak, gelap gulita, lampu padam, gangguan listrik, power out, power outage, outage, blackout, no electricity, electricity, no power, lampu mati, hidup listrik, listrik, trafo, lampu padam sakampuang",
	"water_out":         "air bersih mati, air pdam mati, pdam mati, air mati, air tidak mengalir, air pdam, pipa bocor, pipa pecah, tidak ada air, gangguan air bersih, water outage, no water, water supply, water supply outage, burst pipe, aia ledeang mati, aia pdam mati, ledeang mati, air tidak jalan, pipa pdam pecah, air ledeng mati, pdam",
	"telecom_out":       "gangguan telekomunikasi, sinyal hilang, tidak ada sinyal, internet mati, jaringan mati, telecom outage, no signal, network down, internet lambat, sinyal",
	"waste":             "sampah, sampah menumpuk, sampah liar, garbage, illegal dump, waste, rubbish, bau sampah",
	"price_spike":       "harga naik, lonjakan harga, price spike",
	"tourism":           "insiden wisata, wisatawan, pendaki tersesat, pendaki, perahu terbalik, tourism, tourist, hiker lost, hiker",
	"service_complaint": "pengaduan, pelayanan lambat, keluhan layanan, complaint, pengaduan layanan, antrian puskesmas, bantuan sosial, lambat",
	"corruption_tip":    "pungli, korupsi, suap, pungutan liar, praktik kkn, praktek kkn, dugaan kkn, kasus kkn, indikasi kkn, laporan kkn, melakukan kkn, bribe, bribery, corruption, extortion",
	"sensor_fault":      "gangguan sensor, sensor rusak, cctv mati, kamera mati, sensor fault, camera down",
}

// categories is what CAP's category alone lets one think of, where no word is known.
var categories = map[string][]string{
	"fire": {"fire_building", "wildfire"}, "rescue": {"rescue_tech"}, "health": {"medical"}, "transport": {"congestion", "traffic_damage"}, "security": {"crime"},
	"env": {"water_quality", "air_quality"}, "infra": {"power_out", "water_out"}, "cbrne": {"hazmat"},
}

// lexicon is spoken by the first word of each phrase.
var lexicon = func() map[string][]phrase {
	out := map[string][]phrase{}
	for code, list := range spoken {
		for text := range strings.SplitSeq(list, ",") {
			words := plainWords(text)
			out[words[0]] = append(out[words[0]], phrase{words, code})
		}
	}
	return out
}()

// short forms that telephones write.
var short = map[string]string{"jln": "jalan", "jl": "jalan", "tlg": "tolong", "org": "orang", "rmh": "rumah", "krn": "karena", "gak": "tidak", "ga": "tidak", "ndak": "tidak", "nggak": "tidak", "tdk": "tidak", "bs": "bisa", "lewt": "lewat", "kec": "kecelakaan", "lakalantas": "laka", "d": "di", "ad": "ada", "udh": "sudah"}

// vocabulary is every word of a phrase, and mistaken what is left of those of five letters and more without one of them: so a word with a
// letter dropped, doubled, swapped or wrong is found.
var vocabulary, mistaken = func() (map[string]bool, map[string]string) {
	known, worn := map[string]bool{}, map[string]string{}
	for _, list := range lexicon {
		for _, p := range list {
			for _, w := range p.words {
				known[w] = true
			}
		}
	}
	for _, w := range slices.Sorted(maps.Keys(known)) {
		if len(w) < 5 {
			continue
		}
		for i := range w {
			if less := w[:i] + w[i+1:]; worn[less] == "" {
				worn[less] = w
			}
		}
	}
	return known, worn
}()

// longest is how many bytes the longest word of the vocabulary has: what is longer by more than a letter is none of them, and is not worn down
// letter by letter, however long somebody writes.
var longest = func() (n int) {
	for w := range vocabulary {
		n = max(n, len(w))
	}
	return n
}()

// meant is the word of the vocabulary that somebody meant, the word itself where none is near.
func meant(w string) string {
	if full := short[w]; full != "" {
		return full
	}
	if len(w) < 4 || len(w) > longest+1 || vocabulary[w] || idle[w] {
		return w
	}
	if once := undoubled(w); once != w && vocabulary[once] { // "lahh", "meeluapp": a key that was held too long
		return once
	}
	for i := 1; i < len(w); i++ {
		if less := w[:i] + w[i+1:]; w[i] == w[i-1] && vocabulary[less] {
			return less
		}
	}
	for i := 1; i < len(w); i++ { // "tbaang": two keys in the wrong order
		if turned := w[:i-1] + w[i:i+1] + w[i-1:i] + w[i+1:]; vocabulary[turned] {
			return turned
		}
	}
	if stem, with := strings.CutSuffix(w, "di"); with && vocabulary[stem] { // "tabakadi": the word that people write on to the one before
		return stem
	}
	if full := mistaken[w]; full != "" {
		return full
	}
	for i := range len(w) {
		less := w[:i] + w[i+1:]
		if len(less) >= 4 && vocabulary[less] {
			return less
		}
		if full := mistaken[less]; full != "" && len(w) >= 5 {
			return full
		}
	}
	return w
}

// undoubled is a word with each letter once where it stands twice in a row.
func undoubled(w string) string {
	out := make([]byte, 0, len(w))
	for i := range len(w) {
		if i == 0 || w[i] != w[i-1] {
			out = append(out, w[i])
		}
	}
	return string(out)
}

// idle words say nothing about which incident an account is of.
var idle = func() map[string]bool {
	out := map[string]bool{}
	for w := range strings.FieldsSeq(`yang dan atau di ke dari pada untuk dengan ada ini itu sudah belum tidak akan sedang mohon tolong segera harap bantuan pak bu kak
		saya kami kita warga orang rumah jalan dekat depan belakang sekitar daerah lokasi tempat jam menit tadi baru saja sekarang masih sangat banyak beberapa lagi juga
		laporan dilaporkan kejadian the and near this that there have been with from into please help now still very many some road house people area report reported
		kecamatan kabupaten nagari jorong kota solok bpbd damkar polres rule consent`) {
		out[w] = true
	}
	return out
}()

// telling are the words of a text that tell one incident from another.
func telling(texts ...string) map[string]bool {
	out := map[string]bool{}
	for _, t := range texts {
		for _, w := range plainWords(t) {
			if len(w) >= 4 && !idle[w] && len(out) < 60 {
				out[w] = true
			}
		}
	}
	return out
}

// parted puts the space between words where it belongs: "lampum ati", "poho ntumbang", "kebakaranpak". Only where both sides then are words that
// stand for a type, or one is and the other a word that says nothing.
func parted(words []string) []string {
	known := func(w string) bool { return vocabulary[w] || idle[w] || short[w] != "" }
	out := make([]string, 0, len(words)+2)
	for i := 0; i < len(words); i++ {
		w := words[i]
		if i+1 < len(words) && !(known(w) && known(words[i+1])) {
			next := words[i+1]
			if n := len(w) - 1; n > 1 && vocabulary[w[:n]] && vocabulary[w[n:]+next] {
				out = append(out, w[:n], w[n:]+next)
				i++
				continue
			}
			if len(next) > 2 && vocabulary[w+next[:1]] && vocabulary[next[1:]] {
				out = append(out, w+next[:1], next[1:])
				i++
				continue
			}
		}
		if one, two, split := cut(w, known); split {
			out = append(out, one, two)
			continue
		}
		out = append(out, w)
	}
	return out
}

// cut parts a long word that is two, of which one at least stands for a type.
func cut(w string, known func(string) bool) (one, two string, split bool) {
	if len(w) < 7 || len(w) > 2*longest || known(w) {
		return "", "", false
	}
	for n := len(w) - 2; n >= 4; n-- {
		if a, b := w[:n], w[n:]; known(a) && (len(b) > 2 && known(b) || idle[b]) && (vocabulary[a] || vocabulary[b]) {
			return a, b, true
		}
	}
	return "", "", false
}
