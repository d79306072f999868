"""Any chunking of DATA gives the same message, rest and faults, and nothing but CRLF . CRLF ends it.

The first octet chooses where the input is cut.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from hongyan.wire.lines import BareNewline, DotStuffer
from hongyan.wire.smtp.data import DataReceiver

CORPUS: list[bytes] = [
    b"\x03Subject: x\r\n\r\nbody\r\n.\r\nQUIT\r\n",
    b"\x05..\r\n...\r\n.\r\n",
    b"\x01a\n.\nMAIL FROM:<>\r\n.\r\n",
    b"\x02a\r\n.\nb\r\n.\r\n",
    b"\x02a\r.\rb\r\n.\r\n",
    b"\x04\r\n\0.\r\n\r\n.\r\n",
    b"\x07\r\n.\r\r\n.\r\n",
]


def target(octets: bytes) -> None:
    step, wire = octets[0] % 7 + 1 if octets else 1, octets[1:]
    whole = _receive([wire])
    assert _receive([wire[i : i + step] for i in range(0, len(wire), step)]) == whole
    if whole is None:
        return
    message, rest, done, _ = whole
    alone = message.replace(b"\r\n", b"")
    assert b"\r" not in alone
    assert b"\n" not in alone
    if done:
        stuffer = DotStuffer()
        stuffed = stuffer.feed(message) + stuffer.end()
        assert _receive([stuffed]) == (message, b"", True, b"\0" in message)
        assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(wire) - len(rest) - 3


def _receive(chunks: list[bytes]) -> tuple[bytes, bytes, bool, bool] | None:
    receiver = DataReceiver()
    message = b""
    for number, chunk in enumerate(chunks):
        try:
            message += receiver.feed(chunk)
        except BareNewline:
            return None
        if receiver.done:
            return message, receiver.rest + b"".join(chunks[number + 1 :]), True, receiver.holds_nul
    # What is still held back belongs to no chunking in particular.
    return (message, b"", False, receiver.holds_nul) if len(chunks) == 1 else _receive([b"".join(chunks)])
