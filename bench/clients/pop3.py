"""POP3 (RFC 1939) as a client that can send several RETR at once (RFC 2449 §6.6)."""

from __future__ import annotations

__all__ = ["Pop3Client"]

from collections.abc import Sequence

from bench.clients.stream import Endpoint, Stream, Unexpected, open_stream

_END = b"\r\n.\r\n"


class Pop3Client(Stream):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._chunks: list[bytes] = []
        self._ends_wanted = 0  # 0: the answer is one line
        self._ends_seen = 0
        self._rest = b""  # of the chunk before: an end may lie across two

    def data_received(self, data: bytes) -> None:
        self._chunks.append(data)
        if not self._ends_wanted:
            is_complete = data.endswith(b"\n")
        else:
            probe = self._rest + data
            self._ends_seen += probe.count(_END)
            self._rest = b"" if probe.endswith(_END) else probe[1 - len(_END) :]
            refused = len(self._chunks) == 1 and data.startswith(b"-ERR")
            is_complete = self._ends_seen >= self._ends_wanted or refused
        if is_complete and self.waits:
            self.answered()

    async def greeting(self) -> None:
        if not self._chunks:
            await self.arm()

    async def ask(self, octets: bytes, multi_line_answers: int = 0) -> bytes:
        """Send octets and wait for one line, or for so many answers of several lines."""
        self._chunks, self._ends_seen, self._rest = [], 0, b""
        self._ends_wanted = multi_line_answers
        waiter = self.arm()
        self.transport.write(octets)
        await waiter
        answer = b"".join(self._chunks)
        if not answer.startswith(b"+OK"):
            raise Unexpected(f"{octets[:40]!r} was answered {answer[:120]!r}")
        return answer

    async def command(self, line: bytes) -> bytes:
        return await self.ask(line + b"\r\n")

    async def listing(self, line: bytes) -> bytes:
        """Send a command whose answer has several lines."""
        return await self.ask(line + b"\r\n", 1)

    async def pipeline(self, lines: Sequence[bytes]) -> bytes:
        return await self.ask(b"\r\n".join(lines) + b"\r\n", len(lines))

    async def quit(self) -> None:
        try:
            await self.command(b"QUIT")
        finally:
            self.close()

    @classmethod
    async def connect(cls, at: Endpoint, user: str, secret: str) -> Pop3Client:
        client = await open_stream(cls, at)
        try:
            await client.greeting()
            await client.command(b"USER " + user.encode())
            await client.command(b"PASS " + secret.encode())
        except BaseException:
            client.close()
            raise
        return client
