// Package main writes the TypeScript of the wire.
//
// Run from the root of the module: go run ./server/wire/tsgen. It reads the Go types of server/wire by reflection and writes
// frontend/src/wire/wire.ts; a field may give its TypeScript type in a ts tag.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	path := filepath.Join("frontend", "src", "wire", "wire.ts")
	if err := write(path); err != nil {
		fmt.Fprintln(os.Stderr, "tsgen:", err)
		os.Exit(1)
	}
}

func write(path string) error {
	text, err := generate()
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("make the folder of %s: %w", path, err)
	}
	if err := os.WriteFile(path, text, 0o644); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}
