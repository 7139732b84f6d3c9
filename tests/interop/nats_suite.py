"""nats-py's own tests, as its source distribution on PyPI has them, against micro-nats-server.

They come over pip into a virtual environment of their own; what the distribution leaves out, the
servers around each test, is in natspy/. The tests name fixed ports, and so they run in a network
namespace.

As a program, nats_suite.py BINARIES FOLDER [SERVER]: prints what failed; SERVER is another program
to put first on PATH, such as /usr/sbin/nats-server, for comparison.
"""

import pathlib
import shutil
import subprocess
import sys
import tarfile
import xml.etree.ElementTree

from harness import HERE, Tally, run

VERSION = "2.11.0"
PYTEST = "pytest==8.4.2"
FILES = ("test_client.py", "test_parser.py", "test_client_async_await.py")
IN_NAMESPACE = ["unshare", "-rn", "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
# What nats-server 2.9.10 cannot do either, by the name of the test's class or of the test.
BEYOND = {"ClientTLSHandshakeFirstTest": "TLS before INFO came with nats-server 2.10.4"}


def missing():
    """Why the suite cannot run here; None if it can."""
    for program in ("python3", "unshare", "ip", "openssl"):
        if not shutil.which(program):
            return f"no {program}"
    tried = run([*IN_NAMESPACE, "true"])
    return None if tried.returncode == 0 else "no network namespace: " + tried.stderr.strip()


def environment(folder):
    """The interpreter of a virtual environment with nats-py and pytest, or why there is none."""
    python = folder / "venv" / "bin" / "python"
    ready = folder / "venv" / f"ready-{VERSION}"
    if ready.exists():
        return python, None
    shutil.rmtree(folder / "venv", ignore_errors=True)
    made = run([sys.executable, "-m", "venv", folder / "venv"], 120)
    if made.returncode != 0:
        return None, "no virtual environment (Debian: python3-venv)"
    got = subprocess.run([python, "-m", "pip", "install", "--quiet", f"nats-py=={VERSION}", PYTEST],
                         capture_output=True, text=True, timeout=300, check=False)
    if got.returncode != 0:
        return None, "pip cannot fetch packages: " + got.stderr.strip().splitlines()[-1]
    ready.touch()
    return python, None


def unpack(python, folder):
    """The tests of the source distribution, with what they lack; or why they cannot be had."""
    tests = folder / "suite" / "tests"
    archive = folder / f"nats_py-{VERSION}.tar.gz"
    if not archive.exists():
        got = subprocess.run([python, "-m", "pip", "download", "--quiet", "--no-deps", "--no-binary",
                              ":all:", "--dest", folder, f"nats-py=={VERSION}"],
                             capture_output=True, text=True, timeout=300, check=False)
        if not archive.exists():
            return None, "pip cannot fetch the source: " + got.stderr.strip()[-200:]
    shutil.rmtree(folder / "suite", ignore_errors=True)
    tests.mkdir(parents=True)
    with tarfile.open(archive) as source:
        for name in FILES:
            member = source.extractfile(f"nats_py-{VERSION}/tests/{name}")
            (tests / name).write_bytes(member.read())
    (tests / "__init__.py").touch()
    shutil.copy(HERE / "natspy" / "support.py", tests / "utils.py")
    shutil.copytree(HERE / "natspy" / "conf", tests / "conf")
    make_certificates(tests / "certs")
    return tests, None


def make_certificates(folder):
    """An authority, and certificates of it for a server and a client on this machine."""
    folder.mkdir()

    def openssl(*words):
        done = run(["openssl", *words])
        if done.returncode != 0:
            raise SystemExit(f"openssl {words[0]}: {done.stderr}")

    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *new_key, "-keyout", folder / "ca.key", "-out", folder / "ca.pem",
            "-subj", "/CN=an authority for tests", "-days", "2")
    for name in ("server", "client"):
        openssl("req", *new_key, "-keyout", folder / f"{name}-key.pem", "-out",
                folder / f"{name}.csr", "-subj", f"/CN={name}")
        extensions = folder / f"{name}.ext"
        extensions.write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
        openssl("x509", "-req", "-in", folder / f"{name}.csr", "-CA", folder / "ca.pem", "-CAkey",
                folder / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                folder / f"{name}-cert.pem")


def run_suite(python, tests, server):
    """Runs it against `server`: the JUnit report, or what went wrong."""
    path = tests.parent / "bin"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    (path / "nats-server").symlink_to(server)
    report = tests.parent / "report.xml"
    done = subprocess.run(
        [*IN_NAMESPACE, "env", f"PATH={path}:/usr/bin:/bin:/usr/sbin:/sbin", python, "-m", "pytest",
         "-q", "-p", "no:cacheprovider", f"--junitxml={report}",
         *[f"tests/{name}" for name in FILES]],
        cwd=tests.parent, capture_output=True, text=True, timeout=900, check=False)
    if not report.exists():
        return None, f"pytest: {done.stdout[-500:]}{done.stderr[-500:]}"
    return xml.etree.ElementTree.parse(report), None


def count(tally, report):
    """A case for each test."""
    for case in report.iter("testcase"):
        owner = case.get("classname").rsplit(".", 1)[-1]
        name = f"nats-py {VERSION}: {owner}.{case.get('name')}"
        wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
        if wrong is not None and owner in BEYOND:
            tally.skip(name, "known: " + BEYOND[owner])
        elif wrong is not None:
            tally.fail(name, (wrong.get("message") or "").splitlines()[0][:300])
        elif case.find("skipped") is not None:
            tally.skip(name, "by the suite itself")
        else:
            tally.ok(name)


def run_all(tally, binaries, folder, server=None):
    title = f"the suite of nats-py {VERSION}"
    why_not = missing()
    if why_not:
        tally.skip(title, why_not)
        return
    folder = folder / "nats-py"
    folder.mkdir(exist_ok=True)
    python, why_not = environment(folder)
    tests, why_not = unpack(python, folder) if python else (None, why_not)
    if not tests:
        tally.skip(title, why_not)
        return
    report, problem = run_suite(python, tests, server or binaries / "micro-nats-server")
    if problem:
        tally.fail(title, problem)
    else:
        count(tally, report)


def main():
    tally = Tally()
    server = pathlib.Path(sys.argv[3]).resolve() if len(sys.argv) > 3 else None
    run_all(tally, pathlib.Path(sys.argv[1]).resolve(), pathlib.Path(sys.argv[2]).resolve(), server)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
