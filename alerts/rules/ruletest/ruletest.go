// Package ruletest runs the tests of rules that city staff write in YAML.
//
// A case is readings, reports and alerts with their times, and the alerts that are expected of them.
package ruletest

import (
	"errors"
	"fmt"

	"kentongan/alerts/rules"
)

// Result is what became of a file of tests.
type Result struct {
	File   string `json:"file"`
	Tests  []Test `json:"tests"`
	Failed int    `json:"failed"` // of Tests
}

// Test is what became of one case.
type Test struct {
	Name     string    `json:"name"`
	Line     int       `json:"line"`
	Failures []Failure `json:"failures"`
}

// Failure is one thing that was not as expected, at its line, in both languages.
type Failure struct {
	Line int    `json:"line"`
	ID   string `json:"id"` // in Indonesian
	EN   string `json:"en"` // in English
}

// Passed tells that every case went as expected.
func (r Result) Passed() bool { return r.Failed == 0 }

// Run runs a file of tests; rules that name areas find none. The error wraps ErrFile where the file cannot be run at all: it names file and
// line.
func Run(path string) (Result, error) { return RunIn(path, nil) }

// RunIn is Run in a city whose areas are known.
func RunIn(path string, places rules.Places) (Result, error) {
	l, err := load(path)
	if err != nil {
		return Result{}, err
	}
	program, err := rules.Compile(l.list, places)
	if err != nil {
		return Result{}, fmt.Errorf("%w: %s: %w", ErrFile, path, err)
	}
	out := Result{File: path}
	for i := range l.Tests {
		t := &l.Tests[i]
		at := fmt.Sprintf("$.tests[%d]", i)
		played, err := play(t, program, l.zero)
		if err != nil {
			var f fault
			if errors.As(err, &f) {
				return Result{}, fmt.Errorf("%w: %s:%d: tests[%d].%s: %w", ErrFile, path, l.line(at+"."+f.path), i, f.path, err)
			}
			return Result{}, err
		}
		done := Test{Name: t.Name, Line: l.line(at), Failures: []Failure{}}
		done.Failures = append(done.Failures, check(t, played, program, func(path string) int { return l.line(at + "." + path) })...)
		for j := range done.Failures {
			if done.Failures[j].Line == 0 {
				done.Failures[j].Line = done.Line
			}
		}
		if len(done.Failures) > 0 {
			out.Failed++
		}
		out.Tests = append(out.Tests, done)
	}
	return out, nil
}
