package tree

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"
)

// Prove shows that a record (index 0 and up) is in a tree: the hashes beside its path to the root, the leaf's neighbour first (RFC 6962
// section 2.1.1). Every tile that is read is checked against the root before it is believed.
func Prove(ctx context.Context, at tlog.Tree, index int64, from Tiles) ([]tlog.Hash, error) {
	if index < 0 || index >= at.N {
		return nil, fmt.Errorf("record %d is not among the %d of the tree", index, at.N)
	}
	p, err := tlog.ProveRecord(at.N, index, hashes(ctx, at, from))
	if err != nil {
		return nil, fmt.Errorf("prove record %d of %d: %w", index, at.N, err)
	}
	return p, nil
}

// Check tells by an error that the proof does not show this leaf at this index of the tree.
func Check(at tlog.Tree, index int64, leaf tlog.Hash, proof []tlog.Hash) error {
	if index < 0 || index >= at.N {
		return fmt.Errorf("record %d is not among the %d of the tree", index, at.N)
	}
	if err := tlog.CheckRecord(proof, at.N, at.Hash, index, leaf); err != nil {
		return fmt.Errorf("the proof does not lead from record %d to the root of %d records: %w", index, at.N, err)
	}
	return nil
}

// Consistent shows that a tree of size old is the beginning of a tree (RFC 6962 section 2.1.2). Nothing needs proof where old is 0 or
// the whole.
func Consistent(ctx context.Context, old int64, at tlog.Tree, from Tiles) ([]tlog.Hash, error) {
	switch {
	case old < 0 || old > at.N:
		return nil, fmt.Errorf("a tree of %d is not the beginning of one of %d", old, at.N)
	case old == 0 || old == at.N:
		return nil, nil
	}
	p, err := tlog.ProveTree(at.N, old, hashes(ctx, at, from))
	if err != nil {
		return nil, fmt.Errorf("prove that %d records begin %d: %w", old, at.N, err)
	}
	return p, nil
}

// CheckConsistent tells by an error that the proof does not show old to be the beginning of at.
func CheckConsistent(old, at tlog.Tree, proof []tlog.Hash) error {
	switch {
	case old.N < 0 || old.N > at.N:
		return fmt.Errorf("a tree of %d is not the beginning of one of %d", old.N, at.N)
	case old.N == 0 || old.N == at.N:
		if want := (tlog.Tree{N: old.N, Hash: Empty()}); len(proof) > 0 || old.N == 0 && old != want || old.N == at.N && old != at {
			return fmt.Errorf("trees of %d and %d records do not agree", old.N, at.N)
		}
		return nil
	}
	if err := tlog.CheckTree(proof, at.N, at.Hash, old.N, old.Hash); err != nil {
		return fmt.Errorf("%d records do not begin the %d: %w", old.N, at.N, err)
	}
	return nil
}
