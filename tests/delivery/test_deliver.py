"""Delivering keeps nobody else waiting, whatever strangers have written."""

from __future__ import annotations

import threading

import pytest

from hongyan.addresses import Address
from hongyan.delivery.deliver import Arrived
from hongyan.mailboxes import append
from tests.delivery.conftest import Post

PLAIN = b"From: eve@elsewhere.test\r\nSubject: Geese\r\n\r\n" + b"honk\r\n" * 20_000
MANY_PARTS = b'From: a@b.test\r\nContent-Type: multipart/mixed; boundary="b"\r\n\r\n' + b"--b\r\n\r\nx\r\n" * 9000
LONG_HEADER = b"From: a@b.test\r\nTo: " + b",\r\n ".join([b'"a(b" <x@y.test>'] * 4000) + b"\r\n\r\nx\r\n"


@pytest.mark.parametrize(("octets", "is_beside"), [(PLAIN, False), (MANY_PARTS, True), (LONG_HEADER, True)])
async def test_what_takes_long_to_read_is_read_beside_the_loop(
    post: Post, monkeypatch: pytest.MonkeyPatch, octets: bytes, is_beside: bool
) -> None:
    readers: list[int] = []
    analyze = append.analyze

    def noted(*arguments: bytes) -> object:
        readers.append(threading.get_ident())
        return analyze(*arguments)

    monkeypatch.setattr(append, "analyze", noted)
    account = (await post.door.accounts.get(Address.parse("ann@geese.test"))).account_id
    (done,) = await post.deliverer.deliver([account], Arrived(b"", octets), b"digest", mid="m")
    assert done.fault is None
    assert [reader != threading.get_ident() for reader in readers] == [is_beside]
