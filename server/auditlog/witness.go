package auditlog

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"kentongan/alerts/audit/tree"
	"kentongan/feeds/bounded"
)

// How witnesses are asked.
const (
	witnessTime = 2 * time.Second
	firstRest   = 5 * time.Second // before one that did not confirm is asked again; twice as long after each further time
	longestRest = 2 * time.Minute
	witnessLate = 2 * time.Minute // that one has not confirmed, until it counts as away
	mostAnswer  = 16 << 10        // bytes
)

// Config is who confirms the checkpoints of the log.
type Config struct {
	Witnesses []Witness `yaml:"witnesses" doc:"Programs of others, elsewhere, that confirm each checkpoint (kentongan witness --listen, or any by C2SP tlog-witness):\n[{url: https://saksi.example.org, key: saksi.example.org+hash+key}]"`
}

// Witness is one of them.
type Witness struct {
	URL string `yaml:"url" doc:"Where it takes add-checkpoint: https://saksi.example.org"`
	Key string `yaml:"key" doc:"Its public key, as it prints it at its start: name+hash+key."`
}

// nameOf is how a witness is called: by its key, as C2SP signed-note names its signers.
func nameOf(w Witness) string {
	name, _, _ := strings.Cut(w.Key, "+")
	return name
}

// Validate names every fault by its key.
func (c Config) Validate() []error {
	var errs []error
	for i, w := range c.Witnesses {
		u, err := url.Parse(w.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			errs = append(errs, fmt.Errorf("witnesses[%d].url: %q is not an address like https://saksi.example.org", i, w.URL))
		} else if u.User != nil {
			errs = append(errs, fmt.Errorf("witnesses[%d].url: no name and no password may stand in it: a witness asks for none", i))
		}
		if _, err := tree.NewVerifier(w.Key); err != nil {
			errs = append(errs, fmt.Errorf("witnesses[%d].key: %w", i, err))
		}
	}
	return errs
}

// errFork says that a witness has seen another history than ours.
var errFork = errors.New("it has seen another history of this log")

// errAhead says that a witness knows a newer checkpoint than the one it was asked to confirm.
var errAhead = errors.New("it has seen a newer checkpoint")

// errNoCosignature says that a witness answered what does not confirm the checkpoint.
var errNoCosignature = errors.New("it answers no cosignature of this checkpoint")

// asked is how asking one witness came out.
type asked struct {
	key  note.Verifier
	line []byte // its cosignature
	err  error
}

// cosign asks every witness that does not rest to confirm the checkpoint, and puts their lines behind it.
func (w *writer) cosign(ctx context.Context) error {
	answers := make(chan asked, len(w.l.d.Config.Witnesses))
	n := 0
	for _, of := range w.l.d.Config.Witnesses {
		if w.l.rests(of.URL) {
			continue
		}
		key, err := tree.NewVerifier(of.Key)
		if err != nil {
			return fmt.Errorf("witness %s: %w", of.URL, err)
		}
		n++
		go func() { answers <- w.confirmed(ctx, of, key) }()
	}
	var bad []string
	joined := w.text
	for range n {
		a := <-answers
		switch {
		case errors.Is(a.err, errFork):
			bad = append(bad, a.err.Error())
		case a.err != nil:
			w.l.d.Log.Warn().Err(a.err).Msg("a witness did not confirm the checkpoint of the audit log")
		default:
			text, err := tree.Join(joined, a.line, a.key)
			if err != nil {
				return err
			}
			joined = text
		}
	}
	// One that rests has said nothing new: what it has seen stands.
	if (len(bad) > 0 || n == len(w.l.d.Config.Witnesses)) && w.l.fault(placeWitness, strings.Join(bad, "; ")) && len(bad) > 0 {
		w.l.d.Log.Error().Strs("witnesses", bad).Msg("witnesses have seen another history of the audit log")
	}
	if bytes.Equal(joined, w.text) {
		return nil
	}
	return w.put(ctx, joined, w.edge.Size(), nil)
}

// confirmed asks one witness, checks what it answers and notes how that came out.
func (w *writer) confirmed(ctx context.Context, of Witness, key note.Verifier) asked {
	line, err := w.ask(ctx, of)
	if err == nil {
		if _, bad := tree.Join(w.text, line, key); bad != nil {
			err = fmt.Errorf("%w: %w", errNoCosignature, bad)
		}
	}
	if err != nil {
		err = fmt.Errorf("witness %s: %w", of.URL, err)
	}
	w.l.answered(of.URL, err)
	if errors.Is(err, errFork) {
		w.l.d.Log.Error().Err(err).Msg("a witness has seen another history of the audit log")
		err = fmt.Errorf("witness %s: %w", nameOf(of), errFork)
	}
	return asked{key, line, err}
}

