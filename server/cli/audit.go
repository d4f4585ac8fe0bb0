package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/server/witness"
)

// auditCmd is kentongan audit.
type auditCmd struct {
	Verify auditVerify `cmd:"" help:"Hold an export of the audit log against checkpoints, without a network; the first bad record is named. Exit 0 good, 1 bad, 2 the files cannot be read."`
}

// auditVerify is kentongan audit verify.
type auditVerify struct {
	Export      string   `arg:"" help:"The export (lines of JSON), or - for standard input." placeholder:"EXPORT"`
	Checkpoints []string `help:"Signed checkpoints that others kept, one behind the other: a witness's file, or what you saved yourself." placeholder:"FILE" type:"existingfile"`
	Key         []string `help:"Public keys, or files of them: the log's, and witnesses'. Without the log's no signature is checked." placeholder:"VKEY|FILE"`
	Tiles       string   `help:"Folder with a witness's tiles (tile/0/…): it names the record where checkpoints tell only a range." placeholder:"DIR" type:"existingdir"`
	JSON        bool     `name:"json" help:"As JSON: one object."`
	Lang        string   `help:"Language of what is printed: id, en; else that of LANG, else id." enum:"id,en,auto" default:"auto"`
}

// misused is an error of whoever typed the command: it ends with exitFaults.
type misused struct{ error }

func (m misused) Unwrap() error { return m.error }

// errBadLog means that the log is not what it was; what was found, has been printed.
var errBadLog = errors.New("the log does not hold")

func (c *auditVerify) Run(w *world) error {
	o, err := c.options()
	if err != nil {
		return misused{err}
	}
	in := w.in
	if c.Export != "-" {
		f, err := os.Open(c.Export)
		if err != nil {
			return misused{err}
		}
		defer func() { _ = f.Close() }() // it was read only
		in = f
	}
	began := time.Now()
	r, err := verify.Export(in, o)
	if err != nil {
		return misused{fmt.Errorf("%s: %w", c.Export, err)}
	}
	took := time.Since(began)
	if err := c.print(w.out, r, took, language(c.Lang, w.env)); err != nil {
		return err
	}
	if !r.OK {
		return errBadLog
	}
	return nil
}

func (c *auditVerify) options() (verify.Options, error) {
	var o verify.Options
	var err error
	if o.Keys, _, err = keysOf(c.Key); err != nil {
		return o, err
	}
	for _, path := range c.Checkpoints {
		f, err := os.Open(path)
		if err != nil {
			return o, err
		}
		known, err := verify.ReadKnown(f, o.Keys)
		_ = f.Close() // it was read only
		if err != nil {
			return o, fmt.Errorf("%s: %w", path, err)
		}
		o.Known = append(o.Known, known...)
	}
	if c.Tiles != "" {
		if _, err := os.Stat(filepath.Join(c.Tiles, "tile", "0")); err != nil {
			return o, fmt.Errorf("--tiles: no tiles in there: %w", err)
		}
		o.Leaves = witness.NewMirror(c.Tiles).Leaves
	}
	return o, nil
}

// keysOf reads public keys: each is one itself, or a file with one a line. It gives the log's besides as it was written.
func keysOf(given []string) (keys verify.Keys, log string, err error) {
	add := func(vkey, where string) error {
		v, err := tree.NewVerifier(vkey)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", where, err)
		case tree.Cosigns(v):
			keys.Witnesses = append(keys.Witnesses, v)
		case keys.Log != nil && !sameKey(keys.Log, v):
			return fmt.Errorf("%s: a second key of a log, %s beside %s", where, v.Name(), keys.Log.Name())
		default:
			keys.Log, log = v, vkey
		}
		return nil
	}
	for _, one := range given {
		text, err := os.ReadFile(one)
		if err != nil {
			if err := add(one, "--key"); err != nil {
				return keys, "", err
			}
			continue
		}
		for i, l := range strings.Split(string(text), "\n") {
			if l = strings.TrimSpace(l); l == "" || strings.HasPrefix(l, "#") {
				continue
			}
			if err := add(l, fmt.Sprintf("%s line %d", one, i+1)); err != nil {
				return keys, "", err
			}
		}
	}
	return keys, log, nil
}

func sameKey(a, b note.Verifier) bool { return a.Name() == b.Name() && a.KeyHash() == b.KeyHash() }

func (c *auditVerify) print(out io.Writer, r verify.Report, took time.Duration, lang string) error {
	perSecond := float64(r.Count) / max(took.Seconds(), 1e-6)
	if c.JSON {
		e := json.NewEncoder(out)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			verify.Report
			Said  string  `json:"said,omitempty"` // of the first bad record
			Took  float64 `json:"seconds"`
			Speed float64 `json:"records_per_second"`
		}{r, saidOf(r, lang), took.Seconds(), perSecond})
	}
	pace := "%s  %d records a second.\n"
	if lang == "id" {
		pace = "%s  %d catatan per detik.\n"
	}
	_, err := fmt.Fprintf(out, pace, r.Text(lang), int64(perSecond))
	return err
}

func saidOf(r verify.Report, lang string) string {
	if r.First == nil {
		return ""
	}
	return r.First.Say(lang)
}

// language is what is asked for, else that of the environment, else Indonesian.
func language(asked string, env []string) string {
	if asked != "auto" {
		return asked
	}
	for _, name := range []string{"LC_ALL=", "LC_MESSAGES=", "LANG="} {
		for _, e := range env {
			if v, ok := strings.CutPrefix(e, name); ok && v != "" {
				if strings.HasPrefix(v, "en") {
					return "en"
				}
				return "id"
			}
		}
	}
	return "id"
}
