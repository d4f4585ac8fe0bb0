// Package verifytest makes up honest logs, and bends them, for drills of the verifier.
package verifytest

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"time"

	"kentongan/alerts/audit"
	"kentongan/geo/moment"
)

// Maker writes acts as a regency's servers do: three servers whose clocks lie two seconds apart, several acts in one millisecond and
// in one step, objects that come, change and go, readers who only look, and people's words, of which some were erased since.
type Maker struct {
	rng     *rand.Rand
	now     time.Time
	seq     int64
	objects []object
	made    int
	step    []audit.Record // of the step that goes on
}

type object struct{ name, hash string }

// New begins on the first of March of 2026.
func New(seed uint64) *Maker {
	return &Maker{rng: rand.New(rand.NewPCG(seed, 8)), now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
}

var (
	kinds   = []string{"incident", "alert", "alarm", "report", "dispatch", "unit", "plan", "statement", "status", "suggestion", "contact"}
	people  = []string{"user:anna", "user:sari", "user:made", "token:admin", "rule:muka-air", "feed:bmkg", "house:clock"}
	offices = []string{"bpbd", "diskominfo", "damkar", ""}
	spoken  = []string{"air surut, warga kembali", "Pak RT menelepon lagi", "salah alamat <Jl. Raya> & \"gang\"", "dua unit cukup", "diteruskan ke PUPR"}
)

// open is how many objects are worked on at a time.
const open = 2000

func (m *Maker) hash() string {
	var b [32]byte
	for i := 0; i < len(b); i += 8 {
		v := m.rng.Uint64()
		for j := range 8 {
			b[i+j] = byte(v >> (8 * j))
		}
	}
	return "sha256:" + hex.EncodeToString(b[:])
}

// Now is what the true clock shows.
func (m *Maker) Now() time.Time { return m.now }

// Wait lets time pass without acts; what a step has still to write is written after it.
func (m *Maker) Wait(d time.Duration) {
	m.now = m.now.Add(d)
	for i := range m.step {
		m.step[i].Time = moment.Of(m.step[i].Time.Add(d))
	}
}

// Next is the next record in its canonical form, and its words where they are kept.
func (m *Maker) Next() ([]byte, *audit.Words) {
	if len(m.step) == 0 {
		m.act()
	}
	r := m.step[0]
	m.step = m.step[1:]
	m.seq++
	r.Seq = m.seq
	return Written(r, m.rng.IntN(3) > 0)
}

// Written is a record in its canonical form, its words apart, and those words where they are kept.
func Written(r audit.Record, keep bool) ([]byte, *audit.Words) {
	if !r.Personal() {
		return r.Canonical(), nil
	}
	apart, w := r.Apart()
	if !keep {
		return apart.Canonical(), nil
	}
	return apart.Canonical(), &w
}

// act makes up one step: of one record, or of several at one moment.
func (m *Maker) act() {
	switch m.rng.IntN(100) {
	case 0:
		m.now = m.now.Add(time.Duration(m.rng.Int64N(int64(5 * time.Minute))))
	case 1, 2, 3: // in the same millisecond as the one before
	default:
		m.now = m.now.Add(time.Duration(m.rng.Int64N(int64(400 * time.Millisecond))))
	}
	server := time.Duration(m.rng.IntN(3)-1) * time.Second
	r := audit.Record{
		Time: moment.Of(m.now.Add(server)), Actor: people[m.rng.IntN(len(people))], Agency: offices[m.rng.IntN(len(offices))], Request: fmt.Sprintf("r%x", m.rng.Uint32()),
	}
	if m.rng.IntN(3) == 0 {
		r.Reason = spoken[m.rng.IntN(len(spoken))]
	}
	if m.rng.IntN(10) == 0 { // somebody looks, or signs in
		r.Action, r.Object = "reporter.revealed", "report:"+fmt.Sprint(m.rng.IntN(1000))
		m.step = append(m.step, r)
		return
	}
	for n := 1 + m.rng.IntN(8)/6; n > 0; n-- {
		m.change(r)
	}
}

// change is a change of one object.
func (m *Maker) change(r audit.Record) {
	if len(m.objects) < open && m.rng.IntN(4) == 0 || len(m.objects) == 0 {
		m.made++
		m.objects = append(m.objects, object{name: fmt.Sprintf("%s:%06d", kinds[m.rng.IntN(len(kinds))], m.made)})
	}
	i := m.rng.IntN(len(m.objects))
	o := &m.objects[i]
	r.Action, r.Object = "case.changed", o.name
	if r.BeforeHash = o.hash; m.rng.IntN(50) == 0 {
		r.BeforeHash = "" // of a document without a hash beside it
	}
	if o.hash != "" && m.rng.IntN(20) == 0 {
		r.Action = "case.dropped"
		m.step = append(m.step, r)
		m.objects[i] = m.objects[len(m.objects)-1]
		m.objects = m.objects[:len(m.objects)-1]
		return
	}
	o.hash = m.hash()
	r.AfterHash = o.hash
	m.step = append(m.step, r)
	if m.rng.IntN(15) == 0 { // a second act of the same step on the same object
		r.Action = "case.noted"
		m.step = append(m.step, r)
	}
}
