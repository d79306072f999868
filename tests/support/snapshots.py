"""Snapshots of mailboxes as they were written before UIDs became bitmaps and MODSEQs lay by octets."""

from __future__ import annotations

__all__ = ["first_snapshot"]

import struct
import zlib

import zstandard

from hongyan.mailboxes.snapshot import Snapshot


def first_snapshot(kept: Snapshot) -> bytes:
    """Return it in the first format, with codes of one octet."""
    texts = b"\n".join(kept.texts)
    head = struct.pack(">4sBIIIQ", b"HYS1", 1, len(kept.uids), kept.uidnext, len(texts), kept.modseq)
    body = texts + kept.uids.tobytes() + kept.modseqs.tobytes() + bytes(kept.codes)
    packed = zstandard.ZstdCompressor(level=1, write_checksum=True).compress(body)
    return head + struct.pack(">I", zlib.crc32(head)) + packed
