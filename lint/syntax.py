#!/usr/bin/env python3
"""syntax.py FILE...: whether these are Python."""

import ast
import sys


def main():
    for name in sys.argv[1:]:
        with open(name, encoding="utf-8") as file:
            ast.parse(file.read(), name)


main()
