"""Our hello-world called by stock gRPC clients, and stock gRPC servers called by ours."""

import subprocess

from harness import HERE, GoPrograms, Server, run, run_cases

PROTO = HERE.parent.parent / "examples" / "helloworld" / "helloworld.proto"


class Peers:
    """The grpc-go programs of this folder."""

    def __init__(self, folder):
        self._programs = GoPrograms(".", folder / "grpc-go", ["./client", "./server"])
        self._descriptors = folder / "helloworld.binpb"
        self.missing = self._programs.missing
        if not self.missing:
            subprocess.run(["protoc", f"-I{PROTO.parent}", PROTO.name,
                            f"--descriptor_set_out={self._descriptors}"], check=True)

    def client(self, address):
        return [self._programs["client"], self._descriptors, address]

    def server(self):
        return [self._programs["server"], self._descriptors]


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
    command = [binaries / "helloworld", "--registry=memory", "--server_address=127.0.0.1:0"]
    with Server(command, folder, tally) as server:
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


def run_all(tally, binaries, folder):
    peers = Peers(folder)
    they_call_us(tally, peers, binaries, folder)
    we_call_them(tally, peers, binaries, folder)
