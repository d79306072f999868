"""A mailbox name is refused or canonical, and the same when it is read from its own encoding.

Canonical: without control characters, in form C, INBOX in capitals, of at most `MAX_OCTETS`.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import unicodedata

from hongyan.wire.imap.cursor import Cursor
from hongyan.wire.imap.faults import CommandFault
from hongyan.wire.imap.list_pattern import ListPattern
from hongyan.wire.imap.mailbox_name import MAX_OCTETS, decode_mailbox, encode_mailbox, find_fault_of_new_name

CORPUS: list[bytes] = [
    b"INBOX/x",
    b"inbox",
    b"&ZeVnLIqe-/&U,BTFw-",
    b"R&-D",
    b"&2D3eAA-",
    b"&AOQ-&-j",
    "日本語/café".encode(),
    "cafe\u0301".encode(),
    b'a\\b"c%*',
    b"&&&-",
    b"%a*b%",
]


def target(octets: bytes) -> None:
    for utf8 in (False, True):
        try:
            name = decode_mailbox(octets, utf8)
        except CommandFault:
            continue
        assert unicodedata.is_normalized("NFC", name)
        assert not any(unicodedata.category(character) == "Cc" for character in name)
        assert len(name.encode()) <= MAX_OCTETS
        assert name.partition("/")[0] == "INBOX" or not (name.isascii() and name.partition("/")[0].upper() == "INBOX")
        for as_utf8 in (False, True):
            cursor = Cursor(encode_mailbox(name, as_utf8), utf8=as_utf8)
            assert cursor.read_mailbox() == name
            cursor.end()
        find_fault_of_new_name(name)
        assert ListPattern("", name).matches(name), "a name is a pattern of itself"
