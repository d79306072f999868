"""Compression: octets as they were, however they come; and bounds for what a few of them may become."""

from __future__ import annotations

import zlib

import pytest

from hongyan.servers.compression import Compressed, Inflation
from tests.support.compression import Taker

_GENEROUS = Inflation(ratio=100, free=1 << 26)


def _before(session: Taker, bounds: Inflation = _GENEROUS) -> Compressed:
    return Compressed(session, bounds, wake=session.wake, refuse=session.refuse)


def _packed(octets: bytes, flush: int = zlib.Z_SYNC_FLUSH, level: int = 9) -> bytes:
    deflate = zlib.compressobj(level, zlib.DEFLATED, -15)
    return deflate.compress(octets) + deflate.flush(flush)


def _advance_until_still(session: Taker, layer: Compressed) -> None:
    before = -1
    while session.woken > before and not session.closing:
        before = session.woken
        layer.advance()


@pytest.mark.parametrize("flush", [zlib.Z_SYNC_FLUSH, zlib.Z_PARTIAL_FLUSH, zlib.Z_FULL_FLUSH])
@pytest.mark.parametrize("level", [0, 1, 9])
def test_octets_arrive_as_they_were_whatever_way_they_are_cut(flush: int, level: int) -> None:
    octets = b"a NOOP\r\n" + bytes(range(256)) * 3 + b"b" * 1000
    packed = _packed(octets, flush, level)
    for size in (1, 2, 7, len(packed)):
        session = Taker()
        layer = _before(session)
        for at in range(0, len(packed), size):
            layer.receive_data(packed[at : at + size])
            layer.advance()
        assert session.taken == octets


@pytest.mark.parametrize("size", [(64 << 10) - 1, 64 << 10, (64 << 10) + 1, (128 << 10) + 3, 1 << 20])
def test_nothing_stays_behind_at_the_end_of_a_portion(size: int) -> None:
    session = Taker()
    layer = _before(session)
    layer.receive_data(_packed(b"x" * size, zlib.Z_PARTIAL_FLUSH))
    _advance_until_still(session, layer)
    assert len(session.taken) == size


def test_however_far_octets_reach_little_lies_in_memory() -> None:
    session = Taker(appetite=1000)
    layer = _before(session)
    packed = _packed(b"x" * (4 << 20))
    assert len(packed) < 5000
    layer.receive_data(packed)
    _advance_until_still(session, layer)
    assert session.most_buffered < 200_000


def test_other_connections_have_their_turn_between_portions() -> None:
    session = Taker()
    layer = _before(session)
    layer.receive_data(_packed(b"x" * (1 << 20)))
    layer.advance()
    assert len(session.taken) == 64 << 10
    assert session.woken == 1


def test_octets_that_grow_beyond_the_bounds_end_the_connection() -> None:
    session = Taker()
    layer = _before(session, Inflation(ratio=100, free=1 << 20))
    layer.receive_data(_packed(b"a NOOP\r\n" * (1 << 19)))
    _advance_until_still(session, layer)
    assert "too large for its size" in session.farewell
    assert len(session.taken) < 3 << 20


def test_what_is_within_the_ratio_goes_on_for_ever() -> None:
    session = Taker()
    layer = _before(session, Inflation(ratio=100, free=0))
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    for number in range(200):
        octets = b"".join(b"%d FETCH %d FLAGS\r\n" % (line, number * line) for line in range(50))
        layer.receive_data(deflate.compress(octets) + deflate.flush(zlib.Z_SYNC_FLUSH))
        _advance_until_still(session, layer)
    assert session.farewell == ""


def test_octets_that_are_no_deflate_end_the_connection() -> None:
    session = Taker()
    layer = _before(session)
    layer.receive_data(b"a NOOP\r\n")
    layer.advance()
    assert "not compressed" in session.farewell
    assert session.taken == b""


def test_a_stream_that_says_that_it_ends_is_taken_at_its_word() -> None:
    session = Taker()
    layer = _before(session)
    layer.receive_data(_packed(b"a NOOP\r\n", zlib.Z_FINISH) + b"b NOOP\r\n")
    layer.advance()
    assert "has ended" in session.farewell


def test_each_answer_can_be_read_at_once() -> None:
    session = Taker()
    layer = _before(session)
    inflate = zlib.decompressobj(-15)
    for number in range(20):
        session.out.append(b"%d OK Done.\r\n" % number)
        assert inflate.decompress(layer.data_to_send()) == b"%d OK Done.\r\n" % number
    assert layer.data_to_send() == b""


def test_what_was_not_inflated_yet_counts_as_waiting() -> None:
    session = Taker()
    layer = _before(session)
    packed = _packed(b"a NOOP\r\n")
    layer.receive_data(packed)
    assert layer.buffered == len(packed)
    layer.advance()
    assert layer.buffered == 0
