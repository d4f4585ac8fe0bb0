package cli

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// helper is set where the test binary plays the program.
const helper = "KT_CLI_HELPER"

func TestMain(m *testing.M) {
	if os.Getenv(helper) != "" {
		os.Exit(Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

func run(args ...string) (int, string, string) {
	var out, err bytes.Buffer
	code := Main(args, nil, &out, &err)
	return code, out.String(), err.String()
}

func TestCommands(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.yaml")
	if err := os.WriteFile(bad, []byte("lisen: x\nfeeds:\n  - {name: a, format: nope}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args     []string
		code     int
		out, err string
	}{
		{[]string{"check", "--config", "../../deploy/demo.yaml"}, 0, "ok\n", ""},
		{[]string{"check", "--config", bad}, 2, "", "bad.yaml:1:1: lisen: unknown key; did you mean listen?\n"},
		{[]string{"check", "--config", bad}, 2, "", `bad.yaml:3:23: feeds[0].format: "nope" is none of adsb,`},
		{[]string{"check", "--config", "nowhere.yaml"}, 2, "", "cannot be read"},
		{[]string{"serve", "--config", bad}, 2, "", "unknown key"},
		{[]string{"version"}, 0, "kentongan " + Version, ""},
		{[]string{"help"}, 0, "serve", ""},
		{nil, 0, "check", ""},
		{[]string{"fly"}, 2, "", "fly"},
		{[]string{"config-sample"}, 0, "# listen: 127.0.0.1:8080", ""},
	} {
		code, out, errOut := run(c.args...)
		if code != c.code || !strings.Contains(out, c.out) || !strings.Contains(errOut, c.err) {
			t.Errorf("%v: code %d\nout %s\nerr %s", c.args, code, out, errOut)
		}
	}
}

// program starts the real thing on a free port and waits for a line.
func program(t *testing.T, wait string, args ...string) (*exec.Cmd, string) {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append(os.Environ(), helper+"=1", "KENTONGAN_LISTEN=127.0.0.1:0", "KENTONGAN_LOG_FORMAT=json", "KENTONGAN_DATA_DIR="+filepath.Join(t.TempDir(), "data"))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		text, err := os.ReadFile(log)
		if err == nil && strings.Contains(string(text), wait) {
			return cmd, string(text)
		}
		if time.Now().After(end) {
			t.Fatalf("no %q within 30 s:\n%s", wait, text)
		}
	}
}

func TestServeSaysWhereAndHowAndDrains(t *testing.T) {
	cmd, text := program(t, `"message":"sign-in link"`, "serve")
	if !strings.Contains(text, `"message":"listening"`) || !strings.Contains(text, `/login?code=`) {
		t.Errorf("%s", text)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("ended with %v, want 0", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("not drained within 10 s")
	}
}

func TestOpenLinkPrintsOneAddress(t *testing.T) {
	_, text := program(t, "/login?code=", "serve", "--open-link")
	if n := strings.Count(text, "/login?code="); n != 1 || strings.Contains(text, `"message":"sign-in link"`) {
		t.Errorf("%d addresses:\n%s", n, text)
	}
}
