"""The Go programs that the benchmarks compare with: grpc-go, and go-micro v2."""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "interop"))
from harness import GoPrograms  # noqa: E402 (its folder had to be known first)

GENERATOR = "google.golang.org/protobuf/cmd/protoc-gen-go"


def build(name, output):
    """The server and the client of the module peers/NAME, or why they cannot be had (a str).

    Each gets bench.proto as the generator of its own protobuf version makes it; the overlay puts
    that into the module without a file in the source tree.
    """
    module, made = HERE / "peers" / name, output / name
    generator = GoPrograms(module, made, [GENERATOR])
    if generator.missing:
        return generator.missing
    generated = made / "bench.pb.go"
    subprocess.run(["protoc", f"-I{HERE}", f"--plugin=protoc-gen-go={generator['protoc-gen-go']}",
                    f"--go_out=paths=source_relative:{made}", "bench.proto"], check=True)
    overlay = made / "overlay.json"
    overlay.write_text(json.dumps(
        {"Replace": {str(module / "echo" / generated.name): str(generated)}}))
    programs = GoPrograms(module, made, ["./server", "./client"], flags=[f"-overlay={overlay}"])
    return programs.missing or programs
