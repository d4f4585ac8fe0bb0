// Package tally is what a house made of a labelled storm, held against its truth. Pure.
//
// What is counted are pieces: a report, an agency's publication with all its versions, an instrument in one crossing. A house joins pieces to
// groups: its incidents, and what it proposes to be one. These figures are kept:
//
//   - Joins. Of a group of n pieces n-1 are joins; those of the truth that most of it is about are right, all others wrong: precision. A truth
//     of n pieces wants n-1 joins; those in the one group that holds most of it, and is about it, were made: recall. A truth torn in two
//     halves so counts as half missed, and a prank in a group as a wrong join.
//   - Pairs. Every two pieces in one group are a pair, right where both are of one truth; every two pieces of one truth should be one.
//     Large incidents weigh by the square.
//   - Over-merge. The share of groups that hold pieces of two truths, of each at least one that tells which it is about. A report that is
//     placed in another street by mistake is a wrong join, but nobody took two incidents for one.
//   - Life. Incidents on which a life hangs for which no group stands, though an agency, an instrument or two people told of them. Of one that
//     a single call tells of there is nothing to join: the call stands where calls are taken.
//   - Opening. From the first item about an incident reaching the house until a group about it stood.
package tally

import (
	"cmp"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"kentongan/feeds/simulator/storm"
)

// Piece is one piece of evidence as a house names it: of a report "<feed>:<id>", of an alert "<sender>,<identifier>", of an observation the
// Thing's id "<feed>:<native id>" and when it arose.
type Piece struct {
	Kind string // report, alert, observation
	Ref  string
	At   time.Time
}

// Group is pieces that a house took for one.
type Group struct {
	ID     string
	Opened time.Time
	Pieces []Piece
}

// Score is how well a house did.
type Score struct {
	Incidents int // of the storm
	Groups    int
	Pieces    int // of truths
	Grouped   int // pieces in groups
	Unknown   int // pieces in groups of which the storm knows nothing; should be 0

	Joins, Wanted         Share // precision and recall of joins
	WantedTold            Share // recall of joins, of what tells
	PairsRight, PairsMade Share // precision and recall of pairs
	Over                  Share // groups that hold two truths
	OverAny               Share // the same, pieces that do not tell counted
	False                 Share // groups about nothing at all

	Missed []string                 // incidents on which a life hangs and for which no group stands
	Lives  int                      // how many hang on one
	Opened map[string]time.Duration // by incident
	Torn   []string                 // incidents told by several groups, "flood-03: 5+2"
	Mixed  []string                 // groups that hold two truths: "<id>: flood-03 4, flood-07 1 (960 m, 0s)"
	Strays map[storm.Fault]int      // pieces about nothing in groups, by what is wrong with them
	Lone   map[storm.Fault]int      // pieces in no group, or not with the others, by what is wrong with them
	Warned []string                 // warnings: "warning-01: 6 publications, 5 in groups, 2 groups"
}

// Share is so many of so many.
type Share struct{ Of, All int }

// Value is 1 where there is nothing to share.
func (s Share) Value() float64 {
	if s.All == 0 {
		return 1
	}
	return float64(s.Of) / float64(s.All)
}

func (s *Share) add(of, all int) { s.Of, s.All = s.Of+of, s.All+all }

// truth is what the storm knows of one piece.
type truth struct {
	id    string // of the piece in its incident
	label string
	told  bool
	fault storm.Fault
	warn  string
}

// Truths knows what every piece of a storm is about.
type Truths struct {
	storm   *storm.Storm
	reports map[string]truth
	alerts  map[string]truth
	things  map[string][]reading
	pieces  map[string]map[string]truth // of an incident: piece id to truth
	first   map[string]time.Time        // when the first item about an incident came in
	warned  map[string]map[string]bool  // publications of a warning
}

type reading struct {
	at time.Time
	truth
}

// Of reads the truth of a storm.
func Of(s *storm.Storm) *Truths {
	k := &Truths{storm: s, reports: map[string]truth{}, alerts: map[string]truth{}, things: map[string][]reading{}, pieces: map[string]map[string]truth{}, first: map[string]time.Time{}, warned: map[string]map[string]bool{}}
	for i := range s.Items {
		k.take(&s.Items[i])
	}
	for _, list := range k.things {
		slices.SortStableFunc(list, func(a, b reading) int { return a.at.Compare(b.at) })
	}
	return k
}

