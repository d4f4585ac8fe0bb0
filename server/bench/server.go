package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/gorilla/websocket"
)

const token = "bench-token-bench-token-bench-token-0000"

const configuration = `profile: solok
feeds:
  - {name: bench, format: native, transport: push, kind: river_gauge}
  - {name: gauge, format: native, transport: push, kind: river_gauge}
  - {name: devices, format: native, transport: mqtt, kind: river_gauge}
rules:
  - id: muka-air
    when: obs.property == "water_level" && obs.value >= 3.0
    clear: obs.value < 2.5
    samples: 1
    alert: {event: "Muka air tinggi", category: Met, severity: Severe, urgency: Immediate, certainty: Observed}
    incident: {type: flood, merge_radius_m: 10, merge_window: 1s}
`

// server is one running kentongan, in a process group of its own.
type server struct {
	cmd   *exec.Cmd
	base  string
	mqtt  string // where devices publish
	dir   string
	ready time.Duration // from exec to /readyz 200
}

// start runs the binary over a data folder and waits until it is ready.
func start(bin, dir string, env ...string) (*server, error) {
	return startOn(bin, dir, configuration, env...)
}

// startOn is start with a configuration of its own.
func startOn(bin, dir, settings string, env ...string) (*server, error) {
	conf := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(conf, []byte(settings), 0o600); err != nil {
		return nil, err
	}
	bin, err := filepath.Abs(bin)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, "serve", "--config", conf)
	cmd.Env = append(os.Environ(), "KENTONGAN_LISTEN=127.0.0.1:0", "KENTONGAN_MQTT_LISTEN=127.0.0.1:0", "KENTONGAN_DATA_DIR="+filepath.Join(dir, "data"), "KENTONGAN_ADMIN_TOKEN="+token, "KENTONGAN_LOG_FORMAT=json")
	cmd.Env = append(cmd.Env, env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StderrPipe()
	if err != nil {
		return nil, err
	}
	cmd.Stdout = cmd.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &server{cmd: cmd, dir: dir}
	addr, broker := make(chan string, 1), make(chan string, 1)
	go s.read(out, addr, broker)
	select {
	case a := <-addr:
		s.base = "http://" + a
	case <-time.After(30 * time.Second):
		s.kill()
		return nil, errors.New("no listening line within 30 s")
	}
	for time.Since(began) < 60*time.Second {
		if resp, err := http.Get(s.base + "/readyz"); err == nil {
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				s.ready = time.Since(began)
				if strings.Contains(settings, "transport: mqtt") { // else no broker listens
					s.mqtt = <-broker
				}
				return s, nil
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.kill()
	return nil, errors.New("not ready within 60 s")
}

// sayMost is how often one server is heard saying the same: who loses a store says so again and again.
const sayMost = 3

func (s *server) read(out io.Reader, addr, broker chan<- string) {
	said := map[string]int{}
	for sc := bufio.NewScanner(out); sc.Scan(); {
		var line struct{ Message, Addr, Level string }
		if json.Unmarshal(sc.Bytes(), &line) == nil && line.Message == "listening" {
			addr <- line.Addr
		} else if line.Message == "MQTT broker listening" {
			broker <- line.Addr
		} else if said[line.Message]++; (line.Level == "error" || line.Level == "warn") && said[line.Message] <= sayMost {
			fmt.Fprintln(os.Stderr, "  server:", sc.Text())
		}
	}
}

// stop drains the server and waits for its end.
func (s *server) stop() error {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	return s.cmd.Wait()
}

// kill ends the whole process group at once, as a power switch would.
func (s *server) kill() {
	_ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
}

// client keeps enough connections open for an open-loop load.
var client = &http.Client{Transport: &http.Transport{MaxIdleConns: 256, MaxIdleConnsPerHost: 256}, Timeout: 30 * time.Second}

func (s *server) request(method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequest(method, s.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Content-Type", "application/x-ndjson")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// push sends a body and wants every line of it acknowledged, none rejected.
func (s *server) push(feed string, body []byte, want int) error {
	code, b, err := s.request("POST", "/api/v1/ingest/"+feed, body)
	if err != nil {
		return err
	}
	var r struct {
		Accepted, Duplicates int
		Ignored              []any // such as a Cancel that a second feed repeats
	}
	if code != http.StatusAccepted || json.Unmarshal(b, &r) != nil || r.Accepted+r.Duplicates+len(r.Ignored) != want {
		return fmt.Errorf("ingest answered %d: %.200s", code, b)
	}
	return nil
}

// view opens a live socket over a bound and calls back with every message after hello.
func (s *server) view(bbox string, each func(kind string, raw []byte)) (io.Closer, error) {
	u, _ := url.Parse(s.base)
	d := websocket.Dialer{Subprotocols: []string{"kentongan.v1"}}
	c, _, err := d.Dial("ws://"+u.Host+"/api/v1/live?format=json", http.Header{"Authorization": {"Bearer " + token}, "Origin": {s.base}})
	if err != nil {
		return nil, err
	}
	if err := c.WriteMessage(websocket.TextMessage, []byte(`{"op":"view","bbox":[`+bbox+`],"zoom":11,"layers":["*"]}`)); err != nil {
		return nil, err
	}
	snapshot := make(chan struct{})
	go func() {
		for {
			_, raw, err := c.ReadMessage()
			if err != nil {
				return
			}
			kind := typeOf(raw)
			if kind == "snapshot" {
				close(snapshot)
				snapshot = make(chan struct{})
			}
			each(kind, raw)
		}
	}()
	select {
	case <-snapshot:
		return c, nil
	case <-time.After(10 * time.Second):
		return nil, errors.New("no snapshot within 10 s")
	}
}

// typeOf reads the first field of a message, which is its type.
func typeOf(raw []byte) string {
	const head = `{"type":"`
	if !bytes.HasPrefix(raw, []byte(head)) {
		return ""
	}
	rest := raw[len(head):]
	return string(rest[:max(0, bytes.IndexByte(rest, '"'))])
}

func scratch() (string, func(), error) {
	dir, err := os.MkdirTemp("", "kentongan-bench-")
	return dir, func() { _ = os.RemoveAll(dir) }, err
}

// fresh starts the binary over an empty folder; done ends it and removes the folder.
func fresh(bin string) (s *server, done func(), err error) {
	dir, remove, err := scratch()
	if err != nil {
		return nil, nil, err
	}
	if s, err = start(bin, dir); err != nil {
		remove()
		return nil, nil, err
	}
	return s, func() { s.kill(); remove() }, nil
}

func lines(n int, line func(i int) string) []byte {
	var b strings.Builder
	for i := range n {
		b.WriteString(line(i))
		b.WriteByte('\n')
	}
	return []byte(b.String())
}
