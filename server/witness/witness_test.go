package witness

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	mrand "math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
)

const origin = "kota.example/audit"

// house is a log behind HTTP, whose owner can do what they like with it.
type house struct {
	mu     sync.Mutex // between its owner and requests that somebody gave up
	t      *testing.T
	signer note.Signer
	vkey   string
	leaves []tlog.Hash
	edge   tree.Edge
	tiles  map[string][]byte // by path of the full tile: the widest
	signed []byte
	down   bool
}

func newHouse(t *testing.T) (*house, string) {
	t.Helper()
	h := &house{t: t}
	h.newKey()
	h.write(nil)
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return h, s.URL
}

func (h *house) newKey() {
	skey, vkey, err := tree.NewKey(origin, rand.Reader)
	if err != nil {
		h.t.Fatal(err)
	}
	h.vkey = vkey
	if h.signer, err = note.NewSigner(skey); err != nil {
		h.t.Fatal(err)
	}
}

// write makes the log one of these leaves, from nothing, and signs it.
func (h *house) write(leaves []tlog.Hash) {
	h.leaves, h.edge, h.tiles = nil, tree.Edge{}, map[string][]byte{}
	h.add(leaves)
}

func (h *house) add(leaves []tlog.Hash) {
	h.leaves = append(h.leaves, leaves...)
	for _, t := range h.edge.Append(leaves) {
		t.Width = tree.Width
		h.tiles[t.Path()] = t.Data
	}
	h.sign()
}

func (h *house) checkpoint() tree.Checkpoint {
	return tree.Checkpoint{Origin: origin, Size: h.edge.Size(), Root: h.edge.Root()}
}

func (h *house) sign() {
	var err error
	if h.signed, err = tree.Sign(h.checkpoint(), h.signer); err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/audit/")
	switch {
	case h.down:
		w.WriteHeader(http.StatusBadGateway)
	case path == "checkpoint":
		_, _ = w.Write(h.signed)
	case path == "key":
		_, _ = io.WriteString(w, h.vkey+"\n")
	default:
		t, err := tree.ParseTile(path)
		width := t.Width * tlog.HashSize
		t.Width = tree.Width
		if data := h.tiles[t.Path()]; err == nil && len(data) >= width {
			_, _ = w.Write(data[:width])
			return
		}
		w.WriteHeader(http.StatusNotFound)
	}
}

func leaves(n int) []tlog.Hash {
	out := make([]tlog.Hash, n)
	for i := range out {
		for j := 0; j < len(out[i]); j += 8 {
			v := mrand.Uint64()
			for k := range 8 {
				out[i][j+k] = byte(v >> (8 * k))
			}
		}
	}
	return out
}

type clock struct{ at time.Time }

func (c *clock) now() time.Time { c.at = c.at.Add(time.Second); return c.at }

