package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"

	"github.com/rs/zerolog"
)

// child is one life of the store's process.
type child struct {
	cmd  *exec.Cmd
	done chan struct{} // closed when the process has ended
	err  error         // set before done is closed
	tail *tail
}

// startChild runs the store with its socket, its append-only file, and no snapshots. The child inherits an open, locked file: the lock
// lasts as long as the child does, whatever becomes of us.
func startChild(s *Store) (*child, error) {
	hold, err := lockFile(s.lockPath())
	if err != nil {
		return nil, fmt.Errorf("start %s: a store is alive in %s: %w", s.kind, s.opts.DataDir, err)
	}
	defer func() { _ = hold.Close() }() // the child keeps its copy
	if err := os.Remove(s.socket); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("start %s: %w", s.kind, err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", s.kind, err)
	}
	c := &child{done: make(chan struct{}), tail: &tail{}}
	c.cmd = exec.Command(s.binary,
		"--port", "0", "--unixsocket", s.socket, "--unixsocketperm", "700", "--dir", s.storeDir(),
		"--save", "", "--appendonly", "yes", "--appendfsync", s.opts.AppendFsync, "--no-appendfsync-on-rewrite", "no", "--aof-load-truncated", "yes",
		"--maxmemory", "0", "--maxmemory-policy", "noeviction", "--daemonize", "no", "--supervised", "no", "--databases", "1",
		"--logfile", "", "--pidfile", filepath.Join(s.opts.DataDir, "store.pid"), "--crash-log-enabled", "no")
	c.cmd.Stdout, c.cmd.Stderr, c.cmd.ExtraFiles = write, write, []*os.File{hold}
	c.cmd.SysProcAttr = dieWithParent(&syscall.SysProcAttr{Setpgid: true})
	started := make(chan error, 1)
	go c.live(started)
	err = <-started
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return nil, fmt.Errorf("start %s: %w", s.kind, err)
	}
	go copyLog(read, c.tail, s.log)
	return c, nil
}

// live starts the child and waits for its end on one operating system thread: the parent-death signal follows the thread that forked, and
// Go may end an idle thread while the process lives on.
func (c *child) live(started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	err := c.cmd.Start()
	started <- err
	if err == nil {
		c.err = c.cmd.Wait()
	}
	close(c.done)
}

func (c *child) pid() int { return c.cmd.Process.Pid }

func (c *child) kill() { _ = c.cmd.Process.Kill() }

// stop asks the child to flush and leave, and kills it when ctx ends.
func (c *child) stop(ctx context.Context) error {
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
		return nil
	case <-ctx.Done():
		c.kill()
		<-c.done
		return fmt.Errorf("the store did not end in time and was killed: %w", context.Cause(ctx))
	}
}

// copyLog brings the store's lines into our log. Redis marks what matters with #, which includes its greetings, so nothing of it is more
// than info here; an end that nobody asked for is reported by the supervisor, with the last lines.
func copyLog(r io.ReadCloser, t *tail, log zerolog.Logger) {
	defer func() { _ = r.Close() }()
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		line := lines.Text()
		if strings.TrimSpace(line) == "" {
			continue
		}
		t.add(line)
		level := zerolog.DebugLevel
		if head, text, ok := strings.Cut(line, " # "); ok && len(head) < 60 {
			level, line = zerolog.InfoLevel, text
			if strings.Contains(text, "Redis is starting") || strings.Contains(text, "Redis version=") || strings.Contains(text, "Configuration loaded") || strings.Contains(text, "overcommit") {
				level = zerolog.DebugLevel
			}
		}
		log.WithLevel(level).Msg(line)
	}
	_, _ = io.Copy(io.Discard, r) // a line too long to scan must not block the store
}

// tail keeps the last lines of a child's output.
type tail struct {
	mu    sync.Mutex
	lines []string
}

func (t *tail) add(line string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines = append(t.lines, line); len(t.lines) > 6 {
		t.lines = t.lines[1:]
	}
}

// String joins the lines.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
