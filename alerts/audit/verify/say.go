package verify

import (
	"fmt"
	"strings"
)

// sentences say what is wrong, by kind: Indonesian, English. The verbs are n the record, o the other one, f and t the range, s the size of
// a checkpoint, a its time and l the time that it is beyond, d the detail.
var sentences = map[Kind][2]string{
	Line:      {"Baris di tempat catatan {n} tidak dapat dibaca: {d}.", "The line in the place of record {n} cannot be read: {d}."},
	Form:      {"Catatan {n} tidak dalam bentuk bakunya, jadi sudah diubah setelah ditulis: {d}.", "Record {n} is not in its canonical form, so it was changed after it was written: {d}."},
	Missing:   {"Catatan {f} sampai {t} tidak ada di tempatnya: dihapus atau dipindahkan.", "Records {f} to {t} are not in their place: deleted or moved."},
	Order:     {"Catatan {n} muncul lagi atau tidak pada urutannya, setelah catatan {o}: disisipkan atau dipindahkan.", "Record {n} comes again or out of order, after record {o}: inserted or moved."},
	Leaf:      {"Catatan {n} bukan yang dihitung sidik daunnya: isinya diubah.", "Record {n} is not what its leaf hash was made of: it was changed."},
	WordsHash: {"Kata-kata di samping catatan {n} bukan kata-kata yang ditulis bersamanya.", "The words beside record {n} are not those that it was written with."},
	Untimed:   {"Catatan {n} tidak punya waktu.", "Record {n} has no time."},
	Tile:      {"Catatan {n} bukan yang disimpan saksi: saksi punya sidik lain untuknya.", "Record {n} is not what the witness keeps: the witness has another hash of it."},
	Tail:      {"Catatan {f} sampai {t} hilang: titik periksa yang ditandatangani mencakupnya, tetapi ekspor berakhir sebelumnya.", "Records {f} to {t} are missing: a signed checkpoint or the header covers them, but the export ends before."},
	Chain:     {"Catatan {n} tidak menyambung catatan {o} dari objek yang sama ({d}): sidik sebelum tidak sama dengan sidik sesudah; salah satunya diubah, atau satu di antaranya dihapus.", "Record {n} does not follow on record {o} of the same object ({d}): the hash before is not the hash after; one of the two was changed, or one between them deleted."},
	BackDated: {"Catatan {n} bertanggal {a}, sebelum catatan {o} yang berdiri di depannya ({l}): tanggalnya dimundurkan, atau tanggal {o} dimajukan.", "Record {n} is dated {a}, before record {o} that stands before it ({l}): it was back-dated, or {o} post-dated."},
	TooEarly:  {"Catatan {n} bertanggal {a}, padahal pada {l} saksi masih melihat jejak tanpa catatan itu: tanggalnya dimundurkan, atau lama tidak disegel.", "Record {n} is dated {a}, though at {l} a witness still saw the log without it: it was back-dated, or long left unsealed."},
	TooLate:   {"Catatan {n} bertanggal {a}, padahal saksi sudah melihatnya sebelum {l}: tanggalnya dimajukan.", "Record {n} is dated {a}, though a witness had seen it before {l}: it was post-dated."},
	Root:      {"Sesuatu di antara catatan {f} dan {t} diubah: titik periksa untuk {s} catatan punya akar lain. Catatan yang mana, ditunjukkan oleh ubin saksi (--tiles).", "Something among records {f} to {t} was changed: the checkpoint of {s} records has another root. Which record, a witness's tiles tell (--tiles)."},
	Fork:      {"Ada dua titik periksa bertanda tangan untuk {s} catatan dengan akar berbeda: jejak ini bercabang ({d}).", "There are two signed checkpoints of {s} records with different roots: the log is forked ({d})."},
	Signature: {"Titik periksa untuk {s} catatan tidak ditandatangani oleh kunci jejak ini ({d}).", "The checkpoint of {s} records is not signed by the key of this log ({d})."},
	Origin:    {"Titik periksa untuk {s} catatan berasal dari jejak lain ({d}).", "The checkpoint of {s} records is of another log ({d})."},
	Misplaced: {"Titik periksa untuk {s} catatan di dalam ekspor berdiri di belakang catatan {n}, bukan di belakang catatan terakhir yang dicakupnya.", "The checkpoint of {s} records in the export stands behind record {n}, not behind the last record that it covers."},
	Length:    {"Ekspor berisi lebih banyak catatan daripada {s} yang disebut kepalanya.", "The export has more records than the {s} that its header says."},
	Unproven:  {"Tidak ada titik periksa yang dapat dibandingkan dengan ekspor ini: tidak ada yang terbukti.", "No checkpoint could be held against this export: nothing is proven."},
}