func (k *Truths) take(i *storm.Item) {
	t := truth{label: i.Truth.Incident, told: i.Truth.Told, fault: i.Truth.Fault, warn: i.Truth.Warning}
	if t.label != "" && (k.first[t.label].IsZero() || i.Delivered.Before(k.first[t.label])) {
		k.first[t.label] = i.Delivered
	}
	switch {
	case i.Report != nil:
		t.id = i.Feed + ":" + i.Report.ID
		k.reports[t.id] = t
	case i.Alert != nil:
		t.id = i.Truth.Chain
		k.alerts[i.Alert.Message.Sender+","+i.Alert.Message.Identifier] = t
		if t.warn != "" {
			if k.warned[t.warn] == nil {
				k.warned[t.warn] = map[string]bool{}
			}
			k.warned[t.warn][t.id] = true
		}
	default:
		thing := i.Feed + ":" + i.Observation.Thing
		t.id = thing + "/" + t.label
		k.things[thing] = append(k.things[thing], reading{i.Observation.At.Time, t})
	}
	if t.label != "" {
		if k.pieces[t.label] == nil {
			k.pieces[t.label] = map[string]truth{}
		}
		k.pieces[t.label][t.id] = t
	}
}

// find gives the truth of a piece; false where the storm knows nothing of it.
func (k *Truths) find(p Piece) (truth, bool) {
	switch p.Kind {
	case "report":
		t, ok := k.reports[p.Ref]
		return t, ok
	case "alert":
		t, ok := k.alerts[p.Ref]
		return t, ok
	}
	list := k.things[p.Ref]
	if len(list) == 0 {
		return truth{}, false
	}
	n := sort.Search(len(list), func(i int) bool { return !list[i].at.Before(p.At) })
	best := list[min(n, len(list)-1)]
	if n > 0 && (n == len(list) || p.At.Sub(list[n-1].at) < best.at.Sub(p.At)) {
		best = list[n-1]
	}
	return best.truth, true
}

// About is the label of the incident that a piece is about; empty for none, and for what the storm does not know.
func (k *Truths) About(p Piece) string {
	t, _ := k.find(p)
	return t.label
}

// counted is a group with what the storm knows of it.
type counted struct {
	Group
	size   int
	labels map[string]map[string]bool // pieces by label; "" is nothing
	tells  map[string]bool            // labels of which a piece tells
	owner  string
}

// Judge holds groups against the truth.
func (k *Truths) Judge(groups []Group) Score {
	out := Score{Incidents: len(k.storm.Incidents), Groups: len(groups), Opened: map[string]time.Duration{}, Strays: map[storm.Fault]int{}, Lone: map[storm.Fault]int{}}
	var list []counted
	where := map[string]map[string]int{} // label -> group -> pieces
	warned := map[string]map[string]map[string]bool{}
	for _, g := range groups {
		c := counted{Group: g, labels: map[string]map[string]bool{}, tells: map[string]bool{}}
		for _, p := range g.Pieces {
			t, ok := k.find(p)
			if !ok {
				out.Unknown++
				continue
			}
			if t.warn != "" {
				if warned[t.warn] == nil {
					warned[t.warn] = map[string]map[string]bool{}
				}
				if warned[t.warn][g.ID] == nil {
					warned[t.warn][g.ID] = map[string]bool{}
				}
				warned[t.warn][g.ID][t.id] = true
				t.label = "warning:" + t.warn
			}
			if c.labels[t.label] == nil {
				c.labels[t.label] = map[string]bool{}
			}
			if !c.labels[t.label][t.id] {
				c.labels[t.label][t.id] = true
				c.size++
				c.tells[t.label] = c.tells[t.label] || t.told
				if t.label == "" {
					out.Strays[t.fault]++
				}
			}
		}
		c.owner = ownerOf(c.labels)
		list = append(list, c)
		for label, pieces := range c.labels {
			if label != "" {
				if where[label] == nil {
					where[label] = map[string]int{}
				}
				where[label][g.ID] = len(pieces)
			}
		}
	}
	k.groups(&out, list)
	k.truths(&out, list, where)
	k.warnings(&out, warned)
	return out
}

