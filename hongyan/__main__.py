"""`hongyan`, or `python -m hongyan`: hands over to the command line."""

from __future__ import annotations

__all__ = ["main"]

import sys

from hongyan.cli.program import run


def main() -> None:
    """Run the command that was typed, and end with its exit code."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
