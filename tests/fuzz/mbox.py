"""Files of mail that somebody brings.

Invariant: whatever lies in the file, it is read without a fault, and no message is larger than was allowed; and each
message that is read, written to an mbox, and read again, is the same message, with the same flags and the same date.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import io
from datetime import UTC, datetime

from hongyan.migrate.mbox import read_mbox, write_message

_MOST = 4096
_EPOCH = datetime.fromtimestamp(0, UTC)

CORPUS: list[bytes] = [
    (
        b"From ann@geese.test Mon Nov 23 08:00:00 2026\nSubject: one\nStatus: RO\nX-Status: AF\n\nhonk\n>From afar\n\n"
        b"From bob@geese.test Tue Nov 24 9:00 2026 +0800\nSubject: two\n\n>>From there\n\n"
    ),
    b"no message\n\nFrom - Mon Nov 23 08:00:00 2026\r\nX-Keywords: $Label1 \xe9\r\n Work\r\nX-UID: 7\r\n\r\nx\r\n\r\n",
    b"From x\n\n\n\n",
    b"From x\nSubject: " + b"long " * 1000 + b"\n\n",
]


def target(octets: bytes) -> None:
    """Read the octets as an mbox, and what they hold once more."""
    for message in read_mbox(io.BytesIO(octets), most=_MOST):
        if message is None:
            continue
        (again,) = read_mbox(io.BytesIO(write_message(message, "somebody")), most=1 << 20)
        assert again is not None
        assert again.octets == _ended(message.octets), (message, again)
        assert set(again.flags) == set(message.flags), (message, again)
        assert again.date == (message.date or _EPOCH), (message, again)


def _ended(octets: bytes) -> bytes:
    """A line of a file ends: a last one that does not is given an end."""
    return octets if octets.endswith(b"\n") else octets + (b"\n" if octets.endswith(b"\r") else b"\r\n")
