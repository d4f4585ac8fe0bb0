#!/usr/bin/env bash
# Brings the programs the tests need, by Debian package name: installs them as root, else says exactly what to install.
set -euo pipefail
PATH=$PATH:/usr/bin
present() {
  case "$1" in
    chromium) [ -n "${CHROMIUM:-}" ] || command -v chromium >/dev/null ;;
    *) command -v "$1" >/dev/null ;;
  esac
}
missing=()
for package in "$@"; do present "$package" || missing+=("$package"); done
[ ${#missing[@]} -eq 0 ] && exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  # A package must not start its service here: the tests start their own.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e "$policy" ]; then printf '#!/bin/sh\nexit 101\n' >"$policy"; chmod 755 "$policy"; trap 'rm -f "$policy"' EXIT; fi
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
  for package in "${missing[@]}"; do # a package that is installed but whose program was taken away
    present "$package" || apt-get install -y -qq --reinstall "$package" >/dev/null
  done
  exit 0
fi
echo "The tests need: ${missing[*]}" >&2
echo "On Debian or Ubuntu: sudo apt-get install ${missing[*]}" >&2
echo "Elsewhere: install them and put them on PATH (CHROMIUM=/path/to/browser names another Chromium)." >&2
exit 1
