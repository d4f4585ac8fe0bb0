#!/usr/bin/env bash
# Runs the browser tests against the real binary. Each spec has a server of its own, on a free port and with a store of its own, so two specs
# run at once (WORKERS names another number) and none sees what another has sent. A spec's name runs it alone: e2e.sh wall.spec.ts
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ $# = 0 ]; then
  # console, the longest, begins first.
  printf '%s\n' console.spec.ts $(cd frontend/e2e && ls -- *.spec.ts | grep -vx console.spec.ts) | xargs -P "${WORKERS:-2}" -n 1 "deploy/tools/${0##*/}"
  exit
fi
# What fails is tried once more, on a server and a store of its own, and said aloud: on a shared machine a browser may be late once.
if [ -z "${TRY:-}" ]; then
  TRY=1 "deploy/tools/${0##*/}" "$1" && exit
  TRY=2 "deploy/tools/${0##*/}" "$1" && echo "FLAKY $1" && exit
  exit 1
fi
export CHROMIUM="${CHROMIUM:-$(command -v chromium || echo /usr/bin/chromium)}"
scratch=$(mktemp -d)
: >"$scratch/log"
export KENTONGAN_TOKEN="e2e-token-e2e-token-e2e-token-e2e-0000"
KENTONGAN_ADMIN_TOKEN=$KENTONGAN_TOKEN KENTONGAN_LOG_FORMAT=json KENTONGAN_LISTEN=127.0.0.1:0 KENTONGAN_DATA_DIR="$scratch/data" \
  bin/kentongan serve --config deploy/e2e.yaml >"$scratch/log" 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || true; wait $server 2>/dev/null || true; rm -rf "$scratch"' EXIT
for _ in $(seq 200); do
  addr=$(sed -nE 's/.*"addr":"([^"]+)".*"message":"listening".*/\1/p;s/.*"message":"listening".*"addr":"([^"]+)".*/\1/p' "$scratch/log" | head -1)
  [ -n "$addr" ] && break
  kill -0 $server 2>/dev/null || { cat "$scratch/log"; exit 1; }
  sleep 0.1
done
[ -n "$addr" ] || { echo "the server did not listen within 20 s"; cat "$scratch/log"; exit 1; }
export KENTONGAN_URL="http://$addr"
if ! (cd frontend && node e2e/run.mjs "$1"); then
  echo "--- the server's log of $1"
  tail -40 "$scratch/log"
  exit 1
fi