// ask sends the checkpoint, with the proof that it continues what the witness has seen (C2SP tlog-witness, add-checkpoint); once more where
// the witness knows another length than we thought.
func (w *writer) ask(ctx context.Context, of Witness) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, witnessTime)
	defer cancel()
	at := tree.Checkpoint{Origin: w.l.key.Name(), Size: w.edge.Size(), Root: w.edge.Root()}.Tree()
	for range 2 {
		old := min(w.l.sizeOf(of.URL), at.N)
		proof, err := tree.Consistent(ctx, old, at, w.cases)
		if err != nil {
			return nil, err
		}
		body := bytes.NewBufferString("old " + strconv.FormatInt(old, 10) + "\n")
		for _, h := range proof {
			body.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
		}
		body.WriteString("\n")
		body.Write(w.text)
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimRight(of.URL, "/")+"/add-checkpoint", body)
		if err != nil {
			return nil, err
		}
		res, err := witnessClient.Do(req)
		if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
		_ = res.Body.Close()
		switch {
		case err != nil:
			return nil, err
		case res.StatusCode == http.StatusOK:
			w.l.seen(of.URL, at.N)
			return answer, nil
		case res.StatusCode == http.StatusUnprocessableEntity:
			return nil, fmt.Errorf("%w: %.200s", errFork, answer)
		case res.StatusCode != http.StatusConflict:
			return nil, &errStatus{res.StatusCode, fmt.Sprintf("%.200s", answer)}
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64)
		if err != nil || size == old {
			return nil, fmt.Errorf("%w: %.200s", errFork, answer)
		}
		if size > at.N {
			if now, err := w.cases.LogLength(ctx); err != nil || now >= size { // another server has sealed meanwhile
				return nil, fmt.Errorf("%w: %d records, this one has %d", errAhead, size, at.N)
			}
			return nil, fmt.Errorf("%w: it has seen %d records, ours are %d", errFork, size, at.N)
		}
		w.l.seen(of.URL, size)
	}
	return nil, fmt.Errorf("%w, and another one each time it is asked", errAhead)
}

var witnessClient = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func (l *Log) sizeOf(witness string) int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.sizes[witness]
}

func (l *Log) seen(witness string, size int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.sizes[witness] = size
}

// failing is a witness that confirms nothing; why is read by whoever asks whether the house is ready, so it tells no address and no answer.
type failing struct {
	since time.Time
	why   string
}

// errStatus is what a witness answers in place of a cosignature.
type errStatus struct {
	code int
	text string
}

func (e *errStatus) Error() string { return fmt.Sprintf("it answers %d: %s", e.code, e.text) }

// whyOf tells the kind of a fault alone; the log has the rest.
func whyOf(err error) string {
	var answer *errStatus
	switch {
	case errors.As(err, &answer):
		return fmt.Sprintf("it answers %d", answer.code)
	case errors.Is(err, errAhead):
		return errAhead.Error()
	case errors.Is(err, errNoCosignature):
		return errNoCosignature.Error()
	}
	if code := bounded.Explain(err).Code; code != "" {
		return "cannot be asked (" + code + ")"
	}
	return "cannot be asked"
}

// answered notes how asking a witness came out. One that did not confirm rests, the longer the more often it was asked for nothing.
func (l *Log) answered(witness string, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f, known := l.failing[witness]
	if err == nil {
		delete(l.resting, witness)
	} else {
		r := l.resting[witness]
		r.pause = min(max(2*r.pause, firstRest), longestRest)
		r.until = l.d.Now().Add(r.pause)
		l.resting[witness] = r
	}
	switch {
	case err == nil || errors.Is(err, errFork): // that is told by itself
		delete(l.failing, witness)
	case known:
		l.failing[witness] = failing{f.since, whyOf(err)}
	default:
		l.failing[witness] = failing{l.d.Now(), whyOf(err)}
	}
}

// away tells of the witnesses that have confirmed nothing for long; l.mu is held.
func (l *Log) away() (out []string) {
	for _, w := range l.d.Config.Witnesses {
		if f, ok := l.failing[w.URL]; ok && l.d.Now().Sub(f.since) >= witnessLate {
			out = append(out, fmt.Sprintf("witness %s: %s; it has confirmed no checkpoint since %s", nameOf(w), f.why, f.since.UTC().Format(time.RFC3339)))
		}
	}
	return out
}

// owed tells whether a witness that failed may be asked again.
func (l *Log) owed() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for w := range l.failing {
		if !l.d.Now().Before(l.resting[w].until) {
			return true
		}
	}
	return false
}

// rest is how long a witness is not asked.
type rest struct {
	until time.Time
	pause time.Duration
}

func (l *Log) rests(witness string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.d.Now().Before(l.resting[witness].until)
}
