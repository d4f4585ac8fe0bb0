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
)

// How witnesses are asked.
const (
	witnessTime  = 2 * time.Second
	witnessPause = 30 * time.Second // before one that did not answer is asked again
	mostAnswer   = 16 << 10         // bytes
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

// Validate names every fault by its key.
func (c Config) Validate() []error {
	var errs []error
	for i, w := range c.Witnesses {
		u, err := url.Parse(w.URL)
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
			errs = append(errs, fmt.Errorf("witnesses[%d].url: %q is not an address like https://saksi.example.org", i, w.URL))
		}
		if _, err := tree.NewVerifier(w.Key); err != nil {
			errs = append(errs, fmt.Errorf("witnesses[%d].key: %w", i, err))
		}
	}
	return errs
}

// errFork says that a witness has seen another history than ours.
var errFork = errors.New("it has seen another history of this log")

// cosign asks every witness to confirm the checkpoint, and puts their lines behind it.
func (w *writer) cosign(ctx context.Context) error {
	var keys []note.Verifier
	var bad []string
	lines := make(chan []byte, len(w.l.d.Config.Witnesses))
	fails := make(chan error, len(w.l.d.Config.Witnesses))
	asked := 0
	for _, of := range w.l.d.Config.Witnesses {
		if w.l.rests(of.URL) {
			continue
		}
		key, err := tree.NewVerifier(of.Key)
		if err != nil {
			return fmt.Errorf("witness %s: %w", of.URL, err)
		}
		keys = append(keys, key)
		asked++
		go func() {
			line, err := w.ask(ctx, of)
			lines <- line
			if err != nil {
				err = fmt.Errorf("witness %s: %w", of.URL, err)
			}
			fails <- err
		}()
	}
	var all []byte
	for range asked {
		all = append(all, <-lines...)
		if err := <-fails; errors.Is(err, errFork) {
			bad = append(bad, err.Error())
		} else if err != nil {
			w.l.d.Log.Warn().Err(err).Msg("a witness did not confirm the checkpoint of the audit log")
		}
	}
	// One that rests has said nothing new: what it has seen stands.
	if (len(bad) > 0 || asked == len(w.l.d.Config.Witnesses)) && w.l.fault(placeWitness, strings.Join(bad, "; ")) && len(bad) > 0 {
		w.l.d.Log.Error().Strs("witnesses", bad).Msg("a witness has seen another history of the audit log")
	}
	if len(all) == 0 {
		return nil
	}
	joined, err := tree.Join(w.text, all, keys...)
	if err != nil {
		w.l.d.Log.Warn().Err(err).Msg("a witness answered what is no cosignature of ours")
		return nil
	}
	return w.put(ctx, joined, w.edge.Size(), nil)
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
			w.l.rest(of.URL)
			return nil, err
		}
		answer, err := io.ReadAll(io.LimitReader(res.Body, mostAnswer))
		_ = res.Body.Close()
		switch {
		case err != nil:
			w.l.rest(of.URL)
			return nil, err
		case res.StatusCode == http.StatusOK:
			w.l.seen(of.URL, at.N)
			return answer, nil
		case res.StatusCode == http.StatusUnprocessableEntity:
			return nil, fmt.Errorf("%w: %.200s", errFork, answer)
		case res.StatusCode != http.StatusConflict:
			w.l.rest(of.URL)
			return nil, fmt.Errorf("it answers %s: %.200s", res.Status, answer)
		}
		size, err := strconv.ParseInt(strings.TrimSpace(string(answer)), 10, 64)
		if err != nil || size == old {
			return nil, fmt.Errorf("%w: %.200s", errFork, answer)
		}
		if size > at.N {
			if now, err := w.cases.LogLength(ctx); err != nil || now >= size { // another server has sealed meanwhile
				return nil, fmt.Errorf("it has seen %d records, this checkpoint has %d", size, at.N)
			}
			return nil, fmt.Errorf("%w: it has seen %d records, ours are %d", errFork, size, at.N)
		}
		w.l.seen(of.URL, size)
	}
	return nil, errors.New("it knows another length each time it is asked")
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

func (l *Log) rest(witness string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.silent[witness] = time.Now().Add(witnessPause)
}

func (l *Log) rests(witness string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Now().Before(l.silent[witness])
}
