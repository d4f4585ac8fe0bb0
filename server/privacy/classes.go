package privacy

import (
	"time"

	"kentongan/geo/keyspace"
	"kentongan/server/access"
)

// Words are by language: id and en.
type Words map[string]string

// DataClass is one class of data that we hold: what it is, whose, why, how long. The list of them is the data map.
type DataClass struct {
	Name     string          `json:"class"`
	Title    Words           `json:"title"`
	Whose    Words           `json:"whose" doc:"Whom the data are about"`
	Why      Words           `json:"why" doc:"For what they are processed"`
	Basis    Words           `json:"legal_basis"`
	Source   Words           `json:"source" doc:"Where the time that they are kept comes from"`
	Leaves   Words           `json:"leaves" doc:"How they leave the house"`
	Personal bool            `json:"personal"`
	Nouns    []string        `json:"-"` // of keyspace.Table: the part after the prefix
	Files    []string        `json:"files" doc:"Folders of data_dir"`
	Read     []access.Action `json:"read_by_action" doc:"Rights that read them"`
	Default  time.Duration   `json:"-"`     // 0: as long as what it says lasts
	Least    time.Duration   `json:"-"`     // may not be set shorter
	Settable bool            `json:"-"`     // at run time, by two persons
	Never    bool            `json:"never"` // is never deleted
}

const day = 24 * time.Hour

// publicTask is the basis of nearly all: article 20 (2) e of law 27/2022, a task in the public interest.
var publicTask = Words{"id": "UU 27/2022 pasal 20 ayat (2) huruf e: pelaksanaan tugas untuk kepentingan umum, pelayanan publik; UU 24/2007 (penanggulangan bencana)",
	"en": "Law 27/2022 article 20 (2) e: a task in the public interest, public service; law 24/2007 (disaster management)"}

var vital = Words{"id": "UU 27/2022 pasal 20 ayat (2) huruf d dan e: kepentingan vital pelapor dan orang lain, tugas kepentingan umum",
	"en": "Law 27/2022 article 20 (2) d and e: vital interests of the reporter and others, a task in the public interest"}

var duty = Words{"id": "UU 27/2022 pasal 20 ayat (2) huruf c dan pasal 31: kewajiban hukum, perekaman kegiatan pemrosesan; pasal 35 dan 39: keamanan",
	"en": "Law 27/2022 article 20 (2) c and article 31: legal duty, records of processing; articles 35 and 39: security"}

var ourDefault = Words{"id": "Bawaan kami, sesuai asas pembatasan (pasal 16 ayat (2) huruf a, g); daerah menetapkan jadwal retensi arsipnya sendiri (UU 43/2009)",
	"en": "Our default, after the principle of limitation (article 16 (2) a, g); the region sets its own archive schedule (law 43/2009)"}

var inside = Words{"id": "Tidak keluar", "en": "It does not leave"}

