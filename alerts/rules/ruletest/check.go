package ruletest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"kentongan/alerts/rules"
)

// check compares what was raised with what was expected. Line gives the line of a place below the case.
func check(t *test, p *player, program *rules.Program, line func(path string) int) []Failure {
	var out []Failure
	known := map[string]bool{rules.FaultRule: true}
	for _, r := range program.Rules() {
		known[r.ID] = true
	}
	strange := func(path, rule string) bool {
		if known[rule] {
			return false
		}
		out = append(out, Failure{line(path), fmt.Sprintf("aturan %q tidak ada", rule), fmt.Sprintf("there is no rule %q", rule)})
		return true
	}
	used := map[*raised]bool{}
	for i := range t.Expect {
		x, path := &t.Expect[i], fmt.Sprintf("expect[%d]", i)
		if strange(path, x.Rule) {
			continue
		}
		f, ok := Failure{}, false
		if x.Alert != "" {
			f, ok = x.checkGrade(p)
		} else {
			f, ok = x.check(p, used)
		}
		if !ok {
			f.Line = line(path)
			out = append(out, f)
		}
	}
	for i := range t.Not {
		x, path := &t.Not[i], fmt.Sprintf("not[%d]", i)
		if strange(path, x.Rule) {
			continue
		}
		for _, r := range p.raised {
			if x.denies(r) {
				used[r] = true // told here, not once more below
				out = append(out, Failure{line(path), "tidak boleh menyala, tetapi: " + r.text(id), "must not be raised, but was: " + r.text(en)})
			}
		}
	}
	if t.Others == "allowed" {
		return out
	}
	for _, r := range p.raised {
		if !used[r] && !r.wrong {
			out = append(out, Failure{line("expect"), "menyala tanpa disebut dalam expect: " + r.text(id), "was raised and is not named in expect: " + r.text(en)})
		}
	}
	return out
}

// check looks for the alert that is expected; of several the one that fits best is taken.
func (x *expectation) check(p *player, used map[*raised]bool) (Failure, bool) {
	var near []*raised
	for _, r := range p.raised {
		if used[r] || r.rule != x.Rule || x.On != "" && r.on != x.On {
			continue
		}
		if x.fits(x.At, &r.at) && (x.Clears == nil || x.fits(x.Clears, r.clears)) {
			used[r] = true
			return Failure{}, true
		}
		near = append(near, r)
	}
	f := Failure{ID: "diharapkan: " + x.text(id) + "\n", EN: "expected: " + x.text(en) + "\n"}
	if len(near) == 0 {
		f.ID += "  terjadi: tidak menyala"
		f.EN += "       got: it was not raised"
	}
	for i, r := range near[:min(len(near), 5)] {
		used[r] = true
		if i > 0 {
			f.ID, f.EN = f.ID+"\n", f.EN+"\n"
		}
		f.ID += "  terjadi: " + r.text(id)
		f.EN += "       got: " + r.text(en)
	}
	return f, false
}

func (x *expectation) fits(want, got *time.Duration) bool {
	if want == nil {
		return true
	}
	return got != nil && (*want-*got).Abs() <= x.Give
}

// checkGrade looks how an agency's alert was graded.
func (x *expectation) checkGrade(p *player) (Failure, bool) {
	g, ok := p.graded[x.Alert]
	want := grades(x.Severity, x.Urgency, x.Certainty)
	f := Failure{ID: fmt.Sprintf("diharapkan: %s menilai ulang %s: %s\n", x.Rule, x.Alert, want), EN: fmt.Sprintf("expected: %s grades %s anew: %s\n", x.Rule, x.Alert, want)}
	if !ok {
		f.ID += "  terjadi: tidak dinilai ulang"
		f.EN += "       got: it was not graded anew"
		return f, false
	}
	got := grades(string(g.alert.Severity), g.alert.Urgency, g.alert.Certainty)
	f.ID += fmt.Sprintf("  terjadi: %s: %s", g.rule, got)
	f.EN += fmt.Sprintf("       got: %s: %s", g.rule, got)
	fits := func(want, got string) bool { return want == "" || want == got }
	return f, g.rule == x.Rule && fits(x.Severity, string(g.alert.Severity)) && fits(x.Urgency, g.alert.Urgency) && fits(x.Certainty, g.alert.Certainty)
}

func grades(words ...string) string {
	return strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), ", ")
}

func (x *denial) denies(r *raised) bool {
	return r.rule == x.Rule && (x.On == "" || r.on == x.On) && (x.Before == nil || r.at < *x.Before) && (x.After == nil || r.at > *x.After)
}

// language of a sentence.
type language int

const (
	id language = iota
	en
)

// words of the sentences, in both languages.
var words = map[string][2]string{
	"on": {"pada", "on"}, "at": {"saat", "at"}, "clears": {"padam saat", "clears at"}, "give": {"boleh meleset", "give or take"}, "stands": {"tidak padam", "does not clear"},
	"withdrawn": {"ditarik kembali", "withdrawn"},
}

func (l language) of(word string) string { return words[word][l] }

func (x *expectation) text(l language) string {
	out := []string{x.Rule}
	if x.On != "" {
		out = append(out, l.of("on"), x.On)
	}
	if x.At != nil {
		out = append(out, l.of("at"), x.At.String())
	}
	text := strings.Join(out, " ")
	if x.Clears != nil {
		text += ", " + l.of("clears") + " " + x.Clears.String()
	}
	if x.Give > 0 {
		text += ", " + l.of("give") + " " + x.Give.String()
	}
	return text
}

func (r *raised) text(l language) string {
	text := r.rule + " " + l.of("on") + " " + r.on + " " + l.of("at") + " " + r.at.String()
	switch {
	case r.wrong:
		text += ", " + l.of("withdrawn")
	case r.clears != nil:
		text += ", " + l.of("clears") + " " + r.clears.String()
	default:
		text += ", " + l.of("stands")
	}
	return text
}

// Text tells a person what became of the tests: in Indonesian ("id") or in English.
func (r Result) Text(lang string) string {
	var b strings.Builder
	l := en
	if lang == "id" {
		l = id
	}
	verdicts := map[bool][2]string{true: {"lulus", "pass"}, false: {"GAGAL", "FAIL"}}
	for _, t := range r.Tests {
		fmt.Fprintf(&b, "%s  %s:%d  %s\n", verdicts[len(t.Failures) == 0][l], r.File, t.Line, t.Name)
		for _, f := range t.Failures {
			said := f.EN
			if l == id {
				said = f.ID
			}
			fmt.Fprintf(&b, "    %s:%d: %s\n", r.File, f.Line, strings.ReplaceAll(said, "\n", "\n      "))
		}
	}
	sum := [2]string{"%d lulus, %d gagal\n", "%d passed, %d failed\n"}[l]
	fmt.Fprintf(&b, sum, len(r.Tests)-r.Failed, r.Failed)
	return b.String()
}
