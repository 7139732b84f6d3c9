#!/usr/bin/env python3
"""tidy.py BUILD: clang-tidy over the library's sources, on all cores.

What is clean is remembered by its content in BUILD/tidy/: the file, all headers of ours, the
configuration and the way it is compiled. Only what changed is looked at again.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"


def header_digest():
    """A digest of everything that may matter to any file."""
    digest = hashlib.sha256()
    headers = [p for folder in ("include", "src", "codegen")
               for p in (ROOT / folder).rglob("*") if p.suffix in (".h", ".def")]
    for path in [ROOT / ".clang-tidy", *sorted(headers)]:
        digest.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return digest


def units(build):
    """The sources to look at, as rows of the compilation database. Tests are left to their own
    assertions: GoogleTest's macros are most of what clang-tidy would talk about."""
    rows = json.loads((build / "compile_commands.json").read_text())
    for row in rows:
        path = pathlib.Path(row["file"])
        if not path.is_relative_to(ROOT) or path.name.endswith("_test.cc"):
            continue
        if path.relative_to(ROOT).parts[0] in ("src", "codegen"):
            yield path, row["command"]


def mark_of(shared, path, command):
    """What a clean run of this file is remembered by."""
    digest = shared.copy()
    digest.update(command.encode() + path.read_bytes())
    return digest.hexdigest()


def look_at(build, path):
    """Runs clang-tidy over one file: (clean, what it said)."""
    done = subprocess.run(
        [TIDY, "-p", str(build), "--quiet", "--warnings-as-errors=*", str(path)],
        capture_output=True, text=True, check=False)
    return done.returncode == 0, done.stdout + (done.stderr if done.returncode else "")


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    remembered = build / "tidy"
    remembered.mkdir(exist_ok=True)
    shared = header_digest()
    todo = {path: mark_of(shared, path, command) for path, command in units(build)}
    marks = set(todo.values())
    for old in remembered.iterdir():
        if old.name not in marks:
            old.unlink()
    fresh = [path for path, mark in todo.items() if not (remembered / mark).exists()]
    print(f"{len(todo)} files, {len(fresh)} of them new or changed", flush=True)
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {pool.submit(look_at, build, path): path for path in fresh}
        for run in concurrent.futures.as_completed(runs):
            clean, words = run.result()
            if clean:
                (remembered / todo[runs[run]]).touch()
                continue
            bad += 1
            print(words, flush=True)
    return 1 if bad else 0


sys.exit(main())
