"""h2spec, strict cases included, against our hello-world."""

import concurrent.futures

from harness import GoPrograms, Server, report, run

# Cases that may fail, by their number, and why.
_CLOSED = ("h2spec wants RFC 7540's STREAM_CLOSED for DATA on a stream that is over; RFC 9113 "
           "section 5.1 leaves it to the server; libnghttp2 drops such DATA, counted by flow "
           "control, as remembering streams that are over costs memory for each connection")
_PREFACE = ("what is no HTTP/2 preface is HTTP/1.1 on this port: it is refused in HTTP/1.1, and the "
            "connection is closed; h2spec tries to read the answer as a frame")
KNOWN = {
    "http2/3.5/2": _PREFACE,
    "http2/5.1/5": _CLOSED,
    "http2/5.1/8": _CLOSED,
    "http2/5.1/11": _CLOSED,
    "http2/6.1/2": _CLOSED,
}


def known(line):
    """Why a case may fail; None if it may not."""
    return KNOWN.get(line.split()[0])


def against(server_command, program, flags, folder):
    """h2spec's words about a server, or why there are none."""
    with Server(server_command, folder) as server:
        address = server.address()
        if address is None:
            return f"its server does not listen:\n{server.words()}"
        return run([program, *flags, address])


def run_all(tally, binaries, folder):
    programs = GoPrograms("h2spec", folder / "h2spec", ["."])
    if programs.missing:
        tally.skip("h2spec", programs.missing)
        return
    plain = [binaries / "helloworld", "--registry=memory", "--server_address=127.0.0.1:0"]
    tls = [binaries / "grpc-interop-server", "--port=0", "--use_tls",
           f"--ca_file={folder / 'h2spec-ca.pem'}"]
    with concurrent.futures.ThreadPoolExecutor() as both:  # what takes their time is waiting
        runs = {"h2spec": both.submit(against, plain, programs["h2spec"], [], folder),
                "h2spec, TLS": both.submit(against, tls, programs["h2spec"], ["-tls"], folder)}
    for title, done in runs.items():
        if isinstance(done.result(), str):
            tally.fail(title, done.result())
        else:
            report(tally, title, done.result(), known)
