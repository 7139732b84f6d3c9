"""Keeps the C++ of README.md and of docs/guide/ in step with the examples.

A block of C++ stands behind the marker of a region of a compiled file:

    <!-- from: examples/helloworld/helloworld.cc#service -->
    ```cpp
    ...
    ```

and the region stands in that file between the lines `// [service]` and `// [/service]`.

    readme.py check ROOT            compares each block with its region
    readme.py extract ROOT OUTPUT   writes each of README.md's blocks to a file of its own, and prints
                                    their paths
"""

import difflib
import pathlib
import re
import sys

MARKER = re.compile(r"<!-- from: (?P<path>\S+)#(?P<region>\S+) -->")


def blocks(page):
    """The C++ blocks, each as (line, marker or None, text)."""
    lines = page.read_text().splitlines()
    start = None
    for number, line in enumerate(lines):
        if start is None and line.startswith("```cpp"):
            start = number
        elif start is not None and line == "```":
            marker = MARKER.fullmatch(lines[start - 1]) if start else None
            yield start + 1, marker, "\n".join(lines[start + 1 : number]) + "\n"
            start = None


def region(path, name):
    lines = [line.strip() if line.strip().startswith("// [") else line
             for line in path.read_text().splitlines()]
    begin, end = f"// [{name}]", f"// [/{name}]"
    if begin not in lines or end not in lines:
        raise ValueError(f"{path} has no region between {begin} and {end}")
    return "\n".join(lines[lines.index(begin) + 1 : lines.index(end)]) + "\n"


def mismatch(root, page, line, marker, text):
    place = f"{page.relative_to(root)}:{line}"
    if marker is None:
        return f"{place}: the block does not say which example it is from"
    try:
        expected = region(root / marker["path"], marker["region"])
    except (OSError, ValueError) as error:
        return f"{place}: {error}"
    source = f"{marker['path']}#{marker['region']}"
    return "".join(
        difflib.unified_diff(expected.splitlines(True), text.splitlines(True), source, place)
    )


def check(root):
    problems = []
    for page in [root / "README.md", *sorted((root / "docs" / "guide").glob("*.md"))]:
        found = [(page, *block) for block in blocks(page)]
        problems += [problem for block in found if (problem := mismatch(root, *block))]
        if not found and page.name == "README.md":
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