func newWitness(t *testing.T, cfg Config, log io.Writer) *Witness {
	t.Helper()
	if cfg.Dir == "" {
		cfg.Dir = t.TempDir()
	}
	cfg.Name, cfg.Every, cfg.Lang = "saksi.example", time.Second, "en"
	c := clock{time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
	w, err := New(cfg, zerolog.New(log), c.now)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func ask(t *testing.T, w *Witness) {
	t.Helper()
	if err := w.Ask(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, w *Witness, path string) (int, string) {
	t.Helper()
	out := httptest.NewRecorder()
	w.Handler().ServeHTTP(out, httptest.NewRequest(http.MethodGet, path, nil))
	return out.Code, out.Body.String()
}

func TestAGrowingLogIsCosignedAndMirrored(t *testing.T) {
	h, url := newHouse(t)
	var said bytes.Buffer
	dir := t.TempDir()
	w := newWitness(t, Config{URL: url, Dir: dir}, &said)
	if code, _ := get(t, w, "/checkpoint"); code != http.StatusNotFound {
		t.Errorf("before anything was seen: %d", code)
	}
	ask(t, w)
	if !strings.Contains(said.String(), "trusted at first use") {
		t.Errorf("nothing was said of the key: %s", said.String())
	}
	witnessKey, err := tree.NewVerifier(w.Key())
	if err != nil {
		t.Fatal(err)
	}
	log, err := tree.NewVerifier(h.vkey)
	if err != nil {
		t.Fatal(err)
	}
	for step := range 12 {
		h.add(leaves(mrand.IntN(900)))
		if step == 6 { // it is started anew
			w = newWitness(t, Config{URL: url, Dir: dir}, &said)
		}
		ask(t, w)
		ask(t, w) // nothing new: cosigned once more
		code, text := get(t, w, "/checkpoint")
		c, n, err := tree.Open([]byte(text), log, witnessKey)
		if code != http.StatusOK || err != nil || len(n.Sigs) != 2 || c != h.checkpoint() {
			t.Fatalf("step %d: %d %v %+v", step, code, err, c)
		}
	}
	if code, text := get(t, w, "/healthz"); code != http.StatusOK || !strings.Contains(text, fmt.Sprintf(`"size":%d,"mirrored":%d`, len(h.leaves), len(h.leaves))) {
		t.Errorf("%d %s", code, text)
	}
	at, err := os.Stat(filepath.Join(dir, keyFile))
	if err != nil || at.Mode().Perm() != 0o600 {
		t.Errorf("the secret key: %v %v", at.Mode(), err)
	}

	// What it keeps is what audit verify takes.
	folder, err := logDir(dir, origin)
	if err != nil {
		t.Fatal(err)
	}
	m := NewMirror(folder)
	var kept []tlog.Hash
	for i := int64(0); ; i++ {
		some, err := m.Leaves(i)
		if err != nil {
			t.Fatal(err)
		}
		if kept = append(kept, some...); len(some) < tree.Width {
			break
		}
	}
	if len(kept) != len(h.leaves) || fmt.Sprint(kept) != fmt.Sprint(h.leaves) {
		t.Errorf("%d leaves mirrored of %d", len(kept), len(h.leaves))
	}
	f, err := os.Open(filepath.Join(folder, historyFile))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	known, err := verify.ReadKnown(f, verify.Keys{Log: log, Witnesses: []note.Verifier{witnessKey}})
	if err != nil || len(known) < 12 {
		t.Fatalf("%d checkpoints: %v", len(known), err)
	}
	for _, k := range known {
		if k.Fault != "" || k.SeenAt.IsZero() {
			t.Errorf("%+v", k)
		}
	}
}

// History rewritten from a random record on, everything made anew and signed with the true key.
func TestTheWitnessCatchesWhatIsRewritten(t *testing.T) {
	for name, bend := range map[string]func(h *house){
		"re-signed, as long": func(h *house) {
			at := mrand.IntN(len(h.leaves))
			h.write(append(h.leaves[:at:at], leaves(len(h.leaves)-at)...))
		},
		"re-signed, longer": func(h *house) {
			at := mrand.IntN(len(h.leaves))
			h.write(append(h.leaves[:at:at], leaves(len(h.leaves)-at+1+mrand.IntN(500))...))
		},
		"re-signed, shorter": func(h *house) {
			at := mrand.IntN(len(h.leaves) - 1)
			h.write(append(h.leaves[:at:at], leaves(1+mrand.IntN(len(h.leaves)-at-1))...))
		},
		"one record changed": func(h *house) {
			list := append([]tlog.Hash(nil), h.leaves...)
			list[mrand.IntN(len(list))] = leaves(1)[0]
			h.write(append(list, leaves(mrand.IntN(3))...))
		},
		"truncated":        func(h *house) { h.write(h.leaves[:mrand.IntN(len(h.leaves))]) },
		"under a new key":  func(h *house) { h.newKey(); h.add(leaves(5)) },
		"emptied, new key": func(h *house) { h.newKey(); h.write(nil) },
	} {
		t.Run(name, func(t *testing.T) {
			times := 50
			if testing.Short() || !strings.HasPrefix(name, "re-signed") {
				times = 10
			}
			for i := range times {
				h, url := newHouse(t)
				var said bytes.Buffer
				w := newWitness(t, Config{URL: url, Key: h.vkey}, &said)
				h.add(leaves(2 + mrand.IntN(600)))
				ask(t, w)
				h.add(leaves(mrand.IntN(300)))
				ask(t, w)
				was := h.checkpoint()
				bend(h)
				for range patience {
					_ = w.Ask(context.Background()) // another key is an error besides
				}
				if code, text := get(t, w, "/healthz"); code != http.StatusServiceUnavailable {
					t.Fatalf("drill %d: not caught: %s\n%s", i, text, said.String())
				}
				if _, text := get(t, w, "/checkpoint"); !strings.HasPrefix(text, was.Text()) {
					t.Fatalf("drill %d: it cosigned\n%s", i, text)
				}
				list, err := w.watched.cases()
				if err != nil || len(list) != 1 {
					t.Fatalf("drill %d: evidence %v %v", i, list, err)
				}
				kept, _ := os.ReadFile(filepath.Join(list[0], "kept.txt"))
				shown, _ := os.ReadFile(filepath.Join(list[0], "shown.txt"))
				if !strings.HasPrefix(string(kept), was.Text()) || !bytes.Equal(shown, h.signed) || !strings.Contains(said.String(), `"crime":`) {
					t.Fatalf("drill %d: kept %q, shown %q", i, kept, shown)
				}
			}
		})
	}
}

func TestOnlyAPersonEndsAnAlarm(t *testing.T) {
	h, url := newHouse(t)
	w := newWitness(t, Config{URL: url}, io.Discard)
	h.add(leaves(100))
	ask(t, w)
	honest := h.leaves
	h.write(leaves(100))
	ask(t, w)
	h.write(append(honest[:100:100], leaves(10)...)) // and it behaves again
	if err := w.Ask(context.Background()); err == nil {
		t.Error("it cosigned as if nothing had been")
	}
	list, err := w.watched.cases()
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if err := os.RemoveAll(list[0]); err != nil {
		t.Fatal(err)
	}
	ask(t, w)
	if code, text := get(t, w, "/healthz"); code != http.StatusOK || !strings.Contains(text, `"size":110`) {
		t.Errorf("%d %s", code, text)
	}
}

func TestFailuresAreNoCrimes(t *testing.T) {
	h, url := newHouse(t)
	w := newWitness(t, Config{URL: url}, io.Discard)
	h.add(leaves(300))
	ask(t, w)
	old := h.signed
	h.add(leaves(300))
	whole := h.tiles
	for name, bend := range map[string]func(){
		"down":             func() { h.down = true },
		"not text of ours": func() { h.signed = []byte("<html>welcome to the hotel</html>\n") },
		"without tiles":    func() { h.tiles = nil },
		"other tiles": func() {
			h.tiles = map[string][]byte{"tile/0/000": make([]byte, 8192), "tile/0/001": make([]byte, 8192), "tile/0/002": make([]byte, 8192), "tile/1/000": make([]byte, 8192)}
		},
	} {
		h.mu.Lock()
		bend()
		h.mu.Unlock()
		if err := w.Ask(context.Background()); err == nil {
			t.Errorf("%s: no error", name)
		}
		h.mu.Lock()
		h.down, h.tiles = false, whole
		h.sign()
		h.mu.Unlock()
	}
	ask(t, w)
	h.signed = old // a copy of a minute ago, once
	ask(t, w)
	h.sign()
	ask(t, w)
	if code, text := get(t, w, "/healthz"); code != http.StatusOK || !strings.Contains(text, `"mirrored":600`) {
		t.Errorf("%d %s", code, text)
	}
}

func TestRunGoesOnThroughFailures(t *testing.T) {
	h, url := newHouse(t)
	h.add(leaves(10))
	var fails int
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if fails++; fails < 3 {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		h.ServeHTTP(w, r)
	}))
	defer s.Close()
	_ = url
	w := newWitness(t, Config{URL: s.URL, Key: h.vkey}, io.Discard)
	w.cfg.Every = 5 * time.Millisecond
	ctx, cancel := context.WithTimeoutCause(context.Background(), 30*time.Second, fmt.Errorf("not heard in time"))
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- w.Run(ctx) }()
	for {
		w.mu.Lock()
		done := w.watched.done.N == 10
		w.mu.Unlock()
		if done {
			break
		}
		select {
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx))
		case <-time.After(time.Millisecond):
		}
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// request is a body of C2SP add-checkpoint.
func request(old int64, proof []tlog.Hash, signed []byte) string {
	var b strings.Builder
	fmt.Fprintf(&b, "old %d\n", old)
	for _, h := range proof {
		b.WriteString(base64.StdEncoding.EncodeToString(h[:]) + "\n")
	}
	return b.String() + "\n" + string(signed)
}

