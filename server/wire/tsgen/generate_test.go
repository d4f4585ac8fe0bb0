package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

func TestCommittedFileIsWhatTheTypesSay(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join("..", "..", "..", "frontend", "src", "wire", "wire.ts"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("frontend/src/wire/wire.ts is not what server/wire says: make generate")
	}
}
