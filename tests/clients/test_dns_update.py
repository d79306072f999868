"""Dynamic updates against servers that behave badly; the good ones are in tests/interop."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

import dns.message
import dns.rcode
import dns.rrset
import pytest

from hongyan.clients.dns_query import DnsOptions, NameServer
from hongyan.clients.dns_update import Change, DnsUpdateOptions, DnsUpdater, UpdateRefused, find_options
from hongyan.clients.resolver import DnsResolver
from hongyan.domains.dns_records import quote_text
from hongyan.errors import ConfigurationError, Unavailable
from tests.support.clock import FakeClock

CHANGE = Change.add("_acme-challenge.example.org", "TXT", quote_text("x"))


def options(folder: Path, server: str, **more: object) -> DnsUpdateOptions:
    (folder / "key").write_text("c2VjcmV0IHNlY3JldCBzZWNyZXQ=\n")
    return DnsUpdateOptions(
        server=server,
        key_name="k.example.org",
        key_file=str(folder / "key"),
        timeout=0.3,
        **more,  # type: ignore[arg-type]
    )


def updater(folder: Path, server: str) -> DnsUpdater:
    resolver = DnsResolver(DnsOptions(), FakeClock(), [NameServer.parse(server)])
    return DnsUpdater(options(folder, server), resolver, FakeClock())


@contextlib.asynccontextmanager
async def primary(on_update: Callable[[bytes], bytes]):  # type: ignore[no-untyped-def]
    """A server that has the zone example.org and answers updates with whatever `on_update` makes."""

    class Questions(asyncio.DatagramProtocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, addr: object) -> None:
            query = dns.message.from_wire(data)
            reply = dns.message.make_response(query)
            if str(query.question[0].name) == "example.org.":
                text = "ns.example.org. h.example.org. 1 1 1 1 1"
                reply.answer.append(dns.rrset.from_text("example.org.", 60, "IN", "SOA", text))
            self.transport.sendto(reply.to_wire(), addr)  # type: ignore[attr-defined]

    under_way: set[asyncio.Task[None] | None] = set()

    async def updates(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        under_way.add(asyncio.current_task())
        length = int.from_bytes(await reader.readexactly(2), "big")
        octets = on_update(await reader.readexactly(length))
        with contextlib.suppress(OSError):  # who has read enough hangs up
            writer.write(octets)
            await writer.drain()
            if not octets:
                await reader.read()
            writer.close()
            await writer.wait_closed()

    stream = await asyncio.start_server(updates, "127.0.0.1", 0)
    port = stream.sockets[0].getsockname()[1]
    datagram, _ = await asyncio.get_running_loop().create_datagram_endpoint(Questions, local_addr=("127.0.0.1", port))
    try:
        yield f"127.0.0.1:{port}"
    finally:
        datagram.close()
        stream.close()
        await stream.wait_closed()
        await asyncio.gather(*filter(None, under_way))


async def test_a_server_that_never_answers_is_given_up(tmp_path: Path) -> None:
    async with primary(lambda asked: b"") as server:
        with pytest.raises(Unavailable, match="gives no answer"):
            await updater(tmp_path, server).change([CHANGE])


@pytest.mark.parametrize("garbage", [b"\x00\x03abc", b"\xff\xff" + b"\x00" * 70000, b"\x00\x00"])
async def test_garbage_is_no_answer(tmp_path: Path, garbage: bytes) -> None:
    async with primary(lambda asked: garbage) as server:
        with pytest.raises(Unavailable):
            await updater(tmp_path, server).change([CHANGE])


async def test_a_success_that_nobody_signed_is_not_believed(tmp_path: Path) -> None:
    def forge(asked: bytes) -> bytes:
        octets = bytes([*asked[:2], 0xA8, 0, 0, 0, 0, 0, 0, 0, 0, 0])  # NOERROR to an update, no TSIG
        return len(octets).to_bytes(2, "big") + octets

    async with primary(forge) as server:
        with pytest.raises(Unavailable, match="requires a TSIG"):
            await updater(tmp_path, server).change([CHANGE])


@pytest.mark.parametrize("secret", ["", "not base64!", "====="])
async def test_a_key_file_that_holds_no_secret_is_named(tmp_path: Path, secret: str) -> None:
    async with primary(lambda asked: b"") as server:
        broken = updater(tmp_path, server)
        (tmp_path / "key").write_text(secret)
        with pytest.raises(UpdateRefused, match="holds no secret"):
            await broken.change([CHANGE])


def test_a_text_is_quoted_as_a_zone_file_wants_it() -> None:
    assert quote_text('v=1; a="b"\\') == '"v=1; a=\\"b\\"\\\\"'
    assert quote_text("雁") == '"\\233\\155\\129"'
    assert [len(part) for part in quote_text("x" * 300).split()] == [257, 47]


@pytest.mark.parametrize(("kind", "value"), [("A", "example.org"), ("NONSENSE", "x"), ("MX", "mx"), ("TXT", '"open')])
def test_a_value_that_is_no_record_of_its_type_is_refused(kind: str, value: str) -> None:
    with pytest.raises(ConfigurationError):
        Change.add("example.org", kind, value)


def test_the_entry_of_the_nearest_zone_changes_a_name(tmp_path: Path) -> None:
    wide, near, any_zone = (
        options(tmp_path, "127.0.0.1", zones=zones) for zones in (("example.org",), ("sub.example.org", "x.test"), ())
    )

    entries = [any_zone, wide, near]
    assert find_options(entries, "a.sub.example.org") is near
    assert find_options(entries, "a.example.org") is wide
    assert find_options(entries, "elsewhere.test") is any_zone
    assert find_options([wide], "elsewhere.test") is None
