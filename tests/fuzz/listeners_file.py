"""What is kept of listeners (`listeners.json`), after a disk or an editor had a hand in it.

Invariant: a server starts with whatever the file holds, lists who still comes, and writes a file that is read again to
the same.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import asyncio
import json
import tempfile
from datetime import UTC, date, datetime
from pathlib import Path

from hongyan.servers.lifecycle import FILE, Lifecycle, Lifecycles
from tests.support.clock import FakeClock

CORPUS: list[bytes] = [
    b'{"imap": {"prolonged": "2027-01-31", "uses": [["ann@b.c", "Mail 1", 3, "2026-11-23T10:00:00+00:00"]]}}',
    b'{"imap": {"prolonged": null, "uses": [["a", "", 1, "2026-11-23"], ["b", "", 2, "2026-11-23T10:00:00+08:00"]]}}',
    b'{"imap": {"prolonged": "", "uses": null}, "pop3": 1}',
    b'{"imap": {"uses": [[]]}}',
    b'{"imap": {"prolonged": "2027-01-31", "uses": [["a", "b", 1e999, "2026-11-23"]]}}',
    b"[" * 9000,
]
_FOLDER = Path(tempfile.mkdtemp(prefix="hongyan-fuzz-"))


def target(octets: bytes) -> None:
    (_FOLDER / FILE).write_bytes(octets)
    first = _load()
    seen = first.each["imap"].list_uses(), first.each["imap"].off
    first.each["imap"].changed = True
    asyncio.run(first.flush())
    json.loads((_FOLDER / FILE).read_bytes())
    second = _load()
    assert seen == (second.each["imap"].list_uses(), second.each["imap"].off)


def _load() -> Lifecycles:
    clock = FakeClock(datetime(2026, 11, 23, tzinfo=UTC))
    return Lifecycles({"imap": Lifecycle("imap", date(2026, 1, 1), date(2027, 1, 1), clock)}, _FOLDER)
