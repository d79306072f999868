"""Between a client and the service: what the client says is written down, and then passed on.

The tap shows the service's own certificate, so a client sees no difference. What is compressed (RFC 4978) is read all
the same.
"""

from __future__ import annotations

__all__ = ["Tap", "open_tap"]

import contextlib
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

_CHUNK = 1 << 16
_SECONDS = 20.0  # after which a client that has not said something will not
_COMMAND = re.compile(rb"^[^\s*+{}()\"]{1,40} (?:UID )?[A-Z]{2,}", re.IGNORECASE)
_LITERAL = re.compile(rb"\{(\d+)\+?\}$")


@dataclass
class Tap:
    """A port to which a client connects, and the lines that clients said there."""

    port: int
    _said: list[bytearray] = field(default_factory=list)
    _news: threading.Event = field(default_factory=threading.Event)

    @property
    def lines(self) -> list[str]:
        """All that was said, connection by connection, literals left out."""
        return [line.decode("utf-8", "replace") for said in self._said for line in _lines(bytes(said))]

    @property
    def commands(self) -> list[str]:
        """What was said without the tags."""
        return [line.partition(" ")[2] for line in self.lines if _COMMAND.match(line.encode())]

    @property
    def verbs(self) -> set[str]:
        """The names of the commands; `UID FETCH` is one."""
        words = [command.upper().split() for command in self.commands]
        return {" ".join(word[:2]) if word[0] == "UID" else word[0] for word in words}

    def wait_for(self, verb: str) -> bool:
        """Return when this command has been said; False when a client does not say it."""
        ends = time.monotonic() + _SECONDS
        while verb not in self.verbs and time.monotonic() < ends:
            self._news.wait(1)
            self._news.clear()
        return verb in self.verbs

    def forget(self) -> None:
        """Begin anew; connections that are open go on to be written down where nobody looks."""
        self._said.clear()

    def hear(self) -> Callable[[bytes], None]:
        """Return what writes a new connection down."""
        self._said.append(said := bytearray())

        def note(octets: bytes) -> None:
            said.extend(octets)
            self._news.set()

        return note


@contextlib.contextmanager
def open_tap(authority: Path, port: int, *, tls: bool = True) -> Iterator[Tap]:
    """Listen, and pass everything on to a port of the service whose authority this is."""
    shown = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    shown.load_cert_chain(authority.with_name("certificate.pem"), authority.with_name("key.pem"))
    trusted = ssl.create_default_context(cafile=str(authority))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        tap = Tap(listener.getsockname()[1])

        def serve(client: socket.socket) -> None:
            with contextlib.suppress(OSError), contextlib.ExitStack() as stack:
                stack.enter_context(client)
                near = stack.enter_context(shown.wrap_socket(client, server_side=True) if tls else client)
                onward = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
                far = stack.enter_context(trusted.wrap_socket(onward, server_hostname="localhost") if tls else onward)
                back = threading.Thread(target=_pass, args=(far, near, None), daemon=True)
                back.start()
                _pass(near, far, tap.hear())
                back.join()

        def accept() -> None:
            with contextlib.suppress(OSError):
                while True:
                    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield tap
        finally:
            listener.shutdown(socket.SHUT_RDWR)


def _pass(source: socket.socket, target: socket.socket, note: Callable[[bytes], None] | None) -> None:
    with contextlib.suppress(OSError):
        while octets := source.recv(_CHUNK):
            target.sendall(octets)
            if note is not None:
                note(octets)
    with contextlib.suppress(OSError):
        target.shutdown(socket.SHUT_RDWR)


def _lines(said: bytes) -> Iterator[bytes]:
    """The lines of a client; a literal's octets are left out, and what follows it is a line of its own."""
    while said:
        line, _, said = said.partition(b"\r\n")
        yield line
        if line.upper().endswith(b" COMPRESS DEFLATE"):
            said = zlib.decompressobj(-zlib.MAX_WBITS).decompress(said)
        if literal := _LITERAL.search(line):
            said = said[int(literal[1]) :]
