"""An mbox of any octets is read to its end: messages have CRLF and nothing else, and what is written is read back."""

from __future__ import annotations

import io

from hongyan.migrate.mbox import read_mbox, write_message

CORPUS: list[bytes] = [
    b"From a@b.test Mon Nov 23 08:05:09 2026\nStatus: RO\nX-Status: AF\nX-Keywords: a b\nSubject: x\n\n>From y\n\n",
    b"From a\r\nSubject: x\r\n\r\ny\r\n\r\nFrom b Mon Nov 23 08:05:09 2026 +0200\r\n\r\n",
    b"From \n\nFrom \n\nFrom ",
    b"x\n\nFrom a Mon Nov 31 08:05:09 2026\nX-UID: 1\n folded\n\n\n\n",
]

_MOST = 1 << 16


def target(octets: bytes) -> None:
    """Read a file, write what was found, and read it again."""
    found = [message for message in read_mbox(io.BytesIO(octets), most=_MOST) if message is not None]
    for message in found:
        assert message.octets.count(b"\n") == message.octets.count(b"\r\n")
    written = b"".join(write_message(message, "MAILER-DAEMON") for message in found)
    again = list(read_mbox(io.BytesIO(written), most=1 << 20))
    assert len(again) == len(found)
    for first, second in zip(found, again, strict=True):
        assert second is not None
        assert second.date == (first.date or second.date)
        if b"\r" not in first.octets.replace(b"\r\n", b""):
            assert second.octets.rstrip(b"\r\n") == first.octets.rstrip(b"\r\n")
