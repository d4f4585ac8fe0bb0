#!/usr/bin/env bash
# Runs the tests in files tagged !race: what one goroutine reads by the million, and what measures memory. The race detector would find
# nothing there and take six times as long. Arguments go to `go test`.
set -euo pipefail
cd "$(dirname "$0")/../.."
mapfile -t files < <(grep -rlE --include='*_test.go' '^//go:build (.* && )?!race$' server geo feeds alerts)
names=$(sed -nE 's/^func (Test[A-Za-z0-9_]+)\(.*/\1/p' "${files[@]}" | paste -sd'|')
mapfile -t packages < <(printf './%s\n' "${files[@]%/*}" | sort -u)
exec deploy/tools/go-tests.sh "$@" -run "^($names)\$" -- "${packages[@]}"