func TestAddCheckpointAnswersAsC2SPSays(t *testing.T) {
	h, url := newHouse(t)
	w := newWitness(t, Config{URL: url, Key: h.vkey}, io.Discard)
	post := func(body string) *httptest.ResponseRecorder {
		out := httptest.NewRecorder()
		w.Handler().ServeHTTP(out, httptest.NewRequest(http.MethodPost, "/add-checkpoint", strings.NewReader(body)))
		return out
	}
	h.add(leaves(100))
	first := h.signed
	out := post(request(0, nil, first))
	witnessKey, _ := tree.NewVerifier(w.Key())
	log, _ := tree.NewVerifier(h.vkey)
	whole, err := tree.Join(first, out.Body.Bytes(), witnessKey)
	if out.Code != http.StatusOK || err != nil {
		t.Fatalf("%d %s %v", out.Code, out.Body, err)
	}
	if _, n, err := tree.Open(whole, log, witnessKey); err != nil || len(n.Sigs) != 2 || strings.Count(out.Body.String(), "\n") != 1 {
		t.Errorf("%v\n%s", err, whole)
	}
	h.add(leaves(50))
	remote := newRemote(url)
	proof, err := tree.Consistent(context.Background(), 100, h.checkpoint().Tree(), remote)
	if err != nil {
		t.Fatal(err)
	}
	second := h.signed
	stranger, _ := newHouse(t)
	stranger.add(leaves(150))
	other := bytes.ReplaceAll(second, []byte(origin), []byte("desa.example/audit"))
	for name, c := range map[string]struct {
		body string
		want int
	}{
		"no body":                {"", 400},
		"no old line":            {"new 100\n\n" + string(second), 400},
		"old with a zero":        {strings.Replace(request(100, proof, second), "old 100", "old 0100", 1), 400},
		"a proof of 64 lines":    {request(100, make([]tlog.Hash, 64), second), 400},
		"a line that is none":    {"old 100\nxyz\n\n" + string(second), 400},
		"old beyond the size":    {request(151, nil, second), 400},
		"another origin":         {request(100, proof, other), 404},
		"another key":            {request(100, proof, stranger.signed), 403},
		"another old":            {request(99, proof, second), 409},
		"no proof":               {request(100, nil, second), 422},
		"a proof of other trees": {request(100, append([]tlog.Hash{leaves(1)[0]}, proof[1:]...), second), 422},
		"too much":               {request(100, proof, append(second, make([]byte, 100<<10)...)), 400},
	} {
		out := post(c.body)
		if out.Code != c.want {
			t.Errorf("%s: %d %s, want %d", name, out.Code, out.Body, c.want)
		}
		if c.want == 409 && (out.Body.String() != "100\n" || out.Header().Get("Content-Type") != "text/x.tlog.size") {
			t.Errorf("%s: %q %v", name, out.Body, out.Header())
		}
	}
	if out := post(request(100, proof, second)); out.Code != http.StatusOK {
		t.Errorf("after all that: %d %s", out.Code, out.Body)
	}
	if out := post(request(150, nil, second)); out.Code != http.StatusOK {
		t.Errorf("the same once more: %d %s", out.Code, out.Body)
	}
	if code, _ := get(t, w, "/add-checkpoint"); code != http.StatusMethodNotAllowed {
		t.Errorf("GET: %d", code)
	}
	ask(t, w) // what was handed in is mirrored by the next question
	if code, text := get(t, w, "/healthz"); code != 200 || !strings.Contains(text, `"mirrored":150`) {
		t.Errorf("%d %s", code, text)
	}
	h.write(leaves(150)) // the same size, another root
	if out := post(request(150, nil, h.signed)); out.Code != 409 {
		t.Errorf("forked: %d %s", out.Code, out.Body)
	}
	if code, _ := get(t, w, "/healthz"); code != http.StatusServiceUnavailable {
		t.Errorf("after a fork was handed in: %d", code)
	}
	if out := post(request(150, nil, second)); out.Code != http.StatusServiceUnavailable {
		t.Errorf("with evidence: %d %s", out.Code, out.Body)
	}
}

