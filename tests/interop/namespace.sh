#!/bin/sh
# namespace.sh COMMAND...: within a fresh network namespace (`unshare -rn`), runs a command that
# sees one Ethernet with a private address and multicast, as a machine in a small office does.
set -eu
ip link set lo up
ip link add micro0 type veth peer name micro1
ip address add 10.77.0.1/24 dev micro0
ip link set micro0 up
ip link set micro1 up
ip route add default dev micro0
exec "$@"
