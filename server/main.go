// Package main is ten lines.
package main

import (
	"os"

	"kentongan/server/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], os.Environ(), os.Stdout, os.Stderr)) }
