"""A client that was away: what it has to read is in proportion to what happened, not to the mailbox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.lines import Lines
from tests.support.server import Server, start_server

pytestmark = pytest.mark.slow

_MESSAGES = 100_000
_OCTETS_OF_A_CHANGE = 60  # * 100000 FETCH (UID 100000 FLAGS (\Seen) MODSEQ (20))


async def fill(imap: Lines, messages: int) -> None:
    """Fill INBOX with copies of one message."""
    imap.say("f1 APPEND INBOX {14+}\r\nSubject: x\r\n\r\n")
    await imap.until(b"f1 OK")
    have = 1
    await imap.command("f2", "SELECT INBOX")
    while have < messages:
        part = min(have, messages - have, 20_000)
        await imap.command("f3", f"COPY 1:{part} INBOX")
        have += part


async def resync(server: Server, uidvalidity: bytes, modseq: bytes) -> list[bytes]:
    """Return what a client hears that comes back."""
    imap = await server.imap("ann")
    await imap.command("a", "ENABLE QRESYNC")
    return await imap.command("b", f"SELECT INBOX (QRESYNC ({uidvalidity.decode()} {modseq.decode()}))")


def code(lines: list[bytes], name: bytes) -> bytes:
    """Return the number in a response code."""
    return next(line.split(name)[1].split(b"]")[0].strip() for line in lines if b"[" + name in line)


async def test_a_day_offline_costs_octets_in_proportion_to_the_change(tmp_path: Path) -> None:
    async with start_server(tmp_path) as server:
        imap = await server.imap("ann")
        await fill(imap, _MESSAGES)
        known = await imap.command("g", "SELECT INBOX")
        uidvalidity, modseq = code(known, b"UIDVALIDITY"), code(known, b"HIGHESTMODSEQ")
        nothing = await resync(server, uidvalidity, modseq)
        for number in range(10):  # 500 messages in ten places of the mailbox are read, 500 others leave
            first = 10_000 * number + 1
            await imap.command("h", f"STORE {first}:{first + 49} +FLAGS.SILENT (\\Seen)")
            await imap.command("i", f"UID STORE {first + 100}:{first + 149} +FLAGS.SILENT (\\Deleted)")
        await imap.command("j", "EXPUNGE")
        heard = await resync(server, uidvalidity, modseq)
        left = [line for line in heard if line.startswith(b"* VANISHED (EARLIER) ")]
        changed = [line for line in heard if b" FETCH (UID " in line]
        assert left == [
            b"* VANISHED (EARLIER) " + b",".join(b"%d:%d" % (n, n + 49) for n in range(101, 90_102, 10_000))
        ]
        assert len(changed) == 500
        more = sum(map(len, heard)) - sum(map(len, nothing))
        assert more < 500 * _OCTETS_OF_A_CHANGE + len(left[0]) + 100
