package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// engineFigure is a benchmark of the engine of rules by the beginning of its name, and what is read of it: a unit of its line that is counted in
// processor time, so that a busy machine changes little.
type engineFigure struct{ bench, unit, name, goal string }

var engineFigures = []engineFigure{
	{"BenchmarkReadings/1000_rules_of_which_10_match_and_1000_fences", "readings/cpu-s", "readings/s of processor time, 1,000 rules of which 10 match, 1,000 fences", ">= 100,000"},
	{"BenchmarkReadings/the_same_with_fences", "readings/cpu-s", "the same, fences five deep over each other", "-"},
	{"BenchmarkReadings/1000_rules_of_which_10_match", "readings/cpu-s", "the same without fences", "-"},
	{"BenchmarkMatch", "cpu-ns/op", "100 rules of which 5 match, ns", "<= 1,000"},
	{"BenchmarkFenceTest", "cpu-ns/op", "which of 1,000 fences hold a position, ns", "<= 1,000"},
}

// engineLimit bounds the benchmarks: they take half a minute on an idle processor, the compiler's time not counted.
const engineLimit = 5 * time.Minute

// benchEngine runs the benchmarks of the engine of rules that have a goal, on one processor, and prints the median of each.
func benchEngine(_ string, short bool) ([]figure, error) {
	count, length := "3", "0.5s"
	if short {
		count, length = "1", "0.2s"
	}
	ctx, cancel := context.WithTimeout(context.Background(), engineLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-run", "^$", "-bench", "^Benchmark(Readings|Match|FenceTest)$", "-cpu", "1", "-count", count, "-benchtime", length, "-timeout", engineLimit.String(), "./alerts/rules")
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("benchmarks of the engine: %w\n%s", err, out)
	}
	return engineTable(out)
}

// engineTable reads the lines of go test -bench.
func engineTable(out []byte) ([]figure, error) {
	found := map[int][]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); {
		n := slices.IndexFunc(engineFigures, func(f engineFigure) bool { return strings.HasPrefix(lines.Text(), f.bench) })
		if n < 0 {
			continue
		}
		v := regexp.MustCompile(`([\d.]+) ` + regexp.QuoteMeta(engineFigures[n].unit)).FindStringSubmatch(lines.Text())
		if v == nil {
			return nil, fmt.Errorf("benchmarks of the engine: no %s in %q", engineFigures[n].unit, lines.Text())
		}
		x, err := strconv.ParseFloat(v[1], 64)
		if err != nil {
			return nil, err
		}
		found[n] = append(found[n], x)
	}
	var fs []figure
	for n, f := range engineFigures {
		v := slices.Sorted(slices.Values(found[n]))
		if len(v) == 0 {
			return nil, fmt.Errorf("benchmarks of the engine: %s did not run", f.bench)
		}
		fs = append(fs, figure{"engine, one core: " + f.name, f.goal, fmt.Sprintf("%.0f (median of %d, worst to best %.0f to %.0f)", v[len(v)/2], len(v), worstOf(v, f.unit), bestOf(v, f.unit))})
	}
	return fs, nil
}

// worstOf and bestOf are the ends of sorted values: of times the longest is the worst, of readings in a second the fewest.
func worstOf(v []float64, unit string) float64 {
	if unit == "cpu-ns/op" {
		return v[len(v)-1]
	}
	return v[0]
}

func bestOf(v []float64, unit string) float64 {
	return v[0] + v[len(v)-1] - worstOf(v, unit)
}
