#!/usr/bin/env python3
"""Checks from the #include lines that each room leans only on those below it.

  base < {runtime, observe} < net < {codec, registry, selector, transport, natsd, nats} <
       {discovery, broker} < {client, server, pubsub, events} < service

An implementation (a folder below a room) includes no other implementation of its room; only
src/service/defaults.cc names concrete plugins; public headers carry no third-party header but
protobuf's.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FLOORS = {
    "base": 0,
    "runtime": 1,
    "observe": 1,
    "net": 2,
    "codec": 3,
    "registry": 3,
    "selector": 3,
    "transport": 3,
    "natsd": 3,
    "nats": 3,
    "discovery": 4,
    "broker": 4,
    "events": 5,
    "client": 5,
    "server": 5,
    "pubsub": 5,
    "service": 6,
}
# Rooms of plugins: who else wants one asks for its interface in include/micro.
PLUGIN_ROOMS = {"codec", "registry", "selector", "transport", "broker", "events"}
# Knows nothing of the rest: a library of its own.
ALONE = {"natsd": {"base", "net", "runtime"}}
COMPOSITION = "src/service/defaults.cc"

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SYSTEM_HEADER = re.compile(r"^((arpa|net|netinet|sys)/[a-z_]+|[a-z]+)\.h$")  # C's and POSIX


def includes(path):
    """Yields (line number, bracket, what) of a file's include lines."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        match = INCLUDE.match(line)
        if match:
            yield number, match.group(1), match.group(2)


def room_of(parts):
    """The room of a path below src/, or None for a file that stands in no room."""
    return parts[0] if len(parts) > 1 else None


def implementation_of(parts):
    """The folder of a plugin below its room, such as ("registry", "mdns"), or None."""
    if len(parts) > 2 and parts[0] in PLUGIN_ROOMS:
        return parts[0], parts[1]
    return None


def floor_error(source, target):
    """Why a file of room `source` must not include one of room `target`; None if it may."""
    if source == target:
        return None
    for room in (source, target):
        if room not in FLOORS:
            return f"the room '{room}' has no floor; give it one in lint/floors.py"
    if source in ALONE and target not in ALONE[source]:
        return f"{source} stands alone and must not know {target}"
    if FLOORS[target] >= FLOORS[source]:
        return f"{source} must not lean on {target}, which does not stand below it"
    return None


def plugin_error(name, source, target):
    """Why the file `name` with parts `source` must not name the plugin of `target`."""
    wanted = implementation_of(target)
    if wanted is None or name == COMPOSITION or name.endswith("_test.cc"):
        return None
    own = implementation_of(source)
    if own == wanted:
        return None
    if own is not None and own[0] == wanted[0]:
        return f"the implementation {'/'.join(own)} must not include another, {'/'.join(wanted)}"
    return f"only {COMPOSITION} names concrete plugins, such as {'/'.join(wanted)}"


def check_source(path, complain):
    """One file below src/."""
    name = path.relative_to(ROOT).as_posix()
    parts = path.relative_to(ROOT / "src").parts
    source = room_of(parts)
    if source is None:
        return
    if source not in FLOORS:
        complain(name, 1, f"the room '{source}' has no floor; give it one in lint/floors.py")
        return
    for number, bracket, what in includes(path):
        if bracket != '"' or what.startswith("micro/"):
            continue
        target = tuple(what.split("/"))
        if not (ROOT / "src" / what).exists():
            continue
        if len(target) < 2:
            complain(name, number, f"include {what} by its path below src/")
            continue
        error = floor_error(source, target[0]) if not name.endswith("_test.cc") else None
        error = error or plugin_error(name, parts, target)
        if error:
            complain(name, number, error)


def public_error(bracket, what):
    """Why a public header must not include `what`; None if it may."""
    if bracket == '"':
        return None if what.startswith("micro/") else "public headers include public headers only"
    if what.startswith("google/protobuf/") or "/" not in what and "." not in what:
        return None
    if SYSTEM_HEADER.match(what):
        return None
    return f"<{what}>: public headers carry no third-party header but protobuf's"


def check_public(path, complain):
    """One file below include/micro/; what helps testing may use GoogleTest."""
    name = path.relative_to(ROOT).as_posix()
    for number, bracket, what in includes(path):
        if name.startswith("include/micro/testing/") and what.startswith(("gtest/", "gmock/")):
            continue
        error = public_error(bracket, what)
        if error:
            complain(name, number, error)


def files(folder, *suffixes):
    """The files below a folder, sorted."""
    return sorted(p for p in (ROOT / folder).rglob("*") if p.suffix in suffixes)


def main():
    complaints = []

    def complain(name, number, text):
        complaints.append(f"{name}:{number}: {text}")

    for path in files("src", ".h", ".cc"):
        check_source(path, complain)
    for path in files("include/micro", ".h", ".def"):
        check_public(path, complain)
    print("\n".join(complaints) or "every room leans on those below it")
    return 1 if complaints else 0


sys.exit(main())
