#!/usr/bin/env bash
# Runs `go test FLAGS PACKAGES`, called as: go-tests.sh FLAGS -- PACKAGES. A test that fails is run a second time, alone, with its first
# output kept above and its name after FLAKY: several whole servers beside each other on two cores are late for one another now and then.
# What no load explains is not tried again: a data race, a panic, a package that ran out of time or was not built.
set -uo pipefail
cd "$(dirname "$0")/../.."
flags=()
while [ "$1" != -- ]; do flags+=("$1"); shift; done
shift
out=$(mktemp)
trap 'rm -f "$out"' EXIT
go test "${flags[@]}" "$@" 2>&1 | tee "$out"
code=${PIPESTATUS[0]}
[ "$code" = 0 ] && exit 0
grep -qE '^(WARNING: DATA RACE|panic:|fatal error:)|\[(build|setup) failed\]' "$out" && exit "$code"
again=$(awk '/^--- FAIL: /{names = names (names ? "|" : "") $3} /^FAIL\t/{print $2, (names ? names : "-"); names = ""} /^ok /{names = ""}' "$out")
[ -z "$again" ] && exit "$code"
while read -r package names; do
  [ "$names" = - ] && exit "$code"
  echo "FLAKY $package: $names failed once, and is run again alone"
  go test "${flags[@]}" -count=1 -run "^($names)\$" "$package" || exit 1
done <<<"$again"
