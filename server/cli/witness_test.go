package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify/verifytest"
	"kentongan/server/witness"
)

// A log is nothing but files at paths: the command watches one, serves what it cosigned, ends by SIGTERM, and what it keeps is what
// audit verify takes.
func TestWitness(t *testing.T) {
	dir, l := kept(t)
	log := filepath.Join(dir, "www", "api", "v1", "audit")
	var edge tree.Edge
	if err := witness.NewMirror(log).Write(edge.Append(l.Leaves)); err != nil {
		t.Fatal(err)
	}
	signed, err := tree.Sign(tree.Checkpoint{Origin: verifytest.Name, Size: edge.Size(), Root: edge.Root()}, l.Signer)
	if err != nil {
		t.Fatal(err)
	}
	put(t, log, "checkpoint", signed)
	put(t, log, "key", []byte(l.Log))
	house := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "www"))))
	defer house.Close()

	data := filepath.Join(dir, "data")
	said, errOut := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		ended <- Main([]string{"witness", "--log", house.URL, "--key", l.Log, "--data", data, "--name", "saksi.example", "--listen", "127.0.0.1:0"}, nil, io.Discard, errOut)
		_ = errOut.Close()
	}()
	addr := make(chan string, 1)
	go func() {
		for s := bufio.NewScanner(said); s.Scan(); {
			var line struct{ Message, Addr string }
			if json.Unmarshal(s.Bytes(), &line) == nil && line.Message == "listening" {
				addr <- line.Addr
			}
		}
	}()
	ctx, cancel := context.WithTimeoutCause(t.Context(), time.Minute, errors.New("it did not come to that in time"))
	defer cancel()
	var base string
	select {
	case base = <-addr:
	case <-ctx.Done():
		t.Fatal(context.Cause(ctx))
	}
	get := func(path string) string {
		res, err := http.Get("http://" + base + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = res.Body.Close() }()
		b, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	for !strings.Contains(get("/healthz"), `"mirrored":1500`) {
		select {
		case <-ctx.Done():
			t.Fatal(context.Cause(ctx), get("/healthz"))
		case <-time.After(20 * time.Millisecond):
		}
	}
	put(t, dir, "keys", []byte(l.Log+"\n"+get("/key")))
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	select {
	case code := <-ended:
		if code != 0 {
			t.Errorf("it ended with %d", code)
		}
	case <-ctx.Done():
		t.Fatal(context.Cause(ctx))
	}

	folder := filepath.Join(data, "logs", "kentongan.example%2Faudit")
	code, out, _ := run("audit", "verify", filepath.Join(dir, "export"), "--checkpoints", filepath.Join(folder, "checkpoints"), "--key", filepath.Join(dir, "keys"), "--tiles", folder, "--lang", "en")
	if code != 0 || !strings.Contains(out, "GOOD") {
		t.Errorf("%d\n%s", code, out)
	}
}
