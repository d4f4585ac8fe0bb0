#!/usr/bin/env bash
# Writes the binary wire in Go and TypeScript from server/wire/proto. Fails where the schema is untidy or would break screens that are
# open now: buf breaking holds it against baseline.binpb, the schema as it was committed last. An addition passes and refreshes the
# baseline by itself: commit both. A break on purpose: delete the baseline, run this, and say in the commit how old screens are told.
set -euo pipefail
cd "$(dirname "$0")/../.."

buf=frontend/node_modules/.bin/buf
schema=server/wire/proto
baseline=$schema/baseline.binpb

"$buf" format --diff --exit-code "$schema"
"$buf" lint "$schema"
if [ -f "$baseline" ]; then "$buf" breaking "$schema" --against "$baseline"; fi
"$buf" generate "$schema" --template "$schema/buf.gen.yaml"
"$buf" build "$schema" --exclude-source-info -o "$baseline"
