"""Make the pages of docs/ that come from the code; with --check, fail when one of them is stale."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path

import rfcs

from hongyan.configuration import reference as configuration

ROOT = Path(__file__).resolve().parent.parent


def make_commands() -> str:
    from hongyan.cli.reference import make_page  # here: it takes its language from the environment

    return make_page()


MADE: dict[Path, Callable[[], str]] = {
    rfcs.PAGE: rfcs.make,
    ROOT / "docs" / "commands.md": make_commands,
    ROOT / "docs" / "configuration.md": configuration.make_page,
    ROOT / "docs" / "hongyan.example.toml": configuration.make_example,
}


def main() -> int:
    os.environ["LC_ALL"] = "C.UTF-8"  # The pages are in English, whoever makes them.
    parser = argparse.ArgumentParser(prog="scripts/docs.py", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when a page is stale")
    checking = parser.parse_args().check
    try:
        pages = {path: make() for path, make in MADE.items()}
    except rfcs.UnknownRfc as unknown:
        print(unknown)
        return 1
    stale = [path for path, text in pages.items() if not path.is_file() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'stale: run `make docs`' if checking else 'made'}")
        if not checking:
            path.write_text(pages[path])
    return 1 if stale and checking else 0


if __name__ == "__main__":
    sys.exit(main())
