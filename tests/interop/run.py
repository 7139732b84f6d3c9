#!/usr/bin/env python3
"""run.py BUILD [WORD]...: we and others, on the wire. WORDs choose groups: see GROUPS.

A line for each case, then "N passed, N failed, N skipped". What the machine has no tools for is
skipped and says so. All traffic stays on 127.0.0.1, or in a network namespace of the tests' own.
"""

import pathlib
import sys
import time

import browser
import discovery
import gomicro
import grpc_cases
import grpcurl_cases
import h2spec
import hello
import nats_suite
from harness import Tally

GROUPS = {"hello": hello, "grpc": grpc_cases, "h2spec": h2spec, "grpcurl": grpcurl_cases,
          "gomicro": gomicro, "discovery": discovery, "browser": browser, "nats": nats_suite}


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    words = sys.argv[2:] or list(GROUPS)
    unknown = set(words) - set(GROUPS)
    if unknown:
        sys.exit(f"run.py: there is no group {', '.join(unknown)}; known: {', '.join(GROUPS)}")
    folder = build / "interop"  # kept, so that Go programs are built once
    folder.mkdir(exist_ok=True)
    tally = Tally()
    for word in words:
        start = time.monotonic()
        GROUPS[word].run_all(tally, build / "bin", folder)
        print(f"         {word}: {time.monotonic() - start:.1f} s", flush=True)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