// Say is the finding in plain words, in Indonesian ("id") or English.
func (f Finding) Say(lang string) string {
	text := sentences[f.Kind][1]
	if lang == "id" {
		text = sentences[f.Kind][0]
	}
	number := func(n int64) string { return fmt.Sprint(n) }
	return strings.NewReplacer("{n}", number(f.Seq), "{o}", number(f.Other), "{f}", number(f.From), "{t}", number(f.To), "{s}", number(f.Size),
		"{a}", f.At.String(), "{l}", f.Limit.String(), "{d}", f.Text).Replace(text)
}

// Text is the report in plain words, in Indonesian ("id") or English: the verdict, the first bad record, and what else was found.
func (r Report) Text(lang string) string {
	say := func(id, en string, args ...any) string {
		if lang == "id" {
			return fmt.Sprintf(id+"\n", args...)
		}
		return fmt.Sprintf(en+"\n", args...)
	}
	var b strings.Builder
	switch {
	case r.OK && r.Count == 0:
		b.WriteString(say("BAIK: jejak %s, tanpa catatan.", "GOOD: log %s, without records.", r.Origin))
	case r.OK:
		b.WriteString(say("BAIK: jejak %s, catatan %d sampai %d; tidak ada yang diubah.", "GOOD: log %s, records %d to %d; nothing was changed.", r.Origin, r.From, r.To))
	case r.First != nil:
		b.WriteString(say("RUSAK: jejak %s. %s", "BAD: log %s. %s", r.Origin, r.First.Say(lang)))
	}
	switch {
	case r.MadeBy != "":
		b.WriteString(say("  Ekspor dibuat %s oleh %s menurut kepalanya.", "  The export was made at %s by %s, says its header.", r.MadeAt, r.MadeBy))
	case !r.MadeAt.IsZero():
		b.WriteString(say("  Ekspor dibuat %s menurut kepalanya.", "  The export was made at %s, says its header.", r.MadeAt))
	}
	b.WriteString(say("  %d catatan dibaca, %d titik periksa dibandingkan, terbukti sampai catatan %d.", "  %d records read, %d checkpoints held against them, proven up to record %d.", r.Count, r.Checkpoints, r.Proven))
	b.WriteString(say("  %d catatan dengan kata-katanya, %d dengan kata-kata yang sudah dihapus atau tidak disertakan.", "  %d records with their words, %d whose words were erased or left out.", r.Words, r.Erased))
	if !r.Signed {
		b.WriteString(say("  Tanda tangan TIDAK diperiksa: tidak ada kunci (--key).", "  Signatures were NOT checked: no key was given (--key)."))
	}
	if r.OK && r.Proven < r.To {
		b.WriteString(say("  Catatan %d sampai %d belum tercakup titik periksa.", "  Records %d to %d are in no checkpoint yet.", r.Proven+1, r.To))
	}
	if r.Later > 0 {
		b.WriteString(say("  Setelah ekspor dibuat, saksi melihat %d catatan lagi.", "  After the export was made a witness saw %d records more.", r.Later))
	}
	if r.Faults > 1 {
		b.WriteString(say("  Semua yang ditemukan (%d):", "  All that was found (%d):", r.Faults))
		for _, f := range r.Findings {
			b.WriteString("  - " + f.Say(lang) + "\n")
		}
		if more := r.Faults - len(r.Findings); more > 0 {
			b.WriteString(say("  … dan %d lagi.", "  … and %d more.", more))
		}
	}
	return b.String()
}