// Classes is the data map: every class of data that we hold. Each key of keyspace.Table is in exactly one; a test holds us to that.
func Classes() []DataClass {
	return []DataClass{
		{Name: "readings", Title: Words{"id": "Pembacaan sensor dan posisi", "en": "Readings of sensors, and positions"},
			Whose: Words{"id": "Umumnya bukan data pribadi; posisi unit adalah posisi petugas", "en": "Mostly nobody's; a unit's position is its crew's"},
			Why:   Words{"id": "Gambaran terkini, aturan, riwayat singkat", "en": "The live picture, rules, a short history"}, Basis: publicTask,
			Source: Words{"id": "retention.readings", "en": "retention.readings"},
			Leaves: Words{"id": "Publik hanya sebagai sel H3 kasar, tertunda, paling sedikit lima", "en": "To the public only as coarse H3 cells, late, five at least"},
			Nouns:  []string{"reading", "last", "shards", "live"}, Read: []access.Action{access.ReadThings, access.ReadUnits}, Personal: true, Default: keyspace.DefaultRetention},
		{Name: "raw", Title: Words{"id": "Bita mentah kiriman", "en": "Raw bytes of deliveries"},
			Whose: Words{"id": "Dapat memuat kata warga; format yang menyebut pelapor hanya disimpan bila diminta", "en": "May hold citizens' words; formats that name reporters are kept only where a feed asks for it"},
			Why:   Words{"id": "Memutar ulang kiriman, menahan yang rusak", "en": "Replay, and holding what is faulty"}, Basis: publicTask, Source: Words{"id": "retention.raw", "en": "retention.raw"}, Leaves: inside,
			Nouns: []string{"quarantine", "quarantine-body"}, Files: []string{"raw"}, Read: []access.Action{access.WriteFeeds}, Personal: true, Default: 72 * time.Hour},
		{Name: "alerts", Title: Words{"id": "Peringatan", "en": "Alerts"}, Whose: Words{"id": "Bukan data pribadi", "en": "Nobody's"},
			Why: Words{"id": "Memperingatkan, menilai kejadian", "en": "To warn, and to judge what happens"}, Basis: publicTask, Source: ourDefault,
			Leaves: Words{"id": "CAP untuk umum", "en": "CAP for everybody"}, Nouns: []string{"alert", "alerts", "alerts-active", "alert-key", "alert-pending", "firing", "firing-rules", "rules-seen", "rules-state"},
			Read: []access.Action{access.ReadAlerts}, Default: 365 * day, Least: 2 * day, Settable: true},
		{Name: "incidents", Title: Words{"id": "Kejadian", "en": "Incidents"}, Whose: Words{"id": "Warga yang terlibat (kata bebas), petugas", "en": "People involved (free words), staff"},
			Why: Words{"id": "Penanganan, pertanggungjawaban, evaluasi", "en": "Response, accountability, review"}, Basis: publicTask, Source: ourDefault,
			Leaves: Words{"id": "Instansi yang menangani; ekspor oleh yang berhak", "en": "To the agencies that respond; exports by who may"}, Nouns: []string{"incident", "incidents", "incidents-open", "figures", "figure-case", "figures-made", "number", "blobs", "opened-once"}, Files: []string{"blob"},
			Read: []access.Action{access.ReadIncidents}, Personal: true, Default: 5 * 365 * day, Least: 2 * day, Settable: true},
		{Name: "alarms", Title: Words{"id": "Alarm dan siapa menerimanya", "en": "Alarms, and who acknowledged them"}, Whose: Words{"id": "Petugas (id); kata bebas dapat menyebut orang", "en": "Staff (ids); free words may name people"},
			Why: Words{"id": "Beban meja, tanggung jawab, evaluasi alarm", "en": "Load of desks, accountability, review of alarms"}, Basis: publicTask, Source: ourDefault, Leaves: inside,
			Nouns: []string{"alarm", "alarms", "alarms-open", "alarms-shown", "alarms-shelved", "alarm-governor"}, Read: []access.Action{access.ReadAlarms}, Personal: true, Default: 365 * day, Least: 2 * day, Settable: true},
		{Name: "suggestions", Title: Words{"id": "Usulan penggabungan bukti dan siapa memutuskannya", "en": "Suggestions to join evidence, and who decided on them"}, Whose: Words{"id": "Petugas (id); tempat laporan", "en": "Staff (ids); places of reports"},
			Why: Words{"id": "Menggabungkan kabar tentang satu kejadian, menilai aturannya", "en": "To join what is told of one incident, and to judge the rules of it"}, Basis: publicTask, Source: ourDefault, Leaves: inside,
			Nouns: []string{"suggestion", "suggestions", "suggestions-offered"}, Read: []access.Action{access.ActIncidents}, Personal: true, Default: 365 * day, Least: 2 * day, Settable: true},
		{Name: "reports", Title: Words{"id": "Laporan warga tanpa pelapornya", "en": "Citizens' reports without their reporters"}, Whose: Words{"id": "Warga (kata bebas, tempat)", "en": "Citizens (free words, places)"},
			Why: Words{"id": "Menerima dan menindaklanjuti laporan", "en": "To take reports and act on them"}, Basis: publicTask, Source: ourDefault,
			Leaves: Words{"id": "Instansi yang menangani", "en": "To the agencies that respond"}, Nouns: []string{"report", "reports", "reports-open", "ticket", "ticket-of"}, Read: []access.Action{access.ReadReports},
			Personal: true, Default: 2 * 365 * day, Least: 2 * day, Settable: true},
		{Name: "reporters", Title: Words{"id": "Identitas pelapor (terenkripsi)", "en": "Who reported (sealed)"}, Whose: Words{"id": "Pelapor", "en": "Reporters"},
			Why: Words{"id": "Menelepon kembali, mengenali penelepon berulang", "en": "To call back, and to know repeated callers"}, Basis: vital,
			Source: Words{"id": "Bawaan kami: 90 hari sejak laporan ditutup atau terakhir berubah", "en": "Our default: 90 days after the report closed or changed last"}, Leaves: inside,
			Nouns: []string{"reporter", "reporter-key", "reporter-call", "reporter-shown", "reporter-match", "reporters", "reveal", "call", "calls", "call-number"}, Read: []access.Action{access.Reveal, access.TakeCalls},
			Personal: true, Default: 90 * day, Least: day, Settable: true},
		{Name: "changes", Title: Words{"id": "Perubahan kasus untuk layar", "en": "Changes of cases for screens"}, Whose: Words{"id": "Seperti kejadian dan laporan", "en": "As incidents and reports"},
			Why: Words{"id": "Layar menyambung kembali tanpa kehilangan", "en": "Screens come back without a gap"}, Basis: publicTask, Source: Words{"id": "Bawaan kami", "en": "Our default"}, Leaves: inside,
			Nouns: []string{"case", "case-mark", "case-offset", "case-reader"}, Read: []access.Action{access.ReadIncidents, access.ReadReports}, Personal: true, Default: day, Least: time.Hour, Settable: true},
		{Name: "plans", Title: Words{"id": "Rencana: pekerjaan, acara, penutupan, pemeliharaan", "en": "Plans: works, events, closures, maintenance"}, Whose: Words{"id": "Petugas (id); kata bebas dapat menyebut orang", "en": "Staff (ids); free words may name people"},
			Why: Words{"id": "Menahan alarm yang sudah diumumkan sebabnya", "en": "To hold alarms whose cause was announced"}, Basis: publicTask, Source: ourDefault,
			Leaves: inside, Nouns: []string{"plan", "plans", "plans-standing"}, Read: []access.Action{access.ReadPlans}, Personal: true, Default: 2 * 365 * day, Least: day, Settable: true},
		{Name: "units", Title: Words{"id": "Unit dan regunya", "en": "Units and their crews"}, Whose: Words{"id": "Petugas: regu yang bertugas", "en": "Staff: the crew on duty"},
			Why: Words{"id": "Mengirim unit yang bebas dan mampu", "en": "To send who is free and able"}, Basis: publicTask, Source: Words{"id": "Selama unit terdaftar", "en": "As long as the unit is on the roster"},
			Leaves: inside, Nouns: []string{"unit", "units"}, Read: []access.Action{access.ReadUnits}, Personal: true},
		{Name: "contacts", Title: Words{"id": "Buku telepon: petugas piket, fasilitas, alat berat", "en": "Telephone book: duty officers, facilities, heavy equipment"}, Whose: Words{"id": "Petugas piket: nama dan nomornya", "en": "Duty officers: their names and numbers"},
			Why: Words{"id": "Memanggil yang bertugas untuk tempat dan jenis kejadian", "en": "To call who is on duty for a place and type"}, Basis: publicTask, Source: Words{"id": "Sampai dihapus", "en": "Until somebody deletes it"},
			Leaves: inside, Nouns: []string{"contact", "contacts"}, Read: []access.Action{access.ReadContacts}, Personal: true},
		{Name: "dispatches", Title: Words{"id": "Penugasan unit", "en": "Dispatches of units"}, Whose: Words{"id": "Petugas (id); kata bebas dapat menyebut orang", "en": "Staff (ids); free words may name people"},
			Why: Words{"id": "Penanganan, waktu tanggap, pertanggungjawaban", "en": "Response, response times, accountability"}, Basis: publicTask, Source: ourDefault,
			Leaves: inside, Nouns: []string{"dispatch", "dispatches", "dispatches-open"}, Read: []access.Action{access.ReadUnits}, Personal: true, Default: 5 * 365 * day, Least: 2 * day, Settable: true},
		{Name: "messages", Title: Words{"id": "Pesan keluar: webhook dan Web Push", "en": "Messages that leave: webhooks and Web Push"}, Whose: Words{"id": "Petugas: perambannya; kejadian tanpa kata warga", "en": "Staff: their browsers; incidents without citizens' words"},
			Why: Words{"id": "Memberi tahu regu, pimpinan, dan sistem mitra", "en": "To tell crews, leadership and partners' systems"}, Basis: publicTask, Source: Words{"id": "Pesan 7 hari sejak terkirim atau gagal; penerima selama terdaftar", "en": "A message 7 days after it was sent or failed; a receiver until it is removed"},
			Leaves: Words{"id": "Ke penerima yang didaftarkan; isi push disandikan sampai ke peramban", "en": "To the receivers that were entered; what is pushed is sealed up to the browser"}, Nouns: []string{"webhook", "push", "push-key", "outbox", "outbox-message", "outbox-log"},
			Read: []access.Action{access.WriteKeys}, Personal: true},
		{Name: "statements", Title: Words{"id": "Pernyataan resmi", "en": "Official statements"}, Whose: Words{"id": "Petugas yang memasukkan (id)", "en": "Who entered them (ids)"},
			Why: Words{"id": "Bukti tingkat status dan kejadian", "en": "Evidence of levels and incidents"}, Basis: publicTask, Source: ourDefault,
			Leaves: inside, Nouns: []string{"statement", "statements", "statements-in-force", "statement-standing"}, Read: []access.Action{access.ReadStatus}, Personal: true, Default: 5 * 365 * day, Least: day, Settable: true},
		{Name: "status", Title: Words{"id": "Tingkat status wilayah dan riwayatnya", "en": "Status levels of the area and their history"}, Whose: Words{"id": "Petugas yang mengesahkan (id)", "en": "Who confirmed them (ids)"},
			Why: Words{"id": "Pertanggungjawaban tingkat status", "en": "Accountability for levels"}, Basis: publicTask, Source: Words{"id": "500 perubahan terakhir tiap bahaya", "en": "The last 500 changes of each hazard"},
			Leaves: inside, Nouns: []string{"status", "statuses", "status-history"}, Read: []access.Action{access.ReadStatus}, Personal: true},
		{Name: "audit", Title: Words{"id": "Catatan audit", "en": "Audit records"}, Whose: Words{"id": "Petugas (id); kata pribadi hanya sebagai hash bergaram", "en": "Staff (ids); personal words as salted hashes only"},
			Why: Words{"id": "Pertanggungjawaban dan bukti", "en": "Accountability and proof"}, Basis: duty, Source: Words{"id": "Tidak pernah dihapus: rantainya adalah bukti", "en": "Never deleted: its chain is the proof"},
			Leaves: Words{"id": "Titik periksa untuk umum, tanpa isi", "en": "Checkpoints for everybody, without content"}, Nouns: []string{"audit", "audit-kept", "audit-seq", "audit-tile", "audit-checkpoint", "audit-checkpoints", "audit-signer"}, Read: []access.Action{access.ReadAudit}, Personal: true, Never: true},
		{Name: "words", Title: Words{"id": "Kata-kata dalam catatan audit", "en": "Words of the audit log"}, Whose: Words{"id": "Petugas, warga yang disebut", "en": "Staff, citizens whom they name"},
			Why: Words{"id": "Alasan tindakan dapat dibaca", "en": "Reasons of acts can be read"}, Basis: duty, Source: ourDefault, Leaves: inside, Nouns: []string{"audit-words"},
			Read: []access.Action{access.ReadAudit}, Personal: true, Default: 5 * 365 * day, Least: 90 * day, Settable: true},
		{Name: "accounts", Title: Words{"id": "Akun petugas dan perubahan yang butuh dua orang", "en": "Accounts of staff, and changes that need two"}, Whose: Words{"id": "Petugas", "en": "Staff"},
			Why: Words{"id": "Masuk, hak, tanggung jawab", "en": "Sign-in, rights, accountability"}, Basis: duty, Source: Words{"id": "Selama akun ada", "en": "As long as the account"}, Leaves: inside,
			Nouns: []string{"person", "person-login", "person-change", "change", "passkey"}, Read: []access.Action{access.ReadPeople}, Personal: true},
		{Name: "sessions", Title: Words{"id": "Sesi dan percobaan masuk", "en": "Sessions and tries to sign in"}, Whose: Words{"id": "Petugas, alamat jaringan", "en": "Staff, network addresses"},
			Why: Words{"id": "Masuk, penguncian, keluar paksa", "en": "Sign-in, lockout, forced sign-out"}, Basis: duty, Source: Words{"id": "Umur tiap kunci (keyspace)", "en": "The lifetime of each key (keyspace)"}, Leaves: inside,
			Nouns: []string{"session", "sessions", "session-seen", "session-ended", "sign-in", "pending", "tries", "enrol", "flight", "provider-session", "provider-sid", "once"},
			Read:  []access.Action{access.ReadPeople}, Personal: true},
		{Name: "devices", Title: Words{"id": "Kunci dan perangkat", "en": "Keys and devices"}, Whose: Words{"id": "Instansi dan program; perangkat lapangan adalah milik petugas", "en": "Agencies and programs; a field device is somebody's"},
			Why: Words{"id": "Siapa boleh mengirim dan membaca", "en": "Who may send and read"}, Basis: duty, Source: Words{"id": "Selama dipakai; kunci yang dicabut 90 hari", "en": "While in use; a revoked key 90 days"}, Leaves: inside,
			Nouns: []string{"key", "key-used", "key-change", "key-uses", "key-rate", "device", "device-change", "device-seen", "device-pending", "device-tries", "wall", "wall-report", "serial-denied", "authority"},
			Files: []string{"authority"}, Read: []access.Action{access.WriteKeys, access.WriteDevices}, Personal: true},
		{Name: "operation", Title: Words{"id": "Kerja rumah itu sendiri", "en": "The house's own work"}, Whose: Words{"id": "Bukan data pribadi", "en": "Nobody's"},
			Why: Words{"id": "Menjalankan server, umpan, dan masa simpan", "en": "To run servers, feeds and retention"}, Basis: publicTask, Source: Words{"id": "Umur tiap kunci (keyspace)", "en": "The lifetime of each key (keyspace)"}, Leaves: inside,
			Nouns: []string{"epoch", "seal", "sealed", "lease", "fence", "confirm", "feed-status", "feed-config", "feed-versions", "rule-config", "rule-versions", "announce", "simulator", "contract", "contracts", "feed", "feed-link", "retention"},
			Files: []string{"basemap"}, Read: []access.Action{access.ReadFeeds, access.ReadPrivacy}},
	}
}
