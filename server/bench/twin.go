package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"time"
)

// plan is what the twin writes: to connection i one write of Sizes[i % len] bytes every Every.
type twinPlan struct {
	Sizes []int
	Every time.Duration
	Conns int
}

// runTwin is the least that a server can do: it holds the same number of connections and writes messages of the same sizes at the same
// rate with plain writes, from as many goroutines as there are processors. It reads a plan as JSON, tells its address, and ends with
// its input.
func runTwin(in io.Reader, out io.Writer) error {
	r := bufio.NewReader(in)
	var p twinPlan
	line, err := r.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(line, &p); err != nil {
		return err
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintln(out, ln.Addr())
	conns := make([]net.Conn, p.Conns)
	for i := range conns {
		if conns[i], err = ln.Accept(); err != nil {
			return err
		}
	}
	most := 0
	for _, n := range p.Sizes {
		most = max(most, n)
	}
	bytes := make([]byte, most)
	workers := runtime.GOMAXPROCS(0)
	ended := make(chan struct{})
	var wg sync.WaitGroup
	for w := range workers {
		wg.Add(1)
		go func() {
			defer wg.Done()
			tick := time.NewTicker(p.Every)
			defer tick.Stop()
			for {
				select {
				case <-ended:
					return
				case <-tick.C:
				}
				for i := w; i < len(conns); i += workers {
					if n := p.Sizes[i%len(p.Sizes)]; n > 0 {
						_, _ = conns[i].Write(bytes[:n])
					}
				}
			}
		}()
	}
	_, _ = io.Copy(io.Discard, r)
	close(ended)
	wg.Wait()
	return nil
}

// twinCPU starts the twin in a process of its own, reads all that it writes, and gives what it spends in a time and how much it wrote.
func twinCPU(p twinPlan, d time.Duration) (cpu time.Duration, written int64, err error) {
	self, err := os.Executable()
	if err != nil {
		return 0, 0, err
	}
	cmd := exec.Command(self, "-twin")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return 0, 0, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return 0, 0, err
	}
	if err := cmd.Start(); err != nil {
		return 0, 0, err
	}
	defer func() { _ = cmd.Wait() }()
	defer in.Close()
	line, err := json.Marshal(p)
	if err != nil {
		return 0, 0, err
	}
	if _, err := in.Write(append(line, '\n')); err != nil {
		return 0, 0, err
	}
	var addr string
	if _, err := fmt.Fscanln(out, &addr); err != nil {
		return 0, 0, fmt.Errorf("the twin tells no address: %w", err)
	}
	all := make(seats, p.Conns)
	defer func() { all.leave() }()
	for i := range all {
		c, err := net.Dial("tcp", addr)
		if err != nil {
			return 0, 0, err
		}
		all[i] = &seat{conn: c, first: make(chan struct{})}
		go all[i].drain(c)
	}
	time.Sleep(time.Second)
	before := all.bytes()
	cpu, err = cpuDuring(cmd.Process.Pid, d)
	return cpu, all.bytes() - before, err
}
