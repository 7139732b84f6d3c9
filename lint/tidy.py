#!/usr/bin/env python3
"""tidy.py BUILD: clang-tidy over the library's sources, on all cores.

What is clean is remembered by its content in BUILD/tidy/: the file, what it includes of ours, the
configuration and the way it is compiled. Only what changed is looked at again.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TIDY = "clang-tidy-19"
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def included(path):
    """The files of ours that a file includes, directly."""
    for what in INCLUDE.findall(path.read_text(encoding="utf-8")):
        for root in (ROOT / "src", ROOT / "include", path.parent):
            if (root / what).is_file():
                yield (root / what).resolve()
                break


def closure(path):
    """A file and all of ours that it includes, sorted."""
    seen, waiting = {path}, [path]
    while waiting:
        fresh = set(included(waiting.pop())) - seen
        seen |= fresh
        waiting += fresh
    return sorted(seen)


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


def mark_of(path, command):
    """What a clean run of this file is remembered by."""
    digest = hashlib.sha256(command.encode() + (ROOT / ".clang-tidy").read_bytes())
    for file in closure(path):
        digest.update(str(file).encode() + b"\0" + file.read_bytes())
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
    todo = {path: mark_of(path, command) for path, command in units(build)}
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
