"""postsrsd from Debian understands our rewritten senders, and we its."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hongyan.addresses import Address, Domain
from hongyan.queue.srs import Srs
from tests.support import debian
from tests.support.ports import free_ports

pytestmark = pytest.mark.interop

OURS = Domain.parse("mx.ours.example")
SRS = Srs(OURS, [b"wild goose chase"])


class Tables:
    """The two tables of a daemon, as Postfix asks them."""

    def __init__(self, forward: int, reverse: int) -> None:
        self._ports = {"forward": forward, "reverse": reverse}

    async def ask(self, table: str, address: str) -> str:
        for _ in range(100):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self._ports[table])
                break
            except ConnectionRefusedError:
                await asyncio.sleep(0.05)
        writer.write(f"get {address}\n".encode())
        answer = (await reader.readline()).decode().strip()
        writer.close()
        return answer


@pytest.fixture
async def tables(tmp_path: Path) -> AsyncIterator[Tables]:
    root = debian.require("postsrsd")
    secret = tmp_path / "secret"
    secret.write_text("wild goose chase\n")
    forward, reverse = free_ports(2)
    command = [str(debian.find_program(root, "postsrsd")), "-s", str(secret), "-d", OURS.text]
    command += ["-f", str(forward), "-r", str(reverse), "-l", "127.0.0.1"]
    with subprocess.Popen(command, env=debian.run_environment(root)) as daemon:
        try:
            yield Tables(forward, reverse)
        finally:
            daemon.terminate()


async def test_each_reverses_what_the_other_has_rewritten(tables: Tables) -> None:
    now = datetime.now(UTC)
    ann = Address.parse("Ann.Lee@elsewhere.example")
    theirs = (await tables.ask("forward", str(ann))).removeprefix("200 ")
    assert theirs.startswith("SRS0=")
    assert SRS.reverse(Address.parse(theirs), now) == ann
    assert await tables.ask("reverse", str(SRS.forward(ann, now))) == f"200 {ann}"


async def test_each_reverses_a_second_rewriting_of_the_other(tables: Tables) -> None:
    now = datetime.now(UTC)
    first = "SRS0=abcd=XY=origin.example=bob@first.example"
    theirs = (await tables.ask("forward", first)).removeprefix("200 ")
    assert theirs.startswith("SRS1=")
    assert str(SRS.reverse(Address.parse(theirs), now)) == first
    assert await tables.ask("reverse", str(SRS.forward(Address.parse(first), now))) == f"200 {first}"