// ownerOf is the truth that most pieces are about, of equal ones the first by name; empty where they are about nothing.
func ownerOf(labels map[string]map[string]bool) string {
	owner := ""
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		if label != "" && len(labels[label]) > len(labels[owner]) || owner == "" && label != "" {
			owner = label
		}
	}
	return owner
}

// groups counts what stands together.
func (k *Truths) groups(out *Score, list []counted) {
	pairs := func(n int) int { return n * (n - 1) / 2 }
	for _, c := range list {
		out.Grouped += c.size
		if c.size == 0 {
			continue
		}
		real, any := 0, 0
		for label, pieces := range c.labels {
			if label != "" {
				any++
				real += b2i(c.tells[label])
				out.PairsRight.Of += pairs(len(pieces))
			}
		}
		out.PairsRight.All += pairs(c.size)
		out.Joins.add(max(0, len(c.labels[c.owner])-1)*b2i(c.owner != ""), c.size-1)
		out.Over.add(b2i(real > 1), 1)
		out.OverAny.add(b2i(any > 1), 1)
		out.False.add(b2i(any == 0), 1)
		if real > 1 {
			out.Mixed = append(out.Mixed, k.mixture(c))
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (k *Truths) mixture(c counted) string {
	labels := slices.SortedFunc(maps.Keys(c.labels), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(c.labels[b]), len(c.labels[a])), cmp.Compare(a, b))
	})
	var parts []string
	for _, l := range labels {
		parts = append(parts, cmp.Or(l, "nothing")+" "+itoa(len(c.labels[l])))
	}
	return c.ID + ": " + strings.Join(parts, ", ")
}

// truths counts what should stand together.
func (k *Truths) truths(out *Score, list []counted, where map[string]map[string]int) {
	byID := map[string]*counted{}
	for i := range list {
		byID[list[i].ID] = &list[i]
	}
	pairs := func(n int) int { return n * (n - 1) / 2 }
	for _, label := range slices.Sorted(maps.Keys(k.pieces)) {
		pieces := k.pieces[label]
		out.Pieces += len(pieces)
		best, in, parts := "", 0, []int{}
		for _, id := range slices.Sorted(maps.Keys(where[label])) {
			n := where[label][id]
			parts = append(parts, n)
			out.PairsMade.Of += pairs(n)
			if byID[id].owner != label {
				continue
			}
			if n > in {
				best, in = id, n
			}
			if after := byID[id].Opened.Sub(k.first[label]); out.Opened[label] == 0 || after < out.Opened[label] {
				out.Opened[label] = max(after, time.Nanosecond)
			}
		}
		out.PairsMade.All += pairs(len(pieces))
		told, toldIn := 0, 0
		for id, t := range pieces {
			held := best != "" && byID[best].labels[label][id]
			told, toldIn = told+b2i(t.told), toldIn+b2i(t.told && held)
			if !held && len(pieces) > 1 {
				out.Lone[t.fault]++
			}
		}
		out.Wanted.add(max(0, in-1), len(pieces)-1)
		out.WantedTold.add(max(0, toldIn-1), max(0, told-1))
		if len(parts) > 1 {
			slices.Sort(parts)
			slices.Reverse(parts)
			var words []string
			for _, n := range parts {
				words = append(words, itoa(n))
			}
			out.Torn = append(out.Torn, label+": "+strings.Join(words, "+"))
		}
	}
	for _, in := range k.storm.LifeSafety() {
		out.Lives++
		if out.Opened[in.Label] == 0 && k.heard(in.Label) {
			out.Missed = append(out.Missed, in.Label)
		}
	}
}

// heard tells that an incident was told of by more than a single call.
func (k *Truths) heard(label string) bool {
	n := 0
	for id, t := range k.pieces[label] {
		if _, call := k.reports[id]; !call {
			return true
		}
		n += b2i(t.told)
	}
	return n > 1
}

// warnings tells how the publications of each warning stand.
func (k *Truths) warnings(out *Score, warned map[string]map[string]map[string]bool) {
	for _, w := range slices.Sorted(maps.Keys(k.warned)) {
		in := map[string]bool{}
		for _, pieces := range warned[w] {
			maps.Copy(in, pieces)
		}
		out.Warned = append(out.Warned, w+": "+itoa(len(k.warned[w]))+" publications, "+itoa(len(in))+" in "+itoa(len(warned[w]))+" groups")
	}
}
