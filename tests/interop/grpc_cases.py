"""gRPC's published interop cases: grpc-go's own programs against ours, both ways, and ours alone."""

import re

from harness import GoPrograms, Server, run

CASES = [
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong",
    "empty_stream", "custom_metadata", "status_code_and_message", "special_status_message",
    "unimplemented_method", "unimplemented_service", "cancel_after_begin",
    "cancel_after_first_response", "timeout_on_sleeping_server",
]
# grpc-go's programs have no such cases.
OUR_CASES = ["client_compressed_unary", "server_compressed_unary"]

GO_LISTENING = re.compile(r"interop server listening on \[::\]:(\d+)")
OUR_LISTENING = re.compile(r"listening on 127\.0\.0\.1:(\d+)")
GO_SAYS_WHERE = {"GRPC_GO_LOG_SEVERITY_LEVEL": "info"}


def complaint(done):
    """What is wrong with how a client ended."""
    if done.returncode == 0:
        return None
    said = (done.stderr.strip() or done.stdout.strip()).splitlines() or ["?"]
    return f"exit code {done.returncode}: {said[-1]}"


def run_client(tally, title, client, port, cases, known):
    for case in cases:
        if case not in known:
            tally.skip(f"{title}: {case}", "our client and server do not have it yet")
            continue
        done = run([client, "--server_host=127.0.0.1", f"--server_port={port}",
                    f"--test_case={case}"])
        tally.check(f"{title}: {case}", complaint(done))


class Pair:
    """A server, and a client against it."""

    def __init__(self, title, server, listening, client, cases):
        self.title, self.server, self.listening = title, server, listening
        self.client, self.cases = client, cases

    def run(self, tally, folder, known):
        with Server([self.server, "--port=0"], folder, **GO_SAYS_WHERE) as server:
            port = server.address(self.listening)
            if port is None:
                tally.fail(self.title, f"its server does not listen:\n{server.words()[-1000:]}")
                return
            run_client(tally, self.title, self.client, port, self.cases, known)


def run_all(tally, binaries, folder):
    our_server, our_client = binaries / "grpc-interop-server", binaries / "grpc-interop-client"
    known = run([our_client, "--test_case=list"]).stdout.split()
    Pair("gRPC's cases, we call ourselves", our_server, OUR_LISTENING, our_client,
         CASES + OUR_CASES).run(tally, folder, known)
    programs = GoPrograms(".", folder / "grpc-go-interop",
                          ["google.golang.org/grpc/interop/client",
                           "google.golang.org/grpc/interop/server"])
    if programs.missing:
        tally.skip("gRPC's cases with grpc-go", programs.missing)
        return
    Pair("gRPC's cases, grpc-go calls us", our_server, OUR_LISTENING, programs["client"],
         CASES).run(tally, folder, known)
    Pair("gRPC's cases, we call grpc-go", programs["server"], GO_LISTENING, our_client,
         CASES).run(tally, folder, known)
