"""h2spec, strict cases included, against our hello-world."""

from harness import GoPrograms, Server, run_cases

# Cases that may fail, by their number, and why.
_CLOSED = ("h2spec wants RFC 7540's STREAM_CLOSED for DATA on a stream that is over; RFC 9113 "
           "section 5.1 leaves it to the server, and libnghttp2 drops such DATA, counted by flow "
           "control")
KNOWN = {
    "http2/5.1/5": _CLOSED,
    "http2/5.1/8": _CLOSED,
    "http2/5.1/11": _CLOSED,
    "http2/6.1/2": _CLOSED,
}


def run_all(tally, binaries, folder):
    programs = GoPrograms("h2spec", folder / "h2spec", ["."])
    if programs.missing:
        tally.skip("h2spec", programs.missing)
        return
    command = [binaries / "helloworld", "--registry=memory", "--server_address=127.0.0.1:0"]
    with Server(command, folder) as server:
        address = server.address()
        if address is None:
            tally.fail("h2spec", f"our hello-world does not listen:\n{server.words()}")
            return
        run_cases(tally, "h2spec", [programs["h2spec"], address],
                  known=lambda line: KNOWN.get(line.split()[0]))
