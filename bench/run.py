#!/usr/bin/env python3
"""run.py BIN [echo] [client]: our echo server and our client beside grpc++'s and a lean nghttp2
server, all in one run on 127.0.0.1.

Absolute figures differ from machine to machine and from hour to hour: the rounds are interleaved,
and what counts are the ratios of the medians. BENCH_ROUNDS (5) and BENCH_CALLS (100000, for each
load of each round) say how much is measured.
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

ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
CALLS = int(os.environ.get("BENCH_CALLS", "100000"))
PATH = "/bench.EchoService/Unary"

# bench.proto's Echo{name: "greeter-0042", seq: 77, data: 16 × "x"} behind gRPC's five bytes.
MESSAGE = b"\x0a\x0cgreeter-0042" + b"\x10\x4d" + b"\x1a\x10" + b"x" * 16
BODY = b"\x00" + len(MESSAGE).to_bytes(4, "big") + MESSAGE

SERVERS = {
    "micro, coroutine": ["bench-echo-server"],
    "micro, blocking": ["bench-echo-server", "--blocking"],
    "grpc++": ["bench-grpcpp-server"],
    "lean nghttp2": ["bench-lean-server"],
}
# name, connections, streams on each, share of CALLS
LOADS = [("8 x 100", 8, 100, 1.0), ("1 x 100", 1, 100, 1.0), ("1 x 1", 1, 1, 0.1)]
CLIENTS = {
    "micro, coroutine": ["bench-load-client"],
    "grpc++": ["bench-grpcpp-client"],
}

HEADERS = ["-H", "content-type: application/grpc", "-H", "te: trailers"]
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if "proxy" not in k.lower() and not k.startswith("MICRO_")}


class Failure(Exception):
    """Something that makes the figures worthless."""


def run(command, timeout=120):
    """The output of a command that must succeed."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout,
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
    """A server process under measurement."""

    def __init__(self, name, command):
        self.name = name
        self.address = free_address()
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [*command, f"--server_address={self.address}"], stdin=subprocess.DEVNULL,
            stdout=self._log, stderr=self._log, env=ENVIRONMENT)

    def wait(self):
        """Returns once somebody listens."""
        host, port = self.address.split(":")
        until = time.monotonic() + 10
        while time.monotonic() < until:
            if self._process.poll() is not None:
                break
            try:
                socket.create_connection((host, int(port)), timeout=1).close()
                return
            except OSError:
                time.sleep(0.02)
        raise Failure(f"the server '{self.name}' did not start:\n{self._words()}")

    def cpu(self):
        """Seconds of CPU it has taken, from the clock that Linux keeps of each process."""
        return time.clock_gettime((~self._process.pid << 3) | 2)

    def end(self):
        """Ends the process, whatever state it is in."""
        self._process.terminate()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def _words(self):
        self._log.seek(0)
        return self._log.read().decode(errors="replace")


def verify(server, folder):
    """One call, looked at closely: h2load takes a gRPC error for a success."""
    head, answer = folder / "head", folder / "answer"
    run(["curl", "-sS", "--max-time", "10", "--http2-prior-knowledge", *HEADERS, "--data-binary",
         f"@{folder / 'body'}", "-D", head, "-o", answer, f"http://{server.address}{PATH}"])
    if not re.search(r"^grpc-status: *0\s*$", head.read_text(), re.MULTILINE):
        raise Failure(f"'{server.name}' does not answer with grpc-status 0:\n{head.read_text()}")
    if answer.read_bytes() != BODY:
        raise Failure(f"'{server.name}' does not echo: {answer.read_bytes()!r}")


def h2load(server, folder, connections, streams, calls):
    """One run of h2load: calls a second, p50 in µs, server CPU in µs a call."""
    log = folder / "requests"
    log.unlink(missing_ok=True)
    logged = ["--log-file", log] if connections * streams == 1 else []
    before = server.cpu()
    words = run(["h2load", "-t1", f"-c{connections}", f"-m{streams}", f"-n{calls}", "-d",
                 folder / "body", *HEADERS, *logged, f"http://{server.address}{PATH}"])
    spent = server.cpu() - before
    done = re.search(r"(\d+) succeeded", words)
    rate = re.search(r"finished in .*?, ([0-9.]+) req/s", words)
    if not done or int(done.group(1)) != calls or not rate:
        raise Failure(f"h2load to '{server.name}' lost calls:\n{words}")
    latency = None
    if logged:
        latency = statistics.median(int(line.split()[2]) for line in log.open())
    return float(rate.group(1)), latency, spent / calls * 1e6


