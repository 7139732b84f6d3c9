"""Keeps README.md's C++ in step with the examples.

A block of C++ stands behind the marker of a region of a compiled file:

    <!-- from: examples/helloworld/helloworld.cc#service -->
    ```cpp
    ...
    ```

and the region stands in that file between the lines `// [service]` and `// [/service]`.

    readme.py check ROOT            compares each block with its region
    readme.py extract ROOT OUTPUT   writes each block to a file of its own, and prints their paths
"""

import difflib
import pathlib
import re
import sys

MARKER = re.compile(r"<!-- from: (?P<path>\S+)#(?P<region>\S+) -->")


def blocks(readme):
    """The C++ blocks, each as (line, marker or None, text)."""
    lines = readme.read_text().splitlines()
    start = None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```cpp"):
            start = number
        elif start is not None and line == "```":
            marker = MARKER.fullmatch(lines[start - 1]) if start else None
            yield start + 1, marker, "\n".join(lines[start + 1 : number]) + "\n"
            start = None


def region(path, name):
    lines = path.read_text().splitlines()
    begin, end = f"// [{name}]", f"// [/{name}]"
    if begin not in lines or end not in lines:
        raise ValueError(f"{path} has no region between {begin} and {end}")
    return "\n".join(lines[lines.index(begin) + 1 : lines.index(end)]) + "\n"


def mismatch(root, line, marker, text):
    if marker is None:
        return f"README.md:{line}: the block does not say which example it is from"
    try:
        expected = region(root / marker["path"], marker["region"])
    except (OSError, ValueError) as error:
        return f"README.md:{line}: {error}"
    source = f"{marker['path']}#{marker['region']}"
    return "".join(
        difflib.unified_diff(
            expected.splitlines(True), text.splitlines(True), source, f"README.md:{line}"
        )
    )


def check(root):
    found = list(blocks(root / "README.md"))
    problems = [problem for block in found if (problem := mismatch(root, *block))]
    if not found:
        problems.append("README.md has no block of C++")
    print("\n".join(problems))
    return 1 if problems else 0


def extract(root, output):
    output.mkdir(parents=True, exist_ok=True)
    for _, marker, text in blocks(root / "README.md"):
        if marker is None:
            continue
        path = output / f"{pathlib.Path(marker['path']).stem}_{marker['region']}.cc"
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
        print(path)
    return 0


if __name__ == "__main__":
    command, *paths = sys.argv[1:]
    sys.exit({"check": check, "extract": extract}[command](*map(pathlib.Path, paths)))
