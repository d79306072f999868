"""A mailbox at one position of the log, as octets from which it is read again in a moment.

UIDs are a compressed bitmap. MODSEQs lie by octets, the lowest of all of them first: neighbours have most of their
octets in common, so little is left of them, and those that are zero everywhere are not written. Both are several times
faster to read than numbers one after the other, and take a tenth of the room.
"""

from __future__ import annotations

__all__ = ["Snapshot"]

import struct
import sys
import zlib
from array import array
from dataclasses import dataclass

import zstandard
from pyroaring import BitMap

from hongyan.errors import Corrupt
from hongyan.mailboxes.flag_column import Codes
from hongyan.types import ModSeq

# Magic, octets of a code, of a MODSEQ, messages, uidnext, octets of the texts, of the UIDs, modseq.
_HEAD = struct.Struct(">4sBBIIIIQ")
_MAGIC = b"HYS2"
_FIRST_HEAD = struct.Struct(">4sBIIIQ")  # magic, octets of a code, messages, uidnext, octets of the texts, modseq
_FIRST_MAGIC = b"HYS1"
_CHECKSUM = struct.Struct(">I")
_UID_OCTETS = 4
_MODSEQ_OCTETS = 8


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What is kept: `texts` are the sets of flags by their codes, no MODSEQ is greater than `modseq`."""

    modseq: ModSeq
    uidnext: int
    texts: list[bytes]
    uids: array[int]
    modseqs: array[int]
    codes: Codes

    def pack(self) -> bytes:
        """Return it as octets."""
        uids = BitMap(self.uids)
        uids.run_optimize()
        packed_uids = uids.serialize()
        texts = b"\n".join(self.texts)
        planes = _planes(self.modseqs, (self.modseq.bit_length() + 7) // 8)
        width = self.codes.itemsize if isinstance(self.codes, array) else 1
        head = _HEAD.pack(
            _MAGIC, width, len(planes), len(self.uids), self.uidnext, len(texts), len(packed_uids), self.modseq
        )
        body = b"".join((texts, packed_uids, *planes, bytes(self.codes)))
        packer = zstandard.ZstdCompressor(level=1, write_checksum=True)
        return head + _CHECKSUM.pack(zlib.crc32(head)) + packer.compress(body)

    @classmethod
    def unpack(cls, octets: bytes) -> Snapshot:
        """Read it. Raises `Corrupt`."""
        try:
            return _unpack_first(octets) if octets.startswith(_FIRST_MAGIC) else _unpack(octets)
        except (struct.error, zstandard.ZstdError, ValueError, IndexError) as error:
            raise Corrupt(cause=f"a snapshot cannot be read: {error}") from error


def _unpack(octets: bytes) -> Snapshot:
    head = octets[: _HEAD.size]
    magic, width, depth, count, uidnext, text_octets, uid_octets, modseq = _HEAD.unpack(head)
    if magic != _MAGIC or width not in {1, _UID_OCTETS} or depth > _MODSEQ_OCTETS:
        raise Corrupt(cause="a snapshot has a damaged head")
    planes_at = text_octets + uid_octets
    codes_at = planes_at + depth * count
    body = _body(head, octets, codes_at + width * count)
    uids = BitMap.deserialize(bytes(body[text_octets:planes_at]))
    if len(uids) != count:  # Before they are laid out: a few octets may stand for very many.
        raise Corrupt(cause="a snapshot has more or fewer UIDs than messages")
    modseqs = _from_planes(body[planes_at:codes_at], count)
    texts = bytes(body[:text_octets]).split(b"\n")
    return Snapshot(ModSeq(modseq), uidnext, texts, uids.to_array(), modseqs, _codes(body[codes_at:], width))


def _unpack_first(octets: bytes) -> Snapshot:
    """Read what was written before: UIDs and MODSEQs are numbers one after the other."""
    head = octets[: _FIRST_HEAD.size]
    _magic, width, count, uidnext, text_octets, modseq = _FIRST_HEAD.unpack(head)
    modseqs_at = text_octets + _UID_OCTETS * count
    codes_at = modseqs_at + _MODSEQ_OCTETS * count
    body = _body(head, octets, codes_at + width * count)
    uids, modseqs = array("I", bytes(body[text_octets:modseqs_at])), array("Q", bytes(body[modseqs_at:codes_at]))
    texts = bytes(body[:text_octets]).split(b"\n")
    return Snapshot(ModSeq(modseq), uidnext, texts, uids, modseqs, _codes(body[codes_at:], width))


def _body(head: bytes, octets: bytes, size: int) -> memoryview:
    """Return what stands behind the head and its checksum, which are so many octets."""
    (checksum,) = _CHECKSUM.unpack_from(octets, len(head))
    if zlib.crc32(head) != checksum:
        raise Corrupt(cause="a snapshot has a damaged head")
    packed = octets[len(head) + _CHECKSUM.size :]
    frame = zstandard.get_frame_parameters(packed)
    if frame.content_size != size or not frame.has_checksum:  # So much would be asked of memory.
        raise Corrupt(cause="a snapshot is not what its head says")
    body = zstandard.ZstdDecompressor().decompress(packed, max_output_size=size)
    if len(body) != size:
        raise Corrupt(cause="a snapshot is not whole")
    return memoryview(body)


def _codes(octets: memoryview, width: int) -> Codes:
    return bytearray(octets) if width == 1 else array("I", bytes(octets))


def _planes(numbers: array[int], depth: int) -> list[bytes]:
    """Return the lowest octets of all numbers, then the second ones, and so on."""
    octets = _little_endian(numbers).tobytes()
    return [octets[level::_MODSEQ_OCTETS] for level in range(depth)]


def _from_planes(planes: memoryview, count: int) -> array[int]:
    octets = bytearray(_MODSEQ_OCTETS * count)
    for level, at in enumerate(range(0, len(planes), max(count, 1))):
        octets[level::_MODSEQ_OCTETS] = planes[at : at + count]
    numbers = array("Q")
    numbers.frombytes(octets)
    return _little_endian(numbers)


def _little_endian(numbers: array[int]) -> array[int]:
    """Return the numbers as they are, or turned round where the machine has the highest octet first."""
    if sys.byteorder == "big":
        numbers = numbers[:]
        numbers.byteswap()
    return numbers
