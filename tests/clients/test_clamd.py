"""clamd: what the real one finds, and what is made of one that lies, stalls or hangs up."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import io
import zipfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest

from hongyan.clients.clamd import Clamd
from hongyan.screening.virus import Scan, ScanResult, VirusOptions
from tests.support.clamd import INFECTED, VIRUS, ClamdPlaces, start_clamd

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
LARGEST = 300_000


@pytest.fixture(scope="module")
def daemon() -> Iterator[ClamdPlaces]:
    with start_clamd(largest=LARGEST) as places:
        yield places


@pytest.fixture(params=["socket", "tcp"])
def real(request: pytest.FixtureRequest, daemon: ClamdPlaces) -> Clamd:
    return Clamd(VirusOptions(clamd=getattr(daemon, request.param)))


def zipped(octets: bytes) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as members:
        members.writestr("invoice.txt", octets)
    return archive.getvalue()


def with_attachment(octets: bytes) -> bytes:
    """Return a message with an attachment, as a mail program makes it."""
    encoded = base64.encodebytes(octets).replace(b"\n", b"\r\n")
    return (
        b"From: a@elsewhere.test\r\nTo: b@hongyan.test\r\nSubject: Invoice\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="=b"\r\n\r\n--=b\r\nContent-Type: text/plain\r\n\r\nSee there.\r\n'
        b'--=b\r\nContent-Type: application/zip; name="invoice.zip"\r\nContent-Transfer-Encoding: base64\r\n\r\n'
        + encoded
        + b"--=b--\r\n"
    )


@pytest.mark.interop
async def test_the_real_one_finds_what_it_knows_and_nothing_else(real: Clamd) -> None:
    assert await real.scan(with_attachment(zipped(b"harmless"))) == Scan(ScanResult.CLEAN)
    assert await real.scan(INFECTED) == Scan(ScanResult.INFECTED, VIRUS)


@pytest.mark.interop
async def test_the_real_one_finds_it_in_an_archive_in_base64(real: Clamd) -> None:
    assert await real.scan(with_attachment(zipped(INFECTED))) == Scan(ScanResult.INFECTED, VIRUS)


@pytest.mark.interop
async def test_the_real_one_serves_and_tells_its_version(real: Clamd) -> None:
    assert await real.serves()
    assert (await real.version()).startswith("ClamAV ")


@pytest.mark.interop
async def test_a_message_larger_than_the_real_one_takes_is_never_taken_for_clean(real: Clamd) -> None:
    # By TCP it may reset the connection before its answer is read.
    scan = await real.scan(b"x" * (LARGEST * 8))
    assert scan.result in (ScanResult.TOO_LARGE, ScanResult.FAILED)


@contextlib.asynccontextmanager
async def clamd_that(behaves: Behaviour, *, timeout: float = 20.0, at_once: int = 8) -> AsyncIterator[Clamd]:
    """Yield a client of a scanner that behaves so."""

    serving: set[asyncio.Task[None] | None] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.current_task())
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            await behaves(reader, writer)
        writer.close()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await writer.wait_closed()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield Clamd(VirusOptions(clamd=f"127.0.0.1:{port}", timeout=timeout, at_once=at_once))
    finally:
        server.close()
        for task in serving:
            assert task is not None
            task.cancel()
        await asyncio.gather(*filter(None, serving), return_exceptions=True)


async def take_stream(reader: asyncio.StreamReader) -> bytes:
    """Read what INSTREAM brings."""
    assert await reader.readuntil(b"\0") == b"zINSTREAM\0"
    octets = b""
    while size := int.from_bytes(await reader.readexactly(4)):
        octets += await reader.readexactly(size)
    return octets


def answers(line: bytes) -> Behaviour:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        writer.write(line)
        await writer.drain()

    return behave


async def test_the_message_arrives_as_it_is_in_bounded_chunks() -> None:
    arrived: list[bytes] = []

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.append(await take_stream(reader))
        writer.write(b"stream: OK\0")

    message = bytes(range(256)) * 1000
    async with clamd_that(behave) as clamd:
        assert await clamd.scan(message) == Scan(ScanResult.CLEAN)
        assert await clamd.scan(b"") == Scan(ScanResult.CLEAN)
    assert arrived == [message, b""]


@pytest.mark.parametrize(
    "line",
    [
        b"stream: OK",  # and no end
        b"stream: OK\0stream: X FOUND\0",
        b"OK\0",
        b"stream: ok\0",
        b"stream: OK FOUND OK\0",
        b"\0",
        b"stream: \xff FOUND\0",
        b"220 mail.example ESMTP\r\n\0",
        b"stream: Can't allocate memory ERROR\0",
        b"x" * 100_000,
        b"",
    ],
)
async def test_an_answer_that_is_none_is_a_failure(line: bytes) -> None:
    async with clamd_that(answers(line)) as clamd:
        assert (await clamd.scan(b"mail")).result is ScanResult.FAILED


async def test_a_name_goes_on_as_it_was_written() -> None:
    async with clamd_that(answers(b"stream: Evil <script> FOUND\0")) as clamd:
        assert await clamd.scan(b"mail") == Scan(ScanResult.INFECTED, "Evil <script>")


async def test_a_limit_is_told_before_the_end_of_the_message() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readexactly(1000)
        writer.write(b"INSTREAM size limit exceeded. ERROR\0")
        await writer.drain()
        await reader.read()

    async with clamd_that(behave) as clamd:
        assert await clamd.scan(b"x" * 5_000_000) == Scan(ScanResult.TOO_LARGE)


async def test_one_that_never_answers_is_a_failure() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with clamd_that(behave, timeout=0.2) as clamd:
        assert await clamd.scan(b"mail") == Scan(ScanResult.FAILED, "it took too long")


async def test_one_that_reads_nothing_is_a_failure() -> None:
    stuck = asyncio.Event()

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stuck.wait()

    async with clamd_that(behave, timeout=0.3) as clamd:
        assert (await clamd.scan(b"x" * 30_000_000)).result is ScanResult.FAILED
        stuck.set()


async def test_one_that_never_ends_is_a_failure() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await take_stream(reader)
        while True:
            writer.write(b"stream: " * 1000)
            await writer.drain()

    async with clamd_that(behave) as clamd:
        assert await clamd.scan(b"mail") == Scan(ScanResult.FAILED, "it says more than an answer")


async def test_one_that_hangs_up_or_is_not_there_is_a_failure() -> None:
    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pass

    async with clamd_that(behave) as clamd:
        assert (await clamd.scan(b"mail")).result is ScanResult.FAILED
    assert (await Clamd(VirusOptions(clamd="/nowhere/clamd.sock")).scan(b"mail")).result is ScanResult.FAILED
    assert not await Clamd(VirusOptions(clamd="/nowhere/clamd.sock")).serves()
    assert await Clamd(VirusOptions(clamd="/nowhere/clamd.sock")).version() == ""


async def test_no_more_scans_go_on_at_once_than_are_allowed() -> None:
    here, most = 0, 0

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal here, most
        here += 1
        most = max(most, here)
        await take_stream(reader)
        here -= 1
        writer.write(b"stream: OK\0")

    async with clamd_that(behave, at_once=2) as clamd:
        scans = await asyncio.gather(*(clamd.scan(b"x" * 200_000) for _ in range(12)))
    assert {scan.result for scan in scans} == {ScanResult.CLEAN}
    assert most <= 2
