"""A scripted SMTP server on loopback: it can accept, refuse, stall, drop, talk nonsense and speak TLS.

    async with SmtpPeer() as peer:
        peer.script("RCPT", "550 5.1.1 No such user", OK)   # the first RCPT is refused, the next ones taken
        …
        assert peer.messages[0].octets == b"…"

Verbs of the script: CONNECT (the greeting), EHLO, HELO, STARTTLS, AUTH, MAIL, RCPT, DATA, END (after the
final dot), BDAT, RSET, NOOP, QUIT. The last answer of a script is repeated.
"""

from __future__ import annotations

__all__ = ["DROP", "OK", "STALL", "Act", "Received", "SmtpPeer", "self_signed"]

import asyncio
import datetime
import ssl
import tempfile
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from ipaddress import ip_address
from pathlib import Path
from types import TracebackType
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat


class Act(Enum):
    """What a server may do besides answering."""

    OK = "the usual answer"
    STALL = "say nothing more"
    DROP = "close without a word"


OK, STALL, DROP = Act

Answer = str | bytes | Act

_USUAL = {
    "CONNECT": "220 peer.example ESMTP",
    "HELO": "250 peer.example",
    "STARTTLS": "220 Go ahead",
    "AUTH": "235 2.7.0 Welcome",
    "MAIL": "250 2.1.0 Sender OK",
    "RCPT": "250 2.1.5 Recipient OK",
    "DATA": "354 Go ahead",
    "END": "250 2.0.0 Taken",
    "BDAT": "250 2.0.0 Taken",
    "RSET": "250 2.0.0 Reset",
    "NOOP": "250 2.0.0 OK",
    "QUIT": "221 2.0.0 Bye",
}


@dataclass
class Received:
    """A message that the peer took."""

    mail: str
    recipients: list[str]
    octets: bytes
    encrypted: bool


