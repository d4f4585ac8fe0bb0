package embedded

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rs/zerolog"
)

// lock is an exclusive hold on a file; the kernel drops it when the holder ends, however it ends.
type lock struct{ file *os.File }

// lockFile opens and locks a file, or says who holds it.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%s is locked: %w", path, err)
	}
	return f, nil
}

// takeLock waits for the lock at most so long, then writes our process id into the file.
func takeLock(ctx context.Context, path string, wait time.Duration) (*lock, error) {
	until := time.Now().Add(wait)
	for {
		f, err := lockFile(path)
		if err == nil {
			_ = f.Truncate(0)
			_, err = f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
			return &lock{f}, err
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(until) {
			pid, _ := os.ReadFile(path)
			return nil, fmt.Errorf("process %s: %w", strings.TrimSpace(string(pid)), err)
		}
		if err := pause(ctx, pollInterval); err != nil {
			return nil, err
		}
	}
}

func (l *lock) release() {
	if l != nil {
		_ = l.file.Close()
	}
}

// held tells whether someone holds the lock of a file.
func held(path string) (bool, error) {
	f, err := lockFile(path)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, f.Close()
}

// maxSocketPath is what a unix socket address can hold, less its closing zero: 104 bytes on macOS, 108 on Linux.
const maxSocketPath = 103

// OwnURL is where the store of a data folder answers while its server runs.
func OwnURL(dataDir string) (string, error) {
	path, err := socketPath(dataDir)
	return (&url.URL{Scheme: "unix", Path: path}).String(), err
}

// socketPath is in the data folder, or where that would be too long in a folder of ours below the temporary one, always the same for the
// same data folder so that the next start finds a store that is still there.
func socketPath(dataDir string) (string, error) {
	path := filepath.Join(dataDir, "store.sock")
	if len(path) <= maxSocketPath {
		return path, nil
	}
	sum := sha256.Sum256([]byte(dataDir))
	dir := filepath.Join(os.TempDir(), "kentongan-"+strconv.Itoa(os.Getuid())+"-"+hex.EncodeToString(sum[:6]))
	if err := os.Mkdir(dir, 0o700); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("folder of the store's socket: %w", err)
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return "", fmt.Errorf("folder of the store's socket: %w", err)
	}
	if st, ok := info.Sys().(*syscall.Stat_t); !info.IsDir() || info.Mode().Perm() != 0o700 || ok && int(st.Uid) != os.Getuid() {
		return "", fmt.Errorf("folder of the store's socket: %s is not ours alone; remove it", dir)
	}
	if path = filepath.Join(dir, "store.sock"); len(path) > maxSocketPath {
		return "", fmt.Errorf("folder of the store's socket: %s is too long as well; set TMPDIR to a shorter one", path)
	}
	return path, nil
}

func draw() (string, error) {
	b := make([]byte, 24)
	if _, err := rand.Read(b); err != nil {
		return "", fmt.Errorf("draw a password: %w", err)
	}
	return hex.EncodeToString(b), nil
}

var versionText = regexp.MustCompile(`v=(\d+)\.(\d+)\.?(\d*)`)

// find looks for a store of a fit version on PATH.
func find(log zerolog.Logger) (kind, binary string) {
	for _, name := range []string{"redis-server", "valkey-server"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		out, err := exec.CommandContext(ctx, path, "--version").Output()
		cancel()
		m := versionText.FindStringSubmatch(string(out))
		if err != nil || m == nil {
			log.Warn().Err(err).Str("path", path).Msg("passed over: it does not tell its version")
			continue
		}
		valkey := name == "valkey-server" || strings.Contains(string(out), "Valkey")
		if err := floor(valkey, m[1]+"."+m[2]); err != nil {
			log.Warn().Err(err).Str("path", path).Msg("passed over: too old")
			continue
		}
		return name, path
	}
	return "", ""
}

// floor refuses what is older than Redis 7.0 or Valkey 7.2.
func floor(valkey bool, version string) error {
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err1 != nil || err2 != nil {
		return fmt.Errorf("version %q is not known", version)
	}
	if valkey && (a < 7 || a == 7 && b < 2) {
		return fmt.Errorf("valkey %s is older than 7.2", version)
	}
	if !valkey && a < 7 {
		return fmt.Errorf("redis %s is older than 7.0", version)
	}
	return nil
}
