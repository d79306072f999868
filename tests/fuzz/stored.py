"""What is read back from storage: entries of the log, snapshots of mailboxes, segments of blobs.

Invariant: whatever the octets are, they are `Corrupt` or they are understood; and what is understood is written again
as something that is understood in the same way. Nothing else is raised, and nothing reads beyond the octets.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

import os

from pyroaring import BitMap

from hongyan.engines.segment_format import Place, file_header, record_header, records_of
from hongyan.errors import Corrupt
from hongyan.mailboxes.snapshot import Snapshot
from hongyan.mailboxes.state import MailboxState
from hongyan.store.changes import (
    Appended,
    Expunged,
    FlagsAdded,
    LoggedChange,
    MailboxChanged,
    decode_change,
    encode_change,
)
from hongyan.store.mailboxes import Mailbox, StoredState
from hongyan.types import MailboxId, ModSeq, UidValidity
from tests.support.snapshots import first_snapshot

_BOX = Mailbox(MailboxId(1), "INBOX", "", UidValidity(1), 1, ModSeq(0), 0, 0, subscribed=True)


def _snapshot() -> bytes:
    change = Appended(1, 9, {b"\\Seen": BitMap([1, 5]), b"$x": BitMap([9])})
    row = Mailbox(MailboxId(1), "INBOX", "", UidValidity(1), 10, ModSeq(1), 9, 0, subscribed=True)
    state = MailboxState(StoredState(row, None, (LoggedChange(ModSeq(1), MailboxId(1), change),)))
    return state.snapshot()[1]()


def _first_snapshot() -> bytes:
    return first_snapshot(Snapshot.unpack(_snapshot()))


CORPUS: list[bytes] = [
    b"C" + encode_change(Appended(7, 3, {b"\\Seen": BitMap([7, 9])})),
    b"C" + encode_change(FlagsAdded(BitMap(range(1, 70_000, 3)), (b"\\Seen", b"$Label"))),
    b"C" + encode_change(Expunged(BitMap([1, 2, 3, 4_000_000_000]))),
    b"C" + encode_change(MailboxChanged("renamed", "雁/Gänse")),
    b"S" + _snapshot(),
    b"S" + _first_snapshot(),
    b"B" + file_header(1) + record_header(Place(1, 80, 5, 5, 0, 0), b"d" * 32) + b"goose",
]


def target(octets: bytes) -> None:
    """Read the octets as what their first octet says."""
    kind, body = octets[:1], octets[1:]
    if kind == b"C":
        _read_change(body)
    elif kind == b"S":
        _read_snapshot(body)
    else:
        _read_segment(body)


def _read_change(body: bytes) -> None:
    try:
        change = decode_change(body)
    except Corrupt:
        return
    assert decode_change(encode_change(change)) == change


def _read_snapshot(body: bytes) -> None:
    try:
        state = MailboxState(StoredState(_BOX, body, ()))
    except Corrupt:
        return
    assert len(state.uids) == len(state.modseqs) == len(state.column)
    assert max(state.column.codes, default=0) < len(state.column.texts)


def _read_segment(body: bytes) -> None:
    fd = os.memfd_create("segment")
    try:
        os.write(fd, body)
        end = 0
        for place, _digest in records_of(fd, 1, len(body)):
            assert end <= place.offset <= place.end <= len(body)
            end = place.end
    finally:
        os.close(fd)
