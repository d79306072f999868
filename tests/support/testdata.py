"""Messages and expected results that other projects wrote, where they are at hand.

They lie beside the repository and are never copied into it. Tests that need them skip where there are none, in CI
too, since nobody could set them up; and they say with the fixture `count_cases` how many they read.
"""

from __future__ import annotations

__all__ = ["ABSENT", "SUITES_OF_MESSAGES", "case_files", "crlf", "message_files", "testdata"]

from pathlib import Path

import pytest

ABSENT = "no testdata lies beside the repository"
"""The one reason to skip that CI takes."""

SUITES_OF_MESSAGES = (
    "autocrypt",
    "imap-wildduck",
    "mime-cpython",
    "mime-enmime",
    "mime-mailparser",
    "mime-mikel",
    "mime-mime4j",
    "mime-mimekit",
    "mime-phpparser",
    "mime-rspamd",
    "mime-spamscope",
    "mime-stalwart",
    "mime-zbateson",
    "reports-mailauth",
    "spamassassin",
)
"""Suites that are made of messages, whole or broken."""

_NOT_MESSAGES = {".json", ".xml", ".tsv", ".html", ".bin", ".md", ".yml"}
_ROOT = Path(__file__).resolve().parents[2].parent / "shared" / "testdata"


def testdata(folder: str) -> Path | None:
    """Return the folder of a suite, or None if it is not here."""
    path = _ROOT / folder
    return path if path.is_dir() else None


testdata.__test__ = False  # type: ignore[attr-defined]  # pytest collects by name


def case_files(folder: str, *patterns: str) -> list[Path]:
    """Return the files of a suite in order; skip the test that asks if the suite is not here."""
    path = testdata(folder)
    if path is None:
        pytest.skip(f"testdata/{folder} is missing" if _ROOT.is_dir() else ABSENT)
    return sorted(file for pattern in patterns for file in path.glob(pattern) if file.is_file())


def message_files(suite: str) -> list[Path]:
    """Return the messages of a suite, without what describes them; skip the test if the suite is not here."""
    return [file for file in case_files(suite, "**/*") if file.suffix not in _NOT_MESSAGES]


def crlf(octets: bytes) -> bytes:
    """Return octets with CRLF for each line break, as a message travels."""
    return octets.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
