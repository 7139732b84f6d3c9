"""go-micro v2, unmodified, and we: each calls the other, by address, with TLS, and over mDNS.

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
    """One side's service and the other side's client, each with its flags for TLS."""

    def __init__(self, title, service, name, client, service_tls=(), client_tls=()):
        self.title, self.service, self.name, self.client = title, service, name, client
        self.service_tls, self.client_tls = service_tls, client_tls

    def by_address(self, tally, folder):
        self._run(tally, folder, "by address", "memory", "127.0.0.1:0", (), (), {})

    def over_tls(self, tally, folder, certificates):
        self._run(tally, folder, "TLS", "memory", "127.0.0.1:0", self.service_tls,
                  self.client_tls, {"TESTEE_TLS": str(certificates)})

    def over_mdns(self, tally, folder):
        self._run(tally, folder, "over mDNS", "mdns", ":0", (), (), {})

    def _run(self, tally, folder, how, registry, listen, service_flags, client_flags, environment):
        """Starts the service and lets the client call it."""
        title = f"{self.title}, {how}"
        flags = [f"--registry={registry}"]
        environment = {**environment, **home(folder)}
        command = [self.service, *flags, f"--server_address={listen}", *service_flags]
        ours = tally if self.name == "interop.testee" else None
        with Server(command, folder, ours, **environment) as server:
            address = server.address(SOMEWHERE)
            if address is None:
                tally.fail(title, f"the service does not listen:\n{server.words()[-1000:]}")
                return
            target = [self.name] if registry == "mdns" else [self.name, address]
            run_cases(tally, title, [self.client, *flags, *client_flags, *target], **environment)


def directions(version, binaries, peers):
    """The Go service first: it makes the certificate."""
    cert, key = peers / "cert.pem", peers / "key.pem"
    return [Direction(f"we call go-micro {version}", peers / "server", "gomicro.testee",
                      binaries / "interop-testee-client", client_tls=[f"--tls_ca={cert}"]),
            Direction(f"go-micro {version} calls us", binaries / "interop-testee-service",
                      "interop.testee", peers / "client",
                      service_tls=[f"--tls_cert={cert}", f"--tls_key={key}"])]


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
            direction.by_address(tally, folder)
            direction.over_tls(tally, folder, peers)
        over_mdns(tally, version, binaries, peers, folder)


def main():
    version = sys.argv[1]
    binaries, peers, folder = map(pathlib.Path, sys.argv[2:5])
    tally = Tally()
    for direction in directions(version, binaries, peers):
        direction.over_mdns(tally, folder)
    print(f"{tally.passed} passed, {tally.failed} failed", file=sys.stderr)


if __name__ == "__main__":
    main()
