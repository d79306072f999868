"""Compressed documents: gzip (RFC 1952) and, of others, zip archives with one file.

What comes out is bounded whatever goes in. Of an archive only the first file is read, by its own header: the
directory at the end, which can name millions, is not looked at.
"""

from __future__ import annotations

__all__ = ["pack", "unpack"]

import gzip
import struct
import zlib

from hongyan.mailauth.reports.fault import ReportFault

_GZIP = b"\x1f\x8b"
_ZIP = b"PK\x03\x04"
_ZIP_HEADER = struct.Struct("<4sHHHHHIIIHH")
_ENCRYPTED = 1
_STORED, _DEFLATED = 0, 8
_MEMBERS = 8


def pack(document: bytes) -> bytes:
    """Return a document as gzip; the same octets each time."""
    return gzip.compress(document, 9, mtime=0)


def unpack(octets: bytes, limit: int) -> bytes:
    """Return the document, of `limit` octets at most; what is not compressed comes back as it is.

    Raises `ReportFault`.
    """
    try:
        if octets.startswith(_GZIP):
            return _gunzip(octets, limit)
        if octets.startswith(_ZIP):
            return _unzip(octets, limit)
    except (zlib.error, struct.error) as error:
        raise ReportFault("what is compressed cannot be read") from error
    return _within(octets, limit)


def _gunzip(octets: bytes, limit: int) -> bytes:
    document = b""
    for _ in range(_MEMBERS):
        document += (piece := _inflate(octets, limit - len(document), zlib.MAX_WBITS | 16))[0]
        octets = piece[1]
        if not octets.startswith(_GZIP):
            break
    return document


def _unzip(octets: bytes, limit: int) -> bytes:
    _, _, flags, method, _, _, _, packed, _, name, extra = _ZIP_HEADER.unpack_from(octets)
    content = octets[_ZIP_HEADER.size + name + extra :]
    if flags & _ENCRYPTED:
        raise ReportFault("the archive is encrypted")
    if method == _DEFLATED:
        return _inflate(content, limit, -zlib.MAX_WBITS)[0]
    if method == _STORED:
        return _within(content[:packed], limit)
    raise ReportFault("the archive is compressed in a way that is not read")


def _inflate(octets: bytes, limit: int, window: int) -> tuple[bytes, bytes]:
    """Return what comes out, and what lies behind it."""
    inflater = zlib.decompressobj(window)
    document = inflater.decompress(octets, limit + 1)
    if len(document) > limit:
        raise ReportFault("the document is too large")
    if not inflater.eof:
        raise ReportFault("what is compressed is cut off")
    return document, inflater.unused_data


def _within(document: bytes, limit: int) -> bytes:
    if len(document) > limit:
        raise ReportFault("the document is too large")
    return document
