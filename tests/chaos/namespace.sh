#!/bin/sh
# namespace.sh COMMAND...: runs it within a network of its own: one switch, micro0, on which it has
# the address 10.78.0.1. It may plug in more machines, as `ip netns`. 77 where that cannot be.
set -eu
if [ "${MICRO_CHAOS_NETWORK:-}" != own ]; then
  unshare -rnm true 2>/dev/null || {
    echo "skipped: this machine lets nobody make network namespaces (unshare -rnm)"
    exit 77
  }
  MICRO_CHAOS_NETWORK=own exec unshare -rnm "$0" "$@"
fi
mount -t tmpfs none /run # where `ip netns` keeps its names
ip link set lo up
ip link add micro0 type bridge
ip address add 10.78.0.1/24 dev micro0
ip link set micro0 up
exec "$@"
