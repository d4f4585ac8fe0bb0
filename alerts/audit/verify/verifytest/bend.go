package verifytest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"kentongan/alerts/audit"
	"kentongan/alerts/audit/verify"
	"kentongan/geo/moment"
)

// Ways are the ways in which an insider who owns the machine bends a log.
var Ways = []string{"edit", "delete", "insert", "reorder", "truncate", "fork", "re-sign", "back-date"}

// Drill is a bent log, and what must be found of it.
type Drill struct {
	Way string
	// Thorough tells that everything was made again behind the change: sequence, leaf hashes, root, and the signature with the true key.
	// Then the export shows nothing by itself, and only what others kept does.
	Thorough bool
	First    int64 // the seq of the first bad record
	Export   []byte
	Log      *Log // as it was: its checkpoints and leaves are what others keep
}

// Bend makes an honest log of n records and bends it at a random place: every second drill of a way thoroughly.
func Bend(way string, seed uint64, n int, keys Keys) (Drill, error) {
	rng := rand.New(rand.NewPCG(seed, 10))
	d := Drill{Way: way, Thorough: seed%2 == 1}
	at := 1 + rng.IntN(n-2) // the index of what is bent
	d.First = int64(at + 1)
	var err error
	if way == "back-date" {
		d.Log, err = Make(seed, n, keys, backDated(rng, at, d.Thorough))
	} else {
		d.Log, err = Make(seed, n, keys, nil)
	}
	if err != nil {
		return d, err
	}
	list := slices.Clone(d.Log.Entries)
	switch way {
	case "edit":
		list[at].Canonical = edited(list[at].Canonical, rng)
	case "delete":
		list = slices.Delete(list, at, at+1)
	case "insert":
		stranger := New(seed + 1000)
		b, w := stranger.Next()
		list = slices.Insert(list, at, Entry{changed(b, func(r *audit.Record) { r.Seq, r.Time = int64(at+1), timeOf(list[at].Canonical) }), w})
	case "reorder":
		other := at + 1 + rng.IntN(min(n-at-1, 200))
		list[at], list[other] = list[other], list[at]
	case "truncate":
		list, d.Thorough = list[:at], true
	case "fork": // another history from here on
		stranger := New(seed + 1000)
		base := timeOf(list[at].Canonical)
		shift := base.Sub(stranger.Now())
		for i := at; i < n; i++ {
			b, w := stranger.Next()
			list[i] = Entry{changed(b, func(r *audit.Record) { r.Seq, r.Time = int64(i+1), moment.Of(r.Time.Add(shift)) }), w}
		}
		d.Thorough = true
	case "re-sign": // history rewritten from here on: every record that follows a little too
		for i := at; i < min(n, at+1+rng.IntN(50)); i++ {
			list[i].Canonical = edited(list[i].Canonical, rng)
		}
		d.Thorough = true
	case "back-date":
		d.Thorough = true // the log itself was sealed and signed with it
	default:
		return d, fmt.Errorf("no way %q", way)
	}
	var out bytes.Buffer
	if !d.Thorough {
		err = careless(&out, d.Log, list)
	} else {
		for i := range list {
			list[i].Canonical = changed(list[i].Canonical, func(r *audit.Record) { r.Seq = int64(i + 1) })
		}
		err = d.Log.Export(&out, list)
	}
	d.Export = out.Bytes()
	return d, err
}

// careless is the export with its lines changed and nothing else: the leaf hashes and the checkpoint are those of before.
func careless(out *bytes.Buffer, l *Log, list []Entry) error {
	var honest, bent bytes.Buffer
	if err := l.Export(&honest, l.Entries); err != nil {
		return err
	}
	if err := l.Export(&bent, list); err != nil {
		return err
	}
	was, is := bytes.SplitAfter(honest.Bytes(), []byte("\n")), bytes.SplitAfter(bent.Bytes(), []byte("\n"))
	out.Write(was[0])
	for i, line := range is[1 : len(is)-2] {
		if len(was) == len(is) && bytes.Contains(was[i+1], []byte(`"seq":`)) && sameSeq(was[i+1], line) { // edited: beside its old leaf hash
			const leaf = len(`{"leaf":"`) + 44
			out.Write(was[i+1][:leaf])
			line = line[leaf:]
		}
		out.Write(line)
	}
	out.Write(was[len(was)-2])
	return nil
}

func sameSeq(a, b []byte) bool {
	seq := func(line []byte) []byte {
		_, rest, _ := bytes.Cut(line, []byte(`,"seq":`))
		n, _, _ := bytes.Cut(rest, []byte(","))
		return n
	}
	return bytes.Equal(seq(a), seq(b))
}

// changed is a canonical record with a change; bytes that are none are left as they are.
func changed(b []byte, change func(*audit.Record)) []byte {
	r, err := audit.Parse(b)
	if err != nil {
		return b
	}
	change(&r)
	return r.Canonical()
}

func timeOf(b []byte) moment.Time {
	r, _ := audit.Parse(b) // of a Maker
	return r.Time
}

// edited is a record with one of its fields changed.
func edited(b []byte, rng *rand.Rand) []byte {
	return changed(b, func(r *audit.Record) {
		switch rng.IntN(6) {
		case 0:
			r.Actor += "2"
		case 1:
			r.Action = "incident.cancelled"
		case 2:
			r.Object += "1"
		case 3:
			r.AfterHash = "sha256:" + fmt.Sprintf("%064x", rng.Uint64())
		case 4:
			r.Request += "f"
		default:
			r.Agency = "dishub"
		}
	})
}

// backDated lets a record be written with a clock that was set back behind the record before it. Thoroughly: after a quiet hour, so that
// it is still later than that one, and only a witness knows better.
func backDated(rng *rand.Rand, at int, quiet bool) func(int, *Maker, []byte) []byte {
	var before time.Time
	return func(i int, m *Maker, b []byte) []byte {
		if i != at {
			before = m.Now()
			return b
		}
		by := m.Now().Sub(before) + 10*time.Second + time.Duration(rng.Int64N(int64(2*time.Hour)))
		if quiet {
			m.Wait(time.Hour)
			by = -30*time.Minute - time.Duration(rng.Int64N(int64(20*time.Minute)))
		}
		return changed(b, func(r *audit.Record) { r.Time = moment.Of(r.Time.Add(-by)) })
	}
}

// Verify holds the drill's export against what others kept.
func (d Drill) Verify(tiles bool) (verify.Report, error) {
	known, err := verify.ReadKnown(bytes.NewReader(d.Log.Kept()), d.Log.Checked)
	if err != nil {
		return verify.Report{}, err
	}
	o := verify.Options{Keys: d.Log.Checked, Known: known}
	if tiles {
		o.Leaves = d.Log.Tiles
	}
	return verify.Export(bytes.NewReader(d.Export), o)
}
