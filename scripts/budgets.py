"""What no linter knows: modules and functions small enough to read at one sitting, each module with its sentence.

Limits are those of the project's style: a module of at most 500 lines, a function of at most 60,
a docstring first, and no module that is named after having no concept. A module of tests is read test by
test: it may have twice as many lines.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("hongyan", "tests", "scripts", "bench")

MODULE_LINES = 500
TEST_MODULE_LINES = 1000
FUNCTION_LINES = 60
NAMELESS = {"utils", "util", "common", "helpers", "helper", "misc"}


def main() -> int:
    faults = [fault for path in modules() for fault in faults_of(path)]
    print("\n".join(faults), end="\n" if faults else "")
    return 1 if faults else 0


def modules() -> list[Path]:
    return sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def faults_of(path: Path) -> Iterator[str]:
    source = path.read_text()
    tree = ast.parse(source)
    name = path.relative_to(ROOT)
    lines = source.count("\n")
    limit = TEST_MODULE_LINES if name.parts[0] == "tests" else MODULE_LINES
    if lines > limit:
        yield f"{name}:1: {lines} lines; a module has at most {limit}: split it by concept"
    if NAMELESS & {*name.parts[:-1], name.stem}:
        yield f"{name}:1: named after no concept of mail"
    if source and not ast.get_docstring(tree):
        yield f"{name}:1: no docstring: what is this module for, what does it hold true?"
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            long = (node.end_lineno or node.lineno) - node.lineno + 1
            if long > FUNCTION_LINES:
                yield f"{name}:{node.lineno}: {node.name} has {long} lines; a function has at most {FUNCTION_LINES}"


if __name__ == "__main__":
    sys.exit(main())
