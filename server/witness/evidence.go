package witness

import (
	"bytes"
	"os"
	"path/filepath"
	"time"
)

// what a log was caught at.
type crime string

const (
	forked   crime = "forked"      // two histories under one key
	shrunk   crime = "shrunk"      // it has fewer records than it had
	resigned crime = "another-key" // it is signed by another key
)

// said tells a person what happened, Indonesian and English.
var said = map[crime][2]string{
	forked: {"JEJAK BERCABANG: kunci yang sama menandatangani dua riwayat yang berbeda. Sejarah sudah ditulis ulang.",
		"THE LOG IS FORKED: one key has signed two histories that differ. History was rewritten."},
	shrunk: {"JEJAK MENYUSUT: catatan yang sudah dilihat saksi tidak ada lagi.",
		"THE LOG HAS SHRUNK: records that the witness has seen are no longer there."},
	resigned: {"KUNCI LAIN: jejak ini ditandatangani oleh kunci lain dari yang dipercaya.",
		"ANOTHER KEY: the log is signed by another key than the one that is trusted."},
}

// Say is what a person is told, in Indonesian ("id") or English.
func (c crime) Say(lang string) string {
	if lang == "id" {
		return said[c][0]
	}
	return said[c][1]
}

// convict keeps both checkpoints for whoever has to judge, once, and says so each time.
func (w *Witness) convict(l *watched, what crime, shown []byte, why string) error {
	dir, err := l.evidence(what, shown, w.now())
	w.log.Error().Str("origin", l.origin).Str("crime", string(what)).Str("kept", string(l.signed)).Str("shown", string(shown)).Str("why", why).
		Str("evidence", dir).Msg(what.Say(w.cfg.Lang))
	return err
}

// evidence keeps what the log had shown, and shows now; the same case is kept once.
func (l *watched) evidence(what crime, shown []byte, now time.Time) (string, error) {
	list, err := l.cases()
	if err != nil {
		return "", err
	}
	for _, dir := range list {
		if was, err := os.ReadFile(filepath.Join(dir, "shown.txt")); err == nil && bytes.Equal(was, shown) {
			return dir, nil
		}
	}
	dir := filepath.Join(l.dir, evidenceDir, now.UTC().Format("20060102T150405.000Z")+"-"+string(what))
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	kept := l.signed
	if kept == nil {
		kept = []byte("nothing was cosigned before\n")
	}
	for name, text := range map[string][]byte{"kept.txt": kept, "shown.txt": shown, "what.txt": []byte(said[what][0] + "\n" + said[what][1] + "\n")} {
		if err := replace(filepath.Join(dir, name), text, 0o644); err != nil {
			return dir, err
		}
	}
	return dir, nil
}

// cases are the folders of evidence that nobody has removed yet.
func (l *watched) cases() ([]string, error) {
	list, err := os.ReadDir(filepath.Join(l.dir, evidenceDir))
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range list {
		out = append(out, filepath.Join(l.dir, evidenceDir, e.Name()))
	}
	return out, nil
}
