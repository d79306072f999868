"""Sessions without sockets: what the driver does, step by step, with a connection that a test is master of."""

from __future__ import annotations

__all__ = ["FakeConnection", "converse", "cut", "drive"]

from collections.abc import Iterable, Sequence
from itertools import pairwise
from types import SimpleNamespace

from hongyan.servers.arrival import Endpoint
from hongyan.servers.session import PeerGone, Session
from hongyan.servers.tls import TlsInfo


class FakeConnection:
    """What sessions ask of their connection. `stalled`: the peer does not read."""

    def __init__(self, *, tls_offered: bool = False) -> None:
        self.cid = "test-1"
        self.peer = Endpoint("127.0.0.1", 40000)
        self.local = Endpoint("127.0.0.1", 143)
        self.tls: TlsInfo | None = None
        self.tls_offered = tls_offered
        self.stalled = False
        self.sent = b""
        self.arrival = SimpleNamespace(notice="")
        self.session: Session | None = None
        self.now = 0.0
        self.held: list[float] = []
        self.deadline: float | None = None
        self.woken = self.is_closed = self.is_aborted = self.is_known = False

    def expire_in(self, seconds: float | None) -> None:
        self.deadline = seconds

    def hold(self, seconds: float) -> None:
        """The time is over at once."""
        self.held.append(seconds)
        self.now += seconds
        self.woken = True

    def authenticated(self, account: str, client: str) -> None:
        self.is_known = True

    def wake(self) -> None:
        self.woken = True

    def flush(self) -> None:
        assert self.session is not None
        self.sent += self.session.data_to_send()

    async def drain(self) -> None:
        self.flush()

    def close(self) -> None:
        self.flush()
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True


async def drive(session: Session, connection: FakeConnection) -> None:
    """Carry out all that is complete, as the driver does."""
    connection.session = session
    while True:
        connection.woken = False
        work = session.advance()
        connection.flush()
        if work is not None:
            try:
                await work
            except PeerGone:
                return
            connection.flush()
        elif not connection.woken:
            return


async def converse(session: Session, connection: FakeConnection, chunks: Iterable[bytes]) -> bytes:
    """Give the session octets in pieces; return all that it has sent since the beginning."""
    await drive(session, connection)
    for chunk in chunks:
        session.receive_data(chunk)
        await drive(session, connection)
    return connection.sent


def cut(octets: bytes, places: Sequence[int]) -> list[bytes]:
    """Return the octets cut at these places, whatever their order."""
    edges = [0, *sorted({place % (len(octets) + 1) for place in places}), len(octets)]
    return [octets[start:stop] for start, stop in pairwise(edges) if start < stop]
