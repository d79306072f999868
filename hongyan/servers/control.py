"""A Unix socket in the data directory: the operator's way into a running server.

Who connects is told by the kernel (unix(7), SO_PEERCRED): root and the server's own user are served, nobody else. A
request is one line of JSON, `{"method": …, "parameters": {…}}`. The answer is any number of lines
`{"progress": [done, total]}` and then one: `{"result": …}` or `{"error": {"kind": …, "sentence": …}}`. Whoever hangs up
before the answer does not want it any more: what is under way is cancelled, and a unit of work is done or not begun.
"""

from __future__ import annotations

__all__ = ["MAX_LINE", "SOCKET", "ControlServer", "Handle"]

import asyncio
import contextlib
import json
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from hongyan import telemetry
from hongyan.errors import HongyanError
from hongyan.telemetry import metrics

SOCKET = "control.sock"
MAX_LINE = 128 << 20
"""Octets of a line: the largest message that IMAP takes, as JSON carries it, and room."""

_MOST_CONNECTIONS = 32
_PATIENCE = 300.0  # seconds that a caller may take for its next request
_BACKLOG = 16
_BETWEEN = 0.2  # seconds between two lines of progress
_CREDENTIALS = struct.Struct("3i")
_BROKEN = {"error": {"kind": "panic", "sentence": "The server failed at this; its log says why."}}

Document = Mapping[str, object]
Handle = Callable[[str, Document, int, Callable[[int, int], None]], Awaitable[Document]]
"""Carries a method out: its name, its parameters, the caller's user id, and whom progress is told."""

log = telemetry.logger("control")


class ControlServer:
    """Serves the socket from `open` to `close`."""

    def __init__(self, folder: Path, handle: Handle) -> None:
        self._folder = folder
        self._handle = handle
        self._server: asyncio.Server | None = None
        self._conversations: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Begin to listen. The data directory is ours: a socket that lies there is left from a crash."""
        listening = _bind(self._folder)
        self._server = await asyncio.start_unix_server(self._meet, sock=listening, limit=MAX_LINE, backlog=_BACKLOG)

    async def close(self) -> None:
        """Stop listening, and end what is under way."""
        if self._server is not None:
            self._server.close()
        (self._folder / SOCKET).unlink(missing_ok=True)
        for conversation in self._conversations:
            conversation.cancel()
        await asyncio.gather(*self._conversations, return_exceptions=True)

    async def _meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None:
            return
        self._conversations.add(task)
        try:
            user = _user_of(writer)
            if user in (0, os.geteuid()) and len(self._conversations) <= _MOST_CONNECTIONS:
                await self._converse(reader, writer, user)
            else:
                log.warning("refused", user=user)
        except (OSError, ValueError, TimeoutError) as error:  # gone, silent, or a line that is too long
            log.debug("ended", error=error)
        except Exception as error:  # noqa: BLE001 - the top of a connection
            metrics.panic_total.labels("control").inc()
            log.error("panic", error=error)
        finally:
            self._conversations.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: int) -> None:
        while True:
            async with asyncio.timeout(_PATIENCE):
                line = await reader.readline()
            if not line.endswith(b"\n"):
                return
            answer = await self._answer(line, reader, writer, user)
            if answer is None:
                return
            writer.write(_line(answer))
            async with asyncio.timeout(_PATIENCE):
                await writer.drain()

    async def _answer(
        self, line: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, user: int
    ) -> Document | None:
        """Return the answer; None when the caller is gone."""
        work = asyncio.ensure_future(self._work(line, user, _Progress(writer).tell))
        gone = asyncio.ensure_future(_wait_for_end(reader))
        try:
            await asyncio.wait((work, gone), return_when=asyncio.FIRST_COMPLETED)
            return await work if work.done() else None
        finally:
            for task in (work, gone):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, OSError):
                    await task

    async def _work(self, line: bytes, user: int, tell: Callable[[int, int], None]) -> Document:
        try:
            method, parameters = _read(line)
            log.info("called", method=method, user=user)
            return {"result": await self._handle(method, parameters, user, tell)}
        except HongyanError as error:
            return {"error": {"kind": error.kind, "sentence": error.sentence or error.cause}}
        except Exception as error:  # noqa: BLE001 - the top of a request
            metrics.panic_total.labels("control").inc()
            log.error("panic", error=error)
            return _BROKEN


class _Progress:
    """Tells the caller how far it has come, a few times a second."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._clock = asyncio.get_running_loop().time
        self._next = 0.0

    def tell(self, done: int, total: int) -> None:
        now = self._clock()
        if now >= self._next:
            self._next = now + _BETWEEN
            self._writer.write(_line({"progress": (done, total)}))


def _bind(folder: Path) -> socket.socket:
    """Return the listening socket. A name by way of the open directory is short enough for any directory."""
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        (folder / SOCKET).unlink(missing_ok=True)
        name = f"/proc/self/fd/{directory}/{SOCKET}"
        former = os.umask(0o177)
        try:
            listening.bind(name)
        finally:
            os.umask(former)
        listening.setblocking(False)
    except BaseException:
        listening.close()
        raise
    finally:
        os.close(directory)
    return listening


def _user_of(writer: asyncio.StreamWriter) -> int:
    peer = writer.get_extra_info("socket")
    octets = peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    _, user, _ = _CREDENTIALS.unpack(octets)
    return int(user)


def _read(line: bytes) -> tuple[str, Document]:
    request = json.loads(line)
    method, parameters = request["method"], request["parameters"]
    if not isinstance(method, str) or not isinstance(parameters, dict):
        raise TypeError("a request names a method and has parameters")
    return method, parameters


async def _wait_for_end(reader: asyncio.StreamReader) -> None:
    """Return when the caller has hung up: it says nothing before it has its answer."""
    await reader.read(1)


def _line(document: Document) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
