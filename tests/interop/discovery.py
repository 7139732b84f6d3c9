"""go-micro v2, unmodified, and we find each other, over mDNS and over etcd; and how fast.

As a program, discovery.py BINARIES FOLDER [VERSION=PEER]...: the cases themselves, within a network
namespace of their own (namespace.sh), where etcd may have its usual port.
"""

import contextlib
import pathlib
import queue
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import gomicro
from harness import ENVIRONMENT, GoPrograms, Tally, run

PATIENCE = 15
ROUNDS = 20
MOST_SECONDS = 28  # for the rounds of one fleet; four fleets stay below two minutes


class Member:
    """A process that registers, looks up, watches, serves and calls as it is told: node.cc."""

    def __init__(self, title, command, folder):
        self.title = title
        self._answers = queue.Queue()
        self._told = []  # what it says unasked
        self._changed = threading.Condition()
        self._log = (folder / f"{re.sub(r'[^a-z0-9.]', '-', title)}.log").open("w")
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self._log, text=True, bufsize=1, env={**ENVIRONMENT, **gomicro.home(folder)})
        threading.Thread(target=self._read, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        self._log.close()

    def _read(self):
        for line in self._process.stdout:
            line = line.strip()
            if line.startswith(("event ", "first ")):
                with self._changed:
                    self._told.append(line)
                    self._changed.notify_all()
            elif re.match(r"(ok|error|nodes|services|last|calls)\b", line):
                self._answers.put(line)

    def ask(self, line):
        """Its answer; an error if there is none."""
        self._process.stdin.write(line + "\n")
        self._process.stdin.flush()
        try:
            return self._answers.get(timeout=PATIENCE)
        except queue.Empty:
            return f"error no answer to {line}"

    def hear(self, pattern, patience=PATIENCE):
        """The first thing it says unasked that fits, which is forgotten then; None if none comes."""
        def find():
            return next((line for line in self._told if re.fullmatch(pattern, line)), None)
        with self._changed:
            if not self._changed.wait_for(find, patience):
                return None
            line = find()
            self._told.remove(line)
            return line

    def comes_to(self, question, fits):
        """None once the answer fits; else what it was at last."""
        until = time.monotonic() + PATIENCE
        while True:
            answer = self.ask(question)
            if fits(answer):
                return None
            if time.monotonic() > until:
                return f"{self.title} says: {answer}"
            time.sleep(0.02)


def sees(tally, registry, witness, member, by_lookup):
    """What `member` registers and deregisters, `witness` sees."""
    service = f"interop.{registry}.{member.title}.{witness.title}".replace(" ", "-")
    service = service.replace("go-micro-v", "go")
    node = f"{service}-1"
    title = f"{witness.title} sees {member.title} over {registry}"
    words = f"{service} {node} 10.77.0.1:4242"
    tally.check(f"{title}: watch", _not_ok(witness.ask(f"watch {service}")))
    tally.check(f"{title}: register", _not_ok(member.ask(f"register {words}")))
    tally.check(f"{title}: told as created", _not_heard(
        witness, f"event (create|update) {re.escape(service)} {re.escape(node)}"))
    if by_lookup:
        tally.check(f"{title}: found", witness.comes_to(
            f"get {service}", lambda answer: f"{node}@10.77.0.1:4242" in answer.split()))
        tally.check(f"{title}: listed", witness.comes_to(
            "list", lambda answer: service in answer.split()))
    tally.check(f"{title}: deregister", _not_ok(member.ask(f"deregister {words}")))
    tally.check(f"{title}: told as deleted", _not_heard(
        witness, f"event delete {re.escape(service)} {re.escape(node)}"))
    tally.check(f"{title}: not found any more", witness.comes_to(
        f"get {service}", lambda answer: node not in answer))


def _not_ok(answer):
    return None if answer == "ok" else answer


def _not_heard(witness, pattern):
    return None if witness.hear(pattern) else f"{witness.title} was not told"


def sees_all_at_once(tally, registry, witness, members):
    """One service, whose nodes are of all implementations."""
    service = f"interop.{registry}.fleet"
    addresses = {}
    for number, member in enumerate(members):
        addresses[f"{service}-{number}"] = f"10.77.0.1:{4300 + number}"
        member.ask(f"register {service} {service}-{number} 10.77.0.1:{4300 + number}")
    wanted = {f"{node}@{address}" for node, address in addresses.items()}
    tally.check(f"{witness.title} sees a fleet of {len(members)} implementations over {registry}",
                witness.comes_to(f"get {service}",
                                 lambda answer: wanted == set(answer.split()[1:])))
    for member, (node, address) in zip(members, addresses.items()):
        member.ask(f"deregister {service} {node} {address}")


def sees_each_other(tally, registry, ours, peers):
    """All directions between us and them."""
    for peer in peers:
        sees(tally, registry, ours, peer, True)
        sees(tally, registry, peer, ours, True)
    for witness, member in ((a, b) for a in peers for b in peers if a is not b):
        # v2.9.1 asks for the question in the answer, which v2.2.0 does not repeat.
        blind = registry == "mdns" and "v2.9.1" in witness.title
        sees(tally, registry, witness, member, not blind)
    sees_all_at_once(tally, registry, ours, [ours, *peers])


class Rounds:
    """How long it takes until a node that joins is called, and one that leaves no more."""

    def __init__(self, tally, registry, title, joiner, anchor, caller):
        self._title = f"{title} over {registry}: "
        self.joins, self.leaves = [], []
        service = f"interop.{registry}.rounds.{title}".replace(" ", "-")
        complaint = (_not_ok(anchor.ask(f"join {service} anchor")) or
                     _not_ok(caller.ask(f"call {service}")) or
                     caller.comes_to("calls", lambda line: int(line.split()[1]) > 0))
        time.sleep(1)  # go-micro watches a while after its first call, and misses what comes before
        caller.ask("calls")
        until = time.monotonic() + MOST_SECONDS
        while not complaint and len(self.leaves) < ROUNDS and time.monotonic() < until:
            complaint = self._round(service, joiner)
        answered, failed = map(int, caller.ask("calls").split()[1:])
        tally.check(f"{self._title}nodes that join are called, and that leave no more", complaint)
        print(f"         {self._title}join {_median(self.joins)}, leave {_median(self.leaves)}, "
              f"median of {len(self.leaves)}; {failed} of {answered + failed} calls failed",
              flush=True)

    def _round(self, service, joiner):
        complaint = _not_ok(joiner.ask(f"join {service} {len(self.joins)}"))
        first = None if complaint else joiner.hear(r"first \S+", 10)
        if not first:
            return complaint or "the new node was not called within 10 s"
        self.joins.append(float(first.split()[1]))
        time.sleep(0.05)
        complaint = _not_ok(joiner.ask("leave"))
        time.sleep(0.1)
        self.leaves.append(float(joiner.ask("last").split()[1]))
        return complaint


def _median(times):
    return f"{statistics.median(times):.1f} ms" if times else "never"


@contextlib.contextmanager
def etcd():
    """etcd on its usual port."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen(["etcd", "--data-dir", folder, "--log-level", "error"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            yield
        finally:
            process.kill()
            process.wait()


def members(stack, registry, binaries, folder, peers, count):
    """`count` members of each implementation, ours first."""
    ours = [binaries / "interop-discovery-node", f"--registry={registry}", "--client_slow_start=0s",
            "--log_level=warn"]
    commands = {"micro": ours, **{f"go-micro {version}": [peer, registry]
                               for version, peer in peers.items()}}
    return {title: [stack.enter_context(Member(title, command, folder))
                    for _ in range(count)] for title, command in commands.items()}


def run_registry(tally, registry, binaries, folder, peers):
    """All cases over one registry."""
    with contextlib.ExitStack() as stack:
        ours, *others = [each for each, in
                         members(stack, registry, binaries, folder, peers, 1).values()]
        sees_each_other(tally, registry, ours, others)
    timed = {version: peer for version, peer in peers.items() if version == "v2.9.1"}
    with contextlib.ExitStack() as stack:
        fleets = members(stack, registry, binaries, folder, timed, 3)
        for title, fleet in fleets.items():
            Rounds(tally, registry, title, *fleet)


def run_all(tally, binaries, folder):
    """Builds the peers and runs the cases in a namespace."""
    why_not = gomicro.no_namespace()
    if why_not:
        tally.skip("discovery", why_not)
        return
    peers = []
    for version, modfile in gomicro.VERSIONS.items():
        programs = GoPrograms("gomicro", folder / f"go-micro-{version}", ["./discovery"], modfile)
        if programs.missing:
            tally.skip(f"discovery with go-micro {version}", programs.missing)
        else:
            peers.append(f"{version}={programs['discovery']}")
    done = run([*gomicro.IN_NAMESPACE, sys.executable, __file__, binaries, folder, *peers], 400)
    sys.stdout.write(done.stdout)
    count = re.search(r"(\d+) passed, (\d+) failed", done.stderr)
    if not count:
        tally.fail("discovery", done.stderr.strip()[-1000:])
        return
    tally.passed += int(count.group(1))
    tally.failed += int(count.group(2))


def main():
    """In the namespace."""
    binaries, folder = map(pathlib.Path, sys.argv[1:3])
    peers = dict(pair.split("=", 1) for pair in sys.argv[3:])
    tally = Tally()
    run_registry(tally, "mdns", binaries, folder, peers)
    if shutil.which("etcd"):
        with etcd():
            run_registry(tally, "etcd", binaries, folder, peers)
    else:
        tally.skip("discovery over etcd", "no etcd (Debian: etcd-server)")
    print(f"{tally.passed} passed, {tally.failed} failed", file=sys.stderr)


if __name__ == "__main__":
    main()
