"""HTTPS: what a host that strangers chose answers to our one request.

Invariant: nothing but `HttpsFault` comes out; a resource is never larger than was allowed, its media type is in lower
case; and what comes (if it is short) is the same in one piece as octet by octet.
"""

from __future__ import annotations

__all__ = ["CORPUS", "target"]

from collections.abc import Iterable

from hongyan.clients.https import AnswerReader, HttpsFault, Resource

CORPUS: list[bytes] = [
    b"HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 16\r\n\r\nversion: STSv1\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Type: TEXT/p\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nver\r\n0\r\nX: y\r\n\r\n",
    b"HTTP/1.0 200 OK\r\nContent-Encoding: identity\r\n\r\nversion",
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
]
_LIMIT = 64
_SHORT = 1000


def target(octets: bytes) -> None:
    whole = _read([octets])
    if len(octets) <= _SHORT:
        assert whole == _read(octets[at : at + 1] for at in range(len(octets)))
    if whole is not None:
        assert len(whole.octets) <= _LIMIT
        assert whole.media_type == whole.media_type.lower()


def _read(pieces: Iterable[bytes]) -> Resource | None:
    reader = AnswerReader(_LIMIT)
    reader.request("mta-sts.example.net", "/.well-known/mta-sts.txt")
    try:
        for piece in pieces:
            resource = reader.receive(piece)
            if resource is not None:
                return resource
        return reader.receive(b"")
    except HttpsFault:
        return None
