"""The octets that leave: prefix, then the blob without what is omitted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hongyan.errors import Corrupt
from hongyan.queue import transport
from hongyan.queue.transport import BlobContent
from hongyan.types import BlobRef
from tests.queue.values import queued_message
from tests.support.queue import MemoryBlobs


async def leave(
    octets: bytes, prefix: bytes = b"", omitted: tuple[tuple[int, int], ...] = ()
) -> tuple[BlobContent, bytes]:
    blobs = MemoryBlobs()
    message = queued_message(blob=blobs.put(octets), size=len(octets), prefix=prefix, omitted=omitted)
    content = await BlobContent.open(blobs, message)
    return content, b"".join([chunk async for chunk in content.chunks()])


async def test_the_prefix_comes_first() -> None:
    content, octets = await leave(b"A: b\r\n\r\nbody\r\n", b"Received: x\r\n")
    assert octets == b"Received: x\r\nA: b\r\n\r\nbody\r\n"
    assert content.header == b"Received: x\r\nA: b\r\n"
    assert content.size == len(octets)


async def test_a_message_without_a_body_is_all_header() -> None:
    content, octets = await leave(b"A: b\r\n")
    assert content.header == octets == b"A: b\r\n"


async def test_an_empty_blob_is_possible() -> None:
    assert (await leave(b"", b"A: b\r\n"))[1] == b"A: b\r\n"


async def test_chunks_may_be_asked_for_again() -> None:
    content, octets = await leave(b"A: b\r\n\r\n" + b"x" * 200_000)
    assert b"".join([chunk async for chunk in content.chunks()]) == octets


async def test_what_cannot_be_read_is_our_fault() -> None:
    with pytest.raises(Corrupt):
        await BlobContent.open(MemoryBlobs(), queued_message(blob=BlobRef(b"lost")))


ranges = st.lists(st.integers(0, 60), max_size=8, unique=True).map(sorted)


@given(st.binary(max_size=60), ranges, st.integers(1, 70))
async def test_omitted_ranges_do_not_leave_however_it_is_cut(octets: bytes, edges: list[int], chunk: int) -> None:
    edges = [edge for edge in edges if edge <= len(octets)]
    omitted = tuple(zip(edges[::2], edges[1::2], strict=False))
    kept = bytes(
        octet for position, octet in enumerate(octets) if not any(first <= position < last for first, last in omitted)
    )
    whole, transport.CHUNK = transport.CHUNK, chunk  # type: ignore[misc]
    try:
        content, out = await leave(octets, b"P", omitted)
    finally:
        transport.CHUNK = whole  # type: ignore[misc]
    assert out == b"P" + kept
    assert content.size == len(out)
