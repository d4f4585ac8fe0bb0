package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// pid of the server itself; its embedded store is a child with a pid of its own.
func (s *server) pid() int { return s.cmd.Process.Pid }

// cpuOf is the time a process has spent on the processors since it began (proc(5): utime + stime, in hundredths of a second).
func cpuOf(pid int) (time.Duration, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:]))
	if len(f) < 13 {
		return 0, fmt.Errorf("/proc/%d/stat has %d fields", pid, len(f))
	}
	user, err := strconv.ParseInt(f[11], 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(f[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond, err
}

// rssOf is the memory of a process that is in the machine's, in bytes.
func rssOf(pid int) (int64, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			return n << 10, err
		}
	}
	return 0, fmt.Errorf("/proc/%d/status has no VmRSS", pid)
}

// metric reads one value of the server's own metrics.
func (s *server) metric(name string) (float64, error) {
	code, b, err := s.request("GET", "/metrics", nil)
	if err != nil || code != 200 {
		return 0, fmt.Errorf("/metrics answered %d: %w", code, err)
	}
	for _, line := range strings.Split(string(b), "\n") {
		if rest, ok := strings.CutPrefix(line, name+" "); ok {
			return strconv.ParseFloat(rest, 64)
		}
	}
	return 0, fmt.Errorf("/metrics has no %s", name)
}

// settled is the heap and stacks in use after the collector has been through twice, and the resident memory then. It keeps the server a
// little busy until then (a collector starts with allocation); GOGC=5 in the server's environment makes it soon.
func (s *server) settled() (heap, stacks, rss int64, err error) {
	first, err := s.metric("go_gc_duration_seconds_count")
	if err != nil {
		return 0, 0, 0, err
	}
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); {
		if code, _, err := s.request("GET", "/api/v1/things?limit=1000", nil); err != nil || code != 200 {
			return 0, 0, 0, fmt.Errorf("things answered %d: %w", code, err)
		}
		now, err := s.metric("go_gc_duration_seconds_count")
		if err != nil {
			return 0, 0, 0, err
		}
		h, err := s.metric("go_memstats_heap_alloc_bytes")
		if err != nil {
			return 0, 0, 0, err
		}
		if now < first+2 {
			continue
		}
		if heap == 0 || int64(h) < heap {
			heap = int64(h)
		}
		if now >= first+4 {
			break
		}
	}
	st, err := s.metric("go_memstats_stack_inuse_bytes")
	if err != nil {
		return 0, 0, 0, err
	}
	rss, err = rssOf(s.pid())
	return heap, int64(st), rss, err
}

// cpuDuring is what a process spends in a time.
func cpuDuring(pid int, d time.Duration) (time.Duration, error) {
	before, err := cpuOf(pid)
	if err != nil {
		return 0, err
	}
	time.Sleep(d)
	after, err := cpuOf(pid)
	return after - before, err
}

// spent is the processor time of everything that takes part: the server, its store, and this generator.
type spent struct{ server, store, us time.Duration }

func (s *server) spent() (sp spent, err error) {
	if sp.server, err = cpuOf(s.pid()); err != nil {
		return sp, err
	}
	if sp.us, err = cpuOf(os.Getpid()); err != nil {
		return sp, err
	}
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", s.pid()))
	if err != nil {
		return sp, err
	}
	for _, t := range threads {
		b, _ := os.ReadFile(t)
		for _, child := range strings.Fields(string(b)) {
			if pid, err := strconv.Atoi(child); err == nil {
				c, _ := cpuOf(pid)
				sp.store += c
			}
		}
	}
	return sp, nil
}

// perMillion tells what each spent on n readings, in seconds for a million.
func perMillion(a, b spent, n int64) string {
	f := func(x, y time.Duration) float64 { return (y - x).Seconds() / float64(n) * 1e6 }
	return fmt.Sprintf("CPU s per 1M readings: server %.1f, store %.1f, generator %.1f", f(a.server, b.server), f(a.store, b.store), f(a.us, b.us))
}
