#!/usr/bin/env python3
"""run.py BUILD [servers] [clients] [streams] [costs]: our RPC beside that of others.

Ours, grpc++, grpc-go, go-micro v2 and a lean nghttp2 server, all in one run on 127.0.0.1. Absolute
figures differ from machine to machine and from hour to hour: the rounds are interleaved, and what
counts are the ratios of the medians. BENCH_ROUNDS (5) and BENCH_CALLS (100000, of small messages
for each load of each round) say how much is measured.
"""

import os
import pathlib
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple, Optional

import peers

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CALLS = int(os.environ.get("BENCH_CALLS", "100000"))
PATH = "/bench.EchoService/Unary"
MIB = 1 << 20

HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
JSON_HEADERS = ["-H", "content-type: application/grpc+json", "-H", "te: trailers"]
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if "proxy" not in k.lower() and not k.startswith("MICRO_")}


class Failure(Exception):
    """Something that makes the figures worthless."""


class Figures(NamedTuple):
    """What one run gave: calls (or messages) a second, µs, and CPU µs a call."""
    rate: float
    p50: Optional[float] = None
    p99: Optional[float] = None
    client: Optional[float] = None
    server: Optional[float] = None


# --- programs ---------------------------------------------------------------------------------

class Stack(NamedTuple):
    """A server and a client of the same make; None where there is none."""
    server: Optional[list]
    client: Optional[list]


def find_stacks(build):
    """{name: Stack}, for all that this machine can have."""
    binaries = build / "bin"
    stacks = {
        "micro": Stack([binaries / "bench-echo-server"], [binaries / "bench-load-client"]),
        "micro, blocking": Stack([binaries / "bench-echo-server", "--blocking"],
                                 [binaries / "bench-load-client", "--blocking"]),
        "grpc++": Stack([binaries / "bench-grpcpp-server"], [binaries / "bench-grpcpp-client"]),
    }
    for name, module in (("grpc-go", "grpcgo"), ("go-micro v2", "gomicro")):
        programs = peers.build(module, build / "bench-peers")
        if isinstance(programs, str):
            print(f"bench: without {name}: {programs}", file=sys.stderr)
        else:
            stacks[name] = Stack([programs["server"]], [programs["client"]])
    stacks["lean nghttp2"] = Stack([binaries / "bench-lean-server"], None)
    return stacks


def run(command, timeout=120):
    """The output of a command that must succeed."""
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=timeout,
                          env=ENVIRONMENT, check=False)
    if done.returncode != 0:
        raise Failure(f"{' '.join(map(str, command))}: exit code {done.returncode}\n"
                      f"{done.stdout}{done.stderr}")
    return done.stdout


def free_address():
    """A loopback address whose port is free at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


class Server:
    """A server process under measurement; the `with` statement ends it."""

    def __init__(self, name, command):
        self.name = name
        self.address = free_address()
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*map(str, command), f"--server_address={self.address}"], stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=self._log, env=ENVIRONMENT)
        self._wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def cpu(self):
        """Seconds of CPU it has taken, from the clock that Linux keeps of each process."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def _wait(self):
        host, port = self.address.split(":")
        until = time.monotonic() + 10
        while time.monotonic() < until and self._process.poll() is None:
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        self._log.seek(0)
        words = self._log.read().decode(errors="replace")
        self.__exit__()
        raise Failure(f"the server '{self.name}' did not start:\n{words}")


def in_turn(jobs):
    """Runs each job, a {key: function that gives Figures}, once a round: {key: [Figures]}."""
    rows = {}
    for number in range(ROUNDS):
        print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
        for key, job in jobs.items():
            rows.setdefault(key, []).append(job())
    return rows


# --- loads ------------------------------------------------------------------------------------

def varint(number):
    """As protobuf writes it."""
    head, rest = number & 0x7F, number >> 7
    return bytes([head | 0x80]) + varint(rest) if rest else bytes([head])


def framed(message):
    """A gRPC message: not compressed, and its length."""
    return b"\x00" + len(message).to_bytes(4, "big") + message


