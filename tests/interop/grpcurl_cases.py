"""grpcurl's library lists, describes and calls our services through reflection."""

from harness import GoPrograms, Server, run_cases


def run_all(tally, binaries, folder):
    title = "grpcurl"
    programs = GoPrograms("grpcurl", folder / "grpcurl", ["."])
    if programs.missing:
        tally.skip(title, programs.missing)
        return
    with Server([binaries / "grpc-interop-server", "--port=0"], folder, tally) as server:
        address = server.address()
        if address is None:
            tally.fail(title, f"our server does not listen:\n{server.words()}")
            return
        run_cases(tally, title, [programs["grpcurl"], address])
