"""Cases collected by others, read from beside the repository and never copied into it.

`testdata("mime-stalwart")` is the folder, or None where it is absent: skip with `needs_testdata`. A test
that runs many cases in one says how many with the `count_cases` fixture (tests/conftest.py); the
sums stand at the end of the run.
"""

from __future__ import annotations

__all__ = ["needs_testdata", "testdata"]

from pathlib import Path

import pytest

_HOME = Path(__file__).resolve().parents[3] / "shared" / "testdata"


def testdata(folder: str) -> Path | None:
    """Return a folder of cases, or None where the collection is not at hand."""
    found = _HOME / folder
    return found if found.is_dir() else None


def needs_testdata(folder: str) -> pytest.MarkDecorator:
    """Mark a test that can do nothing without these cases."""
    return pytest.mark.skipif(testdata(folder) is None, reason=f"../shared/testdata/{folder} is absent")


testdata.__test__ = False  # type: ignore[attr-defined]  # pytest takes names that begin with `test` for tests