def measure_servers(binaries, folder):
    """{(server, load): [(rate, p50, cpu) of each round]}"""
    rows = {}
    servers = [Server(name, [binaries / words[0], *words[1:]]) for name, words in SERVERS.items()]
    try:
        for server in servers:
            server.wait()
            verify(server, folder)
            h2load(server, folder, 8, 100, 8000)
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
            for load, connections, streams, share in LOADS:
                for server in servers:
                    figures = h2load(server, folder, connections, streams, int(CALLS * share))
                    rows.setdefault((server.name, load), []).append(figures)
    finally:
        for server in servers:
            server.end()
    return rows


def measure_clients(binaries, folder):
    """{(client, load): [(rate, p50, cpu) of each round]}, all against the lean server."""
    rows = {}
    jobs = [(name, words, str(outstanding)) for outstanding in (64, 1)
            for name, words in CLIENTS.items()]
    jobs.append(("micro, blocking", ["bench-load-client", "--blocking"], "1"))
    server = Server("lean nghttp2", [binaries / SERVERS["lean nghttp2"][0]])
    try:
        server.wait()
        verify(server, folder)
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", file=sys.stderr)
            for name, words, outstanding in jobs:
                line = run([binaries / words[0], *words[1:], f"--server_address={server.address}",
                            f"--outstanding={outstanding}", "--seconds=1"])
                figures = dict(re.findall(r"(\w+)=([0-9.]+)", line))
                rows.setdefault((name, outstanding), []).append(
                    tuple(float(figures[key]) for key in ("rate", "p50_us", "client_us")))
    finally:
        server.end()
    return rows


def median(rows, key, column):
    """The median over the rounds of one figure; None where it was not taken."""
    values = [row[column] for row in rows[key] if row[column] is not None]
    return statistics.median(values) if values else None


def table(title, rows, load_name):
    """Prints the medians, a line for each row."""
    print(f"\n{title}\n{'':18}{load_name:>12}{'calls/s':>12}{'p50 µs':>10}{'CPU µs/call':>14}")
    for name, load in rows:
        rate, latency, cpu = (median(rows, (name, load), column) for column in range(3))
        shown = "" if latency is None else f"{latency:.1f}"
        print(f"{name:18}{load:>12}{rate:>12,.0f}{shown:>10}{cpu:>14.2f}")


def ratio(what, rows, ours, other, column, target):
    """Prints one ratio of medians beside what it is meant to be."""
    value = median(rows, ours, column) / median(rows, other, column)
    verdict = "reached" if value <= target else "missed"
    print(f"{what:58}{value:>7.2f}   target <= {target:.2f}: {verdict}")


def show_servers(rows):
    """Table and ratios of the servers."""
    table("Servers under h2load; CPU is the server's", rows, "conns x str.")
    print()
    for load in ("8 x 100", "1 x 100"):
        ours = ("micro, coroutine", load)
        ratio(f"server CPU, {load}: micro / grpc++", rows, ours, ("grpc++", load), 2, 0.20)
        ratio(f"server CPU, {load}: micro / lean", rows, ours, ("lean nghttp2", load), 2, 1.33)
    ratio("p50 of one call: micro / grpc++", rows, ("micro, coroutine", "1 x 1"),
          ("grpc++", "1 x 1"), 1, 0.60)


def show_clients(rows):
    """Table and ratios of the clients."""
    table("Clients of the lean server; CPU is the client's", rows, "outstanding")
    print()
    ratio("client CPU, 64 outstanding: micro / grpc++", rows, ("micro, coroutine", "64"),
          ("grpc++", "64"), 2, 0.25)


BENCHES = {"echo": (measure_servers, show_servers), "client": (measure_clients, show_clients)}


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve()
    chosen = sys.argv[2:] or list(BENCHES)
    unknown = [word for word in chosen if word not in BENCHES]
    if unknown:
        print(f"bench: there is no '{unknown[0]}'; there are: {', '.join(BENCHES)}",
              file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        (folder / "body").write_bytes(BODY)
        try:
            for word in chosen:
                measure, show = BENCHES[word]
                show(measure(binaries, folder))
        except (Failure, subprocess.TimeoutExpired) as failure:
            print(f"bench: {failure}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