func TestKeysThatDoNotFit(t *testing.T) {
	h, url := newHouse(t)
	dir := t.TempDir()
	w := newWitness(t, Config{URL: url, Key: h.vkey, Dir: dir}, io.Discard)
	now := time.Now
	if _, err := New(Config{URL: url, Key: w.Key(), Dir: dir, Name: "x"}, zerolog.Nop(), now); err == nil {
		t.Error("a witness's key as that of a log")
	}
	h.newKey()
	if _, err := New(Config{URL: url, Key: h.vkey, Dir: dir}, zerolog.Nop(), now); err == nil {
		t.Error("another key than the one on file")
	}
	if err := os.Chmod(filepath.Join(dir, keyFile), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := New(Config{URL: url, Dir: dir}, zerolog.Nop(), now); err == nil {
		t.Error("a secret that the world can read")
	}
}

func FuzzRequest(f *testing.F) {
	f.Add([]byte(request(3, make([]tlog.Hash, 2), []byte("a\n4\nx\n"))))
	f.Fuzz(func(t *testing.T, b []byte) {
		if old, proof, signed, err := parseRequest(b); err == nil && request(old, proof, signed) != string(b) {
			t.Errorf("%q reads as %d, %v, %q", b, old, proof, signed)
		}
	})
}
