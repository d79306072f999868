"""Mail leaves by the addresses that the operator chose, and says their names."""

from __future__ import annotations

import asyncio
import smtplib
from dataclasses import replace
from pathlib import Path

from hongyan.clients.source_pools import PoolOptions
from hongyan.config import Config
from tests.support.lines import PATIENCE
from tests.support.server import SECRET, Server, in_thread, start_server


class Witness:
    """A server that notes who connects and what EHLO says, and refuses."""

    def __init__(self) -> None:
        self.seen: asyncio.Queue[tuple[str, str]] = asyncio.Queue()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 witness.test ESMTP\r\n")
        line = (await reader.readline()).decode().split()
        self.seen.put_nowait((writer.get_extra_info("peername")[0], line[1]))
        writer.write(b"250 witness.test\r\n")
        while await reader.readline():
            writer.write(b"550 5.7.1 That is all\r\n")
        writer.close()


def submit(server: Server, name: str) -> None:
    with smtplib.SMTP_SSL("localhost", server.app.endpoints["submissions"].port, context=server.tls) as smtp:
        smtp.login(f"{name}@hongyan.test", SECRET)
        smtp.sendmail(f"{name}@hongyan.test", "x@far.test", f"From: {name}@hongyan.test\r\n\r\nHello\r\n")


async def test_each_sender_leaves_by_the_pool_that_is_theirs(tmp_path: Path) -> None:
    def change(config: Config) -> Config:
        pools = {
            "ann": PoolOptions(("127.0.0.2",), ("a.hongyan.test",), senders=("ann@hongyan.test",)),
            "bob": PoolOptions(("127.0.0.3",), ("b.hongyan.test",), senders=("bob@hongyan.test",)),
        }
        return replace(config, pools=pools)

    witness = Witness()
    async with await asyncio.start_server(witness.serve, "127.0.0.1", 0) as peer:
        port = peer.sockets[0].getsockname()[1]
        async with (
            start_server(tmp_path, relay=f"127.0.0.1:{port}", change=change) as server,
            asyncio.timeout(PATIENCE),
        ):
            for name, expected in (
                ("ann", ("127.0.0.2", "a.hongyan.test")),
                ("bob", ("127.0.0.3", "b.hongyan.test")),
                ("admin", ("127.0.0.1", server.app.config.server.hostname)),
            ):
                await in_thread(lambda name=name: submit(server, name))
                assert await witness.seen.get() == expected
