package main

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"kentongan/alerts/audit/tree"
	"kentongan/alerts/audit/verify"
	"kentongan/alerts/audit/verify/verifytest"
)

// benchLog is the audit log without a server: honest records are not blamed, bent ones are found, and a proof of one is small and quick.
func benchLog(_ string, short bool) ([]figure, error) {
	n, times := 1_000_000, 50
	if short {
		n, times = 50_000, 5
	}
	keys, err := verifytest.NewKeys()
	if err != nil {
		return nil, err
	}
	out, l, err := honest(n, keys)
	if err != nil {
		return out, err
	}
	proofs, err := oneProof(l)
	if out = append(out, proofs...); err != nil {
		return out, err
	}
	drills, err := bent(times, keys)
	return append(out, drills...), err
}

// honest writes an export of n honest records to a file, and verifies it with its checkpoints and a witness's tiles.
func honest(n int, keys verifytest.Keys) ([]figure, *verifytest.Log, error) {
	dir, err := os.MkdirTemp("", "kentongan-log-*")
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }() // a folder of ours in the temporary one
	f, err := os.Create(filepath.Join(dir, "export"))
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = f.Close() }()
	w, err := verify.NewWriter(f, verify.Header{Origin: verifytest.Name, Size: int64(n)})
	if err != nil {
		return nil, nil, err
	}
	l, err := verifytest.Stream(rand.Uint64(), n, keys, nil, func(e verifytest.Entry) error { return w.Record(e.Canonical, e.Words) })
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	size, err := f.Seek(0, 1)
	if err != nil {
		return nil, nil, err
	}
	if _, err := f.Seek(0, 0); err != nil {
		return nil, nil, err
	}
	began := time.Now()
	known, err := verify.ReadKnown(bytes.NewReader(l.Kept()), keys.Checked)
	if err != nil {
		return nil, nil, err
	}
	opened := time.Since(began)
	debug.FreeOSMemory()
	peak, stop := heapPeak()
	began = time.Now()
	r, err := verify.Export(f, verify.Options{Keys: keys.Checked, Known: known, Leaves: l.Tiles})
	took := time.Since(began)
	stop()
	if err != nil {
		return nil, nil, err
	}
	fs := []figure{
		{fmt.Sprintf("log: false alarms in %d honest records, %d checkpoints", r.Count, r.Checkpoints), "0", fmt.Sprint(r.Faults)},
		{fmt.Sprintf("log: verified, an export of %d MB", size>>20), "-", fmt.Sprintf("%.0f records/s, %.1f s; heap %d MB more at most", float64(r.Count)/took.Seconds(), took.Seconds(), *peak>>20)},
		{"log: signatures of the checkpoints", "-", fmt.Sprintf("%d in %.1f s", len(known), opened.Seconds())},
	}
	if r.Proven != int64(n) {
		return fs, l, fmt.Errorf("proven up to %d of %d: %+v", r.Proven, n, r.First)
	}
	return fs, l, nil
}

// heapPeak watches by how much the heap grows, until it is stopped.
func heapPeak() (peak *uint64, stop func()) {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	base, most, done, ended := m.HeapInuse, new(uint64), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-done:
				return
			case <-tick.C:
				runtime.ReadMemStats(&m)
				if m.HeapInuse > base {
					*most = max(*most, m.HeapInuse-base)
				}
			}
		}
	}()
	return most, func() { close(done); <-ended }
}

// shelf is a log's tiles in memory.
type shelf map[[2]int64][]byte

func (s shelf) Tiles(_ context.Context, want []tree.Tile) ([][]byte, error) {
	out := make([][]byte, len(want))
	for i, t := range want {
		data := s[[2]int64{int64(t.Level), t.Index}]
		if len(data) < t.Width*tlog.HashSize {
			return nil, fmt.Errorf("%s is not there", t.Path())
		}
		out[i] = data[:t.Width*tlog.HashSize]
	}
	return out, nil
}

// oneProof proves single records of a log, as a citizen asks, and checks the proofs.
func oneProof(l *verifytest.Log) ([]figure, error) {
	var edge tree.Edge
	tiles := shelf{}
	began := time.Now()
	for _, w := range edge.Append(l.Leaves) {
		tiles[[2]int64{int64(w.Level), w.Index}] = w.Data
	}
	grown := time.Since(began)
	c := tree.Checkpoint{Origin: verifytest.Name, Size: edge.Size(), Root: edge.Root()}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, l.Signer, l.Cosigner)
	if err != nil {
		return nil, err
	}
	var made, checked []time.Duration
	most := 0
	for range 200 {
		index := rand.Int64N(edge.Size())
		began := time.Now()
		hashes, err := tree.Prove(context.Background(), c.Tree(), index, tiles)
		if err != nil {
			return nil, err
		}
		text := tree.Proof{Index: index, Hashes: hashes, Checkpoint: signed}.Text()
		made = append(made, time.Since(began))
		most = max(most, len(text))
		began = time.Now()
		p, err := tree.ParseProof(text)
		if err != nil {
			return nil, err
		}
		if _, _, err := tree.Open(p.Checkpoint, l.Checked.Log, l.Checked.Witnesses...); err != nil {
			return nil, err
		}
		if err := tree.Check(c.Tree(), p.Index, l.Leaves[index], p.Hashes); err != nil {
			return nil, err
		}
		checked = append(checked, time.Since(began))
	}
	return []figure{
		{fmt.Sprintf("log: proof of one record of %d, made (p50, p99 of 200)", edge.Size()), "<= 1 s", fmt.Sprintf("%s, %s", ms(percentile(made, 0.5)), ms(percentile(made, 0.99)))},
		{"log: its text, cosigned by one witness", "<= 2 KB", fmt.Sprintf("%d bytes at most", most)},
		{"log: the proof checked, both signatures (p50, p99)", "-", fmt.Sprintf("%s, %s", ms(percentile(checked, 0.5)), ms(percentile(checked, 0.99)))},
		{"log: tiles grown", "-", fmt.Sprintf("%.0f leaves/s", float64(edge.Size())/grown.Seconds())},
	}, nil
}

// bent is the table of drills: each way of bending a log so many times, at random places.
func bent(times int, keys verifytest.Keys) ([]figure, error) {
	var out []figure
	all := 0
	for _, way := range verifytest.Ways {
		found, exact, named, ranged := 0, 0, 0, 0
		for i := range times {
			d, err := verifytest.Bend(way, rand.Uint64()<<1|uint64(i&1), 2000, keys)
			if err != nil {
				return out, err
			}
			with, err := d.Verify(true)
			if err != nil {
				return out, err
			}
			without, err := d.Verify(false)
			if err != nil {
				return out, err
			}
			if !with.OK && !without.OK {
				found++
			}
			if f := with.First; f != nil && f.Seq == d.First {
				exact++
			}
			switch f := without.First; {
			case f != nil && f.Seq == d.First:
				named++
			case f != nil && f.Seq == 0 && f.From <= d.First && d.First <= f.To:
				ranged++
			}
		}
		all += found
		out = append(out, figure{"log: " + way + ": found; first bad record named with a witness's tiles", fmt.Sprintf("%d; %d", times, times),
			fmt.Sprintf("%d; %d (without tiles: named %d, in a range %d)", found, exact, named, ranged)})
	}
	return append(out, figure{"log: bent logs found", fmt.Sprintf("%d of %d", times*len(verifytest.Ways), times*len(verifytest.Ways)), fmt.Sprint(all)}), nil
}
