#!/usr/bin/env bash
# demo.sh BIN: two instances of the hello-world service, one of which dies; says what it does.
set -euo pipefail

bin=$1
logs=$(mktemp -d)
declare -A instances=()  # pid -> log

# Found over multicast DNS on the loopback interface: no other machine sees the demo.
export MICRO_REGISTRY=mdns
export MICRO_REGISTRY_ADDRESS=127.0.0.1

say() { printf '\n%s\n' "$*"; }

end_instance() {
  kill "-$2" "$1" 2>/dev/null || true
  wait "$1" 2>/dev/null || true
  unset "instances[$1]"
}

clean_up() {
  local pid
  for pid in "${!instances[@]}"; do
    end_instance "$pid" TERM
  done
  rm -rf "$logs"
}
trap clean_up EXIT

fail() {
  local log
  printf '\nThe demo failed: %s\n' "$*" >&2
  for log in "$logs"/*; do
    printf -- '--- %s\n' "$(basename "$log")" >&2
    cat "$log" >&2
  done
  exit 1
}

start_instance() {
  local log=$logs/instance-$1.log
  "$bin/helloworld" --server_address=127.0.0.1:0 >"$log" 2>&1 &
  instances[$!]=$log
}

call() { "$bin/helloworld-client" John --show_node "$@" 2>"$logs/client.log"; }

# The addresses that answered, one a line.
who_answered() { sed -n 's/^.* at \(.*\))$/\1/p' | sort -u; }

check_alive() {
  local pid
  for pid in "${!instances[@]}"; do
    kill -0 "$pid" 2>/dev/null || fail "an instance ended by itself"
  done
}

wait_for_both() {
  local until=$((SECONDS + 20)) answers=""
  while [[ $(who_answered <<<"$answers" | wc -l) -lt 2 ]]; do
    ((SECONDS < until)) || fail "both instances were not found within 20 s"
    check_alive
    answers=$(call -n 10) || true
  done
}

# count_by_node ANSWERS
count_by_node() { sort <<<"$1" | uniq -c | sed 's/^ */  /; s/\([0-9]\) /\1 × /'; }

show_both() {
  local answers
  say "Calling the service \"helloworld\" ten times, by its name. Who answered:"
  answers=$(call -n 10) || fail "a call did not succeed"
  count_by_node "$answers"
}

kill_one() {
  local pid address
  pid=$(printf '%s\n' "${!instances[@]}" | head -1)
  address=$(sed -n 's/.*listening on \([^ ]*\).*/\1/p' "${instances[$pid]}" | head -1)
  say "Killing the one at $address with SIGKILL: it has no chance to say goodbye."
  end_instance "$pid" KILL
}

call_on() {
  local answers
  say "Calling twenty times more:"
  answers=$(call -n 20) || fail "a call did not succeed though one instance is alive"
  count_by_node "$answers"
  [[ $(wc -l <<<"$answers") -eq 20 ]] || fail "there should be twenty answers"
  say "Twenty calls, none failed: the other one answers."
}

say "Starting two instances of helloworld. No address is configured: they take any free port
and announce themselves over multicast DNS on the loopback interface."
start_instance 1
start_instance 2
wait_for_both
say "Both were found."
show_both
kill_one
call_on
say "Done. The service is examples/helloworld/helloworld.cc, the client helloworld_client.cc."
