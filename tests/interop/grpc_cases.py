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


def run_client(tally, title, client, port, cases):
    for case in cases:
        done = run([*client, "--server_host=127.0.0.1", f"--server_port={port}",
                    f"--test_case={case}"])
        tally.check(f"{title}: {case}", complaint(done))


class Pair:
    """A server, and a client against it; both with flags for TLS, where they have some."""

    def __init__(self, title, server, listening, client, cases, folder):
        self.title, self.server, self.listening = title, server, listening
        self.client, self.cases, self.folder = client, cases, folder

    def run(self, tally, how, server_flags=(), client_flags=()):
        title = f"{self.title}, {how}"
        command = [*self.server, "--port=0", *server_flags]
        ours = tally if self.listening is OUR_LISTENING else None
        with Server(command, self.folder, ours, **GO_SAYS_WHERE) as server:
            port = server.address(self.listening)
            if port is None:
                tally.fail(title, f"its server does not listen:\n{server.words()[-1000:]}")
                return
            run_client(tally, title, [*self.client, *client_flags], port, self.cases)


def run_all(tally, binaries, folder):
    our_server, our_client = [binaries / "grpc-interop-server"], [binaries / "grpc-interop-client"]
    ca_file = f"--ca_file={folder / 'grpc-interop-ca.pem'}"
    our_tls = ["--use_tls", ca_file]

    pair = Pair("gRPC's cases, we call ourselves", our_server, OUR_LISTENING, our_client,
                CASES + OUR_CASES, folder)
    pair.run(tally, "h2c")
    pair.run(tally, "coroutines", ["--async"])
    pair.run(tally, "TLS", our_tls, our_tls)

    programs = GoPrograms(".", folder / "grpc-go-interop",
                          ["google.golang.org/grpc/interop/client",
                           "google.golang.org/grpc/interop/server"])
    if programs.missing:
        tally.skip("gRPC's cases with grpc-go", programs.missing)
        return
    pair = Pair("gRPC's cases, grpc-go calls us", our_server, OUR_LISTENING, [programs["client"]],
                CASES, folder)
    pair.run(tally, "h2c")
    pair.run(tally, "coroutines", ["--async"])
    pair.run(tally, "TLS", our_tls, ["--use_tls", "--use_test_ca", ca_file])

    # Its server comes with a certificate for *.test.google.fr.
    their_ca = f"{programs.module_folder('google.golang.org/grpc')}/testdata/ca.pem"
    pair = Pair("gRPC's cases, we call grpc-go", [programs["server"]], GO_LISTENING, our_client,
                CASES, folder)
    pair.run(tally, "h2c")
    pair.run(tally, "TLS", ["--use_tls"],
             ["--use_tls", f"--ca_file={their_ca}", "--tls_server_name=foo.test.google.fr"])
