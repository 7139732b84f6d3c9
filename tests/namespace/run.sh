#!/bin/sh
# run.sh UNIT_TESTS FILTER: runs unit tests that make and remove network interfaces, in a network
# namespace of their own with nothing but lo. Exit code 77, skipped, where there can be none.
set -eu
unshare -rn ip link set lo up 2>/dev/null || exit 77
exec unshare -rn sh -c 'ip link set lo up && exec "$@"' sh \
  env MICRO_TEST_NAMESPACE=1 "$1" --gtest_filter="$2"
