"""IMAP (RFC 9051) as a client that does little for each chunk: a command is done when the last line has its tag."""

from __future__ import annotations

__all__ = ["Answer", "ImapClient"]

import asyncio
import itertools
from collections.abc import Callable, Sequence
from time import perf_counter

from bench.clients.stream import Endpoint, Stream, Unexpected, open_stream

_tags = itertools.count(1)


class Answer:
    """All that came for one command: untagged responses and the tagged line."""

    __slots__ = ("_chunks", "first", "last_line")

    def __init__(self, chunks: list[bytes], last_line: bytes, first: float) -> None:
        self._chunks = chunks
        self.last_line = last_line
        self.first = first  # when the first octet came

    @property
    def octets(self) -> bytes:
        if len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
        return self._chunks[0] if self._chunks else b""

    @property
    def size(self) -> int:
        return sum(map(len, self._chunks))

    @property
    def untagged(self) -> bytes:
        """What came before the tagged line: the same for the same question."""
        return self.octets[: -len(self.last_line)]

    @property
    def ok(self) -> bool:
        return self.last_line.split(None, 2)[1:2] == [b"OK"]

    @property
    def goes_on(self) -> bool:
        """The server asks for the literal, or idles."""
        return self.last_line.startswith(b"+")


class ImapClient(Stream):
    """One connection."""

    def __init__(self) -> None:
        super().__init__()
        self.overhear: Callable[[bytes], None] | None = None  # told of each chunk, for who idles
        self.exists = 0  # kept by who follows the mailbox
        self._multi_append: bool | None = None  # not known yet
        self._chunks: list[bytes] = []
        self._first = 0.0
        self._last_line = b""
        self._ends: tuple[bytes, ...] = (b"* ",)

    # What comes.

    def data_received(self, data: bytes) -> None:
        if self.overhear is not None:
            self.overhear(data)
            return
        if not self._chunks:
            self._first = perf_counter()
        self._chunks.append(data)
        if self.waits and data[-1] == 0x0A:
            self._look_for_the_end()

    def _look_for_the_end(self) -> None:
        last = self._chunks[-1]
        begin = last.rfind(b"\n", 0, len(last) - 1)
        if begin < 0 and len(self._chunks) > 1:
            self._chunks = [b"".join(self._chunks)]
            last = self._chunks[0]
            begin = last.rfind(b"\n", 0, len(last) - 1)
        line = last[begin + 1 :]
        if line.startswith(self._ends):
            self._last_line = line
            self.answered()

    # What goes.

    async def ask(self, octets: bytes, *ends: bytes) -> Answer:
        """Send octets and wait for a line that begins with one of `ends`."""
        self._chunks, self._ends = [], ends
        waiter = self.arm()
        self.transport.write(octets)
        await waiter
        return Answer(self._chunks, self._last_line, self._first)

    async def command(self, line: bytes) -> Answer:
        tag = make_tag()
        return await self.ask(b"%b %b\r\n" % (tag, line), tag)

    async def ok(self, line: bytes) -> Answer:
        """Send a command that has to succeed."""
        answer = await self.command(line)
        if not answer.ok:
            raise Unexpected(f"{line[:80]!r} was answered {answer.last_line[:200]!r}")
        return answer

    async def search(self, keys: bytes, word: bytes) -> Answer:
        """SEARCH for a word that travels as a literal."""
        tag = make_tag()
        answer = await self.ask(b"%b SEARCH %b {%d}\r\n" % (tag, keys, len(word)), b"+", tag)
        if answer.goes_on:
            answer = await self.ask(word + b"\r\n", tag)
        if not answer.ok:
            raise Unexpected(f"SEARCH {keys!r} was answered {answer.last_line[:200]!r}")
        return answer

    async def append(self, mailbox: bytes, message: bytes, options: bytes = b"") -> Answer:
        """APPEND with a literal that does not wait (RFC 7888); `options` are flags and date, with a space after."""
        tag = make_tag()
        line = b"%b APPEND %b %b{%d+}\r\n" % (tag, mailbox, options, len(message))
        return await self.ask(b"%b%b\r\n" % (line, message), tag)

    async def append_all(self, mailbox: bytes, messages: Sequence[tuple[bytes, bytes]]) -> None:
        """Append (options, message) pairs the fastest way that the server knows, and wait for the last answer."""
        if self._multi_append is None:
            self._multi_append = b"MULTIAPPEND" in (await self.ok(b"CAPABILITY")).octets
        if self._multi_append:  # RFC 3502
            tags = [make_tag()]
            parts = [b"%b APPEND %b" % (tags[0], mailbox)]
            parts += [b" %b{%d+}\r\n%b" % (options, len(message), message) for options, message in messages]
            parts.append(b"\r\n")
        else:
            tags = [make_tag() for _ in messages]
            parts = [
                b"%b APPEND %b %b{%d+}\r\n%b\r\n" % (tag, mailbox, options, len(message), message)
                for tag, (options, message) in zip(tags, messages, strict=True)
            ]
        answer = await self.ask(b"".join(parts), tags[-1])
        accepted = sum(answer.octets.count(tag + b" OK") for tag in tags)
        if accepted != len(tags):
            raise Unexpected(f"{accepted} of {len(tags)} APPENDs were accepted: {answer.last_line[:120]!r}")

    async def idle(self) -> None:
        """Begin to idle; what comes then goes to `overhear`."""
        answer = await self.ask(make_tag() + b" IDLE\r\n", b"+", b"zb")
        if not answer.goes_on:
            raise Unexpected(f"IDLE was answered {answer.last_line[:120]!r}")

    async def greeting(self) -> None:
        if not self._chunks:
            self._ends = (b"* ",)
            await self.arm()

    async def login(self, user: str, secret: str) -> None:
        await self.ok(f'LOGIN "{user}" "{secret}"'.encode())

    async def logout(self) -> None:
        """Leave politely; a server that has gone already is left, too."""
        try:
            async with asyncio.timeout(10):
                answer = await self.command(b"LOGOUT")
                if b"* BYE" not in answer.octets:
                    raise Unexpected(f"LOGOUT was answered {answer.octets[:100]!r}")
        finally:
            self.close()

    @classmethod
    async def connect(cls, at: Endpoint, user: str, secret: str, mailbox: bytes | None = None) -> ImapClient:
        client = await open_stream(cls, at)
        try:
            await client.greeting()
            await client.login(user, secret)
            if mailbox is not None:
                await client.ok(b"SELECT " + mailbox)
        except BaseException:
            client.close()
            raise
        return client


def make_tag() -> bytes:
    """A tag that no text of a message begins with."""
    return b"zb%dq" % next(_tags)
