// Package main (bench) is the figures of the issue beside their goals, against the real binary.
//
// The figures of the issue beside their goals, against the real binary: each is printed, none is asserted, since the machine decides.
// The load is open loop: a late answer does not slow the next question, so a stall is seen by every reading that waited for it.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"sort"
	"strings"
	"time"
)

// figure is one line of the table.
type figure struct{ name, goal, got string }

type bench struct {
	name string
	run  func(bin string, short bool) ([]figure, error)
}

func main() {
	bin := flag.String("bin", "bin/kentongan", "the binary to measure")
	only := flag.String("only", "", "comma-separated names of benches; empty: all")
	short := flag.Bool("short", false, "shorter runs, for trying the bench itself")
	twin := flag.Bool("twin", false, "be the plain TCP server that the fan-out is compared with; started by the fanout bench")
	rest := flag.Duration("rest", 0, "million: how long nothing is reported before the server is weighed; 11m: all is at rest")
	hours := flag.Float64("hours", 1.0/6, "screen: how long the heap of a wall is watched")
	flag.Parse()
	if *twin {
		if err := runTwin(os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "twin:", err)
			os.Exit(1)
		}
		return
	}

	benches := []bench{
		{"start", benchStart}, {"ingest", benchIngest}, {"latency", benchLatency}, {"crossing", benchCrossing}, {"web", benchWeb}, {"paint", benchPaint},
		{"frame", benchFrame}, {"rush", benchRush}, {"idle", benchIdle}, {"fanout", benchFanout}, {"outside", benchOutside}, {"bad", benchBad}, {"storm", benchStorm}, {"million", func(bin string, short bool) ([]figure, error) { return benchMillion(bin, short, *rest) }},
		{"kill", benchKill}, {"mqtt", benchMQTT},
		{"engine", benchEngine}, {"storms", benchStorms}, {"house", benchHouse}, {"flood", benchFlood}, {"evaluator", benchEvaluator}, {"log", benchLog},
		{"cases", benchCases}, {"cases-store", benchCasesStore}, {"wall", benchWall},
		{"screen", func(bin string, short bool) ([]figure, error) {
			return benchScreen(bin, short, time.Duration(*hours*float64(time.Hour)))
		}},
	}
	var all []figure
	failed := false
	for _, b := range benches {
		if *only != "" && !strings.Contains(","+*only+",", ","+b.name+",") {
			continue
		}
		fmt.Fprintf(os.Stderr, "bench %s ...\n", b.name)
		fs, err := b.run(*bin, *short)
		all = append(all, fs...)
		if err != nil {
			fmt.Fprintf(os.Stderr, "bench %s: %v\n", b.name, err)
			failed = true
		}
	}
	if load, err := os.ReadFile("/proc/loadavg"); err == nil {
		fmt.Printf("%d processors; load averages at the end: %s\n", runtime.NumCPU(), strings.Join(strings.Fields(string(load))[:3], " "))
	}
	fmt.Printf("%-66s %-18s %s\n", "figure", "goal", "measured")
	for _, f := range all {
		fmt.Printf("%-66s %-18s %s\n", f.name, f.goal, f.got)
	}
	if failed {
		os.Exit(1)
	}
}

// percentile is the nearest rank: sort, take item ceil(p x n).
func percentile(ds []time.Duration, p float64) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	sort.Slice(ds, func(i, j int) bool { return ds[i] < ds[j] })
	i := int(float64(len(ds))*p+0.999999) - 1
	return ds[max(0, min(i, len(ds)-1))]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d.Microseconds())/1000) }

func spread(ds []time.Duration) string {
	return fmt.Sprintf("p50 %s, p99 %s, n %d", ms(percentile(ds, .5)), ms(percentile(ds, .99)), len(ds))
}