def echo(size):
    """bench.proto's Echo{name: "greeter-0042", seq: 77, data: size × "x"}."""
    return framed(b"\x0a\x0cgreeter-0042" + b"\x10\x4d" + b"\x1a" + varint(size) + b"x" * size)


# The same, with 16 bytes of data.
ECHO_JSON = framed(b'{"name":"greeter-0042","seq":"77","data":"eHh4eHh4eHh4eHh4eHh4eA=="}')


class H2Load:
    """A load of h2load's."""

    def __init__(self, folder, connections, streams, calls, body=echo(16), headers=None, tls=False):
        self._body = folder / f"body-{len(body)}"
        self._body.write_bytes(body)
        self._log = folder / "requests"
        self._folder, self._calls, self._headers = folder, calls, headers or HEADERS
        self._scheme = "https" if tls else "http"
        self._shape = [f"-c{connections}", f"-m{streams}", f"-n{calls}"]

    def verify(self, server):
        """One call, looked at closely: h2load takes a gRPC error for a success."""
        head, answer = self._folder / "head", self._folder / "answer"
        http2 = "--http2" if self._scheme == "https" else "--http2-prior-knowledge"
        run(["curl", "-sSk", "--max-time", "10", http2, *self._headers, "--data-binary",
             f"@{self._body}", "-D", head, "-o", answer, self._url(server)])
        if not re.search(r"^grpc-status: *0\s*$", head.read_text(), re.MULTILINE):
            raise Failure(f"'{server.name}' does not answer with grpc-status 0:\n"
                          f"{head.read_text()}")
        if len(answer.read_bytes()) != len(self._body.read_bytes()):
            raise Failure(f"'{server.name}' does not echo: {answer.read_bytes()[:200]!r}")

    def run(self, server):
        """One run, as Figures; the CPU is the server's."""
        self._log.unlink(missing_ok=True)
        before = server.cpu()
        words = run(["h2load", "-t1", *self._shape, "-d", self._body, *self._headers, "--log-file",
                     self._log, self._url(server)])
        spent = server.cpu() - before
        done = re.search(r"(\d+) succeeded", words)
        rate = re.search(r"finished in .*?, ([0-9.]+) req/s", words)
        if not done or int(done.group(1)) != self._calls or not rate:
            raise Failure(f"h2load to '{server.name}' lost calls:\n{words}")
        with self._log.open() as log:
            latencies = sorted(int(line.split()[2]) for line in log)
        return Figures(float(rate.group(1)), latencies[len(latencies) // 2],
                       latencies[len(latencies) * 99 // 100], None, spent / self._calls * 1e6)

    def _url(self, server):
        return f"{self._scheme}://{server.address}{PATH}"


def call(client, server, *flags):
    """One run of a load client, as Figures with the CPU of both sides."""
    before = server.cpu()
    line = run([*client, f"--server_address={server.address}", "--seconds=1", *flags])
    spent = server.cpu() - before
    figures = {key: float(value) for key, value in re.findall(r"(\w+)=([0-9.]+)", line)}
    latencies = [figures[key] or None for key in ("p50_us", "p99_us")]
    return Figures(figures["rate"], *latencies, figures["client_us"],
                   spent / figures["calls"] * 1e6)


# --- tables -----------------------------------------------------------------------------------

def median(rows, key, column):
    """The median over the rounds of one figure; None where it was not taken."""
    values = [getattr(row, column) for row in rows[key] if getattr(row, column) is not None]
    return statistics.median(values) if values else None


COLUMNS = {"rate": ("per second", "{:,.0f}"), "p50": ("p50 µs", "{:,.0f}"),
           "p99": ("p99 µs", "{:,.0f}"), "client": ("client CPU µs", "{:,.2f}"),
           "server": ("server CPU µs", "{:,.2f}")}


def table(title, rows):
    """Prints the medians, a line for each row, in groups by the second part of its key."""
    columns = [name for name in COLUMNS if any(median(rows, key, name) for key in rows)]
    print(f"\n## {title}\n")
    print("| load | | " + " | ".join(COLUMNS[name][0] for name in columns) + " |")
    print("|---|---|" + "---:|" * len(columns))
    for name, load in sorted(rows, key=lambda key: [load for _, load in rows].index(key[1])):
        cells = []
        for column in columns:
            value = median(rows, (name, load), column)
            cells.append("" if value is None else COLUMNS[column][1].format(value))
        print(f"| {load} | {name} | " + " | ".join(cells) + " |")
    print()


def ratio(rows, column, load, ours, other, target=None):
    """Prints one ratio of medians, beside what it is meant to be."""
    if (ours, load) not in rows or (other, load) not in rows:
        return
    value = median(rows, (ours, load), column) / median(rows, (other, load), column)
    verdict = ""
    if target is not None:
        verdict = f"   target <= {target:.2f}: {'reached' if value <= target else 'missed'}"
    print(f"{COLUMNS[column][0] + ', ' + load + ': ' + ours + ' / ' + other:70}{value:>6.2f}"
          f"{verdict}", flush=True)


# --- what is measured ---------------------------------------------------------------------------

class Bench:
    """The benchmarks, which share programs and a folder."""

    def __init__(self, stacks, folder):
        self._stacks, self._folder = stacks, folder

    def servers(self):
        """All servers under the same h2load."""
        few = CALLS // 10
        loads = {"1 x 1": H2Load(self._folder, 1, 1, few),
                 "1 x 64": H2Load(self._folder, 1, 64, CALLS),
                 "8 x 100": H2Load(self._folder, 8, 100, CALLS),
                 "1 MiB, 1 x 8": H2Load(self._folder, 1, 8, max(CALLS // 300, 8), echo(MIB))}
        rows = self._under_h2load({name: (stack.server, loads)
                                   for name, stack in self._stacks.items()})
        table("Servers under h2load (connections x streams)", rows)
        for load in ("1 x 64", "8 x 100"):
            ratio(rows, "server", load, "micro", "grpc++", 0.20)
            ratio(rows, "server", load, "micro", "lean nghttp2", 1.33)
        ratio(rows, "p50", "1 x 1", "micro", "grpc++", 0.60)
        for other in ("grpc-go", "go-micro v2"):
            ratio(rows, "server", "8 x 100", "micro", other)
        for other in ("grpc++", "grpc-go"):
            ratio(rows, "server", "1 MiB, 1 x 8", "micro", other)

    def clients(self):
        """All clients against the lean server, by calls outstanding."""
        loads = {"1": ("--outstanding=1",), "64": ("--outstanding=64",),
                 "800": ("--outstanding=800",),
                 "1 MiB, 8": ("--outstanding=8", f"--bytes={MIB}")}
        clients = {name: stack.client for name, stack in self._stacks.items() if stack.client}
        with Server("lean nghttp2", self._stacks["lean nghttp2"].server) as server:
            rows = in_turn({(name, load): lambda client=client, flags=flags:
                            call(client, server, *flags)._replace(server=None)
                            for load, flags in loads.items() for name, client in clients.items()
                            if not (name == "micro, blocking" and load == "800")})
        table("Clients of the lean server (calls outstanding)", rows)
        ratio(rows, "client", "64", "micro", "grpc++", 0.25)
        for other in ("grpc++", "grpc-go", "go-micro v2"):
            ratio(rows, "client", "800", "micro", other)
        ratio(rows, "p50", "1", "micro", "grpc++", 0.60)

    def streams(self):
        """Bidirectional streams, and large messages, each stack with itself."""
        loads = {"ping-pong, 1 stream": ("--kind=pingpong", "--outstanding=1"),
                 "ping-pong, 64 streams": ("--kind=pingpong", "--outstanding=64"),
                 "flood, 1 stream": ("--kind=flood", "--outstanding=1"),
                 "unary of 1 MiB, 8": ("--outstanding=8", f"--bytes={MIB}")}
        names = [name for name, stack in self._stacks.items()
                 if stack.client and name != "micro, blocking"]
        rows = self._with_itself({name: self._stacks[name] for name in names}, loads)
        table("Client and server of one make (messages)", rows)
        for load in loads:
            for other in ("grpc++", "grpc-go", "go-micro v2"):
                ratio(rows, "server", load, "micro", other)

    def costs(self):
        """What TLS, middleware, JSON and blocking add to a call of ours, on either side."""
        key, certificate = self._certificate()
        tls = [f"--tls_cert={certificate}", f"--tls_key={key}"]
        ours = self._stacks["micro"]
        few = CALLS // 2
        plain = H2Load(self._folder, 8, 100, few)
        secure = H2Load(self._folder, 8, 100, few, tls=True)
        json = H2Load(self._folder, 8, 100, few, ECHO_JSON, JSON_HEADERS)
        several = "--middlewares=4"
        jobs = {"micro": (ours.server, plain), "+ TLS": ([*ours.server, *tls], secure),
                "+ 4 middlewares": ([*ours.server, several], plain), "+ JSON": (ours.server, json),
                "+ blocking": (self._stacks["micro, blocking"].server, plain)}
        for name in ("grpc++", "grpc-go"):
            if name in self._stacks:
                server = self._stacks[name].server
                jobs |= {name: (server, plain), f"{name} + TLS": ([*server, *tls], secure)}
        rows = self._under_h2load({name: (server, {"8 x 100": load})
                                   for name, (server, load) in jobs.items()})
        table("Costs at the server, under h2load", rows)
        for what in ("+ TLS", "+ 4 middlewares", "+ JSON", "+ blocking"):
            ratio(rows, "server", "8 x 100", what, "micro")
        ratio(rows, "server", "8 x 100", "+ TLS", "grpc++ + TLS")

        trust = [*ours.client, f"--tls_ca={certificate}"]
        rows = self._with_itself(
            {"micro": ours, "+ TLS": Stack([*ours.server, *tls], trust),
             "+ 4 middlewares": Stack(ours.server, [*ours.client, several]),
             "+ JSON": Stack(ours.server, [*ours.client, "--json"]),
             "+ blocking": Stack(ours.server, [*ours.client, "--blocking"])},
            {"64": ("--outstanding=64",)})
        table("Costs at the client, calls outstanding", rows)
        for what in ("+ TLS", "+ 4 middlewares", "+ JSON", "+ blocking"):
            ratio(rows, "client", "64", what, "micro")

    def _under_h2load(self, servers):
        """{name: (command, {load: H2Load})} to rows."""
        running = {}
        try:
            jobs = {}
            for name, (command, loads) in servers.items():
                running[name] = Server(name, command)
                for load in loads.values():
                    load.verify(running[name])
            for load in next(iter(servers.values()))[1]:
                for name, (_, loads) in servers.items():
                    jobs[name, load] = lambda run=loads[load].run, to=running[name]: run(to)
            return in_turn(jobs)
        finally:
            for server in running.values():
                server.__exit__()

    def _with_itself(self, stacks, loads):
        """Each client against its own server: {name: Stack}, {load: flags} to rows."""
        running = {}
        try:
            for name, stack in stacks.items():
                running[name] = Server(name, stack.server)
            return in_turn({(name, load): lambda client=stack.client, to=running[name],
                            flags=flags: call(client, to, *flags)
                            for load, flags in loads.items() for name, stack in stacks.items()})
        finally:
            for server in running.values():
                server.__exit__()

    def _certificate(self):
        """Files of a key and a certificate for 127.0.0.1 that is its own CA."""
        key, certificate = self._folder / "key.pem", self._folder / "cert.pem"
        run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
             "-nodes", "-days", "1", "-subj", "/CN=bench", "-addext",
             "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate])
        return key, certificate


WORDS = ["servers", "clients", "streams", "costs"]


def main():
    build = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:] or WORDS
    unknown = [word for word in chosen if word not in WORDS]
    if unknown:
        print(f"bench: there is no '{unknown[0]}'; there are: {', '.join(WORDS)}", file=sys.stderr)
        return 2
    try:
        with tempfile.TemporaryDirectory() as name:
            bench = Bench(find_stacks(build), pathlib.Path(name))
            for word in chosen:
                getattr(bench, word)()
    except (Failure, subprocess.SubprocessError) as failure:
        print(f"bench: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
