package witness

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
	"kentongan/geo/moment"
)

// mostProof is how many lines a consistency proof has at most, and mostBody how many bytes a request.
const (
	mostProof = 63
	mostBody  = tree.Limit + 8192
)

// Handler serves C2SP tlog-witness: POST /add-checkpoint; and besides what was cosigned last, the witness's public key, and its health.
func (w *Witness) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /add-checkpoint", w.add)
	mux.HandleFunc("GET /checkpoint", w.checkpoint)
	mux.HandleFunc("GET /key", func(out http.ResponseWriter, _ *http.Request) { say(out, http.StatusOK, w.Key()+"\n") })
	mux.HandleFunc("GET /healthz", w.health)
	return mux
}

func say(out http.ResponseWriter, status int, text string) {
	out.Header().Set("Content-Type", "text/plain; charset=utf-8")
	out.Header().Set("X-Content-Type-Options", "nosniff")
	out.WriteHeader(status)
	_, _ = io.WriteString(out, text) // whoever hung up asks again
}

// parseRequest reads the body of add-checkpoint: a line "old" with a size, lines of a proof, an empty line, and a signed checkpoint.
func parseRequest(body []byte) (old int64, proof []tlog.Hash, signed []byte, err error) {
	head, rest, ok := strings.Cut(string(body), "\n\n")
	lines := strings.Split(head, "\n")
	digits, named := strings.CutPrefix(lines[0], "old ")
	old, err = strconv.ParseInt(digits, 10, 64)
	if !ok || !named || err != nil || old < 0 || strconv.FormatInt(old, 10) != digits {
		return 0, nil, nil, errors.New("the body begins with a line old and a size, and has an empty line before the checkpoint")
	}
	if len(lines)-1 > mostProof {
		return 0, nil, nil, fmt.Errorf("a proof of %d lines; at most %d", len(lines)-1, mostProof)
	}
	for i, l := range lines[1:] {
		var h tlog.Hash
		b, err := base64.StdEncoding.Strict().DecodeString(l)
		if err != nil || len(b) != len(h) {
			return 0, nil, nil, fmt.Errorf("line %d of the proof is not the base64 of a hash", i+1)
		}
		copy(h[:], b)
		proof = append(proof, h)
	}
	return old, proof, []byte(rest), nil
}

func (w *Witness) add(out http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(out, req.Body, mostBody))
	if err != nil {
		say(out, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	old, proof, signed, err := parseRequest(body)
	if err != nil {
		say(out, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	c, _, err := tree.Peek(signed)
	if err != nil {
		say(out, http.StatusBadRequest, err.Error()+"\n")
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	l := w.watched
	if l == nil || l.origin != c.Origin {
		say(out, http.StatusNotFound, fmt.Sprintf("log %q is not witnessed here\n", c.Origin))
		return
	}
	if _, _, err := tree.Open(signed, l.key); err != nil {
		say(out, http.StatusForbidden, err.Error()+"\n")
		return
	}
	if old > c.Size {
		say(out, http.StatusBadRequest, fmt.Sprintf("old %d is more than the checkpoint's %d\n", old, c.Size))
		return
	}
	line, size, err := w.cosign(l, old, proof, c, signed)
	switch {
	case err == nil:
		say(out, http.StatusOK, string(line))
	case errors.Is(err, errMoved), errors.Is(err, errForked):
		out.Header().Set("Content-Type", "text/x.tlog.size")
		out.WriteHeader(http.StatusConflict)
		_, _ = fmt.Fprintf(out, "%d\n", size)
	case errors.Is(err, errUnproven):
		w.log.Warn().Err(err).Str("origin", l.origin).Str("kept", string(l.signed)).Str("shown", string(signed)).Msg("a checkpoint was handed in without a proof that holds")
		say(out, http.StatusUnprocessableEntity, err.Error()+"\n")
	case errors.Is(err, errCaught):
		say(out, http.StatusServiceUnavailable, err.Error()+"\n")
	default:
		w.log.Error().Err(err).Str("origin", l.origin).Msg("a checkpoint could not be cosigned")
		say(out, http.StatusInternalServerError, "the checkpoint could not be written down\n")
	}
}

func (w *Witness) checkpoint(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.watched == nil || w.watched.signed == nil {
		say(out, http.StatusNotFound, "nothing was cosigned yet\n")
		return
	}
	out.Header().Set("Cache-Control", "no-store")
	say(out, http.StatusOK, string(w.watched.signed))
}

// state is what /healthz says.
type state struct {
	OK       bool        `json:"ok"`
	Origin   string      `json:"origin,omitempty"`
	Size     int64       `json:"size"`     // of what was cosigned last
	Mirrored int64       `json:"mirrored"` // records of which the leaf hashes are kept
	HeardAt  moment.Time `json:"heard_at"` // the log, the last time; null: never
	Failing  string      `json:"failing,omitempty"`
	Evidence []string    `json:"evidence,omitempty"` // what nobody has looked at yet
}

// health is 200 while the witness lives, and 503 while there is evidence against the log that no person has removed.
func (w *Witness) health(out http.ResponseWriter, _ *http.Request) {
	w.mu.Lock()
	s := state{OK: true, HeardAt: moment.Of(w.heard)}
	if w.failing != nil {
		s.Failing = w.failing.Error()
	}
	if l := w.watched; l != nil {
		s.Origin, s.Size, s.Mirrored = l.origin, l.last.Size, l.done.N
		list, err := l.cases()
		if s.Evidence = list; err != nil {
			s.Failing = err.Error()
		}
		s.OK = err == nil && len(list) == 0
	}
	w.mu.Unlock()
	out.Header().Set("Content-Type", "application/json")
	if !s.OK {
		out.WriteHeader(http.StatusServiceUnavailable)
	}
	_ = json.NewEncoder(out).Encode(s) // whoever hung up asks again
}
