"""A session below compression that takes what comes."""

from __future__ import annotations

__all__ = ["Taker"]

from collections.abc import Coroutine

from hongyan.servers.tls import TlsInfo


class Taker:
    """Takes what comes, all of it or only so much at a time; `farewell` is what it was made to say."""

    def __init__(self, appetite: int = 1 << 30) -> None:
        self.closing = self.starttls = False
        self.taken = b""
        self.farewell = ""
        self.out: list[bytes] = []
        self.most_buffered = 0
        self.woken = 0
        self._appetite = appetite
        self._waiting = b""

    @property
    def buffered(self) -> int:
        return len(self._waiting)

    def receive_data(self, octets: bytes) -> None:
        self._waiting += octets
        self.most_buffered = max(self.most_buffered, len(self._waiting))

    def advance(self) -> Coroutine[object, object, None] | None:
        self.taken += self._waiting[: self._appetite]
        self._waiting = self._waiting[self._appetite :]
        return None

    def data_to_send(self) -> bytes:
        octets = b"".join(self.out)
        self.out.clear()
        return octets

    def refuse(self, sentence: str) -> None:
        self.farewell = sentence
        self.closing = True

    def wake(self) -> None:
        self.woken += 1

    def receive_eof(self) -> None: ...
    def tls_started(self, tls: TlsInfo) -> None: ...
    def timeout(self) -> float:
        return 60.0

    def timed_out(self) -> None: ...
    def failed(self) -> None: ...
    def shutdown(self) -> None: ...
    def connection_lost(self) -> None: ...
