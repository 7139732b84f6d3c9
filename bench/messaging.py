#!/usr/bin/env python3
"""messaging.py BUILD [WORD...]: our NATS server beside nats-server, in one run.

Both get the same load from bench-nats-load, in turn, round after round, each time as a fresh
process on 127.0.0.1; what is shown are the medians. Words pick groups of loads: sizes, shapes,
subjects, requests, routed, memory; "short" measures less. BENCH_ROUNDS (3) and BENCH_MESSAGES (1, a
factor) say how much is measured.

What counts is the CPU time that the server takes for a million messages: on a machine that the load
shares with the server, messages a second say as much about the load. The ratio is nats-server's
figure by ours.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

BUILD = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build")
WORDS = set(sys.argv[2:])
SHORT = "short" in WORDS
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "1" if SHORT else "3"))
FACTOR = float(os.environ.get("BENCH_MESSAGES", "0.1" if SHORT else "1"))
GENERATOR = BUILD / "bin" / "bench-nats-load"
SIZES = (0, 16, 128, 1024, 16384)
GROUPS = ("sizes", "shapes", "subjects", "requests", "routed", "memory")

CONFIGURATION = """
host: 127.0.0.1
port: -1
max_pending: 512MB
ports_file_dir: "{directory}"
cluster {{ name: bench, listen: "127.0.0.1:-1", no_advertise: true, routes: [{routes}] }}
"""


class Failure(Exception):
    """Something that makes the figures worthless."""


# --- servers ----------------------------------------------------------------------------------

def find_servers():
    """{name: program} of those that are here."""
    found = {"micro": BUILD / "bin" / "micro-nats-server"}
    found = {name: path for name, path in found.items() if path.exists()}
    theirs = shutil.which("nats-server") or shutil.which("nats-server", path="/usr/sbin")
    if theirs:
        found["nats-server"] = theirs
    else:
        print("bench: without nats-server, which is not installed", file=sys.stderr)
    return found


class Server:
    """A server process; the `with` statement ends it."""

    def __init__(self, program, routes=()):
        self._directory = tempfile.TemporaryDirectory()
        directory = pathlib.Path(self._directory.name)
        (directory / "x.conf").write_text(CONFIGURATION.format(
            directory=directory, routes=", ".join(routes)))
        self._log = open(directory / "log", "w+b")
        self.process = subprocess.Popen([str(program), "-c", str(directory / "x.conf")],
                                        stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        self.ports = self._wait(directory)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self._log.close()
        self._directory.cleanup()

    def port(self):
        """Where clients connect."""
        return self.ports["nats"][0].rsplit(":", 1)[1]

    def route(self):
        """Where other servers connect."""
        return "nats-route://127.0.0.1:" + self.ports["cluster"][0].rsplit(":", 1)[1]

    def _wait(self, directory):
        until = time.monotonic() + 20
        while time.monotonic() < until and self.process.poll() is None:
            for file in directory.glob("*.ports"):
                text = file.read_text()
                if text.strip().endswith("}"):
                    return json.loads(text)
            time.sleep(0.01)
        self._log.seek(0)
        words = self._log.read().decode(errors="replace")
        self.__exit__()
        raise Failure(f"the server did not start:\n{words}")


# --- loads ------------------------------------------------------------------------------------

class Load(NamedTuple):
    """What is asked of the generator, and how many servers it takes."""
    group: str
    name: str
    arguments: list
    routed: bool = False


def messages(size, copies):
    """As many as take about a second."""
    return max(1000, int(FACTOR * min(3e6 / max(1, copies) ** 0.8,
                                      1.5e9 / ((size + 60) * max(1, copies)))))


def publish(group, name, size, publishers=1, subscribers=1, queue=None, routed=False, **more):
    """A load of messages that are published and counted where they arrive."""
    copies = 1 if queue else subscribers
    arguments = ["publish", f"--size={size}", f"--publishers={publishers}",
                 f"--subscribers={subscribers}", f"--messages={messages(size, copies)}"]
    arguments += [f"--queue={queue}"] if queue else []
    arguments += [f"--{key}={value}" for key, value in more.items()]
    return Load(group, name, arguments, routed)


def all_loads():
    """Every load there is, in the order of the tables."""
    loads = []
    for publishers, subscribers in ((1, 0), (1, 1), (1, 4), (1, 100), (4, 4)):
        loads += [publish("sizes", f"{publishers}:{subscribers}, {size} B", size, publishers,
                          subscribers) for size in SIZES]
    loads += [publish("shapes", f"queue of 4, {size} B", size, 1, 4, queue="q")
              for size in (16, 1024)]
    loads += [publish("shapes", f"1:4, subscribed to {pattern}, 16 B", 16, 1, 4, pattern=pattern)
              for pattern in ("bench.*", "bench.>", ">")]
    loads += [publish("subjects", f"1:1, {subjects:,} subjects, 16 B", 16, subjects=subjects)
              for subjects in (1000, 100000)]
    loads += [publish("subjects", f"1:1, {subjects:,} subjects to one pattern, 16 B", 16,
                      subjects=subjects, pattern="bench.*") for subjects in (1000, 100000)]
    seconds = 0.5 if SHORT else 1.5
    loads += [Load("requests", f"{window} in flight, {size} B",
                   ["request", f"--size={size}", f"--window={window}", f"--seconds={seconds}"])
              for window in (1, 50) for size in (16, 1024)]
    loads += [publish("routed", f"1:1 over a route, {size} B", size, routed=True)
              for size in SIZES]
    loads += [publish("routed", "1:4 over a route, 128 B", 128, 1, 4, routed=True),
              publish("routed", "queue of 4 over a route, 16 B", 16, 1, 4, queue="q", routed=True)]
    loads.append(Load("memory", "1,000 idle connections", ["idle", "--connections=1000"]))
    return loads


def generate(arguments, servers, far):
    """One run of the generator: its figures as a {name: number}."""
    pids = ",".join(str(server.process.pid) for server in servers)
    command = [str(GENERATOR), *arguments, f"--port={servers[-1].port()}", f"--pids={pids}"]
    if far:
        command.append(f"--publish_port={servers[0].port()}")
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return {key: float(value) for key, value in
            (pair.split("=") for pair in done.stdout.split())}


def measure(program, load):
    """One run of a load on fresh servers."""
    with Server(program) as first:
        if not load.routed:
            return generate(load.arguments, [first], False)
        with Server(program, [first.route()]) as second:
            return generate(load.arguments, [first, second], True)


# --- tables -----------------------------------------------------------------------------------

class Column(NamedTuple):
    """What a table shows of a run, and whether less is better."""
    title: str
    value: object
    less: bool
    digits: int = 0


RATE = Column("messages/s", lambda f: f["rate"], False)
CPU = Column("server CPU s per million", lambda f: f["cpu"], True, 3)
MEMORY = Column("peak MiB", lambda f: f["peak_kib"] / 1024, True, 1)
COLUMNS = {
    "requests": [Column("requests/s", lambda f: f["rate"], False),
                 Column("p50 µs", lambda f: f["p50_us"], True, 1),
                 Column("p99 µs", lambda f: f["p99_us"], True, 1),
                 Column("server CPU s per million",
                        lambda f: f["server_cpu"] * 1e6 / f["calls"], True, 3), MEMORY],
    "memory": [Column("KiB each", lambda f: (f["after_kib"] - f["before_kib"]) / 1000, True, 2),
               Column("MiB before", lambda f: f["before_kib"] / 1024, True, 1)],
}
TITLES = {
    "sizes": "Publishers : subscribers, by size",
    "shapes": "Queue groups and wildcards",
    "subjects": "Many subjects",
    "requests": "Request and reply",
    "routed": "Two servers, a route between them (CPU and memory of both)",
    "memory": "Idle connections with a subscription each",
}


def ratio(ours, theirs, less):
    """How many times better ours is."""
    best, other = (theirs, ours) if less else (ours, theirs)
    return f"{best / other:.2f}" if other > 0 else "-"


def row(load, figures, columns):
    """One line of a table: for each column ours, theirs and the ratio."""
    cells = []
    for column in columns:
        medians = {name: statistics.median(map(column.value, runs))
                   for name, runs in figures.items()}
        cells += [f"{median:,.{column.digits}f}" for median in medians.values()]
        if len(medians) == 2:
            cells.append("**" + ratio(*medians.values(), column.less) + "**")
    return f"| {load.name} | " + " | ".join(cells) + " |"


def print_table(group, loads, rows, names):
    """All loads of a group, as Markdown."""
    columns = COLUMNS.get(group, [RATE, CPU, MEMORY])
    heads = []
    for column in columns:
        heads += [f"{name}: {column.title}" for name in names]
        heads += ["ratio"] if len(names) == 2 else []
    print(f"\n### {TITLES[group]}\n\n| load | " + " | ".join(heads) + " |")
    print("|---|" + "---:|" * len(heads))
    for load in loads:
        if load.group == group:
            print(row(load, rows[load.name], columns))


def main():
    chosen = [group for group in GROUPS if group in WORDS] or list(GROUPS)
    unknown = WORDS - set(GROUPS) - {"short"}
    if unknown:
        sys.exit(f"bench: there is no {', '.join(sorted(unknown))}; there are {', '.join(GROUPS)}")
    servers = find_servers()
    loads = [load for load in all_loads() if load.group in chosen]
    rows = {load.name: {name: [] for name in servers} for load in loads}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        for load in loads:
            for name, program in servers.items():
                rows[load.name][name].append(measure(program, load))
    for group in chosen:
        print_table(group, loads, rows, list(servers))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as failure:
        sys.exit(f"bench: {failure}")
