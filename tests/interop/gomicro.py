"""go-micro v2, unmodified, and we: each calls the other, by address and found over mDNS.

As a program, gomicro.py BINARIES PEERS FOLDER: the cases over mDNS, for one version of go-micro,
within a network namespace of their own (namespace.sh).
"""

import pathlib
import re
import shutil
import sys

from harness import HERE, GoPrograms, Server, Tally, run, run_cases

VERSIONS = {"v2.2.0": "v2.2.0.mod", "v2.9.1": "go.mod"}
IN_NAMESPACE = ["unshare", "-rn", HERE / "namespace.sh"]
SOMEWHERE = re.compile(r"listening on (\S+:\d+)")


def home(folder):
    """go-micro keeps files in its user's folder."""
    path = folder / "home"
    path.mkdir(exist_ok=True)
    return {"HOME": str(path)}


class Direction:
    """One side's service and the other side's client."""

    def __init__(self, title, service, name, client):
        self.title, self.service, self.name, self.client = title, service, name, client

    def run(self, tally, folder, how, registry, listen, by_address):
        """Starts the service and lets the client call it."""
        title = f"{self.title}, {how}"
        flags = [f"--registry={registry}"]
        command = [self.service, *flags, f"--server_address={listen}"]
        with Server(command, folder, **home(folder)) as server:
            address = server.address(SOMEWHERE)
            if address is None:
                tally.fail(title, f"the service does not listen:\n{server.words()[-1000:]}")
                return
            target = [self.name, address] if by_address else [self.name]
            run_cases(tally, title, [self.client, *flags, *target], **home(folder))


def directions(version, binaries, peers):
    return [Direction(f"go-micro {version} calls us", binaries / "interop-testee-service",
                      "interop.testee", peers / "client"),
            Direction(f"we call go-micro {version}", peers / "server", "gomicro.testee",
                      binaries / "interop-testee-client")]


def no_namespace():
    """Why there can be no network namespace here; None if there can."""
    if not shutil.which("unshare") or not shutil.which("ip"):
        return "no unshare or no ip (Debian: util-linux, iproute2)"
    tried = run([*IN_NAMESPACE, "true"])
    return None if tried.returncode == 0 else "no network namespace: " + tried.stderr.strip()


def over_mdns(tally, version, binaries, peers, folder):
    why_not = no_namespace()
    if why_not:
        tally.skip(f"go-micro {version} over mDNS", why_not)
        return
    done = run([*IN_NAMESPACE, sys.executable, __file__, version, binaries, peers, folder], 120)
    sys.stdout.write(done.stdout)
    count = re.search(r"(\d+) passed, (\d+) failed", done.stderr)
    if not count:
        tally.fail(f"go-micro {version} over mDNS", done.stderr.strip()[-1000:])
        return
    tally.passed += int(count.group(1))
    tally.failed += int(count.group(2))


def run_all(tally, binaries, folder):
    for version, modfile in VERSIONS.items():
        peers = folder / f"go-micro-{version}"
        programs = GoPrograms("gomicro", peers, ["./client", "./server"], modfile)
        if programs.missing:
            tally.skip(f"go-micro {version}", programs.missing)
            continue
        for direction in directions(version, binaries, peers):
            direction.run(tally, folder, "by address", "memory", "127.0.0.1:0", True)
        over_mdns(tally, version, binaries, peers, folder)


def main():
    version = sys.argv[1]
    binaries, peers, folder = map(pathlib.Path, sys.argv[2:5])
    tally = Tally()
    for direction in directions(version, binaries, peers):
        direction.run(tally, folder, "over mDNS", "mdns", ":0", False)
    print(f"{tally.passed} passed, {tally.failed} failed", file=sys.stderr)


if __name__ == "__main__":
    main()