@dataclass
class SmtpPeer:
    """The server. `extensions` are announced by EHLO; STARTTLS too if it has a TLS context and is not under TLS yet."""

    extensions: tuple[str, ...] = ("PIPELINING", "8BITMIME", "SIZE 10000000", "ENHANCEDSTATUSCODES")
    tls: ssl.SSLContext | None = None
    implicit_tls: bool = False
    after_starttls: bytes = b""
    """Sent in the clear together with the 220 of STARTTLS: response injection."""
    host: str = "127.0.0.1"
    port: int = 0
    connections: int = 0
    open_now: int = 0
    most_open: int = 0
    commands: list[str] = field(default_factory=list)
    messages: list[Received] = field(default_factory=list)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when a message has been taken."""
    _scripts: dict[str, list[Answer]] = field(default_factory=dict)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def script(self, verb: str, *answers: Answer) -> None:
        self._scripts[verb] = list(answers)

    @property
    def verbs(self) -> list[str]:
        return [command.split(" ")[0].split(":")[0] for command in self.commands]

    async def __aenter__(self) -> Self:
        context = self.tls if self.implicit_tls else None
        self._server = await asyncio.start_server(self._accept, self.host, self.port, ssl=context, limit=1 << 26)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._server.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.get_running_loop().create_task(_Session(self, reader, writer).run())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def next_answer(self, verb: str) -> Answer:
        answers = self._scripts.get(verb)
        if not answers:
            return OK
        return answers.pop(0) if len(answers) > 1 else answers[0]


class _Closed(Exception):
    pass


class _Session:
    def __init__(self, peer: SmtpPeer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.peer = peer
        self.reader = reader
        self.writer = writer
        self.encrypted = peer.implicit_tls
        self.mail = ""
        self.recipients: list[str] = []
        self.chunks = b""

    async def run(self) -> None:
        self.peer.connections += 1
        self.peer.open_now += 1
        self.peer.most_open = max(self.peer.most_open, self.peer.open_now)
        try:
            await self.answer("CONNECT")
            while True:
                line = await self.reader.readuntil(b"\r\n")
                command = line[:-2].decode("utf-8", "replace")
                self.peer.commands.append(command)
                await self.obey(command)
        except (_Closed, asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
            pass
        finally:
            self.peer.open_now -= 1
            self.writer.transport.abort()

    async def obey(self, command: str) -> None:
        verb = command.split(" ")[0].upper()
        match verb:
            case "EHLO":
                await self.answer("EHLO", self.greeting())
            case "STARTTLS":
                await self.start_tls()
            case "MAIL" | "RCPT":
                taken = await self.answer(verb, "503 5.5.1 MAIL first" if verb == "RCPT" and not self.mail else None)
                if taken and verb == "MAIL":
                    self.mail, self.recipients, self.chunks = command, [], b""
                elif taken:
                    self.recipients.append(command)
            case "DATA":
                if await self.answer("DATA", None if self.recipients else "503 5.5.1 RCPT first"):
                    octets = await self.reader.readuntil(b"\r\n")
                    if octets != b".\r\n":
                        octets += await self.reader.readuntil(b"\r\n.\r\n")
                    await self.take(b"\r\n" + octets[:-3], "END", dotted=True)
            case "BDAT":
                await self.bdat(command)
            case "QUIT":
                await self.answer("QUIT")
                raise _Closed
            case _:
                self.mail, self.recipients, self.chunks = "", [], b""
                await self.answer(verb, None if verb in _USUAL else "500 5.5.2 What?")

    def greeting(self) -> str:
        extensions = self.peer.extensions
        if self.peer.tls and not self.encrypted:
            extensions = (*extensions, "STARTTLS")
        lines = ["peer.example greets you", *extensions]
        return "\r\n".join([f"250-{line}" for line in lines[:-1]] + [f"250 {lines[-1]}"])

    async def bdat(self, command: str) -> None:
        words = command.split(" ")
        self.chunks += await self.reader.readexactly(int(words[1]))
        if len(words) > 2:
            await self.take(self.chunks, "BDAT", dotted=False)
        else:
            await self.answer("BDAT")

    async def take(self, octets: bytes, verb: str, *, dotted: bool) -> None:
        if dotted:
            octets = octets.replace(b"\r\n..", b"\r\n.")[2:]
        received = Received(self.mail, self.recipients, octets, self.encrypted)
        self.mail, self.recipients, self.chunks = "", [], b""
        if await self.answer(verb):
            self.peer.messages.append(received)
            self.peer.arrived.set()

    async def start_tls(self) -> None:
        answer = self.peer.next_answer("STARTTLS")
        if answer is not OK:
            await self.say(answer)
            return
        self.writer.write(_USUAL["STARTTLS"].encode() + b"\r\n" + self.peer.after_starttls)
        await self.writer.drain()
        assert self.peer.tls is not None
        try:
            await self.writer.start_tls(self.peer.tls)
        except (OSError, ssl.SSLError) as error:
            raise _Closed from error
        self.encrypted = True

    async def answer(self, verb: str, usual: str | None = None) -> bool:
        """Answer a verb; return whether it was a yes."""
        answer = self.peer.next_answer(verb)
        return await self.say((usual or _USUAL[verb]) if answer is OK else answer)

    async def say(self, answer: Answer) -> bool:
        if answer is DROP:
            raise _Closed
        if answer is STALL:
            await asyncio.Event().wait()
        octets = answer if isinstance(answer, bytes) else f"{answer}\r\n".encode()
        self.writer.write(octets)
        await self.writer.drain()
        return octets[:1] in b"23"


@lru_cache
def self_signed(*names: str) -> tuple[ssl.SSLContext, Path]:
    """Return a server's TLS context for these names or addresses, and its certificate in a file to be trusted."""
    key = generate_private_key(SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, names[0])])
    now = datetime.datetime.now(datetime.UTC)
    alternatives: list[x509.GeneralName] = [
        x509.IPAddress(ip_address(name)) if name[0].isdigit() else x509.DNSName(name) for name in names
    ]
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    folder = Path(tempfile.mkdtemp(prefix="hongyan-peer-"))
    pem = certificate.public_bytes(Encoding.PEM)
    (folder / "certificate.pem").write_bytes(pem)
    (folder / "both.pem").write_bytes(pem + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "both.pem")
    return context, folder / "certificate.pem"
