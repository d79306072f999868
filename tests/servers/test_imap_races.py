"""IMAP while others change the mailbox: what is told of a message is that message's."""

from __future__ import annotations

from pathlib import Path

import pytest

from hongyan.engines.segments import SegmentStore
from hongyan.types import BlobRef
from tests.support.server import Server, start_server


@pytest.fixture
def slow_disk(monkeypatch: pytest.MonkeyPatch) -> list[Server]:
    """Every message is read from the disk; before the second one, another client expunges the first."""
    servers: list[Server] = []
    read, reads = SegmentStore.read, []

    async def wait(self: SegmentStore, ref: BlobRef, start: int = 0, stop: int | None = None) -> bytes:
        reads.append(ref)
        if len(reads) == 2:
            other = await servers[0].imap("ann")
            await other.command("b", "SELECT INBOX")
            await other.command("c", "STORE 1 +FLAGS.SILENT (\\Deleted)")
            await other.command("d", "EXPUNGE")
        return await read(self, ref, start, stop)

    monkeypatch.setattr(SegmentStore, "read_now", lambda *_: None)
    monkeypatch.setattr(SegmentStore, "read", wait)
    return servers


async def test_a_fetch_that_waits_tells_each_message_under_its_own_uid(slow_disk: list[Server], tmp_path: Path) -> None:
    async with start_server(tmp_path, plaintext_auth=True) as server:
        slow_disk.append(server)
        for number in (1, 2, 3):
            await server.bring("ann@hongyan.test", f"number {number}")
        imap = await server.imap("ann")
        await imap.command("a", "SELECT INBOX")
        told = await imap.command("e", "UID FETCH 1:* (UID BODY.PEEK[])")
    responses = b"\n".join(told).split(b" FETCH (")[1:]
    assert len(responses) == 3
    for number, response in enumerate(responses, 1):
        assert response.startswith(b"UID %d " % number)
        assert b"Subject: number %d\n" % number in response
