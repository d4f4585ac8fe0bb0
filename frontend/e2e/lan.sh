#!/bin/sh
# A network of the test's own, with one address besides loopback and a machine's name, in which lan.mjs runs: unshare -rnmu sh lan.sh
set -eu
hostname posko
ip link set lo up
ip link add lan0 type veth peer name lan1
ip link set lan1 up
ip addr add 10.77.0.1/24 dev lan0
ip link set lan0 up
# Chromium trusts what the managed policy says; it is written where only this namespace sees it.
mount -t tmpfs tmpfs /etc/chromium
mkdir -p /etc/chromium/policies/managed
exec node "$(dirname "$0")/lan.mjs"
