"""SMTP (RFC 5321) as a client that pipelines the envelope (RFC 2920)."""

from __future__ import annotations

__all__ = ["SmtpClient"]

from bench.clients.stream import Endpoint, Stream, Unexpected, open_stream


class SmtpClient(Stream):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self._buffer = b""
        self._replies: list[bytes] = []
        self._wanted = 0
        self._extensions: set[bytes] = set()

    def data_received(self, data: bytes) -> None:
        buffer = self._buffer + data
        *lines, self._buffer = buffer.split(b"\n")
        for line in lines:
            if line[3:4] == b"-":
                self._extensions.add(line[4:].strip().upper())
            else:
                self._replies.append(line)
        if self.waits and len(self._replies) >= self._wanted:
            self.answered()

    async def greeting(self) -> None:
        (greeting,) = await self.replies(1)
        if not greeting.startswith(b"220"):
            raise Unexpected(f"the greeting of SMTP is {greeting!r}")
        await self.command(b"EHLO client.bench.example.org", b"250")
        if b"PIPELINING" not in self._extensions:
            raise Unexpected("the server does not pipeline")

    async def replies(self, count: int) -> list[bytes]:
        """Wait for so many replies and take them; of one in several lines only the last line counts."""
        self._wanted = count
        waiter = self.arm()
        if len(self._replies) >= count:
            self.answered()
        await waiter
        taken, self._replies = self._replies[:count], self._replies[count:]
        return taken

    async def command(self, line: bytes, code: bytes = b"2") -> bytes:
        self.transport.write(line + b"\r\n")
        (reply,) = await self.replies(1)
        if not reply.startswith(code):
            raise Unexpected(f"{line[:60]!r} was answered {reply!r}")
        return reply

    async def send(self, sender: bytes, recipient: bytes, message: bytes) -> None:
        """Hand over one message; no line of it begins with a dot, and it ends with CRLF."""
        self.transport.write(b"MAIL FROM:<%b>\r\nRCPT TO:<%b>\r\nDATA\r\n" % (sender, recipient))
        mail, rcpt, data = await self.replies(3)
        if not (mail.startswith(b"250") and rcpt.startswith(b"250") and data.startswith(b"354")):
            raise Unexpected(f"the envelope was answered {mail!r}, {rcpt!r}, {data!r}")
        self.transport.write(message + b".\r\n")
        (reply,) = await self.replies(1)
        if not reply.startswith(b"250"):
            raise Unexpected(f"the message was answered {reply!r}")

    async def quit(self) -> None:
        try:
            await self.command(b"QUIT", b"221")
        finally:
            self.close()

    @classmethod
    async def connect(cls, at: Endpoint) -> SmtpClient:
        client = await open_stream(cls, at)
        try:
            await client.greeting()
        except BaseException:
            client.close()
            raise
        return client
