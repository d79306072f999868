"""A server under test: a product that runs, where it listens, and what it has used."""

from __future__ import annotations

__all__ = ["ACCOUNTS", "SECRET", "Endpoints", "Product", "Server", "user_name"]

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar
from weakref import WeakSet

from bench.clients import Endpoint, ImapClient, Pop3Client, SmtpClient, Stream
from bench.meters import Memory, Meter, memory_of
from bench.programs import ProgramFault, end_leftovers

ACCOUNTS = 200
SECRET = "correcthorsebatt"  # sixteen letters, as app passwords have; each server compares it without a slow hash

_S = TypeVar("_S", bound=Stream)

_DROP_CACHES = Path("/proc/sys/vm/drop_caches")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where a product listens, and the domain of its accounts."""

    smtp: Endpoint
    imap: Endpoint
    imaps: Endpoint
    pop3: Endpoint
    domain: str


class Product(Protocol):
    """What can be started: Hongyan, or Dovecot with Postfix."""

    index_seconds: float
    """Within so many seconds it begins to index new mail; 0: it makes no index."""

    def start(self) -> Endpoints:
        """Return when it answers."""
        ...

    def restart(self) -> Endpoints:
        """End and start at least the part that holds mailboxes."""
        ...

    def stop(self) -> None: ...

    def require_running(self) -> None:
        """Raise if a part of it has ended."""
        ...

    @property
    def version(self) -> str: ...


class Server:
    """A product that runs under a meter."""

    def __init__(self, name: str, product: Product, meter: Meter) -> None:
        self.name = name
        self.product = product
        self.meter = meter
        self.is_fed = False  # there may be new mail behind which it still works
        self._at: Endpoints | None = None
        self._clients: WeakSet[Stream] = WeakSet()

    @property
    def at(self) -> Endpoints:
        assert self._at is not None, "not started"
        return self._at

    def start(self) -> None:
        self._at = self.product.start()

    def restart(self) -> None:
        self._at = self.product.restart()

    def make_cold(self) -> None:
        """Restart, with what the kernel kept of its files forgotten (as root)."""
        self.restart()
        if os.access(_DROP_CACHES, os.W_OK):
            os.sync()
            _DROP_CACHES.write_text("3")

    def revive(self) -> None:
        """Start again what has ended by itself, so that the next work finds a server; raise all the same."""
        try:
            self.product.require_running()
        except ProgramFault:
            self.restart()
            raise

    def stop(self) -> None:
        try:
            self.product.stop()
        finally:
            end_leftovers(self.meter)
            self.meter.close()

    def memory(self) -> Memory:
        return memory_of(self.meter.pids())

    # Clients of account number so-and-so.

    def user(self, number: int) -> str:
        return f"{user_name(number)}@{self.at.domain}"

    async def imap(self, number: int, mailbox: bytes | None = None, *, tls: bool = False) -> ImapClient:
        at = self.at.imaps if tls else self.at.imap
        return self._know(await ImapClient.connect(at, self.user(number), SECRET, mailbox))

    async def smtp(self) -> SmtpClient:
        return self._know(await SmtpClient.connect(self.at.smtp))

    async def pop3(self, number: int) -> Pop3Client:
        return self._know(await Pop3Client.connect(self.at.pop3, self.user(number), SECRET))

    def hang_up(self) -> None:
        """Close what work that failed has left open."""
        for client in self._clients:
            client.close()

    def _know(self, client: _S) -> _S:
        self._clients.add(client)
        return client


def user_name(number: int) -> str:
    return f"u{number % ACCOUNTS:03d}"
