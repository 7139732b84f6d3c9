#!/usr/bin/env python3
"""run.py BUILD: our hello-world called by stock gRPC clients, and stock gRPC servers called by ours.

A line for each case, then "N passed, N failed, N skipped". What the machine has no tools for is
skipped and says so. All traffic stays on 127.0.0.1.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
PROTO = HERE.parent.parent / "examples" / "helloworld" / "helloworld.proto"
LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")
# Proxies are for other machines, and MICRO_* of the caller's would change what is tested.
ENVIRONMENT = {k: v for k, v in os.environ.items()
               if "proxy" not in k.lower() and not k.startswith("MICRO_")}


class Tally:
    """Counts and prints cases."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def ok(self, name):
        self.passed += 1
        print(f"ok       {name}", flush=True)

    def fail(self, name, why):
        self.failed += 1
        print(f"FAILED   {name}: {why}", flush=True)

    def skip(self, name, why):
        self.skipped += 1
        print(f"skipped  {name} ({why})", flush=True)

    def check(self, name, complaint):
        """One case that failed if there is a complaint."""
        if complaint:
            self.fail(name, complaint)
        else:
            self.ok(name)


class Server:
    """A process that says where it listens."""

    def __init__(self, command, folder):
        self._log = folder / f"{pathlib.Path(command[0]).name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=log,
                                             env=ENVIRONMENT)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(timeout=35)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def words(self):
        """What it has said."""
        return self._log.read_text(errors="replace")

    def address(self):
        """Where it listens; None if it ends, or says nothing for ten seconds."""
        until = time.monotonic() + 10
        while time.monotonic() < until and self._process.poll() is None:
            match = LISTENING.search(self.words())
            if match:
                return match.group(1)
            time.sleep(0.02)
        return None


def run(command, timeout=60, **environment):
    """Runs a command to its end."""
    try:
        return subprocess.run(list(map(str, command)), capture_output=True, text=True,
                              timeout=timeout, env={**ENVIRONMENT, **environment}, check=False)
    except subprocess.TimeoutExpired as late:
        return subprocess.CompletedProcess(late.cmd, -1, "", f"no end within {timeout} s")


def run_cases(tally, title, command):
    """Runs a program that prints `ok NAME` and `FAILED NAME: why` lines."""
    done = run(command)
    lines = [line.partition(" ") for line in done.stdout.splitlines()]
    failures = [rest for word, _, rest in lines if word == "FAILED"]
    passes = [rest for word, _, rest in lines if word == "ok"]
    for name in passes:
        tally.ok(f"{title}: {name}")
    for name in failures:
        tally.fail(title, name)
    if (done.returncode != 0) != bool(failures) or not lines:
        tally.fail(title, f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")
    elif not passes and not failures:
        tally.fail(title, "it ran no case")


class GoPeers:
    """The grpc-go programs, built where the machine can build them."""

    def __init__(self, folder):
        self.folder = folder
        self.missing = self._build()
        self.descriptors = folder / "helloworld.binpb"

    def client(self, address):
        return [self.folder / "client", self.descriptors, address]

    def server(self):
        return [str(self.folder / "server"), str(self.descriptors)]

    def _build(self):
        """Why they cannot be had; None if they can. Code that does not compile is a failure."""
        if not shutil.which("go"):
            return "no go toolchain"
        environment = {**os.environ, "GOFLAGS": "-mod=readonly"}
        fetched = subprocess.run(["go", "mod", "download"], cwd=HERE, env=environment,
                                 capture_output=True, text=True, timeout=300, check=False)
        if fetched.returncode != 0:
            return "go cannot fetch grpc-go: " + (fetched.stderr.strip().splitlines() or ["?"])[-1]
        built = subprocess.run(["go", "build", "-o", f"{self.folder}/", "./client", "./server"],
                               cwd=HERE, env=environment, capture_output=True, text=True,
                               timeout=600, check=False)
        if built.returncode != 0:
            raise SystemExit(f"interop: the grpc-go peers do not compile:\n{built.stderr}")
        subprocess.run(["protoc", f"-I{PROTO.parent}", PROTO.name,
                        f"--descriptor_set_out={self.folder / 'helloworld.binpb'}"], check=True)
        return None


def go_calls_us(tally, peers, address):
    """A stock grpc-go client."""
    if peers.missing:
        tally.skip("grpc-go calls us", peers.missing)
    else:
        run_cases(tally, "grpc-go calls us", peers.client(address))


def grpcpp_calls_us(tally, binaries, address):
    """A stock grpc++ client."""
    client = binaries / "interop-grpcpp-client"
    if client.exists():
        run_cases(tally, "grpc++ calls us", [client, address])
    else:
        tally.skip("grpc++ calls us", "built without grpc++: libgrpc++-dev is not installed")


def they_call_us(tally, peers, binaries, folder):
    """Our hello-world, called by others."""
    command = [str(binaries / "helloworld"), "--registry=memory", "--server_address=127.0.0.1:0"]
    with Server(command, folder) as server:
        address = server.address()
        if address is None:
            tally.fail("our hello-world", f"it does not listen:\n{server.words()}")
            return
        go_calls_us(tally, peers, address)
        grpcpp_calls_us(tally, binaries, address)


def greeting_complaint(done):
    """What is wrong with the client's answer for John."""
    if done.returncode != 0 or done.stdout != "Hello John\n":
        return f"exit code {done.returncode}, {done.stdout!r}, {done.stderr.strip()!r}"
    return None


def error_complaint(done, code):
    """What is wrong with the client's answer for one who gets an error."""
    if done.returncode != 1 or code not in done.stderr or done.stdout:
        return f"exit code {done.returncode}, {done.stdout!r}, {done.stderr.strip()!r}"
    return None


def our_program_calls(tally, title, binaries, address):
    """The hello-world client, as a user runs it, finding the server through the static registry."""
    def call(*words):
        return run([binaries / "helloworld-client", *words],
                   MICRO_REGISTRY="static", MICRO_REGISTRY_ADDRESS=address)

    tally.check(f"{title}: helloworld-client", greeting_complaint(call("John")))
    tally.check(f"{title}: helloworld-client, not found",
                error_complaint(call("missing"), "NOT_FOUND"))
    tally.check(f"{title}: helloworld-client, deadline",
                error_complaint(call("--client_request_timeout=200ms", "slow"),
                                "DEADLINE_EXCEEDED"))


def we_call_them(tally, peers, binaries, folder):
    """A grpc-go server, called by us."""
    title = "we call grpc-go"
    if peers.missing:
        tally.skip(title, peers.missing)
        return
    with Server(peers.server(), folder) as server:
        address = server.address()
        if address is None:
            tally.fail(title, f"its server does not listen:\n{server.words()}")
            return
        our_program_calls(tally, title, binaries, address)
        run_cases(tally, title, [binaries / "interop-micro-client", f"--server_address={address}"])


def main():
    binaries = pathlib.Path(sys.argv[1]).resolve() / "bin"
    tally = Tally()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        peers = GoPeers(folder)
        they_call_us(tally, peers, binaries, folder)
        we_call_them(tally, peers, binaries, folder)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


sys.exit(main())
