"""What the cases of run.py stand on: counting, processes, Go programs."""

import os
import pathlib
import re
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
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
    """A process that says where it listens. One of ours is watched: its end has to be clean."""

    def __init__(self, command, folder, watched_by=None, **environment):
        self._tally = watched_by
        self._log = folder / f"{pathlib.Path(command[0]).name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL,
                                             stdout=subprocess.DEVNULL, stderr=log,
                                             env={**ENVIRONMENT, **environment})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(timeout=35)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._tally and self._process.returncode != 0:
            self._tally.fail(f"the end of {self._log.stem}",
                             f"exit code {self._process.returncode}: {self.words()[-1000:]}")

    def words(self):
        """What it has said."""
        return self._log.read_text(errors="replace")

    def address(self, pattern=LISTENING):
        """Where it listens; None if it ends, or says nothing for ten seconds."""
        until = time.monotonic() + 10
        while time.monotonic() < until and self._process.poll() is None:
            match = pattern.search(self.words())
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


def report(tally, title, done, known=None):
    """Counts what a program printed: `ok NAME`, `FAILED NAME: why` and `skipped NAME` lines.

    `known` says of a failed line why it may fail, or None.
    """
    failures = passes = others = 0
    for line in done.stdout.splitlines():
        word, _, rest = line.partition(" ")
        name = f"{title}: {rest.strip()}"
        if word == "ok":
            passes += 1
            tally.ok(name)
        elif word == "FAILED":
            failures += 1
            excuse = known(rest) if known else None
            tally.skip(name, f"known: {excuse}") if excuse else tally.fail(title, rest.strip())
        elif word == "skipped":
            others += 1
            tally.skip(name, "by the program itself")
    if done.returncode != (1 if failures else 0) or not passes + failures + others:
        tally.fail(title, f"exit code {done.returncode}: {done.stderr.strip()[-500:]}")


def run_cases(tally, title, command, known=None, timeout=120, **environment):
    """Runs a program that prints lines as `report` takes them."""
    report(tally, title, run(command, timeout, **environment), known)


# What the go command says when modules cannot be had; anything else it objects to is our mistake.
OFFLINE = re.compile(r"dial tcp|lookup |proxyconnect|i/o timeout|connection refused|TLS handshake|"
                     r"GOPROXY=off|\b(403|404|410|429|5\d\d) [A-Z]|no such host|toolchain not available")


class GoPrograms:
    """Programs of one Go module, built where the machine can build them."""

    def __init__(self, folder, output, packages, modfile="go.mod", flags=()):
        self._folder = HERE / folder
        self._output = output
        self._flags = [*flags, *([f"-modfile={modfile}"] if modfile != "go.mod" else [])]
        self.missing = self._build(packages)

    def __getitem__(self, name):
        return str(self._output / name)

    def module_folder(self, module):
        """Where the source of a module lies."""
        return self._go("list", *self._flags, "-m", "-f", "{{.Dir}}", module).stdout.strip()

    def _go(self, *words):
        environment = {**os.environ, "GOFLAGS": "-mod=readonly"}
        return subprocess.run(["go", *words], cwd=self._folder, env=environment,
                              capture_output=True, text=True, timeout=600, check=False)

    def _build(self, packages):
        """Why they cannot be had; None if they can. Code that does not compile is a failure."""
        if not shutil.which("go"):
            return "no go toolchain"
        self._output.mkdir(parents=True, exist_ok=True)
        listed = self._go("list", *self._flags, "-deps", *packages)
        if listed.returncode != 0 and OFFLINE.search(listed.stderr):
            return "go cannot fetch modules: " + listed.stderr.strip().splitlines()[-1]
        built = self._go("build", *self._flags, "-o", f"{self._output}/", *packages)
        if built.returncode != 0:
            raise SystemExit(f"{self._folder} does not compile:\n{built.stderr}")
        return None
